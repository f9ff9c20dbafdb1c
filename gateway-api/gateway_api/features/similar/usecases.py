"""Finds tracks by sound and by meaning, and what to play with a track."""

from collections.abc import Sequence

from dj_servicekit.errors import Conflict, UpstreamUnavailable
from gateway_api.db import Connection, Pool, reading
from gateway_api.embedding_port import EmbeddingsAway, TextEmbedder, TextRefused
from gateway_api.features.embeddings.models import Kind
from gateway_api.features.similar import blend, store
from gateway_api.features.similar.models import (
    Candidate,
    Parts,
    Recommendation,
    Recommendations,
    SemanticHits,
    SimilarTrack,
    SimilarTracks,
    Weights,
)
from gateway_api.features.tracks import store as tracks_store
from gateway_api.features.tracks.filters import TrackFilter
from gateway_api.features.tracks.models import TrackRow
from gateway_api.features.tracks.usecases import track_not_found

_CANDIDATES = 150
_TEMPO_SHARE = 0.06


async def list_similar(
    db: Pool, username: str, track_id: str, kind: Kind, filters: TrackFilter, *, limit: int
) -> SimilarTracks:
    async with reading(db) as conn:
        if (probe := await store.find_probe(conn, username, track_id, kind)) is None:
            await _get(conn, username, track_id)
            raise Conflict(_NOT_YET[kind])
        near = await store.list_near(conn, username, probe, filters, limit=limit, besides=track_id)
    return SimilarTracks(track_id=track_id, model=probe.space.model, hits=_hits(near))


async def search_by_meaning(
    db: Pool, embedder: TextEmbedder | None, username: str, text: str, filters: TrackFilter, *, limit: int
) -> SemanticHits:
    if embedder is None:
        raise UpstreamUnavailable("Search by meaning is off. Set EMBEDDINGS to local or openai.")
    try:
        (vector,) = await embedder.embed([text])
    except EmbeddingsAway as exc:
        raise UpstreamUnavailable(f"{exc} Try again in a moment.", headers={"Retry-After": "15"}) from exc
    except TextRefused:
        vector = None
    async with reading(db) as conn:
        hits: list[SimilarTrack] = []
        if vector is not None:
            probe = store.probe_of(embedder.model, vector)
            near = await store.list_near(conn, username, probe, filters, limit=limit)
            hits = _hits([one for one in near if one[1] >= embedder.floor])
        complete = not await store.has_due_texts(conn, username)
    return SemanticHits(
        query=text,
        model=embedder.model,
        floor=embedder.floor,
        hits=hits,
        detail=_explain(hits=bool(hits), understood=vector is not None, complete=complete),
        complete=complete,
    )


async def recommend(
    db: Pool, username: str, track_id: str, filters: TrackFilter, weights: Weights, *, limit: int
) -> Recommendations:
    """What goes with a track: the nearest by sound, by text and by tempo, judged by all four together."""
    async with reading(db) as conn:
        track = await _get(conn, username, track_id)
        found: set[tuple[str, str]] = set()
        for kind in Kind:
            if (probe := await store.find_probe(conn, username, track_id, kind)) is not None:
                found |= set(
                    await store.list_near_keys(
                        conn, username, probe, filters, limit=_CANDIDATES, besides=track_id
                    )
                )
        if track.bpm is not None:
            found |= set(
                await store.list_near_in_tempo(
                    conn, username, track.bpm, filters, share=_TEMPO_SHARE, limit=_CANDIDATES
                )
            )
        candidates = await store.list_candidates(
            conn, username, track_id, sorted(found - {(username, track_id)})
        )
        parts = {(one.username, one.track_id): _parts(track, one) for one in candidates}
        scores = {one: blend.score(known, weights) for one, known in parts.items()}
        best = sorted(scores, key=lambda one: (-scores[one], one))[:limit]
        rows = await _tracks(conn, best)
    return Recommendations(
        track_id=track_id,
        weights=weights,
        hits=[
            Recommendation(
                track=rows[one].to_track(),
                score=round(scores[one], 4),
                parts=parts[one],
                reason=blend.reason(parts[one]),
            )
            for one in best
            if one in rows
        ],
    )


_NOT_YET = {
    Kind.AUDIO: "How this track sounds has not been measured. Analyse it: POST /api/tracks/ID/analyze.",
    Kind.TEXT: "What is written about this track says nothing to the model, or it has not come to it yet.",
}


def _parts(track: TrackRow, other: Candidate) -> Parts:
    def share(similarity: float | None) -> float | None:
        return None if similarity is None else round(min(1.0, max(0.0, similarity)), 4)

    return Parts(
        sound=share(other.sound),
        text=share(other.text),
        tempo=share(blend.tempo_closeness(track.bpm, other.bpm)),
        key=share(blend.key_closeness(track.key, other.key)),
    )


def _explain(*, hits: bool, understood: bool, complete: bool) -> str | None:
    if not complete:
        return "Some tracks are still being read: ask again in a moment for those."
    if not understood:
        return "No semantic match: the model knows none of these words."
    return None if hits else "No semantic match: nothing comes near it. Try other words, or fewer filters."


def _hits(near: Sequence[tuple[TrackRow, float]]) -> list[SimilarTrack]:
    return [SimilarTrack(track=row.to_track(), similarity=round(similarity, 4)) for row, similarity in near]


async def _tracks(conn: Connection, wanted: list[tuple[str, str]]) -> dict[tuple[str, str], TrackRow]:
    """The tracks of these owners and ids, whichever collections they are in."""
    found: dict[tuple[str, str], TrackRow] = {}
    for username in dict.fromkeys(owner for owner, _ in wanted):
        ids = [track_id for owner, track_id in wanted if owner == username]
        rows = await tracks_store.list_by_id(conn, username, ids)
        found |= {(row.username, row.track_id): row for row in rows}
    return found


async def _get(conn: Connection, username: str, track_id: str) -> TrackRow:
    if (row := await tracks_store.find_track(conn, username, track_id)) is None:
        raise track_not_found(track_id)
    return row
