"""The one door in the walls: a super administrator at work in another organisation, by the header `X-Organization`."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from cloud_api.identity.organizations.models import PLATFORM_SLUG
from cloud_api.kernel.permissions import VISIT_HEADER
from tests.cloud_api.identity.programs import CATEGORIES, make_client, make_key, refusal
from tests.factories.farms import make_person
from tests.factories.stores import make_gateway
from tests.platform_under_test import Platform, Tenant, open_platform

TRAIL = "/api/v1/admin/security/audit-logs"
USERS = "/api/v1/admin/users"
ROLES = "/api/v1/admin/roles"
FORBIDDEN = (403, "FORBIDDEN")


@pytest.fixture
async def platform(database_url: str) -> AsyncIterator[Platform]:
    """A farm, its neighbour, and the platform's own organisation, in this order."""
    async with open_platform(database_url) as opened:
        await opened.found()
        await opened.found_platform()
        yield opened


def visiting(slug: str) -> dict[str, str]:
    return {VISIT_HEADER: slug}


async def names(client: httpx2.AsyncClient, slug: str | None = None) -> list[str]:
    answer = await client.get(CATEGORIES, headers=visiting(slug) if slug else {})
    assert answer.status_code == 200, answer.text
    return [category["name"] for category in answer.json()["data"]]


async def test_a_super_administrator_works_where_they_visit_and_nowhere_else(platform: Platform) -> None:
    farm, neighbour, operator = platform.tenants
    for tenant in platform.tenants:
        await tenant.post(CATEGORIES, {"name": f"of {tenant.slug}", "slug": "own"})
    body = {"name": "Made on a visit", "slug": "visit"}
    made = await operator.client.post(CATEGORIES, json=body, headers=visiting(farm.slug))
    assert made.status_code == 201, made.text
    expected = {"Made on a visit", f"of {farm.slug}"}
    assert {*await names(operator.client, farm.slug)} == {*await names(farm.client)} == expected
    assert await names(operator.client, neighbour.slug) == await names(neighbour.client) == [f"of {neighbour.slug}"]
    assert await names(operator.client) == [f"of {PLATFORM_SLUG}"]


async def test_the_trail_of_the_visited_names_the_visitor(platform: Platform) -> None:
    farm, neighbour, operator = platform.tenants
    body = {"name": "Made on a visit", "slug": "visit"}
    made = await operator.client.post(CATEGORIES, json=body, headers=visiting(farm.slug))
    entity_id = made.json()["data"]["id"]
    [entry] = await farm.get(TRAIL, entity_id=entity_id)
    assert (entry["actor_kind"], entry["actor_name"], entry["address"]) == ("user", operator.username, "127.0.0.1")
    for elsewhere in (neighbour, operator):
        assert await elsewhere.get(TRAIL, entity_id=entity_id) == []


async def everybody_else(platform: Platform, tenant: Tenant) -> dict[str, httpx2.AsyncClient]:
    """One of each who has a credential and is no super administrator."""
    key, program = await make_key(tenant), await make_client(tenant)
    form = {"grant_type": "client_credentials", **{name: program[name] for name in ("client_id", "client_secret")}}
    async with platform.client() as anybody:
        token = (await anybody.post("/api/v1/auth/oauth/token", data=form)).json()["access_token"]
    _, gateway = await make_gateway(platform, tenant)
    viewer = await make_person(platform, tenant, "viewer")
    machines = {"API key": key["key"], "OAuth client": token, "gateway": gateway}
    return {
        "administrator": tenant.client,
        "viewer": viewer.client,
        **{who: platform.client(credential) for who, credential in machines.items()},
    }


async def test_nobody_else_visits_not_even_their_own(platform: Platform) -> None:
    farm, neighbour, _ = platform.tenants
    for who, client in (await everybody_else(platform, farm)).items():
        for slug in (neighbour.slug, PLATFORM_SLUG, farm.slug, "nobody-at-all", ""):
            answer = await client.get(CATEGORIES, headers=visiting(slug))
            assert refusal(answer) == FORBIDDEN, (who, slug)
        await client.aclose()


async def test_a_key_of_a_super_administrator_visits_nobody(platform: Platform) -> None:
    farm, _, operator = platform.tenants
    async with platform.client((await make_key(operator, "*"))["key"]) as program:
        assert (await program.get(CATEGORIES)).status_code == 200
        assert refusal(await program.get(CATEGORIES, headers=visiting(farm.slug))) == FORBIDDEN


async def test_an_organisation_that_is_not_there_is_not_visited(platform: Platform) -> None:
    *_, operator = platform.tenants
    for slug in ("nobody-at-all", "", "%", str(platform.tenant.organization.organization_id)):
        assert refusal(await operator.client.get(CATEGORIES, headers=visiting(slug))) == (404, "NOT_FOUND"), slug


async def test_no_administrator_makes_a_super_administrator(platform: Platform) -> None:
    farm, _, operator = platform.tenants
    person = await make_person(platform, farm, "viewer")
    whoami = (await person.client.get("/api/v1/auth/me")).json()["data"]
    [there] = [role["id"] for role in await operator.get(ROLES) if role["name"] == "super_admin"]
    assert "super_admin" not in [role["name"] for role in await farm.get(ROLES)]
    for answer, expected in (
        (await farm.client.post(f"{USERS}/{whoami['id']}/roles", json={"role_id": there}), (404, "NOT_FOUND")),
        (await farm.client.put(f"{USERS}/{whoami['id']}", json={"extra_permissions": ["*"]}), (403, "ROLE_TOO_MIGHTY")),
        (await farm.client.post(ROLES, json={"name": "king", "permissions": ["*"]}), (403, "ROLE_TOO_MIGHTY")),
    ):
        assert refusal(answer) == expected
