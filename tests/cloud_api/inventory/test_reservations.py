"""Promised stock: first expired first, never held, never expired, never twice, and nobody waits for ever."""

import asyncio
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.inventory.errors import NotEnoughStock, StockOnHold
from cloud_api.inventory.holds import service as holds
from cloud_api.inventory.ledger.models import Lot, StockLevel, StockReservation
from cloud_api.inventory.reservations import service as reservations
from cloud_api.inventory.reservations.promising import Promised
from cloud_api.inventory.reservations.service import Wish
from cloud_api.inventory.stock import service
from cloud_api.kernel.errors import NotFound
from tests.cloud_api.inventory.stock import assert_consistent, hold, lying_in
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.orders import day_in, make_depot, order_from, pack
from tests.factories.properties import FEW
from tests.factories.stores import ColdStore, make_product, make_room, receive
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

TODAY = date(2026, 6, 1)


class Step(NamedTuple):
    """One thing that happens to promised stock."""

    verb: Literal["receive", "hold", "free", "reserve", "release", "move", "consume"]
    #: a lot, or the one to whom something is promised
    who: int
    place: int
    quantity: int


steps = st.lists(
    st.builds(
        Step,
        verb=st.sampled_from(
            ["receive", "receive", "reserve", "reserve", "hold", "free", "release", "move", "consume"]
        ),
        who=st.integers(0, 2),
        place=st.integers(0, 1),
        quantity=st.integers(1, 5),
    ),
    min_size=3,
    max_size=14,
)


async def promise(
    db: AsyncSession, store: ColdStore, quantity: str, source: str, *, on: date = TODAY
) -> list[Promised]:
    wish = Wish(uuid.UUID(store.product_id), Decimal(quantity), source)
    return await reservations.reserve(db, [wish], location_ids=[uuid.UUID(store.room_id)], on=on)


async def lots_promised(farm: Platform, store: ColdStore, source: str) -> list[tuple[str, Decimal]]:
    """(lot number, quantity) of what is promised to `source`, in the order of the promises."""
    async with farm.database.unit_of_work(store.tenant.organization, read_only=True) as db:
        rows = await db.execute(
            select(Lot.lot_number, StockReservation.quantity)
            .join(StockLevel, StockLevel.lot_id == Lot.id)
            .join(StockReservation, StockReservation.stock_level_id == StockLevel.id)
            .where(StockReservation.source == source, StockReservation.status == "active")
            .order_by(StockReservation.id)
        )
        return [(lot, quantity) for lot, quantity in rows]


async def happen(db: AsyncSession, step: Step, product_id: uuid.UUID, places: list[uuid.UUID]) -> None:
    place, source, quantity = places[step.place], f"for:{product_id}:{step.who}", Decimal(step.quantity)
    if step.verb == "receive":
        lot = {"lot_number": f"LOT-{step.who}", "expires_on": TODAY + timedelta(days=step.who)}
        await service.receive_goods(db, product_id=product_id, location_id=place, quantity=quantity, **lot)  # type: ignore[arg-type]
    elif step.verb == "hold":
        await holds.hold(db, location_id=place, reason="too warm", source=f"warm:{place}")
    elif step.verb == "free":
        await holds.release(db, source=f"warm:{place}")
    elif step.verb == "reserve":
        await reservations.reserve(db, [Wish(product_id, quantity, source)], location_ids=places, on=TODAY)
    elif step.verb == "release":
        await reservations.release(db, [source])
    elif step.verb == "move":
        await reservations.move(db, [source], to_location_id=place, reference="MOVE", moved_by=None)
    else:
        await reservations.consume(db, [source], reference="GONE", consumed_by=None)


@FEW
@given(happened=steps)
async def test_what_is_reserved_is_what_is_promised_whatever_happens(
    farm: Platform, store: ColdStore, happened: list[Step]
) -> None:
    product_id = uuid.UUID(await make_product(store.tenant))
    places = [uuid.UUID(await make_room(store.tenant, store.warehouse_id)) for _ in range(2)]
    for step in happened:
        try:
            async with farm.database.unit_of_work(store.tenant.organization) as db:
                await happen(db, step, product_id, places)
        except NotEnoughStock:
            assert step.verb == "reserve"
        except StockOnHold:
            assert step.verb in {"move", "consume"}
        except NotFound:
            assert step.verb == "free"
    await assert_consistent(farm, store)


