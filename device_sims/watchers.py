"""A thousand screens that show a live view: `python -m device_sims.watchers`.

Each is a websocket of its own, made so that a message costs a few microseconds here and the time is the server's: a
frame's header is read, and of its text only the last `"value":`. When a message arrived is told on the clock that all
processes of a machine share (`time.monotonic_ns`).

`connect` opens so many and answers when each has been shown everything; `report` tells what has arrived since the last
report, by value: how many sockets have heard it, the first and the last of them when.
"""

import argparse
import asyncio
import base64
import os
import time
from collections import Counter
from typing import Any

from device_sims.own_process import Answer, Commands, answer

_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10
#: handshakes at a time
_AT_ONCE = 50
_PATIENCE_S = 120.0


class Watcher(asyncio.Protocol):
    """One screen."""

    def __init__(self, screens: "Screens", request: bytes) -> None:
        self._screens = screens
        self._request = request
        self._unread = b""
        self._is_open = False
        self._transport: asyncio.Transport | None = None
        #: done when the first message has come
        self.shown: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the websocket."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a TCP connection's
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Look at every frame that is whole."""
        at_ns = time.monotonic_ns()
        unread = self._unread + data if self._unread else data
        if not self._is_open:
            head, found, unread = unread.partition(b"\r\n\r\n")
            if not found:
                self._unread = head
                return
            if b" 101 " not in head.split(b"\r\n", 1)[0]:
                self._end(head.split(b"\r\n", 1)[0].decode())
                return
            self._is_open = True
        while (frame := _frame(unread)) is not None:
            opcode, payload, unread = frame
            self._hear(opcode, payload, at_ns)
        self._unread = unread

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        self._end("lost")

    def _hear(self, opcode: int, payload: bytes, at_ns: int) -> None:
        if opcode == _TEXT:
            if self.shown.done():
                self._screens.note(payload, at_ns)
            else:
                self.shown.set_result(None)
        elif opcode == _PING and self._transport is not None:
            # a client's frames are masked; by a mask of zeros they stay what they are
            self._transport.write(bytes([0x80 | _PONG, 0x80 | len(payload)]) + bytes(4) + payload)
        elif opcode == _CLOSE:
            self._end(f"{int.from_bytes(payload[:2], 'big')} {payload[2:].decode(errors='replace')}")

    def _end(self, why: str) -> None:
        self._screens.ended[why] += 1
        if not self.shown.done():
            self.shown.set_exception(ConnectionError(why))
        if self._transport is not None:
            self._transport.close()


def _frame(data: bytes) -> tuple[int, bytes, bytes] | None:
    """(opcode, payload, what follows) of the first frame, which a server does not mask; None: it is not whole."""
    if len(data) < 2:
        return None
    length, begins = data[1] & 0x7F, 2
    if length >= 126:
        begins = 4 if length == 126 else 10
        if len(data) < begins:
            return None
        length = int.from_bytes(data[2:begins], "big")
    ends = begins + length
    return None if len(data) < ends else (data[0] & 0x0F, data[begins:ends], data[ends:])


class Screens:
    """All of them, and what they have seen."""

    def __init__(self) -> None:
        self.watchers: list[Watcher] = []
        #: value -> [sockets, first, last]
        self.seen: dict[str, list[int]] = {}
        self.messages = 0
        #: why sockets ended
        self.ended: Counter[str] = Counter()

    def note(self, payload: bytes, at_ns: int) -> None:
        """A message has come."""
        self.messages += 1
        begins = payload.rfind(b'"value":') + 8
        value = payload[begins : payload.find(b",", begins)].decode() if begins > 7 else payload[:40].decode()
        noted = self.seen.get(value)
        if noted is None:
            self.seen[value] = [1, at_ns, at_ns]
        else:
            noted[0] += 1
            noted[2] = at_ns

    async def connect(self, host: str, port: int, path: str, token: str, count: int) -> Answer:
        """Open so many, and wait until each is shown something."""
        began_s, turns, loop = time.monotonic(), asyncio.Semaphore(_AT_ONCE), asyncio.get_running_loop()
        lines = [
            f"GET {path} HTTP/1.1",
            f"Host: {host}:{port}",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
            f"Sec-WebSocket-Protocol: bearer, {token}",
        ]
        request = "\r\n".join([*lines, "", ""]).encode()

        async def open_one() -> None:
            async with turns:
                _, watcher = await loop.create_connection(lambda: Watcher(self, request), host, port)
                self.watchers.append(watcher)
                await asyncio.wait_for(watcher.shown, _PATIENCE_S)

        await asyncio.gather(*(open_one() for _ in range(count)))
        return {"open": len(self.watchers), "seconds": time.monotonic() - began_s}

    def report(self) -> Answer:
        """What has come since the last report."""
        seen, self.seen = self.seen, {}
        messages, self.messages = self.messages, 0
        return {"seen": seen, "messages": messages, "ended": dict(self.ended), "cpu_s": time.process_time()}


async def _serve() -> None:
    commands, screens, loop = Commands(), Screens(), asyncio.get_running_loop()
    told: asyncio.Queue[list[dict[str, Any]] | None] = asyncio.Queue()
    loop.add_reader(0, lambda: told.put_nowait(commands.read()))
    while (batch := await told.get()) is not None:
        for command in batch:
            match command.pop("do"):
                case "connect":
                    try:
                        answer(await screens.connect(**command))
                    except (OSError, TimeoutError) as error:
                        answer({"error": f"{type(error).__name__}: {error}"})
                case "report":
                    answer(screens.report())
                case unknown:
                    answer({"error": f"nobody knows {unknown!r}"})


def main() -> None:
    """Do what is told, one command after the other."""
    argparse.ArgumentParser(prog="python -m device_sims.watchers").parse_args()
    asyncio.run(_serve())


if __name__ == "__main__":
    main()
