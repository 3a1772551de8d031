"""Lists of things that are lent: narrowed, sorted, with who has them; and who may be lent to."""

from datetime import timedelta
from typing import Any

import pytest

from cloud_api.kernel import clock
from cloud_api.kernel.paging import encode_cursor
from tests.cloud_api.inventory.assets.test_items import PATH, check_out, due, make_item, refused
from tests.factories.farms import make_person
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.scopes import id_of
from tests.factories.stores import ColdStore
from tests.platform_under_test import Platform, Tenant

pytestmark = IN_ONE_LOOP


async def walked(tenant: Tenant, path: str, **query: Any) -> list[Any]:
    """All pages of a list, a row each."""
    rows: list[Any] = []
    cursor = None
    while cursor is not None or not rows:
        asked = {**query, "limit": 1, **({"cursor": cursor} if cursor else {})}
        answer = (await tenant.client.get(path, params=asked)).json()
        rows += answer["data"]
        cursor = answer["meta"]["next_cursor"]
    return rows


async def test_each_item_says_who_has_it_and_those_of_one_person_are_found(farm: Platform, store: ColdStore) -> None:
    keeper = await make_person(farm, store.tenant, "inventory_staff")
    me = await keeper.get("/api/v1/auth/me")
    hers, asked, idle = [await make_item(store.tenant, restricted=wished) for wished in (False, True, False)]
    for item in (hers, asked):
        await check_out(keeper, item, assignee_type="user", assignee_id=me["id"], assignee_name=None)
    by_id = {item["id"]: item["checkout"] for item in await store.tenant.get(PATH)}
    assert (by_id[hers["id"]]["holder"], by_id[hers["id"]]["status"]) == (me["full_name"], "out")
    assert by_id[asked["id"]]["status"] == "pending_approval"
    assert by_id[idle["id"]] is None
    assert [item["id"] for item in await store.tenant.get(PATH, user_id=me["id"])] == [hers["id"]]
    assert {item["id"] for item in await store.tenant.get(PATH, id=[hers["id"], idle["id"]])} == {
        hers["id"],
        idle["id"],
    }
    lent = (await keeper.get(f"{PATH}/{hers['id']}/activity"))[0]
    assert lent["changes"]["checkout_id"] == by_id[hers["id"]]["id"]
    await keeper.post(f"{PATH}/{hers['id']}/checkin", {})
    assert await store.tenant.get(PATH, user_id=me["id"]) == []


async def test_items_are_sorted_page_by_page(farm: Platform, store: ColdStore) -> None:
    made = [await make_item(store.tenant, name=name) for name in ("Trolley", "Crate", "Trolley")]
    await store.tenant.client.patch(f"{PATH}/{made[0]['id']}", json={"description": "with a brake"})
    assert [item["name"] for item in await walked(store.tenant, PATH, sort="name")] == ["Crate", "Trolley", "Trolley"]
    touched = await walked(store.tenant, PATH, sort="-last_activity_at")
    assert [item["id"] for item in touched] == [made[0]["id"], made[2]["id"], made[1]["id"]]
    untouched = await walked(store.tenant, PATH, sort="last_activity_at")
    assert [item["id"] for item in untouched] == [item["id"] for item in reversed(touched)]


@pytest.mark.parametrize(
    "at", ['"yesterday"', '"2026-11-22T10:00:00"', '"9999-12-31T23:59:59-14:00"', "7", '"2026-11-22"']
)
async def test_a_cursor_that_names_no_moment_is_none_of_ours(farm: Platform, store: ColdStore, at: str) -> None:
    cursor = encode_cursor(f'["last_activity_at", {at}, "{"0" * 32}"]'.encode())
    answer = await store.tenant.client.get(PATH, params={"sort": "last_activity_at", "cursor": cursor})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "BAD_CURSOR")


async def test_what_should_have_been_back_first_stands_at_the_top(farm: Platform, store: ColdStore) -> None:
    later, first = [await make_item(store.tenant) for _ in range(2)]
    await check_out(store.tenant, first, due_at=due(1 / 1440))
    await check_out(store.tenant, later, due_at=due(1 / 720))
    late = clock.now() + timedelta(minutes=5)
    clock.use(lambda: late)
    try:
        overdue = await walked(store.tenant, f"{PATH}/overdue")
    finally:
        clock.use(None)
    assert [one["item_id"] for one in overdue] == [first["id"], later["id"]]
    assert {one["holder"] for one in overdue} == {"Harvest week 12"}


async def test_who_changes_what_somebody_else_has_changed_is_told(farm: Platform, store: ColdStore) -> None:
    item = await make_item(store.tenant)
    changed = await store.tenant.client.patch(f"{PATH}/{item['id']}", json={"name": "Jack", "version": item["version"]})
    assert changed.json()["data"]["version"] == item["version"] + 1
    stale = {"name": "Lift", "version": item["version"]}
    assert await refused(store.tenant, item["id"], stale, method="PATCH") == "STALE_VERSION"
    assert (await store.tenant.get(f"{PATH}/{item['id']}"))["name"] == "Jack"


async def test_whom_things_are_lent_to_is_known_by_name_to_those_who_lend(farm: Platform, store: ColdStore) -> None:
    keeper = await make_person(farm, store.tenant, "inventory_staff")
    viewer = await make_person(farm, store.tenant, "viewer")
    customer = await make_person(farm, store.tenant, "customer")
    team = await store.tenant.post("/api/v1/teams", {"name": "Night shift"})
    people = {one["id"]: one["name"] for one in await keeper.get(f"{PATH}/borrowers")}
    assert people.keys() >= {await id_of(keeper), await id_of(viewer), await id_of(store.tenant)}
    assert await id_of(customer) not in people
    assert await keeper.get(f"{PATH}/borrowers", kind="team") == [{"id": team["id"], "name": "Night shift"}]
    assert await refused(viewer, "borrowers", method="GET") == "FORBIDDEN"
