"""A wall around each organisation, proved for every operation there is, and one that grows with them.

Each operation with an id in its path is called by another organisation, then by its owner, then by the other again:
with the same id and the same body only the owner gets through.
"""

import itertools
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from tests.architecture.edge_things import READER, SCALE
from tests.architecture.operations import CASES, NOBODYS_ID, Case, body_of, id_for, the_operator
from tests.architecture.worlds import World, make_world
from tests.cloud_api.conftest import open_shared_platform
from tests.engines import MOSTLY_EMBEDDED, MOSTLY_POSTGRES
from tests.factories.stores import ColdStore, make_gateway, make_warehouse, receive
from tests.platform_under_test import Platform, app_to_read


@dataclass(frozen=True)
class Operation:
    """One line of the API's document."""

    name: str
    method: str
    path: str
    public: bool
    tags: frozenset[str]

    @property
    def has_id(self) -> bool:
        # a mailed token is nobody's thing, but a credential; and through a provider come in who is not known yet
        return "{" in self.path and "{token}" not in self.path and "{provider}" not in self.path


def operations() -> Iterator[Operation]:
    """All of them, as the document has them."""
    for path, methods in app_to_read().openapi()["paths"].items():
        for method, operation in methods.items():
            public, tags = not operation.get("security"), frozenset(operation.get("tags", ()))
            yield Operation(operation["operationId"], method.upper(), path, public, tags)


OPERATIONS = [*operations()]


@pytest.fixture
async def platform(shared_database_url: str) -> AsyncIterator[Platform]:
    """Two organisations on it."""
    async with open_shared_platform(shared_database_url) as opened:
        await opened.found()
        yield opened


def test_every_operation_with_an_id_has_its_line() -> None:
    missing = {operation.name for operation in OPERATIONS if operation.has_id} - set(CASES)
    assert not missing, (
        f"who owns what {', '.join(sorted(missing))} names? Add a line to CASES in tests/architecture/operations.py: "
        "how its id is made, and the body it takes"
    )
    gone = set(CASES) - {operation.name for operation in OPERATIONS}
    assert not gone, f"no such operations any more: {', '.join(sorted(gone))}; take their lines out of CASES"


async def call(
    client: httpx2.AsyncClient,
    operation: Operation,
    identity: str,
    body: object,
    headers: Mapping[str, str] | None = None,
) -> httpx2.Response:
    identities = itertools.cycle(identity.split())
    path = re.sub(r"\{\w+\}", lambda _: next(identities), operation.path)
    if isinstance(body, bytes):
        return await client.request(operation.method, path, content=body, headers=dict(headers or {}))
    sent = {} if body is None and operation.method in {"POST", "PUT", "PATCH"} else body
    return await client.request(operation.method, path, json=sent)


async def heard(world: World, stranger: World, operation: Operation, case: Case) -> list[int]:
    """The statuses that stranger, owner and stranger again hear."""
    identity, body = await id_for(case, world, operation.method), await body_of(case, world)
    if case.by_gateway:
        clients = [world.platform.client(who.store.gateway_token) for who in (stranger, world)]
    else:
        owner = await the_operator(world) if case.by_operator else world.tenant
        clients = [stranger.tenant.client, owner.client]
    foreign, own = clients
    statuses = [
        (await call(client, operation, identity, body, case.headers)).status_code for client in (foreign, own, foreign)
    ]
    if case.by_gateway:
        for client in clients:
            await client.aclose()
    return statuses


@MOSTLY_POSTGRES
async def test_only_its_owner_gets_through_to_a_thing(platform: Platform) -> None:
    world, stranger = [await make_world(platform, tenant) for tenant in platform.tenants]
    wrong = {}
    for operation in OPERATIONS:
        if operation.has_id:
            case = CASES[operation.name]
            before, own, after = await heard(world, stranger, operation, case)
            if not (before == after == case.foreign and 200 <= own < 300):
                wrong[operation.name] = (before, own, after)
    assert not wrong, f"(stranger, owner, stranger) heard: {wrong}"


@MOSTLY_EMBEDDED
async def test_a_thing_that_nobody_has_is_answered_like_one_of_others(platform: Platform) -> None:
    world = await make_world(platform, platform.tenant)
    for operation in OPERATIONS:
        if operation.has_id and CASES[operation.name].foreign == 404:
            body = await body_of(CASES[operation.name], world)
            answer = await call(world.tenant.client, operation, NOBODYS_ID, body, CASES[operation.name].headers)
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND"), operation.name


async def test_another_gateway_of_the_same_organisation_is_a_stranger_too(platform: Platform) -> None:
    world = await make_world(platform, platform.tenant)
    _, token = await make_gateway(platform, platform.tenant)
    async with platform.client(token) as other:
        own = {name for name, case in CASES.items() if case.by_gateway}
        for name in own | {"get_gateway_config", "list_gateway_commands", "rotate_gateway_credential"}:
            [operation] = [operation for operation in OPERATIONS if operation.name == name]
            identity = f"{world.store.gateway_id} {NOBODYS_ID}"
            answer = await call(other, operation, identity, CASES[name].body)
            assert answer.status_code == 403, name


