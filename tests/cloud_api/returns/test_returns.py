"""Returns: nothing comes back that was not delivered, nothing is sold again that nobody vouches for."""

import itertools
import uuid
from datetime import date, timedelta
from typing import Any

import pytest

from cloud_api.cold_chain.excursions.models import Excursion
from cloud_api.cold_chain.exposure.models import LotExposure
from cloud_api.kernel import clock
from cloud_api.orders.book.models import CustomerOrder
from cloud_api.returns.models import CustomerReturn
from cloud_api.returns.states import RETURN, ReturnAction, ReturnStatus
from tests.cloud_api.inventory.stock import assert_consistent, lying_in
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.payments import money_of
from tests.factories.returns import RETURNS, HandedOver, hand_over_order
from tests.factories.scopes import heard_by, make_buyer
from tests.factories.stores import ColdStore, make_room, make_rule
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

ORDERS = "/api/v1/orders"


def store_of(handed: HandedOver) -> ColdStore:
    depot = handed.depot
    return ColdStore(depot.tenant, depot.warehouse_id, depot.room_id, depot.product_id, "", "", "")


async def order_status(handed: HandedOver) -> str:
    return str((await handed.tenant.get(f"{ORDERS}/{handed.order_id}"))["status"])


async def refused(handed: HandedOver, path: str, body: object) -> tuple[int, str]:
    return await heard_by(handed.tenant, "POST", path, body)


def wish(handed: HandedOver, quantity: str, **changes: Any) -> dict[str, Any]:
    line = {"order_line_id": handed.line_id, "quantity": quantity}
    return {"reason": "too much", "lines": [line], **changes}


async def test_what_is_sound_is_sold_again_and_the_order_is_returned(farm: Platform) -> None:
    handed = await hand_over_order(farm)
    one = await handed.inspect()
    assert (one["status"], one["number"][:4], one["goods"][0]["doubts"]) == ("inspected", "RET-", [])
    assert await lying_in(handed.tenant, handed.quarantine_id) == {"LOT-1": ("4.000", "0.000", "on_hold")}
    done = await handed.restock(one)
    assert (done["status"], done["goods"][0]["disposition"]) == ("completed", "restock")
    assert await lying_in(handed.tenant, handed.depot.room_id) == {"LOT-1": ("100.000", "100.000", "available")}
    assert await lying_in(handed.tenant, handed.quarantine_id) in ({}, {"LOT-1": ("0.000", "0.000", "available")})
    assert await order_status(handed) == "returned"
    assert [row["id"] for row in await handed.tenant.get(RETURNS, order_id=handed.order_id)] == [one["id"]]
    assert await handed.tenant.get(RETURNS, status="requested") == []
    await assert_consistent(farm, store_of(handed))


async def test_what_came_back_of_an_unpaid_order_is_not_paid_either(farm: Platform) -> None:
    handed = await hand_over_order(farm)
    one = await handed.inspect("1", condition="spoiled")
    assert await refused(handed, f"{RETURNS}/{one['id']}/refund", {"amount_minor": 4_251}) == (409, "OVER_RETURNED")
    assert await refused(handed, f"{RETURNS}/{one['id']}/refund", {"amount_minor": 4_000}) == (422, "BAD_RETURN")
    granted = await handed.tenant.post(f"{RETURNS}/{one['id']}/refund")
    assert (granted["refund_status"], granted["refund_minor"]) == ("refunded", 4_250)
    money = await money_of(handed.tenant, handed.order_id)
    assert (money["credited_minor"], money["due_minor"]) == (4_250, 12_750)
    assert await refused(handed, f"{RETURNS}/{one['id']}/refund", {}) == (409, "INVALID_TRANSITION")
    assert (await handed.scrap(one))["status"] == "completed"
    assert await order_status(handed) == "delivered"


async def test_no_more_comes_back_than_was_delivered_and_has_not(farm: Platform) -> None:
    handed = await hand_over_order(farm)
    path = f"{ORDERS}/{handed.order_id}/returns"
    assert await refused(handed, path, wish(handed, "4.001")) == (409, "OVER_RETURNED")
    asked = await handed.ask("3")
    assert await refused(handed, path, wish(handed, "1.001")) == (409, "OVER_RETURNED")
    await handed.tenant.put(f"{RETURNS}/{asked['id']}", {"status": "rejected", "reason": "eaten"})
    one = await handed.approve("4")
    came = {"location_id": handed.quarantine_id}
    line_id = one["lines"][0]["id"]
    for quantities in (["4.001"], ["2", "2.001"]):
        goods = [{"line_id": line_id, "quantity": quantity} for quantity in quantities]
        heard = await refused(handed, f"{RETURNS}/{one['id']}/receive", {**came, "goods": goods})
        assert heard == (409, "OVER_RETURNED")
    less = {**came, "goods": [{"line_id": line_id, "quantity": "1.5"}]}
    assert (await handed.tenant.post(f"{RETURNS}/{one['id']}/receive", less))["status"] == "received"
    # what was announced and did not come may be asked for again
    assert await refused(handed, path, wish(handed, "2.501")) == (409, "OVER_RETURNED")
    assert (await handed.ask("2.5"))["status"] == "requested"