async def test_what_expires_first_is_promised_first_and_what_never_expires_last(
    farm: Platform, store: ColdStore
) -> None:
    for lot, expires_on in (("LATE", "2026-08-01"), ("NEVER", None), ("SOON", "2026-06-02"), ("NEXT", "2026-07-01")):
        await receive(store, lot=lot, expires_on=expires_on, quantity="2")
    promised = []
    for number, quantity in enumerate(("2.5", "2", "2.5")):
        async with farm.database.unit_of_work(store.tenant.organization) as db:
            await promise(db, store, quantity, f"me:{number}")
        promised.append(dict(await lots_promised(farm, store, f"me:{number}")))
    half = Decimal("0.5")
    assert promised == [{"SOON": 2, "NEXT": half}, {"NEXT": 2 - half, "LATE": half}, {"LATE": 2 - half, "NEVER": 1}]


async def test_a_lot_that_has_expired_by_the_day_is_never_promised(farm: Platform, store: ColdStore) -> None:
    await receive(store, lot="OLD", expires_on="2026-05-31", quantity="5")
    await receive(store, lot="LAST-DAY", expires_on="2026-06-01", quantity="5")
    with pytest.raises(NotEnoughStock, match="6 are wanted and 5"):
        async with farm.database.unit_of_work(store.tenant.organization) as db:
            await promise(db, store, "6", "me")
    async with farm.database.unit_of_work(store.tenant.organization) as db:
        await promise(db, store, "5", "me")
    assert await lots_promised(farm, store, "me") == [("LAST-DAY", Decimal(5))]
    await assert_consistent(farm, store)


async def test_an_order_for_the_day_after_a_lot_expires_does_not_get_it(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    order = await order_from(depot, delivery_date=day_in(31))
    answer = await farm.tenant.client.post(f"/api/v1/orders/{order['id']}/confirm")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "NOT_ENOUGH_STOCK")


async def test_what_is_on_hold_is_never_promised(farm: Platform, store: ColdStore) -> None:
    elsewhere = await make_room(store.tenant, store.warehouse_id)
    await receive(store, lot="WARM", quantity="5")
    await receive(store, lot="COLD", quantity="5", location_id=elsewhere)
    await hold(farm, store, "excursion:1")
    wish = Wish(uuid.UUID(store.product_id), Decimal(5), "me")
    both = [uuid.UUID(store.room_id), uuid.UUID(elsewhere)]
    async with farm.database.unit_of_work(store.tenant.organization) as db:
        await reservations.reserve(db, [wish], location_ids=both, on=TODAY)
    assert await lots_promised(farm, store, "me") == [("COLD", Decimal(5))]
    with pytest.raises(NotEnoughStock, match="5 are wanted and 0"):
        async with farm.database.unit_of_work(store.tenant.organization) as db:
            await reservations.reserve(db, [wish], location_ids=both, on=TODAY)


async def test_all_wishes_are_met_or_none(farm: Platform, store: ColdStore) -> None:
    scarce = await make_product(store.tenant)
    await receive(store, quantity="5")
    wishes = [Wish(uuid.UUID(product), Decimal(2), "me") for product in (store.product_id, scarce)]
    with pytest.raises(NotEnoughStock, match=scarce):
        async with farm.database.unit_of_work(store.tenant.organization) as db:
            await reservations.reserve(db, wishes, location_ids=[uuid.UUID(store.room_id)], on=TODAY)
    assert await lots_promised(farm, store, "me") == []
    assert await lying_in(store.tenant, store.room_id) == {"LOT-1": ("5.000", "5.000", "available")}


