"""Reserving by hand for a while: what lapses is free again, and never leaves as if it were still promised."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.inventory.errors import ReservationExpired
from cloud_api.inventory.reservations import expiry
from cloud_api.inventory.reservations import service as reservations
from cloud_api.inventory.reservations.expiry import ReservationExpiry
from cloud_api.inventory.reservations.service import Wish
from cloud_api.kernel import clock
from cloud_api.kernel.outbox import OutboxEvent
from tests.cloud_api.inventory.stock import assert_consistent, lying_in
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.moments import at_the_same_moment
from tests.factories.orders import make_depot, order_from
from tests.factories.stores import ColdStore, make_room, make_warehouse, receive
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

PATH = "/api/v1/warehouse/stock/reservations"
TODAY = date(2026, 6, 1)


def later(**by: float) -> datetime:
    return clock.now() + timedelta(**by)


def asked(store: ColdStore, **fields: Any) -> dict[str, Any]:
    where = {"product_id": store.product_id, "warehouse_id": store.warehouse_id}
    return {"reference": "Market day", "quantity": "2", **where, **fields}


async def promise(farm: Platform, store: ColdStore, quantity: str, *, expires_at: datetime | None) -> None:
    wish = Wish(uuid.UUID(store.product_id), Decimal(quantity), "me")
    async with farm.database.unit_of_work(store.tenant.organization) as db:
        await reservations.reserve(db, [wish], location_ids=[uuid.UUID(store.room_id)], on=TODAY, expires_at=expires_at)


async def statuses(store: ColdStore) -> list[str]:
    return [row["status"] for row in await store.tenant.get(PATH, product_id=store.product_id)]


async def expire(farm: Platform, store: ColdStore, at: datetime) -> int:
    async with farm.database.unit_of_work(store.tenant.organization) as db:
        return await expiry.expire(db, at)


async def test_what_is_reserved_by_hand_stands_there_until_it_is_given_back(farm: Platform, store: ColdStore) -> None:
    await receive(store, lot="ONE", expires_on="2027-01-01", quantity="1.5")
    await receive(store, lot="TWO", expires_on="2027-02-01", quantity="5")
    made = await store.tenant.post(PATH, asked(store))
    assert [(row["quantity"], row["status"], row["source"]) for row in made] == [
        ("1.500", "active", "manual:Market day"),
        ("0.500", "active", "manual:Market day"),
    ]
    assert await store.tenant.get(PATH, source="manual:Market day") == made[::-1]
    assert await store.tenant.get(f"{PATH}/{made[0]['id']}") == made[0]
    for _ in range(2):
        given_back = await store.tenant.post(f"{PATH}/{made[0]['id']}/release")
        assert given_back["status"] == "released"
    assert (await lying_in(store.tenant, store.room_id))["ONE"][1] == "1.500"
    await assert_consistent(farm, store)


async def test_one_level_can_be_reserved_though_another_expires_first(farm: Platform, store: ColdStore) -> None:
    await receive(store, lot="SOON", expires_on="2027-01-01", quantity="5")
    await receive(store, lot="LATE", expires_on="2027-02-01", quantity="5")
    levels = await store.tenant.get("/api/v1/warehouse/stock/levels", location_id=store.room_id)
    lots = {lot["id"]: lot["lot_number"] for lot in await store.tenant.get("/api/v1/warehouse/batches")}
    [late] = [level["id"] for level in levels if lots[level["lot_id"]] == "LATE"]
    body = {"reference": "R", "quantity": "5", "stock_level_id": late}
    [made] = await store.tenant.post(PATH, body)
    assert (made["stock_level_id"], lots[made["lot_id"]]) == (late, "LATE")
    refused = await store.tenant.client.post(PATH, json=body)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "NOT_ENOUGH_STOCK")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"product_id": None}, "product_id"),
        ({"warehouse_id": None}, "warehouse_id"),
        ({"stock_level_id": str(uuid.UUID(int=1))}, "stock_level_id"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "2099-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "2099-01-01T00:00:00"}, "expires_at"),
        ({"quantity": "0"}, "quantity"),
        ({"quantity": "-1"}, "quantity"),
        ({"quantity": "0.0001"}, "quantity"),
        ({"reference": ""}, "reference"),
    ],
)
async def test_what_cannot_be_meant_is_refused_by_its_name(
    farm: Platform, store: ColdStore, wrong: dict[str, object], field: str
) -> None:
    await receive(store, quantity="5")
    answer = await store.tenant.client.post(PATH, json=asked(store, **wrong))
    assert answer.status_code == 422
    assert answer.json()["error"]["details"][0]["field"].endswith(field)
    assert await statuses(store) == []


async def test_what_is_promised_to_an_order_is_given_back_by_the_order_only(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    order = await order_from(depot, quantity="1")
    await farm.tenant.post(f"/api/v1/orders/{order['id']}/confirm")
    [made] = await farm.tenant.get(PATH, product_id=depot.product_id)
    answer = await farm.tenant.client.post(f"{PATH}/{made['id']}/release")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "RESERVATION_OF_ANOTHER")


async def test_what_lapsed_is_free_again_and_says_so_once(farm: Platform, store: ColdStore) -> None:
    await receive(store, quantity="5")
    await promise(farm, store, "2", expires_at=later(minutes=5))
    await promise(farm, store, "3", expires_at=None)
    assert await expire(farm, store, later(minutes=4)) == 0
    assert [await expire(farm, store, later(minutes=6)) for _ in range(2)] == [1, 0]
    assert sorted(await statuses(store)) == ["active", "expired"]
    assert await lying_in(store.tenant, store.room_id) == {"LOT-1": ("5.000", "2.000", "available")}
    async with farm.database.unit_of_work(store.tenant.organization, read_only=True) as db:
        said = await db.scalars(select(OutboxEvent.payload).where(OutboxEvent.type == "ReservationsExpired"))
        assert said.all() == [{"sources": ["me"]}]
    await assert_consistent(farm, store)


async def test_the_loop_frees_what_lapsed_of_every_organisation(farm: Platform, store: ColdStore) -> None:
    await receive(store, quantity="5")
    await promise(farm, store, "2", expires_at=later(minutes=-1))
    await asyncio.gather(*(ReservationExpiry(farm.database).expire_due() for _ in range(3)))
    assert await statuses(store) == ["expired"]
    await assert_consistent(farm, store)


async def test_what_lapsed_never_leaves_though_nobody_has_written_it_down(farm: Platform, store: ColdStore) -> None:
    van = uuid.UUID(await make_room(store.tenant, store.warehouse_id))
    await receive(store, quantity="5")
    await promise(farm, store, "2", expires_at=later(seconds=-1))
    verbs: list[Callable[[AsyncSession], Awaitable[object]]] = [
        lambda db: reservations.pick(db, ["me"]),
        lambda db: reservations.move(db, ["me"], to_location_id=van, reference="", moved_by=None),
        lambda db: reservations.consume(db, ["me"], reference="", consumed_by=None),
    ]
    for verb in verbs:
        with pytest.raises(ReservationExpired, match="reserve it again"):
            async with farm.database.unit_of_work(store.tenant.organization) as db:
                await verb(db)
    assert await lying_in(store.tenant, store.room_id) == {"LOT-1": ("5.000", "3.000", "available")}


async def test_of_lapsing_and_leaving_at_the_same_moment_one_happens(farm: Platform, store: ColdStore) -> None:
    await receive(store, quantity="5")
    for _ in range(4):
        await promise(farm, store, "1", expires_at=later(seconds=30))

        async def leave() -> str:
            async with farm.database.unit_of_work(store.tenant.organization) as db:
                await reservations.consume(db, ["me"], reference="", consumed_by=None)
            return "left"

        await asyncio.gather(leave(), expire(farm, store, later(minutes=1)))
        await assert_consistent(farm, store)
    settled = await statuses(store)
    gone = settled.count("consumed")
    assert settled.count("expired") == 4 - gone
    assert (await lying_in(store.tenant, store.room_id))["LOT-1"][0] == f"{5 - gone}.000"


async def test_what_is_being_taken_out_does_not_lapse_meanwhile(farm: Platform, store: ColdStore) -> None:
    await receive(store, quantity="5")
    await promise(farm, store, "1", expires_at=later(seconds=30))
    late = later(minutes=1)
    async with at_the_same_moment(farm, store.tenant, lambda db: expiry.expire(db, late)) as db:
        await reservations.consume(db, ["me"], reference="", consumed_by=None)
    assert await statuses(store) == ["consumed"]
    await assert_consistent(farm, store)


async def test_what_stands_packed_lapses_no_more(farm: Platform, store: ColdStore) -> None:
    await receive(store, quantity="5")
    await promise(farm, store, "1", expires_at=later(minutes=5))
    async with farm.database.unit_of_work(store.tenant.organization) as db:
        await reservations.pick(db, ["me"])
    assert await expire(farm, store, later(minutes=6)) == 0


async def test_a_place_in_another_warehouse_serves_nobody_here(farm: Platform, store: ColdStore) -> None:
    other = await make_warehouse(store.tenant)
    await receive(store, quantity="5", location_id=await make_room(store.tenant, other))
    answer = await store.tenant.client.post(PATH, json=asked(store))
    assert answer.status_code == 409
    assert await store.tenant.post(PATH, asked(store, warehouse_id=other))


async def test_a_list_is_narrowed_by_place_product_and_status(farm: Platform, store: ColdStore) -> None:
    beside = await make_room(store.tenant, store.warehouse_id)
    await receive(store, quantity="1", expires_on="2027-01-01")
    await receive(store, lot="LOT-2", quantity="1", location_id=beside, expires_on="2027-01-02")
    made = await store.tenant.post(PATH, asked(store))
    narrowed = [
        await store.tenant.get(PATH, **narrow)
        for narrow in ({"location_id": beside}, {"product_id": store.product_id}, {"status": "expired"})
    ]
    assert narrowed == [made[1:], made[::-1], []]
