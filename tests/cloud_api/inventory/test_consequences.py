"""Promised stock that goes on hold: promised anew from elsewhere when there is enough, else kept, flagged and told."""

import uuid
from datetime import date
from decimal import Decimal
from typing import Any, cast

from sqlalchemy import select

from cloud_api.inventory.events import StockHeld
from cloud_api.inventory.ledger.models import StockLevel
from cloud_api.inventory.reactions import replace_held_stock
from cloud_api.inventory.reservations import service as reservations
from cloud_api.inventory.reservations.service import Wish
from cloud_api.kernel.outbox import OutboxEvent
from tests.cloud_api.inventory.stock import assert_consistent, hold, release
from tests.factories.farms import make_person
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.orders import make_van
from tests.factories.scopes import confine
from tests.factories.stores import ColdStore, make_room, make_warehouse, receive
from tests.platform_under_test import Platform, Tenant

pytestmark = IN_ONE_LOOP

TODAY = date(2026, 6, 1)
RESERVATIONS = "/api/v1/warehouse/stock/reservations"


async def promise(farm: Platform, store: ColdStore, quantity: str, *, on: date = TODAY, source: str = "me") -> None:
    wish = Wish(uuid.UUID(store.product_id), Decimal(quantity), source)
    async with farm.database.unit_of_work(store.tenant.organization) as db:
        await reservations.reserve(db, [wish], location_ids=[uuid.UUID(store.room_id)], on=on)


async def hear(farm: Platform, store: ColdStore, *, place: str = "") -> None:
    """The room goes on hold, and inventory hears of it."""
    location_id = uuid.UUID(place or store.room_id)
    await hold(farm, store, "excursion:1", str(location_id))
    async with farm.database.unit_of_work(store.tenant.organization) as db:
        levels = tuple(await db.scalars(select(StockLevel.id).where(StockLevel.location_id == location_id)))
        await replace_held_stock(db, StockHeld(uuid.uuid4(), location_id, levels))


async def promised(store: ColdStore, **asked: Any) -> list[tuple[str, str, bool]]:
    """(where, how much, at risk) of what is promised, oldest first."""
    rows = await store.tenant.get(RESERVATIONS, status="active", **asked)
    return [(row["location_id"], row["quantity"], row["at_risk_since"] is not None) for row in rows][::-1]


async def told(person: Tenant) -> list[str]:
    found = await person.get("/api/v1/notifications")
    return [one["title"] for one in found if one["category"] == "inventory"]


async def test_it_is_promised_anew_from_another_room_first_expired_first(farm: Platform, store: ColdStore) -> None:
    beside = await make_room(store.tenant, store.warehouse_id)
    await receive(store, lot="WARM", quantity="5")
    await promise(farm, store, "5")
    await receive(store, lot="LATE", expires_on="2027-05-01", quantity="4", location_id=beside)
    await receive(store, lot="SOON", expires_on="2027-01-01", quantity="4", location_id=beside)
    await hear(farm, store)
    assert await promised(store) == [(beside, "4.000", False), (beside, "1.000", False)]
    assert await told(store.tenant) == []
    await assert_consistent(farm, store)


async def test_where_there_is_not_enough_it_stays_is_flagged_and_told_once(farm: Platform, store: ColdStore) -> None:
    beside = await make_room(store.tenant, store.warehouse_id)
    await receive(store, lot="WARM", quantity="5")
    await promise(farm, store, "5")
    await receive(store, lot="FEW", quantity="4", location_id=beside)
    for _ in range(2):
        await hear(farm, store)
    assert await promised(store) == [(store.room_id, "5.000", True)]
    assert await promised(store, at_risk=True) == [(store.room_id, "5.000", True)]
    assert len(await told(store.tenant)) == 1
    await assert_consistent(farm, store)


