"""Whoever watches a portal or a scale sees each tag and each weight come, and what becomes of it."""

from tests.cloud_api.inventory.sightings import tagged
from tests.cloud_api.realtime.sockets import Socket, refused, shown, token_of
from tests.factories.farms import make_farm, make_person
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.scopes import make_keeper
from tests.factories.stores import ColdStore, make_warehouse, receive
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

PATH = "/ws/warehouse/sightings?kind="


async def until_told(socket: Socket, **wanted: str | int) -> None:
    """Wait until the newest is so; what happens at once may be told at once."""
    told = False
    while not told:
        items, _ = await socket.change()
        told = any(wanted.items() <= item.items() for item in items)


async def test_weights_are_shown_as_they_come_and_what_they_were_used_for(farm: Platform, store: ColdStore) -> None:
    await tagged.make_scale(store)
    async with shown(farm.app, f"{PATH}weights", by=farm.tenant) as socket:
        assert await socket.state() == []
        await tagged.send(farm, store, "weights", tagged.weighing(1, 12.5))
        (weight,), gone = await socket.change()
        assert (weight["weight_g"], weight["location_id"], weight["applied_as"]) == (12_500, store.room_id, None)
        receipt = {"kind": "receipt", "product_id": store.product_id, "lot_number": "LOT-W"}
        await store.tenant.post(f"/api/v1/telemetry/weights/{weight['id']}/apply", receipt)
        assert await socket.change() == ([weight | {"applied_as": "receipt"}], gone)


async def test_tags_and_what_is_booked_of_them_are_shown(farm: Platform, store: ColdStore) -> None:
    portal = await tagged.make_portal(store)
    await tagged.make_rule(store, portal["id"], await tagged.make_place(store), mode="propose")
    epc = tagged.make_epc()
    await tagged.bind_crate(store, epc, (await receive(store))["lot_id"])
    async with (
        shown(farm.app, f"{PATH}tags", by=farm.tenant) as tags,
        shown(farm.app, f"{PATH}passages", by=farm.tenant) as passages,
    ):
        assert (await tags.state(), await passages.state()) == ([], [])
        await tagged.send(farm, store, "tags", tagged.tag(1, epc))
        await until_told(tags, epc=epc, reader_id=portal["id"])
        await tagged.follow(farm, store)
        await until_told(passages, epc=epc, status="proposed")
        [passage] = await tagged.passages(store)
        await store.tenant.post(f"/api/v1/warehouse/passages/{passage['id']}/reject", {"reason": "twice"})
        await until_told(passages, id=passage["id"], status="rejected")


async def test_a_keeper_of_another_warehouse_sees_none_of_it(farm: Platform, store: ColdStore) -> None:
    await tagged.make_scale(store)
    await tagged.send(farm, store, "weights", tagged.weighing(1, 12.5))
    keeper = await make_keeper(farm, await make_warehouse(store.tenant))
    for person, weights in ((farm.tenant, 1), (keeper, 0)):
        async with shown(farm.app, f"{PATH}weights", by=person) as socket:
            assert len(await socket.state()) == weights
    stranger = await make_farm(farm)
    async with shown(farm.app, f"{PATH}weights", by=stranger) as socket:
        assert await socket.state() == []


async def test_whoever_may_not_watch_is_told_why(farm: Platform) -> None:
    customer = token_of(await make_person(farm, farm.tenant, "customer"))
    assert await refused(farm.app, f"{PATH}tags", token=customer) == (4403, "this needs the permission telemetry:read")
    assert await refused(farm.app, f"{PATH}passages", token=customer) == (4403, "this needs the permission stock:read")
    code, reason = await refused(farm.app, f"{PATH}bats", token=token_of(farm.tenant))
    assert (code, "passages, tags or weights" in reason) == (4422, True)
