"""API3:2023, broken object property level authorisation: what may not be set, and what may not be seen."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.architecture.edge_things import HEARTBEAT
from tests.architecture.operations import CASES, NOBODYS_ID, the_operator
from tests.architecture.test_owners import OPERATIONS, Operation
from tests.architecture.worlds import World, make_world
from tests.attacks.calls import good_call
from tests.attacks.leaks import leak_in
from tests.cloud_api.conftest import open_shared_platform
from tests.cloud_api.identity.staff import join
from tests.factories.batches import make_batch, make_epoch, make_reading
from tests.platform_under_test import app_to_read

#: nobody sets these from outside, unless the document has them for that operation
NOT_ONES_OWN: dict[str, object] = {
    "id": NOBODYS_ID,
    "organization_id": NOBODYS_ID,
    "created_at": "2026-01-31T08:00:00Z",
    "deleted_at": None,
    "is_active": True,
    "status": "active",
    "roles": ["org_admin"],
    "permissions": ["*"],
    "extra_permissions": ["*"],
    "password_hash": "$argon2id$",
    "email_verified_at": "2026-01-31T08:00:00Z",
    "must_change_password": False,
    "built_in": True,
    "created_by": NOBODYS_ID,
    "__class__": "x",
}
#: what tells which of several bodies is meant
KINDS: dict[str, dict[str, object]] = {
    "connect_identity_provider": {"kind": "ldap"},
    "pay_order": {"kind": "online"},
    "change_identity_provider": {"kind": "oidc"},
    "apply_weight": {"kind": "adjustment"},
}
#: of machines: the first field that is too much is named, and no other
WIRE = {
    "take_razorpay_webhook",
    "provision_gateway",
    "receive_heartbeat",
    "take_in_readings",
    "acknowledge_gateway_command",
    "acknowledge_gateway_config",
    "rotate_gateway_credential",
    "upload_gateway_logs",
}


#: a body that is a file, whatever its kind
FILES = {"import_products", "start_import", "validate_import"}


@pytest.fixture
async def world(shared_sqlite_url: str) -> AsyncIterator[World]:
    """One engine: a body is looked at before any database is."""
    async with open_shared_platform(shared_sqlite_url) as platform:
        yield await make_world(platform, platform.tenant)


def with_bodies() -> list[tuple[Operation, set[str]]]:
    """Operations that take JSON, with the fields that the document has for them."""
    document = app_to_read().openapi()
    schemas = document["components"]["schemas"]
    found = []
    for operation in OPERATIONS:
        body = document["paths"][operation.path][operation.method.lower()].get("requestBody", {})
        schema = body.get("content", {}).get("application/json", {}).get("schema")
        if schema is not None and operation.name not in WIRE | FILES:
            found.append((operation, fields_of(schema, schemas)))
    return found


def fields_of(schema: dict[str, Any], schemas: dict[str, Any]) -> set[str]:
    if "$ref" in schema:
        return fields_of(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    choices = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    return set(schema.get("properties", {})).union(*(fields_of(choice, schemas) for choice in choices))


async def test_what_nobody_may_set_is_refused_by_name_in_every_body(world: World) -> None:
    operator = await the_operator(world)
    let_through = []
    for operation, fields in with_bodies():
        extra = {name: value for name, value in NOT_ONES_OWN.items() if name not in fields}
        path = re.sub(r"\{\w+\}", NOBODYS_ID, operation.path)
        body = {**KINDS.get(operation.name, {}), **extra}
        answer = await operator.client.request(operation.method, path, json=body)
        if answer.status_code == 404:  # looked for before the body is looked at
            call = await good_call(world, operation, by_operator=False)
            answer = await operator.client.request(
                operation.method, call.path(operation), json={**call.body, **extra}, headers=call.headers
            )
        named = {detail["field"].rpartition(".")[2] for detail in answer.json().get("error", {}).get("details", ())}
        if answer.status_code != 422 or not set(extra) <= named:
            let_through.append(f"{operation.name}: {answer.status_code} {answer.text:.200}")
    assert not let_through, "\n".join(let_through)


def body_to_spoil(name: str) -> dict[str, Any]:
    """What a gateway may send there."""
    body = CASES[name].body
    return body if isinstance(body, dict) and body else {"secret": "5" * 64}


async def test_machines_bodies_take_no_more_than_the_wire_says_either(world: World) -> None:
    async with world.platform.client(world.store.gateway_token) as gateway:
        heartbeat = {**HEARTBEAT, "organization_id": NOBODYS_ID}
        path = f"/api/v1/edge/gateways/{world.store.gateway_id}/heartbeat"
        assert (await gateway.post(path, json=heartbeat)).status_code == 422
        batch = {**make_batch([make_reading(1)], epoch=make_epoch()), "gateway_id": NOBODYS_ID}
        assert (await gateway.post("/api/v1/telemetry/readings", json=batch)).status_code == 422
        for name in ("acknowledge_gateway_config", "upload_gateway_logs", "rotate_gateway_credential"):
            [operation] = [operation for operation in OPERATIONS if operation.name == name]
            body = {**body_to_spoil(name), "organization_id": NOBODYS_ID}
            spoilt = operation.path.replace("{id}", world.store.gateway_id)
            assert (await gateway.post(spoilt, json=body)).status_code == 422, name
        claim = {"claim_code": "x", "secret": "5" * 64, "software_version": "1", "organization_id": NOBODYS_ID}
        assert (await gateway.post("/api/v1/edge/provision", json=claim)).status_code == 422


async def test_a_plan_or_activity_is_not_an_organisations_own_to_set(world: World) -> None:
    me = await world.tenant.get("/api/v1/auth/me")
    for change in ({"plan": "enterprise"}, {"is_active": False}):
        answer = await world.tenant.client.put(f"/api/v1/organizations/{me['organization']['id']}", json=change)
        assert answer.status_code == 403, answer.text


async def test_nobody_gives_themselves_more_by_any_field(world: World) -> None:
    member = await join(world.platform, roles=["warehouse_manager"])
    me = f"/api/v1/admin/users/{member.id}"
    for body in ({"extra_permissions": ["*"]}, {"extra_permissions": ["users:write"]}):
        assert (await member.client.put(me, json=body)).status_code == 403
    answer = await world.tenant.client.put(me, json={"extra_permissions": ["platform:manage"]})
    assert answer.status_code in {403, 422}, answer.text


async def test_what_is_shown_of_people_has_no_secret(world: World) -> None:
    for path in ("/auth/me", "/auth/sessions", "/admin/users", "/admin/security/audit-logs", "/api-keys", "/invites"):
        answer = await world.tenant.client.get(f"/api/v1{path}")
        assert leak_in(answer.text) == "", path


def test_a_leak_is_found() -> None:
    assert leak_in('{"password_hash": "x"}')
    assert not leak_in('{"password_hash": "***"}')
    assert leak_in("$argon2id$v=19$m=8")
    assert leak_in('File "/srv/app.py", line 1')
    assert not leak_in('{"message": "this needs the permission stock:read"}')
