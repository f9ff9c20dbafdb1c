"""One suite over each storage: a folder, and a bucket on a server that checks every signature."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from dj_servicekit.errors import NotFound, UpstreamFailed, UpstreamUnavailable
from gateway_api.adapters.audio_folders import AudioFolders
from gateway_api.adapters.audio_storage import AudioStorage, FolderStorage
from gateway_api.adapters.s3_storage import S3Storage, make_client
from gateway_api.testing.fake_s3 import FakeS3, running_s3

CONTENT = bytes(range(256)) * 4000  # several chunks


@pytest.fixture
def s3() -> Iterator[FakeS3]:
    with running_s3(FakeS3()) as s3:
        yield s3


@pytest.fixture
def folders(tmp_path: Path) -> AudioFolders:
    for name in ("audio", "music"):
        (tmp_path / name).mkdir()
    return AudioFolders(tmp_path / "audio", (tmp_path / "music",), 0)


def bucket(s3: FakeS3, folders: AudioFolders, **changes: str) -> S3Storage:
    keys = {"access_key": s3.access_key, "secret_key": s3.secret_key, "region": s3.region} | changes
    return S3Storage(make_client(s3.url, **keys), s3.bucket, "dj/", FolderStorage(folders))


@pytest.fixture(params=["folder", "s3"])
def storage(request: Any, folders: AudioFolders, s3: FakeS3) -> AudioStorage:
    return FolderStorage(folders) if request.param == "folder" else bucket(s3, folders)


def written(tmp_path: Path, content: bytes = CONTENT) -> Path:
    path = tmp_path / "finished"
    path.write_bytes(content)
    return path


async def read(storage: AudioStorage, path: str, start: int = 0, stop: int | None = None) -> bytes:
    file = await storage.open(path)
    try:
        end = file.size if stop is None else stop
        return b"".join([chunk async for chunk in file.chunks(start, end)])
    finally:
        await file.close()


@pytest.mark.parametrize("name", ["ana/uploads/a.mp3", "Ночь/夜 +%20 & 'x' (1).flac"])
async def test_what_is_placed_is_read(storage: AudioStorage, tmp_path: Path, name: str) -> None:
    assert not await storage.has(name)
    source = written(tmp_path)
    await storage.place(source, name)
    assert not source.exists()
    assert await storage.has(name)
    assert await read(storage, name) == CONTENT
    assert await read(storage, name, 300_000, 900_001) == CONTENT[300_000:900_001]
    assert await read(storage, name, 5, 5) == b""
    file = await storage.open(name)
    await file.close()
    assert file.size == len(CONTENT)
    assert file.etag.startswith('"')
    assert file.etag.endswith('"')


async def test_another_content_has_another_tag(storage: AudioStorage, tmp_path: Path) -> None:
    tags = set()
    for content in (b"one", b"other"):
        await storage.place(written(tmp_path, content), "x.mp3")
        file = await storage.open("x.mp3")
        await file.close()
        tags.add(file.etag)
    assert len(tags) == 2


async def test_what_is_removed_is_gone_and_may_be_removed_again(
    storage: AudioStorage, tmp_path: Path
) -> None:
    await storage.place(written(tmp_path), "x.mp3")
    for _ in range(2):
        await storage.remove("x.mp3")
        assert not await storage.has("x.mp3")
        with pytest.raises(NotFound):
            await storage.open("x.mp3")


async def test_music_folders_are_read_in_place(storage: AudioStorage, folders: AudioFolders) -> None:
    path = folders.in_place[0] / "mine.mp3"
    path.write_bytes(b"mine")
    assert await read(storage, str(path)) == b"mine"
    assert await storage.answers()


async def test_a_large_file_goes_up_in_parts(s3: FakeS3, folders: AudioFolders, tmp_path: Path) -> None:
    content = os.urandom(12 * 1024**2)
    storage = bucket(s3, folders)
    await storage.place(written(tmp_path, content), "long.wav")
    assert ("POST", "dj/long.wav", ("uploads",)) in s3.requests
    assert s3.objects["dj/long.wav"].content == content
    assert await read(storage, "long.wav", 5_000_000, 5_000_010) == content[5_000_000:5_000_010]


async def test_an_object_that_is_replaced_while_it_is_read_is_not_mixed(
    s3: FakeS3, folders: AudioFolders
) -> None:
    storage = bucket(s3, folders)
    s3.put("dj/x.mp3", b"old")
    file = await storage.open("x.mp3")
    s3.put("dj/x.mp3", b"new")
    with pytest.raises(UpstreamFailed, match="PreconditionFailed"):
        _ = [chunk async for chunk in file.chunks(0, 3)]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"secret_key": "wrong"}, "SignatureDoesNotMatch"),
        ({"access_key": "nobody"}, "InvalidAccessKeyId"),
        ({"region": "mars-1"}, "AuthorizationHeaderMalformed"),
    ],
)
async def test_wrong_keys_are_told_apart_from_missing_files(
    s3: FakeS3, folders: AudioFolders, tmp_path: Path, changes: dict[str, str], reason: str
) -> None:
    storage = bucket(s3, folders, **changes)
    with pytest.raises(UpstreamFailed, match=reason):
        await storage.place(written(tmp_path), "x.mp3")
    assert (tmp_path / "finished").exists()
    assert not await storage.answers()


async def test_a_storage_that_is_away_is_said_to_be_away(folders: AudioFolders) -> None:
    with running_s3(FakeS3()) as gone:
        storage = bucket(gone, folders)
    with pytest.raises(UpstreamUnavailable):
        await storage.open("x.mp3")
    assert not await storage.answers()


async def test_the_stand_in_refuses_what_is_not_signed(s3: FakeS3) -> None:
    async with httpx.AsyncClient() as http:
        answer = await http.get(f"{s3.url}/music/x")
    assert (answer.status_code, b"AccessDenied" in answer.content) == (403, True)


@pytest.fixture
def s3_settings(s3: FakeS3, make_settings: Callable[..., Any]) -> Any:
    return make_settings(
        s3_url=s3.url,
        s3_bucket=s3.bucket,
        s3_access_key=s3.access_key,
        s3_secret_key=SecretStr(s3.secret_key),
    )


async def test_a_claim_while_the_bucket_is_away_leaves_the_job_waiting(
    s3_settings: Any, running_gateway: Callable[..., Any]
) -> None:
    settings = s3_settings
    async with running_gateway(settings) as gateway:
        await gateway.http.put("/api/upload/Ana - Sun.mp3", content=CONTENT)
    with running_s3(FakeS3()) as gone:
        settings = settings.model_copy(update={"s3_url": gone.url})
    async with running_gateway(settings) as gateway:
        job = (await gateway.get("/api/jobs"))["jobs"][0]
        assert (await gateway.worker.post(f"/internal/jobs/{job['id']}/claim")).status_code == 503
        assert (await gateway.get("/api/jobs"))["jobs"][0]["state"] == "waiting"


async def test_the_gateway_keeps_uploads_in_the_bucket_and_streams_them(
    s3: FakeS3, s3_settings: Any, running_gateway: Callable[..., Any]
) -> None:
    settings = s3_settings
    async with running_gateway(settings) as gateway:
        track = (await gateway.http.put("/api/upload/Ana - Sun.mp3", content=CONTENT)).json()
        assert [stored.content for stored in s3.objects.values()] == [CONTENT]
        assert not list(settings.audio_dir.rglob("*.mp3"))
        path = f"/api/tracks/{track['track_id']}/audio"
        assert (await gateway.http.get(path)).content == CONTENT
        part = await gateway.http.get(path, headers={"Range": "bytes=-5"})
        assert (part.status_code, part.content) == (206, CONTENT[-5:])
        many = await gateway.http.get(path, headers={"Range": "bytes=0-1,9-9"})
        assert many.headers["content-type"].startswith("multipart/byteranges")
        again = await gateway.http.get(path, headers={"If-None-Match": part.headers["etag"]})
        assert again.status_code == 304
        job = (await gateway.get("/api/jobs"))["jobs"][0]
        claim = (await gateway.worker.post(f"/internal/jobs/{job['id']}/claim")).json()
        # The analysis service cannot see the bucket: it is given our own URL, and gets the same bytes.
        url = claim["payload"]["audio_path"]
        assert url.startswith(f"{settings.gateway_url}/api/audio?")
        assert (await gateway.http.get(url.removeprefix(settings.gateway_url))).content == CONTENT
        # So can the worker, with the service token, for the lengths and covers of such files.
        asked = {"username": "dj", "filename": track["local_audio_url"]}
        assert (await gateway.worker.get("/internal/audio", params=asked)).content == CONTENT
        assert (await gateway.http.get("/internal/audio", params=asked)).status_code == 401
        others = await gateway.worker.get("/internal/audio", params=asked | {"filename": "/etc/passwd"})
        assert others.status_code == 404
        made = (await gateway.http.post("/api/backup", params={"wait": True})).json()
        manifest = await gateway.get(f"/api/backups/{made['name']}/manifest")
        assert manifest["audio"] | {"sha256": ""} == {
            "files": 1,
            "bytes": len(CONTENT),
            "missing": 0,
            "without_checksum": 0,
            "sha256": "",
        }
        assert (await gateway.get("/ready"))["checks"]["storage"] is True
