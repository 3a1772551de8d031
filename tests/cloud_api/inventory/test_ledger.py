"""The ledger is the truth: levels are its sums, nothing is oversold, nothing half-done stays."""

import asyncio
import uuid
from datetime import date
from decimal import Decimal
from typing import Literal, NamedTuple

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from cloud_api.inventory.errors import NotEnoughStock
from cloud_api.inventory.ledger import service as ledger
from cloud_api.inventory.ledger.models import Lot, StockLevel, StockMovement
from cloud_api.inventory.stock import service
from tests.cloud_api.inventory.stock import lying_in
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.properties import FEW
from tests.factories.stores import ColdStore, make_product, make_room, receive
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

EXPIRES_ON = date(2027, 1, 31)


class Step(NamedTuple):
    """One thing that happens to a lot in a place."""

    verb: Literal["receive", "adjust", "reserve"]
    lot: int
    place: int
    thousandths: int


steps = st.lists(
    st.builds(
        Step,
        verb=st.sampled_from(["receive", "adjust", "adjust", "reserve"]),
        lot=st.integers(0, 1),
        place=st.integers(0, 1),
        thousandths=st.integers(-3000, 3000).filter(bool),
    ),
    max_size=12,
)


async def adjust(store: ColdStore, lot_id: str, delta: str, **fields: object) -> int:
    body = {"lot_id": lot_id, "location_id": store.room_id, "delta": delta, "reason": "counted", **fields}
    return (await store.tenant.client.post("/api/v1/warehouse/stock/adjustment", json=body)).status_code


async def differences(farm: Platform, store: ColdStore) -> list[object]:
    async with farm.database.unit_of_work(store.tenant.organization, read_only=True) as db:
        return list(await ledger.differences(db))


async def movements(farm: Platform, store: ColdStore) -> int:
    async with farm.database.unit_of_work(store.tenant.organization, read_only=True) as db:
        return await db.scalar(select(func.count()).select_from(StockMovement)) or 0


@FEW
@given(happened=steps)
async def test_a_level_is_the_sum_of_its_movements_and_never_less_than_reserved(
    farm: Platform, store: ColdStore, happened: list[Step]
) -> None:
    scope, product_id = store.tenant.organization, uuid.UUID(await make_product(store.tenant))
    places = [uuid.UUID(store.room_id), uuid.UUID(await make_room(store.tenant, store.warehouse_id))]
    lots: dict[int, uuid.UUID] = {}
    on_hand: dict[tuple[int, int], Decimal] = {}
    reserved: dict[tuple[int, int], Decimal] = {}
    booked = await movements(farm, store)
    for step in happened:
        at, quantity = (step.lot, step.place), Decimal(step.thousandths) / 1000
        has, keeps = on_hand.get(at, Decimal(0)), reserved.get(at, Decimal(0))
        try:
            async with farm.database.unit_of_work(scope) as db:
                if step.verb == "receive":
                    movement = await service.receive_goods(
                        db,
                        product_id=product_id,
                        location_id=places[step.place],
                        lot_number=f"LOT-{step.lot}",
                        expires_on=EXPIRES_ON,
                        quantity=abs(quantity),
                    )
                    lots[step.lot], quantity = movement.lot_id, abs(quantity)
                elif step.lot not in lots:
                    continue
                elif step.verb == "adjust":
                    await service.adjust_stock(
                        db, lot_id=lots[step.lot], location_id=places[step.place], delta=quantity, reason="counted"
                    )
                else:
                    reserved[at] = min(has, abs(quantity))
                    level = (StockLevel.lot_id == lots[step.lot], StockLevel.location_id == places[step.place])
                    await db.execute(update(StockLevel).where(*level).values(reserved=reserved[at]))
                    continue
        except NotEnoughStock:
            assert has + quantity < keeps
            continue
        assert has + quantity >= keeps
        on_hand[at] = has + quantity
        booked += 1
    async with farm.database.unit_of_work(scope, read_only=True) as db:
        rows = (await db.scalars(select(StockLevel).where(StockLevel.product_id == product_id))).all()
        numbers = [movement.number for movement in await db.scalars(select(StockMovement))]
    numbered = {lot_id: lot for lot, lot_id in lots.items()}
    assert {(numbered[row.lot_id], places.index(row.location_id)): row.on_hand for row in rows} == on_hand
    assert all(row.on_hand >= row.reserved >= 0 for row in rows)
    assert await differences(farm, store) == []
    assert len(numbers) == len(set(numbers)) == booked


