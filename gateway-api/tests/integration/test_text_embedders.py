"""One suite over both ways to turn text into vectors: the local model, and a service in OpenAI's form."""

import hashlib
import json
import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from gateway_api.adapters.embeddings.local import LocalEmbedder
from gateway_api.adapters.embeddings.openai_form import OpenAIEmbedder
from gateway_api.embedding_port import EmbeddingsAway, TextEmbedder, TextRefused

DIMENSIONS = 64


class _Service(BaseHTTPRequestHandler):
    """/v1/embeddings as it is documented: a bag of hashed words, so that shared words are nearness."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path != "/v1/embeddings" or not self.headers["Authorization"].startswith("Bearer "):
            return self._answer(404, {"error": {"message": "not here"}})
        if asked["model"] == "busy":
            return self._answer(429, {"error": {"message": "slow down"}}, {"Retry-After": "0"})
        if asked["model"] == "odd":
            return self._answer(200, {"embeddings": [[1.0]]})
        if any(text == "" or "refuse me" in text for text in asked["input"]):
            return self._answer(400, {"error": {"message": "input is not accepted"}})
        data = [
            {"object": "embedding", "index": place, "embedding": _hashed(text, asked.get("dimensions"))}
            for place, text in enumerate(asked["input"])
        ]
        # A service may answer in any order: the index says which is which.
        body = {"object": "list", "data": data[::-1], "model": asked["model"], "usage": {}}
        return self._answer(200, body)

    def _answer(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_: object) -> None:
        """Nothing: the test's output is the test's."""


def _hashed(text: str, dimensions: int | None) -> list[float]:
    vector = [0.0] * (dimensions or DIMENSIONS)
    for word in text.lower().split():
        vector[int(hashlib.sha256(word.encode()).hexdigest(), 16) % len(vector)] += 2.0
    return vector


@contextmanager
def _serving() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Service) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/v1"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def service_url() -> Iterator[str]:
    with _serving() as url:
        yield url


@pytest.fixture(params=["local", "service"])
async def embedder(request: pytest.FixtureRequest) -> Any:
    if request.param == "local":
        yield LocalEmbedder()
        return
    with _serving() as url:
        made = OpenAIEmbedder(url, None, "hashed", DIMENSIONS, 0.25)
        yield made
        await made.close()


def _cosine(one: list[float] | None, other: list[float] | None) -> float:
    assert one is not None
    assert other is not None
    return sum(a * b for a, b in zip(one, other, strict=True))


async def test_each_text_has_a_vector_of_length_one_in_its_place(embedder: TextEmbedder) -> None:
    texts = ["warm deep house", "dark techno", "warm deep house"]
    vectors = await embedder.embed(texts)
    assert len(vectors) == 3
    assert vectors[0] == pytest.approx(vectors[2])
    assert vectors[0] != vectors[1]
    assert all(math.isclose(_cosine(v, v), 1, abs_tol=1e-5) for v in vectors)


async def test_shared_words_are_nearer_than_none(embedder: TextEmbedder) -> None:
    asked, near, far = await embedder.embed(
        ["deep house at sunrise", "warm deep house", "angry guitars and drums"]
    )
    assert _cosine(asked, near) > max(_cosine(asked, far), embedder.floor)


async def test_an_empty_text_has_no_vector(embedder: TextEmbedder) -> None:
    vectors = await embedder.embed(["", "house"])
    assert vectors[0] is None
    assert vectors[1] is not None


async def test_no_texts_are_no_vectors(embedder: TextEmbedder) -> None:
    assert await embedder.embed([]) == []


async def test_any_language_and_any_length_is_taken(embedder: TextEmbedder) -> None:
    vectors = await embedder.embed(["Ночь в Тбилиси", "夜に駆ける", "🎛️🔥", "x " * 5000])
    assert len({len(v) for v in vectors if v is not None}) == 1


async def test_the_local_model_gives_the_numbers_that_its_own_package_gives() -> None:
    (vector,) = await LocalEmbedder().embed(["warm deep house for sunrise, Ночь в Тбилиси 🎛️"])
    assert vector is not None
    assert len(vector) == 256
    # Of WordLlama.load().embed(...), at length one.
    assert vector[:4] == pytest.approx([-0.004741, 0.087387, -0.053124, -0.021794], abs=1e-6)


async def test_a_service_that_answers_in_another_form_is_away(service_url: str) -> None:
    odd = OpenAIEmbedder(service_url, "key", "odd", None, 0.25)
    with pytest.raises(EmbeddingsAway, match="another form"):
        await odd.embed(["x"])
    await odd.close()


async def test_a_service_that_has_had_enough_is_away(service_url: str) -> None:
    busy = OpenAIEmbedder(service_url, "key", "busy", None, 0.25)
    with pytest.raises(EmbeddingsAway, match="429"):
        await busy.embed(["x"])
    await busy.close()


async def test_a_service_that_is_not_there_is_away(service_url: str) -> None:
    lost = OpenAIEmbedder("http://127.0.0.1:1/v1", "key", "hashed", None, 0.25)
    with pytest.raises(EmbeddingsAway, match="does not answer"):
        await lost.embed(["x"])
    await lost.close()


async def test_a_text_that_is_refused_is_told_apart(service_url: str) -> None:
    refusing = OpenAIEmbedder(service_url, "key", "hashed", None, 0.25)
    with pytest.raises(TextRefused, match="not accepted"):
        await refusing.embed(["refuse me"])
    await refusing.close()


async def _embedded(gateway: Any) -> bool:
    return bool((await gateway.get("/api/search/semantic", q="anything"))["complete"])


async def test_a_refused_text_does_not_hold_up_the_others(
    service_url: str,
    make_settings: Callable[..., Any],
    running_gateway: Callable[..., Any],
    eventually: Callable[..., Any],
) -> None:
    settings = make_settings(embeddings="openai", embeddings_base_url=service_url, embeddings_dimensions=32)
    async with running_gateway(settings) as gateway:
        for title in ("one", "refuse me", "three"):
            await gateway.add_track(title=title)
        await eventually(lambda: _embedded(gateway))
        found = await gateway.get("/api/search/semantic", q="three")
        assert [hit["track"]["title"] for hit in found["hits"]] == ["three"]
        assert found["model"] == "text-embedding-3-small/32"


async def test_another_model_embeds_everything_anew_and_never_mixes(
    service_url: str,
    make_settings: Callable[..., Any],
    running_gateway: Callable[..., Any],
    eventually: Callable[..., Any],
) -> None:
    async with running_gateway(make_settings()) as gateway:
        await gateway.add_track(title="Sunrise", genres=["Deep House"])
        await eventually(lambda: _embedded(gateway))
        local = await gateway.get("/api/search/semantic", q="deep house")
        assert local["hits"]
    settings = make_settings(embeddings="openai", embeddings_base_url=service_url, embeddings_model="other")
    async with running_gateway(settings) as gateway:
        await eventually(lambda: _embedded(gateway))
        other = await gateway.get("/api/search/semantic", q="sunrise deep house.")
        assert (other["model"], len(other["hits"])) == ("other", 1)
        assert other["hits"][0]["similarity"] != local["hits"][0]["similarity"]


async def test_a_service_that_is_away_is_said_and_nothing_else_suffers(
    make_settings: Callable[..., Any], running_gateway: Callable[..., Any]
) -> None:
    settings = make_settings(embeddings="openai", embeddings_base_url="http://127.0.0.1:1/v1")
    async with running_gateway(settings) as gateway:
        await gateway.add_track()
        answer = await gateway.http.get("/api/search/semantic", params={"q": "house"})
        assert (answer.status_code, answer.json()["code"]) == (503, "upstream_unavailable")
        assert answer.headers["Retry-After"]


async def test_turned_off_it_says_how_to_turn_it_on(
    make_settings: Callable[..., Any], running_gateway: Callable[..., Any]
) -> None:
    async with running_gateway(make_settings(embeddings="off")) as gateway:
        answer = await gateway.http.get("/api/search/semantic", params={"q": "house"})
        assert answer.status_code == 503
        assert "EMBEDDINGS" in answer.json()["detail"]
