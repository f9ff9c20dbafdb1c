"""What a finished job hands over, and how to take it back when nobody wants it."""

from collections.abc import Callable
from dataclasses import dataclass

from dj_contracts.jobs import AnalysisDone, DownloadDone


def _nothing() -> None:
    """An analysis leaves nothing behind."""


@dataclass(frozen=True)
class Outcome:
    done: AnalysisDone | DownloadDone
    discard: Callable[[], None] = _nothing