async def test_what_cannot_be_meant_is_refused(farm: Platform) -> None:
    handed, other = await hand_over_order(farm), await hand_over_order(farm)
    path = f"{ORDERS}/{handed.order_id}/returns"
    line = {"order_line_id": handed.line_id, "quantity": "1"}
    assert await refused(handed, path, wish(handed, "1", lines=[line, line])) == (422, "BAD_RETURN")
    theirs = [{"order_line_id": other.line_id, "quantity": "1"}]
    assert await refused(handed, path, wish(handed, "1", lines=theirs)) == (404, "NOT_FOUND")
    assert await refused(handed, path, wish(handed, "0")) == (422, "VALIDATION_FAILED")
    assert await refused(handed, RETURNS, wish(handed, "1", order_id=str(uuid.uuid4()))) == (404, "NOT_FOUND")
    one = await handed.approve()
    goods = {"line_id": one["lines"][0]["id"], "quantity": "1"}
    receive = f"{RETURNS}/{one['id']}/receive"
    for change, where, heard in (
        ({"lot_id": str(uuid.uuid4())}, handed.quarantine_id, (422, "BAD_RETURN")),
        ({"line_id": str(uuid.uuid4())}, handed.quarantine_id, (404, "NOT_FOUND")),
        ({"weight_g": 1_000}, handed.quarantine_id, (422, "WRONG_WEIGHT")),
        ({}, other.quarantine_id, (422, "BAD_RETURN")),
        ({}, str(uuid.uuid4()), (404, "NOT_FOUND")),
        # the same lot is sold from there
        ({}, handed.depot.room_id, (409, "MIXED_STOCK")),
    ):
        assert await refused(handed, receive, {"location_id": where, "goods": [{**goods, **change}]}) == heard
    assert (await handed.tenant.get(f"{RETURNS}/{one['id']}"))["status"] == "approved"
    assert await lying_in(handed.tenant, handed.quarantine_id) == {}


@pytest.mark.parametrize(
    ("came", "condition", "why"),
    [
        ({"temperature_c": None}, "intact", "nobody measured"),
        ({"temperature_c": 8.1}, "intact", "it had 8.1 °C"),
        ({"temperature_c": -2.1}, "intact", "it had -2.1 °C"),
        ({"outside_minutes": None}, "intact", "nobody declares"),
        ({"outside_minutes": 31}, "intact", "for 31 minutes: 30 are allowed"),
        ({}, "damaged", "it was found damaged"),
    ],
)
async def test_nothing_is_sold_again_that_nobody_vouches_for(
    farm: Platform, came: dict[str, Any], condition: str, why: str
) -> None:
    handed = await hand_over_order(farm)
    one = await handed.inspect("2", condition=condition, **came)
    goods = [{"goods_id": one["goods"][0]["id"], "location_id": handed.depot.room_id}]
    answer = await handed.tenant.client.post(f"{RETURNS}/{one['id']}/restock", json={"goods": goods})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], why in error["message"]) == (409, "NOT_RESTOCKABLE", True), error
    scrapped = await handed.scrap(one)
    assert (scrapped["status"], scrapped["goods"][0]["disposition"]) == ("completed", "scrap")
    assert await lying_in(handed.tenant, handed.depot.room_id) == {"LOT-1": ("96.000", "96.000", "available")}
    await assert_consistent(farm, store_of(handed))