async def test_a_level_that_somebody_bent_is_found_out(farm: Platform, store: ColdStore) -> None:
    movement = await receive(store, quantity="10.000")
    async with farm.database.unit_of_work(store.tenant.organization) as db:
        await db.execute(update(StockLevel).values(on_hand=Decimal("9.999")))
    lot_id, room_id = uuid.UUID(movement["lot_id"]), uuid.UUID(store.room_id)
    assert await differences(farm, store) == [(lot_id, room_id, Decimal("9.999"), Decimal("10.000"))]


async def test_of_adjustments_at_the_same_moment_exactly_those_that_fit_succeed(
    farm: Platform, store: ColdStore
) -> None:
    lot_id = (await receive(store, quantity="75.000"))["lot_id"]
    answers = await asyncio.gather(*(adjust(store, lot_id, "-10") for _ in range(16)))
    assert sorted(answers) == [201] * 7 + [409] * 9
    assert await lying_in(store.tenant, store.room_id) == {"LOT-1": ("5.000", "5.000", "available")}
    assert await differences(farm, store) == []
    assert await movements(farm, store) == 8


async def test_stock_of_five_and_two_who_want_five_at_once(farm: Platform, store: ColdStore) -> None:
    lot_id = (await receive(store, quantity="5"))["lot_id"]
    assert sorted(await asyncio.gather(adjust(store, lot_id, "-5"), adjust(store, lot_id, "-5"))) == [201, 409]
    assert await lying_in(store.tenant, store.room_id) == {"LOT-1": ("0.000", "0.000", "available")}


async def test_a_lot_that_first_arrives_many_times_at_once_is_one_lot(farm: Platform, store: ColdStore) -> None:
    moved = await asyncio.gather(*(receive(store, quantity="1.5") for _ in range(8)))
    assert len({movement["lot_id"] for movement in moved}) == 1
    assert len({movement["number"] for movement in moved}) == 8
    assert (await lying_in(store.tenant, store.room_id))["LOT-1"][0] == "12.000"


async def test_what_there_is_not_enough_of_leaves_nothing_behind(farm: Platform, store: ColdStore) -> None:
    lot_id = (await receive(store, quantity="5"))["lot_id"]
    empty_room = await make_room(store.tenant, store.warehouse_id)
    assert await adjust(store, lot_id, "-5.001") == 409
    assert await adjust(store, lot_id, "-0.001", location_id=empty_room) == 409
    assert await lying_in(store.tenant, store.room_id) == {"LOT-1": ("5.000", "5.000", "available")}
    assert await lying_in(store.tenant, empty_room) == {}
    assert await movements(farm, store) == 1
    assert await adjust(store, lot_id, "-5") == 201


async def test_what_is_reserved_is_not_adjusted_away(farm: Platform, store: ColdStore) -> None:
    lot_id = (await receive(store, quantity="5"))["lot_id"]
    async with farm.database.unit_of_work(store.tenant.organization) as db:
        await db.execute(update(StockLevel).values(reserved=Decimal(3)))
    assert await adjust(store, lot_id, "-2.001") == 409
    assert await adjust(store, lot_id, "-2") == 201
    assert await lying_in(store.tenant, store.room_id) == {"LOT-1": ("3.000", "0.000", "available")}


async def test_a_lot_number_stands_for_one_expiry_date(farm: Platform, store: ColdStore) -> None:
    await receive(store)
    body = {"product_id": store.product_id, "location_id": store.room_id, "lot_number": "LOT-1", "quantity": "1"}
    for expires_on in ("2027-02-01", "2027-01-30", None):
        answer = await store.tenant.client.post(
            "/api/v1/warehouse/stock/receiving", json={**body, "expires_on": expires_on}
        )
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "LOT_DIFFERS")
    [lot] = await store.tenant.get("/api/v1/warehouse/batches", product_id=store.product_id)
    assert lot["expires_on"] == "2027-01-31"
    assert await movements(farm, store) == 1


