"""Whoever is confined to other warehouses hears 404 of every operation on what hangs on one, and it grows with them.

Each is called by a person of the same organisation and role who is confined to a warehouse in which nothing is, and
again when they are confined to all the others.
"""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from tests.architecture.edge_things import a_gateway, the_gateway
from tests.architecture.operations import CASES, Case, body_of, id_for
from tests.architecture.test_owners import OPERATIONS, Operation, call
from tests.architecture.worlds import World, make_world
from tests.cloud_api.conftest import open_shared_platform
from tests.factories.farms import make_person
from tests.factories.scopes import confine
from tests.factories.stores import make_warehouse
from tests.platform_under_test import Platform, Tenant

#: the rooms in which things hang on a warehouse
ROOMS = frozenset({"places", "inventory", "cold chain", "devices", "telemetry", "orders", "logistics", "tracking"})
#: what in them hangs on none
EVERYBODYS = frozenset(
    {
        "get_vehicle",
        "get_escalation_policy",
        "update_escalation_policy",
        "delete_escalation_policy",
        "get_retention_class",
        "update_retention_class",
        "delete_retention_class",
    }
)
OF_A_PLACE = [
    operation
    for operation in OPERATIONS
    if operation.has_id
    and operation.tags & ROOMS
    and operation.name not in EVERYBODYS
    and not CASES[operation.name].by_gateway
]


@pytest.fixture
async def platform(shared_database_url: str) -> AsyncIterator[Platform]:
    """One organisation on it."""
    async with open_shared_platform(shared_database_url) as opened:
        yield opened


async def warehouses_but(world: World, empty: str) -> list[str]:
    rows = await world.tenant.get("/api/v1/warehouse/warehouses", limit=200)
    return [row["id"] for row in rows if row["id"] != empty]


async def heard(world: World, person: Tenant, empty: str, operation: Operation, case: Case) -> list[int]:
    """The statuses that the person hears outside and inside of the warehouse."""
    if case.make is a_gateway:
        case = replace(case, make=the_gateway)  # one with a sensor in a place
    identity, body = await id_for(case, world, operation.method), await body_of(case, world)
    statuses = []
    for warehouse_ids in ([empty], await warehouses_but(world, empty)):
        await confine(world.tenant, person, *warehouse_ids)
        statuses.append((await call(person.client, operation, identity, body, case.headers)).status_code)
    return statuses


@pytest.mark.parametrize(
    "shared_database_url", ["sqlite", pytest.param("postgres", marks=pytest.mark.long)], indirect=True
)
async def test_only_who_sees_its_warehouse_gets_through_to_a_thing(platform: Platform) -> None:
    world = await make_world(platform, platform.tenant)
    person = await make_person(platform, platform.tenant, "org_admin")
    empty = await make_warehouse(platform.tenant)
    wrong = {}
    for operation in OF_A_PLACE:
        outside, inside = await heard(world, person, empty, operation, CASES[operation.name])
        if outside != 404 or not 200 <= inside < 300:
            wrong[operation.name] = (outside, inside)
    assert not wrong, f"(outside, inside) heard: {wrong}"
    assert len(OF_A_PLACE) >= 20
