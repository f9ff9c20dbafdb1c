"""What a finished job hands over, and how to take it back when nobody wants it."""

from collections.abc import Callable
from dataclasses import dataclass

from dj_contracts.jobs import Done


def _nothing() -> None:
    """Most jobs leave nothing to see to."""


@dataclass(frozen=True)
class Outcome:
    done: Done
    discard: Callable[[], None] = _nothing
    settle: Callable[[], None] = _nothing
    """Once the gateway has it: let go of what was kept for another attempt."""
