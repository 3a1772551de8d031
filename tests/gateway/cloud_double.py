"""The cloud's side of the wire, truthfully, over a real socket; and the ways in which it can fail on demand."""

import asyncio
import base64
import gzip
import hashlib
import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from itertools import accumulate
from typing import Literal, NamedTuple, get_args

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.contract import (
    FLAG_BAD,
    FLAG_DEVICE_TIME,
    FLAG_SUSPECT,
    MAX_ROWS,
    SIGNATURE_HEADER,
    AlarmEvent,
    Batch,
    BatchAnswer,
    Command,
    CommandAck,
    ConfigAck,
    Envelope,
    Gap,
    GatewayConfig,
    Heartbeat,
    HeartbeatAnswer,
    Lane,
    LogUpload,
    NewCredential,
    ProvisionAnswer,
    ProvisionRequest,
    Reading,
    ReadingColumns,
    Refusal,
    Summary,
    TagRead,
    Weighing,
)

#: How a request can go wrong. `busy`: 503; `cut_before`, `cut_after`: the connection breaks before, after the work was
#: done; `late`: it breaks, and the work is done after later requests; `half`: so does the answer; `nonsense`: a proxy's
#: page instead of the answer; `ack_...`: nothing is stored, and the answer acknowledges too little, too much, far too
#: much; `ack_of_another_lane`: the rows are stored, and the answer is one that another lane was given before
Fault = Literal[
    "busy",
    "cut_before",
    "cut_after",
    "late",
    "half",
    "nonsense",
    "ack_below",
    "ack_above",
    "ack_far",
    "ack_of_another_lane",
]
FAULTS: tuple[Fault, ...] = get_args(Fault)
Row = Reading | AlarmEvent | TagRead | Weighing | Summary | Gap

