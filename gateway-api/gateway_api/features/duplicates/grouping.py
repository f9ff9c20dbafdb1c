"""Which tracks of one artist and title are one recording, and which of them to keep."""

from collections.abc import Sequence

from gateway_api.features.tracks.models import TrackRow

# Two rips of one record differ by the silence around it; a radio edit by far more.
_SAME_SECONDS = 3.0


def split_by_duration(tracks: Sequence[TrackRow]) -> list[list[TrackRow]]:
    """Groups of two or more whose durations lie next to each other. A track without a duration goes with
    the first group, for it may be any of them; without any durations, all are one group."""
    known = sorted((t for t in tracks if t.duration_seconds), key=lambda t: t.duration_seconds or 0)
    groups: list[list[TrackRow]] = []
    for track in known:
        last = groups[-1][-1].duration_seconds if groups else None
        if last is not None and (track.duration_seconds or 0) - last <= _SAME_SECONDS:
            groups[-1].append(track)
        else:
            groups.append([track])
    unknown = [t for t in tracks if not t.duration_seconds]
    if groups:
        groups[0] += unknown
    else:
        groups = [unknown]
    return [best_first(group) for group in groups if len(group) > 1]


def why(group: Sequence[TrackRow]) -> str:
    lengths = [t.duration_seconds for t in group if t.duration_seconds]
    if len(lengths) < len(group):
        return "The same artist and title; the duration of at least one is not known."
    return f"The same artist and title, durations within {max(lengths) - min(lengths):.1f} s."


def best_first(group: Sequence[TrackRow]) -> list[TrackRow]:
    return sorted(group, key=_worth, reverse=True)


def _worth(track: TrackRow) -> tuple[bool, int, int, bool, float]:
    """What a DJ would miss most comes first."""
    return (
        track.audio_path is not None,
        len(track.corrected),
        track.star_rating or 0,
        track.analyzed_at is not None,
        -track.created_at.timestamp(),
    )
