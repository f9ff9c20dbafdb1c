"""Passwords and tokens, made once and kept in the data folder where only its owner can read them."""

import os
import secrets
from pathlib import Path


def secret(folder: Path, name: str) -> str:
    path = folder / name
    if path.exists():
        return path.read_text().strip()
    value = secrets.token_urlsafe(32)
    write_private(path, value + "\n")
    return value


def write_private(path: Path, text: str) -> None:
    """Whole or not at all, so that a kill in the middle leaves the file as it was."""
    fresh = path.with_name(f"{path.name}.new")
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "w") as file:
        file.write(text)
    fresh.replace(path)