async def expose(farm: Platform, store: ColdStore, *, lot_id: str, location_id: str, minutes: float) -> None:
    """An excursion, written on a lot in a place from long ago until now, as the cold chain writes it."""
    rule = await make_rule(store)
    async with farm.database.unit_of_work(store.tenant.organization) as db:
        excursion = Excursion(
            number=f"EXC-{rule['id']}",
            incident=f"test-{rule['id']}",
            location_id=uuid.UUID(location_id),
            sensor_id=uuid.UUID(store.sensor_id),
            rule_id=uuid.UUID(rule["id"]),
            quantity="temperature",
            unit="Cel",
            kind="high",
            set_at=8.0,
            clear_at=7.0,
            severity="warning",
            started_at=clock.now() - timedelta(hours=1),
            raised_at=clock.now() - timedelta(hours=1),
            peak_value=11.0,
            raised_by="cloud",
        )
        db.add(excursion)
        await db.flush()
        db.add(
            LotExposure(
                excursion_id=excursion.id,
                lot_id=uuid.UUID(lot_id),
                location_id=uuid.UUID(location_id),
                sensor_id=uuid.UUID(store.sensor_id),
                quantity="temperature",
                unit="Cel",
                kind="high",
                set_at=8.0,
                from_at=clock.now() - timedelta(hours=1),
                to_at=clock.now(),
                minutes=minutes,
                degree_minutes=2 * minutes,
                peak=11.0,
                mean_kinetic_c=9.0,
            )
        )


@pytest.mark.parametrize(
    ("where", "minutes", "doubted"),
    [("van", 15.0, True), ("quarantine", 1.0, True), ("van", 0.0, False), ("elsewhere", 15.0, False)],
)
async def test_what_was_warm_in_the_van_or_since_it_is_back_is_not_sold_again(
    farm: Platform, store: ColdStore, where: str, minutes: float, doubted: bool
) -> None:
    handed = await hand_over_order(farm)
    one = await handed.inspect()
    place = {"van": handed.van_id, "quarantine": handed.quarantine_id, "elsewhere": handed.depot.room_id}[where]
    await expose(farm, store, lot_id=one["goods"][0]["lot_id"], location_id=place, minutes=minutes)
    doubts = (await handed.tenant.get(f"{RETURNS}/{one['id']}"))["goods"][0]["doubts"]
    assert bool(doubts) is doubted, doubts
    goods = [{"goods_id": one["goods"][0]["id"], "location_id": handed.depot.room_id}]
    heard = await refused(handed, f"{RETURNS}/{one['id']}/restock", {"goods": goods})
    assert heard == ((409, "NOT_RESTOCKABLE") if doubted else (200, ""))


async def test_goods_that_are_held_for_another_reason_as_well_stay_held(farm: Platform) -> None:
    handed = await hand_over_order(farm)
    one = await handed.inspect()
    hold_lot = {"reason": "glass", "kind": "quarantine"}
    await handed.tenant.post(f"/api/v1/warehouse/batches/{one['goods'][0]['lot_id']}/hold", hold_lot)
    [doubt] = (await handed.tenant.get(f"{RETURNS}/{one['id']}"))["goods"][0]["doubts"]
    assert "on hold for another reason" in doubt
    goods = [{"goods_id": one["goods"][0]["id"], "location_id": handed.depot.room_id}]
    assert await refused(handed, f"{RETURNS}/{one['id']}/restock", {"goods": goods}) == (409, "NOT_RESTOCKABLE")
    assert (await handed.scrap(one))["status"] == "completed"


async def test_two_returns_of_one_lot_hold_each_their_own(farm: Platform) -> None:
    handed = await hand_over_order(farm)
    first, second = await handed.inspect("1"), await handed.inspect("3")
    shelf = await make_room(handed.tenant, handed.depot.warehouse_id)
    await handed.restock(first, shelf)
    assert await lying_in(handed.tenant, shelf) == {"LOT-1": ("1.000", "1.000", "available")}
    assert await lying_in(handed.tenant, handed.quarantine_id) == {"LOT-1": ("3.000", "0.000", "on_hold")}
    assert await order_status(handed) == "delivered"
    await handed.restock(second, shelf)
    assert await lying_in(handed.tenant, shelf) == {"LOT-1": ("4.000", "4.000", "available")}
    assert await order_status(handed) == "returned"
    await assert_consistent(farm, store_of(handed))


async def test_a_customer_returns_its_own_order_in_time_and_sees_no_lots(farm: Platform) -> None:
    customer_id, buyer = await make_buyer(farm)
    handed = await hand_over_order(farm, customer_id=customer_id)
    others = await hand_over_order(farm)
    asked = await handed.ask("1", by=buyer)
    assert await heard_by(buyer, "POST", f"{ORDERS}/{others.order_id}/returns", wish(others, "1")) == (404, "NOT_FOUND")
    await others.ask("1")
    assert [row["id"] for row in await buyer.get(RETURNS)] == [asked["id"]]
    assert await heard_by(buyer, "PUT", f"{RETURNS}/{asked['id']}", {}) == (403, "FORBIDDEN")
    cancelled = await buyer.post(f"{RETURNS}/{asked['id']}/cancel", {"reason": "eaten"})
    assert (cancelled["status"], cancelled["decision"]) == ("cancelled", "eaten")
    back = await handed.take_back("2")
    assert (await buyer.get(f"{RETURNS}/{back['id']}"))["goods"] == []
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        order = await db.get_one(CustomerOrder, uuid.UUID(handed.order_id))
        order.delivered_at = clock.now() - timedelta(days=8)
    late = await heard_by(buyer, "POST", f"{ORDERS}/{handed.order_id}/returns", wish(handed, "1"))
    assert late == (409, "TOO_LATE_TO_RETURN")
    assert (await handed.ask("1"))["status"] == "requested"


