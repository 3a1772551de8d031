"""What is to be bought again: by warehouse, counted as it may be sold, and said once until it recovers."""

import asyncio
import uuid
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from cloud_api.inventory.ledger import service as ledger
from cloud_api.inventory.replenishment import service
from cloud_api.inventory.replenishment.watching import StockKeeper
from cloud_api.kernel import clock
from cloud_api.kernel.outbox import OutboxEvent
from tests.cloud_api.inventory.stock import hold, release
from tests.factories.farms import make_person, open_farm_alone, plant_store
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.orders import day_in
from tests.factories.properties import FEW
from tests.factories.scopes import confine
from tests.factories.stores import ColdStore, make_product, make_room, make_warehouse, receive
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

LOW = "/api/v1/warehouse/products/low-stock"
RULES = "/api/v1/warehouse/stock/reorder-rules"


async def reordered_at(store: ColdStore, point: str, **fields: Any) -> ColdStore:
    """The store with a product that has a reorder point."""
    product_id = await make_product(store.tenant, reorder_point=point, **fields)
    return ColdStore(store.tenant, store.warehouse_id, store.room_id, product_id, "", "", "")


async def low(store: ColdStore, **narrow: str) -> list[tuple[str | None, str, str, str]]:
    """(warehouse, available, shortage, suggested) of the product."""
    rows = await store.tenant.get(LOW, product_id=store.product_id, **narrow)
    return [(row["warehouse_id"], row["available"], row["shortage"], row["suggested_quantity"]) for row in rows]


async def take(store: ColdStore, lot_id: str, quantity: str) -> None:
    body = {"lot_id": lot_id, "location_id": store.room_id, "delta": f"-{quantity}", "reason": "spilt"}
    await store.tenant.post("/api/v1/warehouse/stock/adjustment", body)


async def promise(store: ColdStore, quantity: str) -> str:
    where = {"product_id": store.product_id, "warehouse_id": store.warehouse_id}
    body = {"reference": "R", "quantity": quantity, **where}
    return str((await store.tenant.post("/api/v1/warehouse/stock/reservations", body))[0]["id"])


async def look(farm: Platform, store: ColdStore) -> int:
    async with farm.database.unit_of_work(store.tenant.organization) as db:
        return await service.look(db, {uuid.UUID(store.product_id)})


async def said(farm: Platform, store: ColdStore) -> list[tuple[str, str]]:
    """(event, warehouse) of the product, in order."""
    async with farm.database.unit_of_work(store.tenant.organization, read_only=True) as db:
        its = select(OutboxEvent).where(OutboxEvent.type.in_(("LowStock", "StockRecovered"))).order_by(OutboxEvent.id)
        return [
            (event.type, str(event.payload["warehouse_id"]))
            for event in await db.scalars(its)
            if event.payload["product_id"] == store.product_id
        ]


async def test_a_product_at_its_reorder_point_is_low_with_what_is_missing_and_what_to_buy(
    farm: Platform, store: ColdStore
) -> None:
    store = await reordered_at(store, "10", reorder_quantity="4")
    lot = (await receive(store, quantity="11"))["lot_id"]
    assert await low(store) == []
    await take(store, lot, "1")
    assert await low(store) == [(store.warehouse_id, "10.000", "0.000", "4.000")]
    await take(store, lot, "5")
    assert await low(store) == [(store.warehouse_id, "5.000", "5.000", "8.000")]


async def test_only_what_may_be_sold_counts(farm: Platform, store: ColdStore) -> None:
    store = await reordered_at(store, "5")
    beside = await make_room(store.tenant, store.warehouse_id)
    await receive(store, lot="GOOD", quantity="6")
    await receive(store, lot="OLD", quantity="50", expires_on=day_in(-1))
    await receive(store, lot="WARM", quantity="50", location_id=beside)
    heated = await receive(store, lot="HEATED", quantity="50")
    async with farm.database.unit_of_work(store.tenant.organization) as db:
        place, yesterday = uuid.UUID(store.room_id), clock.now().date() - timedelta(days=2)
        await ledger.keep_until(db, lot_id=uuid.UUID(heated["lot_id"]), location_id=place, day=yesterday)
    assert await low(store) == []
    await hold(farm, store, f"excursion:{beside}", beside)
    assert await low(store) == []
    reservation = await promise(store, "1")
    assert await low(store) == [(store.warehouse_id, "5.000", "0.000", "0.000")]
    await store.tenant.post(f"/api/v1/warehouse/stock/reservations/{reservation}/release")
    assert await low(store) == []


