"""Pick lists: which orders go on one walk, where it leads, and when it is over."""

from typing import Any

from tests.cloud_api.orders.picking.shelves import ORDERS, confirmed, did, make_shelves, pack, pick, took
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.orders import day_in, order_from, receive_lot
from tests.factories.stores import make_product, make_room
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

LISTS = f"{ORDERS}/picklists"


async def denied(farm: Platform, path: str, body: object) -> tuple[str, str]:
    """(code, message) of what must be refused."""
    answer = await farm.tenant.client.post(path, json=body)
    assert not answer.is_success, answer.text
    error = answer.json()["error"]
    return error["code"], error["message"]


async def test_a_route_is_listed_in_the_order_of_loading_and_walked_from_dry_to_frozen(farm: Platform) -> None:
    shelves = await make_shelves(farm)
    frozen = await make_room(farm.tenant, shelves.depot.warehouse_id, storage_type="freezer", code="A-FROST")
    dry = await make_room(farm.tenant, shelves.depot.warehouse_id, storage_type="dry_storage", code="Z-DRY")
    racks = {}
    for code in ("R-10", "R-2"):
        racks[code] = await make_room(
            farm.tenant,
            shelves.depot.warehouse_id,
            code=f"{code}-{shelves.depot.room_id[-6:]}",
            location_type="rack",
            storage_type="freezer",
            parent_id=frozen,
        )
    products = {}
    for name, place in (("peas", racks["R-10"]), ("corn", racks["R-2"]), ("rice", dry)):
        products[name] = await make_product(farm.tenant, name=name)
        await receive_lot(farm.tenant, product_id=products[name], location_id=place, lot_number=name)
    line = {"quantity": "1", "unit_price": "10"}
    lines = [{**line, "product_id": product_id} for product_id in (*products.values(), shelves.depot.product_id)]
    orders = []
    for _ in range(2):
        order = await order_from(shelves.depot, lines=lines)
        orders.append(await farm.tenant.post(f"{ORDERS}/{order['id']}/confirm"))
    wanted = {
        "warehouse_id": shelves.depot.warehouse_id,
        "order_ids": [order["id"] for order in orders],
        "reversed": True,
    }
    made = await farm.tenant.post(LISTS, wanted)
    assert [one["order_id"] for one in made["orders"]] == [orders[1]["id"], orders[0]["id"]]
    assert [(zone["storage_type"]) for zone in made["zones"]] == ["dry_storage", "cold_storage", "freezer"]
    assert [(row["lot_number"], row["position"]) for row in made["zones"][2]["lines"]] == [
        ("corn", 1),
        ("corn", 2),
        ("peas", 1),
        ("peas", 2),
    ]
    assert made["zones"][2]["lines"][0]["path"][0] == "A-FROST"
    assert await farm.tenant.get(f"{LISTS}/{made['id']}") == made


async def test_a_days_list_takes_every_confirmed_order_that_stands_on_no_other(farm: Platform) -> None:
    shelves = await make_shelves(farm)
    one = await confirmed(shelves, "1", window_from="10:00")
    await order_from(shelves.depot, quantity="1")
    wanted = {"warehouse_id": shelves.depot.warehouse_id, "delivery_date": day_in(1)}
    first = await farm.tenant.post(LISTS, wanted)
    assert [row["order_id"] for row in first["orders"]] == [one["id"]]
    assert (await denied(farm, LISTS, wanted))[0] == "NOTHING_TO_PICK"
    early = await confirmed(shelves, "1", window_from="06:00")
    late = await confirmed(shelves, "1", window_from="12:00")
    second = await farm.tenant.post(LISTS, wanted)
    assert [row["order_id"] for row in second["orders"]] == [early["id"], late["id"]]
    listed = await farm.tenant.get(LISTS, warehouse_id=shelves.depot.warehouse_id, status="open")
    assert [row["id"] for row in listed] == [second["id"], first["id"]]
    assert await farm.tenant.get(LISTS, delivery_date=day_in(2)) == []


