"""Weights become receipts, picks, counts and corrections: exactly, and once."""

import uuid
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from cloud_api.inventory.reservations import service as reservations
from cloud_api.kernel import clock
from tests.cloud_api.inventory.sightings.tagged import counted, make_scale, make_take, on_hand, send, weighing
from tests.cloud_api.inventory.stock import assert_consistent
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.stores import ColdStore, make_product, receive
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP


async def weigh(farm: Platform, store: ColdStore, *rows: dict[str, Any]) -> str:
    """What the scale showed; the id of the last."""
    await send(farm, store, "weights", *rows)
    return str((await store.tenant.get("/api/v1/telemetry/weights"))[0]["id"])


async def refused(store: ColdStore, weight_id: str, body: dict[str, Any]) -> str:
    """The code of what is refused."""
    answer = await store.tenant.client.post(f"/api/v1/telemetry/weights/{weight_id}/apply", json=body)
    assert answer.status_code in (409, 422), answer.text
    return str(answer.json()["error"]["code"])


async def apply(store: ColdStore, weight_id: str, body: dict[str, Any]) -> Any:
    return await store.tenant.post(f"/api/v1/telemetry/weights/{weight_id}/apply", body)


def as_receipt(store: ColdStore, **fields: Any) -> dict[str, Any]:
    return {"kind": "receipt", "product_id": store.product_id, "lot_number": "LOT-W", "container_g": 1500, **fields}


async def test_a_weight_becomes_a_receipt_to_the_gram_and_only_once(farm: Platform, store: ColdStore) -> None:
    await make_scale(store, tare_kg=2.0)
    weight_id = await weigh(farm, store, weighing(1, 15.845, basis="gross"))

    used = await apply(store, weight_id, as_receipt(store))

    assert (used["net_g"], used["quantity"]) == (12_345, "12.345")
    movement = await store.tenant.get(f"/api/v1/warehouse/stock/movements/{used['movement_id']}")
    assert (movement["quantity"], movement["location_id"]) == ("12.345", store.room_id)
    assert await refused(store, weight_id, as_receipt(store)) == "WEIGHT_APPLIED"
    assert await on_hand(store, store.room_id) == "12.345"
    [weight] = await store.tenant.get("/api/v1/telemetry/weights", applied=True)
    assert weight["applied_as"] == "receipt"
    assert await store.tenant.get("/api/v1/telemetry/weights", applied=False) == []


async def test_a_net_weight_is_not_tared_by_the_scale_again(farm: Platform, store: ColdStore) -> None:
    await make_scale(store, tare_kg=2.0)
    weight_id = await weigh(farm, store, weighing(1, 10.0, basis="net"))
    assert (await apply(store, weight_id, as_receipt(store, container_g=0)))["net_g"] == 10_000


@pytest.mark.parametrize(
    ("weight_kg", "code"), [(600.02, "WEIGHT_OVER_CAPACITY"), (-0.5, "NOTHING_WEIGHED"), (1.5, "NOTHING_WEIGHED")]
)
async def test_what_cannot_be_weighed_is_refused_by_name(
    farm: Platform, store: ColdStore, weight_kg: float, code: str
) -> None:
    await make_scale(store)
    weight_id = await weigh(farm, store, weighing(1, weight_kg, basis="gross"))
    assert await refused(store, weight_id, as_receipt(store)) == code
    assert await on_hand(store, store.room_id) == "0"
    [weight] = await store.tenant.get("/api/v1/telemetry/weights", applied=False)
    assert weight["applied_as"] is None


async def test_a_scale_that_nobody_registered_is_not_believed(farm: Platform, store: ColdStore) -> None:
    weight_id = await weigh(farm, store, weighing(1, 10.0))
    assert await refused(store, weight_id, as_receipt(store, location_id=store.room_id)) == "SCALE_NOT_KNOWN"


async def test_a_weight_is_believed_when_those_before_say_the_same_within_one_division(
    farm: Platform, store: ColdStore
) -> None:
    scale = await make_scale(store)
    await store.tenant.put(f"/api/v1/edge/scales/{scale['id']}/stability", {"readings": 3, "within_s": 10})
    now = clock.now_ms()

    first = await weigh(farm, store, weighing(1, 10.0, at_ms=now - 60_000), weighing(2, 10.0, at_ms=now - 4000))
    assert await refused(store, first, as_receipt(store)) == "WEIGHT_UNSTABLE"
    swinging = await weigh(farm, store, weighing(3, 10.04, at_ms=now - 3000), weighing(4, 10.02, at_ms=now - 2000))
    believed = await apply(store, swinging, as_receipt(store))
    assert believed["net_g"] == 8_520
    gone = await weigh(farm, store, weighing(5, 10.05, at_ms=now - 1000))
    assert await refused(store, gone, as_receipt(store)) == "WEIGHT_UNSTABLE"
    stability = await store.tenant.get(f"/api/v1/edge/scales/{scale['id']}/stability")
    assert (stability["readings"], stability["within_s"]) == (3, 10)


