"""Goods on their way between warehouses: theirs who sent them no more, theirs who wait for them not yet."""

import asyncio
import itertools
import uuid
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from cloud_api.inventory.errors import NotEnoughStock
from cloud_api.inventory.reservations import service as reservations
from cloud_api.inventory.reservations.service import Wish
from cloud_api.inventory.transfers.states import TRANSFER, TransferAction, TransferStatus
from cloud_api.kernel.states import InvalidTransition
from cloud_api.places import service as places
from tests.cloud_api.inventory.stock import assert_consistent, hold, lying_in
from tests.cloud_api.inventory.transfers.test_transfers import promise
from tests.factories.farms import plant_store
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.scopes import heard_by, make_keeper
from tests.factories.stores import ColdStore, make_product, make_room, receive
from tests.platform_under_test import Platform, Tenant

pytestmark = IN_ONE_LOOP

STOCK = "/api/v1/warehouse/stock"
PATH = f"{STOCK}/transfers"


async def draft(here: ColdStore, there: ColdStore, lot_id: str, quantity: str = "40", **fields: Any) -> Any:
    """A transfer of one line from the one cold room to the other."""
    line = {"lot_id": lot_id, "from_location_id": here.room_id, "to_location_id": there.room_id, "quantity": quantity}
    whose = {"from_warehouse_id": here.warehouse_id, "to_warehouse_id": there.warehouse_id}
    return await here.tenant.post(PATH, {**whose, "lines": [{**line, **fields}]})


async def two_stores(farm: Platform) -> tuple[ColdStore, ColdStore, str]:
    """Two stores of one organisation, and a lot of 100 in the first."""
    here, there = await plant_store(farm), await plant_store(farm)
    return here, there, (await receive(here))["lot_id"]


def arrived(transfer: Any, quantity: str, **fields: Any) -> dict[str, Any]:
    return {"lines": [{"line_id": transfer["lines"][0]["id"], "quantity": quantity, **fields}]}


async def do(person: Tenant, transfer: Any, verb: str, body: object = None) -> Any:
    return await person.post(f"{PATH}/{transfer['id']}/{verb}", body)


async def refusal(person: Tenant, transfer: Any, verb: str, body: object = None) -> tuple[int, str]:
    return await heard_by(person, "POST", f"{PATH}/{transfer['id']}/{verb}", body or {})


async def on_the_way(store: ColdStore) -> list[tuple[str, str]]:
    rows = await store.tenant.get(f"{STOCK}/in-transit", warehouse_id=store.warehouse_id)
    return [(row["product_id"], row["quantity"]) for row in rows]


async def test_goods_leave_are_on_their_way_and_arrive(farm: Platform) -> None:
    here, there, lot_id = await two_stores(farm)
    transfer = await draft(here, there, lot_id)
    assert transfer["number"].startswith("TRF-")
    assert (await lying_in(here.tenant, here.room_id))["LOT-1"][0] == "100.000"
    assert (await do(here.tenant, transfer, "ship"))["status"] == "in_transit"
    assert (await lying_in(here.tenant, here.room_id))["LOT-1"][0] == "60.000"
    assert await lying_in(here.tenant, there.room_id) == {}
    assert await on_the_way(there) == [(here.product_id, "40.000")]
    done = await do(here.tenant, transfer, "receive", arrived(transfer, "40"))
    assert (done["status"], done["lines"][0]["received"]) == ("completed", "40.000")
    assert (await lying_in(here.tenant, there.room_id))["LOT-1"] == ("40.000", "40.000", "available")
    assert await on_the_way(there) == []
    booked = await here.tenant.get(f"{STOCK}/movements", lot_id=lot_id)
    assert {row["reference"] for row in booked[:4]} == {f"transfer:{transfer['number']}"}
    await assert_consistent(farm, here)


async def test_nobody_can_be_promised_what_is_on_its_way(farm: Platform) -> None:
    here, there, lot_id = await two_stores(farm)
    transfer = await draft(here, there, lot_id, "100")
    await do(here.tenant, transfer, "ship")
    wish = Wish(uuid.UUID(here.product_id), Decimal(1), "order_line:1")
    for store in (here, there):
        async with farm.database.unit_of_work(here.tenant.organization) as db:
            inside = await places.of_warehouse(db, uuid.UUID(store.warehouse_id))
            with pytest.raises(NotEnoughStock):
                await reservations.reserve(db, [wish], location_ids=inside, on=date(2026, 1, 31))


async def test_only_what_is_free_may_leave(farm: Platform) -> None:
    here, there, lot_id = await two_stores(farm)
    transfer = await draft(here, there, lot_id, "40")
    await promise(farm, here, "61")
    assert await refusal(here.tenant, transfer, "ship") == (409, "NOT_ENOUGH_STOCK")
    assert (await here.tenant.get(f"{PATH}/{transfer['id']}"))["status"] == "draft"
    assert await on_the_way(there) == []


