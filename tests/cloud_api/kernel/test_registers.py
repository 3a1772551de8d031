"""A Register over HTTP: five routes, and what they refuse; shown on the table of the product categories."""

from collections.abc import AsyncIterator
from functools import cache
from typing import Any

import httpx2
import pytest
from fastapi import APIRouter, FastAPI

from cloud_api.catalog.categories.models import Category
from cloud_api.catalog.categories.schemas import CategoryCreate, CategoryRead, CategoryUpdate
from cloud_api.identity.passwords import new_password
from cloud_api.identity.people import service as people
from cloud_api.kernel.db import Database
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.registers import Register, register_routes
from cloud_api.kernel.tenancy import SystemScope
from cloud_api.main import create_app
from tests.platform_under_test import PASSWORD, Platform, Tenant, settings_for_tests

CATEGORIES = "/shelves"
NOBODYS_ID = "00000000-0000-7000-8000-000000000000"
LEAFY = {"name": "Leafy greens", "slug": "leafy-greens"}


@cache
def app_with_register(url: str) -> FastAPI:
    """The application with one register more: it costs more to make than any of these tests takes."""
    router = APIRouter(prefix=CATEGORIES, route_class=ApiRoute)
    shelves = Register(
        name="shelf",
        plural="shelves",
        model=Category,
        create=CategoryCreate,
        update=CategoryUpdate,
        read=CategoryRead,
        read_permission="products:read",
        write_permission="products:write",
    )
    register_routes(router, shelves, unique_field="slug")
    app = create_app(settings_for_tests(database_url=url))
    app.include_router(router)
    return app


async def with_register(url: str) -> AsyncIterator[Platform]:
    """The platform of that application, with an organisation of this test's own."""
    app = app_with_register(url)
    app.state.database = Database(url)
    platform = Platform(app, app.state.database, app.state.settings)
    try:
        await platform.found()
        yield platform
    finally:
        for tenant in platform.tenants:
            await tenant.client.aclose()
        await platform.database.close()


@pytest.fixture
async def shared_platform(shared_database_url: str) -> AsyncIterator[Platform]:
    async for platform in with_register(shared_database_url):
        yield platform


@pytest.fixture
async def sqlite_platform(shared_sqlite_url: str) -> AsyncIterator[Platform]:
    async for platform in with_register(shared_sqlite_url):
        yield platform


def error(answer: httpx2.Response) -> tuple[int, str, list[str]]:
    body = answer.json()["error"]
    return answer.status_code, body["code"], [detail["field"] for detail in body["details"]]


async def make(tenant: Tenant, **fields: Any) -> dict[str, Any]:
    made: dict[str, Any] = await tenant.post(CATEGORIES, {**LEAFY, **fields})
    return made


async def test_a_category_is_made_read_changed_and_put_away(shared_platform: Platform) -> None:
    tenant = shared_platform.tenant
    parent = await make(tenant, name="Greens", slug="greens")
    made = await make(tenant, parent_id=parent["id"], sort_order=3)
    path = f"{CATEGORIES}/{made['id']}"
    assert await tenant.get(path) == made
    words = {"description": "", "meta_title": "", "meta_description": "", "color": None, "is_active": True}
    unset = {**words, "q10": None, "reference_temperature_c": None}
    assert made == {**LEAFY, **unset, "id": made["id"], "parent_id": parent["id"], "sort_order": 3, "version": 1}
    assert [row["slug"] for row in await tenant.get(CATEGORIES)] == ["leafy-greens", "greens"]

    changed = await tenant.put(path, {"name": "Leaves"})
    assert changed == {**made, "name": "Leaves", "version": 2}
    stale = await tenant.client.put(path, json={"name": "Herbs", "version": 1})
    assert (stale.status_code, stale.json()["error"]["code"]) == (409, "STALE_VERSION")
    assert await tenant.put(path, {"parent_id": None}) == {**changed, "parent_id": None, "version": 3}
    assert await tenant.put(path, {}) == {**changed, "parent_id": None, "version": 4}

    assert (await tenant.client.delete(path)).status_code == 204
    for again in (
        await tenant.client.get(path),
        await tenant.client.put(path, json={"name": "x"}),
        await tenant.client.delete(path),
    ):
        assert error(again) == (404, "NOT_FOUND", [])
    assert [row["slug"] for row in await tenant.get(CATEGORIES)] == ["greens"]


