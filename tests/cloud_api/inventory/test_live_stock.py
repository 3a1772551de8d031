"""Whoever watches a cold room sees each crate come and go; whoever watches the ledger sees what is booked."""

from tests.cloud_api.inventory.stock import hold
from tests.cloud_api.realtime.sockets import refused, shown, token_of
from tests.factories.farms import make_farm, make_person
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.scopes import make_keeper
from tests.factories.stores import ColdStore, make_room, make_warehouse, receive
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

PATH = "/ws/inventory/stock"


async def test_a_watcher_sees_what_lies_in_a_room_and_each_change(farm: Platform, store: ColdStore) -> None:
    movement = await receive(store, quantity="10")
    async with shown(farm.app, f"{PATH}?location_id={store.room_id}", by=farm.tenant) as socket:
        (there,) = await socket.state()
        expected = {
            "id": there["id"],
            "product_id": store.product_id,
            "lot_id": movement["lot_id"],
            "lot_number": "LOT-1",
            "location_id": store.room_id,
            "on_hand": "10.000",
            "reserved": "0.000",
            "status": "available",
            "keeps_until": "2027-01-31",
        }
        assert there == expected
        await receive(store, quantity="2.5")
        assert await socket.change() == ([expected | {"on_hand": "12.500"}], [])
        await hold(farm, store, "excursion:1")
        assert await socket.change() == ([expected | {"on_hand": "12.500", "status": "on_hold"}], [])


async def test_without_a_place_the_newest_bookings_are_shown(farm: Platform, store: ColdStore) -> None:
    first = await receive(store, quantity="10")
    async with shown(farm.app, PATH, by=farm.tenant) as socket:
        assert [entry["number"] for entry in await socket.state()] == [first["number"]]
        second = await receive(store, lot="LOT-2", quantity="1")
        (booked,), gone = await socket.change()
        assert (booked["id"], booked["quantity"], gone) == (second["id"], "1.000", [])


async def test_a_keeper_of_one_warehouse_sees_no_other(farm: Platform, store: ColdStore) -> None:
    elsewhere = await make_room(store.tenant, await make_warehouse(store.tenant))
    here = await receive(store, lot="HERE")
    await receive(store, lot="THERE", location_id=elsewhere)
    keeper = await make_keeper(farm, store.warehouse_id)
    async with shown(farm.app, PATH, by=keeper) as socket:
        assert [entry["id"] for entry in await socket.state()] == [here["id"]]
    code, _ = await refused(farm.app, f"{PATH}?location_id={elsewhere}", token=token_of(keeper))
    assert code == 4404


async def test_whoever_may_not_see_a_place_is_told_why(farm: Platform, store: ColdStore) -> None:
    stranger, customer = await make_farm(farm), await make_person(farm, farm.tenant, "customer")
    path = f"{PATH}?location_id={store.room_id}"
    unknown = (4404, f"no location with id {store.room_id}")
    assert await refused(farm.app, path, token=token_of(stranger)) == unknown
    assert await refused(farm.app, PATH, token=token_of(customer)) == (4403, "this needs the permission stock:read")
    code, reason = await refused(farm.app, f"{PATH}?location_id=cold-room", token=token_of(farm.tenant))
    assert (code, "by its id" in reason) == (4422, True)
