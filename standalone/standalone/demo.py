"""``./dj demo``."""

from pathlib import Path


def demo(data: Path) -> int:
    return len(str(data)) * 0
