"""Goods taken from places to others at once: all lines or none, promises stay, holds go along."""

import asyncio
import uuid
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cloud_api.inventory.reservations import service as reservations
from cloud_api.inventory.reservations.service import Wish
from tests.cloud_api.inventory.stock import assert_consistent, hold, lying_in
from tests.factories.farms import make_farm, plant_store
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.properties import FEW
from tests.factories.scopes import heard_by, make_keeper
from tests.factories.stores import ColdStore, make_product, make_room, receive
from tests.platform_under_test import Platform, Tenant

pytestmark = IN_ONE_LOOP

NOW = "/api/v1/warehouse/stock/transfer"
STOCK = "/api/v1/warehouse/stock"


def line(lot_id: str, from_id: str, to_id: str, quantity: str, **fields: Any) -> dict[str, Any]:
    return {"lot_id": lot_id, "from_location_id": from_id, "to_location_id": to_id, "quantity": quantity, **fields}


async def move(tenant: Tenant, *lines: dict[str, Any]) -> Any:
    return await tenant.post(NOW, {"lines": list(lines), "reference": "tidying up"})


async def refusal(tenant: Tenant, *lines: dict[str, Any]) -> tuple[int, str]:
    return await heard_by(tenant, "POST", NOW, {"lines": list(lines)})


async def promise(farm: Platform, store: ColdStore, quantity: str, source: str = "order_line:1") -> None:
    """Promise some of what lies in the cold room."""
    async with farm.database.unit_of_work(store.tenant.organization) as db:
        wish = Wish(uuid.UUID(store.product_id), Decimal(quantity), source)
        await reservations.reserve(db, [wish], location_ids=[uuid.UUID(store.room_id)], on=date(2026, 1, 31))


async def test_a_transfer_is_two_entries_of_one_group_and_changes_no_total(farm: Platform, store: ColdStore) -> None:
    lot_id = (await receive(store))["lot_id"]
    other = await make_room(store.tenant, store.warehouse_id)
    left, arrived = await move(store.tenant, line(lot_id, store.room_id, other, "30.5"))
    assert [(one["quantity"], one["location_id"]) for one in (left, arrived)] == [
        ("-30.500", store.room_id),
        ("30.500", other),
    ]
    assert {one["movement_type"] for one in (left, arrived)} == {"transfer"}
    assert {one["reference"] for one in (left, arrived)} == {"tidying up"}
    assert (await lying_in(store.tenant, store.room_id))["LOT-1"][0] == "69.500"
    assert (await lying_in(store.tenant, other))["LOT-1"][0] == "30.500"
    await assert_consistent(farm, store)


async def test_of_several_lines_all_are_moved_or_none(farm: Platform, store: ColdStore) -> None:
    lot_id = (await receive(store))["lot_id"]
    other = await make_room(store.tenant, store.warehouse_id)
    good, too_much = line(lot_id, store.room_id, other, "60"), line(lot_id, store.room_id, other, "40.001")
    assert await refusal(store.tenant, good, too_much) == (409, "NOT_ENOUGH_STOCK")
    assert await lying_in(store.tenant, other) == {}
    await move(store.tenant, good, line(lot_id, store.room_id, other, "40"))
    assert (await lying_in(store.tenant, other))["LOT-1"][0] == "100.000"
    await assert_consistent(farm, store)


async def test_what_is_promised_stays(farm: Platform, store: ColdStore) -> None:
    lot_id = (await receive(store))["lot_id"]
    other = await make_room(store.tenant, store.warehouse_id)
    await promise(farm, store, "80")
    assert await refusal(store.tenant, line(lot_id, store.room_id, other, "20.001")) == (409, "NOT_ENOUGH_STOCK")
    await move(store.tenant, line(lot_id, store.room_id, other, "20"))
    assert (await lying_in(store.tenant, store.room_id))["LOT-1"] == ("80.000", "0.000", "available")
    await assert_consistent(farm, store)


async def test_what_is_on_hold_is_on_hold_where_it_is_taken(farm: Platform, store: ColdStore) -> None:
    lot_id = (await receive(store))["lot_id"]
    other = await make_room(store.tenant, store.warehouse_id)
    await hold(farm, store, "excursion:1")
    await move(store.tenant, line(lot_id, store.room_id, other, "10"))
    assert (await lying_in(store.tenant, other))["LOT-1"] == ("10.000", "0.000", "on_hold")


async def test_what_is_taken_into_a_place_under_a_hold_comes_under_it(farm: Platform, store: ColdStore) -> None:
    lot_id = (await receive(store))["lot_id"]
    warm = await make_room(store.tenant, store.warehouse_id)
    await hold(farm, store, "excursion:1", warm)
    await move(store.tenant, line(lot_id, store.room_id, warm, "10"))
    assert (await lying_in(store.tenant, warm))["LOT-1"][2] == "on_hold"
    assert (await lying_in(store.tenant, store.room_id))["LOT-1"][2] == "available"


async def test_a_transfer_is_undone_as_a_whole(farm: Platform, store: ColdStore) -> None:
    lot_id = (await receive(store))["lot_id"]
    other = await make_room(store.tenant, store.warehouse_id)
    left, _ = await move(store.tenant, line(lot_id, store.room_id, other, "30"))
    await store.tenant.post(f"{STOCK}/movements/{left['id']}/reverse", {"reason": "wrong rack"})
    assert (await lying_in(store.tenant, store.room_id))["LOT-1"][0] == "100.000"
    await assert_consistent(farm, store)


