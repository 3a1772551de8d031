"""In which order stock is promised, and what is never promised: the failures of known systems, one by one."""

import asyncio
import uuid
from collections import Counter
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from cloud_api.inventory.errors import NotEnoughStock
from cloud_api.inventory.ledger import service as ledger
from cloud_api.inventory.ledger.models import Lot, StockLevel, StockReservation
from cloud_api.inventory.reservations import service as reservations
from cloud_api.inventory.reservations.service import Wish
from tests.cloud_api.inventory.stock import assert_consistent, hold
from tests.factories.farms import make_farm
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.orders import make_depot, order_from
from tests.factories.properties import FEW
from tests.factories.stores import ColdStore, make_product, make_room, receive
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

TODAY = date(2026, 6, 1)


async def promise(
    farm: Platform,
    store: ColdStore,
    quantity: str,
    source: str = "me",
    *,
    rooms: tuple[str, ...] = (),
    on: date = TODAY,
    min_remaining_days: int = 0,
) -> list[str]:
    """Promise it in a unit of work of its own: the numbers of the lots it comes from, in order."""
    wish = Wish(uuid.UUID(store.product_id), Decimal(quantity), source)
    places = [uuid.UUID(room) for room in (store.room_id, *rooms)]
    async with farm.database.unit_of_work(store.tenant.organization) as db:
        made = await reservations.reserve(db, [wish], location_ids=places, on=on, min_remaining_days=min_remaining_days)
        numbers = {
            level_id: number
            for level_id, number in await db.execute(
                select(StockLevel.id, Lot.lot_number).join(Lot, Lot.id == StockLevel.lot_id)
            )
        }
    return [numbers[one.level_id] for one in made]


async def keep_until(farm: Platform, store: ColdStore, lot_id: str, day: date, *, room: str = "") -> None:
    async with farm.database.unit_of_work(store.tenant.organization) as db:
        place = uuid.UUID(room or store.room_id)
        await ledger.keep_until(db, lot_id=uuid.UUID(lot_id), location_id=place, day=day)


async def test_of_two_who_want_all_five_at_once_one_gets_them(farm: Platform, store: ColdStore) -> None:
    """InvenTree 12478: 10 were allocated of 5."""
    await receive(store, quantity="5")
    answers = await asyncio.gather(
        *(promise(farm, store, "5", f"me:{number}") for number in range(2)), return_exceptions=True
    )
    assert Counter(type(answer) for answer in answers) == {list: 1, NotEnoughStock: 1}
    await assert_consistent(farm, store)


async def test_one_serial_number_is_promised_once_however_many_want_it_at_once(
    farm: Platform, store: ColdStore
) -> None:
    """Odoo 268942: rows that were skipped because they were locked were promised twice."""
    for number in range(3):
        await receive(store, lot=f"SERIAL-{number}", quantity="1")
    answers = await asyncio.gather(
        *(promise(farm, store, "1", f"me:{number}") for number in range(12)), return_exceptions=True
    )
    promised = sorted(lots[0] for lots in answers if isinstance(lots, list))
    assert promised == ["SERIAL-0", "SERIAL-1", "SERIAL-2"]
    assert sum(isinstance(answer, NotEnoughStock) for answer in answers) == 9
    await assert_consistent(farm, store)


async def test_what_has_expired_is_not_promised_even_when_there_is_nothing_else(
    farm: Platform, store: ColdStore
) -> None:
    """ERPNext 34516: expired batches were picked."""
    await receive(store, lot="OLD", expires_on="2026-05-31", quantity="5")
    with pytest.raises(NotEnoughStock, match="1 are wanted and 0"):
        await promise(farm, store, "1")
    await receive(store, lot="NEW", expires_on="2026-06-01", quantity="1")
    assert await promise(farm, store, "1") == ["NEW"]


async def test_what_was_warm_goes_before_an_earlier_label_if_it_keeps_less_long(
    farm: Platform, store: ColdStore
) -> None:
    await receive(store, lot="EARLY-LABEL", expires_on="2026-07-01", quantity="1")
    warm = (await receive(store, lot="WARM", expires_on="2026-08-01", quantity="1"))["lot_id"]
    await keep_until(farm, store, warm, date(2026, 6, 20))
    assert [await promise(farm, store, "1", source) for source in "ab"] == [["WARM"], ["EARLY-LABEL"]]


