"""A place on hold: what lies in it cannot be sold, what arrives is held too, and no hold forgets another."""

import asyncio
import uuid
from decimal import Decimal

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.inventory.holds import service as holds
from cloud_api.inventory.stock import service
from cloud_api.kernel.errors import NotFound
from tests.cloud_api.inventory.stock import held, hold, lying_in, recover, release, status_in
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.moments import at_the_same_moment
from tests.factories.stores import ColdStore, make_room, receive
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP


async def test_what_lies_in_the_place_is_held_and_the_same_lot_elsewhere_is_free(
    farm: Platform, store: ColdStore
) -> None:
    elsewhere = await make_room(store.tenant, store.warehouse_id)
    await receive(store, quantity="5")
    await receive(store, quantity="7", location_id=elsewhere)
    assert await hold(farm, store, "excursion:1") == 1
    assert await lying_in(store.tenant, store.room_id) == {"LOT-1": ("5.000", "0.000", "on_hold")}
    assert await lying_in(store.tenant, elsewhere) == {"LOT-1": ("7.000", "7.000", "available")}
    [kept] = await store.tenant.get("/api/v1/warehouse/stock/holds")
    assert (kept["source"], kept["reason"], kept["location_id"]) == ("excursion:1", "too warm", store.room_id)


async def rack_and_bin(store: ColdStore) -> tuple[str, str]:
    rack = await make_room(store.tenant, store.warehouse_id, parent_id=store.room_id, location_type="rack")
    return rack, await make_room(store.tenant, store.warehouse_id, parent_id=rack, location_type="bin")


async def test_a_rack_and_a_bin_in_the_room_are_held_with_it(farm: Platform, store: ColdStore) -> None:
    rack, bin_ = await rack_and_bin(store)
    beside = await make_room(store.tenant, store.warehouse_id)
    for place in (store.room_id, rack, bin_, beside):
        await receive(store, location_id=place)
    assert await hold(farm, store, "excursion:1") == 3
    for place, status in ((store.room_id, "on_hold"), (rack, "on_hold"), (bin_, "on_hold"), (beside, "available")):
        assert await status_in(store.tenant, place) == {"LOT-1": status}


async def test_a_held_rack_does_not_hold_its_room(farm: Platform, store: ColdStore) -> None:
    rack, bin_ = await rack_and_bin(store)
    for place in (store.room_id, rack, bin_):
        await receive(store, location_id=place)
    await hold(farm, store, "excursion:1", rack)
    assert [await status_in(store.tenant, place) for place in (store.room_id, rack, bin_)] == [
        {"LOT-1": "available"},
        {"LOT-1": "on_hold"},
        {"LOT-1": "on_hold"},
    ]


async def test_what_arrives_in_a_held_room_is_held_into_the_last_bin(farm: Platform, store: ColdStore) -> None:
    rack, bin_ = await rack_and_bin(store)
    assert await hold(farm, store, "excursion:1") == 0
    for place in (store.room_id, rack, bin_):
        await receive(store, location_id=place)
        assert await status_in(store.tenant, place) == {"LOT-1": "on_hold"}
    assert await release(farm, store, "excursion:1") == 3
    assert await status_in(store.tenant, bin_) == {"LOT-1": "available"}


async def test_what_arrives_after_the_recovery_is_free_and_what_was_there_stays_held(
    farm: Platform, store: ColdStore
) -> None:
    await receive(store, lot="EARLY")
    await hold(farm, store, "excursion:1")
    await receive(store, lot="MEANWHILE")
    await recover(farm, store, "excursion:1")
    await receive(store, lot="LATER")
    assert held(await status_in(store.tenant, store.room_id)) == ["EARLY", "MEANWHILE"]
    await release(farm, store, "excursion:1")
    assert held(await status_in(store.tenant, store.room_id)) == []


async def test_under_two_holds_stock_is_free_when_both_are_over(farm: Platform, store: ColdStore) -> None:
    rack, _ = await rack_and_bin(store)
    await receive(store, lot="ROOM")
    await receive(store, lot="RACK", location_id=rack)
    await hold(farm, store, "excursion:1")
    await hold(farm, store, "excursion:2", rack)
    for source, found in (("excursion:2", [rack]), ("excursion:3", [])):
        holds = await store.tenant.get("/api/v1/warehouse/stock/holds", source=source)
        assert [one["location_id"] for one in holds] == found
    await receive(store, lot="LATE", location_id=rack)
    assert await release(farm, store, "excursion:1") == 1
    assert await status_in(store.tenant, store.room_id) == {"ROOM": "available"}
    assert held(await status_in(store.tenant, rack)) == ["LATE", "RACK"]
    assert await release(farm, store, "excursion:2") == 2
    assert held(await status_in(store.tenant, rack)) == []


