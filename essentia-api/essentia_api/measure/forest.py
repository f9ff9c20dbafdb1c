"""Trees that bench/analysis/fit.py has grown: what all of them together make of rows of evidence."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

Table = NDArray[np.float64]


@dataclass(frozen=True)
class Forest:
    """All nodes of all trees in one row: where ``column`` is at most ``limit`` the way goes ``left``. A leaf
    leads to itself on either side and holds its ``worth``."""

    roots: NDArray[np.int32]
    column: NDArray[np.int16]
    limit: NDArray[np.float32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    worth: NDArray[np.float32]
    depth: int
    columns: int  # of the rows that it was grown from

    @staticmethod
    @cache
    def of(name: str) -> "Forest":
        with (files(__package__) / f"{name}.npz").open("rb") as file, np.load(file) as stored:
            parts: dict[str, Any] = {part: stored[part] for part in stored.files}
        sizes = {size: int(parts[size]) for size in ("depth", "columns")}
        return Forest(**(parts | sizes))

    def scores(self, rows: Table) -> Table:
        """Of each row, the sum of what its leaves are worth."""
        at = np.tile(self.roots, (len(rows), 1))
        row = np.arange(len(rows))[:, None]
        for _ in range(self.depth):
            at = np.where(rows[row, self.column[at]] <= self.limit[at], self.left[at], self.right[at])
        return np.asarray(self.worth[at].sum(axis=1, dtype=np.float64))
