"""Feature flags as operators set them, and as everybody is answered."""

import uuid

import pytest

from cloud_api.configuration.flags import is_enabled
from cloud_api.kernel.permissions import Principal
from tests.factories.farms import make_farm, make_person
from tests.factories.grounds import IN_ONE_LOOP
from tests.platform_under_test import Platform, Tenant

pytestmark = IN_ONE_LOOP

PATH = "/api/v1/admin/feature-flags"
EVALUATED = "/api/v1/feature-flags"


async def make_operator(farm: Platform) -> Tenant:
    return await make_person(farm, farm.tenant, "super_admin")


def a_key() -> str:
    """Flags are the platform's: tests that share a database must not share them."""
    return f"flag-{uuid.uuid4()}"


async def test_a_flag_is_created_off_switched_aimed_and_deleted(farm: Platform) -> None:
    operator, key = await make_operator(farm), a_key()
    made = await operator.post(PATH, {"key": key, "description": "Lists by zone"})
    expected = {
        "id": made["id"],
        "key": key,
        "description": "Lists by zone",
        "enabled": False,
        "rollout_percentage": 100.0,
        "organization_ids": [],
        "roles": [],
        "user_ids": [],
        "version": 1,
        "updated_at": made["updated_at"],
    }
    assert made == expected
    aimed = {
        "enabled": True,
        "rollout_percentage": 12.34,
        "organization_ids": [str(farm.tenant.organization.organization_id)],
        "roles": ["inventory_staff"],
    }
    changed = await operator.put(f"{PATH}/{key}", {**aimed, "version": 1})
    assert changed == {**expected, **aimed, "version": 2, "updated_at": changed["updated_at"]}
    late = await operator.client.put(f"{PATH}/{key}", json={"enabled": False, "version": 1})
    assert (late.status_code, late.json()["error"]["code"]) == (409, "STALE_VERSION")
    assert await operator.get(f"{PATH}/{key}") == changed
    assert changed in await operator.get(PATH, limit=200)
    assert (await operator.client.delete(f"{PATH}/{key}")).status_code == 204
    gone = await operator.client.get(f"{PATH}/{key}")
    assert (gone.status_code, gone.json()["error"]["code"]) == (404, "NOT_FOUND")


async def test_everybody_is_told_which_features_are_for_them(farm: Platform) -> None:
    operator, key = await make_operator(farm), a_key()
    other = await make_farm(farm)
    viewer = await make_person(farm, farm.tenant, "viewer")

    async def answers() -> list[bool]:
        return [(await tenant.get(EVALUATED))[key] for tenant in (farm.tenant, viewer, other)]

    await operator.post(PATH, {"key": key})
    assert await answers() == [False, False, False]
    await operator.put(f"{PATH}/{key}", {"enabled": True})
    assert await answers() == [True, True, True]
    await operator.put(f"{PATH}/{key}", {"organization_ids": [str(farm.tenant.organization.organization_id)]})
    assert await answers() == [True, True, False]
    await operator.put(f"{PATH}/{key}", {"roles": ["viewer"]})
    assert await answers() == [False, True, False]
    await operator.put(f"{PATH}/{key}", {"rollout_percentage": 0})
    assert await answers() == [False, False, False]
    me = (await other.get("/api/v1/auth/me"))["id"]
    await operator.put(f"{PATH}/{key}", {"user_ids": [me]})
    assert await answers() == [False, False, True]


async def test_code_asks_by_key_and_a_flag_that_nobody_created_is_for_nobody(farm: Platform) -> None:
    operator, key = await make_operator(farm), a_key()
    await operator.post(PATH, {"key": key, "enabled": True})
    person = Principal(
        kind="user",
        id=uuid.uuid4(),
        organization_id=farm.tenant.organization.organization_id,
        permissions=frozenset(),
    )
    async with farm.database.unit_of_work(person.scope, read_only=True) as db:
        assert await is_enabled(db, person, key)
        assert not await is_enabled(db, person, a_key())


async def test_flags_are_for_operators_of_the_platform(farm: Platform) -> None:
    operator, key = await make_operator(farm), a_key()
    await operator.post(PATH, {"key": key})
    administrator = farm.tenant.client
    answers = [
        await administrator.get(PATH),
        await administrator.post(PATH, json={"key": a_key()}),
        await administrator.get(f"{PATH}/{key}"),
        await administrator.put(f"{PATH}/{key}", json={"enabled": True}),
        await administrator.delete(f"{PATH}/{key}"),
    ]
    assert [answer.status_code for answer in answers] == [403] * 5
    assert (await operator.get(f"{PATH}/{key}"))["enabled"] is False


async def test_a_key_is_taken_once(farm: Platform) -> None:
    operator, key = await make_operator(farm), a_key()
    await operator.post(PATH, {"key": key})
    again = await operator.client.post(PATH, json={"key": key, "enabled": True})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "ALREADY_EXISTS")
    assert (await operator.get(f"{PATH}/{key}"))["enabled"] is False


@pytest.mark.parametrize(
    "wrong",
    [
        {"rollout_percentage": -0.01},
        {"rollout_percentage": 100.01},
        {"rollout_percentage": 12.345},
        {"rollout_percentage": "half"},
        {"organization_ids": ["farm-1"]},
        {"organization_ids": None},
        {"roles": [""]},
        {"roles": "viewer"},
        {"enabled": None},
        {"percentage": 5},
    ],
)
async def test_rules_that_cannot_be_are_refused(farm: Platform, wrong: dict[str, object]) -> None:
    operator, key = await make_operator(farm), a_key()
    made = await operator.post(PATH, {"key": key})
    answer = await operator.client.put(f"{PATH}/{key}", json=wrong)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "VALIDATION_FAILED")
    assert await operator.get(f"{PATH}/{key}") == made


@pytest.mark.parametrize("key", ["", "New", "a b", "a--b", "-a", "a" * 101, "a\x00b", "ключ"])
async def test_a_key_that_cannot_be_is_refused(farm: Platform, key: str) -> None:
    operator = await make_operator(farm)
    assert (await operator.client.post(PATH, json={"key": key})).status_code == 422
