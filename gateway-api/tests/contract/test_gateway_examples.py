"""The gateway speaks the examples: it takes the worker's messages and answers in the shapes shown."""

from typing import Any

from dj_contracts.examples import read_example


async def test_it_answers_tracks_and_searches_in_the_examples_shape(gateway: Any) -> None:
    example = read_example("track")
    fields = {
        name: example[name]
        for name in (
            "track_id",
            "title",
            "artist",
            "album",
            "year",
            "genres",
            "styles",
            "position",
            "release_id",
        )
    }
    track = await gateway.add_track(**fields, key=example["key"], star_rating=example["star_rating"])
    assert set(track) == set(example)
    assert {name: track[name] for name in fields} == fields
    hits = await gateway.get("/api/tracks/search", q="strings lfe")
    assert set(hits) == set(read_example("search-hits"))
    assert hits["hits"][0]["track_id"] == example["track_id"]


async def test_it_takes_the_workers_messages(gateway: Any) -> None:
    await gateway.http.post("/api/upload", files={"file": ("a.mp3", b"\0audio")})
    job = (await gateway.get("/api/jobs"))["jobs"][0]
    assert set(job) == set(read_example("job"))
    path = f"/internal/jobs/{job['id']}"
    claim = (await gateway.worker.post(f"{path}/claim")).json()
    assert set(claim) == set(read_example("job-claim-analyze"))
    assert set(claim["payload"]) == set(read_example("job-claim-analyze")["payload"])
    pulse = await gateway.worker.post(f"{path}/progress", json=read_example("job-progress"))
    assert pulse.json() == read_example("job-pulse")
    done = await gateway.worker.post(f"{path}/complete", json=read_example("job-completion-analyze"))
    assert done.status_code == 204
    track = await gateway.get(f"/api/tracks/{job['track_id']}")
    expected = read_example("track")
    assert [track[name] for name in ("bpm", "key", "energy")] == [
        expected[name] for name in ("bpm", "key", "energy")
    ]


async def test_it_takes_a_download_and_a_failure(gateway: Any) -> None:
    await gateway.add_track(track_id="12345-A1")
    for message, what in (("job-failure", "fail"), ("job-completion-download", "complete")):
        url = read_example("job-claim-download")["payload"]
        job = (await gateway.http.post("/api/tracks/12345-A1/download", json={"url": url["url"]})).json()
        claim = (await gateway.worker.post(f"/internal/jobs/{job['id']}/claim")).json()
        assert claim["payload"] == url
        body = read_example(message) | {"attempt": claim["attempt"]}
        answer = await gateway.worker.post(f"/internal/jobs/{job['id']}/{what}", json=body)
        assert answer.status_code == 204


async def test_it_takes_a_push(gateway: Any) -> None:
    await gateway.http.post("/api/friends", json={"username": "ana"})
    ana = (await gateway.get("/api/friends"))["results"][-1]
    push = read_example("push-registration") | {"friend_id": str(ana["id"])}
    answer = await gateway.worker.post("/internal/pushes", json=push)
    assert answer.json() == read_example("push-state")


async def test_its_errors_have_the_one_body(gateway: Any) -> None:
    answer = await gateway.http.get("/api/tracks/nothing")
    assert set(answer.json()) == {*read_example("error"), "error"}
