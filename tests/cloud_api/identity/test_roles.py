"""Roles grant what the table says: no route asks for more than it has, and each answer depends on it alone."""

import csv
import re
from importlib.resources import files
from pathlib import Path

import pytest

import cloud_api
from cloud_api.identity.people.service import users_with_permission
from cloud_api.identity.roles.catalogue import built_in_roles
from tests.cloud_api.identity.people import add_person, me, tokens
from tests.platform_under_test import Platform

TABLE = [*csv.DictReader(files("cloud_api.identity.roles").joinpath("permissions.csv").read_text().splitlines())]
ROLES = [role for role in TABLE[0] if role != "permission"]


def test_the_table_has_each_permission_once_in_order_and_marks_only_with_x() -> None:
    names = [row["permission"] for row in TABLE]
    assert names == sorted(set(names))
    assert {mark for row in TABLE for role, mark in row.items() if role != "permission"} == {"x", ""}


@pytest.mark.parametrize("role", [role for role in ROLES if role != "super_admin"])
def test_a_role_grants_its_column(role: str) -> None:
    assert built_in_roles()[role] == {row["permission"] for row in TABLE if row[role] == "x"}


def test_who_may_do_what_as_the_specification_has_it() -> None:
    roles = built_in_roles()
    assert roles["super_admin"] == {"*"}
    assert {row["super_admin"] for row in TABLE} == {"x"}
    assert roles["gateway"] == {"telemetry:ingest"}
    assert roles["customer"] <= {"orders:read", "orders:write", "returns:read", "returns:write"}
    assert not {permission for permission in roles["viewer"] if not permission.endswith((":read", "warehouse"))}
    assert "telemetry:ingest" not in roles["org_admin"]


async def test_permissions_of_several_roles_add_up(shared_platform: Platform) -> None:
    roles = ["delivery_personnel", "supplier_manager"]
    person = await add_person(shared_platform, roles=roles)
    nobody = await add_person(shared_platform, roles=[])
    granted = (await tokens(shared_platform, person.username))["user"]["permissions"]
    assert set(granted) == built_in_roles()[roles[0]] | built_in_roles()[roles[1]]
    alone = await tokens(shared_platform, nobody.username)
    assert (alone["user"]["roles"], alone["user"]["permissions"]) == ([], [])
    assert (await me(shared_platform, alone["access_token"])).status_code == 200


async def test_those_who_hold_a_permission_are_found_in_their_organisation_only(shared_platform: Platform) -> None:
    await shared_platform.found()
    await add_person(shared_platform, roles=["warehouse_manager", "inventory_staff"])
    await add_person(shared_platform, roles=["viewer"])
    for tenant, count in zip(shared_platform.tenants, (2, 1), strict=True):
        async with shared_platform.database.unit_of_work(tenant.organization) as db:
            assert len(await users_with_permission(db, "alerts:ack")) == count


def test_every_permission_that_the_code_asks_for_stands_in_the_table() -> None:
    """`require(...)` and `may(...)` take any text; a misspelt one would shut everybody out."""
    called = re.compile(r"(?:require|may)\(([^()]*)\)")
    asked = {
        name
        for path in Path(cloud_api.__file__).parent.rglob("*.py")
        for arguments in called.findall(path.read_text(encoding="utf-8"))
        for name in re.findall(r'"([a-z_]+:[a-z_]+)"', arguments)
    }
    assert {"alerts:ack", "products:read", "telemetry:ingest"} <= asked
    assert asked <= {row["permission"] for row in TABLE}
