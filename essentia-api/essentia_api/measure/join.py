"""What was heard in the windows of a long recording, as one answer. Of one window it is what was heard."""

from collections import defaultdict
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from dj_contracts.analysis import Energy, KeyCandidate, MeasuredKey, Tempo
from dj_contracts.keys import Key
from essentia_api.measure.model import Heard
from essentia_api.measure.tempo import Rhythm

T = TypeVar("T")
Windows = Sequence[tuple[float, T]]  # the seconds of each, and what was heard in it

_SAME_TEMPO = 0.005
_CANDIDATES = 3


def join_rhythms(windows: Windows[Rhythm]) -> Rhythm:
    if len(windows) == 1:
        return windows[0][1]
    return Rhythm(
        _join_tempi([(seconds, rhythm.tempo) for seconds, rhythm in windows]),
        _join_times([(seconds, rhythm.beats) for seconds, rhythm in windows]),
        _join_times([(seconds, rhythm.downbeats) for seconds, rhythm in windows]),
    )


def _join_tempi(windows: Windows[Tempo]) -> Tempo:
    """The tempo that most of the recording has; it is stable when all of it does."""
    heard = [(seconds, tempo, tempo.bpm) for seconds, tempo in windows if tempo.bpm is not None]
    if not heard:
        return Tempo()

    def support(bpm: float) -> float:
        return sum(
            seconds * tempo.confidence
            for seconds, tempo, other in heard
            if abs(other / bpm - 1) <= _SAME_TEMPO
        )

    most = max((bpm for _, _, bpm in heard), key=support)
    alike = [(seconds, tempo, bpm) for seconds, tempo, bpm in heard if abs(bpm / most - 1) <= _SAME_TEMPO]
    weights = [seconds * tempo.confidence + 1e-9 for seconds, tempo, _ in alike]
    clearest = max((tempo for _, tempo, _ in alike), key=lambda tempo: tempo.confidence)
    return Tempo(
        bpm=round(float(np.average([bpm for *_, bpm in alike], weights=weights)), 2),
        confidence=round(support(most) / _length(windows), 3),
        stable=len(alike) == len(windows) and all(tempo.stable for _, tempo, _ in alike),
        candidates=clearest.candidates,
    )


def _join_times(windows: Windows[list[float]]) -> list[float]:
    """The times of each window behind those of the one before; of two at the seam the first stays."""
    joined: list[float] = []
    start = 0.0
    for seconds, times in windows:
        gap = float(np.median(np.diff(times))) / 2 if len(times) > 1 else 0.0
        last = joined[-1] if joined else -np.inf
        joined += [round(start + time, 4) for time in times if start + time > last + gap]
        start += seconds
    return joined


def join_keys(windows: Windows[MeasuredKey]) -> MeasuredKey:
    """Each window votes for its key with its length and how sure it is."""
    if len(windows) == 1:
        return windows[0][1]
    votes: defaultdict[str, float] = defaultdict(float)
    for seconds, key in windows:
        if key.name is not None:
            votes[key.name] += seconds * key.confidence / _length(windows)
    if not votes:
        return MeasuredKey()
    name, *others = sorted(votes, key=lambda name: -votes[name])
    clearest = max((key for _, key in windows if key.name == name), key=lambda key: key.confidence)
    candidates = [
        KeyCandidate(name=other, camelot=Key.parse(other).camelot, score=round(min(votes[other], 1.0), 3))
        for other in others[:_CANDIDATES]
    ]
    return clearest.model_copy(
        update={
            "confidence": round(min(votes[name], 1.0), 3),
            "candidates": candidates or clearest.candidates,
        }
    )


def join_energies(windows: Windows[Energy]) -> Energy:
    """The mean level; the curve is that of the windows in turn, each beside its own loudest part."""
    if len(windows) == 1:
        return windows[0][1]
    heard = [(seconds, energy) for seconds, energy in windows if energy.level is not None]
    if not heard:
        return Energy()
    level = _mean([(seconds, float(energy.level or 0)) for seconds, energy in heard])
    times: list[float] = []
    values: list[float] = []
    start = 0.0
    for seconds, energy in windows:
        curve = energy.curve or [0.0]
        times += (start + (np.arange(len(curve)) + 0.5) * seconds / len(curve)).tolist()
        values += curve
        start += seconds
    points = max(len(energy.curve) for _, energy in heard)
    moments = (np.arange(points) + 0.5) * start / points
    return Energy(level=round(level), curve=np.interp(moments, times, values).round(3).tolist())


def join_heard(windows: Windows[Heard]) -> Heard:
    if len(windows) == 1:
        return windows[0][1]
    first = windows[0][1]
    answers = {
        name: _mean([(seconds, heard.answers[name]) for seconds, heard in windows]) for name in first.answers
    }
    mounted = {
        name: _mean([(seconds, heard.mounted[name]) for seconds, heard in windows]) for name in first.mounted
    }
    sounds = np.array([heard.embedding.vector for _, heard in windows])
    sound = np.average(sounds, axis=0, weights=[seconds for seconds, _ in windows])
    sound /= np.linalg.norm(sound) or 1.0
    return Heard(answers, first.embedding.model_copy(update={"vector": sound.round(5).tolist()}), mounted)


def _mean(windows: Windows[float]) -> float:
    return sum(seconds * value for seconds, value in windows) / _length(windows)


def _length(windows: Windows[T]) -> float:
    return sum(seconds for seconds, _ in windows)
