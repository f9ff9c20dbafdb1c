"""One source after the other, in the order that was wished, until one has given a file that holds."""

import contextlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

from dj_contracts.downloads import Candidate, SourceName, SourceTry
from dj_contracts.errors import ErrorCode
from dj_servicekit.logs import log
from download_worker.attempt import Attempt
from download_worker.errors import JobFailed
from download_worker.places import JobFolder
from download_worker.sources.port import Offer, Place, Request, Source

Held = TypeVar("Held")


@dataclass(frozen=True)
class Got(Generic[Held]):
    """What held, where it came from, and why the sources before it gave nothing."""

    held: Held
    source: SourceName
    offer: Offer
    tried: list[SourceTry]


@contextmanager
def first_that_holds(
    sources: Sequence[Source],
    request: Request,
    folder: JobFolder,
    ffmpeg: str,
    attempt: Attempt,
    prepare: Callable[[Offer, Place], Held],
) -> Iterator[Got[Held]]:
    """``prepare`` fetches an offer and checks it. Its folder lasts as long as the block."""
    failures: list[tuple[SourceName, JobFailed]] = []
    for source in sources:
        with contextlib.ExitStack() as stack:
            place = stack.enter_context(_place(folder, f"{source.name}-search", ffmpeg))
            offers = iter(source.offers(request, place, attempt))
            number = 0
            while True:
                number += 1
                try:
                    if (offer := next(offers, None)) is None:
                        break
                except JobFailed as exc:
                    _note(failures, source, exc)
                    break
                with _place(folder, f"{source.name}-{number}", ffmpeg) as own:
                    try:
                        held = prepare(offer, own)
                    except JobFailed as exc:
                        _note(failures, source, exc)
                        continue
                    yield Got(held, source.name, offer, _tries(failures))
                    return
    raise _all_failed(failures)


def _note(failures: list[tuple[SourceName, JobFailed]], source: Source, failure: JobFailed) -> None:
    if failure.code == ErrorCode.DISK_FULL:
        raise failure
    log.info("source_failed", source=source.name, code=failure.code, detail=failure.detail)
    failures.append((source.name, failure))


def _all_failed(failures: list[tuple[SourceName, JobFailed]]) -> JobFailed:
    """What may pass is tried again; else the last word is the first source's, for it was wished most.

    Finds that wait for a person come before that: there is something to do about them."""
    if not failures:
        return JobFailed(
            ErrorCode.NO_MATCH, "None of the sources has anything for this track. Give a link, or upload it."
        )
    candidates: list[Candidate] = [found for _, failure in failures for found in failure.candidates]
    said = [failure for _, failure in failures]
    telling = next(
        (failure for failure in said if failure.transient),
        next((failure for failure in said if failure.candidates), said[0]),
    )
    return JobFailed(
        telling.code,
        telling.detail,
        transient=telling.transient,
        tried=_tries(failures),
        candidates=candidates,
    )


def _tries(failures: list[tuple[SourceName, JobFailed]]) -> list[SourceTry]:
    return [
        SourceTry(source=source, code=failure.code, detail=failure.detail, transient=failure.transient)
        for source, failure in failures
    ]


@contextmanager
def _place(folder: JobFolder, name: str, ffmpeg: str) -> Iterator[Place]:
    """A folder of its own for each offer, so that what one leaves is never taken for another's."""
    path = folder.path / name
    path.mkdir()
    try:
        yield Place(path, folder.lock_fd, ffmpeg)
    finally:
        shutil.rmtree(path, ignore_errors=True)
