"""A stock take: what was counted becomes what the books say, and nothing else does."""

import asyncio
import itertools
import uuid
from typing import Any

import pytest

from cloud_api.inventory.takes.states import TAKE, TakeAction, TakeStatus
from cloud_api.kernel.states import InvalidTransition
from tests.cloud_api.inventory.stock import assert_consistent, hold, lying_in
from tests.cloud_api.inventory.takes.counts import TAKES, approve_and_complete, begin, counted, do, enter, lines
from tests.cloud_api.inventory.transfers.test_transfers import promise
from tests.factories.farms import make_person, plant_store
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.scopes import heard_by, make_keeper
from tests.factories.stores import ColdStore, make_product, make_room, receive
from tests.platform_under_test import Platform, Tenant

pytestmark = IN_ONE_LOOP

STOCK = "/api/v1/warehouse/stock"


async def refusal(person: Tenant, take: Any, verb: str, body: object = None) -> tuple[int, str]:
    return await heard_by(person, "POST", f"{TAKES}/{take['id']}/{verb}", body or {})


async def adjust(store: ColdStore, lot_id: str, delta: str, **fields: Any) -> None:
    body = {"lot_id": lot_id, "location_id": store.room_id, "delta": delta, "reason": "sold", **fields}
    await store.tenant.post(f"{STOCK}/adjustment", body)


async def test_a_small_difference_is_booked_by_itself(farm: Platform, store: ColdStore) -> None:
    lot_id = (await receive(store))["lot_id"]
    take = await begin(store)
    assert (take["status"], take["lines"], take["counted"]) == ("counting", 1, 0)
    assert take["number"].startswith("STK-")
    await enter(store.tenant, take, counted(store, lot_id, "98.5"))
    assert (await do(store.tenant, take, "submit"))["status"] == "review"
    done = await do(store.tenant, take, "complete")
    assert (done["status"], done["accuracy_pct"]) == ("completed", 0.0)
    assert (await lying_in(store.tenant, store.room_id))["LOT-1"][0] == "98.500"
    newest = (await store.tenant.get(f"{STOCK}/movements", lot_id=lot_id))[0]
    assert (newest["movement_type"], newest["quantity"]) == ("adjustment", "-1.500")
    assert newest["reference"] == f"take:{take['number']}"
    await assert_consistent(farm, store)


async def test_a_large_difference_waits_for_somebody_who_has_not_counted(farm: Platform, store: ColdStore) -> None:
    lot_id = (await receive(store))["lot_id"]
    take = await begin(store)
    await enter(store.tenant, take, counted(store, lot_id, "90"))
    await do(store.tenant, take, "submit")
    assert await refusal(store.tenant, take, "complete") == (409, "NEEDS_APPROVAL")
    assert await refusal(store.tenant, take, "approve") == (403, "OWN_COUNT")
    clerk = await make_person(farm, store.tenant, "inventory_staff")
    assert await refusal(clerk, take, "approve") == (403, "FORBIDDEN")
    assert (await lying_in(store.tenant, store.room_id))["LOT-1"][0] == "100.000"
    await approve_and_complete(farm, store, take)
    assert (await lying_in(store.tenant, store.room_id))["LOT-1"][0] == "90.000"


async def test_the_organisation_says_what_is_large(farm: Platform, store: ColdStore) -> None:
    lot_id = (await receive(store))["lot_id"]
    await farm.tenant.put("/api/v1/admin/settings/stock_takes.variance_percent", {"value": 10})
    take = await begin(store)
    await enter(store.tenant, take, counted(store, lot_id, "90"))
    await do(store.tenant, take, "submit")
    assert (await do(store.tenant, take, "complete"))["status"] == "completed"


async def test_what_is_sold_while_others_count_is_no_loss(farm: Platform, store: ColdStore) -> None:
    lot_id = (await receive(store))["lot_id"]
    take = await begin(store)
    await adjust(store, lot_id, "-30")
    await enter(store.tenant, take, counted(store, lot_id, "70"))
    await adjust(store, lot_id, "-20")
    [line] = await lines(store.tenant, take)
    assert (line["expected"], line["moved"], line["counted"]) == ("100.000", "-30.000", "70.000")
    await do(store.tenant, take, "submit")
    done = await do(store.tenant, take, "complete")
    assert done["accuracy_pct"] == 100.0
    assert (await lying_in(store.tenant, store.room_id))["LOT-1"][0] == "50.000"


