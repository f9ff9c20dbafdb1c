"""Build sets: the gateway fills in what it knows, ga-service decides the order."""

from typing import Any

from dj_contracts.sets import OrderResult, SetMode
from dj_servicekit.errors import NotFound
from gateway_api.adapters.ga_client import GAClient
from gateway_api.db import Pool, transaction
from gateway_api.features.sets.models import BuiltSet, InvalidTrack, SetRequest
from gateway_api.features.tracks import store as tracks_store
from gateway_api.features.tracks.models import TrackRow

_SENT = ("track_id", "title", "artist", "album", "bpm", "key", "energy", "danceability", "duration_seconds")


async def build_set(
    username: str, request: SetRequest, *, db: Pool, ga: GAClient, request_id: str
) -> BuiltSet:
    wanted = list(dict.fromkeys(request.track_ids))
    async with transaction(db) as conn:
        rows = {row.track_id: row for row in await tracks_store.list_by_id(conn, username, wanted)}
    if missing := [track_id for track_id in wanted if track_id not in rows]:
        raise NotFound(f"Not in this collection: {', '.join(missing[:10])}.")
    ordered = await ga.order(
        [_as_set_track(rows[track_id]) for track_id in wanted],
        mode=request.mode,
        seed=request.seed,
        request_id=request_id,
    )
    return BuiltSet(
        tracks=[rows[str(track["track_id"])].to_track() for track in ordered.result],
        **ordered.model_dump(include=set(BuiltSet.model_fields) - {"tracks"}),
    )


async def order_playlist(
    playlist: list[dict[str, Any]], *, mode: SetMode, seed: int, ga: GAClient, request_id: str
) -> OrderResult:
    return await ga.order(playlist, mode=mode, seed=seed, request_id=request_id)


def find_unusable(playlist: list[dict[str, Any]]) -> list[InvalidTrack]:
    """Objects that cannot stand in a playlist: without an id there is nothing to put in order."""
    return [
        InvalidTrack(track_id=None, reason=f"Number {place} has no track_id.")
        for place, track in enumerate(playlist, start=1)
        if track.get("track_id") in (None, "")
    ]


def _as_set_track(row: TrackRow) -> dict[str, Any]:
    values = row._asdict()
    return {name: values[name] for name in _SENT if values[name] is not None}
