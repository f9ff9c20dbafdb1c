"""What an edit by a person does to a track: fields are set, and measured ones become corrections."""

from dj_contracts.tracks import TrackFields
from dj_servicekit.errors import Malformed
from gateway_api.db import Connection
from gateway_api.features.tracks import store
from gateway_api.features.tracks.models import MEASURED

_NEVER_NULL = ("artist", "album", "genres", "styles", "local_tags")


def require_sense(patch: TrackFields) -> None:
    fields = patch.model_dump(exclude_unset=True)
    if fields.get("title", True) in (None, ""):
        raise Malformed("A track needs a title: leave it out to keep the one it has.")
    for name in _NEVER_NULL:
        if name in fields and fields[name] is None:
            raise Malformed(f"{name} cannot be null: leave it out, or set it to an empty value.")


async def apply(conn: Connection, username: str, track_id: str, patch: TrackFields) -> None:
    """Set what the patch names, on a track that is locked. A measured field that is set wins over every
    analysis to come; set to null, it goes back to what was measured."""
    fields = patch.model_dump(exclude_unset=True)
    if not fields:
        return
    corrections = {name: fields[name] for name in MEASURED if name in fields}
    if any(value is None for value in corrections.values()):
        measured = await store.find_analysis(conn, username, track_id)
        fallback = store.measured_values(measured) if measured else {}
        fields |= {name: fallback.get(name) for name, value in corrections.items() if value is None}
    await store.update_track(conn, username, track_id, fields)
    await store.save_corrections(conn, username, track_id, corrections)
