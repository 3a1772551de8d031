"""Connecting a provider: what is refused, who gains what, and that nobody is locked out."""

import pytest
from sqlalchemy import select, update

from cloud_api.identity.federation.models import IdentityProvider as Connected
from cloud_api.identity.people.models import User
from cloud_api.identity.roles.models import Role
from cloud_api.kernel import clock
from cloud_api.kernel.tenancy import SystemScope
from tests.cloud_api.identity.federated import (
    PROVIDERS,
    REFUSED,
    SETTINGS,
    address,
    begin,
    code_of,
    connect,
    data_of,
    oidc_provider,
    platform,
    reasons,
    sign_in_through,
    small_platform,
    travel,
)
from tests.cloud_api.identity.people import add_person, sign_in
from tests.platform_under_test import Platform, Tenant
from tests.services.identity_provider import CLIENT_SECRET, IdentityProvider, identity_provider, identity_providers

__all__ = ["identity_provider", "identity_providers", "platform", "small_platform"]


async def test_single_sign_on_is_enforced_only_after_an_administrator_came_through(
    platform: Platform, identity_provider: IdentityProvider
) -> None:
    tenant, enforce = platform.tenant, {"value": True}
    refused = (409, "NOBODY_CAME_THROUGH")
    assert code_of(await tenant.client.put(f"{SETTINGS}/sso_enforced", json=enforce)) == refused
    provider_id = await connect(tenant, oidc_provider(identity_provider))
    viewer = await add_person(platform)
    identity_provider.sign_in(sub="s-2", email=viewer.email)
    data_of(await sign_in_through(platform, provider_id))
    assert code_of(await tenant.client.put(f"{SETTINGS}/sso_enforced", json=enforce)) == refused
    identity_provider.sign_in(sub="s-1", email=address(tenant, tenant.username))
    data_of(await sign_in_through(platform, provider_id))
    await tenant.put(f"{SETTINGS}/sso_enforced", enforce)

    assert code_of(await sign_in(platform, viewer.username)) == (403, "SINGLE_SIGN_ON_ONLY")
    assert code_of(await sign_in(platform, viewer.username, "Wrong-password-1")) == (401, "WRONG_CREDENTIALS")
    assert code_of(await sign_in(platform, "nobody-at-all")) == (401, "WRONG_CREDENTIALS")
    data_of(await sign_in_through(platform, provider_id))
    for answer in (
        await tenant.client.delete(f"{PROVIDERS}/{provider_id}"),
        await tenant.client.put(f"{PROVIDERS}/{provider_id}", json=oidc_provider(identity_provider, is_active=False)),
    ):
        assert code_of(answer) == refused
    await tenant.put(f"{SETTINGS}/sso_enforced", {"value": False})
    assert (await tenant.client.delete(f"{PROVIDERS}/{provider_id}")).status_code == 204
    assert code_of(await begin(platform, provider_id)) == (404, "NOT_FOUND")


async def test_what_administrators_see_of_a_provider_has_no_secret(
    small_platform: Platform, identity_provider: IdentityProvider
) -> None:
    tenant = small_platform.tenant
    made = await tenant.post(PROVIDERS, oidc_provider(identity_provider))
    [listed] = await tenant.get(PROVIDERS)
    assert made == listed == await tenant.get(f"{PROVIDERS}/{made['id']}")
    assert made["has_secret"] is True
    assert CLIENT_SECRET not in str(await tenant.get("/api/v1/admin/security/audit-logs", limit=200))
    assert CLIENT_SECRET not in str(made)
    taken = await tenant.client.post(PROVIDERS, json=oidc_provider(identity_provider))
    assert code_of(taken) == (409, "ALREADY_EXISTS")


async def test_a_secret_stays_unless_it_is_sent_and_goes_to_no_other_address(
    small_platform: Platform, identity_provider: IdentityProvider
) -> None:
    tenant = small_platform.tenant
    person = await add_person(small_platform)
    provider_id = await connect(tenant, oidc_provider(identity_provider))
    body = oidc_provider(identity_provider, display_name="Renamed")
    del body["client_secret"]
    assert (await tenant.put(f"{PROVIDERS}/{provider_id}", body))["display_name"] == "Renamed"
    moved = {**body, "issuer": "http://127.0.0.1:9"}
    assert code_of(await tenant.client.put(f"{PROVIDERS}/{provider_id}", json=moved)) == (422, "INVALID")
    identity_provider.sign_in(sub="s-1", email=person.email)
    data_of(await sign_in_through(small_platform, provider_id))
    moved["client_secret"] = "another"
    assert code_of(await tenant.client.put(f"{PROVIDERS}/{provider_id}", json=moved)) == (409, "CONFLICT")


