"""How long readings are kept, and legal holds, as people say and see them."""

from typing import Any

import pytest

from tests.factories.farms import make_farm
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.scopes import heard_by, make_keeper
from tests.factories.stores import ColdStore, make_warehouse
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

CLASSES = "/api/v1/telemetry/retention-classes"
HOLDS = "/api/v1/telemetry/legal-holds"


def retention(store: ColdStore) -> str:
    return f"/api/v1/telemetry/sensors/{store.sensor_id}/retention"


async def test_a_sensor_has_the_standard_class_until_it_is_given_another(store: ColdStore) -> None:
    tenant = store.tenant
    standard = await tenant.get(retention(store))
    assert (standard["class_id"], standard["name"], standard["raw_days"]) == (None, "standard", 400)
    assert (standard["hours_days"], standard["days_days"]) == (1098, None)
    made = await tenant.post(CLASSES, {"name": "vaccines", "raw_days": 1830})
    for _ in range(2):
        given = await tenant.put(retention(store), {"class_id": made["id"]})
        assert (given["name"], given["raw_days"], given["hours_days"]) == ("vaccines", 1830, None)
    assert await tenant.put(retention(store), {"class_id": None}) == standard


async def test_a_class_is_changed_and_goes_when_no_sensor_has_it(store: ColdStore) -> None:
    tenant = store.tenant
    made = await tenant.post(CLASSES, {"name": "salad", "raw_days": 90, "hours_days": 400})
    one = f"{CLASSES}/{made['id']}"
    assert (await tenant.put(one, {"name": "salad", "raw_days": 60}))["hours_days"] is None
    await tenant.put(retention(store), {"class_id": made["id"]})
    assert await heard_by(tenant, "DELETE", one) == (409, "CONFLICT")
    await tenant.put(retention(store), {"class_id": None})
    assert await heard_by(tenant, "DELETE", one) == (204, "")
    assert await tenant.get(CLASSES) == []


@pytest.mark.parametrize(
    "body",
    [
        {"name": "", "raw_days": 1},
        {"name": "x", "raw_days": 0},
        {"name": "x", "raw_days": 400, "hours_days": 399},
        {"name": "x", "raw_days": None, "hours_days": 399},
        {"name": "x", "hours_days": None, "days_days": 399},
    ],
)
async def test_what_is_coarser_is_kept_at_least_as_long(store: ColdStore, body: dict[str, Any]) -> None:
    assert (await heard_by(store.tenant, "POST", CLASSES, body))[0] == 422


async def test_two_classes_have_two_names(store: ColdStore) -> None:
    await store.tenant.post(CLASSES, {"name": "salad"})
    assert await heard_by(store.tenant, "POST", CLASSES, {"name": "salad"}) == (409, "ALREADY_EXISTS")


async def test_a_sensor_is_not_given_the_class_of_others(farm: Platform, store: ColdStore) -> None:
    other = await make_farm(farm)
    theirs = await other.post(CLASSES, {"name": "theirs"})
    assert await heard_by(store.tenant, "PUT", retention(store), {"class_id": theirs["id"]}) == (404, "NOT_FOUND")


async def test_a_hold_is_released_once_and_says_by_whom(store: ColdStore) -> None:
    tenant = store.tenant
    span = {"from_at": "2026-01-01T00:00:00Z", "to_at": "2026-02-01T00:00:00Z"}
    made = await tenant.post(HOLDS, {"sensor_id": store.sensor_id, "reason": "claim 17", **span})
    assert (made["reason"], made["released_at"]) == ("claim 17", None)
    released = await tenant.post(f"{HOLDS}/{made['id']}/release")
    assert released["released_by"] == made["created_by"]
    assert await tenant.post(f"{HOLDS}/{made['id']}/release") == released
    assert await tenant.get(HOLDS) == [released]


@pytest.mark.parametrize(
    "wrong",
    [
        {"reason": ""},
        {"reason": "x", "from_at": "2026-02-01T00:00:00Z", "to_at": "2026-01-01T00:00:00Z"},
        {"reason": "x", "from_at": "2026-02-01T00:00:00"},
    ],
)
async def test_a_hold_needs_a_reason_and_a_period_that_is_one(store: ColdStore, wrong: dict[str, Any]) -> None:
    assert (await heard_by(store.tenant, "POST", HOLDS, wrong))[0] == 422


async def test_a_hold_names_one_thing(store: ColdStore) -> None:
    both = {"sensor_id": store.sensor_id, "location_id": store.room_id, "reason": "x"}
    assert (await heard_by(store.tenant, "POST", HOLDS, both))[0] == 422


async def test_who_sees_a_part_holds_and_releases_a_part(farm: Platform, store: ColdStore) -> None:
    elsewhere = await make_warehouse(store.tenant)
    inside = await make_keeper(farm, store.warehouse_id, role="org_admin")
    outside = await make_keeper(farm, elsewhere, role="org_admin")
    of_all = await store.tenant.post(HOLDS, {"reason": "everything"})
    of_room = {"location_id": store.room_id, "reason": "the room"}
    assert await heard_by(outside, "POST", HOLDS, of_room) == (404, "NOT_FOUND")
    made = await inside.post(HOLDS, of_room)
    assert [row["id"] for row in await outside.get(HOLDS)] == [of_all["id"]]
    for person in (inside, outside):
        assert await heard_by(person, "POST", HOLDS, {"reason": "all"}) == (403, "FORBIDDEN")
        assert await heard_by(person, "POST", f"{HOLDS}/{of_all['id']}/release") == (403, "FORBIDDEN")
    assert await heard_by(outside, "POST", f"{HOLDS}/{made['id']}/release") == (404, "NOT_FOUND")
    assert (await inside.post(f"{HOLDS}/{made['id']}/release"))["released_at"] is not None
