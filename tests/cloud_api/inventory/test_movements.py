"""Movements of every type: signs, batches, entries written later, undoing, catch weight, and the records of levels."""

import asyncio
import uuid
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.kernel import clock
from tests.cloud_api.inventory.stock import assert_consistent, hold, lying_in
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.properties import FEW
from tests.factories.stores import ColdStore, make_product, make_room, receive
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

STOCK = "/api/v1/warehouse/stock"


async def book(store: ColdStore, lot_id: str, movement_type: str, quantity: str, **fields: Any) -> tuple[int, Any]:
    """Post a movement in the cold room; the status, and what was answered or the error's code."""
    body = {"movement_type": movement_type, "lot_id": lot_id, "location_id": store.room_id, "quantity": quantity}
    answer = await store.tenant.client.post(f"{STOCK}/movements", json={**body, **fields})
    document = answer.json()
    return answer.status_code, document["data"] if answer.is_success else document["error"]["code"]


async def undo(store: ColdStore, movement_id: str) -> tuple[int, Any]:
    answer = await store.tenant.client.post(f"{STOCK}/movements/{movement_id}/reverse", json={"reason": "mistake"})
    document = answer.json()
    return answer.status_code, document["data"] if answer.is_success else document["error"]["code"]


async def on_hand(store: ColdStore, location_id: str | None = None) -> str:
    """Of the one lot in a place."""
    [(quantity, _, _)] = (await lying_in(store.tenant, location_id or store.room_id)).values()
    return quantity


def ago(**length: float) -> str:
    return (clock.now() - timedelta(**length)).isoformat()


async def test_each_type_changes_stock_by_the_right_sign_and_stands_in_the_history(
    farm: Platform, store: ColdStore
) -> None:
    lot_id = (await receive(store, quantity="10"))["lot_id"]
    for movement_type, quantity, after in (
        ("opening", "5", "15.000"),
        ("inbound", "1.5", "16.500"),
        ("outbound", "2", "14.500"),
        ("waste", "0.5", "14.000"),
        ("return", "1", "15.000"),
        ("adjustment", "-3", "12.000"),
        ("adjustment", "1", "13.000"),
        ("production", "-4", "9.000"),
        ("production", "2", "11.000"),
    ):
        status, movement = await book(store, lot_id, movement_type, quantity, reference="why")
        assert (status, movement["movement_type"]) == (201, movement_type)
        assert await on_hand(store) == after
        [found] = await store.tenant.get(f"{STOCK}/movements", movement_type=movement_type, limit=1)
        assert found == movement
    await assert_consistent(farm, store)


async def test_a_type_that_has_a_sign_takes_no_other_and_only_a_transfer_goes_elsewhere(
    farm: Platform, store: ColdStore
) -> None:
    lot_id = (await receive(store))["lot_id"]
    elsewhere = await make_room(store.tenant, store.warehouse_id)
    for movement_type in ("opening", "inbound", "outbound", "waste", "return", "transfer"):
        place = {"to_location_id": elsewhere} if movement_type == "transfer" else {}
        assert await book(store, lot_id, movement_type, "-1", **place) == (422, "WRONG_MOVEMENT")
    assert await book(store, lot_id, "transfer", "1") == (422, "WRONG_MOVEMENT")
    assert await book(store, lot_id, "transfer", "1", to_location_id=store.room_id) == (422, "WRONG_MOVEMENT")
    assert await book(store, lot_id, "waste", "1", to_location_id=elsewhere) == (422, "WRONG_MOVEMENT")
    assert (await book(store, lot_id, "gift", "1"))[0] == 422
    assert await lying_in(store.tenant, elsewhere) == {}


