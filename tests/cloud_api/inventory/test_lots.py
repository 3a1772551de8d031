"""Lots: what may be done with them and why not, first expired first, and how one becomes another."""

import asyncio
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from cloud_api.kernel import clock
from tests.cloud_api.inventory.stock import assert_consistent, hold, lying_in, status_in
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.properties import FEW
from tests.factories.stores import ColdStore, make_product, make_room, make_warehouse, receive
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

LOTS = "/api/v1/warehouse/batches"
STOCK = "/api/v1/warehouse/stock"


def day(days: int) -> str:
    """By the calendar of the tests' organisations."""
    return (clock.now().astimezone(ZoneInfo("Asia/Kolkata")).date() + timedelta(days=days)).isoformat()


async def call(store: ColdStore, path: str, body: Mapping[str, object]) -> tuple[int, Any]:
    answer = await store.tenant.client.post(f"{LOTS}/{path}", json=body)
    document = answer.json()
    return answer.status_code, document["data"] if answer.is_success else document["error"]["code"]


async def lot_of(store: ColdStore, lot_id: str) -> Any:
    return await store.tenant.get(f"{LOTS}/{lot_id}")


async def waste(store: ColdStore, lot_id: str, quantity: str) -> None:
    body = {"movement_type": "waste", "lot_id": lot_id, "location_id": store.room_id, "quantity": quantity}
    await store.tenant.post(f"{STOCK}/movements", body)


async def test_a_lots_status_is_what_may_be_done_with_it_and_its_reasons_why(farm: Platform, store: ColdStore) -> None:
    fresh = (await receive(store, lot="FRESH", quantity="2"))["lot_id"]
    old = (await receive(store, lot="OLD", expires_on=day(-2)))["lot_id"]
    gone = (await receive(store, lot="GONE", quantity="1"))["lot_id"]
    await waste(store, gone, "1")
    kept = (await receive(store, lot="KEPT"))["lot_id"]
    assert (await call(store, f"{kept}/hold", {"reason": "smells"}))[0] == 200
    checked = (await receive(store, lot="CHECKED"))["lot_id"]
    assert (await call(store, f"{checked}/hold", {"reason": "sample taken", "kind": "quarantine"}))[0] == 200
    found = {lot["lot_number"]: (lot["status"], lot["reasons"]) for lot in await store.tenant.get(LOTS)}
    assert found == {
        "FRESH": ("available", []),
        "OLD": ("expired", [f"expired on {day(-2)}"]),
        "GONE": ("consumed", ["nothing of it is left"]),
        "KEPT": ("on_hold", ["hold: smells"]),
        "CHECKED": ("quarantine", ["quarantine: sample taken"]),
    }
    for number, (status, _) in found.items():
        assert [lot["lot_number"] for lot in await store.tenant.get(LOTS, status=status)] == [number]
    assert [lot["id"] for lot in await store.tenant.get(LOTS, lot_number="OLD")] == [old]
    assert (await lot_of(store, fresh))["on_hand"] == "2.000"


async def test_a_lot_of_which_some_may_be_sold_is_available_and_says_what_is_the_matter_with_the_rest(
    farm: Platform, store: ColdStore
) -> None:
    elsewhere = await make_room(store.tenant, store.warehouse_id)
    lot_id = (await receive(store))["lot_id"]
    await receive(store, location_id=elsewhere)
    await hold(farm, store, "excursion:1")
    lot = await lot_of(store, lot_id)
    assert (lot["status"], lot["reasons"]) == ("available", ["hold: too warm"])


async def test_lots_stand_first_expired_first_across_pages_and_those_that_keep_come_last(
    farm: Platform, store: ColdStore
) -> None:
    for lot, expires_on in (("C", day(9)), ("A", day(3)), ("NEVER-1", None), ("B", day(3)), ("NEVER-2", None)):
        await receive(store, lot=lot, expires_on=expires_on)
    found: list[str] = []
    cursor: str | None = None
    while True:
        params: dict[str, str | int | None] = {"order": "fefo", "limit": 2}
        if cursor is not None:
            params["cursor"] = cursor
        page = (await store.tenant.client.get(LOTS, params=params)).json()
        found += [lot["lot_number"] for lot in page["data"]]
        cursor = page["meta"]["next_cursor"]
        if cursor is None:
            break
    assert found == ["A", "B", "C", "NEVER-1", "NEVER-2"]
    assert (await store.tenant.client.get(LOTS, params={"order": "fefo", "cursor": "AAAA"})).status_code == 422


