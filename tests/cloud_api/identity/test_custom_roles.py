"""Roles that an organisation makes itself."""

import asyncio
import csv
from importlib.resources import files
from typing import Any

import pytest

from cloud_api.identity.roles.catalogue import built_in_roles, descriptions, expand, own_permissions, permissions
from tests.cloud_api.identity.staff import ROLES, USERS, join, make_role, own_id, refusal
from tests.platform_under_test import Platform


def test_every_permission_is_described_once() -> None:
    text = files("cloud_api.identity.roles").joinpath("descriptions.csv").read_text(encoding="utf-8")
    rows = [*csv.DictReader(text.splitlines())]
    assert [row["permission"] for row in rows] == [*permissions()]
    said = [row["description"] for row in rows]
    assert len(set(said)) == len(said)
    assert all(9 <= len(line) <= 80 and not line.endswith(".") for line in said)


def test_a_wildcard_stands_for_what_is_in_the_catalogue_and_a_misspelt_one_for_nothing() -> None:
    assert expand("stock:read") == {"stock:read"}
    assert expand("stock:*") == {"stock:read", "stock:write", "stock:approve"}
    assert expand("staff:*") == {"staff:read", "staff:write", "tasks:read", "tasks:write"}
    assert expand("inventory:*") > expand("stock:*")
    assert expand("*") == set(permissions())
    for misspelt in ("stock:fly", "stocks:*", "inventory:read", "stock", "stock:", ":", "**", ""):
        assert not expand(misspelt), misspelt
    assert own_permissions() == built_in_roles()["customer"] | built_in_roles()["delivery_personnel"]


async def test_the_catalogue_is_told_whole(sqlite_platform: Platform) -> None:
    told = await sqlite_platform.tenant.get("/api/v1/admin/permissions")
    assert [line["key"] for line in told] == [*permissions()]
    first = next(line for line in told if line["key"] == "alerts:ack")
    assert first == {
        "key": "alerts:ack",
        "resource": "alerts",
        "action": "ack",
        "description": descriptions()["alerts:ack"],
    }


async def test_a_role_of_ones_own_grants_what_it_says(shared_platform: Platform) -> None:
    admin, member = shared_platform.tenant, await join(shared_platform, roles=[])
    made = await admin.post(
        ROLES,
        {"name": "night_shift", "description": "At night", "permissions": ["users:read", "stock:*", "users:read"]},
    )
    assert (made["permissions"], made["built_in"], made["reach"]) == (["stock:*", "users:read"], False, "organization")
    assert await admin.get(f"{ROLES}/{made['id']}") == made
    await admin.post(f"{USERS}/{member.id}/roles", {"role_id": made["id"]})
    assert (await member.client.get(USERS)).status_code == 200
    replaced = await admin.put(f"{ROLES}/{made['id']}/permissions", {"permissions": ["stock:read"]})
    assert replaced == {**made, "permissions": ["stock:read"], "version": 2}
    assert (await member.client.get(USERS)).status_code == 403, "at once, with the same token"
    renamed = await admin.put(f"{ROLES}/{made['id']}", {"name": "late_shift"})
    assert renamed == {**replaced, "name": "late_shift", "version": 3}
    assert [role["name"] for role in (await admin.get(f"{USERS}/{member.id}"))["roles"]] == ["late_shift"]


@pytest.mark.parametrize(
    ("changed", "heard"),
    [
        ({"permissions": ["stock:fly"]}, (422, "UNKNOWN_PERMISSION")),
        ({"permissions": ["fly:*"]}, (422, "UNKNOWN_PERMISSION")),
        ({"permissions": ["platform:manage"]}, (403, "ROLE_TOO_MIGHTY")),
        ({"permissions": ["analytics:*"]}, (403, "ROLE_TOO_MIGHTY")),
        ({"permissions": ["*"]}, (403, "ROLE_TOO_MIGHTY")),
        ({"permissions": ["users:write"], "reach": "own"}, (422, "UNKNOWN_PERMISSION")),
        ({"permissions": ["orders:*"], "reach": "own"}, (422, "UNKNOWN_PERMISSION")),
        ({"name": "org_admin"}, (409, "ALREADY_EXISTS")),
        ({"name": "super_admin"}, (409, "ALREADY_EXISTS")),
        ({"name": "gateway"}, (409, "ALREADY_EXISTS")),
        ({"name": "taken"}, (409, "ALREADY_EXISTS")),
        ({"name": "Night shift"}, (422, "VALIDATION_FAILED")),
        ({"reach": "everywhere"}, (422, "VALIDATION_FAILED")),
    ],
)
async def test_a_role_that_cannot_be_is_refused(
    sqlite_platform: Platform, changed: dict[str, Any], heard: tuple[int, str]
) -> None:
    admin = sqlite_platform.tenant
    taken = await make_role(admin, "taken", "stock:read")
    body = {"name": "night_shift", "permissions": ["stock:read"], **changed}
    assert refusal(await admin.client.post(ROLES, json=body)) == heard
    if heard != (409, "ALREADY_EXISTS") or changed["name"] != "taken":
        assert refusal(await admin.client.put(f"{ROLES}/{taken}", json=changed)) == heard
    assert len(await admin.get(ROLES)) == len(built_in_roles()) - 2 + 1


