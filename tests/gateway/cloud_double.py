"""The cloud's side of the wire, truthfully, over a real socket; and the ways in which it can fail on demand."""

import asyncio
import gzip
import hashlib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Literal, NamedTuple

import msgspec

from gateway.contract import (
    MAX_ROWS,
    AlarmEvent,
    Batch,
    BatchAnswer,
    Envelope,
    GatewayConfig,
    Heartbeat,
    HeartbeatAnswer,
    ProvisionAnswer,
    ProvisionRequest,
    Reading,
    Refusal,
    TagRead,
    Weighing,
)

#: busy: 503; cut_before / cut_after: the connection breaks before / after the work was done; half: so does the answer;
#: nonsense: a proxy's page instead of the cloud's answer
Fault = Literal["busy", "cut_before", "cut_after", "half", "nonsense"]
FAULTS: tuple[Fault, ...] = ("busy", "cut_before", "cut_after", "half", "nonsense")
Row = Reading | AlarmEvent | TagRead | Weighing

CLAIM_CODE = "COLD-0001"
GATEWAY_ID = "0198f0c0-0000-7000-8000-000000000001"


class Request(NamedTuple):
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Refused(Exception):
    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


class CloudDouble:
    """One organisation with one gateway to be claimed."""

    def __init__(self) -> None:
        self.url = ""
        self.config = GatewayConfig(1, [])
        self.secret_hash: bytes | None = None
        self.blocked = False
        self.retry_after: str | None = None
        self._faults: Iterator[Fault | None] = iter(())
        self.refuse: Callable[[Row], Refusal | None] = lambda row: None
        #: a batch with such a row is refused as a whole
        self.is_poison: Callable[[Row], bool] = lambda row: False
        self.largest_batch = MAX_ROWS
        self.cursors: dict[tuple[str, str], int] = {}
        self.stored: dict[tuple[str, str], list[Row]] = {}
        self.batches: list[Batch] = []
        self.duplicates = 0
        self.heartbeats: list[Heartbeat] = []
        self.requests: list[Request] = []

    def readings(self) -> list[Reading]:
        return [row for rows in self.stored.values() for row in rows if isinstance(row, Reading)]

    def alarms(self) -> list[AlarmEvent]:
        return [row for rows in self.stored.values() for row in rows if isinstance(row, AlarmEvent)]

    def tags(self) -> list[TagRead]:
        return [row for rows in self.stored.values() for row in rows if isinstance(row, TagRead)]

    def weights(self) -> list[Weighing]:
        return [row for rows in self.stored.values() for row in rows if isinstance(row, Weighing)]

    # the contract

    def answer(self, request: Request) -> object:
        if request.path == "/api/v1/edge/provision":
            return self._provision(msgspec.json.decode(request.body, type=ProvisionRequest))
        self._authenticate(request.headers.get("authorization", ""))
        if request.path == "/api/v1/telemetry/readings":
            return self._store(msgspec.json.decode(request.body, type=Batch))
        if request.path == f"/api/v1/edge/gateways/{GATEWAY_ID}/heartbeat":
            self.heartbeats.append(msgspec.json.decode(request.body, type=Heartbeat))
            return HeartbeatAnswer(1_700_000_000_000, self.config.version)
        if request.path == f"/api/v1/edge/gateways/{GATEWAY_ID}/config":
            return self.config
        raise Refused(404, "not_found")

    def _provision(self, request: ProvisionRequest) -> ProvisionAnswer:
        secret_hash = hashlib.sha256(request.secret.encode()).digest()
        if request.claim_code != CLAIM_CODE or self.secret_hash not in (None, secret_hash):
            raise Refused(404, "claim_code_unknown")
        self.secret_hash = secret_hash
        return ProvisionAnswer(GATEWAY_ID, "Dock 3", self.config)

    def _authenticate(self, authorization: str) -> None:
        scheme, _, secret = authorization.rpartition(".")
        if scheme != f"Bearer gateway.{GATEWAY_ID}" or hashlib.sha256(secret.encode()).digest() != self.secret_hash:
            raise Refused(401, "credential_unknown")
        if self.blocked:
            raise Refused(403, "gateway_blocked")

    def _store(self, batch: Batch) -> BatchAnswer:
        self.batches.append(batch)
        lists: dict[str, Sequence[Row]] = {
            "readings": batch.readings,
            "alarms": batch.alarms,
            "tags": batch.tags,
            "weights": batch.weights,
        }
        rows = list(lists.pop(batch.lane))
        assert rows, "a batch is never empty"
        assert not any(lists.values()), "a batch carries its own lane only"
        if len(rows) > self.largest_batch:
            raise Refused(413, "batch_too_large")
        if any(map(self.is_poison, rows)):
            raise Refused(422, "validation_failed")
        sequences = [row.sequence for row in rows]
        assert sequences == sorted(set(sequences)), "sequences rise"
        lane = (batch.epoch, batch.lane)
        cursor = self.cursors.get(lane, 0)
        fresh = [(index, row) for index, row in enumerate(rows) if row.sequence > cursor]
        refused = []
        for index, row in fresh:
            refusal = self.refuse(row)
            if refusal is None:
                self.stored.setdefault(lane, []).append(row)
            else:
                refused.append(msgspec.structs.replace(refusal, row=index, sequence=row.sequence))
        self.cursors[lane] = max([cursor, *sequences])
        self.duplicates += len(rows) - len(fresh)
        return BatchAnswer(
            acked_through=self.cursors[lane],
            accepted=len(fresh) - len(refused),
            duplicates=len(rows) - len(fresh),
            refused=refused,
            server_time_ms=1_700_000_000_000,
            config_version=self.config.version,
        )

    # the socket

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (request := await _read_request(reader)) is not None:
                self.requests.append(request)
                fault = next(self._faults, None)
                if fault == "cut_before":
                    return
                status, body = self._respond(request, fault)
                if fault == "cut_after":
                    return
                retry_after = f"Retry-After: {self.retry_after}\r\n" if status == 503 and self.retry_after else ""
                head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{retry_after}\r\n"
                writer.write(head.encode() + (body[: len(body) // 2] if fault == "half" else body))
                await writer.drain()
                if fault == "half":
                    return
        except ConnectionError:
            pass  # the gateway went away
        finally:
            writer.close()

    def _respond(self, request: Request, fault: Fault | None) -> tuple[int, bytes]:
        if fault == "busy":
            return 503, b""
        if fault == "nonsense":
            return 200, b"<html>please log in to the hotel's network</html>"
        try:
            return 200, msgspec.json.encode(Envelope(True, self.answer(request)))
        except Refused as refused:
            error = {"code": refused.code, "message": "no", "details": []}
            return refused.status, msgspec.json.encode({"success": False, "error": error})

    def fail(self, faults: Iterable[Fault | None]) -> None:
        """Break the next requests in this way, one after the other; None lets one pass."""
        self._faults = iter(faults)


async def _read_request(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.splitlines()
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    if headers.get("content-encoding") == "gzip":
        body = gzip.decompress(body)
    method, path, _ = first.split()
    return Request(method, path, headers, body)


@asynccontextmanager
async def running_cloud() -> AsyncIterator[CloudDouble]:
    """A cloud on a free port of the loopback."""
    cloud = CloudDouble()
    writers: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        await cloud.serve(reader, writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    cloud.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield cloud
    server.close()
    for writer in writers:
        writer.close()
    await server.wait_closed()
