"""However many workers hear the same thing at the same moment, a customer is told once."""

import asyncio
from datetime import timedelta

from sqlalchemy import select

from cloud_api.notifications import contacts, pacing
from cloud_api.notifications.models import ContactMessage, Pacing
from tests.factories.grounds import IN_ONE_LOOP
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

WORKERS = 6


async def test_workers_that_tell_at_once_tell_once(farm: Platform) -> None:
    async def tell() -> int:
        async with farm.database.unit_of_work(farm.tenant.organization) as db:
            told = await contacts.tell(
                db,
                contacts.Contact("Asha", "+919812345678"),
                template="payment.refunded",
                values={"order": "ORD-1", "amount": "INR 1.00"},
                subject="order:1",
                collapse_key="refunded:1",
                at_most_every=pacing.ONCE,
            )
            return len(told)

    assert sorted(await asyncio.gather(*(tell() for _ in range(WORKERS)))) == [0] * (WORKERS - 1) + [1]
    async with farm.database.unit_of_work(farm.tenant.organization, read_only=True) as db:
        assert len((await db.scalars(select(ContactMessage))).all()) == 1


async def test_matters_do_not_stand_in_each_others_way(farm: Platform) -> None:
    async def take(key: str) -> bool:
        async with farm.database.unit_of_work(farm.tenant.organization) as db:
            return await pacing.take_turn(db, key, at_most_every=timedelta(minutes=5))

    taken = await asyncio.gather(*(take(f"eta:{number % 3}") for number in range(3 * WORKERS)))
    assert sum(taken) == 3
    async with farm.database.unit_of_work(farm.tenant.organization, read_only=True) as db:
        assert len((await db.scalars(select(Pacing))).all()) == 3