async def test_the_unknown_permission_is_named(sqlite_platform: Platform) -> None:
    body = {"name": "night_shift", "permissions": ["stock:read", "stock:fly", "moon:walk"]}
    answer = await sqlite_platform.tenant.client.post(ROLES, json=body)
    assert [detail["message"] for detail in answer.json()["error"]["details"]] == [
        "there is no permission 'moon:walk'",
        "there is no permission 'stock:fly'",
    ]


async def test_a_role_for_ones_own_only_stays_with_ones_own(shared_platform: Platform) -> None:
    admin, member = shared_platform.tenant, await join(shared_platform, roles=[])
    role_id = await make_role(admin, "buyer", "orders:read", reach="own")
    await admin.post(f"{USERS}/{member.id}/roles", {"role_id": role_id})
    assert await member.get("/api/v1/orders") == []


async def test_built_in_roles_stay_as_they_are(shared_platform: Platform) -> None:
    admin = shared_platform.tenant
    viewer = next(role for role in await admin.get(ROLES) if role["name"] == "viewer")
    assert viewer["built_in"]
    assert set(viewer["permissions"]) == built_in_roles()["viewer"]
    path = f"{ROLES}/{viewer['id']}"
    for answer in (
        await admin.client.put(path, json={"description": "Looks"}),
        await admin.client.put(f"{path}/permissions", json={"permissions": ["stock:read"]}),
        await admin.client.delete(path),
    ):
        assert refusal(answer) == (409, "BUILT_IN_ROLE")


async def test_a_role_that_somebody_holds_stays(shared_platform: Platform) -> None:
    admin, member = shared_platform.tenant, await join(shared_platform)
    role_id = await make_role(admin, "night_shift", "stock:read")
    await admin.post(f"{USERS}/{member.id}/roles", {"role_id": role_id})
    assert refusal(await admin.client.delete(f"{ROLES}/{role_id}")) == (409, "ROLE_IN_USE")
    await admin.client.delete(f"{USERS}/{member.id}/roles/{role_id}")
    assert (await admin.client.delete(f"{ROLES}/{role_id}")).status_code == 204
    assert (await admin.client.get(f"{ROLES}/{role_id}")).status_code == 404


async def test_a_role_is_given_or_deleted_never_both(shared_platform: Platform) -> None:
    admin, member = shared_platform.tenant, await join(shared_platform)
    for attempt in range(4):
        role_id = await make_role(admin, f"shift_{attempt}", "stock:read")
        given, deleted = await asyncio.gather(
            admin.client.post(f"{USERS}/{member.id}/roles", json={"role_id": role_id}),
            admin.client.delete(f"{ROLES}/{role_id}"),
        )
        assert (given.status_code, deleted.status_code) in {(200, 409), (404, 204)}
        held = [role["id"] for role in (await admin.get(f"{USERS}/{member.id}"))["roles"]]
        assert (role_id in held) == (given.status_code == 200)


async def test_nobody_touches_a_role_mightier_than_themselves(shared_platform: Platform) -> None:
    admin, member = shared_platform.tenant, await join(shared_platform, roles=[])
    mighty = await make_role(admin, "mighty", "users:*", "roles:*", "stock:*")
    lesser = await make_role(admin, "lesser", "roles:*")
    await admin.post(f"{USERS}/{member.id}/roles", {"role_id": lesser})
    for answer in (
        await member.client.put(f"{ROLES}/{mighty}", json={"description": "X"}),
        await member.client.put(f"{ROLES}/{mighty}/permissions", json={"permissions": ["roles:read"]}),
        await member.client.delete(f"{ROLES}/{mighty}"),
        await member.client.put(f"{ROLES}/{lesser}/permissions", json={"permissions": ["roles:*", "users:read"]}),
    ):
        assert refusal(answer) == (403, "ROLE_TOO_MIGHTY")


async def test_the_last_administrators_role_cannot_be_emptied(shared_platform: Platform) -> None:
    admin, member = shared_platform.tenant, await join(shared_platform, roles=[])
    ruling = await make_role(admin, "ruler", "users:*", "roles:*", "stock:read")
    await admin.post(f"{USERS}/{member.id}/roles", {"role_id": ruling})
    await admin.put(f"{USERS}/{member.id}", {"extra_permissions": ["privacy:manage"]})
    # the founder leaves: what is left of administration hangs on the custom role
    roles = {role["name"]: role["id"] for role in await admin.get(ROLES)}
    me_id = await own_id(admin)
    assert (await admin.client.delete(f"{USERS}/{me_id}/roles/{roles['org_admin']}")).status_code == 204
    for permissions_left in (["users:*"], []):
        body = {"permissions": permissions_left}
        answer = await member.client.put(f"{ROLES}/{ruling}/permissions", json=body)
        assert refusal(answer) == (409, "LAST_ADMINISTRATOR")
    assert (await member.client.get(USERS)).status_code == 200


async def test_the_matrix_has_each_role_and_resolves_wildcards(shared_platform: Platform) -> None:
    admin, other = shared_platform.tenant, await shared_platform.found()
    await make_role(admin, "night_shift", "inventory:*")
    told = await admin.get(f"{ROLES}/matrix")
    rows = {row["permission"]: row["roles"] for row in told["rows"]}
    assert [*rows] == [*permissions()]
    assert "night_shift" in rows["stock:write"]
    assert "night_shift" not in rows["users:read"]
    assert rows["privacy:manage"] == ["org_admin"]
    assert "night_shift" not in [role["name"] for role in (await other.get(f"{ROLES}/matrix"))["roles"]]