async def test_each_warehouse_stands_for_itself_and_a_rule_is_its_own_point(farm: Platform, store: ColdStore) -> None:
    store = await reordered_at(store, "5", max_stock_level="20")
    other = await make_warehouse(store.tenant)
    await receive(store, quantity="4")
    await receive(store, quantity="40", location_id=await make_room(store.tenant, other))
    assert await low(store) == [(store.warehouse_id, "4.000", "1.000", "16.000")]
    rule = {"product_id": store.product_id, "warehouse_id": other, "reorder_point": "50", "up_to_level": "90"}
    made = await store.tenant.post(RULES, {**rule, "lead_time_days": 3})
    assert dict((where, rest) for where, *rest in await low(store))[other] == ["40.000", "10.000", "50.000"]
    assert await low(store, warehouse_id=other) == [(other, "40.000", "10.000", "50.000")]
    assert [row["lead_time_days"] for row in await store.tenant.get(LOW, warehouse_id=other)] == [3]
    await store.tenant.put(f"{RULES}/{made['id']}", {"reorder_point": "39"})
    assert await low(store, warehouse_id=other) == []
    assert (await store.tenant.client.delete(f"{RULES}/{made['id']}")).status_code == 204
    assert await store.tenant.get(RULES, product_id=store.product_id) == []


async def test_what_never_lay_anywhere_is_low_nowhere_and_a_discontinued_product_is_not(
    farm: Platform, store: ColdStore
) -> None:
    store = await reordered_at(store, "5")
    assert await low(store) == [(None, "0.000", "5.000", "5.000")]
    path = f"/api/v1/warehouse/products/{store.product_id}"
    assert (await store.tenant.client.put(path, json={"status": "discontinued"})).status_code == 200
    assert await low(store) == []


async def test_the_pages_of_the_list_hold_each_row_once(farm: Platform, store: ColdStore) -> None:
    others = [await make_room(store.tenant, await make_warehouse(store.tenant)) for _ in range(2)]
    products = [await reordered_at(store, "5") for _ in range(3)]
    for product in products[:2]:
        for room in (store.room_id, *others):
            await receive(product, quantity="1", location_id=room)
    seen, cursor = [], None
    while True:
        parameters: dict[str, Any] = {"limit": 2} if cursor is None else {"limit": 2, "cursor": cursor}
        answer = (await store.tenant.client.get(LOW, params=parameters)).json()
        seen += [(row["product_id"], row["warehouse_id"]) for row in answer["data"]]
        cursor = answer["meta"].get("next_cursor")
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 7
    assert (await store.tenant.client.get(LOW, params={"cursor": "AAAA"})).status_code == 422


async def test_a_fall_is_said_once_and_again_only_after_it_recovered(farm: Platform, store: ColdStore) -> None:
    store = await reordered_at(store, "5")
    lot = (await receive(store, quantity="6"))["lot_id"]
    assert await look(farm, store) == 0
    for quantity in ("1", "2", "1"):  # 5, 3, 2
        await take(store, lot, quantity)
        await look(farm, store)
    await receive(store, quantity="3")  # 5: at the point it has not recovered
    await look(farm, store)
    assert [event for event, _ in await said(farm, store)] == ["LowStock"]
    await receive(store, quantity="1")
    await look(farm, store)
    await take(store, lot, "6")
    await look(farm, store)
    expected = ["LowStock", "StockRecovered", "LowStock"]
    assert await said(farm, store) == [(event, store.warehouse_id) for event in expected]


async def test_of_many_who_look_at_once_one_says_it(farm: Platform, store: ColdStore) -> None:
    store = await reordered_at(store, "5")
    await receive(store, quantity="1")
    told = await asyncio.gather(*(look(farm, store) for _ in range(6)))
    assert Counter(told) == {1: 1, 0: 5}
    assert len(await said(farm, store)) == 1