async def test_an_order_stands_on_one_list_at_a_time_and_a_list_has_confirmed_orders_only(farm: Platform) -> None:
    shelves = await make_shelves(farm)
    order, pending = await confirmed(shelves, "1"), await order_from(shelves.depot, quantity="1")
    wanted = {"warehouse_id": shelves.depot.warehouse_id, "order_ids": [order["id"]]}
    made = await farm.tenant.post(LISTS, wanted)
    code, message = await denied(farm, LISTS, wanted)
    assert (code, made["number"] in message) == ("ON_ANOTHER_LIST", True)
    assert (await denied(farm, LISTS, {**wanted, "order_ids": [pending["id"]]}))[0] == "NOTHING_TO_PICK"
    assert (await denied(farm, LISTS, {**wanted, "order_ids": [order["id"]] * 2}))[0] == "INVALID"
    assert (await denied(farm, LISTS, {"warehouse_id": wanted["warehouse_id"]}))[0] == "INVALID"
    elsewhere = await make_shelves(farm)
    assert (await denied(farm, LISTS, {**wanted, "warehouse_id": elsewhere.depot.warehouse_id}))[0] == "INVALID"
    cancelled = await farm.tenant.post(f"{LISTS}/{made['id']}/cancel")
    assert cancelled["status"] == "cancelled"
    assert (await farm.tenant.post(LISTS, wanted))["orders"][0]["order_id"] == order["id"]


async def test_a_list_begins_with_its_first_pick_and_is_done_with_its_last(farm: Platform) -> None:
    shelves = await make_shelves(farm)
    orders = [await confirmed(shelves, "1") for _ in range(3)]
    wanted = {"warehouse_id": shelves.depot.warehouse_id, "order_ids": [order["id"] for order in orders]}
    path = f"{LISTS}/{(await farm.tenant.post(LISTS, wanted))['id']}"

    await pick(farm.tenant, orders[0], took(orders[0], shelves.first["lot_id"], "1"))
    begun = await farm.tenant.get(path)
    assert (begun["status"], [row["is_picked"] for row in begun["zones"][0]["lines"]]) == (
        "picking",
        [True, False, False],
    )
    code, message = await denied(farm, f"{path}/complete", {})
    assert (code, orders[1]["number"] in message, orders[0]["number"] in message) == ("NOT_PICKED", True, False)
    await pack(farm.tenant, orders[1])
    await pick(farm.tenant, orders[2], did(orders[2], short_reason="trodden on"))
    again = (await farm.tenant.get(f"{ORDERS}/{orders[2]['id']}"))["lines"][0]["allocations"]
    assert [row["lot_number"] for row in again] == ["LOT-2"]
    assert (await farm.tenant.get(path))["status"] == "picking"
    await pick(farm.tenant, orders[2], took(orders[2], shelves.second["lot_id"], "1"))
    done = await farm.tenant.get(path)
    assert (done["status"], done["closed_at"] is None) == ("done", False)
    assert (await denied(farm, f"{path}/cancel", {}))[0] == "INVALID_TRANSITION"


async def test_a_list_whose_orders_were_given_up_is_completed_by_hand(farm: Platform) -> None:
    shelves = await make_shelves(farm)
    order = await confirmed(shelves, "1")
    wanted = {"warehouse_id": shelves.depot.warehouse_id, "order_ids": [order["id"]]}
    path = f"{LISTS}/{(await farm.tenant.post(LISTS, wanted))['id']}"
    assert (await farm.tenant.post(f"{path}/start"))["status"] == "picking"
    await farm.tenant.post(f"{ORDERS}/{order['id']}/cancel", {"reason": "closed"})
    given_up: Any = await farm.tenant.get(path)
    assert (given_up["zones"], given_up["orders"][0]["status"]) == ([], "cancelled")
    assert (await farm.tenant.post(f"{path}/complete"))["status"] == "done"