async def test_what_cannot_be_meant_is_refused_and_books_nothing(farm: Platform, store: ColdStore) -> None:
    lot_id = (await receive(store, quantity="5"))["lot_id"]
    nobodys = str(uuid.uuid4())
    assert await book(store, lot_id, "outbound", "5.001") == (409, "NOT_ENOUGH_STOCK")
    assert await book(store, nobodys, "outbound", "1") == (404, "NOT_FOUND")
    assert await book(store, lot_id, "outbound", "1", location_id=nobodys) == (404, "NOT_FOUND")
    assert await book(store, lot_id, "outbound", "1", unit="furlong") == (422, "UNKNOWN_UNIT")
    assert (await book(store, lot_id, "outbound", "0.0001"))[0] == 422
    assert (await book(store, lot_id, "outbound", "0"))[0] == 422
    assert await book(store, lot_id, "outbound", "1", weight_g=900) == (422, "WRONG_WEIGHT")
    assert await book(store, lot_id, "outbound", "1", effective_at=ago(minutes=-5)) == (422, "NOT_YET")
    assert (await book(store, lot_id, "outbound", "1", effective_at="2026-01-01T00:00:00"))[0] == 422
    assert await on_hand(store) == "5.000"


async def test_a_refusal_says_what_there_is(farm: Platform, store: ColdStore) -> None:
    lot_id = (await receive(store, quantity="5"))["lot_id"]
    body = {"movement_type": "outbound", "lot_id": lot_id, "location_id": store.room_id, "quantity": "7"}
    error = (await store.tenant.client.post(f"{STOCK}/movements", json=body)).json()["error"]
    assert "7.000 are to leave and 5.000 lie here" in error["message"]
    assert error["details"][0]["field"] == "quantity"