async def test_pieces_that_were_weighed_take_their_weight_along(farm: Platform, store: ColdStore) -> None:
    cheese = await make_product(store.tenant, unit="piece", catch_weight=True)
    lot_id = (await receive(store, product_id=cheese, quantity="4", weight_g=4_100))["lot_id"]
    other = await make_room(store.tenant, store.warehouse_id)
    await move(store.tenant, line(lot_id, store.room_id, other, "1", weight_g=1_050))
    await move(store.tenant, line(lot_id, store.room_id, other, "2"))
    levels = await store.tenant.get(f"{STOCK}/levels", product_id=cheese)
    assert {level["location_id"]: (level["on_hand"], level["weight_g"]) for level in levels} == {
        store.room_id: ("1.000", 1_017),
        other: ("3.000", 3_083),
    }
    kilos = (await receive(store))["lot_id"]
    assert await refusal(store.tenant, line(kilos, store.room_id, other, "1", weight_g=5)) == (422, "WRONG_WEIGHT")


async def test_what_contradicts_itself_is_refused(farm: Platform, store: ColdStore) -> None:
    lot_id = (await receive(store))["lot_id"]
    other = await make_room(store.tenant, store.warehouse_id)
    nobody = str(uuid.uuid4())
    for wrong, expected in (
        (line(lot_id, store.room_id, store.room_id, "1"), (422, "INVALID")),
        (line(lot_id, store.room_id, other, "0"), (422, "VALIDATION_FAILED")),
        (line(lot_id, store.room_id, other, "-1"), (422, "VALIDATION_FAILED")),
        (line(lot_id, store.room_id, other, "1.0001"), (422, "VALIDATION_FAILED")),
        (line(nobody, store.room_id, other, "1"), (404, "NOT_FOUND")),
        (line(lot_id, nobody, other, "1"), (404, "NOT_FOUND")),
        (line(lot_id, store.room_id, nobody, "1"), (404, "NOT_FOUND")),
    ):
        assert await refusal(store.tenant, wrong) == expected, wrong
    assert await refusal(store.tenant) == (422, "VALIDATION_FAILED")
    stranger = await make_farm(farm)
    theirs = await plant_store(farm, stranger)
    assert await refusal(store.tenant, line(lot_id, store.room_id, theirs.room_id, "1")) == (404, "NOT_FOUND")


async def test_whoever_is_confined_moves_nothing_out_of_sight(farm: Platform, store: ColdStore) -> None:
    other = await plant_store(farm)
    lot_id = (await receive(store))["lot_id"]
    keeper = await make_keeper(farm, store.warehouse_id)
    assert await refusal(keeper, line(lot_id, store.room_id, other.room_id, "1")) == (404, "NOT_FOUND")
    assert await refusal(keeper, line(lot_id, other.room_id, store.room_id, "1")) == (404, "NOT_FOUND")
    rack = await make_room(store.tenant, store.warehouse_id)
    await move(keeper, line(lot_id, store.room_id, rack, "1"))


async def test_two_who_take_the_same_from_each_others_places_neither_wait_forever_nor_lose_any(
    farm: Platform, store: ColdStore
) -> None:
    rooms = [store.room_id, await make_room(store.tenant, store.warehouse_id)]
    lots = [(await receive(store, lot=f"LOT-{number}", location_id=rooms[number]))["lot_id"] for number in (0, 1)]
    there = [line(lots[0], rooms[0], rooms[1], "1"), line(lots[1], rooms[1], rooms[0], "1")]
    answers = await asyncio.gather(
        *(store.tenant.client.post(NOW, json={"lines": lines}) for lines in (there, there[::-1]) * 6)
    )
    assert {answer.status_code for answer in answers} == {201}
    assert (await lying_in(store.tenant, rooms[0]))["LOT-0"][0] == "88.000"
    assert (await lying_in(store.tenant, rooms[1]))["LOT-0"][0] == "12.000"
    await assert_consistent(farm, store)


moves = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 2), st.integers(0, 2), st.integers(1, 70_000)), min_size=1, max_size=5
)


@FEW
@given(wanted=moves)
async def test_no_transfer_makes_or_loses_anything(
    farm: Platform, store: ColdStore, wanted: Sequence[tuple[int, int, int, int]]
) -> None:
    product_id = await make_product(store.tenant)
    rooms = [store.room_id, *[await make_room(store.tenant, store.warehouse_id) for _ in range(2)]]
    lots = [(await receive(store, lot=f"LOT-{number}", product_id=product_id))["lot_id"] for number in range(2)]
    model = {(lot, room): Decimal(100 if room == rooms[0] else 0) for lot in lots for room in rooms}
    for lot, start, end, thousandths in wanted:
        quantity = Decimal(thousandths) / 1000
        moved = line(lots[lot], rooms[start], rooms[end], str(quantity))
        status, _ = await refusal(store.tenant, moved)
        if start == end or model[lots[lot], rooms[start]] < quantity:
            assert status in {409, 422}
            continue
        assert status == 201
        model[lots[lot], rooms[start]] -= quantity
        model[lots[lot], rooms[end]] += quantity
    levels = await store.tenant.get(f"{STOCK}/levels", product_id=product_id, limit=200)
    told = {(level["lot_id"], level["location_id"]): Decimal(level["on_hand"]) for level in levels}
    assert {at: told.get(at, Decimal(0)) for at in model} == model