async def test_a_lot_with_three_days_left_is_listed_and_so_is_one_that_has_expired(
    farm: Platform, store: ColdStore
) -> None:
    for lot, expires_on in (("SOON", day(3)), ("LATER", day(4)), ("PAST", day(-1)), ("NEVER", None)):
        await receive(store, lot=lot, expires_on=expires_on)
    gone = (await receive(store, lot="GONE", quantity="1", expires_on=day(1)))["lot_id"]
    await waste(store, gone, "1")
    found = await store.tenant.get(f"{LOTS}/expiring", days=3)
    assert [(lot["lot_number"], lot["days_left"]) for lot in found] == [("PAST", -1), ("SOON", 3)]
    assert await store.tenant.get(f"{LOTS}/expiring", days=3, warehouse_id=str(uuid.uuid4())) == []
    assert await store.tenant.get(f"{LOTS}/expiring", days=3, product_id=str(uuid.uuid4())) == []


async def test_a_lot_expires_by_the_calendar_of_the_warehouse_it_lies_in(farm: Platform, store: ColdStore) -> None:
    """At noon UTC it is the day after in Kiritimati, and the same day in Pago Pago."""
    noon = datetime(2026, 6, 1, 12, tzinfo=UTC)
    east = await make_room(store.tenant, await make_warehouse(store.tenant, timezone="Pacific/Kiritimati"))
    west = await make_room(store.tenant, await make_warehouse(store.tenant, timezone="Pacific/Pago_Pago"))
    await receive(store, lot="EAST", location_id=east, expires_on="2026-06-01", effective_at="2026-05-01T00:00:00Z")
    await receive(store, lot="WEST", location_id=west, expires_on="2026-06-01", effective_at="2026-05-01T00:00:00Z")
    clock.use(lambda: noon)
    try:
        found = {lot["lot_number"]: lot["status"] for lot in await store.tenant.get(LOTS)}
        days_left = {lot["lot_number"]: lot["days_left"] for lot in await store.tenant.get(f"{LOTS}/expiring", days=1)}
    finally:
        clock.use(None)
    assert found == {"EAST": "expired", "WEST": "available"}
    assert days_left == {"EAST": -1, "WEST": 0}


async def test_a_correction_of_a_lot_needs_a_reason_and_the_trail_keeps_it(farm: Platform, store: ColdStore) -> None:
    lot_id = (await receive(store, manufactured_on="2026-12-01"))["lot_id"]
    path = f"{LOTS}/{lot_id}"
    assert (await store.tenant.client.put(path, json={"grade": "poor"})).status_code == 422
    early = {"expires_on": "2026-11-30", "reason": "misread"}
    assert (await store.tenant.client.put(path, json=early)).status_code == 422
    changed = await store.tenant.put(path, {"grade": "poor", "expires_on": "2027-01-15", "reason": "bruised"})
    assert (changed["grade"], changed["expires_on"]) == ("poor", "2027-01-15")
    trail = await store.tenant.get("/api/v1/admin/security/audit-logs", entity="lots", entity_id=lot_id)
    assert "bruised" in str(trail[0])


