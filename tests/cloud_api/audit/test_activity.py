"""Who did what, when: out of the trail, without values and without who may come in."""

from tests.factories.farms import make_farm, make_person
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.scopes import id_of
from tests.factories.stores import ColdStore
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP


async def test_what_was_done_is_told_and_who_may_come_in_is_not(farm: Platform, store: ColdStore) -> None:
    keeper = await make_person(farm, store.tenant, "warehouse_manager")
    item = await keeper.post("/api/v1/items", {"name": "Pallet jack", "serial_number": "SN-1"})
    await keeper.client.patch(f"/api/v1/items/{item['id']}", json={"name": "Jack"})

    changed, created = await store.tenant.get("/api/v1/activity", entity="items")

    assert (changed["action"], changed["changed"], changed["entity_id"]) == ("items.changed", ["name"], item["id"])
    assert (created["action"], created["actor_id"]) == ("items.created", await id_of(keeper))
    assert "SN-1" not in str(created)
    assert await store.tenant.get("/api/v1/activity", entity="users") == []
    mine = await store.tenant.get("/api/v1/activity", actor=await id_of(keeper))
    assert {one["actor_id"] for one in mine} == {await id_of(keeper)}
    assert await store.tenant.get("/api/v1/activity", **{"from": "2099-01-01T00:00:00Z"}) == []
    assert await (await make_farm(farm)).get("/api/v1/activity", entity="items") == []
