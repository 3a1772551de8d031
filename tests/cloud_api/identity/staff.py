"""People who are signed in and ask for things, and what they hear."""

from collections.abc import Sequence
from dataclasses import dataclass

import httpx2

from tests.cloud_api.identity.people import add_person, tokens
from tests.platform_under_test import Platform, Tenant

USERS = "/api/v1/admin/users"
ROLES = "/api/v1/admin/roles"
TEAMS = "/api/v1/teams"
INVITES = "/api/v1/invites"
ORGANIZATIONS = "/api/v1/organizations"
PRIVACY = "/api/v1/privacy"


@dataclass(frozen=True)
class Member(Tenant):
    """Somebody of an organisation, signed in."""

    id: str


async def join(platform: Platform, *, roles: Sequence[str] = ("viewer",)) -> Member:
    """Somebody else in the platform's first organisation, signed in."""
    person = await add_person(platform, roles=roles)
    signed_in = await tokens(platform, person.username)
    tenant = platform.tenant
    member = Member(
        tenant.organization,
        tenant.slug,
        person.username,
        platform.client(signed_in["access_token"]),
        signed_in["user"]["id"],
    )
    platform.tenants.append(member)
    return member


async def own_id(tenant: Tenant) -> str:
    """Who the administrator of `found()` is."""
    return str((await tenant.get("/api/v1/auth/me"))["id"])


async def make_role(tenant: Tenant, name: str, *permissions: str, reach: str = "organization") -> str:
    """The id of a custom role."""
    made = await tenant.post(ROLES, {"name": name, "permissions": permissions, "reach": reach})
    return str(made["id"])


def refusal(answer: httpx2.Response) -> tuple[int, str]:
    """Status and code of an answer that says no."""
    body = answer.json()
    assert not body["success"], body
    return answer.status_code, body["error"]["code"]