async def test_a_held_lot_is_held_wherever_it_lies_and_arrives_until_somebody_releases_it(
    farm: Platform, store: ColdStore
) -> None:
    elsewhere = await make_room(store.tenant, store.warehouse_id)
    lot_id = (await receive(store))["lot_id"]
    await receive(store, lot="OTHER")
    for _ in range(2):
        assert (await call(store, f"{lot_id}/hold", {"reason": "label wrong"}))[0] == 200
    assert len(await store.tenant.get(f"{STOCK}/holds", lot_id=lot_id)) == 1
    await receive(store, location_id=elsewhere)
    assert await status_in(store.tenant, elsewhere) == {"LOT-1": "on_hold"}
    assert await status_in(store.tenant, store.room_id) == {"LOT-1": "on_hold", "OTHER": "available"}
    status, lot = await call(store, f"{lot_id}/release", {"reason": "relabelled"})
    assert (status, lot["status"]) == (200, "available")
    assert await status_in(store.tenant, elsewhere) == {"LOT-1": "available"}
    assert await call(store, f"{lot_id}/release", {"reason": "again"}) == (409, "CONFLICT")


async def test_a_lot_held_in_one_place_is_free_in_others(farm: Platform, store: ColdStore) -> None:
    elsewhere = await make_room(store.tenant, store.warehouse_id)
    lot_id = (await receive(store))["lot_id"]
    await receive(store, location_id=elsewhere)
    await call(store, f"{lot_id}/hold", {"reason": "crate fell", "location_id": elsewhere})
    assert await status_in(store.tenant, store.room_id) == {"LOT-1": "available"}
    assert await status_in(store.tenant, elsewhere) == {"LOT-1": "on_hold"}


async def split(store: ColdStore, lot_id: str, *parts: tuple[str, str]) -> tuple[int, Any]:
    wanted = [{"lot_number": number, "quantity": quantity} for number, quantity in parts]
    return await call(store, f"{lot_id}/split", {"location_id": store.room_id, "parts": wanted})


async def test_a_split_makes_lots_alike_and_books_both_sides_together(farm: Platform, store: ColdStore) -> None:
    lot_id = (await receive(store, quantity="10", unit_cost="2", grade="good", supplier="Green Valley"))["lot_id"]
    status, made = await split(store, lot_id, ("A", "3"), ("B", "4"))
    assert (status, len(made["lots"]), len(made["movements"])) == (201, 2, 4)
    assert {movement["group_id"] for movement in made["movements"]} == {made["group_id"]}
    assert {lot: on_hand for lot, (on_hand, _, _) in (await lying_in(store.tenant, store.room_id)).items()} == {
        "LOT-1": "3.000",
        "A": "3.000",
        "B": "4.000",
    }
    parent, child = await lot_of(store, lot_id), await lot_of(store, made["lots"][0])
    for fact in ("expires_on", "grade", "supplier", "unit_cost", "received_at", "product_id"):
        assert parent[fact] == child[fact]
    assert await split(store, lot_id, ("A", "1")) == (409, "ALREADY_EXISTS")
    assert await split(store, lot_id, ("C", "1"), ("D", "3")) == (409, "NOT_ENOUGH_STOCK")
    assert await store.tenant.get(LOTS, lot_number="C") == []
    await assert_consistent(farm, store)


async def test_what_holds_a_lot_holds_what_is_made_of_it(farm: Platform, store: ColdStore) -> None:
    lot_id = (await receive(store, quantity="10"))["lot_id"]
    await hold(farm, store, "excursion:1")
    await split(store, lot_id, ("A", "3"))
    assert await status_in(store.tenant, store.room_id) == {"LOT-1": "on_hold", "A": "on_hold"}
    [held] = await store.tenant.get(f"{STOCK}/holds")
    await store.tenant.post(f"{STOCK}/holds/{held['id']}/release", {"reason": "checked"})
    assert await status_in(store.tenant, store.room_id) == {"LOT-1": "available", "A": "available"}