async def test_of_the_same_day_what_was_warm_goes_first_then_what_came_first(farm: Platform, store: ColdStore) -> None:
    lots = [(await receive(store, lot=f"LOT-{n}", expires_on="2026-07-01", quantity="1"))["lot_id"] for n in range(4)]
    await keep_until(farm, store, lots[2], date(2026, 7, 1))
    order = [(await promise(farm, store, "1", f"me:{number}"))[0] for number in range(4)]
    assert order == ["LOT-2", "LOT-0", "LOT-1", "LOT-3"]


async def test_the_same_lot_in_a_warm_room_goes_before_it_in_a_cold_one(farm: Platform, store: ColdStore) -> None:
    beside = await make_room(store.tenant, store.warehouse_id)
    lot = (await receive(store, expires_on="2026-07-01", quantity="1"))["lot_id"]
    await receive(store, expires_on="2026-07-01", quantity="1", location_id=beside)
    await keep_until(farm, store, lot, date(2026, 6, 3), room=beside)
    wish = Wish(uuid.UUID(store.product_id), Decimal(1), "me")
    async with farm.database.unit_of_work(store.tenant.organization) as db:
        both = [uuid.UUID(store.room_id), uuid.UUID(beside)]
        [made] = await reservations.reserve(db, [wish], location_ids=both, on=TODAY)
        level = await db.get_one(StockLevel, made.level_id)
        assert str(level.location_id) == beside


async def test_a_level_that_keeps_no_longer_is_never_promised_whatever_its_label_says(
    farm: Platform, store: ColdStore
) -> None:
    lot = (await receive(store, expires_on="2026-07-01", quantity="5"))["lot_id"]
    await keep_until(farm, store, lot, date(2026, 5, 31))
    for quantity in ("5", "6"):
        with pytest.raises(NotEnoughStock, match="and 0 may be sold"):
            await promise(farm, store, quantity)


async def test_no_day_is_ever_written_later_than_the_label_or_than_before(farm: Platform, store: ColdStore) -> None:
    lot = (await receive(store, expires_on="2026-07-01", quantity="5"))["lot_id"]
    kept = []
    for day in (date(2026, 9, 1), date(2026, 6, 20), date(2026, 6, 25)):
        await keep_until(farm, store, lot, day)
        async with farm.database.unit_of_work(store.tenant.organization, read_only=True) as db:
            kept.append(await db.scalar(select(StockLevel.keeps_until).where(StockLevel.lot_id == uuid.UUID(lot))))
    assert kept == [date(2026, 7, 1), date(2026, 6, 20), date(2026, 6, 20)]


async def test_a_customer_who_asks_for_days_of_shelf_life_gets_them(farm: Platform, store: ColdStore) -> None:
    await receive(store, lot="SOON", expires_on="2026-06-05", quantity="5")
    await receive(store, lot="LATE", expires_on="2026-06-06", quantity="5")
    assert await promise(farm, store, "1", min_remaining_days=5) == ["LATE"]
    assert await promise(farm, store, "1", "you", min_remaining_days=4) == ["SOON"]
    with pytest.raises(NotEnoughStock, match="5 are wanted and 4"):
        await promise(farm, store, "5", "they", min_remaining_days=5)


async def test_an_order_of_such_a_customer_is_confirmed_from_what_keeps_and_no_other(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    order = await order_from(depot, quantity="1")
    [lot] = await farm.tenant.get("/api/v1/warehouse/batches", product_id=depot.product_id)
    asked = (date.fromisoformat(lot["expires_on"]) - date.fromisoformat(order["delivery_date"])).days
    customer = f"/api/v1/customers/{order['customer_id']}"
    changed = await farm.tenant.put(customer, {"min_remaining_shelf_life_days": asked + 1})
    assert changed["min_remaining_shelf_life_days"] == asked + 1
    refused = await farm.tenant.client.post(f"/api/v1/orders/{order['id']}/confirm")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "NOT_ENOUGH_STOCK")
    await farm.tenant.put(customer, {"min_remaining_shelf_life_days": asked})
    await farm.tenant.post(f"/api/v1/orders/{order['id']}/confirm")


async def test_how_many_days_a_customer_asks_for_is_neither_negative_nor_an_age(farm: Platform) -> None:
    door = {"address": "4 Mill Road", "latitude": 12.93, "longitude": 77.61}
    for days in (-1, 3651):
        body = {"name": "Asha", "addresses": [door], "min_remaining_shelf_life_days": days}
        assert (await farm.tenant.client.post("/api/v1/customers", json=body)).status_code == 422


