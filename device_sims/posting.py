"""Many clients that post what stands ready, each on a connection of its own: `python -m device_sims.posting`.

`load` names files of requests, one a client: each request is its length in four bytes and then HTTP/1.1 as it goes over
the wire, one after the other; `go` sends them, each client its own in order, the next when the last is answered, and
tells what was answered. A request that is answered 429 or 503 is sent again after the seconds of `Retry-After`. Made so
that a request costs little here, and the time is the server's.
"""

import argparse
import asyncio
import json
import time
from collections import Counter, deque
from collections.abc import Iterator
from pathlib import Path

from device_sims.own_process import Answer, Commands, answer

_TRY_AGAIN = frozenset({b"429", b"503"})


class Client:
    """One connection and what it has to send."""

    def __init__(self, requests: list[bytes]) -> None:
        self.requests = requests
        self.statuses: Counter[str] = Counter()
        self.took_s: list[float] = []
        #: sums of the numbers named so in the answers' `data`
        self.counted: Counter[str] = Counter()

    async def send_all(self, host: str, port: int) -> None:
        """Send everything, in order."""
        reader, writer = await asyncio.open_connection(host, port)
        try:
            waiting = deque(self.requests)
            while waiting:
                wait_s = await self._send(reader, writer, waiting[0])
                if wait_s is None:
                    waiting.popleft()
                else:
                    await asyncio.sleep(wait_s)
        finally:
            writer.close()

    async def _send(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> float | None:
        """Send one; how long to wait before it is sent again, None: it is settled."""
        began_s = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        status = head[9:12]
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(b":") for line in head.split(b"\r\n")[1:])
        }
        body = await reader.readexactly(int(headers.get(b"content-length", b"0")))
        self.took_s.append(time.perf_counter() - began_s)
        self.statuses[status.decode()] += 1
        if status in _TRY_AGAIN:
            return float(headers.get(b"retry-after", b"1"))
        if status == b"200":
            for name, value in json.loads(body)["data"].items():
                if isinstance(value, int):
                    self.counted[name] += value
        return None


def frame(requests: list[bytes]) -> bytes:
    """A file of one client's requests, as `load` reads it."""
    return b"".join(len(request).to_bytes(4, "big") + request for request in requests)


def unframe(file: bytes) -> Iterator[bytes]:
    """What `frame` wrote."""
    at = 0
    while at < len(file):
        length = int.from_bytes(file[at : at + 4], "big")
        yield file[at + 4 : at + 4 + length]
        at += 4 + length


def http_request(path: str, body: bytes, **headers: str) -> bytes:
    """A POST as it goes over the wire; `_` in a header's name stands for `-`."""
    lines = [f"POST {path} HTTP/1.1", "Host: coldfleet", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Posting:
    """What it can be told."""

    def __init__(self) -> None:
        self.clients: list[Client] = []

    def load(self, files: list[str]) -> Answer:
        """Read what is to be sent, one file a client."""
        self.clients = [Client(list(unframe(Path(file).read_bytes()))) for file in files]
        return {"requests": sum(len(client.requests) for client in self.clients)}

    def go(self, host: str, port: int) -> Answer:
        """Send everything; what came of it."""
        began_s = time.perf_counter()
        asyncio.run(self._send_all(host, port))
        took_s = sorted(second for client in self.clients for second in client.took_s)
        statuses: Counter[str] = Counter()
        counted: Counter[str] = Counter()
        for client in self.clients:
            statuses += client.statuses
            counted += client.counted
        return {
            "seconds": time.perf_counter() - began_s,
            "statuses": dict(statuses),
            "counted": dict(counted),
            "p50_ms": took_s[len(took_s) // 2] * 1000,
            "p95_ms": took_s[int(len(took_s) * 0.95)] * 1000,
        }

    async def _send_all(self, host: str, port: int) -> None:
        await asyncio.gather(*(client.send_all(host, port) for client in self.clients))


def main() -> None:
    """Do what is told, one command after the other."""
    argparse.ArgumentParser(prog="python -m device_sims.posting").parse_args()
    commands, posting = Commands(), Posting()
    while (told := commands.read()) is not None:
        for command in told:
            match command.pop("do"):
                case "load":
                    answer(posting.load(**command))
                case "go":
                    answer(posting.go(**command))
                case unknown:
                    answer({"error": f"nobody knows {unknown!r}"})


if __name__ == "__main__":
    main()
