"""A local server that speaks S3's wire format, as far as audio needs it, and checks every signature.

The signature is computed here from the published rules of Signature Version 4, not with the client's
code: a client that signs wrongly is refused as it would be by the real thing.
"""

import hashlib
import hmac
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, quote, unquote, urlsplit
from xml.etree.ElementTree import Element, SubElement, fromstring, tostring

_XML = "http://s3.amazonaws.com/doc/2006-03-01/"


@dataclass
class StoredObject:
    content: bytes
    etag: str
    modified: datetime


@dataclass
class FakeS3:
    """``objects`` is by key; ``requests`` are (method, key, query names) in the order they came."""

    bucket: str = "music"
    access_key: str = "access"
    secret_key: str = "secret-of-the-stand-in"  # noqa: S105 - of a server that lives for one test
    region: str = "us-east-1"
    objects: dict[str, StoredObject] = field(default_factory=dict)
    uploads: dict[str, dict[int, bytes]] = field(default_factory=dict)
    requests: list[tuple[str, str, tuple[str, ...]]] = field(default_factory=list)
    url: str = ""

    def put(self, key: str, content: bytes, etag: str | None = None) -> StoredObject:
        digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
        self.objects[key] = StoredObject(content, etag or digest, datetime.now(UTC))
        return self.objects[key]


@contextmanager
def running_s3(store: FakeS3) -> Iterator[FakeS3]:
    class Handler(_Handler):
        s3 = store

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    store.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield store
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    s3: FakeS3
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Tests read ``requests`` instead."""

    def do_GET(self) -> None:
        self._handle()

    do_HEAD = do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815 - the base class looks for these names

    def _handle(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        self.query = dict(parse_qsl(parts.query, keep_blank_values=True))
        bucket, _, key = unquote(parts.path).lstrip("/").partition("/")
        self.s3.requests.append((self.command, key, tuple(sorted(self.query))))
        if (refusal := self._refusal(parts.path, parts.query)) is not None:
            self._refuse(403, refusal)
        elif bucket != self.s3.bucket:
            self._refuse(404, "NoSuchBucket")
        elif not key:
            self._answer(200, b"")
        elif self.command == "POST" and "uploads" in self.query:
            self._begin_upload(key)
        elif self.command == "POST":
            self._end_upload(key)
        elif self.command == "PUT":
            self._put(key)
        elif self.command == "DELETE":
            self.s3.objects.pop(key, None)
            self._answer(204, b"")
        else:
            self._get(key)

    def _get(self, key: str) -> None:
        if (found := self.s3.objects.get(key)) is None:
            self._refuse(404, "NoSuchKey")
            return
        wanted = self.headers.get("If-Match")
        if wanted is not None and wanted.strip('"') != found.etag:
            self._refuse(412, "PreconditionFailed")
            return
        headers = {
            "ETag": f'"{found.etag}"',
            "Last-Modified": format_datetime(found.modified, usegmt=True),
            "Accept-Ranges": "bytes",
        }
        content, status = found.content, 200
        if (asked := self.headers.get("Range")) is not None:
            first, _, last = asked.removeprefix("bytes=").partition("-")
            stop = int(last) + 1 if last else len(content)
            headers["Content-Range"] = f"bytes {first}-{stop - 1}/{len(content)}"
            content, status = content[int(first) : stop], 206
        self._answer(status, content, headers)

    def _put(self, key: str) -> None:
        if "uploadId" in self.query:
            self.s3.uploads[self.query["uploadId"]][int(self.query["partNumber"])] = self.body
            etag = hashlib.md5(self.body, usedforsecurity=False).hexdigest()
        else:
            etag = self.s3.put(key, self.body).etag
        self._answer(200, b"", {"ETag": f'"{etag}"'})

    def _begin_upload(self, key: str) -> None:
        upload = uuid.uuid4().hex
        self.s3.uploads[upload] = {}
        fields = {"Bucket": self.s3.bucket, "Key": key, "UploadId": upload}
        self._answer(200, _xml("InitiateMultipartUploadResult", fields))

    def _end_upload(self, key: str) -> None:
        parts = self.s3.uploads.pop(self.query["uploadId"])
        named = [int(one.text or 0) for one in fromstring(self.body).iter() if one.tag.endswith("PartNumber")]  # noqa: S314 - a test's own client wrote it
        found = self.s3.put(
            key, b"".join(parts[number] for number in named), f"{uuid.uuid4().hex}-{len(named)}"
        )
        fields = {"Bucket": self.s3.bucket, "Key": key, "ETag": f'"{found.etag}"', "Location": key}
        self._answer(200, _xml("CompleteMultipartUploadResult", fields))

    def _refusal(self, path: str, query: str) -> str | None:
        """The error code for a request that is not signed as it must be."""
        kind, _, rest = self.headers.get("Authorization", "").partition(" ")
        if kind != "AWS4-HMAC-SHA256":
            return "AccessDenied"
        said = dict(part.strip().split("=", 1) for part in rest.split(","))
        access_key, _, scope = said["Credential"].partition("/")
        if access_key != self.s3.access_key:
            return "InvalidAccessKeyId"
        payload = self.headers.get("x-amz-content-sha256", "")
        if payload not in ("UNSIGNED-PAYLOAD", hashlib.sha256(self.body).hexdigest()):
            return "XAmzContentSHA256Mismatch"
        names = said["SignedHeaders"].split(";")
        pairs = sorted(
            (quote(name, safe="-_.~"), quote(value, safe="-_.~"))
            for name, value in parse_qsl(query, keep_blank_values=True)
        )
        canonical = "\n".join(
            [
                self.command,
                quote(unquote(path), safe="/-_.~"),
                "&".join(f"{name}={value}" for name, value in pairs),
                *(f"{name}:{' '.join(self.headers.get(name, '').split())}" for name in names),
                "",
                ";".join(names),
                payload,
            ]
        )
        date, region = scope.split("/")[:2]
        if region != self.s3.region:
            return "AuthorizationHeaderMalformed"
        to_sign = "\n".join(
            [
                kind,
                self.headers.get("x-amz-date", ""),
                scope,
                hashlib.sha256(canonical.encode()).hexdigest(),
            ]
        )
        key = f"AWS4{self.s3.secret_key}".encode()
        for part in (date, region, "s3", "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        wanted = hmac.digest(key, to_sign.encode(), "sha256").hex()
        return None if hmac.compare_digest(wanted, said["Signature"]) else "SignatureDoesNotMatch"

    def _refuse(self, status: int, code: str) -> None:
        fields = {"Code": code, "Message": code, "Resource": self.path, "RequestId": "1", "HostId": "1"}
        self._answer(status, _xml("Error", fields))

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if body.startswith(b"<"):
            self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _xml(name: str, fields: dict[str, str]) -> bytes:
    root = Element(name, {} if name == "Error" else {"xmlns": _XML})
    for key, value in fields.items():
        SubElement(root, key).text = value
    return tostring(root)
