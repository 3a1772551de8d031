"""Just enough of a ThingsBoard for its gateway to send to: `python -m coldfleet.bench.peers.thingsboard_standin`.

An MQTT endpoint that lets everybody in, acknowledges at once, answers the call `getSessionLimits` with no limits, and
counts what comes on `v1/gateway/telemetry`: one JSON object, device -> list of `{"ts", "values"}`.
"""

import asyncio
import json
import time

from device_sims.own_process import Answer, Commands, answer

_TELEMETRY = "v1/gateway/telemetry"
_CALL = "v1/devices/me/rpc/request/"
_ANSWER = "v1/devices/me/rpc/response/"
_LIMITS = {
    "maxPayloadSize": 65_536,
    "maxInflightMessages": 1000,
    "rateLimits": {"messages": "", "telemetryMessages": "", "telemetryDataPoints": ""},
    "gatewayRateLimits": {"messages": "", "telemetryMessages": "", "telemetryDataPoints": ""},
}


class Counts:
    """What came."""

    def __init__(self) -> None:
        self.messages = 0
        self.values = 0
        self.publishes = 0

    def take(self, payload: bytes) -> None:
        """One telemetry packet."""
        self.publishes += 1
        for entries in json.loads(payload).values():
            self.messages += len(entries)
            self.values += sum(len(entry.get("values", ())) for entry in entries)


class Endpoint(asyncio.Protocol):
    """One MQTT client, version 3.1.1 or 5."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._received = bytearray()
        self._transport: asyncio.Transport | None = None
        self._is_5 = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It has come."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - TCP
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each whole packet."""
        self._received += data
        while (packet := self._next()) is not None and self._transport is not None:
            self._transport.write(self._answer(*packet))

    def _next(self) -> tuple[int, bytes] | None:
        received = self._received
        length, shift, at = 0, 0, 1
        while True:
            if at >= len(received):
                return None
            digit = received[at]
            length |= (digit & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if digit < 0x80:
                break
        if len(received) < at + length:
            return None
        first, body = received[0], bytes(received[at : at + length])
        del received[: at + length]
        return first, body

    def _answer(self, first: int, body: bytes) -> bytes:
        kind = first >> 4
        if kind == 1:
            self._is_5 = body[6] == 5
            return b"\x20\x03\x00\x00\x00" if self._is_5 else b"\x20\x02\x00\x00"
        if kind == 3:
            return self._published(first, body)
        if kind == 8:
            identifier = body[:2]
            return b"\x90\x04" + identifier + b"\x00\x01" if self._is_5 else b"\x90\x03" + identifier + b"\x01"
        return b"\xd0\x00" if kind == 12 else b""

    def _published(self, first: int, body: bytes) -> bytes:
        end = 2 + int.from_bytes(body[:2], "big")
        topic, identifier = body[2:end].decode(), b""
        if first & 0x06:
            identifier, end = body[end : end + 2], end + 2
        if self._is_5:
            end += 1 + body[end]  # nobody sends 128 bytes of properties here
        said = b"" if not identifier else b"\x40\x02" + identifier
        if topic == _TELEMETRY:
            self._counts.take(body[end:])
        elif topic.startswith(_CALL):
            said += self._reply(_ANSWER + topic.removeprefix(_CALL))
        return said

    def _reply(self, topic: str) -> bytes:
        content = b"" if not self._is_5 else b"\x00"
        content = len(topic).to_bytes(2, "big") + topic.encode() + content + json.dumps(_LIMITS).encode()
        length = len(content)
        return bytes((0x30, length & 0x7F | 0x80, length >> 7)) + content


async def serve() -> None:
    """Until standard input ends."""
    loop = asyncio.get_running_loop()
    counts, commands, ended = Counts(), Commands(), asyncio.Event()
    server = await loop.create_server(lambda: Endpoint(counts), "127.0.0.1", 0)

    def obey() -> None:
        told = commands.read()
        for _ in told or ():
            said: Answer = {"port": server.sockets[0].getsockname()[1], **counts.__dict__}
            answer({**said, "at_s": time.perf_counter(), "cpu_s": time.process_time()})
        if told is None:
            ended.set()

    loop.add_reader(0, obey)
    await ended.wait()


if __name__ == "__main__":
    asyncio.run(serve())