async def test_goods_are_received_in_another_unit_exactly(farm: Platform, store: ColdStore) -> None:
    await receive(store, quantity="1250", unit="g")
    assert await on_hand(store) == "1.250"
    body = {"product_id": store.product_id, "location_id": store.room_id, "lot_number": "X", "quantity": "1.25"}
    refused = await store.tenant.client.post(f"{STOCK}/receiving", json={**body, "unit": "g"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "WRONG_QUANTITY")


async def test_a_receipt_keeps_what_is_known_of_the_lot(farm: Platform, store: ColdStore) -> None:
    known = {"grade": "good", "supplier": "Green Valley", "manufactured_on": "2026-12-31", "source": "scan"}
    movement = await receive(store, **known, unit_cost="12.5")
    lot = await store.tenant.get(f"/api/v1/warehouse/batches/{movement['lot_id']}")
    assert (lot["grade"], lot["supplier"], lot["manufactured_on"]) == ("good", "Green Valley", "2026-12-31")
    assert (lot["unit_cost"], movement["source"]) == ("12.5000", "scan")
    body = {"product_id": store.product_id, "location_id": store.room_id, "quantity": "1", "lot_number": "L2"}
    late = {**body, "manufactured_on": "2027-02-01", "expires_on": "2027-01-31"}
    assert (await store.tenant.client.post(f"{STOCK}/receiving", json=late)).status_code == 422


async def test_what_is_on_hold_or_expired_leaves_only_as_waste(farm: Platform, store: ColdStore) -> None:
    fresh = (await receive(store, lot="FRESH"))["lot_id"]
    old = (await receive(store, lot="OLD", expires_on="2020-01-31"))["lot_id"]
    assert await book(store, old, "outbound", "1") == (409, "STOCK_EXPIRED")
    assert (await book(store, old, "waste", "1"))[0] == 201
    assert (await book(store, fresh, "outbound", "1"))[0] == 201
    await hold(farm, store, "excursion:1")
    assert await book(store, fresh, "outbound", "1") == (409, "STOCK_ON_HOLD")
    assert await book(store, fresh, "production", "-1") == (409, "STOCK_ON_HOLD")
    assert (await book(store, fresh, "waste", "1"))[0] == 201


async def test_a_hold_travels_with_what_is_transferred_out_of_it(farm: Platform, store: ColdStore) -> None:
    elsewhere = await make_room(store.tenant, store.warehouse_id)
    lot_id = (await receive(store, quantity="10"))["lot_id"]
    await hold(farm, store, "excursion:1")
    assert (await book(store, lot_id, "transfer", "4", to_location_id=elsewhere))[0] == 201
    assert await lying_in(store.tenant, elsewhere) == {"LOT-1": ("4.000", "0.000", "on_hold")}


async def batch(store: ColdStore, *movements: dict[str, object]) -> tuple[int, Any]:
    answer = await store.tenant.client.post(f"{STOCK}/batch", json={"movements": movements})
    document = answer.json()
    return answer.status_code, document["data"] if answer.is_success else document["error"]


async def test_one_bad_row_rolls_back_the_whole_batch_and_is_named(farm: Platform, store: ColdStore) -> None:
    lot_id = (await receive(store, quantity="10"))["lot_id"]
    good = {"movement_type": "outbound", "lot_id": lot_id, "location_id": store.room_id, "quantity": "4"}
    status, error = await batch(store, good, good, good)
    assert (status, error["code"]) == (409, "NOT_ENOUGH_STOCK")
    assert "entry 3" in error["message"]
    assert await on_hand(store) == "10.000"
    status, error = await batch(store, good, {**good, "lot_id": str(uuid.uuid4())})
    assert (status, error["details"][0]["field"]) == (404, "movements.1.lot_id")
    status, rows = await batch(store, good, {**good, "movement_type": "return", "quantity": "1"}, good)
    assert (status, await on_hand(store)) == (201, "3.000")
    assert len({row["group_id"] for row in rows}) == 1
    assert (await batch(store))[0] == 422
    assert (await batch(store, *[good] * 501))[0] == 422


async def test_batches_in_any_order_at_once_neither_deadlock_nor_lose_anything(
    farm: Platform, store: ColdStore
) -> None:
    rooms = [store.room_id, *[await make_room(store.tenant, store.warehouse_id) for _ in range(3)]]
    lots = [(await receive(store, lot=f"LOT-{number}", quantity="100"))["lot_id"] for number in range(3)]

    def carry(lot: int, come: int, go: int) -> dict[str, object]:
        places = {"location_id": rooms[come], "to_location_id": rooms[go]}
        return {"movement_type": "transfer", "lot_id": lots[lot], **places, "quantity": "1"}

    first = [carry(lot, 0, go) for lot in range(3) for go in (1, 2, 3)]
    second = [carry(lot, 0, go) for go in (3, 2, 1) for lot in (2, 1, 0)]
    answers = await asyncio.gather(*(batch(store, *rows) for rows in (first, second) * 5))
    assert [status for status, _ in answers] == [201] * 10
    assert {quantity for quantity, _, _ in (await lying_in(store.tenant, rooms[0])).values()} == {"70.000"}
    assert {quantity for quantity, _, _ in (await lying_in(store.tenant, rooms[2])).values()} == {"10.000"}
    await assert_consistent(farm, store)


moves = st.lists(
    st.lists(
        st.tuples(st.sampled_from(["outbound", "waste", "return", "transfer"]), st.integers(0, 1), st.integers(1, 6)),
        min_size=1,
        max_size=4,
    ),
    min_size=2,
    max_size=6,
)


@FEW
@given(wanted=moves)
async def test_of_batches_at_once_each_is_booked_whole_or_not_at_all(
    farm: Platform, store: ColdStore, wanted: list[list[tuple[str, int, int]]]
) -> None:
    rooms = [await make_room(store.tenant, store.warehouse_id) for _ in range(2)]
    product_id = await make_product(store.tenant)
    lot_id = (await receive(store, product_id=product_id, location_id=rooms[0], quantity="10"))["lot_id"]

    def row(movement_type: str, at: int, quantity: int) -> dict[str, object]:
        to = {"to_location_id": rooms[1 - at]} if movement_type == "transfer" else {}
        return {
            "movement_type": movement_type,
            "lot_id": lot_id,
            "location_id": rooms[at],
            "quantity": str(quantity),
            **to,
        }

    answers = await asyncio.gather(*(batch(store, *[row(*one) for one in rows]) for rows in wanted))
    assert {status for status, _ in answers} <= {201, 409}
    booked = await store.tenant.get(f"{STOCK}/movements", lot_id=lot_id, limit=200)
    per_batch = [
        sum(2 if movement_type == "transfer" else 1 for movement_type, _, _ in rows)
        for rows, (status, _) in zip(wanted, answers, strict=True)
        if status == 201
    ]
    assert len(booked) == 1 + sum(per_batch)
    await assert_consistent(farm, store)


async def test_a_forgotten_entry_is_written_later_with_the_time_it_happened(farm: Platform, store: ColdStore) -> None:
    lot_id = (await receive(store, quantity="10", effective_at=ago(days=10)))["lot_id"]
    status, late = await book(store, lot_id, "outbound", "4", effective_at=ago(days=5))
    assert (status, await on_hand(store)) == (201, "6.000")
    assert late["effective_at"] < late["recorded_at"]
    between = {"from": ago(days=6), "to": ago(days=4)}
    assert await store.tenant.get(f"{STOCK}/movements", lot_id=lot_id, **between) == [late]


async def test_what_did_not_lie_there_then_cannot_have_left_though_it_lies_there_now(
    farm: Platform, store: ColdStore
) -> None:
    lot_id = (await receive(store, quantity="10", effective_at=ago(days=10)))["lot_id"]
    assert (await book(store, lot_id, "outbound", "8", effective_at=ago(days=6)))[0] == 201
    await book(store, lot_id, "inbound", "20", effective_at=ago(days=2))
    assert await book(store, lot_id, "outbound", "1", effective_at=ago(days=11)) == (409, "NOT_ENOUGH_STOCK")
    # on the eighth day ten lay there, but eight of them left on the sixth
    assert await book(store, lot_id, "outbound", "3", effective_at=ago(days=8)) == (409, "NOT_ENOUGH_STOCK")
    assert (await book(store, lot_id, "outbound", "2", effective_at=ago(days=8)))[0] == 201
    assert (await book(store, lot_id, "outbound", "20", effective_at=ago(days=1)))[0] == 201
    assert await on_hand(store) == "0.000"
    await assert_consistent(farm, store)


async def test_a_booking_is_undone_once_by_a_counter_entry(farm: Platform, store: ColdStore) -> None:
    received = await receive(store, quantity="10", unit_cost="3")
    status, [counter] = await undo(store, received["id"])
    assert (status, counter["quantity"], counter["reverses_id"]) == (201, "-10.000", received["id"])
    assert (counter["movement_type"], counter["reference"]) == ("inbound", "mistake")
    assert await undo(store, received["id"]) == (409, "ALREADY_REVERSED")
    assert await undo(store, counter["id"]) == (409, "NOT_REVERSIBLE")
    assert await undo(store, str(uuid.uuid4())) == (404, "NOT_FOUND")
    assert await on_hand(store) == "0.000"


async def test_an_undoing_at_the_same_moment_happens_once(farm: Platform, store: ColdStore) -> None:
    received = await receive(store, quantity="10")
    await receive(store, quantity="10")
    answers = await asyncio.gather(*(undo(store, received["id"]) for _ in range(6)))
    assert sorted(status for status, _ in answers) == [201] + [409] * 5
    assert await on_hand(store) == "10.000"


async def test_what_was_booked_together_is_undone_together(farm: Platform, store: ColdStore) -> None:
    elsewhere = await make_room(store.tenant, store.warehouse_id)
    lot_id = (await receive(store, quantity="10"))["lot_id"]
    _, left = await book(store, lot_id, "transfer", "4", to_location_id=elsewhere)
    status, rows = await undo(store, left["id"])
    assert (status, len(rows)) == (201, 2)
    assert (await on_hand(store), await on_hand(store, elsewhere)) == ("10.000", "0.000")
    assert len({row["group_id"] for row in rows}) == 1
    await assert_consistent(farm, store)


async def test_what_is_gone_cannot_be_undone(farm: Platform, store: ColdStore) -> None:
    received = await receive(store, quantity="10")
    await book(store, received["lot_id"], "outbound", "1")
    assert await undo(store, received["id"]) == (409, "NOT_ENOUGH_STOCK")
    assert await on_hand(store) == "9.000"


async def cheeses(store: ColdStore, quantity: str, weight_g: int) -> str:
    """Wheels that are counted and weighed; the lot."""
    product_id = await make_product(store.tenant, unit="piece", catch_weight=True)
    return str((await receive(store, product_id=product_id, quantity=quantity, weight_g=weight_g))["lot_id"])


async def level_of(store: ColdStore, lot_id: str, location_id: str | None = None) -> Any:
    [level] = await store.tenant.get(f"{STOCK}/levels", lot_id=lot_id, location_id=location_id or store.room_id)
    return level


async def test_catch_weight_comes_in_weighed_and_leaves_by_its_share_until_the_last_takes_the_rest(
    farm: Platform, store: ColdStore
) -> None:
    lot_id = await cheeses(store, "3", 10_000)
    _, first = await book(store, lot_id, "outbound", "1")
    assert (first["weight_g"], (await level_of(store, lot_id))["weight_g"]) == (-3_333, 6_667)
    _, second = await book(store, lot_id, "outbound", "1", weight_g=3_000)
    assert second["weight_g"] == -3_000
    assert await book(store, lot_id, "inbound", "1") == (422, "WRONG_WEIGHT")
    assert (await book(store, lot_id, "inbound", "1", weight_g=3_400))[0] == 201
    assert await book(store, lot_id, "outbound", "1", weight_g=9_999) == (409, "NOT_ENOUGH_STOCK")
    _, last = await book(store, lot_id, "outbound", "2")
    assert (last["weight_g"], (await level_of(store, lot_id))["weight_g"]) == (-7_067, 0)
    await assert_consistent(farm, store)


async def test_a_transfer_of_catch_weight_arrives_with_what_left(farm: Platform, store: ColdStore) -> None:
    elsewhere = await make_room(store.tenant, store.warehouse_id)
    lot_id = await cheeses(store, "3", 10_000)
    assert (await book(store, lot_id, "transfer", "2", to_location_id=elsewhere))[0] == 201
    assert (await level_of(store, lot_id))["weight_g"] == 3_333
    assert (await level_of(store, lot_id, elsewhere))["weight_g"] == 6_667


@FEW
@given(steps=st.lists(st.tuples(st.integers(-3, 3).filter(bool), st.integers(1, 5_000) | st.none()), max_size=10))
async def test_a_level_never_weighs_less_than_nothing_and_nothing_weighs_nothing(
    farm: Platform, store: ColdStore, steps: list[tuple[int, int | None]]
) -> None:
    lot_id = await cheeses(store, "4", 9_001)
    pieces, grams = 4, 9_001
    for more, weight_g in steps:
        weight = {} if weight_g is None else {"weight_g": weight_g}
        status, answer = await book(store, lot_id, "return" if more > 0 else "outbound", str(abs(more)), **weight)
        if status == 201:
            pieces, grams = pieces + more, grams + answer["weight_g"]
        level = await level_of(store, lot_id)
        assert (level["on_hand"], level["weight_g"]) == (f"{pieces:.3f}", grams)
        assert grams >= 0
        assert pieces > 0 or grams == 0


async def count(store: ColdStore, lot_id: str, counted: str, **fields: object) -> tuple[int, Any]:
    body = {"lot_id": lot_id, "location_id": store.room_id, "counted": counted, "reason": "cycle count"}
    answer = await store.tenant.client.post(f"{STOCK}/adjustment", json={**body, **fields})
    document = answer.json()
    return answer.status_code, document["data"] if answer.is_success else document["error"]["code"]


async def test_what_was_counted_is_what_lies_there_and_when_is_kept(farm: Platform, store: ColdStore) -> None:
    lot_id = (await receive(store, quantity="10"))["lot_id"]
    assert (await level_of(store, lot_id))["last_counted_at"] is None
    status, movement = await count(store, lot_id, "9.5")
    assert (status, movement["quantity"], movement["movement_type"]) == (201, "-0.500", "adjustment")
    counted_at = (await level_of(store, lot_id))["last_counted_at"]
    assert await count(store, lot_id, "9.5") == (201, None)
    assert (await level_of(store, lot_id))["last_counted_at"] > counted_at
    assert (await count(store, lot_id, "0"))[0] == 201
    assert await on_hand(store) == "0.000"
    assert (await count(store, lot_id, "-1"))[0] == 422
    assert (await count(store, lot_id, "1", delta="1"))[0] == 422


async def test_a_count_of_catch_weight_is_weighed_too(farm: Platform, store: ColdStore) -> None:
    lot_id = await cheeses(store, "3", 10_000)
    assert await count(store, lot_id, "3") == (422, "WRONG_WEIGHT")
    assert (await count(store, lot_id, "3", weight_g=9_900))[0] == 201
    assert (await level_of(store, lot_id))["weight_g"] == 9_900
    assert (await count(store, lot_id, "2", weight_g=6_500))[0] == 201
    level = await level_of(store, lot_id)
    assert (level["on_hand"], level["weight_g"]) == ("2.000", 6_500)
    await assert_consistent(farm, store)


async def test_a_record_is_opened_with_a_balance_described_and_removed_when_empty(
    farm: Platform, store: ColdStore
) -> None:
    elsewhere = await make_room(store.tenant, store.warehouse_id)
    lot_id = (await receive(store))["lot_id"]
    body = {"lot_id": lot_id, "location_id": elsewhere, "quantity": "7", "effective_at": ago(days=1)}
    level = await store.tenant.post(f"{STOCK}/levels", body)
    path = f"{STOCK}/levels/{level['id']}"
    assert (level["on_hand"], await store.tenant.get(path)) == ("7.000", level)
    [opening] = await store.tenant.get(f"{STOCK}/movements", movement_type="opening")
    assert opening["quantity"] == "7.000"
    changed = await store.tenant.client.patch(path, json={"min_level": "2", "max_level": "9"})
    assert (changed.json()["data"]["min_level"], changed.json()["data"]["on_hand"]) == ("2.000", "7.000")
    assert (await store.tenant.client.patch(path, json={"max_level": "1"})).status_code == 422
    assert (await store.tenant.client.patch(path, json={"on_hand": "1"})).status_code == 422
    refused = await store.tenant.client.delete(path)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "LEVEL_NOT_EMPTY")
    await book(store, lot_id, "waste", "7", location_id=elsewhere)
    assert (await store.tenant.client.delete(path)).status_code == 204
    assert (await store.tenant.client.get(path)).status_code == 404