async def test_lots_put_together_expire_when_the_first_does_and_are_as_good_as_the_worst(
    farm: Platform, store: ColdStore
) -> None:
    first = (await receive(store, lot="A", quantity="10", expires_on=day(9), grade="good", unit_cost="2"))["lot_id"]
    second = (await receive(store, lot="B", quantity="10", expires_on=day(4), grade="fair", unit_cost="5"))["lot_id"]
    other = (await receive(store, lot="C", product_id=await make_product(store.tenant)))["lot_id"]

    def portion(lot_id: str, quantity: str) -> dict[str, str]:
        return {"lot_id": lot_id, "location_id": store.room_id, "quantity": quantity}

    body = {"lot_number": "MIX", "to_location_id": store.room_id}
    wrong = {**body, "portions": [portion(first, "1"), portion(other, "1")]}
    assert await call(store, "merge", wrong) == (409, "LOTS_DIFFER")
    status, made = await call(store, "merge", {**body, "portions": [portion(first, "1"), portion(second, "2")]})
    assert status == 201
    mixed = await lot_of(store, made["lots"][0])
    assert (mixed["on_hand"], mixed["expires_on"], mixed["grade"]) == ("3.000", day(4), "fair")
    assert mixed["unit_cost"] == "4.0000"
    await assert_consistent(farm, store)


async def test_what_is_packed_anew_weighs_what_went_in_less_what_was_lost(farm: Platform, store: ColdStore) -> None:
    bag = await make_product(store.tenant, unit="piece", unit_weight_g=300)
    lot_id = (await receive(store, quantity="10", expires_on=day(9)))["lot_id"]

    async def repack(quantity: str, **fields: object) -> tuple[int, Any]:
        made = {"product_id": bag, "lot_number": f"BAGS-{uuid.uuid4()}", "quantity": quantity, "expires_on": day(5)}
        wanted = {**made, **{key: fields.pop(key) for key in ("expires_on",) if key in fields}}
        body = {"location_id": store.room_id, "quantity": "1", "made": [wanted], **fields}
        return await call(store, f"{lot_id}/repack", body)

    status, made = await repack("3")
    assert (status, made["loss_g"]) == (201, 100)
    assert (await lot_of(store, made["lots"][0]))["expires_on"] == day(5)
    assert await repack("4") == (422, "WRONG_MASS")
    assert await repack("3", loss_g=99) == (422, "WRONG_MASS")
    assert (await repack("3", loss_g=100))[0] == 201
    assert await repack("3", expires_on=day(10)) == (422, "INVALID")
    assert (await lot_of(store, lot_id))["on_hand"] == "8.000"
    await assert_consistent(farm, store)


async def weighed(store: ColdStore, lot: str, quantity: str, weight_g: int, product_id: str) -> str:
    """A lot of goods that are counted, and weighed piece by piece."""
    made = await receive(store, lot=lot, quantity=quantity, product_id=product_id, weight_g=weight_g)
    return str(made["lot_id"])


async def complaint(store: ColdStore, path: str, body: Mapping[str, object]) -> tuple[str, list[str]]:
    error = (await store.tenant.client.post(f"{LOTS}/{path}", json=body)).json()["error"]
    return error["code"], [detail["field"] for detail in error["details"]]


async def test_pieces_that_are_weighed_keep_their_grams_when_lots_are_put_together(
    farm: Platform, store: ColdStore
) -> None:
    crate = await make_product(store.tenant, unit="crate", unit_weight_g=1_000, catch_weight=True)
    first = await weighed(store, "A", "4", 4_100, crate)
    second = await weighed(store, "B", "6", 5_900, crate)

    def portion(lot_id: str, quantity: str, **weight: int) -> dict[str, object]:
        return {"lot_id": lot_id, "location_id": store.room_id, "quantity": quantity, **weight}

    body = {"lot_number": "MIX", "to_location_id": store.room_id}
    too_heavy = {**body, "portions": [portion(first, "1"), portion(second, "2", weight_g=6_000)]}
    assert await complaint(store, "merge", too_heavy) == ("NOT_ENOUGH_STOCK", ["portions.1.weight_g"])
    too_many = {**body, "portions": [portion(first, "5"), portion(second, "2")]}
    assert await complaint(store, "merge", too_many) == ("NOT_ENOUGH_STOCK", ["portions.0.quantity"])
    status, made = await call(
        store, "merge", {**body, "portions": [portion(first, "4"), portion(second, "2", weight_g=2_050)]}
    )
    assert status == 201
    weights = {lot: (await lot_of(store, lot))["weight_g"] for lot in (first, second, made["lots"][0])}
    assert weights == {first: 0, second: 3_850, made["lots"][0]: 6_150}
    await assert_consistent(farm, store)


