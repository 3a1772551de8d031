"""What becomes of an order: who did what, what its customer says, and what it costs when less was in the box."""

import uuid
from collections.abc import Awaitable, Callable
from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel.outbox import OutboxEvent
from cloud_api.kernel.states import InvalidTransition
from cloud_api.orders.book import service as orders
from cloud_api.orders.book.models import CustomerOrder
from tests.cloud_api.inventory.stock import hold, lying_in
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.orders import (
    day_in,
    deliver_without_a_route,
    make_customer,
    make_depot,
    make_van,
    order_from,
    pack,
)
from tests.factories.scopes import heard_by, make_buyer
from tests.factories.stores import ColdStore
from tests.platform_under_test import Platform, Tenant

pytestmark = IN_ONE_LOOP

ORDERS = "/api/v1/orders"

Verb = Callable[[AsyncSession, uuid.UUID, uuid.UUID], Awaitable[object]]


async def load(db: AsyncSession, order_id: uuid.UUID, place: uuid.UUID) -> None:
    await orders.load_orders(db, [order_id], van_location_id=place, reference="R", user_id=uuid.UUID(int=1))


async def deliver(db: AsyncSession, order_id: uuid.UUID, _place: uuid.UUID) -> object:
    return await orders.deliver_order(db, order_id, reference="R", user_id=uuid.UUID(int=1))


async def bring_back(db: AsyncSession, order_id: uuid.UUID, place: uuid.UUID) -> object:
    return await orders.bring_back_order(db, order_id, to_location_id=place, reference="R", user_id=None)


async def send_back(db: AsyncSession, order_id: uuid.UUID, place: uuid.UUID) -> object:
    return await orders.return_order(db, order_id, to_location_id=place, reference="R", user_id=None)


async def do(farm: Platform, verb: Verb, order_id: str, place: str) -> None:
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        await verb(db, uuid.UUID(order_id), uuid.UUID(place))


async def told(farm: Platform) -> list[str]:
    """The events of orders, in the order they were emitted."""
    async with farm.database.unit_of_work(farm.tenant.organization, read_only=True) as db:
        kinds = await db.scalars(select(OutboxEvent.type).order_by(OutboxEvent.id))
        return [kind for kind in kinds if kind.startswith("Order")]


async def fulfillment_of(tenant: Tenant, order_id: str) -> list[str]:
    return [line["fulfillment_status"] for line in (await tenant.get(f"{ORDERS}/{order_id}"))["lines"]]


