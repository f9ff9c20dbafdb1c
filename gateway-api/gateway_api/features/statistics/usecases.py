"""Counts a collection, or the part of it that passes the filters."""

from dj_contracts.keys import Key, Mode
from gateway_api.db import Pool, reading
from gateway_api.features.statistics import store
from gateway_api.features.statistics.models import KeyCount, Statistics
from gateway_api.features.tracks.filters import TrackFilter


async def read_statistics(db: Pool, username: str, filters: TrackFilter) -> Statistics:
    async with reading(db) as conn:
        found = await store.read_statistics(conn, username, filters)
    wheel = [Key.on_wheel(number, mode) for number in range(1, 13) for mode in (Mode.MINOR, Mode.MAJOR)]
    keys = [KeyCount(key=k.name, camelot=k.camelot, tracks=found["keys"].get(k.name, 0)) for k in wheel]
    return Statistics.model_validate(dict(found) | {"keys": keys})
