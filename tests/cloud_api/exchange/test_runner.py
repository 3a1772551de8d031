"""Workers that share runs, fall silent, and take over: what is booked is booked once."""

import asyncio
import uuid
from datetime import timedelta
from typing import Any, cast

import pytest
from sqlalchemy import func, select, update

from cloud_api.catalog.products.models import Product
from cloud_api.exchange.models import ExportRun, ImportRun
from cloud_api.exchange.runner import Claim, Exchanger
from cloud_api.kernel import clock
from cloud_api.kernel.db import Database
from cloud_api.kernel.tenancy import SystemScope
from cloud_api.media.storage import Files
from tests.cloud_api.exchange.files import IMPORTS, csv_of, exchanger, send, work
from tests.factories.grounds import IN_ONE_LOOP
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP


def rows(count: int) -> list[dict[str, object]]:
    return [{"sku": f"P-{number:03d}", "name": f"Product {number}", "unit": "kg"} for number in range(count)]


async def silence(farm: Platform, run: Any) -> None:
    """Let the lease of whoever works on a run run out."""
    async with farm.database.unit_of_work(SystemScope("test")) as db:
        past = clock.machine_now() - timedelta(seconds=1)
        model = ImportRun if "file_name" in run else ExportRun
        await db.execute(update(model).where(model.id == uuid.UUID(run["id"])).values(leased_until=past))


async def claimed(farm: Platform, run: Any) -> Claim:
    """The claim of this run, when others' are worked off."""
    worker = exchanger(farm)
    while True:
        claim = await worker.claim(ImportRun) or await worker.claim(ExportRun)
        assert claim is not None
        if str(claim.run_id) == run["id"]:
            return claim
        await worker.work(claim)


async def products(farm: Platform) -> int:
    async with farm.database.unit_of_work(farm.tenant.organization, read_only=True) as db:
        return await db.scalar(select(func.count(Product.id))) or 0


class Killed(BaseException):
    """As a process ends: nothing that is written to go on after failures catches it."""


class ShortLived:
    """A database that is there for so many pieces of a run."""

    def __init__(self, database: Database, *, pieces: int) -> None:
        self._database = database
        self._pieces = pieces

    def unit_of_work(self, *args: Any, **said: Any) -> Any:
        """As the database's own."""
        self._pieces -= said.get("actor") is not None
        if self._pieces < 0:
            raise Killed
        return self._database.unit_of_work(*args, **said)


async def test_who_was_overtaken_writes_nothing_any_more(farm: Platform) -> None:
    run = await send(farm.tenant, csv_of(rows(3)), skip_bad_rows=True)
    slow = await claimed(farm, run)
    await silence(farm, run)
    quick = await claimed(farm, run)
    assert quick.attempt == slow.attempt + 1
    await exchanger(farm).work(slow)
    assert await products(farm) == 0
    await exchanger(farm).work(quick)
    told = await farm.tenant.get(f"{IMPORTS}/{run['id']}")
    assert (told["status"], told["created"], await products(farm)) == ("succeeded", 3, 3)
    await exchanger(farm).work(quick)
    assert await farm.tenant.get(f"{IMPORTS}/{run['id']}") == told


async def test_a_run_that_was_left_in_the_middle_goes_on_where_it_was(farm: Platform) -> None:
    run = await send(farm.tenant, csv_of(rows(250)), skip_bad_rows=True)
    dying = await claimed(farm, run)
    short_lived = cast(Database, ShortLived(farm.database, pieces=2))
    with pytest.raises(Killed):
        await Exchanger(short_lived, Files.of(farm.settings)).work(dying)
    assert await products(farm) == 200
    await silence(farm, run)
    await exchanger(farm).work(await claimed(farm, run))
    told = await farm.tenant.get(f"{IMPORTS}/{run['id']}")
    assert (told["status"], told["created"], told["unchanged"], await products(farm)) == ("succeeded", 250, 0, 250)


async def test_workers_share_runs_and_each_is_done_once(farm: Platform) -> None:
    runs = [await send(farm.tenant, csv_of(rows(4)), entity="products") for _ in range(4)]
    await asyncio.gather(*(work(farm) for _ in range(3)))
    told = [await farm.tenant.get(f"{IMPORTS}/{run['id']}") for run in runs]
    assert {run["status"] for run in told} <= {"succeeded", "failed"}
    assert sum(run["created"] for run in told) == await products(farm) == 4


async def test_a_run_over_which_all_fall_silent_fails_with_a_name(farm: Platform) -> None:
    run = await send(farm.tenant, csv_of(rows(1)))
    for _ in range(6):
        claim = await claimed(farm, run)
        await silence(farm, run)
    await exchanger(farm).work(claim)
    told = await farm.tenant.get(f"{IMPORTS}/{run['id']}")
    assert (told["status"], told["error_code"]) == ("failed", "GAVE_UP")


async def test_the_file_goes_when_its_run_is_over(farm: Platform) -> None:
    await send(farm.tenant, csv_of(rows(1)))
    kept = [path for path in farm.settings.media_folder.rglob("*") if path.is_file()]
    assert len(kept) == 1
    await work(farm)
    assert not any(path.is_file() for path in farm.settings.media_folder.rglob("*"))