async def test_there_is_no_half_of_what_is_counted_in_whole_units(farm: Platform, store: ColdStore) -> None:
    for unit in ("piece", "bunch", "box", "crate", "pallet"):
        product_id = await make_product(store.tenant, unit=unit)
        lot_id = (await receive(store, product_id=product_id, quantity="2.000"))["lot_id"]
        assert await adjust(store, lot_id, "-0.5") == 422
        assert await adjust(store, lot_id, "-1") == 201
        body = {"product_id": product_id, "location_id": store.room_id, "lot_number": "LOT-2", "quantity": "1.5"}
        answer = await store.tenant.client.post("/api/v1/warehouse/stock/receiving", json=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "WRONG_QUANTITY")


async def test_a_quantity_nobody_can_count_is_refused(farm: Platform, store: ColdStore) -> None:
    lot_id = (await receive(store))["lot_id"]
    for delta in ("0", "0.0004", "1e3000", "NaN", "-"):
        assert await adjust(store, lot_id, delta) == 422, delta
    assert await movements(farm, store) == 1


async def test_a_receipt_that_is_sent_twice_is_booked_once(farm: Platform, store: ColdStore) -> None:
    body = {
        "product_id": store.product_id,
        "location_id": store.room_id,
        "lot_number": "LOT-1",
        "expires_on": "2027-01-31",
        "quantity": "12.345",
    }
    path, key = "/api/v1/warehouse/stock/receiving", {"Idempotency-Key": "receipt-1"}
    answers = await asyncio.gather(*(store.tenant.client.post(path, json=body, headers=key) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["data"]["number"] for answer in answers}) == 1
    assert await movements(farm, store) == 1
    other = await store.tenant.client.post(path, json={**body, "quantity": "1"}, headers=key)
    assert other.status_code == 409
    assert await lying_in(store.tenant, store.room_id) == {"LOT-1": ("12.345", "12.345", "available")}


async def test_what_is_not_there_receives_nothing(farm: Platform, store: ColdStore) -> None:
    nowhere = str(uuid.uuid4())
    body = {
        "product_id": store.product_id,
        "location_id": store.room_id,
        "lot_number": "LOT-1",
        "expires_on": "2027-01-31",
        "quantity": "1",
    }
    for change in ({"product_id": nowhere}, {"location_id": nowhere}):
        answer = await store.tenant.client.post("/api/v1/warehouse/stock/receiving", json={**body, **change})
        assert answer.status_code == 404
    assert await adjust(store, nowhere, "1") == 404
    async with farm.database.unit_of_work(store.tenant.organization, read_only=True) as db:
        assert await db.scalar(select(func.count()).select_from(Lot)) == 0


async def test_nobody_is_offered_a_way_to_rewrite_a_movement(farm: Platform) -> None:
    paths = farm.app.openapi()["paths"]
    offered = {method for path, methods in paths.items() if "/stock/movements" in path for method in methods}
    assert offered == {"get", "post"}  # posted, undone by a counter-entry, and never changed


async def test_the_ledger_is_read_newest_first_and_one_by_one(farm: Platform, store: ColdStore) -> None:
    lot_id = (await receive(store, quantity="5", unit_cost="12.5", reference="PO-1"))["lot_id"]
    await adjust(store, lot_id, "-1")
    newest, oldest = await store.tenant.get("/api/v1/warehouse/stock/movements", lot_id=lot_id)
    assert (newest["movement_type"], newest["quantity"], newest["reference"]) == ("adjustment", "-1.000", "counted")
    assert (oldest["movement_type"], oldest["quantity"], oldest["reference"]) == ("inbound", "5.000", "PO-1")
    assert await store.tenant.get(f"/api/v1/warehouse/stock/movements/{oldest['id']}") == oldest
