"""A bucket that speaks as much of S3 as Coldfleet uses, and takes nothing that is not signed with its key.

Signature version 4 as Amazon documents it: what a client must sign is put together here from what came over the wire,
so that a wrong secret, a changed body or another path is refused as the real service does.
"""

import hashlib
import hmac
import re
import threading
from typing import ClassVar
from urllib.parse import parse_qsl, quote, unquote, urlsplit
from xml.sax.saxutils import escape, unescape

from device_sims.loopback_http import LoopbackDouble, LoopbackServer, SilentHandler

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<day>\d{8})/(?P<region>[^/]+)/s3/aws4_request, ?"
    r"SignedHeaders=(?P<headers>[^,]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


class Bucket(LoopbackDouble):
    """One bucket and its objects."""

    def __init__(self, name: str, *, key_id: str, secret: str, region: str = "us-east-1") -> None:
        self.name = name
        self.key_id = key_id
        self.secret = secret
        self.region = region
        self.objects: dict[str, bytes] = {}
        #: requests that were not signed as they should be
        self.refused = 0
        self.lock = threading.Lock()
        handler = type("_Handler", (_Requests,), {"bucket": self})
        super().__init__(LoopbackServer(("127.0.0.1", 0), handler), "s3-double")


class _Requests(SilentHandler):
    bucket: ClassVar[Bucket]

    def serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        if not self._is_signed(parts.path, parts.query, body):
            self.bucket.refused += 1
            self._answer(403, b"<Error><Code>SignatureDoesNotMatch</Code></Error>")
            return
        prefix = f"/{self.bucket.name}"
        key = unquote(parts.path.removeprefix(prefix)).lstrip("/")
        with self.bucket.lock:
            self._do(key, dict(parse_qsl(parts.query, keep_blank_values=True)), body)

    def _do(self, key: str, query: dict[str, str], body: bytes) -> None:
        objects = self.bucket.objects
        if self.command == "POST":
            gone = [unescape(name) for name in re.findall(r"<Key>(.*?)</Key>", body.decode())]
            for name in gone:
                objects.pop(name, None)
            told = "".join(f"<Deleted><Key>{escape(name)}</Key></Deleted>" for name in gone)
            self._answer(200, f"<DeleteResult>{told}</DeleteResult>".encode())
        elif not key:
            self._answer(200, _listed({name: len(content) for name, content in objects.items()}, query["prefix"]))
        elif self.command == "PUT":
            objects[key] = body
            self._answer(200, headers={"ETag": _etag(body)})
        elif self.command == "DELETE":
            objects.pop(key, None)
            self._answer(204)
        elif key not in objects:
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
        else:
            self._send(objects[key])

    def _send(self, content: bytes) -> None:
        headers = {"ETag": _etag(content), "Last-Modified": "Sun, 01 Nov 2026 00:00:00 GMT"}
        asked = _RANGE.fullmatch(self.headers.get("Range") or "")
        if asked is None:
            self._answer(200, content, headers=headers)
            return
        start, end = int(asked[1]), int(asked[2] or len(content) - 1) + 1
        headers["Content-Range"] = f"bytes {start}-{min(end, len(content)) - 1}/{len(content)}"
        self._answer(206, content[start:end], headers=headers)

    def _answer(self, status: int, body: bytes = b"", *, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _is_signed(self, path: str, query: str, body: bytes) -> bool:
        said = _AUTHORIZATION.fullmatch(self.headers.get("Authorization") or "")
        if said is None or (said["key"], said["region"]) != (self.bucket.key_id, self.bucket.region):
            return False
        digest = self.headers.get("x-amz-content-sha256") or ""
        if digest not in {hashlib.sha256(body).hexdigest(), "UNSIGNED-PAYLOAD"}:
            return False
        pairs = sorted(parse_qsl(query, keep_blank_values=True))
        names = said["headers"].split(";")
        lines = [
            self.command,
            path,
            "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in pairs),
            *(f"{name}:{' '.join((self.headers.get(name) or '').split())}" for name in names),
            "",
            said["headers"],
            digest,
        ]
        at = self.headers.get("x-amz-date") or ""
        scope = f"{said['day']}/{said['region']}/s3/aws4_request"
        hashed = hashlib.sha256("\n".join(lines).encode()).hexdigest()
        key = f"AWS4{self.bucket.secret}".encode()
        for step in (said["day"], said["region"], "s3", "aws4_request"):
            key = hmac.new(key, step.encode(), hashlib.sha256).digest()
        text = f"AWS4-HMAC-SHA256\n{at}\n{scope}\n{hashed}"
        expected = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        return hmac.compare_digest(expected, said["signature"])


def _etag(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def _listed(sizes: dict[str, int], prefix: str) -> bytes:
    rows = "".join(
        f"<Contents><Key>{escape(key)}</Key><Size>{size}</Size><LastModified>2026-11-01T00:00:00.000Z</LastModified>"
        f'<ETag>"x"</ETag></Contents>'
        for key, size in sorted(sizes.items())
        if key.startswith(prefix)
    )
    return f"<ListBucketResult><IsTruncated>false</IsTruncated>{rows}</ListBucketResult>".encode()