async def test_what_is_missing_is_booked_off_with_its_reason(farm: Platform) -> None:
    here, there, lot_id = await two_stores(farm)
    transfer = await draft(here, there, lot_id)
    await do(here.tenant, transfer, "ship")
    part = await do(here.tenant, transfer, "receive", arrived(transfer, "15"))
    assert (part["status"], await on_the_way(there)) == ("in_transit", [(here.product_id, "25.000")])
    loss = {"book_as": "waste", "reason": "a crate fell off"}
    done = await do(here.tenant, transfer, "receive", arrived(transfer, "20", loss=loss))
    line = done["lines"][0]
    assert done["status"] == "completed"
    assert (line["received"], line["lost"], line["loss_type"], line["loss_reason"]) == (
        "35.000",
        "5.000",
        "waste",
        "a crate fell off",
    )
    waste = [
        row for row in await here.tenant.get(f"{STOCK}/movements", lot_id=lot_id) if row["movement_type"] == "waste"
    ]
    assert [row["quantity"] for row in waste] == ["-5.000"]
    assert await on_the_way(there) == []
    await assert_consistent(farm, here)


async def test_more_than_was_sent_is_refused_and_so_is_what_says_nothing(farm: Platform) -> None:
    here, there, lot_id = await two_stores(farm)
    transfer = await draft(here, there, lot_id, to_location_id=None)
    await do(here.tenant, transfer, "ship")
    other, room = transfer["lines"][0]["id"], {"location_id": there.room_id}
    for body, expected in (
        (arrived(transfer, "40.001", **room), (409, "OVER_RECEIVED")),
        (arrived(transfer, "0", **room), (422, "INVALID")),
        (arrived(transfer, "40"), (422, "INVALID")),
        (arrived(transfer, "40", location_id=here.room_id), (422, "INVALID")),
        ({"lines": arrived(transfer, "1", **room)["lines"] * 2}, (422, "INVALID")),
        ({"lines": [{"line_id": str(uuid.uuid4()), "quantity": "1", **room}]}, (404, "NOT_FOUND")),
        ({"lines": [{"line_id": other, "quantity": "-1", **room}]}, (422, "VALIDATION_FAILED")),
    ):
        assert await refusal(here.tenant, transfer, "receive", body) == expected, body
    assert await on_the_way(there) == [(here.product_id, "40.000")]


async def test_what_does_not_arrive_is_taken_back(farm: Platform) -> None:
    here, there, lot_id = await two_stores(farm)
    transfer = await draft(here, there, lot_id)
    await do(here.tenant, transfer, "ship")
    await do(here.tenant, transfer, "receive", arrived(transfer, "10"))
    back = await do(here.tenant, transfer, "return")
    assert (back["status"], back["lines"][0]["returned"]) == ("returned", "30.000")
    assert (await lying_in(here.tenant, here.room_id))["LOT-1"][0] == "90.000"
    assert (await lying_in(here.tenant, there.room_id))["LOT-1"][0] == "10.000"
    await assert_consistent(farm, here)


async def test_what_left_a_place_that_is_gone_is_taken_back_to_another(farm: Platform) -> None:
    here, there, lot_id = await two_stores(farm)
    transfer = await draft(here, there, lot_id, "100")
    await do(here.tenant, transfer, "ship")
    await here.tenant.client.delete(f"/api/v1/edge/sensors/{here.sensor_id}")
    gone = await here.tenant.client.delete(f"/api/v1/warehouse/storage/locations/{here.room_id}")
    assert gone.status_code == 204
    assert await refusal(here.tenant, transfer, "return") == (404, "NOT_FOUND")
    assert await refusal(here.tenant, transfer, "return", {"location_id": there.room_id}) == (422, "INVALID")
    beside = await make_room(here.tenant, here.warehouse_id)
    await do(here.tenant, transfer, "return", {"location_id": beside})
    assert (await lying_in(here.tenant, beside))["LOT-1"][0] == "100.000"


async def test_what_is_on_hold_is_on_hold_all_the_way(farm: Platform) -> None:
    here, there, lot_id = await two_stores(farm)
    await hold(farm, here, "excursion:1")
    transfer = await draft(here, there, lot_id)
    await do(here.tenant, transfer, "ship")
    await do(here.tenant, transfer, "receive", arrived(transfer, "40"))
    assert (await lying_in(here.tenant, there.room_id))["LOT-1"] == ("40.000", "0.000", "on_hold")


async def test_what_was_weighed_weighs_as_much_in_parts(farm: Platform) -> None:
    here, there = await plant_store(farm), await plant_store(farm)
    cheese = await make_product(here.tenant, unit="piece", catch_weight=True)
    lot_id = (await receive(here, product_id=cheese, quantity="10", weight_g=10_010))["lot_id"]
    transfer = await draft(here, there, lot_id, "3")
    shipped = await do(here.tenant, transfer, "ship")
    assert shipped["lines"][0]["weight_g"] == 3_003
    for quantity in ("1", "2"):
        await do(here.tenant, transfer, "receive", arrived(transfer, quantity))
    levels = await here.tenant.get(f"{STOCK}/levels", location_id=there.room_id)
    assert [(level["on_hand"], level["weight_g"]) for level in levels] == [("3.000", 3_003)]