async def test_what_was_not_handed_over_is_not_given_back(farm: Platform) -> None:
    handed = await hand_over_order(farm)
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        (await db.get_one(CustomerOrder, uuid.UUID(handed.order_id))).status = "out_for_delivery"
    path = f"{ORDERS}/{handed.order_id}/returns"
    assert await refused(handed, path, wish(handed, "1")) == (409, "NOT_DELIVERED")


async def test_a_lot_that_may_not_be_sold_any_more_is_not_restocked(farm: Platform) -> None:
    handed = await hand_over_order(farm)
    one = await handed.inspect()
    misread = {"expires_on": "2020-01-01", "reason": "misread"}
    await handed.tenant.put(f"/api/v1/warehouse/batches/{one['goods'][0]['lot_id']}", misread)
    [doubt] = (await handed.tenant.get(f"{RETURNS}/{one['id']}"))["goods"][0]["doubts"]
    assert doubt == "lot LOT-1 could be sold until 2020-01-01"


BODIES: dict[ReturnAction, tuple[str, str, dict[str, Any]]] = {
    ReturnAction.APPROVE: ("PUT", "", {"status": "approved", "reason": "x"}),
    ReturnAction.REJECT: ("PUT", "", {"status": "rejected", "reason": "x"}),
    ReturnAction.CANCEL: ("POST", "/cancel", {"reason": "x"}),
    ReturnAction.RECEIVE: ("POST", "/receive", {}),
    ReturnAction.INSPECT: ("POST", "/inspect", {}),
    ReturnAction.COMPLETE: ("POST", "/scrap", {"reason": "x"}),
}


async def test_each_action_in_each_state_does_what_the_table_says(farm: Platform) -> None:
    handed = await hand_over_order(farm)
    one = await handed.take_back("1")
    goods_id, line_id = one["goods"][0]["id"], one["lines"][0]["id"]
    filled: dict[ReturnAction, dict[str, Any]] = {
        ReturnAction.RECEIVE: {
            "location_id": handed.quarantine_id,
            "goods": [{"line_id": line_id, "quantity": "0.001", "lot_id": one["goods"][0]["lot_id"]}],
        },
        ReturnAction.INSPECT: {"goods": [{"goods_id": goods_id, "condition": "intact"}]},
        ReturnAction.COMPLETE: {"goods_ids": [goods_id]},
    }
    before = None
    for status, action in itertools.product(ReturnStatus, ReturnAction):
        if status != before:
            async with farm.database.unit_of_work(farm.tenant.organization) as db:
                (await db.get_one(CustomerReturn, uuid.UUID(one["id"]))).status = before = status
        if (status, action) in RETURN.table:
            continue
        method, path, body = BODIES[action]
        heard = await heard_by(
            handed.tenant, method, f"{RETURNS}/{one['id']}{path}", {**body, **filled.get(action, {})}
        )
        assert heard == (409, "INVALID_TRANSITION"), (status, action)


async def test_returns_are_found_by_warehouse_and_day(farm: Platform) -> None:
    handed = await hand_over_order(farm)
    made = await handed.tenant.post(f"{ORDERS}/{handed.order_id}/returns", wish(handed, "1"))
    day = made["requested_at"][:10]
    found = {
        ("warehouse_id", handed.depot.warehouse_id): [made["id"]],
        ("warehouse_id", str(uuid.UUID(int=7))): [],
        ("from", (date.fromisoformat(day) - timedelta(days=1)).isoformat()): [made["id"]],
        ("from", (date.fromisoformat(day) + timedelta(days=2)).isoformat()): [],
        ("to", (date.fromisoformat(day) - timedelta(days=2)).isoformat()): [],
        ("to", (date.fromisoformat(day) + timedelta(days=1)).isoformat()): [made["id"]],
    }
    for (name, value), ids in found.items():
        assert [one["id"] for one in await handed.tenant.get(RETURNS, **{name: value})] == ids, (name, value)
    for day_that_is_none in ("someday", "9999-12-31", "0001-01-01"):
        answer = await handed.tenant.client.get(RETURNS, params={"from": day_that_is_none})
        assert answer.status_code == 422, day_that_is_none