async def test_of_two_promises_the_one_that_can_be_replaced_is(farm: Platform, store: ColdStore) -> None:
    beside = await make_room(store.tenant, store.warehouse_id)
    await receive(store, lot="WARM", quantity="9")
    await promise(farm, store, "6", source="big")
    await promise(farm, store, "3", source="small")
    await receive(store, lot="FEW", quantity="4", location_id=beside)
    await hear(farm, store)
    assert sorted(await promised(store)) == sorted([(store.room_id, "6.000", True), (beside, "3.000", False)])


async def test_what_expires_before_it_is_needed_or_lies_in_another_warehouse_replaces_nothing(
    farm: Platform, store: ColdStore
) -> None:
    await receive(store, lot="WARM", expires_on="2027-03-01", quantity="5")
    await promise(farm, store, "5", on=date(2027, 2, 1))
    beside = await make_room(store.tenant, store.warehouse_id)
    await receive(store, lot="EXPIRES", expires_on="2027-01-31", quantity="9", location_id=beside)
    other = await make_room(store.tenant, await make_warehouse(store.tenant))
    await receive(store, lot="FAR", quantity="9", location_id=other)
    await hear(farm, store)
    assert await promised(store) == [(store.room_id, "5.000", True)]


async def test_what_stands_packed_is_flagged_and_never_exchanged_on_paper(farm: Platform, store: ColdStore) -> None:
    beside = await make_room(store.tenant, store.warehouse_id)
    await receive(store, lot="WARM", quantity="5")
    await promise(farm, store, "5")
    async with farm.database.unit_of_work(store.tenant.organization) as db:
        await reservations.pick(db, ["me"])
    await receive(store, lot="COLD", quantity="9", location_id=beside)
    await hear(farm, store)
    assert await promised(store) == [(store.room_id, "5.000", True)]


async def test_a_release_takes_the_risk_away_and_so_does_giving_the_promise_back(
    farm: Platform, store: ColdStore
) -> None:
    await receive(store, lot="WARM", quantity="5")
    await promise(farm, store, "2", source="one")
    await promise(farm, store, "3", source="two")
    await hear(farm, store)
    async with farm.database.unit_of_work(store.tenant.organization) as db:
        await reservations.release(db, ["one"])
    assert await promised(store, at_risk=True) == [(store.room_id, "3.000", True)]
    await release(farm, store, "excursion:1")
    assert await store.tenant.get(RESERVATIONS, at_risk=True) == []
    assert await promised(store) == [(store.room_id, "3.000", False)]


async def test_only_who_may_see_the_place_is_told_and_no_customer(farm: Platform, store: ColdStore) -> None:
    here, elsewhere = [await make_person(farm, store.tenant, "inventory_staff") for _ in range(2)]
    customer = await make_person(farm, store.tenant, "customer")
    await confine(store.tenant, elsewhere, await make_warehouse(store.tenant))
    await receive(store, quantity="5")
    await promise(farm, store, "5")
    await hear(farm, store)
    assert [len(await told(who)) for who in (here, elsewhere, customer)] == [1, 0, 0]


async def held_events(farm: Platform, store: ColdStore) -> list[object]:
    """The levels that were said to be held, event by event."""
    async with farm.database.unit_of_work(store.tenant.organization, read_only=True) as db:
        its = select(OutboxEvent).where(OutboxEvent.type == "StockHeld").order_by(OutboxEvent.id)
        return [event.payload["stock_level_ids"] for event in await db.scalars(its)]


async def test_promised_stock_that_is_brought_into_a_warm_van_is_at_risk(farm: Platform, store: ColdStore) -> None:
    van = (await make_van(store.tenant))["location_id"]
    await receive(store, quantity="5")
    await promise(farm, store, "5")
    await hold(farm, store, "excursion:van", van)
    async with farm.database.unit_of_work(store.tenant.organization) as db:
        await reservations.move(db, ["me"], to_location_id=uuid.UUID(van), reference="R", moved_by=None)
    assert [len(cast(list[str], levels)) for levels in await held_events(farm, store)] == [0, 1]
    await hear(farm, store, place=van)
    assert await promised(store) == [(van, "5.000", True)]
