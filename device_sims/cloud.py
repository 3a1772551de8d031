"""The cloud as a gateway sees it, quick and exact, in a process of its own: `python -m device_sims.cloud`.

Speaks both versions of the wire truthfully: one cursor a lane, rows and cursor together, each sequence stored once.
It keeps count rather than rows: of what came, of what should not have come (a sequence twice, a batch that contradicts
the contract), how long live readings were on their way, and, when told to `keep`, the values of each series. On
command it goes away and comes back, or fails in the ways of networks and servers, by a seed.
"""

import argparse
import asyncio
import base64
import hashlib
import os
import random
import time
import zlib
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from device_sims.cloud_telemetry import Refused, Telemetry
from device_sims.own_process import Answer, Commands, answer
from gateway.contract import (
    SIGNATURE_HEADER,
    Batch,
    BatchAnswer,
    Command,
    Envelope,
    GatewayConfig,
    Heartbeat,
    HeartbeatAnswer,
    ProvisionAnswer,
    ProvisionRequest,
)

CLAIM_CODE = "COLD-0001"
GATEWAY_ID = "0198f0c0-0000-7000-8000-000000000001"
_EDGE = f"/api/v1/edge/gateways/{GATEWAY_ID}"

#: error: 5xx or 429; timeout: no answer, ever; cut_before, cut_after, half: the connection breaks before or after the
#: work was done, or within the answer; nonsense: a proxy's page; ack_*: the work was done, and the answer is wrong
FAULTS = (
    "error",
    "timeout",
    "cut_before",
    "cut_after",
    "half",
    "nonsense",
    "ack_ahead",
    "ack_behind",
    "ack_negative",
    "ack_text",
)
_ERRORS = (500, 502, 503, 504, 429)


class Request(NamedTuple):
    """One request, its body inflated."""

    method: str
    path: str
    authorization: str
    body: bytes
    body_bytes: int