@MOSTLY_EMBEDDED
async def test_without_a_credential_nothing_opens_but_what_is_public(platform: Platform) -> None:
    async with platform.client() as anybody:
        answers = {
            operation.name: (await call(anybody, operation, NOBODYS_ID, None)).status_code for operation in OPERATIONS
        }
    opened = {name for name, status in answers.items() if status != 401}
    assert opened == {operation.name for operation in OPERATIONS if operation.public}


def bodies(store: ColdStore, lot_id: str) -> list[tuple[str, str, dict[str, Any]]]:
    """(method, path, body or query) of whatever names other things by id outside its path."""
    room, product = store.room_id, store.product_id
    place = {"code": "X", "name": "X", "location_type": "room", "storage_type": "freezer"}
    sensor = {"code": "z2m:x", "quantity": "temperature", "unit": "Cel"}
    rule = {"name": "X", "kind": "high", "set_at": 8, "clear_at": 7}
    period = {"since": "2026-01-01T00:00:00Z", "until": "2027-01-01T00:00:00Z"}
    goods = {"product_id": product, "location_id": room, "lot_number": "X", "quantity": "1"}
    return [
        ("POST", "/api/v1/warehouse/storage/locations", {**place, "warehouse_id": store.warehouse_id}),
        ("POST", "/api/v1/edge/sensors", {**sensor, "gateway_id": store.gateway_id}),
        ("POST", "/api/v1/edge/scales", {**SCALE, "code": "scale:x", "gateway_id": store.gateway_id}),
        ("POST", "/api/v1/edge/readers", {**READER, "code": "zebra:x", "gateway_id": store.gateway_id}),
        ("POST", "/api/v1/alerts/rules", {**rule, "location_id": room}),
        ("POST", "/api/v1/warehouse/stock/receiving", goods),
        (
            "POST",
            "/api/v1/warehouse/stock/adjustment",
            {"lot_id": lot_id, "location_id": room, "delta": "-1", "reason": "x"},
        ),
        ("GET", "/api/v1/telemetry/readings", {"sensor_id": store.sensor_id, **period}),
        ("GET", "/api/v1/telemetry/readings", {"location_id": room, **period}),
        ("GET", "/api/v1/telemetry/readings/latest", {"location_id": room}),
        ("GET", "/api/v1/telemetry/readings/aggregate", {"sensor_id": store.sensor_id, **period}),
        ("GET", "/api/v1/telemetry/readings/aggregate", {"location_id": room, **period}),
        ("GET", "/api/v1/telemetry/readings/export", {"sensor_id": store.sensor_id, **period}),
        ("GET", "/api/v1/telemetry/readings/export", {"location_id": room, **period}),
        ("GET", "/api/v1/telemetry/readings/compare", {"location_id": room, **period}),
    ]


async def test_others_things_are_not_to_be_named_in_bodies_and_queries_either(platform: Platform) -> None:
    world, stranger = [await make_world(platform, tenant) for tenant in platform.tenants]
    lot_id = (await receive(world.store))["lot_id"]
    for method, path, fields in bodies(world.store, lot_id):
        query, body = (fields, None) if method == "GET" else (None, fields)
        foreign = await stranger.tenant.client.request(method, path, params=query, json=body)
        assert (foreign.status_code, foreign.json()["error"]["code"]) == (404, "NOT_FOUND"), path
        own = await world.tenant.client.request(method, path, params=query, json=body)
        assert own.is_success, (path, own.text)


async def fill(world: World) -> None:
    """One of everything that an operation can name."""
    for make in dict.fromkeys(case.make for case in CASES.values()):
        await make(world)


@MOSTLY_EMBEDDED
async def test_lists_show_only_ones_own(platform: Platform) -> None:
    world, stranger = [await make_world(platform, tenant) for tenant in platform.tenants]
    await fill(world)
    await make_warehouse(stranger.tenant)
    await compare_lists(world, stranger)
    await ask_for_ids(world, stranger)


async def compare_lists(world: World, stranger: World) -> None:
    """Nothing is in a list of both."""
    for operation in OPERATIONS:
        if operation.method == "GET" and not operation.has_id and operation.name.startswith("list_"):
            if operation.name == "list_readings":  # needs a sensor, and has its line above
                continue
            if operation.name == "list_feature_flags":  # the platform's: no organisation sees it
                continue
            if operation.name == "list_receipts":  # two lists in one: tests/cloud_api/inventory/test_movements.py
                continue
            rows = await world.tenant.get(operation.path, limit=200)
            theirs = await stranger.tenant.get(operation.path, limit=200)
            shown = [{row.get("id") or row.get("sensor_id") for row in both} for both in (rows, theirs)]
            assert not (shown[0] & shown[1]) - {None}, operation.name


async def ask_for_ids(world: World, stranger: World) -> None:
    """Of every list that can be asked for ids: the owner sees those rows, the stranger none."""
    by_id = {
        path
        for path, methods in app_to_read().openapi()["paths"].items()
        if any(one["in"] == "query" and one["name"] == "id" for one in methods.get("get", {}).get("parameters", ()))
    }
    assert "/api/v1/warehouse/batches" in by_id
    for path in sorted(by_id):
        rows = await world.tenant.get(path)
        ids = [rows[0]["id"], rows[-1]["id"]]
        assert {row["id"] for row in await world.tenant.get(path, id=ids)} == set(ids), path
        assert await stranger.tenant.get(path, id=ids) == [], path
