"""Things that are lent and come back."""

import asyncio
import uuid
from datetime import timedelta
from typing import Any

import pytest

from cloud_api.identity.teams import service as teams
from cloud_api.inventory.assets.lending import remind_of_overdue
from cloud_api.kernel import clock
from tests.factories.farms import make_farm, make_person
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.scopes import id_of
from tests.factories.stores import ColdStore, make_room
from tests.platform_under_test import Platform, Tenant

PATH = "/api/v1/items"
pytestmark = IN_ONE_LOOP


def due(days: float = 1) -> str:
    return (clock.now() + timedelta(days=days)).isoformat()


async def make_item(tenant: Tenant, **fields: Any) -> Any:
    return await tenant.post(PATH, {"name": "Pallet jack", **fields})


async def check_out(tenant: Tenant, item: Any, **fields: Any) -> Any:
    body = {"assignee_type": "job", "assignee_name": "Harvest week 12", "due_at": due(), **fields}
    return await tenant.post(f"{PATH}/{item['id']}/checkout", body)


async def refused(tenant: Tenant, path: str, body: Any = None, *, method: str = "POST") -> str:
    answer = await tenant.client.request(method, f"{PATH}/{path}", json=body or {})
    assert 400 <= answer.status_code < 500, answer.text
    return str(answer.json()["error"]["code"])


async def test_an_item_is_lent_and_comes_back_and_everything_is_written_down(farm: Platform, store: ColdStore) -> None:
    item = await make_item(store.tenant, location_id=store.room_id, attributes={"wheels": 4})
    assert item["asset_code"].startswith("AST-")

    out = await check_out(store.tenant, item, condition="good")
    assert await refused(store.tenant, f"{item['id']}/checkout", {**_wish(), "due_at": due()}) == "INVALID_TRANSITION"
    assert (out["status"], (await store.tenant.get(f"{PATH}/{item['id']}"))["status"]) == ("out", "in_use")
    back = await store.tenant.post(f"{PATH}/{item['id']}/checkin", {"condition": "scratched"})
    assert (back["status"], back["condition_in"]) == ("returned", "scratched")
    assert await refused(store.tenant, f"{item['id']}/checkin") == "ITEM_NOT_LENT"

    activity = await store.tenant.get(f"{PATH}/{item['id']}/activity")
    assert [one["action"] for one in reversed(activity)] == ["create", "checkout", "checkin"]
    assert {one["actor_id"] for one in activity} == {await id_of(store.tenant)}
    assert [one["id"] for one in await store.tenant.get(f"{PATH}/{item['id']}/checkouts")] == [out["id"]]


def _wish() -> dict[str, Any]:
    return {"assignee_type": "job", "assignee_name": "Harvest"}


async def test_damage_is_mended_before_it_is_lent_again(farm: Platform, store: ColdStore) -> None:
    item = await make_item(store.tenant)
    path = f"{PATH}/{item['id']}"
    await check_out(store.tenant, item)
    await store.tenant.post(f"{path}/checkin", {"damage_notes": "a wheel is gone"})

    assert (await store.tenant.get(path))["status"] == "damaged"
    assert await refused(store.tenant, f"{item['id']}/checkout", {**_wish(), "due_at": due()}) == "INVALID_TRANSITION"
    assert await refused(store.tenant, item["id"], {"status": "active"}, method="PATCH") == "INVALID_TRANSITION"
    for status in ("in_repair", "active"):
        changed = await store.tenant.client.patch(path, json={"status": status})
        assert changed.json()["data"]["status"] == status
    assert (await check_out(store.tenant, item))["status"] == "out"


async def test_what_was_lost_while_it_was_lent_is_found_by_checking_it_in(farm: Platform, store: ColdStore) -> None:
    item = await make_item(store.tenant)
    await check_out(store.tenant, item)
    assert (await store.tenant.client.patch(f"{PATH}/{item['id']}", json={"status": "lost"})).is_success
    assert await refused(store.tenant, item["id"], {"status": "active"}, method="PATCH") == "ITEM_LENT"
    await store.tenant.post(f"{PATH}/{item['id']}/checkin", {})
    assert (await store.tenant.get(f"{PATH}/{item['id']}"))["status"] == "active"


async def test_a_restricted_item_is_lent_when_somebody_else_agrees(farm: Platform, store: ColdStore) -> None:
    item = await make_item(store.tenant, restricted=True)
    lead = await make_person(farm, store.tenant, "warehouse_manager")
    keeper = await make_person(farm, store.tenant, "inventory_staff")

    asked = await check_out(lead, item, purpose="stock take")
    assert (asked["status"], (await store.tenant.get(f"{PATH}/{item['id']}"))["status"]) == (
        "pending_approval",
        "active",
    )
    assert [one["id"] for one in await store.tenant.get(f"{PATH}/approvals")] == [asked["id"]]
    again = {**_wish(), "due_at": due()}
    assert await refused(keeper, f"{item['id']}/checkout", again) == "ITEM_ASKED_FOR"
    decide = f"approvals/{asked['id']}/decide"
    assert await refused(lead, decide, {"approve": True}) == "OWN_REQUEST"
    assert await refused(keeper, decide, {"approve": True}) == "FORBIDDEN"
    decided = await store.tenant.post(f"{PATH}/{decide}", {"approve": True, "note": "one day only"})
    assert (decided["status"], decided["decided_by"]) == ("out", await id_of(store.tenant))
    assert await refused(store.tenant, decide, {"approve": False}) == "INVALID_TRANSITION"
    assert [told["title"] for told in await lead.get("/api/v1/notifications")] == ["Pallet jack: yours to take"]
    assert [told["title"] for told in await store.tenant.get("/api/v1/notifications")] == ["Pallet jack is asked for"]


