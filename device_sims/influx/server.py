"""InfluxDB 2 on loopback: one organisation, its buckets and a token; takes points, keeps them, answers our queries.

It speaks `/ping`, `/health`, `POST /api/v2/write` and `POST /api/v2/query`, and refuses what the real one refuses: a
wrong token (401), an unknown organisation or bucket (404), lines it cannot read (400, nothing of the body is kept), a
field that changes its type (422), and whatever it is told to (429, 500, 503 with Retry-After). Source: InfluxDB OSS
v2, "Troubleshoot issues writing data" and the API's reference.
"""

import gzip
import json
import secrets
import threading
import time
import zlib
from collections import deque
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from device_sims.influx.flux import BadQuery, Table, annotated_csv, read, run
from device_sims.influx.lines import BadLine, Point, Value, parse
from device_sims.loopback_http import LoopbackDouble, LoopbackServer, SilentHandler

LARGEST_BODY_BYTES = 50_000_000
_PRECISIONS = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9}
_CODES = {429: "too many requests", 500: "internal error", 503: "unavailable"}

#: measurement, tags and field
SeriesKey = tuple[str, tuple[tuple[str, str], ...], str]


@dataclass(frozen=True)
class Answer:
    """What goes back over HTTP."""

    status: int
    body: bytes = b""
    content_type: str = "application/json; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)


class RefusedError(Exception):
    """The request is refused; carries the answer."""

    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        super().__init__(message)
        self.answer = Answer(status, json.dumps({"code": code, "message": message}).encode(), headers=headers)