async def test_what_a_level_needs_beside_the_first_is_taken_from_the_next(farm: Platform, store: ColdStore) -> None:
    for number in range(3):
        await receive(store, lot=f"LOT-{number}", expires_on=f"2026-07-0{number + 1}", quantity="2")
    assert await promise(farm, store, "5") == ["LOT-0", "LOT-1", "LOT-2"]
    await assert_consistent(farm, store)


days = st.none() | st.dates(date(2026, 5, 28), date(2026, 6, 9))


@FEW
@given(
    lots=st.lists(st.tuples(days, days, st.integers(1, 3), st.booleans()), min_size=1, max_size=6),
    wanted=st.integers(1, 8),
    extra=st.integers(0, 3),
)
async def test_what_is_promised_is_what_a_sorted_shelf_would_give(
    farm: Platform, store: ColdStore, lots: list[tuple[date | None, date | None, int, bool]], wanted: int, extra: int
) -> None:
    """Of random labels, days that temperatures left, quantities and holds, however it is asked."""
    product_id = await make_product(store.tenant)
    mine = ColdStore(store.tenant, store.warehouse_id, store.room_id, product_id, "", "", "")
    shelf: list[tuple[tuple[date, bool, int], int, str]] = []
    for number, (label, left, quantity, held) in enumerate(lots):
        expires_on = None if label is None else label.isoformat()
        lot = await receive(mine, lot=f"LOT-{number}", expires_on=expires_on, quantity=str(quantity))
        if left is not None:
            await keep_until(farm, mine, lot["lot_id"], left)
            left = left if label is None else min(left, label)
        if held:
            async with farm.database.unit_of_work(store.tenant.organization) as db:
                its = update(StockLevel).where(StockLevel.lot_id == uuid.UUID(lot["lot_id"]))
                await db.execute(its.values(status="on_hold"))
        last = left or label or date.max
        if not held and (last - TODAY).days >= extra:
            shelf.append(((last, left is None, number), quantity, f"LOT-{number}"))
    expected, missing = list[str](), wanted
    for _, quantity, lot_number in sorted(shelf):
        if missing > 0:
            expected.append(lot_number)
            missing -= min(quantity, missing)
    try:
        assert await promise(farm, mine, str(wanted), str(uuid.uuid4()), min_remaining_days=extra) == expected
        assert missing == 0
    except NotEnoughStock:
        assert missing > 0


async def test_held_stock_is_not_promised_though_it_expires_first(farm: Platform, store: ColdStore) -> None:
    beside = await make_room(store.tenant, store.warehouse_id)
    await receive(store, lot="WARM", expires_on="2026-06-02", quantity="5")
    await receive(store, lot="COLD", expires_on="2026-07-02", quantity="5", location_id=beside)
    await hold(farm, store, "excursion:1")
    assert await promise(farm, store, "5", rooms=(beside,)) == ["COLD"]


async def test_a_promise_made_at_once_says_what_the_locking_way_says(farm: Platform, store: ColdStore) -> None:
    """The same row, whichever way it came about: of one wish, and of two."""
    other = await make_product(store.tenant)
    await receive(store, lot="ONE", quantity="5")
    await receive(store, lot="TWO", product_id=other, quantity="5")
    wishes = [Wish(uuid.UUID(product), Decimal("1.5"), "me") for product in (store.product_id, other)]
    room = [uuid.UUID(store.room_id)]
    async with farm.database.unit_of_work(store.tenant.organization) as db:
        await reservations.reserve(db, wishes[:1], location_ids=room, on=TODAY)
        await reservations.reserve(db, wishes[1:] + wishes[:1], location_ids=room, on=TODAY)
    async with farm.database.unit_of_work(store.tenant.organization, read_only=True) as db:
        rows = (await db.scalars(select(StockReservation))).all()
    said = [(row.quantity, row.source, row.status, row.needed_on, row.expires_at) for row in rows]
    assert said == [(Decimal("1.5"), "me", "active", TODAY, None)] * 3
    assert {row.organization_id for row in rows} == {store.tenant.organization.organization_id}
    await assert_consistent(farm, store)


async def test_nobody_is_promised_what_another_organisation_has(farm: Platform, store: ColdStore) -> None:
    await receive(store, quantity="5")
    stranger = await make_farm(farm)
    wish = Wish(uuid.UUID(store.product_id), Decimal(1), "theirs")
    with pytest.raises(NotEnoughStock):
        async with farm.database.unit_of_work(stranger.organization) as db:
            await reservations.reserve(db, [wish], location_ids=[uuid.UUID(store.room_id)], on=TODAY)
    await assert_consistent(farm, store)