async def test_of_two_counts_the_last_one_holds_and_both_are_remembered(farm: Platform, store: ColdStore) -> None:
    lot_id = (await receive(store))["lot_id"]
    take = await begin(store)
    for quantity, fields in (("40", {}), ("60", {"method": "scale"}), ("39", {"additive": True})):
        await enter(store.tenant, take, counted(store, lot_id, quantity, **fields))
    [line] = await lines(store.tenant, take)
    assert line["counted"] == "99.000"
    history = await store.tenant.get(f"{TAKES}/{take['id']}/counts")
    assert [(one["quantity"], one["method"], one["additive"]) for one in history] == [
        ("39.000", "manual", True),
        ("60.000", "scale", False),
        ("40.000", "manual", False),
    ]
    await do(store.tenant, take, "submit")
    await do(store.tenant, take, "complete")
    assert (await lying_in(store.tenant, store.room_id))["LOT-1"][0] == "99.000"


async def test_parts_of_a_count_with_a_sale_between_them_are_counted_again(farm: Platform, store: ColdStore) -> None:
    lot_id = (await receive(store))["lot_id"]
    take = await begin(store)
    await enter(store.tenant, take, counted(store, lot_id, "40"))
    await adjust(store, lot_id, "-10")
    more = {"counts": [counted(store, lot_id, "50", additive=True)]}
    assert await refusal(store.tenant, take, "counts", more) == (409, "COUNT_AGAIN")
    await enter(store.tenant, take, counted(store, lot_id, "90"))
    assert (await lines(store.tenant, take))[0]["counted"] == "90.000"


async def test_what_nobody_expected_becomes_a_line(farm: Platform, store: ColdStore) -> None:
    await receive(store)
    take = await begin(store)
    found = {"product_id": store.product_id, "lot_number": "FOUND-1", "expires_on": "2027-03-01"}
    [line] = await enter(store.tenant, take, counted(store, None, "5", **found))
    assert (line["lot_number"], line["expected"]) == ("FOUND-1", "0.000")
    await do(store.tenant, take, "submit", {"uncounted": "skip"})
    assert await refusal(store.tenant, take, "complete") == (409, "NEEDS_APPROVAL")
    await approve_and_complete(farm, store, take)
    assert {lot: row[0] for lot, row in (await lying_in(store.tenant, store.room_id)).items()} == {
        "LOT-1": "100.000",
        "FOUND-1": "5.000",
    }


async def test_what_is_found_in_a_place_under_a_hold_is_held(farm: Platform, store: ColdStore) -> None:
    await receive(store)
    await hold(farm, store, "excursion:1")
    take = await begin(store)
    found = {"product_id": store.product_id, "lot_number": "FOUND-1"}
    await enter(store.tenant, take, counted(store, None, "5", **found))
    await do(store.tenant, take, "submit", {"uncounted": "skip"})
    await approve_and_complete(farm, store, take)
    assert (await lying_in(store.tenant, store.room_id))["FOUND-1"] == ("5.000", "0.000", "on_hold")


async def test_lines_that_nobody_counted_are_not_forgotten(farm: Platform, store: ColdStore) -> None:
    lots = [(await receive(store, lot=f"LOT-{number}"))["lot_id"] for number in range(3)]
    for uncounted, expected in (("skip", "100.000"), ("zero", "0.000")):
        take = await begin(store)
        await enter(store.tenant, take, counted(store, lots[0], "100"))
        assert await refusal(store.tenant, take, "submit") == (409, "NOT_COUNTED")
        await do(store.tenant, take, "submit", {"uncounted": uncounted})
        await approve_and_complete(farm, store, take)
        there = await lying_in(store.tenant, store.room_id)
        assert {lot: row[0] for lot, row in there.items()} == {
            "LOT-0": "100.000",
            "LOT-1": expected,
            "LOT-2": expected,
        }
    await assert_consistent(farm, store)


async def test_less_than_is_promised_is_reported_and_nothing_is_booked(farm: Platform, store: ColdStore) -> None:
    lot_id = (await receive(store))["lot_id"]
    other = (await receive(store, product_id=await make_product(store.tenant), lot="OTHER"))["lot_id"]
    await promise(farm, store, "80", "order_line:7")
    take = await begin(store)
    await enter(store.tenant, take, counted(store, other, "99"), counted(store, lot_id, "79"))
    await do(store.tenant, take, "submit")
    manager = await make_person(farm, store.tenant, "warehouse_manager")
    await do(manager, take, "approve")
    answer = await store.tenant.client.post(f"{TAKES}/{take['id']}/complete", json={})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (409, "PROMISED_STOCK_MISSING")
    [detail] = error["details"]
    assert "order_line:7" in detail["message"]
    assert "80.000" in detail["message"]
    there = await lying_in(store.tenant, store.room_id)
    assert (there["LOT-1"][0], there["OTHER"][0]) == ("100.000", "100.000")
    await do(store.tenant, take, "reopen")
    await enter(store.tenant, take, counted(store, lot_id, "99"))
    await do(store.tenant, take, "submit")
    assert (await do(store.tenant, take, "complete"))["status"] == "completed"
    await assert_consistent(farm, store)