class SimulatedCloud:
    """One gateway to be claimed, and all it may ask."""

    def __init__(self) -> None:
        self.telemetry = Telemetry()
        self.config = GatewayConfig(1, [])
        self.commands: list[Command] = []
        self.config_acks: list[object] = []
        self.last_heartbeat: Heartbeat | None = None
        self.heartbeats = 0
        #: how far its clock is ahead of the machine's
        self.ahead_ms = 0
        self.requests = 0
        self.http_bytes = 0
        self.injected: Counter[str] = Counter()
        self._chance = random.Random(0)  # noqa: S311 - no secret
        self._fault_share = 0.0
        self._fault_kinds: tuple[str, ...] = FAULTS
        self._secret_hashes: set[bytes] = set()
        self._key = Ed25519PrivateKey.generate()
        self._batches = msgspec.json.Decoder(Batch)

    def fail(self, *, share: float, seed: int, kinds: Iterable[str] = FAULTS) -> None:
        """From now on this share of all requests fails, drawn by the seed."""
        self._chance, self._fault_share, self._fault_kinds = random.Random(seed), share, tuple(kinds)  # noqa: S311

    def respond(self, request: Request) -> "Response | None":
        """The answer; None: the connection is to be held and nothing ever said."""
        self.requests += 1
        fault = self._chance.choice(self._fault_kinds) if self._chance.random() < self._fault_share else ""
        if fault.startswith("ack_") and not request.path.endswith("/telemetry/readings"):
            fault = ""
        if fault:
            self.injected[fault] += 1
        if fault == "timeout":
            return None
        if fault == "cut_before":
            return Response(b"", True)
        if fault == "error":
            return self._response(self._chance.choice(_ERRORS), b"", retry_after=self._chance.random() < 0.5)
        if fault == "nonsense":
            return self._response(200, b"<html>please log in to the hotel's network</html>")
        try:
            answered = self._answer(request)
        except Refused as refused:
            error = {"code": str(refused), "message": "no", "details": []}
            return self._response(refused.status, msgspec.json.encode({"success": False, "error": error}))
        if fault.startswith("ack_"):
            return self._response(200, _wrong(answered, fault))
        made = self._response(
            200, msgspec.json.encode(Envelope(True, answered)), signed=isinstance(answered, GatewayConfig)
        )
        if fault == "cut_after":
            return Response(b"", True)
        return Response(made.content[: len(made.content) * 2 // 3], True) if fault == "half" else made

    def _response(self, status: int, body: bytes, *, retry_after: bool = False, signed: bool = False) -> "Response":
        extra = "Retry-After: 1\r\n" if retry_after else ""
        if signed:
            extra += f"{SIGNATURE_HEADER}: {base64.b64encode(self._key.sign(body)).decode()}\r\n"
        head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{extra}\r\n"
        return Response(head.encode() + body, False)

    def _answer(self, request: Request) -> object:
        path = request.path
        if path == "/api/v1/telemetry/readings":
            self._authenticate(request)
            return self._store(request)
        if path == "/api/v1/edge/provision":
            return self._provision(msgspec.json.decode(request.body, type=ProvisionRequest))
        self._authenticate(request)
        if path == f"{_EDGE}/heartbeat":
            self.last_heartbeat = msgspec.json.decode(request.body, type=Heartbeat)
            self.heartbeats += 1
            return HeartbeatAnswer(self._now_ms(), self.config.version, len(self.commands))
        if path == f"{_EDGE}/config":
            return self.config_for_it
        if path == f"{_EDGE}/commands":
            return self.commands
        if path == f"{_EDGE}/rotate-credentials":
            secret = msgspec.json.decode(request.body)["secret"]
            self._secret_hashes.add(hashlib.sha256(secret.encode()).digest())
            return {}
        return self._note(path, request.body)

    def _note(self, path: str, body: bytes) -> object:
        if path == f"{_EDGE}/config/ack":
            self.config_acks.append(msgspec.json.decode(body))
            return {}
        if path.startswith(f"{_EDGE}/commands/"):
            done = path.removeprefix(f"{_EDGE}/commands/").removesuffix("/ack")
            self.commands = [command for command in self.commands if command.id != done]
            return {}
        if path == f"{_EDGE}/logs":
            return {}
        raise Refused(404, "not_found")

    @property
    def config_for_it(self) -> GatewayConfig:
        """Made out to the gateway, unless it is made out to another."""
        return msgspec.structs.replace(self.config, gateway_id=self.config.gateway_id or GATEWAY_ID)

    def _provision(self, request: ProvisionRequest) -> ProvisionAnswer:
        secret_hash = hashlib.sha256(request.secret.encode()).digest()
        if request.claim_code != CLAIM_CODE or (self._secret_hashes and secret_hash not in self._secret_hashes):
            raise Refused(404, "claim_code_unknown")
        self._secret_hashes.add(secret_hash)
        key = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
        return ProvisionAnswer(GATEWAY_ID, "Dock 3", self.config, key)

    def _authenticate(self, request: Request) -> None:
        scheme, _, secret = request.authorization.rpartition(".")
        known = hashlib.sha256(secret.encode()).digest() in self._secret_hashes
        if scheme != f"Bearer gateway.{GATEWAY_ID}" or not known:
            raise Refused(401, "credential_unknown")

    def _store(self, request: Request) -> BatchAnswer:
        try:
            batch = self._batches.decode(request.body)
        except msgspec.DecodeError as error:
            self.telemetry.complain(str(error))
            raise Refused(422, "validation_failed") from None
        through, accepted, duplicates = self.telemetry.store(batch, request.body_bytes)
        return BatchAnswer(through, accepted, duplicates, [], self._now_ms(), self.config.version, len(self.commands))

    def _now_ms(self) -> int:
        return time.time_ns() // 1_000_000 + self.ahead_ms


class Response(NamedTuple):
    """Bytes to send."""

    content: bytes
    #: whether the connection breaks after them
    breaks: bool


def _wrong(answered: object, fault: str) -> bytes:
    """The answer to a batch that was stored, with an `acked_through` that is not true."""
    said = msgspec.to_builtins(Envelope(True, answered))
    through = said["data"]["acked_through"]
    wrong = {"ack_ahead": through + 5000, "ack_behind": max(0, through - 5000), "ack_negative": -1, "ack_text": "all"}
    said["data"]["acked_through"] = wrong[fault]
    return msgspec.json.encode(said)


class HttpConnection(asyncio.Protocol):
    """HTTP/1.1, as much of it as a gateway's client speaks."""

    def __init__(self, cloud: SimulatedCloud, open_ones: "set[HttpConnection]") -> None:
        self.transport: asyncio.Transport | None = None
        self._cloud = cloud
        self._open_ones = open_ones
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has come."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - TCP
        self.transport = transport
        self._open_ones.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """It has gone."""
        self._open_ones.discard(self)

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete."""
        self._received += data
        while (request := self._next()) is not None and self.transport is not None:
            response = self._cloud.respond(request)
            if response is not None:
                self.transport.write(response.content)
                if response.breaks:
                    self.transport.close()

    def _next(self) -> Request | None:
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return None
        first, *lines = self._received[:end].decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", "0"))
        whole = end + 4 + length
        if len(self._received) < whole:
            return None
        body, self._received = self._received[end + 4 : whole], self._received[whole:]
        self._cloud.http_bytes += whole
        if headers.get("content-encoding") == "gzip":
            body = zlib.decompress(body, 31)
        method, path, _ = first.split(" ")
        return Request(method, path, headers.get("authorization", ""), body, length)


class CloudServer:
    """The cloud on a port of the loopback, obeying standard input."""

    def __init__(self) -> None:
        self._cloud = SimulatedCloud()
        self._commands = Commands()
        self._connections: set[HttpConnection] = set()
        self._server: asyncio.Server | None = None
        self._port = 0
        self._ended = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Until standard input ends."""
        asyncio.get_running_loop().add_reader(0, self._readable)
        await self._ended.wait()

    def _readable(self) -> None:
        commands = self._commands.read()
        if commands is None:
            self._ended.set()
            return
        for command in commands:
            task = asyncio.create_task(self._obey(command))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _obey(self, command: Answer) -> None:
        do, cloud = command.pop("do"), self._cloud
        said: Answer = {}
        if do == "come":
            await self._come()
            said = {"url": f"http://127.0.0.1:{self._port}"}
        elif do == "go":
            self._go()
        elif do == "report":
            heartbeat = None if cloud.last_heartbeat is None else msgspec.to_builtins(cloud.last_heartbeat)
            counts = {"requests": cloud.requests, "http_bytes": cloud.http_bytes, "injected": dict(cloud.injected)}
            seen = {"heartbeats": cloud.heartbeats, "heartbeat": heartbeat, "config_acks": cloud.config_acks}
            said = {**cloud.telemetry.report(), **counts, **seen}
        elif do == "details":
            said = cloud.telemetry.details()
        else:
            said = self._set(do, command)
        answer(said)

    def _set(self, do: str, command: Answer) -> Answer:
        cloud = self._cloud
        if do == "keep":
            cloud.telemetry.keeps = True
        elif do == "fail":
            cloud.fail(**command)
        elif do == "configure":
            cloud.config = msgspec.convert(command["config"], GatewayConfig)
        elif do == "command":
            cloud.commands.append(msgspec.convert(command["command"], Command))
        elif do == "clock":
            cloud.ahead_ms = command["ahead_ms"]
        else:
            return {"error": "unknown command"}
        return {}

    async def _come(self) -> None:
        """Take connections, at the port of before if there was one."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: HttpConnection(self._cloud, self._connections), "127.0.0.1", self._port
        )
        self._port = self._server.sockets[0].getsockname()[1]

    def _go(self) -> None:
        """Take no more connections, and break those there are."""
        if self._server is not None:
            self._server.close()
        for connection in tuple(self._connections):
            if connection.transport is not None:
                connection.transport.abort()


def main() -> None:
    """Be the cloud until standard input ends."""
    parser = argparse.ArgumentParser(prog="python -m device_sims.cloud", allow_abbrev=False)
    parser.add_argument("--core", type=int, help="the only processor to run on")
    told = parser.parse_args()
    if told.core is not None:
        os.sched_setaffinity(0, {told.core})

    async def run() -> None:
        await CloudServer().run()

    asyncio.run(run())


if __name__ == "__main__":
    main()