async def test_the_keeper_looks_at_what_was_touched_and_now_and_then_at_everything(database_url: str) -> None:
    async with open_farm_alone(database_url) as farm:  # it looks at every organisation of a database
        store = await plant_store(farm)
        keeper = StockKeeper(farm.database)
        await keeper.look()
        store = await reordered_at(store, "5")
        await receive(store, quantity="6")
        await keeper.look()
        assert await said(farm, store) == []
        reservation = await promise(store, "2")
        await keeper.look()
        assert [event for event, _ in await said(farm, store)] == ["LowStock"]
        await store.tenant.post(f"/api/v1/warehouse/stock/reservations/{reservation}/release")
        await keeper.look()
        await hold(farm, store, f"excursion:{store.product_id}")
        await keeper.look()
        await release(farm, store, f"excursion:{store.product_id}")
        await keeper.look()
        expected = ["LowStock", "StockRecovered", "LowStock", "StockRecovered"]
        assert [event for event, _ in await said(farm, store)] == expected
        later = clock.now() + timedelta(days=400)
        clock.use(lambda: later)  # its lot has expired, and nothing moved
        await keeper.look()
        assert (await said(farm, store))[-1] == ("LowStock", store.warehouse_id)


async def test_a_rule_that_cannot_be_meant_is_refused_by_the_field(farm: Platform, store: ColdStore) -> None:
    rule = {"product_id": store.product_id, "warehouse_id": store.warehouse_id, "reorder_point": "5"}
    wrong: list[tuple[dict[str, Any], int, str]] = [
        ({"reorder_quantity": "5", "up_to_level": "9"}, 422, "up_to_level"),
        ({"up_to_level": "5"}, 422, "up_to_level"),
        ({"reorder_point": "-1"}, 422, "reorder_point"),
        ({"reorder_quantity": "0"}, 422, "reorder_quantity"),
        ({"lead_time_days": -1}, 422, "lead_time_days"),
        ({"product_id": str(uuid.uuid4())}, 404, "product_id"),
        ({"warehouse_id": str(uuid.uuid4())}, 404, "warehouse_id"),
    ]
    for fields, status, field in wrong:
        answer = await store.tenant.client.post(RULES, json={**rule, **fields})
        assert answer.status_code == status, answer.text
        assert answer.json()["error"]["details"][0]["field"].endswith(field)
    made = await store.tenant.post(RULES, {**rule, "reorder_quantity": "5"})
    again = await store.tenant.client.post(RULES, json=rule)
    assert (again.status_code, again.json()["error"]["code"]) == (409, "ALREADY_EXISTS")
    changed = await store.tenant.put(f"{RULES}/{made['id']}", {"up_to_level": "9"})
    assert (changed["reorder_quantity"], changed["up_to_level"]) == (None, "9.000")


async def test_who_is_confined_to_other_warehouses_sees_neither_rules_nor_what_is_low(
    farm: Platform, store: ColdStore
) -> None:
    store = await reordered_at(store, "5")
    await receive(store, quantity="1")
    rule = {"product_id": store.product_id, "warehouse_id": store.warehouse_id, "reorder_point": "6"}
    made = await store.tenant.post(RULES, rule)
    person = await make_person(farm, store.tenant, "warehouse_manager")
    await confine(store.tenant, person, await make_warehouse(store.tenant))
    assert await person.get(LOW, product_id=store.product_id) == []
    assert await person.get(RULES) == []
    assert (await person.client.get(f"{RULES}/{made['id']}")).status_code == 404
    assert (await person.client.post(RULES, json=rule)).status_code == 404


changes = st.lists(st.tuples(st.sampled_from(["in", "out", "promise", "look"]), st.integers(1, 6)), max_size=14)


@FEW
@given(point=st.integers(0, 8), happened=changes)
async def test_what_is_said_alternates_and_agrees_with_the_shelf(
    farm: Platform, store: ColdStore, point: int, happened: list[tuple[str, int]]
) -> None:
    mine = await reordered_at(store, str(point))
    lot = (await receive(mine, quantity="7"))["lot_id"]
    free, was_low, expected = 7, False, []
    for what, quantity in [*happened, ("look", 1)]:
        if what == "in":
            await receive(mine, quantity=str(quantity))
            free += quantity
        elif what != "look" and quantity <= free:
            await (take(mine, lot, str(quantity)) if what == "out" else promise(mine, str(quantity)))
            free -= quantity
        elif what == "look":
            await look(farm, mine)
            if (free <= point) != was_low:
                was_low = not was_low
                expected.append("LowStock" if was_low else "StockRecovered")
    assert [event for event, _ in await said(farm, mine)] == expected
    shown = [Decimal(available) for _, available, _, _ in await low(mine)]
    assert shown == ([Decimal(free)] if free <= point else [])