class InfluxDouble(LoopbackDouble):
    """One server, on a thread of its own from `start` to `stop` (or in a `with` block)."""

    def __init__(
        self, *, host: str = "127.0.0.1", port: int = 0, organization: str = "coldfleet", bucket: str = "readings"
    ) -> None:
        self.organization, self.bucket = organization, bucket
        self.token = secrets.token_urlsafe(32)
        self._lock = threading.Lock()
        self._series: dict[SeriesKey, dict[int, Value]] = {}
        #: status and Retry-After of the next requests
        self._failures: deque[tuple[int, int, bool]] = deque()
        server = _Server((host, port), _Handler)
        server.double = self
        super().__init__(server, "influx-double")

    def points(self) -> int:
        """How many values are kept, of all fields."""
        with self._lock:
            return sum(map(len, self._series.values()))

    def fail_next(self, count: int, status: int, *, retry_after_s: int = 0, after_storing: bool = False) -> None:
        """Answer the next `count` requests with 429, 500 or 503; `after_storing` what they wrote is kept all the same.

        Raises:
            ValueError: another status, or a negative count.
        """
        if status not in _CODES or count < 0:
            raise ValueError("give a count of 0 or more, and status 429, 500 or 503")
        with self._lock:
            self._failures.extend([(status, retry_after_s, after_storing)] * count)

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        """Answer one request; `target` is path and query, names of headers are in small letters."""
        url = urlsplit(target)
        if url.path in {"/ping", "/health"}:
            healthy = json.dumps({"name": "influxdb", "status": "pass", "version": "2"}).encode()
            return Answer(204) if url.path == "/ping" else Answer(200, healthy)
        try:
            with self._lock:
                failure = self._failures.popleft() if self._failures else None
            if failure is not None and not failure[2]:
                raise _failed(failure)
            done = self._serve(method, url.path, {k: v[-1] for k, v in parse_qs(url.query).items()}, headers, body)
            if failure is not None:
                raise _failed(failure)
        except RefusedError as refusal:
            return refusal.answer
        return done

    def _serve(self, method: str, path: str, query: dict[str, str], headers: dict[str, str], body: bytes) -> Answer:
        if not secrets.compare_digest(headers.get("authorization", ""), f"Token {self.token}"):
            raise RefusedError(401, "unauthorized", "unauthorized access")
        if query.get("org") != self.organization:
            raise RefusedError(404, "not found", f'organization name "{query.get("org", "")}" not found')
        if headers.get("content-encoding") == "gzip":
            try:
                body = gzip.decompress(body)
            except (OSError, EOFError, zlib.error):
                raise RefusedError(400, "invalid", "gzip: invalid header") from None
        if (method, path) == ("POST", "/api/v2/write"):
            return self._write(query, body)
        if (method, path) == ("POST", "/api/v2/query"):
            return self._query(body)
        raise RefusedError(404, "not found", "path not found")

    def _write(self, query: dict[str, str], body: bytes) -> Answer:
        self._check_bucket(query.get("bucket", ""))
        nanoseconds = _PRECISIONS.get(query.get("precision", "ns"))
        if nanoseconds is None:
            raise RefusedError(400, "invalid", "invalid precision; valid precision units are ns, us, ms, and s")
        try:
            points = parse(body.decode(), nanoseconds=nanoseconds)
        except (BadLine, UnicodeDecodeError) as problem:
            raise RefusedError(400, "invalid", str(problem)) from None
        with self._lock:
            for point in points:
                self._check_types(point)
            for point in points:
                at_ns = time.time_ns() if point.at_ns is None else point.at_ns
                for name, value in point.fields.items():
                    self._series.setdefault((point.measurement, point.tags, name), {})[at_ns] = value
        return Answer(204)

    def _check_types(self, point: Point) -> None:
        for (measurement, _, name), kept in self._series.items():
            known = next(iter(kept.values()))
            if measurement == point.measurement and name in point.fields:
                given = point.fields[name]
                if type(given) is not type(known):
                    reason = f'input field "{name}" on measurement "{measurement}" is type {type(given).__name__}'
                    text = f"failure writing points to database: partial write: field type conflict: {reason}"
                    raise RefusedError(422, "unprocessable entity", text)

    def _query(self, body: bytes) -> Answer:
        try:
            asked = json.loads(body)["query"]
            query = read(str(asked))
            self._check_bucket(query.bucket)
            with self._lock:
                tables = [*self._tables(query.start_ns, query.stop_ns)]
            found = annotated_csv(run(query, tables))
        except (ValueError, KeyError, TypeError):
            raise RefusedError(400, "invalid", "failed to decode request body") from None
        except BadQuery as problem:
            raise RefusedError(400, "invalid", str(problem)) from None
        return Answer(200, found.encode(), "text/csv; charset=utf-8")

    def _tables(self, start_ns: int, stop_ns: int) -> list[Table]:
        found = []
        for (measurement, tags, name), kept in self._series.items():
            fixed: dict[str, object] = {"_start": start_ns, "_stop": stop_ns, "_measurement": measurement}
            fixed |= {"_field": name, **dict(tags)}
            rows = [
                {**fixed, "_time": at_ns, "_value": value}
                for at_ns, value in sorted(kept.items())
                if start_ns <= at_ns < stop_ns
            ]
            found.append(Table(tuple(fixed), rows))
        return found

    def _check_bucket(self, bucket: str) -> None:
        if bucket != self.bucket:
            raise RefusedError(404, "not found", f'bucket "{bucket}" not found')


def _failed(failure: tuple[int, int, bool]) -> RefusedError:
    status, retry_after_s, _ = failure
    headers = {"Retry-After": str(retry_after_s)} if retry_after_s else {}
    return RefusedError(status, _CODES[status], "try again later", **headers)


class _Server(LoopbackServer):
    double: InfluxDouble


class _Handler(SilentHandler):
    server: _Server

    def serve(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not (length.isascii() and length.isdigit()) or int(length) > LARGEST_BODY_BYTES:
            self.close_connection = True
            self._reply(RefusedError(413, "request too large", "request entity too large").answer)
            return
        body = self.rfile.read(int(length))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self._reply(self.server.double.answer(self.command, self.path, headers, body))

    def _reply(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in {"Content-Type": answer.content_type, **answer.headers}.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)
