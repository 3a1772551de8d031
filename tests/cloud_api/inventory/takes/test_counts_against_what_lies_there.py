"""Whatever happens while people count: what was counted is afterwards what lies there, and no sale is a loss."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Literal, NamedTuple

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from cloud_api.inventory.ledger.models import StockLevel
from cloud_api.inventory.stock import service as stock
from cloud_api.inventory.takes import service as takes
from cloud_api.inventory.takes.schemas import TakeCreate
from cloud_api.kernel import clock
from tests.cloud_api.inventory.stock import assert_consistent
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.properties import FEW
from tests.factories.stores import ColdStore, make_product, receive
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP


class Event(NamedTuple):
    """Something that happens on the floor to one of two lots."""

    what: Literal["sell", "sell_and_book_later", "count", "book_what_was_forgotten"]
    lot: int
    thousandths: int


events = st.lists(
    st.builds(
        Event,
        what=st.sampled_from(["sell", "sell_and_book_later", "count", "book_what_was_forgotten"]),
        lot=st.integers(0, 1),
        thousandths=st.integers(1, 9_000),
    ),
    max_size=6,
)


class Floor:
    """What really lies there, and who has forgotten to write down what."""

    def __init__(self, farm: Platform, store: ColdStore, lots: Sequence[uuid.UUID], stolen: Sequence[int]) -> None:
        self.farm, self.store, self.lots = farm, store, lots
        self.room_id = uuid.UUID(store.room_id)
        self.there = [Decimal(100) - Decimal(gone) / 1000 for gone in stolen]
        self.forgotten: list[tuple[int, Decimal, datetime]] = []

    async def book(self, lot: int, quantity: Decimal, effective_at: datetime | None = None) -> None:
        async with self.farm.database.unit_of_work(self.store.tenant.organization) as db:
            await stock.adjust_stock(
                db,
                lot_id=self.lots[lot],
                location_id=self.room_id,
                delta=-quantity,
                reason="sold",
                effective_at=effective_at,
            )

    async def remember(self) -> None:
        """Write down what was forgotten, with the time it happened."""
        for lot, quantity, at in self.forgotten:
            await self.book(lot, quantity, at)
        self.forgotten.clear()

    async def happen(self, event: Event, take_id: uuid.UUID) -> None:
        quantity = Decimal(event.thousandths) / 1000
        if event.what == "count":
            await self.count(event.lot, take_id)
        elif event.what == "book_what_was_forgotten":
            await self.remember()
        else:
            self.there[event.lot] -= quantity
            if event.what == "sell":
                await self.book(event.lot, quantity)
            else:
                self.forgotten.append((event.lot, quantity, clock.now()))

    async def count(self, lot: int, take_id: uuid.UUID) -> None:
        async with self.farm.database.unit_of_work(self.store.tenant.organization) as db:
            await takes.enter_count(
                db,
                take_id,
                lot_id=self.lots[lot],
                location_id=self.room_id,
                quantity=self.there[lot],
                method="manual",
                counted_by=None,
            )


@FEW
@given(stolen=st.lists(st.integers(0, 1_000), min_size=2, max_size=2), before=events, after=events)
async def test_after_a_take_the_books_say_what_lies_there(
    farm: Platform, store: ColdStore, stolen: Sequence[int], before: Sequence[Event], after: Sequence[Event]
) -> None:
    product_id = await make_product(store.tenant)
    lots = [uuid.UUID((await receive(store, lot=f"LOT-{one}", product_id=product_id))["lot_id"]) for one in range(2)]
    floor, scope = Floor(farm, store, lots, stolen), store.tenant.organization
    new = TakeCreate(warehouse_id=uuid.UUID(store.warehouse_id), product_ids=[uuid.UUID(product_id)])
    async with farm.database.unit_of_work(scope) as db:
        take = await takes.create_take(db, new=new, created_by=None)
    for event in before:
        await floor.happen(event, take.id)
    for lot in range(2):
        await floor.count(lot, take.id)
    for event in after:
        await floor.happen(event, take.id)
    await floor.remember()
    async with farm.database.unit_of_work(scope) as db:
        await takes.submit_take(db, take.id, submitted_by=None)
    async with farm.database.unit_of_work(scope) as db:
        await takes.approve_take(db, take.id, approved_by=uuid.uuid4())
    async with farm.database.unit_of_work(scope) as db:
        await takes.complete_take(db, take.id, completed_by=None)
        levels = await db.scalars(select(StockLevel).where(StockLevel.lot_id.in_(lots)))
        assert {level.lot_id: level.on_hand for level in levels} == dict(zip(lots, floor.there, strict=True))
    await assert_consistent(farm, store)
