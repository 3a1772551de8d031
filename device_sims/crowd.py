"""People at their screens and phones, many at a time: `python -m device_sims.crowd`.

Each has one connection, and asks again and again: one of the things that people of their kind ask, drawn by weight,
then thinks for a while, drawn from an exponential distribution. A page that was seen before is asked for with its
`ETag`, as a browser does. What is left of a request's time when the answer's last byte is there is the crowd's own:
the program does nothing but write and read.

In a path or body `$now` stands for the present instant, `$id` for an id nobody has used, `$n` for a number that grows.
"""

import argparse
import asyncio
import itertools
import random
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from device_sims.own_process import Answer, Commands, answer

#: of an answer: longer, and nobody waits any more
_PATIENCE_S = 30.0
_RECONNECT_S = 0.2
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Ask:
    """Something that people ask."""

    name: str
    weight: float
    method: str
    path: str
    body: str = ""

    def request(self, authorization: str, etag: str) -> bytes:
        """As it goes over the wire."""
        path, body = _filled(self.path), _filled(self.body).encode()
        lines = [f"{self.method} {path} HTTP/1.1", "Host: coldfleet", f"Authorization: {authorization}"]
        if body:
            lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        if etag:
            lines.append(f"If-None-Match: {etag}")
        return "\r\n".join([*lines, "", ""]).encode() + body


def _filled(text: str) -> str:
    if "$" not in text:
        return text
    text = text.replace("$now", datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"))
    return text.replace("$id", str(uuid.uuid4())).replace("$n", str(next(_numbers)))


class Person:
    """One of the crowd."""

    def __init__(self, crowd: "Crowd", number: int, authorization: str, asks: Sequence[Ask], thinks_s: float) -> None:
        self._crowd = crowd
        self._dice = random.Random(number)  # noqa: S311 - a simulator's
        self._authorization = authorization
        self._asks = asks
        self._weights = [ask.weight for ask in asks]
        self._thinks_s = thinks_s
        self._etags: dict[str, str] = {}
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def live(self) -> None:
        """Ask and think until cancelled."""
        try:
            await asyncio.sleep(self._dice.uniform(0, self._thinks_s))
            while True:
                [ask] = self._dice.choices(self._asks, self._weights)
                await self._ask(ask)
                await asyncio.sleep(self._dice.expovariate(1 / self._thinks_s) if self._thinks_s else 0.0)
        finally:
            self._hang_up()

    async def _ask(self, ask: Ask) -> None:
        began_s = time.monotonic()
        try:
            async with asyncio.timeout(_PATIENCE_S):
                status = await self._exchange(ask)
        except (OSError, EOFError, TimeoutError):
            self._hang_up()
            self._crowd.statuses["no answer"] += 1
            await asyncio.sleep(_RECONNECT_S)
            return
        self._crowd.note(ask.name, status, (time.monotonic() - began_s) * 1000)

    async def _exchange(self, ask: Ask) -> int:
        if self._streams is None:
            self._streams = await asyncio.open_connection(*self._crowd.server)
        reader, writer = self._streams
        writer.write(ask.request(self._authorization, self._etags.get(ask.path, "")))
        head = await reader.readuntil(b"\r\n\r\n")
        headers = {
            name.lower(): value for name, _, value in (line.partition(b": ") for line in head.split(b"\r\n")[1:])
        }
        await reader.readexactly(int(headers.get(b"content-length", b"0")))
        if headers.get(b"connection", b"").lower() == b"close":
            self._hang_up()
        if b"etag" in headers and ask.method == "GET":
            self._etags[ask.path] = headers[b"etag"].decode()
        return int(head[9:12])

    def _hang_up(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


class Crowd:
    """All of them, and how long they waited."""

    def __init__(self) -> None:
        self.server = ("", 0)
        self.statuses: Counter[str] = Counter()
        #: name of what was asked -> milliseconds, one an answer
        self.took_ms: dict[str, list[float]] = defaultdict(list)
        self._people: list[Person] = []
        self._tasks: list[asyncio.Task[None]] = []

    def gather(self, host: str, port: int, people: Sequence[Mapping[str, Any]]) -> Answer:
        """Bring people: of each the header of authorization, what they ask, and how long they think, in seconds."""
        self.server = (host, port)
        self._people += [
            Person(self, number, who["authorization"], [Ask(**ask) for ask in who["asks"]], who["thinks_s"])
            for number, who in enumerate(people, len(self._people))
        ]
        return {"people": len(self._people)}

    async def let_ask(self, count: int) -> Answer:
        """So many of them ask from now on, the first ones; the others stop."""
        while len(self._tasks) > count:
            task = self._tasks.pop()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        for person in self._people[len(self._tasks) : count]:
            self._tasks.append(asyncio.create_task(person.live()))
        return {"people": len(self._tasks)}

    def note(self, name: str, status: int, took_ms: float) -> None:
        """An answer has come."""
        self.statuses[str(status)] += 1
        self.took_ms[name].append(took_ms)

    def report(self) -> Answer:
        """What came since the last report."""
        took_ms, self.took_ms = self.took_ms, defaultdict(list)
        statuses, self.statuses = self.statuses, Counter()
        return {
            "at_s": time.monotonic(),
            "took_ms": took_ms,
            "statuses": dict(statuses),
            "cpu_s": time.process_time(),
        }


async def _serve() -> None:
    commands, crowd, loop = Commands(), Crowd(), asyncio.get_running_loop()
    told: asyncio.Queue[list[dict[str, Any]] | None] = asyncio.Queue()
    loop.add_reader(0, lambda: told.put_nowait(commands.read()))
    while (batch := await told.get()) is not None:
        for command in batch:
            match command.pop("do"):
                case "gather":
                    answer(crowd.gather(**command))
                case "let_ask":
                    answer(await crowd.let_ask(**command))
                case "report":
                    answer(crowd.report())
                case unknown:
                    answer({"error": f"nobody knows {unknown!r}"})


def main() -> None:
    """Do what is told, one command after the other."""
    argparse.ArgumentParser(prog="python -m device_sims.crowd").parse_args()
    asyncio.run(_serve())


if __name__ == "__main__":
    main()