async def test_pieces_that_are_weighed_are_packed_anew_by_the_gram(farm: Platform, store: ColdStore) -> None:
    crate = await make_product(store.tenant, unit="crate", unit_weight_g=1_000, catch_weight=True)
    tray = await make_product(store.tenant, unit="piece", unit_weight_g=500, catch_weight=True)
    lot_id = await weighed(store, "WHOLE", "4", 4_100, crate)
    made: dict[str, object] = {"product_id": tray, "lot_number": "TRAYS", "quantity": "2"}
    body = {"location_id": store.room_id, "quantity": "1", "made": [{**made, "weight_g": 1_000}]}
    assert await complaint(store, f"{lot_id}/repack", body) == ("WRONG_WEIGHT", ["weight_g"])
    unweighed = {**body, "weight_g": 1_050, "made": [made]}
    assert await complaint(store, f"{lot_id}/repack", unweighed) == ("WRONG_WEIGHT", ["made.0.weight_g"])
    status, booked = await call(store, f"{lot_id}/repack", {**body, "weight_g": 1_050})
    assert (status, booked["loss_g"]) == (201, 50)
    assert [(await lot_of(store, one))["weight_g"] for one in (lot_id, booked["lots"][0])] == [3_050, 1_000]

    last = {**body, "quantity": "3", "weight_g": 3_000, "made": [{**made, "lot_number": "LAST", "weight_g": 2_900}]}
    status, booked = await call(store, f"{lot_id}/repack", last)
    assert (status, booked["loss_g"]) == (201, 150), "who takes the last takes all that the books say it weighs"
    assert (await lot_of(store, lot_id))["weight_g"] == 0
    await assert_consistent(farm, store)


async def trace(store: ColdStore, lot_id: str, **query: object) -> Any:
    return await store.tenant.get(f"{LOTS}/{lot_id}/trace", **query)


async def test_a_lot_is_followed_from_its_supplier_to_its_customers_through_what_was_made_of_it(
    farm: Platform, store: ColdStore
) -> None:
    first = (await receive(store, lot="A", quantity="10", supplier="Green Valley", reference="PO-1"))["lot_id"]
    second = (await receive(store, lot="B", quantity="10", reference="PO-2"))["lot_id"]
    _, halves = await split(store, first, ("A-1", "5"), ("A-2", "5"))
    portions = [
        {"lot_id": lot_id, "location_id": store.room_id, "quantity": "5"} for lot_id in (halves["lots"][0], second)
    ]
    body = {"lot_number": "MIX", "to_location_id": store.room_id, "portions": portions}
    _, mixed = await call(store, "merge", body)
    sold = {"movement_type": "outbound", "lot_id": mixed["lots"][0], "location_id": store.room_id}
    await store.tenant.post(f"{STOCK}/movements", {**sold, "quantity": "3", "reference": "DEL-7"})
    down = await trace(store, first, direction="down")
    assert {lot["lot_number"] for lot in down["lots"]} == {"A", "A-1", "A-2", "MIX"}
    assert [(one["reference"], one["quantity"]) for one in down["shipments"]] == [("DEL-7", "-3.000")]
    assert {place["on_hand"] for place in down["places"]} == {"5.000", "7.000"}
    assert [step["kind"] for step in down["steps"]] == ["split", "split", "merge"]
    up = await trace(store, mixed["lots"][0], direction="up")
    assert {lot["lot_number"] for lot in up["lots"]} == {"MIX", "A-1", "A", "B"}
    assert {one["reference"] for one in up["receipts"]} == {"PO-1", "PO-2"}
    assert "Green Valley" in {lot["supplier"] for lot in up["lots"]}
    assert up["shipments"] == up["places"] == []
    both = await trace(store, halves["lots"][1])
    assert {lot["lot_number"] for lot in both["lots"]} == {"A", "A-2"}
    assert not both["truncated"]