async def test_a_changed_provider_takes_no_answer_to_what_was_asked_before(
    small_platform: Platform, identity_provider: IdentityProvider
) -> None:
    person = await add_person(small_platform)
    provider_id = await connect(small_platform.tenant, oidc_provider(identity_provider))
    identity_provider.sign_in(sub="s-1", email=person.email)
    browser = await travel(small_platform, provider_id)
    await small_platform.tenant.put(f"{PROVIDERS}/{provider_id}", oidc_provider(identity_provider))
    assert code_of(await browser.finish()) == REFUSED


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"issuer": "http://10.0.0.1"}, "issuer"),
        ({"issuer": "http://169.254.169.254/latest"}, "issuer"),
        ({"issuer": "http://user:word@127.0.0.1"}, "issuer"),
        ({"issuer": "ldap://127.0.0.1"}, "issuer"),
        ({"redirect_url": "javascript:alert(1)"}, "redirect_url"),
        ({"default_role": "king"}, "roles"),
        ({"role_mapping": {"x": "king"}}, "roles"),
        ({"scopes": "email profile"}, "oidc.scopes"),
        ({"client_id": "with blank"}, "oidc.client_id"),
        ({"allowed_domains": ["Farm.example"]}, "oidc.allowed_domains.0"),
        ({"kind": "saml"}, "body"),
        ({"base_dn": "dc=farm"}, "oidc.base_dn"),
    ],
)
async def test_a_provider_that_is_not_safe_or_makes_no_sense_is_refused(
    small_platform: Platform, identity_provider: IdentityProvider, changed: dict[str, object], field: str
) -> None:
    answer = await small_platform.tenant.client.post(PROVIDERS, json=oidc_provider(identity_provider, **changed))
    assert answer.status_code == 422, answer.text
    assert [detail["field"] for detail in answer.json()["error"]["details"]] == [field]


async def integrator(platform: Platform) -> Tenant:
    """Somebody who may connect integrations, and little else."""
    async with platform.database.unit_of_work(platform.tenant.organization) as db:
        db.add(Role(name="integrator", permissions=["integrations:manage", "products:read"], created_at=clock.now()))
    person = await add_person(platform, roles=["integrator"])
    token = data_of(await sign_in(platform, person.username))["access_token"]
    tenant = Tenant(platform.tenant.organization, platform.tenant.slug, person.username, platform.client(token))
    platform.tenants.append(tenant)
    return tenant


async def test_who_connects_a_provider_gains_nothing_by_it(
    platform: Platform, identity_provider: IdentityProvider
) -> None:
    schemer = await integrator(platform)
    mapped = oidc_provider(identity_provider, role_mapping={"me": "org_admin"})
    assert code_of(await schemer.client.post(PROVIDERS, json=mapped)) == (403, "ROLE_TOO_MIGHTY")
    provider_id = await connect(schemer, oidc_provider(identity_provider))
    identity_provider.sign_in(sub="s-1", email=address(platform.tenant, platform.tenant.username))
    assert code_of(await sign_in_through(platform, provider_id)) == REFUSED
    assert "may more than" in (await reasons(platform.tenant))[0]

    viewer = await add_person(platform, roles=["integrator"])
    identity_provider.sign_in(sub="s-2", email=viewer.email)
    data_of(await sign_in_through(platform, provider_id))
    async with platform.database.unit_of_work(SystemScope("test")) as db:
        await db.execute(update(User).where(User.username == viewer.username).values(extra_permissions="users:write"))
    assert code_of(await sign_in_through(platform, provider_id)) == REFUSED

    await platform.tenant.put(f"{PROVIDERS}/{provider_id}", oidc_provider(identity_provider))
    data_of(await sign_in_through(platform, provider_id))
    async with platform.database.unit_of_work(SystemScope("test"), read_only=True) as db:
        kept = (await db.scalars(select(Connected.vouched_roles).where(Connected.name == "works"))).all()
    assert ["org_admin"] in kept