async def test_what_was_promised_and_is_held_meanwhile_neither_moves_nor_leaves(
    farm: Platform, store: ColdStore
) -> None:
    elsewhere = uuid.UUID(await make_room(store.tenant, store.warehouse_id))
    await receive(store, quantity="5")
    async with farm.database.unit_of_work(store.tenant.organization) as db:
        await promise(db, store, "2", "me")
    await hold(farm, store, "excursion:1")
    verbs: list[Callable[[AsyncSession], Awaitable[object]]] = [
        lambda db: reservations.move(db, ["me"], to_location_id=elsewhere, reference="", moved_by=None),
        lambda db: reservations.consume(db, ["me"], reference="", consumed_by=None),
    ]
    for verb in verbs:
        with pytest.raises(StockOnHold, match="LOT-1"):
            async with farm.database.unit_of_work(store.tenant.organization) as db:
                await verb(db)
    assert await lying_in(store.tenant, str(elsewhere)) == {}
    await assert_consistent(farm, store)


async def test_what_is_moved_stays_promised_and_what_was_consumed_stays_gone(farm: Platform, store: ColdStore) -> None:
    elsewhere = uuid.UUID(await make_room(store.tenant, store.warehouse_id))
    await receive(store, quantity="5")
    async with farm.database.unit_of_work(store.tenant.organization) as db:
        await promise(db, store, "2", "me")
    async with farm.database.unit_of_work(store.tenant.organization) as db:
        moved = await reservations.move(db, ["me"], to_location_id=elsewhere, reference="RT-1", moved_by=None)
    two = Decimal(2)
    assert [(movement.movement_type, movement.quantity) for movement in moved] == [
        ("transfer", -two),
        ("transfer", two),
    ]
    assert await lying_in(store.tenant, store.room_id) == {"LOT-1": ("3.000", "3.000", "available")}
    assert await lying_in(store.tenant, str(elsewhere)) == {"LOT-1": ("2.000", "0.000", "available")}
    async with farm.database.unit_of_work(store.tenant.organization) as db:
        await reservations.consume(db, ["me"], reference="DLV-1", consumed_by=None)
    async with farm.database.unit_of_work(store.tenant.organization) as db:
        await reservations.release(db, ["me"])
        assert await reservations.consume(db, ["me"], reference="DLV-1", consumed_by=None) == []
    assert await lying_in(store.tenant, str(elsewhere)) == {"LOT-1": ("0.000", "0.000", "available")}
    await assert_consistent(farm, store)


async def test_of_32_orders_at_once_exactly_as_many_are_confirmed_as_the_stock_allows(
    farm: Platform, store: ColdStore
) -> None:
    depot = await make_depot(farm.tenant, quantity="43")
    orders = [(await order_from(depot))["id"] for _ in range(32)]
    answers = await asyncio.gather(*(farm.tenant.client.post(f"/api/v1/orders/{order}/confirm") for order in orders))
    assert Counter(answer.status_code for answer in answers) == {200: 10, 409: 22}
    assert {answer.json()["error"]["code"] for answer in answers if answer.status_code == 409} == {"NOT_ENOUGH_STOCK"}
    assert await lying_in(farm.tenant, depot.room_id) == {"LOT-1": ("43.000", "3.000", "available")}
    await assert_consistent(farm, store)


async def test_a_lot_that_goes_on_hold_amid_32_orders_is_promised_to_none_afterwards(
    farm: Platform, store: ColdStore
) -> None:
    depot = await make_depot(farm.tenant)
    orders = [(await order_from(depot, quantity="1"))["id"] for _ in range(32)]
    room = ColdStore(depot.tenant, depot.warehouse_id, depot.room_id, depot.product_id, "", "", "")
    confirming = [
        asyncio.create_task(farm.tenant.client.post(f"/api/v1/orders/{order}/confirm")) for order in orders[:16]
    ]
    await hold(farm, room, "excursion:1")
    confirming += [
        asyncio.create_task(farm.tenant.client.post(f"/api/v1/orders/{order}/confirm")) for order in orders[16:]
    ]
    answers = await asyncio.gather(*confirming)
    assert {answer.status_code for answer in answers[16:]} == {409}
    confirmed = sum(answer.status_code == 200 for answer in answers)
    [level] = await farm.tenant.get("/api/v1/warehouse/stock/levels", location_id=depot.room_id)
    assert (level["status"], level["reserved"]) == ("on_hold", f"{confirmed}.000")