CLAIM_CODE = "COLD-0001"
GATEWAY_ID = "0198f0c0-0000-7000-8000-000000000001"
SERVER_TIME_MS = 1_700_000_000_000
_UPLOAD = "/api/v1/telemetry/readings"
_EDGE = f"/api/v1/edge/gateways/{GATEWAY_ID}"


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
        self.key = Ed25519PrivateKey.generate()
        self.config = GatewayConfig(1, [])
        self.commands: list[Command] = []
        #: of the gateway's secret; during a rotation also of the one that is to come
        self.secret_hash: bytes | None = None
        self.next_secret_hash: bytes | None = None
        self.blocked = False
        self.retry_after: str | None = None
        #: what every batch is refused with
        self.refuse_all: int | None = None
        self.server_time_ms = SERVER_TIME_MS
        self._faults: Iterator[Fault | None] = iter(())
        self._late: list[Request] = []
        self._answers: dict[Lane, BatchAnswer] = {}
        self.refuse: Callable[[Row], Refusal | None] = lambda row: None
        #: a batch with such a row is refused as a whole
        self.is_poison: Callable[[Row], bool] = lambda row: False
        self.largest_batch = MAX_ROWS
        self.cursors: dict[tuple[str, str], int] = {}
        self.stored: dict[tuple[str, str], list[Row]] = {}
        self.batches: list[Batch] = []
        self.duplicates = 0
        self.heartbeats: list[Heartbeat] = []
        self.config_acks: list[ConfigAck] = []
        self.command_acks: dict[str, CommandAck] = {}
        self.logs: list[LogUpload] = []
        self.requests: list[Request] = []
        #: how long the next answers take, one after the other
        self.delays_s: Iterator[float] = iter(())
        self.connections = 0
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def config_key(self) -> str:
        return self.key.public_key().public_bytes_raw().hex()

    def rows(self, *lanes: Lane) -> list[Row]:
        """What is stored of some lanes, in the order of arrival within each."""
        return [
            row for lane in lanes for (_, stored_in), rows in self.stored.items() if stored_in == lane for row in rows
        ]

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
        if request.path == _UPLOAD:
            return self._store(msgspec.json.decode(request.body, type=Batch))
        return self._edge(request)

    def _edge(self, request: Request) -> object:
        match request.method, request.path.removeprefix(_EDGE).split("/")[1:]:
            case "POST", ["heartbeat"]:
                self.heartbeats.append(msgspec.json.decode(request.body, type=Heartbeat))
                return HeartbeatAnswer(self.server_time_ms, self.config.version, len(self.commands))
            case "GET", ["config"]:
                return self.config_for_it
            case "POST", ["config", "ack"]:
                self.config_acks.append(msgspec.json.decode(request.body, type=ConfigAck))
            case "GET", ["commands"]:
                return self.commands
            case "POST", ["commands", command_id, "ack"]:
                self.command_acks.setdefault(command_id, msgspec.json.decode(request.body, type=CommandAck))
                self.commands = [command for command in self.commands if command.id != command_id]
            case "POST", ["rotate-credentials"]:
                secret = msgspec.json.decode(request.body, type=NewCredential).secret
                self.next_secret_hash = _hash(secret)
            case "POST", ["logs"]:
                self.logs.append(msgspec.json.decode(request.body, type=LogUpload))
            case _:
                raise Refused(404, "not_found")
        return None

    @property
    def config_for_it(self) -> GatewayConfig:
        """Made out to the gateway, unless it is made out to another."""
        return msgspec.structs.replace(self.config, gateway_id=self.config.gateway_id or GATEWAY_ID)

    def _provision(self, request: ProvisionRequest) -> ProvisionAnswer:
        secret_hash = _hash(request.secret)
        if request.claim_code != CLAIM_CODE or self.secret_hash not in (None, secret_hash):
            raise Refused(404, "claim_code_unknown")
        self.secret_hash = secret_hash
        return ProvisionAnswer(GATEWAY_ID, "Dock 3", self.config, self.config_key)

    def _authenticate(self, authorization: str) -> None:
        scheme, _, secret = authorization.rpartition(".")
        shown = _hash(secret)
        if scheme == f"Bearer gateway.{GATEWAY_ID}" and shown == self.next_secret_hash:
            self.secret_hash, self.next_secret_hash = shown, None
        if scheme != f"Bearer gateway.{GATEWAY_ID}" or shown != self.secret_hash:
            raise Refused(401, "credential_unknown")
        if self.blocked:
            raise Refused(403, "gateway_blocked")

    def _store(self, batch: Batch) -> BatchAnswer:
        self.batches.append(batch)
        if self.refuse_all is not None:
            raise Refused(self.refuse_all, "refused")
        rows = rows_of(batch)
        if len(rows) > self.largest_batch:
            raise Refused(413, "batch_too_large")
        if any(map(self.is_poison, rows)):
            raise Refused(422, "validation_failed")
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
        self.cursors[lane] = max(cursor, rows[-1].sequence)
        self.duplicates += len(rows) - len(fresh)
        answer = BatchAnswer(
            acked_through=self.cursors[lane],
            accepted=len(fresh) - len(refused),
            duplicates=len(rows) - len(fresh),
            refused=refused,
            server_time_ms=self.server_time_ms,
            config_version=self.config.version,
            commands_waiting=len(self.commands),
        )
        self._answers[batch.lane] = answer
        return answer

    # the socket

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        try:
            while (request := await _read_request(reader)) is not None:
                self.requests.append(request)
                await asyncio.sleep(next(self.delays_s, 0.0))
                fault = next(self._faults, None)
                if fault == "late":
                    self._late.append(request)
                if fault in ("cut_before", "late"):
                    return
                status, body = self._respond(request, fault)
                self._catch_up()
                if fault == "cut_after":
                    return
                writer.write(self._head(status, body) + (body[: len(body) // 2] if fault == "half" else body))
                await writer.drain()
                if fault == "half":
                    return
        except ConnectionError:
            pass  # the gateway went away
        finally:
            self._writers.discard(writer)
            writer.close()

    async def hang_up(self) -> None:
        """Close all connections, as a server does that is started anew."""
        for writer in [*self._writers]:
            writer.close()
            await writer.wait_closed()

    def _head(self, status: int, body: bytes) -> bytes:
        signature = base64.b64encode(self.key.sign(body)).decode()
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", f"{SIGNATURE_HEADER}: {signature}"]
        if status == 503 and self.retry_after:
            lines.append(f"Retry-After: {self.retry_after}")
        return "\r\n".join([*lines, "", ""]).encode()

    def _respond(self, request: Request, fault: Fault | None) -> tuple[int, bytes]:
        if fault == "busy":
            return 503, b""
        if fault == "nonsense":
            return 200, b"<html>please log in to the hotel's network</html>"
        try:
            answer = self._lie(request, fault) if fault and fault.startswith("ack_") else self.answer(request)
            return 200, msgspec.json.encode(Envelope(True, answer))
        except Refused as refused:
            error = {"code": refused.code, "message": "no", "details": []}
            return refused.status, msgspec.json.encode({"success": False, "error": error})

    def _lie(self, request: Request, fault: Fault) -> object:
        if request.path != _UPLOAD:
            return self.answer(request)
        batch = msgspec.json.decode(request.body, type=Batch)
        rows = rows_of(batch)
        if fault == "ack_of_another_lane":
            others = [answer for lane, answer in self._answers.items() if lane != batch.lane]
            answer = self.answer(request)
            return others[0] if others else answer
        acked = {"ack_below": rows[0].sequence - 1, "ack_above": rows[-1].sequence + 3, "ack_far": 10**12}[fault]
        return BatchAnswer(acked, len(rows), 0, [], self.server_time_ms, self.config.version)

    def _catch_up(self) -> None:
        """Do now what a proxy has held for long; nobody waits for the answer any more."""
        late, self._late = self._late, []
        for request in late:
            self._respond(request, None)

    def fail(self, faults: Iterable[Fault | None]) -> None:
        """Break the next requests in this way, one after the other; None lets one pass."""
        self._faults = iter(faults)


def rows_of(batch: Batch) -> list[Row]:
    """The rows of a batch that keeps the contract."""
    lists: dict[str, list[Row]] = {
        "readings": [*batch.readings],
        "alarms": [*batch.alarms],
        "tags": [*batch.tags],
        "weights": [*batch.weights],
        "summaries": [*batch.summaries],
        "gaps": [*batch.gaps],
    }
    if batch.columns is not None:
        assert batch.version == 2
        assert batch.lane in ("readings", "backlog"), "columns are readings"
        rows: list[Row] = [*_readings(batch.columns)]
    else:
        assert batch.version == 1 or batch.lane not in ("readings", "backlog"), "readings are columns"
        rows = lists.pop(batch.lane)
    assert rows, "a batch is never empty"
    assert not any(lists.values()), "a batch carries its own lane only"
    assert len(rows) <= MAX_ROWS, "a batch is never larger"
    sequences = [row.sequence for row in rows]
    assert sequences == sorted(set(sequences)), "sequences rise"
    return rows


def _readings(columns: ReadingColumns) -> list[Reading]:
    sequences = [first + index for first, count in columns.sequences for index in range(count)]
    times_ms = list(accumulate(columns.times_ms))
    flags = columns.flags or [0] * len(sequences)
    return [
        Reading(
            sequence,
            *_named(columns.series[row], value),
            at_ms,
            "device" if flag & FLAG_DEVICE_TIME else "gateway",
            "bad" if flag & FLAG_BAD else "suspect" if flag & FLAG_SUSPECT else "good",
        )
        for sequence, row, value, at_ms, flag in zip(
            sequences, columns.rows, columns.values, times_ms, flags, strict=True
        )
    ]


def _named(series: tuple[str, str, str], value: float) -> tuple[str, str, float, str]:
    sensor, quantity, unit = series
    return sensor, quantity, value, unit


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


async def _read_request(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.splitlines()
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
    except asyncio.IncompleteReadError:
        return None  # the gateway has thought better of it
    if headers.get("content-encoding") == "gzip":
        body = gzip.decompress(body)
    method, path, _ = first.split()
    return Request(method, path, headers, body)


@asynccontextmanager
async def running_cloud(tls: ssl.SSLContext | None = None) -> AsyncIterator[CloudDouble]:
    """A cloud on a free port of the loopback."""
    cloud = CloudDouble()
    server = await asyncio.start_server(cloud.serve, "127.0.0.1", 0, ssl=tls)
    scheme = "http" if tls is None else "https"
    cloud.url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield cloud
    server.close()
    await cloud.hang_up()
    await server.wait_closed()