async def test_an_approval_is_of_the_differences_as_they_were(farm: Platform, store: ColdStore) -> None:
    movement = await receive(store)
    take = await begin(store)
    between = (await receive(store, lot="LOT-2"))["recorded_at"]
    await enter(store.tenant, take, counted(store, movement["lot_id"], "80"))
    await do(store.tenant, take, "submit", {"uncounted": "skip"})
    manager = await make_person(farm, store.tenant, "warehouse_manager")
    await do(manager, take, "approve")
    await adjust(store, movement["lot_id"], "-5", effective_at=between)
    assert await refusal(store.tenant, take, "complete") == (409, "NEEDS_APPROVAL")
    await do(manager, take, "approve")
    await do(store.tenant, take, "complete")
    assert (await lying_in(store.tenant, store.room_id))["LOT-1"][0] == "80.000"


async def test_completing_again_books_nothing_more(farm: Platform, store: ColdStore) -> None:
    lot_id = (await receive(store))["lot_id"]
    take = await begin(store)
    await enter(store.tenant, take, counted(store, lot_id, "99"))
    await do(store.tenant, take, "submit")
    answers = await asyncio.gather(*(do(store.tenant, take, "complete") for _ in range(5)))
    assert {answer["status"] for answer in answers} == {"completed"}
    assert (await lying_in(store.tenant, store.room_id))["LOT-1"][0] == "99.000"
    assert len(await store.tenant.get(f"{STOCK}/movements", lot_id=lot_id)) == 2


async def test_who_counts_blind_is_not_told_what_ought_to_be_there(farm: Platform, store: ColdStore) -> None:
    lot_id = (await receive(store))["lot_id"]
    take = await begin(store, blind=True)
    clerk = await make_person(farm, store.tenant, "inventory_staff")
    manager = await make_person(farm, store.tenant, "warehouse_manager")
    hidden = ("expected", "expected_weight_g", "moved", "difference", "difference_weight_g", "is_large")
    [entered] = await enter(clerk, take, counted(store, lot_id, "90"))
    assert {entered[name] for name in hidden} == {None}
    for person in (clerk, manager):
        [line] = await lines(person, take)
        assert {line[name] for name in hidden} == {None}
    submitted = await do(clerk, take, "submit")
    assert submitted["accuracy_pct"] is None
    assert {(await lines(clerk, take))[0][name] for name in hidden} == {None}
    assert (await lines(manager, take))[0]["difference"] == "-10.000"
    await approve_and_complete(farm, store, take)
    assert (await lines(clerk, take))[0]["expected"] == "100.000"


async def test_two_takes_do_not_count_the_same(farm: Platform, store: ColdStore) -> None:
    lot_id = (await receive(store))["lot_id"]
    other = await make_room(store.tenant, store.warehouse_id)
    first = await begin(store, location_ids=[store.room_id])
    body = {"warehouse_id": store.warehouse_id}
    assert await heard_by(store.tenant, "POST", TAKES, body) == (409, "COUNTED_ELSEWHERE")
    beside = await begin(store, location_ids=[other])
    await enter(store.tenant, beside, {"lot_id": lot_id, "location_id": other, "quantity": "1"})
    await do(store.tenant, first, "cancel")
    again = await begin(store, location_ids=[store.room_id])
    assert again["lines"] == 1


async def test_a_take_counts_its_own_places_and_products(farm: Platform, store: ColdStore) -> None:
    rack = await make_room(store.tenant, store.warehouse_id, parent_id=store.room_id, location_type="rack")
    beside = await make_room(store.tenant, store.warehouse_id)
    salt = await make_product(store.tenant)
    kept = (await receive(store))["lot_id"]
    salted = (await receive(store, product_id=salt))["lot_id"]
    for place in (rack, beside):
        await receive(store, location_id=place)
    take = await begin(store, location_ids=[store.room_id], product_ids=[store.product_id])
    assert {(line["lot_id"], line["location_id"]) for line in await lines(store.tenant, take)} == {
        (kept, store.room_id),
        (kept, rack),
    }
    for wrong in (
        counted(store, salted, "1"),
        counted(store, kept, "1", location_id=beside),
        counted(store, kept, "-1"),
        counted(store, str(uuid.uuid4()), "1"),
    ):
        status, _ = await refusal(store.tenant, take, "counts", {"counts": [counted(store, kept, "3"), wrong]})
        assert status in {404, 422}
    assert {line["counted"] for line in await lines(store.tenant, take)} == {None}