async def test_a_hold_asked_for_twice_is_one_and_ended_twice_is_ended(farm: Platform, store: ColdStore) -> None:
    await receive(store)
    assert [await hold(farm, store, "excursion:1") for _ in range(2)] == [1, 1]
    assert len(await store.tenant.get("/api/v1/warehouse/stock/holds")) == 1
    assert [await release(farm, store, "excursion:1") for _ in range(2)] == [1, 0]
    assert await status_in(store.tenant, store.room_id) == {"LOT-1": "available"}
    with pytest.raises(NotFound, match="excursion:2"):
        await release(farm, store, "excursion:2")


async def test_after_the_end_of_a_hold_what_arrives_is_free(farm: Platform, store: ColdStore) -> None:
    await hold(farm, store, "excursion:1")
    await release(farm, store, "excursion:1")
    await receive(store)
    assert await status_in(store.tenant, store.room_id) == {"LOT-1": "available"}


async def test_a_correction_of_held_stock_leaves_it_held(farm: Platform, store: ColdStore) -> None:
    lot_id = (await receive(store, quantity="5"))["lot_id"]
    await hold(farm, store, "excursion:1")
    body = {"lot_id": lot_id, "location_id": store.room_id, "delta": "-2", "reason": "spoilt"}
    await store.tenant.post("/api/v1/warehouse/stock/adjustment", body)
    assert await lying_in(store.tenant, store.room_id) == {"LOT-1": ("3.000", "0.000", "on_hold")}


async def arrive(db: AsyncSession, store: ColdStore) -> None:
    await service.receive_goods(
        db,
        product_id=uuid.UUID(store.product_id),
        location_id=uuid.UUID(store.room_id),
        lot_number="LOT-1",
        expires_on=None,
        quantity=Decimal(1),
    )


async def put_on_hold(db: AsyncSession, store: ColdStore, source: str) -> None:
    await holds.hold(db, location_id=uuid.UUID(store.room_id), reason="too warm", source=source)


async def test_an_arrival_and_a_hold_at_the_same_moment_do_not_miss_each_other(
    farm: Platform, store: ColdStore
) -> None:
    async with at_the_same_moment(farm, store.tenant, lambda db: put_on_hold(db, store, "excursion:1")) as db:
        await arrive(db, store)
    assert await status_in(store.tenant, store.room_id) == {"LOT-1": "on_hold"}


async def test_a_hold_and_an_arrival_at_the_same_moment_do_not_miss_each_other(
    farm: Platform, store: ColdStore
) -> None:
    async with at_the_same_moment(farm, store.tenant, lambda db: arrive(db, store)) as db:
        await put_on_hold(db, store, "excursion:1")
    assert await status_in(store.tenant, store.room_id) == {"LOT-1": "on_hold"}


async def test_a_release_does_not_free_what_another_hold_covers_at_the_same_moment(
    farm: Platform, store: ColdStore
) -> None:
    await receive(store)
    await hold(farm, store, "excursion:1")
    async with at_the_same_moment(farm, store.tenant, lambda db: holds.release(db, source="excursion:1")) as db:
        await put_on_hold(db, store, "excursion:2")
    assert await status_in(store.tenant, store.room_id) == {"LOT-1": "on_hold"}
    async with at_the_same_moment(farm, store.tenant, lambda db: put_on_hold(db, store, "excursion:3")) as db:
        await holds.release(db, source="excursion:2")
    assert await status_in(store.tenant, store.room_id) == {"LOT-1": "on_hold"}


async def test_holds_and_arrivals_in_a_crowd_wait_for_each_other_and_not_for_ever(
    farm: Platform, store: ColdStore
) -> None:
    rack, bin_ = await rack_and_bin(store)
    await asyncio.gather(
        *(receive(store, lot=f"LOT-{n % 3}", location_id=(store.room_id, rack, bin_)[n % 3]) for n in range(9)),
        *(hold(farm, store, f"excursion:{n}", (store.room_id, rack)[n % 2]) for n in range(4)),
    )
    for place in (store.room_id, rack, bin_):
        assert set((await status_in(store.tenant, place)).values()) == {"on_hold"}
    await asyncio.gather(*(release(farm, store, f"excursion:{n}") for n in range(4)))
    for place in (store.room_id, rack, bin_):
        assert set((await status_in(store.tenant, place)).values()) == {"available"}
