"""API4:2023, unrestricted resource consumption: what one request may cost.

Budgets, bodies that lie about their length, and packed ones have their own tests in tests/cloud_api/kernel.
"""

import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.architecture.worlds import World, make_world
from tests.attacks.calls import AUTH
from tests.cloud_api.conftest import open_shared_platform
from tests.cloud_api.identity.staff import refusal
from tests.platform_under_test import app_to_read, open_platform
from tests.services.waiting import let_the_minute_turn

#: lists that are told whole, and what keeps them short
WHOLE = {
    "suggest": "as many as were asked for, the best of them",
    "get_eta_error": "one row a week, of as many as were asked for",
    "get_route_performance": "one row a week and driver, of as many weeks as were asked for",
    "get_fleet_use": "one row a vehicle",
    "get_places_with_excursions": "one row a place",
    "get_threats": "one row a type and severity",
    "list_route_optimizations": "the times that one route was planned",
    "get_role_matrix": "the roles of one organisation",
    "list_my_sessions": "the limit of open sign-ins",
    "list_user_sessions": "the limit of open sign-ins",
    "list_permissions": "written in the program",
    "list_cash": "a row a driver and day, until it is handed over",
    "get_sign_in_providers": "the providers of one organisation",
    "get_settings": "written in the program",
    "list_saved_views": "at most two hundred of one person's",
    "list_route_orders": "what fits into one van",
    "list_assigned": "what one driver delivers",
    "list_latest": "one row a sensor",
    "list_stock_in_transit": "one row a product and warehouse that something is on its way to",
    "list_sensor_calibrations": "as often as somebody has calibrated one sensor",
    "list_sensor_placements": "as often as somebody has moved one sensor",
    "list_due_calibrations": "one row a sensor",
    "compare_places": "the places that were asked for",
    "temperature_log": "the hours of a period that is limited",
    "list_phones": "one person's phones",
    "list_templates": "written in the program, and one row more for each language of the organisation's own",
    "list_product_images": "at most 24 pictures of one product",
    "get_category_tree": "the categories of one organisation",
    "get_product_units": "written in the program, and fifty of the product's own",
    "get_bundle": "a hundred components",
    "get_order_history": "as often as somebody has changed one order",
    "geocode_address": "at most five places of one address",
}


@pytest.fixture
async def world(shared_sqlite_url: str) -> AsyncIterator[World]:
    """One engine: what is too much is refused before any database is asked."""
    async with open_shared_platform(shared_sqlite_url) as platform:
        yield await make_world(platform, platform.tenant)


def lists() -> dict[str, tuple[str, dict[str, Any]]]:
    """Operations that answer with a list: their path, and their `limit` as the document has it."""
    document = app_to_read().openapi()
    found = {}
    for path, methods in document["paths"].items():
        operation = methods.get("get", {})
        schema = operation.get("responses", {}).get("200", {}).get("content", {}).get("application/json", {})
        name = schema.get("schema", {}).get("$ref", "").rpartition("/")[2]
        if document["components"]["schemas"].get(name, {}).get("properties", {}).get("data", {}).get("type") == "array":
            limit = [given["schema"] for given in operation.get("parameters", ()) if given["name"] == "limit"]
            found[operation["operationId"]] = (path, *limit) if limit else (path, {})
    return found


def test_every_list_has_pages_or_a_reason_to_be_short() -> None:
    without = {name for name, (_, limit) in lists().items() if not limit}
    assert without <= set(WHOLE), f"give {without - set(WHOLE)} pages, or say here what keeps them short"
    assert all(limit["maximum"] == 200 for _, limit in lists().values() if limit)


async def test_a_page_is_never_longer_than_it_may_be(world: World) -> None:
    for name, (path, limit) in lists().items():
        if limit and "{" not in path:
            for asked in ("201", "0", "-1", "1e9", "99999999999999999999"):
                answer = await world.tenant.client.get(path, params={"limit": asked})
                assert answer.status_code in {403, 404, 422}, (name, asked)