async def test_who_is_confined_ships_from_theirs_and_receives_in_theirs(farm: Platform) -> None:
    here, there, lot_id = await two_stores(farm)
    sender = await make_keeper(farm, here.warehouse_id)
    receiver = await make_keeper(farm, there.warehouse_id)
    nobody = await make_keeper(farm, (await plant_store(farm)).warehouse_id)
    line = {"lot_id": lot_id, "from_location_id": here.room_id, "quantity": "40"}
    body = {"from_warehouse_id": here.warehouse_id, "to_warehouse_id": there.warehouse_id, "lines": [line]}
    assert await heard_by(receiver, "POST", PATH, body) == (404, "NOT_FOUND")
    transfer = await sender.post(PATH, body)
    assert await heard_by(nobody, "GET", f"{PATH}/{transfer['id']}") == (404, "NOT_FOUND")
    assert await nobody.get(PATH) == []
    assert await refusal(receiver, transfer, "ship") == (403, "FORBIDDEN")
    await do(sender, transfer, "ship")
    receipt = arrived(transfer, "40", location_id=there.room_id)
    assert await refusal(sender, transfer, "receive", receipt) == (403, "FORBIDDEN")
    assert await refusal(receiver, transfer, "return") == (403, "FORBIDDEN")
    assert [row["quantity"] for row in await receiver.get(f"{STOCK}/in-transit")] == ["40.000"]
    assert await nobody.get(f"{STOCK}/in-transit") == []
    assert (await do(receiver, transfer, "receive", receipt))["status"] == "completed"


async def test_a_transfer_goes_somewhere_else_and_from_its_own_places(farm: Platform) -> None:
    here, there, lot_id = await two_stores(farm)
    line = {"lot_id": lot_id, "from_location_id": here.room_id, "quantity": "1"}
    body = {"from_warehouse_id": here.warehouse_id, "to_warehouse_id": there.warehouse_id, "lines": [line]}
    for change, expected in (
        ({"to_warehouse_id": here.warehouse_id}, (422, "INVALID")),
        ({"to_warehouse_id": str(uuid.uuid4())}, (404, "NOT_FOUND")),
        ({"lines": [{**line, "from_location_id": there.room_id}]}, (422, "INVALID")),
        ({"lines": [{**line, "to_location_id": here.room_id}]}, (422, "INVALID")),
        ({"lines": [{**line, "lot_id": str(uuid.uuid4())}]}, (404, "NOT_FOUND")),
        ({"lines": []}, (422, "VALIDATION_FAILED")),
    ):
        assert await heard_by(here.tenant, "POST", PATH, {**body, **change}) == expected, change
    assert await here.tenant.get(PATH) == []


async def test_of_many_who_ship_or_receive_the_same_at_once_one_does(farm: Platform) -> None:
    here, there, lot_id = await two_stores(farm)
    transfer = await draft(here, there, lot_id)
    for verb, body in (("ship", {}), ("receive", arrived(transfer, "40"))):
        path = f"{PATH}/{transfer['id']}/{verb}"
        answers = await asyncio.gather(*(here.tenant.client.post(path, json=body) for _ in range(6)))
        assert sorted(answer.status_code for answer in answers) == [200, *[409] * 5]
    assert (await lying_in(here.tenant, there.room_id))["LOT-1"][0] == "40.000"
    await assert_consistent(farm, here)


async def test_lists_are_narrowed_by_where_it_goes_and_how_far_it_is(farm: Platform) -> None:
    here, there, lot_id = await two_stores(farm)
    first, second = await draft(here, there, lot_id), await draft(here, there, lot_id)
    await do(here.tenant, second, "cancel")
    for query, expected in (
        ({"status": "draft"}, [first["id"]]),
        ({"status": "cancelled"}, [second["id"]]),
        ({"from_warehouse_id": here.warehouse_id}, [second["id"], first["id"]]),
        ({"to_warehouse_id": here.warehouse_id}, []),
    ):
        assert [row["id"] for row in await here.tenant.get(PATH, **query)] == expected


async def test_the_life_of_a_transfer() -> None:
    possible = {
        (at, action): TRANSFER.table.get((at, action))
        for at, action in itertools.product(TransferStatus, TransferAction)
    }
    for (at, action), after in possible.items():
        if after is None:
            with pytest.raises(InvalidTransition):
                TRANSFER.apply(at, action)
        else:
            assert TRANSFER.apply(at, action) == after
    ends = {status for status in TransferStatus if not TRANSFER.allowed(status)}
    assert ends == {TransferStatus.COMPLETED, TransferStatus.RETURNED, TransferStatus.CANCELLED}
