"""Whatever is changed in whatever order: confirmed orders are promised what they ask, and all else is free."""

import asyncio
import random
from decimal import Decimal
from typing import Any

import pytest

from tests.cloud_api.inventory.stock import lying_in
from tests.factories.grounds import IN_ONE_LOOP, ground_url
from tests.factories.orders import Depot, day_in, make_depot, order_from, receive_lot
from tests.factories.stores import make_product
from tests.platform_under_test import Platform

__all__ = ["ground_url"]

pytestmark = IN_ONE_LOOP

ORDERS = "/api/v1/orders"


async def shop_with(farm: Platform, *, products: int) -> tuple[Depot, list[str]]:
    """A depot that has ten of each product."""
    depot = await make_depot(farm.tenant, quantity="10")
    ids = [depot.product_id]
    for number in range(1, products):
        ids.append(await make_product(farm.tenant, price="1"))
        lot = {"lot_number": f"LOT-{number + 1}", "quantity": "10"}
        await receive_lot(farm.tenant, product_id=ids[-1], location_id=depot.room_id, **lot)
    return depot, ids


async def promised(farm: Platform, order_ids: list[str]) -> dict[str, Decimal]:
    """Lot -> how much of it these orders were promised."""
    sums: dict[str, Decimal] = {}
    for order_id in order_ids:
        order = await farm.tenant.get(f"{ORDERS}/{order_id}")
        for one in order["lines"]:
            parts = [Decimal(lot["quantity"]) for lot in one["allocations"]]
            if order["status"] == "confirmed":
                assert sum(parts) == Decimal(one["quantity"]), order
            for lot in one["allocations"]:
                sums[lot["lot_number"]] = sums.get(lot["lot_number"], Decimal(0)) + Decimal(lot["quantity"])
    return sums


async def assert_books_agree(farm: Platform, depot: Depot, order_ids: list[str]) -> None:
    taken = await promised(farm, order_ids)
    for lot, (on_hand, free, _) in (await lying_in(farm.tenant, depot.room_id)).items():
        assert Decimal(on_hand) - Decimal(free) == taken.get(lot, 0), lot


@pytest.mark.parametrize("seed", [1, 2])
async def test_promises_are_what_confirmed_orders_ask_after_any_changes(farm: Platform, seed: int) -> None:
    depot, products = await shop_with(farm, products=3)
    chance = random.Random(seed)
    taken = [await order_from(depot, quantity="1", delivery_date=day_in(5)) for _ in range(3)]
    order_ids = [order["id"] for order in taken]
    refused = 0
    for _ in range(14):
        order_id, verb = chance.choice(order_ids), chance.choice(["confirm", "change", "change", "change"])
        some = chance.sample(products, chance.randint(1, 3))
        lines = [{"product_id": id, "quantity": str(chance.randint(1, 7))} for id in some]
        body: dict[str, Any] = {"lines": lines}
        if chance.random() < 0.3:
            body["delivery_date"] = day_in(chance.randint(4, 9))
        if verb == "confirm":
            answer = await farm.tenant.client.post(f"{ORDERS}/{order_id}/confirm")
        else:
            answer = await farm.tenant.client.put(f"{ORDERS}/{order_id}", json=body)
        assert answer.status_code in {200, 404, 409}, answer.text
        refused += not answer.is_success
    assert 0 < refused < 14
    await assert_books_agree(farm, depot, order_ids)


async def test_orders_that_exchange_their_products_at_once_never_deadlock(farm: Platform) -> None:
    depot, products = await shop_with(farm, products=2)
    pairs = [products, products[::-1]]
    order_ids = []
    for first, _ in (*pairs, *pairs):
        lines = [{"product_id": first, "quantity": "2", "unit_price": "1"}]
        order = await order_from(depot, lines=lines, delivery_date=day_in(5))
        await farm.tenant.post(f"{ORDERS}/{order['id']}/confirm")
        order_ids.append(order["id"])

    async def exchange(order_id: str, product_id: str) -> int:
        lines = [{"product_id": product_id, "quantity": "2", "unit_price": "1"}]
        return (await farm.tenant.client.put(f"{ORDERS}/{order_id}", json={"lines": lines})).status_code

    for turn in (1, 0):
        wanted = [pair[turn] for pair in (*pairs, *pairs)]
        assert await asyncio.gather(*map(exchange, order_ids, wanted)) == [200] * 4
    await assert_books_agree(farm, depot, order_ids)