@pytest.mark.parametrize("depth", [500, 5_000, 100_000])
async def test_json_however_deep_breaks_nothing(world: World, depth: int) -> None:
    deep = ('{"a":' * depth + "1" + "}" * depth).encode()
    values = [deep, b'{"values":{"locale":' + deep + b"}}", b"[" * depth + b"]" * depth]
    for body in values:
        for path in ("/admin/settings", "/auth/me", "/organizations/00000000-0000-7000-8000-000000000000/branding"):
            answer = await world.tenant.client.put(
                f"/api/v1{path}", content=body, headers={"Content-Type": "application/json"}
            )
            assert 400 <= answer.status_code < 500, (path, answer.status_code)


async def test_deep_values_that_are_kept_are_read_again_or_refused(world: World) -> None:
    organization_id = world.tenant.organization.organization_id
    path = f"/api/v1/organizations/{organization_id}/onboarding"
    for depth in (20, 100, 190, 240, 300, 900):
        deep: object = 1
        for _ in range(depth):
            deep = [deep]
        answer = await world.tenant.client.post(path, json={"step": "setup", "data": {"deep": deep}})
        assert answer.status_code in {200, 422}, (depth, answer.text)
        assert (await world.tenant.client.get(path)).status_code == 200, depth
        assert (await world.tenant.client.get("/api/v1/admin/security/audit-logs")).status_code == 200, depth


async def test_numbers_without_end_are_read_in_no_time_or_not_at_all(world: World) -> None:
    body = b'{"values":{"session.limit":' + b"9" * 900_000 + b"}}"
    answer = await world.tenant.client.put(
        "/api/v1/admin/settings", content=body, headers={"Content-Type": "application/json"}
    )
    assert 400 <= answer.status_code < 500


async def test_a_small_batch_does_not_become_a_large_one(world: World) -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    assert len(bomb) < 100_000
    async with world.platform.client(world.store.gateway_token) as gateway:
        headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
        answer = await gateway.post("/api/v1/telemetry/readings", content=bomb, headers=headers)
    assert refusal(answer) == (413, "TOO_LARGE")


async def test_peoples_bodies_are_not_unpacked(world: World) -> None:
    packed = gzip.compress(json.dumps({"full_name": "Asha"}).encode())
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    answer = await world.tenant.client.put(f"{AUTH}/me", content=packed, headers=headers)
    assert 400 <= answer.status_code < 500


async def test_a_body_of_a_person_is_small(world: World) -> None:
    body = json.dumps({"full_name": "x" * 1_100_000}).encode()
    answer = await world.tenant.client.put(f"{AUTH}/me", content=body, headers={"Content-Type": "application/json"})
    assert refusal(answer) == (413, "TOO_LARGE")


@pytest.mark.parametrize("text", ["%" * 100, "_" * 100, "%_" * 50, "\\" * 100, "(a+)+$" * 10, "'; DROP TABLE users"])
async def test_a_search_takes_every_character_for_itself(world: World, text: str) -> None:
    found = await world.tenant.get("/api/v1/admin/users/search", q=text)
    assert found == []


async def test_more_than_the_budget_is_refused_whatever_is_asked(sqlite_url: str) -> None:
    async with open_platform(sqlite_url, requests_per_hour=5, sign_ins_per_minute=3) as platform:
        let_the_minute_turn()
        heard = [(await platform.tenant.client.get(f"{AUTH}/me")).status_code for _ in range(7)]
        assert heard == [200] * 5 + [429] * 2
        async with platform.client() as client:
            body = {"login": "keeper", "password": "Wrong-room-1"}
            refused = [await client.post(f"{AUTH}/login", json=body) for _ in range(3)]
    assert refused[-1].status_code == 429
    assert int(refused[-1].headers["Retry-After"]) > 0