async def test_a_correction_by_weight_books_the_difference_alone(farm: Platform, store: ColdStore) -> None:
    await make_scale(store)
    lot_id = (await receive(store, quantity="10.000"))["lot_id"]
    body = {"kind": "adjustment", "lot_id": lot_id, "reason": "weighed"}

    less = await apply(store, await weigh(farm, store, weighing(1, 9.25)), body)
    same = await apply(store, await weigh(farm, store, weighing(2, 9.25)), body)

    movement = await store.tenant.get(f"/api/v1/warehouse/stock/movements/{less['movement_id']}")
    assert (movement["quantity"], same["movement_id"]) == ("-0.750", None)
    await assert_consistent(farm, store)


async def test_catch_weight_goods_are_counted_and_weighed(farm: Platform, store: ColdStore) -> None:
    await make_scale(store)
    cheese = await make_product(store.tenant, name="Cheese", unit="piece", catch_weight=True)
    weight_id = await weigh(farm, store, weighing(1, 12.36))

    wish = as_receipt(store, product_id=cheese, container_g=0)
    assert await refused(store, weight_id, wish) == "NOT_BY_WEIGHT"
    used = await apply(store, weight_id, {**wish, "pieces": "4"})

    assert (used["quantity"], used["net_g"]) == ("4.000", 12_360)
    [level] = await store.tenant.get("/api/v1/warehouse/stock/levels", location_id=store.room_id)
    assert (level["on_hand"], level["weight_g"]) == ("4.000", 12_360)


async def test_goods_that_no_weight_can_count_are_refused_by_name(farm: Platform, store: ColdStore) -> None:
    await make_scale(store)
    crate = await make_product(store.tenant, name="Crates", unit="piece")
    weight_id = await weigh(farm, store, weighing(1, 12.0))
    assert await refused(store, weight_id, as_receipt(store, product_id=crate)) == "NOT_BY_WEIGHT"
    pieces = as_receipt(store, pieces="3")
    assert await refused(store, weight_id, pieces) == "NOT_BY_WEIGHT"


async def test_what_is_picked_is_promised_exactly_as_it_was_weighed(farm: Platform, store: ColdStore) -> None:
    await make_scale(store)
    await receive(store, quantity="20.000")
    source = f"order_line:{uuid.uuid4()}"
    async with farm.database.unit_of_work(store.tenant.organization) as db:
        await reservations.reserve(
            db,
            [reservations.Wish(uuid.UUID(store.product_id), Decimal(10), source)],
            location_ids=[uuid.UUID(store.room_id)],
            on=date(2026, 12, 1),
        )
    [promise] = await store.tenant.get("/api/v1/warehouse/stock/reservations", status="active")
    body = {"kind": "pick", "reservation_id": promise["id"]}

    too_much = await weigh(farm, store, weighing(1, 20.02))
    assert await refused(store, too_much, body) == "NOT_ENOUGH_STOCK"
    used = await apply(store, await weigh(farm, store, weighing(2, 10.14)), body)

    assert (used["quantity"], used["reference"]) == ("10.140", f"reservation:{promise['id']}")
    async with farm.database.unit_of_work(store.tenant.organization) as db:
        await reservations.pick(db, [source])
        [left] = await reservations.consume(db, [source], reference="order:1", consumed_by=uuid.uuid4())
        assert left.quantity == Decimal("-10.140")
    again = await weigh(farm, store, weighing(3, 10.0))
    assert await refused(store, again, body) == "ALREADY_PICKED"
    await assert_consistent(farm, store)


async def test_a_weight_is_a_count_of_a_stock_take(farm: Platform, store: ColdStore) -> None:
    await make_scale(store)
    lot_id = (await receive(store, quantity="10.000"))["lot_id"]
    take_id = await make_take(farm, store)
    body = {"kind": "count", "take_id": take_id, "lot_id": lot_id}

    used = await apply(store, await weigh(farm, store, weighing(1, 9.5)), body)

    assert (used["quantity"], used["reference"]) == ("9.500", f"stock_take:{take_id}")
    assert await counted(farm, store, take_id) == {lot_id: ("9.500", "scale")}


async def test_a_weight_says_what_became_of_it(farm: Platform, store: ColdStore) -> None:
    await make_scale(store)
    weight_id = await weigh(farm, store, weighing(1, 15.5), weighing(2, 16.0))
    read = await store.tenant.get(f"/api/v1/telemetry/weights/{weight_id}")
    assert (read["weight_g"], read["applied_as"]) == (16_000, None)
    await apply(store, weight_id, as_receipt(store))
    assert (await store.tenant.get(f"/api/v1/telemetry/weights/{weight_id}"))["applied_as"] == "receipt"