async def test_a_rejected_wish_leaves_the_item_to_others(farm: Platform, store: ColdStore) -> None:
    item = await make_item(store.tenant, restricted=True)
    keeper = await make_person(farm, store.tenant, "inventory_staff")
    asked = await check_out(keeper, item, assignee_type="user", assignee_id=await id_of(keeper), assignee_name=None)
    await store.tenant.post(f"{PATH}/approvals/{asked['id']}/decide", {"approve": False, "note": "not now"})
    assert (await store.tenant.get(f"{PATH}/{item['id']}"))["status"] == "active"
    assert (await check_out(keeper, item))["status"] == "pending_approval"


async def test_who_has_what_should_be_back_is_reminded_once_and_so_is_the_lead(
    farm: Platform, store: ColdStore
) -> None:
    borrower = await make_person(farm, store.tenant, "inventory_staff")
    lead = await make_person(farm, store.tenant, "inventory_staff")
    item = await make_item(store.tenant)
    async with farm.database.unit_of_work(store.tenant.organization) as db:
        team = await teams.create_team(db, name="Pickers", description="")
        members = {uuid.UUID(await id_of(borrower)): False, uuid.UUID(await id_of(lead)): True}
        await teams.replace_members(db, team.id, members=members)
    out = await check_out(
        store.tenant,
        item,
        assignee_type="user",
        assignee_id=await id_of(borrower),
        assignee_name=None,
        due_at=due(1 / 288),
    )
    assert await store.tenant.get(f"{PATH}/overdue") == []

    late = clock.now() + timedelta(minutes=10)
    clock.use(lambda: late)
    try:
        overdue = await store.tenant.get(f"{PATH}/overdue")
    finally:
        clock.use(None)
    assert [one["id"] for one in overdue] == [out["id"]]
    for _ in range(2):
        await remind_of_overdue(farm.database, late)

    for person in (borrower, lead):
        [told] = await person.get("/api/v1/notifications")
        assert told["title"] == "Pallet jack should be back"
    activity = await store.tenant.get(f"{PATH}/{item['id']}/activity")
    assert [one["action"] for one in activity].count("remind") == 1


async def test_an_item_is_brought_to_another_place_and_an_archived_one_is_not(farm: Platform, store: ColdStore) -> None:
    item, elsewhere = await make_item(store.tenant), await make_room(store.tenant, store.warehouse_id)
    moved = await store.tenant.post(f"{PATH}/{item['id']}/transfer", {"location_id": elsewhere})
    assert moved["location_id"] == elsewhere
    for _ in range(2):
        assert (await store.tenant.client.delete(f"{PATH}/{item['id']}")).status_code == 204
    assert await refused(store.tenant, f"{item['id']}/transfer", {"location_id": store.room_id}) == "ITEM_ARCHIVED"
    assert await refused(store.tenant, item["id"], {"name": "Jack"}, method="PATCH") == "ITEM_ARCHIVED"
    [archived] = await store.tenant.get(PATH, status="archived")
    assert archived["location_id"] == elsewhere


async def test_items_are_found_by_what_is_written_on_them(farm: Platform, store: ColdStore) -> None:
    jack = await make_item(store.tenant, serial_number="SN-100%")
    scale = await make_item(store.tenant, name="Floor scale", barcode="ITEM-77", location_id=store.room_id)

    async def found(**filters: str) -> list[str]:
        return [one["id"] for one in await store.tenant.get(PATH, **filters)]

    assert await found(search="100%") == [jack["id"]]
    assert await found(search="item-7") == [scale["id"]]
    assert await found(location_id=store.room_id) == [scale["id"]]
    taken = await store.tenant.client.post(PATH, json={"name": "Other", "barcode": "ITEM-77"})
    assert (taken.status_code, taken.json()["error"]["code"]) == (409, "ALREADY_EXISTS")


@pytest.mark.parametrize(
    "wish",
    [
        {"assignee_type": "user", "assignee_id": str(uuid.UUID(int=1))},
        {"assignee_type": "user"},
        {"assignee_type": "job"},
        {**_wish(), "due_at": "2020-01-01T00:00:00Z"},
        {**_wish(), "due_at": "2030-01-01T00:00:00"},
    ],
    ids=str,
)
async def test_a_wish_that_cannot_be_is_refused_by_name(farm: Platform, store: ColdStore, wish: dict[str, Any]) -> None:
    item = await make_item(store.tenant)
    body = {"due_at": "2099-01-01T00:00:00Z", **wish}
    answer = await store.tenant.client.post(f"{PATH}/{item['id']}/checkout", json=body)
    assert answer.status_code == 422
    assert (await store.tenant.get(f"{PATH}/{item['id']}"))["status"] == "active"


async def test_of_many_who_take_it_at_the_same_moment_one_has_it(farm: Platform, store: ColdStore) -> None:
    item = await make_item(store.tenant)
    body = {**_wish(), "due_at": due()}
    answers = await asyncio.gather(
        *(store.tenant.client.post(f"{PATH}/{item['id']}/checkout", json=body) for _ in range(6))
    )
    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 5]


async def test_another_organisation_sees_no_item_of_ours(farm: Platform, store: ColdStore) -> None:
    item = await make_item(store.tenant)
    stranger = await make_farm(farm)
    assert await stranger.get(PATH) == []
    assert (await stranger.client.get(f"{PATH}/{item['id']}")).status_code == 404
