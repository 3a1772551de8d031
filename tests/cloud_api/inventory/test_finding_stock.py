"""Stock is found by the words of what it is and where it lies, and shown in the order that is asked for."""

from typing import Any

import pytest

from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.orders import day_in
from tests.factories.stores import ColdStore, make_product, make_room, make_warehouse, receive
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

LEVELS = "/api/v1/warehouse/stock/levels"
LOTS = "/api/v1/warehouse/batches"


async def lots_of(store: ColdStore, rows: list[Any]) -> list[str]:
    """The numbers of the lots of these levels."""
    numbers = {lot["id"]: lot["lot_number"] for lot in await store.tenant.get(LOTS, limit=200)}
    return [numbers[row["lot_id"]] for row in rows]


async def fill(store: ColdStore) -> None:
    """Three lots, each of another product in another place."""
    place = await make_warehouse(store.tenant)
    for name, lot, room, quantity, days in (
        ("Mint 100%", "HERB-2", "Blast chiller", "5", 9),
        ("Baby spinach", "LEAF-1", "Ante room", "12.5", 3),
        ("Coriander", "HERB-1", "Cellar", "7.25", None),
    ):
        product_id = await make_product(store.tenant, name=name, sku=f"SKU-{lot}")
        room_id = await make_room(store.tenant, place, name=room)
        until = None if days is None else day_in(days)
        await receive(store, product_id=product_id, location_id=room_id, lot=lot, quantity=quantity, expires_on=until)


@pytest.mark.parametrize(
    ("words", "lots"),
    [
        ("SPINACH", ["LEAF-1"]),
        ("herb", ["HERB-1", "HERB-2"]),
        ("herb chiller", ["HERB-2"]),
        ("100%", ["HERB-2"]),
        ("_", []),
        ("sku-herb-1", ["HERB-1"]),
        ("spinach cellar", []),
    ],
)
async def test_every_word_is_of_the_product_the_lot_or_the_place(
    farm: Platform, store: ColdStore, words: str, lots: list[str]
) -> None:
    await fill(store)
    found = await store.tenant.get(LEVELS, search=words)
    assert sorted(await lots_of(store, found)) == lots
    summary = await store.tenant.get(f"{LEVELS}/summary", search=words)
    assert {row["product_id"] for row in summary} == {row["product_id"] for row in found}


@pytest.mark.parametrize(
    ("sort", "lots"),
    [
        ("-created_at", ["HERB-1", "LEAF-1", "HERB-2"]),
        ("product", ["LEAF-1", "HERB-1", "HERB-2"]),
        ("-product", ["HERB-2", "HERB-1", "LEAF-1"]),
        ("keeps_until", ["LEAF-1", "HERB-2", "HERB-1"]),
        ("-keeps_until", ["HERB-1", "HERB-2", "LEAF-1"]),
        ("on_hand", ["HERB-2", "HERB-1", "LEAF-1"]),
        ("-on_hand", ["LEAF-1", "HERB-1", "HERB-2"]),
    ],
)
async def test_levels_are_sorted_across_pages(farm: Platform, store: ColdStore, sort: str, lots: list[str]) -> None:
    await fill(store)
    rows: list[Any] = []
    cursor = None
    while len(rows) < len(lots):
        wanted = f"{LEVELS}?limit=1&sort={sort}"
        answer = await store.tenant.client.get(wanted if cursor is None else f"{wanted}&cursor={cursor}")
        rows += answer.json()["data"]
        cursor = answer.json()["meta"]["next_cursor"]
    assert await lots_of(store, rows) == lots
    assert cursor is None


async def test_a_cursor_is_good_for_the_order_it_was_made_for(farm: Platform, store: ColdStore) -> None:
    await fill(store)
    first = await store.tenant.client.get(LEVELS, params={"limit": 1, "sort": "on_hand"})
    cursor = first.json()["meta"]["next_cursor"]
    for sort, status in (("on_hand", 200), ("-on_hand", 422), ("product", 422), ("-created_at", 422)):
        answer = await store.tenant.client.get(LEVELS, params={"limit": 1, "sort": sort, "cursor": cursor})
        assert answer.status_code == status, sort


async def test_what_is_empty_can_be_left_out(farm: Platform, store: ColdStore) -> None:
    gone = await receive(store, lot="GONE", quantity="1")
    await receive(store, lot="THERE", quantity="1")
    waste = {"movement_type": "waste", "lot_id": gone["lot_id"], "location_id": store.room_id, "quantity": "1"}
    await store.tenant.post("/api/v1/warehouse/stock/movements", waste)
    for in_stock, lots in ((True, ["THERE"]), (False, ["GONE"])):
        assert await lots_of(store, await store.tenant.get(LEVELS, in_stock=in_stock)) == lots


async def test_lots_are_found_by_words_whatever_else_is_asked(farm: Platform, store: ColdStore) -> None:
    await fill(store)
    for words, lots in (("herb", {"HERB-1", "HERB-2"}), ("mint", {"HERB-2"}), ("mint leaf", set())):
        assert {lot["lot_number"] for lot in await store.tenant.get(LOTS, search=words)} == lots
        fefo = await store.tenant.get(LOTS, search=words, status="available", order="fefo")
        assert {lot["lot_number"] for lot in fefo} == lots
    await receive(store, lot="HERB-3", quantity="1")
    here = await store.tenant.get(LOTS, search="herb", warehouse_id=store.warehouse_id)
    assert [lot["lot_number"] for lot in here] == ["HERB-3"]
    soon = await store.tenant.get(f"{LOTS}/expiring", days=30, search="herb")
    assert [lot["lot_number"] for lot in soon] == ["HERB-2"]


async def test_what_is_promised_of_a_lot_is_found(farm: Platform, store: ColdStore) -> None:
    for lot in ("ONE", "TWO"):
        await receive(store, lot=lot, quantity="3", expires_on=day_in(30))
    wish = {"product_id": store.product_id, "warehouse_id": store.warehouse_id, "quantity": "4", "reference": "hotel"}
    made = await store.tenant.post("/api/v1/warehouse/stock/reservations", wish)
    assert len(made) == 2
    for one in made:
        [found] = await store.tenant.get("/api/v1/warehouse/stock/reservations", lot_id=one["lot_id"])
        assert found["id"] == one["id"]