async def test_a_name_that_is_taken_is_refused_with_the_field(shared_platform: Platform) -> None:
    tenant, other = shared_platform.tenant, await shared_platform.found()
    await make(tenant)
    second = await make(tenant, name="Herbs", slug="herbs")
    await make(other)
    taken = (409, "ALREADY_EXISTS", ["slug"])
    assert error(await tenant.client.post(CATEGORIES, json=LEAFY)) == taken
    assert error(await tenant.client.put(f"{CATEGORIES}/{second['id']}", json={"slug": "leafy-greens"})) == taken
    assert await tenant.get(f"{CATEGORIES}/{second['id']}") == second


async def test_a_parent_must_be_there_and_ones_own(shared_platform: Platform) -> None:
    tenant, other = shared_platform.tenant, await shared_platform.found()
    theirs = await make(other)
    for parent_id in (NOBODYS_ID, theirs["id"]):
        answer = await tenant.client.post(CATEGORIES, json={**LEAFY, "parent_id": parent_id})
        assert answer.status_code == 409
        assert "names something that is not there" in answer.json()["error"]["message"]


WRONG: list[tuple[object, list[str]]] = [
    ({}, ["name", "slug"]),
    ({**LEAFY, "slug": "Leafy Greens"}, ["slug"]),
    ({**LEAFY, "name": " "}, ["name"]),
    ({**LEAFY, "name": None}, ["name"]),
    ({**LEAFY, "name": "a\0b"}, ["name"]),
    ({**LEAFY, "sort_order": -1}, ["sort_order"]),
    ({**LEAFY, "parent_id": "the first"}, ["parent_id"]),
    ({**LEAFY, "colour": "green"}, ["colour"]),
    ({**LEAFY, "id": NOBODYS_ID}, ["id"]),
    ({**LEAFY, "organization_id": NOBODYS_ID}, ["organization_id"]),
    ([], ["body"]),
]


async def test_what_is_wrong_is_named(sqlite_platform: Platform) -> None:
    for body, fields in WRONG:
        answer = await sqlite_platform.tenant.client.post(CATEGORIES, json=body)
        assert error(answer) == (422, "VALIDATION_FAILED", fields), body
    assert await sqlite_platform.tenant.get(CATEGORIES) == []


async def test_an_update_cannot_empty_what_must_be_there(sqlite_platform: Platform) -> None:
    tenant = sqlite_platform.tenant
    path = f"{CATEGORIES}/{(await make(tenant))['id']}"
    for body in ({"name": None}, {"name": ""}, {"slug": None}, {"archived_at": None}):
        answer = await tenant.client.put(path, json=body)
        assert error(answer) == (422, "VALIDATION_FAILED", list(body))


async def test_who_may_read_may_not_write(shared_platform: Platform) -> None:
    tenant = shared_platform.tenant
    made = await make(tenant)
    async with shared_platform.database.unit_of_work(SystemScope("test")) as db:
        await people.add_user(
            db,
            organization_id=tenant.organization.organization_id,
            username=f"viewer-{tenant.username}",
            email=f"viewer@{tenant.slug}.example",
            full_name="Viewer",
            password_hash=await new_password(PASSWORD),
            roles=["viewer"],
        )
    async with shared_platform.client() as viewer:
        login = {"login": f"viewer-{tenant.username}", "password": PASSWORD}
        token = (await viewer.post("/api/v1/auth/login", json=login)).json()["data"]["access_token"]
        viewer.headers["Authorization"] = f"Bearer {token}"
        assert (await viewer.get(CATEGORIES)).status_code == 200
        for refused in (
            await viewer.post(CATEGORIES, json={**LEAFY, "slug": "x"}),
            await viewer.put(f"{CATEGORIES}/{made['id']}", json={"name": "x"}),
            await viewer.delete(f"{CATEGORIES}/{made['id']}"),
        ):
            assert error(refused) == (403, "FORBIDDEN", [])
            assert "products:write" in refused.json()["error"]["message"]
    assert await tenant.get(CATEGORIES) == [made]
