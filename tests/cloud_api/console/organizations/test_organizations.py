"""The platform's organisations at the console of who keeps it."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from tests.cloud_api.console.screens import at_console
from tests.factories.farms import make_person
from tests.platform_under_test import PASSWORD, Platform, Tenant

ORGANIZATIONS = "/console/organizations"
API = "/api/v1/organizations"
FARM = {"name": "Kestrel farm", "slug": "kestrel-farm", "plan": "pro", "timezone": "Asia/Kolkata", "currency": "INR"}


@pytest.fixture
async def operator(sqlite_platform: Platform) -> Tenant:
    """Somebody who keeps the platform."""
    return await make_person(sqlite_platform, sqlite_platform.tenant, "super_admin")


@pytest.fixture
async def office(sqlite_platform: Platform, operator: Tenant) -> AsyncIterator[httpx2.AsyncClient]:
    """Their console."""
    async with at_console(sqlite_platform, operator) as client:
        yield client


async def test_an_organisation_is_founded_changed_closed_and_opened_again(
    sqlite_platform: Platform, operator: Tenant, office: httpx2.AsyncClient
) -> None:
    administrator = {
        "admin.email": "kestrel@farm.example",
        "admin.full_name": "Kestrel keeper",
        "admin.username": "kestrel",
    }
    made = await office.post(f"{ORGANIZATIONS}/new", data={**FARM, **administrator, "admin.password": "Hill-farm-12"})
    here = made.headers["location"]
    [farm] = await operator.get(API, search="kestrel", plan="pro", is_active=True)
    assert (here, farm["name"]) == (f"{ORGANIZATIONS}/{farm['id']}", "Kestrel farm")
    sign_in = {"login": "kestrel", "password": "Hill-farm-12"}
    assert (await sqlite_platform.client().post("/api/v1/auth/login", json=sign_in)).status_code == 200
    changed = {**FARM, "name": "Valley farm", "version": "1", "email": "", "phone": "", "address": ""}
    assert (await office.post(here, data=changed)).headers["location"] == here
    late = await office.post(here, data={**changed, "name": "River farm"})
    assert (late.status_code, "Valley farm" in late.text, "River farm" in late.text) == (409, True, True)
    wrong = await office.post(f"{here}/close", data={"slug": "valley-farm"})
    assert (wrong.status_code, 'id="e-slug"' in wrong.text) == (422, True)
    await office.post(f"{here}/close", data={"slug": "kestrel-farm"})
    assert (await sqlite_platform.client().post("/api/v1/auth/login", json=sign_in)).status_code == 401
    assert "Open again" in (await office.get(here)).text
    await office.post(f"{here}/open")
    assert (await sqlite_platform.client().post("/api/v1/auth/login", json=sign_in)).status_code == 200


async def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(office: httpx2.AsyncClient) -> None:
    refused = await office.post(
        f"{ORGANIZATIONS}/new",
        data={**FARM, "slug": "Kestrel Farm", "admin.email": "nobody", "admin.password": PASSWORD},
    )
    assert refused.status_code == 422
    for field in ("slug", "admin.email"):
        assert f'id="e-{field}"' in refused.text
    assert ("Kestrel Farm" in refused.text, PASSWORD in refused.text) == (True, False)


async def test_organisations_are_found_and_written_as_a_file(
    sqlite_platform: Platform, office: httpx2.AsyncClient
) -> None:
    slug = sqlite_platform.tenant.slug
    for path in (ORGANIZATIONS, f"{ORGANIZATIONS}/export"):
        assert slug in (await office.get(path, params={"search": slug})).text
    assert "No organisation is like this" in (await office.get(ORGANIZATIONS, params={"search": "nowhere"})).text


async def test_an_organisations_own_administrator_keeps_out_of_it(sqlite_platform: Platform) -> None:
    async with at_console(sqlite_platform, sqlite_platform.tenant) as console:
        assert (await console.get(ORGANIZATIONS)).status_code == 403
        assert ORGANIZATIONS not in (await console.get("/console")).text