async def test_two_orders_for_the_same_products_the_other_way_round_never_deadlock(
    farm: Platform, store: ColdStore
) -> None:
    other = await make_product(store.tenant)
    for product_id in (store.product_id, other):
        await receive(store, lot=f"LOT-{product_id}", product_id=product_id, quantity="8")
    wishes = [Wish(uuid.UUID(product), Decimal(1), "me") for product in (store.product_id, other)]

    async def reserve(turned: bool) -> None:
        async with farm.database.unit_of_work(store.tenant.organization) as db:
            mine = wishes[::-1] if turned else wishes
            await reservations.reserve(db, mine, location_ids=[uuid.UUID(store.room_id)], on=TODAY)

    await asyncio.gather(*(reserve(turned=number % 2 == 0) for number in range(8)))
    await assert_consistent(farm, store)
    assert {level[1] for level in (await lying_in(store.tenant, store.room_id)).values()} == {"0.000"}


async def test_a_hold_and_moves_of_the_same_stock_never_deadlock(farm: Platform, store: ColdStore) -> None:
    """Two bins of one room, emptied the other way round by two moves while the room is put on hold."""
    bins = [await make_room(store.tenant, store.warehouse_id, parent_id=store.room_id) for _ in range(2)]
    van = uuid.UUID(await make_room(store.tenant, store.warehouse_id))
    for number, place in enumerate(bins):
        await receive(store, lot=f"LOT-{number}", location_id=place, quantity="50")

    async def move(sources: list[str]) -> str:
        try:
            async with farm.database.unit_of_work(store.tenant.organization) as db:
                await reservations.lock_all(db, sources, to_location_id=van)
                for source in sources:
                    await reservations.move(db, [source], to_location_id=van, reference="", moved_by=None)
        except StockOnHold:
            return "held"
        return "moved"

    for turn in range(4):
        async with farm.database.unit_of_work(store.tenant.organization) as db:
            for number, place in enumerate(bins):
                for mover in range(2):
                    wish = Wish(uuid.UUID(store.product_id), Decimal(1), f"{turn}:{mover}:{number}")
                    await reservations.reserve(db, [wish], location_ids=[uuid.UUID(place)], on=TODAY)
        ended = await asyncio.gather(
            move([f"{turn}:0:0", f"{turn}:0:1"]),
            move([f"{turn}:1:1", f"{turn}:1:0"]),
            hold(farm, store, f"excursion:{turn}"),
        )
        assert set(ended[:2]) <= {"held", "moved"}
        async with farm.database.unit_of_work(store.tenant.organization) as db:
            await holds.release(db, source=f"excursion:{turn}")
    await assert_consistent(farm, store)


async def test_orders_that_are_packed_anew_and_others_that_are_confirmed_never_deadlock(farm: Platform) -> None:
    """Whoever packs lets a held lot go and looks for another while others are promised both."""
    depot = await make_depot(farm.tenant)
    store = ColdStore(depot.tenant, depot.warehouse_id, depot.room_id, depot.product_id, "", "", "")
    elsewhere = await make_room(farm.tenant, depot.warehouse_id)
    # promised first, and locked last by whoever looks for anything: its level is the younger one
    await receive(store, lot="EARLY", location_id=elsewhere, expires_on=day_in(10))
    orders = [(await order_from(depot, quantity="1"))["id"] for _ in range(12)]
    for order in orders[:6]:
        await farm.tenant.post(f"/api/v1/orders/{order}/confirm")
    await hold(farm, store, "excursion:1", elsewhere)
    await asyncio.gather(
        *(farm.tenant.post(f"/api/v1/orders/{order}/pack") for order in orders[:6]),
        *(pack(farm.tenant, order) for order in orders[6:]),
    )
    assert await lying_in(farm.tenant, depot.room_id) == {"LOT-1": ("100.000", "88.000", "available")}
    await assert_consistent(farm, store)