async def test_lines_and_events_follow_an_order_to_its_door(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    order = await order_from(depot)
    van = (await make_van(farm.tenant))["location_id"]
    assert await fulfillment_of(farm.tenant, order["id"]) == ["open"]
    await farm.tenant.post(f"{ORDERS}/{order['id']}/confirm")
    assert await fulfillment_of(farm.tenant, order["id"]) == ["reserved"]
    await farm.tenant.post(f"{ORDERS}/{order['id']}/pack")
    steps: list[tuple[Verb, str, str]] = [
        (load, van, "shipped"),
        (bring_back, depot.room_id, "packed"),
        (load, van, "shipped"),
        (deliver, van, "shipped"),
    ]
    for verb, place, expected in steps:
        await do(farm, verb, order["id"], place)
        assert await fulfillment_of(farm.tenant, order["id"]) == [expected]
    assert await told(farm) == ["OrderConfirmed", "OrderPacked", "OrderDelivered"]
    gone = await order_from(depot)
    await farm.tenant.post(f"{ORDERS}/{gone['id']}/cancel", {"reason": "closed"})
    assert await fulfillment_of(farm.tenant, gone["id"]) == ["cancelled"]


async def test_what_is_refused_for_good_lies_in_the_store_again_and_is_free(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    order = await order_from(depot, quantity="4")
    van = (await make_van(farm.tenant))["location_id"]
    await pack(farm.tenant, order["id"])
    with pytest.raises(InvalidTransition, match="order is packed: cannot return"):
        await do(farm, send_back, order["id"], depot.room_id)
    await do(farm, load, order["id"], van)
    assert await lying_in(farm.tenant, depot.room_id) == {"LOT-1": ("96.000", "96.000", "available")}
    await do(farm, send_back, order["id"], depot.room_id)
    assert await lying_in(farm.tenant, depot.room_id) == {"LOT-1": ("100.000", "100.000", "available")}
    assert await lying_in(farm.tenant, van) == {"LOT-1": ("0.000", "0.000", "available")}
    assert (await farm.tenant.get(f"{ORDERS}/{order['id']}"))["status"] == "returned"
    assert (await told(farm))[-1] == "OrderReturned"
    with pytest.raises(InvalidTransition):
        await do(farm, send_back, order["id"], depot.room_id)


async def test_what_was_held_on_the_road_comes_back_and_is_held(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    order = await order_from(depot, quantity="4")
    van = (await make_van(farm.tenant))["location_id"]
    await pack(farm.tenant, order["id"])
    await do(farm, load, order["id"], van)
    warm = ColdStore(farm.tenant, depot.warehouse_id, van, depot.product_id, "", "", "")
    await hold(farm, warm, "excursion:van")
    await do(farm, send_back, order["id"], depot.room_id)
    rows = await farm.tenant.get("/api/v1/warehouse/stock/levels", location_id=depot.room_id)
    assert {row["status"] for row in rows} == {"on_hold"}
    assert [row["reserved"] for row in rows] == ["0.000"]


async def test_an_order_costs_what_is_in_the_box(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    order = await order_from(depot, quantity="4")

    async def weigh(packed: str) -> tuple[bool, int]:
        async with farm.database.unit_of_work(farm.tenant.organization) as db:
            [line] = await orders.lines_of(db, uuid.UUID(order["id"]))
            line.packed_quantity = Decimal(packed)
            its = await db.get_one(CustomerOrder, uuid.UUID(order["id"]))
            return await orders.reprice(db, its), its.total_minor

    assert await weigh("4.000") == (False, 17000)
    # 3.985 kg at 42.50: 169.3625, rounded half to even
    assert await weigh("3.985") == (True, 16936)
    assert await weigh("0") == (True, 0)
    assert await told(farm) == ["OrderChanged", "OrderChanged"]
    async with farm.database.unit_of_work(farm.tenant.organization, read_only=True) as db:
        assert await orders.weight_g(db, uuid.UUID(order["id"])) == 0


async def test_the_history_tells_each_status_when_and_by_whom(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    order = await order_from(depot, delivery_date=day_in(5))
    customer, buyer = await make_buyer(farm, customer_id=order["customer_id"])
    await farm.tenant.post(f"{ORDERS}/{order['id']}/confirm")
    await buyer.put(f"{ORDERS}/{order['id']}", {"note": "ring"})
    await farm.tenant.put(f"/api/v1/customers/{customer}", {"name": "Blue Kitchen"})
    await farm.tenant.post(f"{ORDERS}/{order['id']}/cancel", {"reason": "closed"})
    path = f"{ORDERS}/{order['id']}/history"
    history = await farm.tenant.get(path)
    assert [(step["status"], step["version"], step["reason"]) for step in history] == [
        ("pending", 1, None),
        ("confirmed", None, None),
        (None, 2, None),
        ("cancelled", None, "closed"),
    ]
    store, own = farm.tenant.username, buyer.username
    assert [step["by_name"] for step in history] == [store, store, own, store]
    assert [step["at"] for step in history] == sorted(step["at"] for step in history)
    assert [step["by_name"] for step in await buyer.get(path)] == ["", "", own, ""]
    _, neighbour = await make_buyer(farm)
    assert await heard_by(neighbour, "GET", path) == (404, "NOT_FOUND")


async def test_a_delivery_is_rated_once_by_its_own_customer(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    order = await order_from(depot)
    _, buyer = await make_buyer(farm, customer_id=order["customer_id"])
    _, neighbour = await make_buyer(farm)
    path, good = f"{ORDERS}/{order['id']}/feedback", {"rating": 4, "comment": "cold and on time"}
    assert await heard_by(buyer, "POST", path, good) == (409, "NOT_DELIVERED")
    await deliver_without_a_route(farm, farm.tenant, order["id"])
    for rating in (0, 6, 4.5, True):
        assert await heard_by(buyer, "POST", path, {"rating": rating}) == (422, "VALIDATION_FAILED")
    assert await heard_by(neighbour, "POST", path, good) == (404, "NOT_FOUND")
    assert (await farm.tenant.get(f"{ORDERS}/{order['id']}"))["feedback"] is None
    said = await buyer.post(path, good)
    assert (said["rating"], said["comment"]) == (4, "cold and on time")
    assert await heard_by(buyer, "POST", path, {"rating": 1}) == (409, "ALREADY_RATED")
    assert (await farm.tenant.get(f"{ORDERS}/{order['id']}"))["feedback"] == said


async def test_the_orders_of_a_customer_are_the_stores_and_its_own_to_see(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    order = await order_from(depot)
    await order_from(depot)
    customer_id, buyer = await make_buyer(farm, customer_id=order["customer_id"])
    _, neighbour = await make_buyer(farm)
    path = f"/api/v1/customers/{customer_id}/orders"
    assert [row["id"] for row in await farm.tenant.get(path)] == [order["id"]]
    assert [row["id"] for row in await buyer.get(path)] == [order["id"]]
    assert await heard_by(neighbour, "GET", path) == (404, "NOT_FOUND")
    nobody = f"/api/v1/customers/{uuid.uuid4()}/orders"
    assert await heard_by(farm.tenant, "GET", nobody) == (404, "NOT_FOUND")
    assert await farm.tenant.get(f"/api/v1/customers/{await make_customer(farm.tenant)}/orders") == []
