"""Two people never get the same crate: 64 at once on both databases, and who does not lock is found out."""

import random
import uuid
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from cloud_api.kernel.db import Database
from tests.cloud_api.inventory.concurrency.histories import linearisable
from tests.cloud_api.inventory.concurrency.reservers import RESERVERS, Ground, oversold, play, reserve_unlocked
from tests.engines import CROWDS_MOSTLY_POSTGRES
from tests.factories.farms import open_farm, plant_store
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.stores import make_product

pytestmark = IN_ONE_LOOP

SEED = 20_260_601


@pytest_asyncio.fixture(loop_scope="session")
async def shelf(ground_url: str) -> AsyncIterator[Ground]:
    """A place of this test's own, and a connection for each who reserves."""
    database = Database(ground_url, pool_size=RESERVERS)
    try:
        async with open_farm(database) as farm:
            store = await plant_store(farm)
            other = await make_product(store.tenant)
            products = (uuid.UUID(store.product_id), uuid.UUID(other))
            yield Ground(database, store.tenant.organization, uuid.UUID(store.room_id), *products)
    finally:
        await database.close()


async def nobody_oversells(shelf: Ground, *, rounds: int) -> None:
    refused = 0
    for number in range(rounds):
        chance = random.Random(f"{SEED} {number}")
        played = await play(shelf, chance)
        assert await oversold(shelf, played) == [], f"round {number} of seed {SEED}"
        assert linearisable(played.history, free=played.free[shelf.single_id]), (
            f"round {number} of seed {SEED}: nobody who serves one at a time would have given these answers"
        )
        refused += played.refused
    assert refused > rounds  # there was less than they wanted


@CROWDS_MOSTLY_POSTGRES
@pytest.mark.timeout(600)
async def test_of_64_who_want_the_same_crates_at_once_nobody_gets_anothers(shelf: Ground) -> None:
    await nobody_oversells(shelf, rounds=50)


@pytest.mark.long
@pytest.mark.timeout(3600)
async def test_nor_in_a_thousand_rounds(shelf: Ground) -> None:
    await nobody_oversells(shelf, rounds=1_000)


async def test_who_looks_and_then_writes_without_holding_anything_does_oversell(shelf: Ground) -> None:
    played = await play(shelf, random.Random(SEED), reserve_unlocked, give_back=0.0)
    assert await oversold(shelf, played) != []
    assert not linearisable(played.history, free=played.free[shelf.single_id])
