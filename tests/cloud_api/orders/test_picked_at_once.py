"""Several who pick, pack and hand over at once: on both engines, because locks are what is tried."""

import asyncio
from typing import Any

from tests.cloud_api.inventory.stock import assert_consistent, lying_in
from tests.cloud_api.orders.picking.shelves import ORDERS, confirmed, make_shelves, pack, pick, promised, took
from tests.factories.grounds import IN_ONE_LOOP
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP


async def together(farm: Platform, *posts: tuple[str, object]) -> list[str]:
    """What each of these hears when all are sent at once: a code, or an empty text when it is done."""

    async def post(path: str, body: object) -> str:
        answer = await farm.tenant.client.post(f"{ORDERS}/{path}", json=body)
        return "" if answer.is_success else str(answer.json()["error"]["code"])

    return await asyncio.gather(*(post(path, body) for path, body in posts))


async def test_two_who_take_a_little_more_of_one_lot_cannot_both_have_it(farm: Platform) -> None:
    shelves = await make_shelves(farm, first="8.200")
    orders = [await confirmed(shelves) for _ in range(2)]
    said = await together(
        farm, *((f"{order['id']}/pick", took(order, shelves.first["lot_id"], "4.200")) for order in orders)
    )
    assert sorted(said) == ["", "NOT_ENOUGH_STOCK"]
    assert (await lying_in(farm.tenant, shelves.depot.room_id))["LOT-1"] == ("8.200", "0.000", "available")
    await assert_consistent(farm, shelves.store)


async def test_many_who_swap_lots_crosswise_all_get_what_they_took(farm: Platform) -> None:
    shelves = await make_shelves(farm, first="8", second="8")
    orders = [await confirmed(shelves, "2") for _ in range(6)]
    lots = {"LOT-1": shelves.first["lot_id"], "LOT-2": shelves.second["lot_id"]}
    other = {"LOT-1": "LOT-2", "LOT-2": "LOT-1"}
    wanted: list[tuple[str, Any]] = []
    for order in orders:
        [lot] = promised(order)
        wanted.append((f"{order['id']}/pick", took(order, lots[other[lot]], "2", swap=True)))
    said = await together(farm, *wanted)
    # four lie on LOT-1 and two on LOT-2: as many may change sides as there is room for
    assert set(said) <= {"", "WRONG_LOT"}
    assert said.count("") >= 2
    await assert_consistent(farm, shelves.store)


async def test_an_order_that_is_packed_and_cancelled_at_once_ends_with_nothing_promised(farm: Platform) -> None:
    shelves = await make_shelves(farm)
    order = await confirmed(shelves)
    said = await together(farm, (f"{order['id']}/pack", {}), (f"{order['id']}/cancel", {"reason": "closed"}))
    assert said in (["", ""], ["INVALID_TRANSITION", ""])
    assert (await farm.tenant.get(f"{ORDERS}/{order['id']}"))["status"] == "cancelled"
    assert (await lying_in(farm.tenant, shelves.depot.room_id))["LOT-1"] == ("10.000", "10.000", "available")
    await assert_consistent(farm, shelves.store)


async def test_an_order_is_packed_once_and_leaves_once_however_many_say_so(farm: Platform) -> None:
    shelves = await make_shelves(farm)
    order = await confirmed(shelves)
    said = await together(farm, *[(f"{order['id']}/pack", {})] * 3)
    assert sorted(said) == ["", "INVALID_TRANSITION", "INVALID_TRANSITION"]
    body = {"delivered": True, "recipient_name": "The cook"}
    said = await together(farm, *[(f"{order['id']}/ship", body)] * 3)
    assert sorted(said) == ["", "INVALID_TRANSITION", "INVALID_TRANSITION"]
    assert (await lying_in(farm.tenant, shelves.depot.room_id))["LOT-1"] == ("6.000", "6.000", "available")
    await assert_consistent(farm, shelves.store)


async def test_an_order_comes_onto_one_list_and_the_last_of_two_picks_ends_it(farm: Platform) -> None:
    shelves = await make_shelves(farm)
    orders = [await confirmed(shelves, "1") for _ in range(2)]
    wanted = {"warehouse_id": shelves.depot.warehouse_id, "order_ids": [order["id"] for order in orders]}
    assert sorted(await together(farm, ("picklists", wanted), ("picklists", wanted))) == ["", "ON_ANOTHER_LIST"]
    said = await together(
        farm, *((f"{order['id']}/pick", took(order, shelves.first["lot_id"], "1")) for order in orders)
    )
    assert said == ["", ""]
    [made] = await farm.tenant.get(f"{ORDERS}/picklists")
    assert made["status"] == "done"
    assert {(await pack(farm.tenant, order))["status"] for order in orders} == {"packed"}


async def test_a_lot_that_is_picked_while_it_is_held_is_in_the_box_or_was_not_taken(farm: Platform) -> None:
    shelves = await make_shelves(farm)
    order = await confirmed(shelves)

    async def hold() -> None:
        lot = f"/api/v1/warehouse/batches/{shelves.first['lot_id']}/hold"
        await farm.tenant.post(lot, {"reason": "label wrong"})

    said, _ = await asyncio.gather(
        together(farm, (f"{order['id']}/pick", took(order, shelves.first["lot_id"], "4"))), hold()
    )
    assert said in ([""], ["STOCK_ON_HOLD"])
    if said == [""]:
        body = took(order, shelves.second["lot_id"], "4", swap=True)
        assert promised(await pick(farm.tenant, order, body)) == {"LOT-2": "4.000"}
    await assert_consistent(farm, shelves.store)
