"""``Idempotency-Key`` on creating requests: a check that knows keys, a middleware that keeps answers.

A key is claimed before the work and its answer kept after it. A request that failed changed nothing,
so its key is free again. One that a crash cut off stays claimed: whether it was done is not known,
and doing it again is what the key is there to prevent.
"""

import hashlib

from fastapi import Request, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dj_servicekit.errors import Conflict, Malformed, UpstreamUnavailable
from dj_servicekit.logs import log
from gateway_api.db import transaction
from gateway_api.features.idempotency import store
from gateway_api.services import Services

HEADER = "Idempotency-Key"
_LONGEST_KEY = 200
_LARGEST_ANSWER = 4 * 1024**2
_STATE = "idempotency_key"
_KEPT_HEADERS = ("content-type", "location", "etag")


class AnsweredBefore(Exception):
    """Ends a request with the answer that it had the first time."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


async def answer_again(_request: Request, exc: Exception) -> Response:
    assert isinstance(exc, AnsweredBefore)  # noqa: S101 - registered for this class alone
    return exc.response


async def once(request: Request) -> None:
    """For routers behind the check of who may ask, so that nobody reads another's answer."""
    given = request.headers.get(HEADER)
    if given is None or request.method != "POST":
        return
    if not 1 <= len(given) <= _LONGEST_KEY:
        raise Malformed(f"{HEADER} has 1 to {_LONGEST_KEY} characters.")
    if not request.headers.get("content-type", "application/json").startswith("application/json"):
        return  # the same file again is the same track without a key
    key = _hash(request.url.path, request.url.query, given)
    request_hash = _hash(hashlib.sha256(await request.body()).hexdigest())
    services: Services = request.app.state.services  # which a dependency would look up for every reading too
    async with transaction(services.db) as conn:
        is_new = await store.claim_key(conn, key, request_hash)
        known = None if is_new else await store.find_key(conn, key)
    if is_new:
        setattr(request.state, _STATE, key)
        return
    if known is not None and known.request_hash != request_hash:
        raise Malformed(f"This {HEADER} was used for another request. Make a new one for each.")
    if known is None or known.status is None:
        raise Conflict(
            f"A request with this {HEADER} is being worked on, or was cut off. Ask again in a moment; if the "
            "answer stays this, look whether it was done, and make a new key if not.",
            headers={"Retry-After": "2"},
        )
    if known.body is None:
        raise Conflict(
            f"A request with this {HEADER} was done; its answer was too large to keep. Read what it made.",
            headers={name: value for name, value in (known.headers or {}).items() if name == "location"},
        )
    headers = {**(known.headers or {}), "Idempotent-Replayed": "true"}
    raise AnsweredBefore(Response(bytes(known.body), known.status, headers))


class KeepAnswers:
    """Stores the answer of a request whose key was claimed, before the client sees it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        start: Message = {}
        body = bytearray()

        async def send_when_kept(message: Message) -> None:
            nonlocal start
            key = scope.get("state", {}).get(_STATE)
            if key is None:
                await send(message)
                return
            if message["type"] == "http.response.start":
                start = message
                return
            body.extend(message.get("body", b""))
            if message.get("more_body"):
                return
            await _keep(scope["app"].state.services, key, start, bytes(body))
            await send(start)
            await send({"type": "http.response.body", "body": bytes(body)})

        try:
            await self.app(scope, receive, send_when_kept)
        except Exception:
            if key := scope.get("state", {}).get(_STATE):
                await _forget(scope["app"].state.services, key)
            raise


async def _keep(services: Services, key: str, start: Message, body: bytes) -> None:
    if not 200 <= start["status"] < 300:
        await _forget(services, key)
        return
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in start["headers"]}
    kept = {name: headers[name] for name in _KEPT_HEADERS if name in headers}
    try:
        async with transaction(services.db) as conn:
            # Of an answer that is too large it is kept that there was one.
            await store.save_answer(
                conn, key, start["status"], kept, body if len(body) <= _LARGEST_ANSWER else None
            )
    except UpstreamUnavailable as exc:
        # The work is done and committed: its answer matters more than that it can be given again.
        log.warning("answer_not_kept", reason=exc.detail)


async def _forget(services: Services, key: str) -> None:
    try:
        async with transaction(services.db) as conn:
            await store.forget_key(conn, key)
    except UpstreamUnavailable as exc:
        log.warning("idempotency_key_not_freed", reason=exc.detail)


def _hash(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogateescape")).hexdigest()