async def test_pieces_of_another_weight_are_booked_as_weight_alone(farm: Platform, store: ColdStore) -> None:
    cheese = await make_product(store.tenant, unit="piece", catch_weight=True)
    lot_id = (await receive(store, product_id=cheese, quantity="4", weight_g=4_100))["lot_id"]
    for quantity, weight_g in (("4", 4_050), ("3", 3_060), ("4", 4_000)):
        take = await begin(store, product_ids=[cheese])
        assert await refusal(store.tenant, take, "counts", {"counts": [counted(store, lot_id, quantity)]}) == (
            422,
            "WRONG_WEIGHT",
        )
        await enter(store.tenant, take, counted(store, lot_id, quantity, weight_g=weight_g))
        await do(store.tenant, take, "submit")
        await approve_and_complete(farm, store, take)
        [level] = await store.tenant.get(f"{STOCK}/levels", product_id=cheese)
        assert (level["on_hand"], level["weight_g"]) == (f"{quantity}.000", weight_g)
    await assert_consistent(farm, store)


async def test_a_scan_names_product_lot_and_amount(farm: Platform, store: ColdStore) -> None:
    product = await make_product(store.tenant, gtin="09506000134352")
    lot_id = (await receive(store, product_id=product, lot="A7", quantity="12"))["lot_id"]
    take = await begin(store)
    scan = {"location_id": store.room_id, "method": "scan"}
    for scanned in ("]C1010950600013435210A7\x1d3103012000", "(01)09506000134352(10)A7(3103)012000"):
        [line] = await enter(store.tenant, take, {**scan, "scanned": scanned})
        assert (line["lot_id"], line["counted"], line["method"]) == (lot_id, "12.000", "scan")
    for scanned, expected in (
        ("010950600013435210A7", (422, "INVALID")),
        ("]C10109506000134353", (422, "MALFORMED_SCAN")),
        ("]C1010950600013435210A73103012000", (422, "SEPARATOR_MISSING")),
        ("]C10109506000134352", (422, "INVALID")),
        ("]C1010950600013435210A7", (422, "INVALID")),
        ("(01)04012345678901(10)A7", (404, "NOT_FOUND")),
        ("]C1010950600013435217250101\x1d10A7", (409, "LOT_DIFFERS")),
    ):
        said = {"counts": [{**scan, "scanned": scanned, **({"quantity": "1"} if "17250101" in scanned else {})}]}
        assert await refusal(store.tenant, take, "counts", said) == expected, scanned


async def test_somebody_else_of_another_warehouse_sees_nothing_of_it(farm: Platform, store: ColdStore) -> None:
    await receive(store)
    take = await begin(store)
    stranger = await make_keeper(farm, (await plant_store(farm)).warehouse_id)
    keeper = await make_keeper(farm, store.warehouse_id)
    assert await stranger.get(TAKES) == []
    assert [row["id"] for row in await keeper.get(TAKES, status="counting", warehouse_id=store.warehouse_id)] == [
        take["id"]
    ]
    assert await heard_by(stranger, "GET", f"{TAKES}/{take['id']}") == (404, "NOT_FOUND")
    assert await heard_by(stranger, "POST", TAKES, {"warehouse_id": store.warehouse_id}) == (404, "NOT_FOUND")


async def test_a_take_can_be_planned_and_begun_later(farm: Platform, store: ColdStore) -> None:
    take = await begin(store, start=False)
    assert (take["status"], take["lines"]) == ("draft", 0)
    lot_id = (await receive(store))["lot_id"]
    assert await refusal(store.tenant, take, "counts", {"counts": [counted(store, lot_id, "1")]}) == (
        409,
        "INVALID_TRANSITION",
    )
    assert (await do(store.tenant, take, "start"))["lines"] == 1
    assert await heard_by(store.tenant, "POST", TAKES, {}) == (422, "INVALID")


async def test_many_count_for_one_take_at_once(farm: Platform, store: ColdStore) -> None:
    lots = [(await receive(store, lot=f"LOT-{number}"))["lot_id"] for number in range(4)]
    take = await begin(store)
    mine = [counted(store, lot_id, "25", additive=True) for lot_id in lots]
    await asyncio.gather(*(enter(store.tenant, take, *counts) for counts in (mine, mine[::-1]) * 2))
    assert {line["counted"] for line in await lines(store.tenant, take)} == {"100.000"}


async def test_the_life_of_a_take() -> None:
    for at, action in itertools.product(TakeStatus, TakeAction):
        after = TAKE.table.get((at, action))
        if after is None:
            with pytest.raises(InvalidTransition):
                TAKE.apply(at, action)
        else:
            assert TAKE.apply(at, action) == after
    for status in (TakeStatus.DRAFT, TakeStatus.COUNTING, TakeStatus.REVIEW):
        assert TAKE.apply(status, TakeAction.CANCEL) == TakeStatus.CANCELLED
    assert not TAKE.allowed(TakeStatus.COMPLETED) | TAKE.allowed(TakeStatus.CANCELLED)