async def test_what_was_undone_is_not_followed(farm: Platform, store: ColdStore) -> None:
    lot_id = (await receive(store, lot="A", quantity="10"))["lot_id"]
    _, made = await split(store, lot_id, ("A-1", "5"))
    sold = {"movement_type": "outbound", "lot_id": lot_id, "location_id": store.room_id, "quantity": "1"}
    shipped = await store.tenant.post(f"{STOCK}/movements", sold)
    for movement in (made["movements"][0], shipped):
        await store.tenant.post(f"{STOCK}/movements/{movement['id']}/reverse", {"reason": "mistake"})
    found = await trace(store, lot_id)
    assert [lot["lot_number"] for lot in found["lots"]] == ["A"]
    assert found["shipments"] == []


async def test_shipments_of_a_trace_come_in_pages(farm: Platform, store: ColdStore) -> None:
    lot_id = (await receive(store, quantity="10"))["lot_id"]
    body = {"movement_type": "outbound", "lot_id": lot_id, "location_id": store.room_id, "quantity": "1"}
    for number in range(3):
        await store.tenant.post(f"{STOCK}/movements", {**body, "reference": f"DEL-{number}"})
    first = await trace(store, lot_id, limit=2)
    rest = await trace(store, lot_id, limit=2, cursor=first["next_cursor"])
    assert [one["reference"] for one in first["shipments"] + rest["shipments"]] == ["DEL-2", "DEL-1", "DEL-0"]
    assert rest["next_cursor"] is None


async def test_a_split_and_a_hold_at_the_same_moment_leave_nothing_free(farm: Platform, store: ColdStore) -> None:
    lot_id = (await receive(store, quantity="10"))["lot_id"]
    answers = await asyncio.gather(
        *(split(store, lot_id, (f"A-{number}", "1")) for number in range(4)),
        call(store, f"{lot_id}/hold", {"reason": "recheck"}),
    )
    assert {status for status, _ in answers} == {200, 201}
    statuses = await status_in(store.tenant, store.room_id)
    assert statuses["LOT-1"] == "on_hold"
    await assert_consistent(farm, store)


turns = st.lists(
    st.tuples(st.sampled_from(["split", "merge"]), st.integers(0, 9), st.integers(0, 9), st.integers(1, 4)),
    max_size=6,
)


@FEW
@given(wanted=turns)
async def test_whatever_is_made_of_what_its_sum_stays_and_every_trace_ends_and_finds_it(
    farm: Platform, store: ColdStore, wanted: list[tuple[str, int, int, int]]
) -> None:
    room = await make_room(store.tenant, store.warehouse_id)
    product_id = await make_product(store.tenant)
    root = (await receive(store, product_id=product_id, location_id=room, quantity="12"))["lot_id"]
    lots, parents = [root], {root: set[str]()}
    for number, (kind, one, two, quantity) in enumerate(wanted):
        chosen = [lots[one % len(lots)], lots[two % len(lots)]]
        part = {"location_id": room, "quantity": str(quantity)}
        if kind == "split":
            parts = [{"lot_number": f"L-{number}", "quantity": str(quantity)}]
            status, made = await call(store, f"{chosen[0]}/split", {"location_id": room, "parts": parts})
        else:
            portions = [{**part, "lot_id": lot_id} for lot_id in chosen]
            body = {"lot_number": f"L-{number}", "to_location_id": room, "portions": portions}
            status, made = await call(store, "merge", body)
        if status == 201:
            [child] = made["lots"]
            lots.append(child)
            parents[child] = {chosen[0]} if kind == "split" else set(chosen)
        else:
            assert (status, made) == (409, "NOT_ENOUGH_STOCK")
    levels = await store.tenant.get(f"{STOCK}/levels", product_id=product_id, limit=200)
    assert sum(float(level["on_hand"]) for level in levels) == 12
    found = await trace(store, root, direction="down")
    assert {lot["id"] for lot in found["lots"]} == set(lots)
    assert {(step["parent_lot_id"], step["child_lot_id"]) for step in found["steps"]} == {
        (parent, child) for child, its in parents.items() for parent in its
    }
    up = await trace(store, lots[-1], direction="up")
    assert {lot["id"] for lot in up["lots"]} >= {root, lots[-1]}
