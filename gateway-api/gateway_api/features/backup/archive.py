"""The file: a ZIP of ``tables/NAME.copy`` (Postgres' COPY text), ``audio.jsonl`` and ``manifest.json``.

COPY text reads the same in every version of Postgres, so no ``pg_dump`` of the right version is needed,
and a person can read a backup without this program. The manifest comes last and holds a checksum of
every other member: a file without it, or with another content, is not a backup.
"""

import hashlib
import json
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from pydantic import ValidationError

from dj_servicekit.errors import Malformed
from gateway_api.features.backup.models import AudioFile, Manifest

AUDIO = "audio.jsonl"
_MANIFEST = "manifest.json"
_CHUNK = 1024**2
_LARGEST_MANIFEST = 16 * 1024**2
# What the zipfile module raises for damaged, encrypted and foreign files.
_UNREADABLE = (zipfile.BadZipFile, zlib.error, KeyError, EOFError, ValueError, OSError, RuntimeError)


def table_member(table: str) -> str:
    return f"tables/{table}.copy"


class MemberWriter:
    """Writes one member and knows its checksum."""

    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        self._file = archive.open(name, "w", force_zip64=True)
        self._digest = hashlib.sha256()

    def write(self, data: bytes) -> None:
        self._digest.update(data)
        self._file.write(data)

    def close(self) -> str:
        """Ends the member; answers its SHA-256."""
        self._file.close()
        return self._digest.hexdigest()


class ArchiveWriter:
    def __init__(self, path: Path) -> None:
        # Level 1 takes a fifth of the time of the usual 6 and a tenth more room: a home server's CPU is slow.
        self._zip = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1)

    def __enter__(self) -> "ArchiveWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._zip.close()
        elif self._zip.fp is not None:
            # Closing the archive would fail while a member is open, and hide why we are here.
            self._zip.fp.close()
            self._zip.fp = None

    def member(self, name: str) -> MemberWriter:
        return MemberWriter(self._zip, name)

    def finish(self, manifest: Manifest) -> None:
        self._zip.writestr(_MANIFEST, manifest.model_dump_json(indent=2))


class ArchiveReader:
    """Reads a backup; anything that is not one raises Malformed with a sentence."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        try:
            self._zip = zipfile.ZipFile(path)
            info = self._zip.getinfo(_MANIFEST)
            if info.file_size > _LARGEST_MANIFEST:
                raise self._broken("its manifest is too large")
            self.manifest = Manifest.model_validate_json(self._zip.read(info))
        except ValidationError as exc:
            raise self._broken("its manifest does not say what a backup's says") from exc
        except _UNREADABLE as exc:
            raise self._broken("it is no ZIP file with a manifest") from exc

    def __enter__(self) -> "ArchiveReader":
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def verify(self) -> None:
        """Read everything once and compare it with the manifest."""
        wanted = {table_member(table.name): table.sha256 for table in self.manifest.tables}
        wanted[AUDIO] = self.manifest.audio.sha256
        for name, sha256 in wanted.items():
            digest = hashlib.sha256()
            for chunk in self._chunks(name):
                digest.update(chunk)
            if digest.hexdigest() != sha256:
                raise self._broken(f"{name} is not what was written")

    def table_chunks(self, table: str) -> Iterator[bytes]:
        return self._chunks(table_member(table))

    def audio_files(self) -> Iterator[AudioFile]:
        with self._open(AUDIO) as file:
            for line in file:
                yield AudioFile.model_validate(json.loads(line))

    def _chunks(self, name: str) -> Iterator[bytes]:
        with self._open(name) as file:
            while chunk := file.read(_CHUNK):
                yield chunk

    @contextmanager
    def _open(self, name: str) -> Iterator[zipfile.ZipExtFile]:
        try:
            with self._zip.open(name) as file:
                yield file  # type: ignore[misc]  # typeshed names the interface, ZipFile.open gives this
        except _UNREADABLE as exc:
            raise self._broken(f"{name} cannot be read") from exc

    def _broken(self, why: str) -> Malformed:
        return Malformed(f"{self.name} is not a whole backup: {why}.")