async def test_a_record_from_which_something_was_held_stays(farm: Platform, store: ColdStore) -> None:
    lot_id = (await receive(store, quantity="1"))["lot_id"]
    await hold(farm, store, "excursion:1")
    await book(store, lot_id, "waste", "1")
    level = await level_of(store, lot_id)
    assert (await store.tenant.client.delete(f"{STOCK}/levels/{level['id']}")).status_code == 409


async def test_levels_are_found_by_every_filter_and_summed_by_product(farm: Platform, store: ColdStore) -> None:
    elsewhere = await make_room(store.tenant, store.warehouse_id)
    first = (await receive(store, lot="A", quantity="3"))["lot_id"]
    await receive(store, lot="B", quantity="4", location_id=elsewhere)
    other = await make_product(store.tenant)
    await receive(store, lot="C", quantity="5", product_id=other)
    await hold(farm, store, "excursion:1")

    async def found(**filters: str) -> set[str]:
        return {level["on_hand"] for level in await store.tenant.get(f"{STOCK}/levels", **filters)}

    assert await found(product_id=store.product_id) == {"3.000", "4.000"}
    assert await found(location_id=elsewhere) == {"4.000"}
    assert await found(lot_id=first) == {"3.000"}
    assert await found(warehouse_id=store.warehouse_id) == {"3.000", "4.000", "5.000"}
    assert await found(warehouse_id=str(uuid.uuid4())) == set()
    assert await found(status="available") == {"4.000"}
    assert await found(variant_id=str(uuid.uuid4())) == set()
    path, newest = f"{STOCK}/levels/summary", await store.tenant.get(f"{STOCK}/levels/summary", limit=1)
    assert [row["product_id"] for row in newest] == [other]
    [summed] = await store.tenant.get(path, product_id=store.product_id)
    assert (summed["on_hand"], summed["on_hold"], summed["available"]) == ("7.000", "3.000", "4.000")
    page = (await store.tenant.client.get(path, params={"limit": 1})).json()
    [next_one] = await store.tenant.get(path, limit=1, cursor=page["meta"]["next_cursor"])
    assert next_one == summed


async def test_recent_receipts_stand_under_receiving(farm: Platform, store: ColdStore) -> None:
    await receive(store, lot="A")
    newest = await receive(store, lot="B", reference="PO-7")
    seen = await store.tenant.get(f"{STOCK}/receiving", warehouse_id=store.warehouse_id, limit=1)
    assert seen == {"expected": [], "recent": [newest]}


@pytest.mark.parametrize("field", ["product_id", "lot_id", "location_id", "warehouse_id", "group_id"])
async def test_movements_of_what_is_not_there_are_none(farm: Platform, store: ColdStore, field: str) -> None:
    await receive(store)
    assert await store.tenant.get(f"{STOCK}/movements", **{field: str(uuid.uuid4())}) == []
