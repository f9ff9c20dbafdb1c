"""Audio in a bucket that speaks S3: MinIO, Garage, Ceph, a cloud.

What is uploaded goes into the bucket. What lies in the folders stays where it is and is read there, so
music folders and the worker's downloads work as before. The client is synchronous and runs in threads.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import TypeVar

import urllib3
from minio import Minio
from minio.error import MinioException, S3Error
from urllib3.exceptions import HTTPError

from dj_contracts.errors import ErrorCode
from dj_servicekit.errors import NotFound, UpstreamFailed, UpstreamUnavailable
from gateway_api.adapters.audio_storage import CHUNK, Content, FolderStorage

_CONNECT_SECONDS, _READ_SECONDS = 3, 30
_CONNECTIONS = 32
_MISSING = ("NoSuchKey", "NoSuchObject", "NotFound")
# The client's own errors, those of its HTTP library, and what it makes of an answer that is no S3.
_FAILURES = (MinioException, HTTPError, OSError, ValueError)

Answer = TypeVar("Answer")


def make_client(url: str, access_key: str, secret_key: str, region: str) -> Minio:
    parts = urllib3.util.parse_url(url)
    return Minio(
        parts.netloc or "",
        access_key=access_key,
        secret_key=secret_key,
        region=region,
        secure=parts.scheme == "https",
        http_client=urllib3.PoolManager(
            maxsize=_CONNECTIONS,
            timeout=urllib3.Timeout(connect=_CONNECT_SECONDS, read=_READ_SECONDS),
            retries=urllib3.Retry(total=2, backoff_factor=0.2, status_forcelist=(502, 503, 504)),
        ),
    )


class S3Object:
    def __init__(
        self, client: Minio, bucket: str, key: str, *, size: int, etag: str, modified: datetime
    ) -> None:
        self._client, self._bucket, self._key = client, bucket, key
        self.size = size
        self.etag = f'"{etag}"'
        self.modified = modified

    def span(self, start: int, stop: int) -> None:
        """It is no part of a local file."""

    async def chunks(self, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        if start >= stop:
            return
        # An object that was replaced since it was looked up is refused, rather than mixed with its old self.
        answer = await _call(
            lambda: self._client.get_object(
                self._bucket,
                self._key,
                offset=start,
                length=stop - start,
                request_headers={"If-Match": self.etag},
            )
        )
        try:
            while chunk := await _call(lambda: answer.read(CHUNK)):
                yield chunk
        finally:
            await asyncio.to_thread(answer.close)
            answer.release_conn()

    async def close(self) -> None:
        """Nothing is held between two reads."""


class S3Storage:
    def __init__(self, client: Minio, bucket: str, prefix: str, folders: FolderStorage) -> None:
        self._client, self._bucket, self._prefix = client, bucket, prefix
        self._folders = folders

    async def open(self, audio_path: str) -> Content:
        found = await self._find(audio_path)
        return found if found is not None else await self._folders.open(audio_path)

    async def has(self, audio_path: str) -> bool:
        return await self._find(audio_path) is not None

    async def place(self, source: Path, audio_path: str) -> None:
        # A large file goes up in parts, and is there only when the last has been confirmed.
        await _call(
            lambda: self._client.fput_object(self._bucket, self._key(audio_path), str(source), part_size=0)
        )
        await asyncio.to_thread(source.unlink)

    async def remove(self, audio_path: str) -> None:
        await _call(lambda: self._client.remove_object(self._bucket, self._key(audio_path)))
        await self._folders.remove(audio_path)

    async def is_remote(self, audio_path: str) -> bool:
        return await self.has(audio_path)

    async def answers(self) -> bool:
        try:
            return await _call(lambda: self._client.bucket_exists(self._bucket))
        except (UpstreamFailed, UpstreamUnavailable):
            return False

    async def _find(self, audio_path: str) -> S3Object | None:
        path = PurePath(audio_path)
        if path.is_absolute() or ".." in path.parts:
            return None  # a music folder's file, or nobody's
        key = self._key(audio_path)
        try:
            status = await _call(lambda: self._client.stat_object(self._bucket, key))
        except NotFound:
            return None
        return S3Object(
            self._client,
            self._bucket,
            key,
            size=status.size or 0,
            etag=status.etag or "",
            modified=status.last_modified or datetime.now(UTC),
        )

    def _key(self, audio_path: str) -> str:
        return f"{self._prefix}{audio_path}"


async def _call(ask: Callable[[], Answer]) -> Answer:
    try:
        return await asyncio.to_thread(ask)
    except S3Error as exc:
        if exc.code in _MISSING:
            raise NotFound("The storage has no such file.", code=ErrorCode.FILE_MISSING) from exc
        raise UpstreamFailed(f"The audio storage refused: {exc.code}. Check the S3_ settings.") from exc
    except _FAILURES as exc:
        raise UpstreamUnavailable(
            "The audio storage does not answer. Try again in a moment.", headers={"Retry-After": "5"}
        ) from exc
