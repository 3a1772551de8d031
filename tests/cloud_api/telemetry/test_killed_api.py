"""The API is killed under load: what it acknowledged is there, once; what it did not is sent again and is there too.

The senders' own ledgers decide. They send what overlaps what they sent before, and whatever was not answered again.
"""

import asyncio
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx2
import pytest

from cloud_api.kernel import clock
from cloud_api.kernel.db import Database
from tests.factories.batches import Row, make_batch, make_column_batch, make_series, stored_rows
from tests.factories.farms import open_farm_alone, plant_gateway, plant_store
from tests.factories.stores import ColdStore
from tests.platform_under_test import Platform
from tests.services.free_port import free_port
from tests.services.processes import RunningProcess, running
from tests.services.waiting import until

ROOT = Path(__file__).parents[3]
ROWS = 400
SENDERS = 8


@dataclass
class Api:
    """One API process, that may be killed and started again at the same address."""

    folder: Path
    database_url: str
    stack: ExitStack
    port: int = field(default_factory=free_port)
    process: RunningProcess | None = None

    async def start(self) -> None:
        ready = self.folder / "ready.json"
        ready.unlink(missing_ok=True)
        command = [sys.executable, "-m", "coldfleet", "cloud", "serve"]
        command += ["--ready-file", str(ready), "--port", str(self.port)]
        outside = {"PYTHONPATH": str(ROOT), "COLDFLEET_DATABASE_URL": self.database_url}
        process = self.process = self.stack.enter_context(running(command, cwd=self.folder, environment=outside))
        await until(lambda: ready.exists() or process.exit_code is not None, what="the API answers", timeout_s=60)
        assert process.exit_code is None, process.output()

    async def kill(self) -> None:
        assert self.process is not None
        await asyncio.to_thread(self.process.kill)


@dataclass
class Sender:
    """A gateway's lane, and what was acknowledged of it."""

    store: ColdStore
    rows: list[Row]
    apis: list[Api]
    chance: random.Random
    acked_through: int = 0
    refused: list[object] = field(default_factory=list)

    async def run(self) -> None:
        async with httpx2.AsyncClient(
            timeout=20, headers={"Authorization": f"Bearer {self.store.gateway_token}"}
        ) as http:
            while self.acked_through < ROWS:
                begin = max(0, self.acked_through - self.chance.randrange(12))
                await self._send(http, self.rows[begin : self.acked_through + self.chance.randrange(1, 25)])

    async def _send(self, http: httpx2.AsyncClient, rows: list[Row]) -> None:
        batch = make_batch(rows) if self.chance.random() < 0.5 else make_column_batch(rows)
        url = f"http://127.0.0.1:{self.chance.choice(self.apis).port}/api/v1/telemetry/readings"
        try:
            answer = await http.post(url, json=batch)
        except httpx2.TransportError:  # killed: nobody knows what became of it
            await asyncio.sleep(0.02)
            return
        assert answer.status_code == 200, answer.text
        told = answer.json()["data"]
        self.refused += told["refused"]
        self.acked_through = max(self.acked_through, told["acked_through"])


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


async def plant(database_url: str) -> tuple[Platform, list[ColdStore]]:
    async with open_farm_alone(database_url) as platform:
        store = await plant_store(platform)
        gateways = [await plant_gateway(platform, platform.tenant) for _ in range(SENDERS)]
    return platform, [replace(store, gateway_id=gateway_id, gateway_token=token) for gateway_id, token in gateways]


async def prove(database_url: str, apis: list[Api], *, kills: int) -> None:
    platform, stores = await plant(database_url)
    # of today: old days would be sealed meanwhile
    rows = make_series([float(number) for number in range(ROWS)], start_ms=clock.now_ms() - ROWS * 1000, every_s=1)
    senders = [Sender(store, rows, apis, random.Random(number)) for number, store in enumerate(stores)]
    await asyncio.gather(*(api.start() for api in apis))
    sending = asyncio.gather(*(sender.run() for sender in senders))

    def have(share: float) -> Callable[[], bool]:
        return lambda: sending.done() or sum(one.acked_through for one in senders) >= share * ROWS * SENDERS

    for number in range(kills):
        await until(have((number + 1) / (kills + 2)), what="enough is acknowledged", timeout_s=60)
        victim = apis[number % len(apis)]
        await victim.kill()
        await victim.start()
    await sending
    platform.database = Database(database_url)
    for sender in senders:
        assert sender.refused == []
        expected = [(row["sequence"], row["recorded_at_ms"], row["value"]) for row in rows]
        assert await stored_rows(platform, sender.store) == expected
    await platform.database.close()


async def test_an_api_that_is_killed_loses_and_doubles_nothing_on_sqlite(
    sqlite_url: str, tmp_path: Path, stack: ExitStack
) -> None:
    await prove(sqlite_url, [Api(tmp_path, sqlite_url, stack)], kills=2)


@pytest.mark.long
async def test_one_of_two_apis_that_is_killed_loses_and_doubles_nothing(
    postgres_url: str, tmp_path: Path, stack: ExitStack
) -> None:
    apis = [Api(tmp_path / str(number), postgres_url, stack) for number in range(2)]
    for api in apis:
        api.folder.mkdir()
    await prove(postgres_url, apis, kills=4)
