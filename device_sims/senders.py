"""Gateways that send without end, and keep a ledger of what was acknowledged: `python -m device_sims.senders`.

Each has one connection and one batch on its way. A batch that is refused for now (429, 503), or whose answer never
came, is sent again as it is, to the next server when one does not answer: so the ledger holds what a server has
promised, and nothing else. `start` begins, `report` tells, `stop` ends when each has its last answer, and hands over
the ledger.
"""

import argparse
import asyncio
import json
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

import msgspec

from device_sims.own_process import Answer, Commands, answer
from gateway.contract import WIRE_VERSION, Batch, ReadingColumns

#: of an answer: longer, and the server counts as gone
_PATIENCE_S = 30.0
_RECONNECT_S = 0.1
_AGAIN = frozenset({429, 503})


@dataclass(frozen=True)
class Plan:
    """What every gateway does."""

    #: (host, port) of each server
    servers: list[tuple[str, int]]
    #: readings in a batch
    rows: int
    #: seconds from one batch to the next; 0: as soon as the last is settled
    every_s: float
    #: after how long a refused batch is sent again; None: after the `Retry-After` of the refusal
    again_s: float | None


class Sender:
    """One gateway."""

    def __init__(self, plan: Plan, number: int, authorization: str, epoch: str, sensors: list[str]) -> None:
        self._plan = plan
        self._number = number
        self._authorization = authorization
        self.epoch = epoch
        self._sensors = sensors
        #: what the servers have acknowledged
        self.acked_through = 0
        self.offered = 0
        self.statuses: Counter[str] = Counter()
        self.is_ending = False
        self._server = number
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def run(self) -> None:
        """Send until told to end."""
        await asyncio.sleep(self._plan.every_s * (self._number % 100) / 100)
        due_s = time.monotonic()
        while not self.is_ending:
            self.offered += 1
            await self._settle(self._batch())
            due_s += self._plan.every_s
            if self._plan.every_s:
                behind = int((time.monotonic() - due_s) / self._plan.every_s)
                if behind > 0:  # they pile up at the gateway, and are offered all the same
                    self.offered += behind
                    due_s += behind * self._plan.every_s
                await asyncio.sleep(max(0.0, due_s - time.monotonic()))
        self._hang_up()

    def _batch(self) -> bytes:
        rows, count, now_ms = self._plan.rows, len(self._sensors), time.time_ns() // 1_000_000
        columns = ReadingColumns(
            [(sensor, "temperature", "Cel") for sensor in self._sensors],
            [row % count for row in range(rows)],
            [(self.acked_through + 1, rows)],
            [now_ms - rows, *[1] * (rows - 1)],
            [4.0 + (row * 37 % 100) / 100 for row in range(rows)],
        )
        body = msgspec.json.encode(Batch(WIRE_VERSION, self.epoch, "readings", columns=columns))
        head = (
            f"POST /api/v1/telemetry/readings HTTP/1.1\r\nHost: coldfleet\r\nAuthorization: {self._authorization}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    async def _settle(self, request: bytes) -> None:
        while True:
            try:
                status, retry_after_s, body = await asyncio.wait_for(self._post(request), _PATIENCE_S)
            except (OSError, EOFError, TimeoutError):
                self.statuses["no answer"] += 1
                self._hang_up()
                self._server += 1
                if self.is_ending:
                    return
                await asyncio.sleep(_RECONNECT_S)
                continue
            self.statuses[str(status)] += 1
            if status == 200:
                self.acked_through = json.loads(body)["data"]["acked_through"]
                return
            if status not in _AGAIN or self.is_ending:
                return
            again_s = self._plan.again_s
            await asyncio.sleep(retry_after_s if again_s is None else again_s)

    async def _post(self, request: bytes) -> tuple[int, float, bytes]:
        if self._streams is None:
            self._streams = await asyncio.open_connection(*self._plan.servers[self._server % len(self._plan.servers)])
        reader, writer = self._streams
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        headers = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
        body = await reader.readexactly(int(headers.get(b"content-length", b"0")))
        if headers.get(b"connection") == b"close":
            self._hang_up()
        return int(head[9:12]), float(headers.get(b"retry-after", b"1")), body

    def _hang_up(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


class Senders:
    """All of them."""

    def __init__(self) -> None:
        self._senders: list[Sender] = []
        self._tasks: list[asyncio.Task[None]] = []

    def start(
        self,
        servers: list[tuple[str, int]],
        gateways: list[tuple[str, str, list[str]]],
        rows: int,
        every_s: float = 0.0,
        again_s: float | None = None,
    ) -> Answer:
        """Begin; of each gateway its header of authorization, its epoch and its sensors."""
        plan = Plan([(host, port) for host, port in servers], rows, every_s, again_s)
        self._senders = [Sender(plan, number, *gateway) for number, gateway in enumerate(gateways)]
        self._tasks = [asyncio.create_task(sender.run()) for sender in self._senders]
        return {}

    def report(self) -> Answer:
        """The sums so far."""
        statuses: Counter[str] = Counter()
        for sender in self._senders:
            statuses += sender.statuses
        return {
            "at_s": time.monotonic(),
            "offered": sum(sender.offered for sender in self._senders),
            "acked_rows": sum(sender.acked_through for sender in self._senders),
            "statuses": dict(statuses),
            "cpu_s": time.process_time(),
        }

    async def stop(self) -> Answer:
        """End; the report, and the ledger: what was acknowledged of each epoch."""
        for sender in self._senders:
            sender.is_ending = True
        await asyncio.gather(*self._tasks)
        return {**self.report(), "ledger": {sender.epoch: sender.acked_through for sender in self._senders}}


async def _serve() -> None:
    commands, senders, loop = Commands(), Senders(), asyncio.get_running_loop()
    told: asyncio.Queue[list[dict[str, Any]] | None] = asyncio.Queue()
    loop.add_reader(0, lambda: told.put_nowait(commands.read()))
    while (batch := await told.get()) is not None:
        for command in batch:
            match command.pop("do"):
                case "start":
                    answer(senders.start(**command))
                case "report":
                    answer(senders.report())
                case "stop":
                    answer(await senders.stop())
                case unknown:
                    answer({"error": f"nobody knows {unknown!r}"})


def main() -> None:
    """Do what is told, one command after the other."""
    argparse.ArgumentParser(prog="python -m device_sims.senders").parse_args()
    asyncio.run(_serve())


if __name__ == "__main__":
    main()
