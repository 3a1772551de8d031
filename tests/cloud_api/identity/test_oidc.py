"""Signing in through an OpenID provider: who is let in as whom, and what is under way in which browser."""

import asyncio
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pyotp
from sqlalchemy import text

from cloud_api.identity.federation.service import SIGN_IN_LIFE
from cloud_api.kernel import clock
from cloud_api.kernel.tenancy import SystemScope
from tests.cloud_api.identity.federated import (
    LOOPBACK,
    PROVIDERS,
    REFUSED,
    Browser,
    address,
    begin,
    code_of,
    connect,
    data_of,
    oidc_provider,
    pass_time,
    platform,
    reasons,
    roles_of,
    sign_in_through,
    small_platform,
    travel,
    under_way,
)
from tests.cloud_api.identity.people import add_person, change_person, me, sign_in
from tests.platform_under_test import Platform, open_platform
from tests.services.identity_provider import CLIENT_SECRET, IdentityProvider, identity_provider, identity_providers

__all__ = ["identity_provider", "identity_providers", "platform", "small_platform"]


async def test_a_sign_in_page_learns_how_an_organisation_signs_in(
    small_platform: Platform, identity_provider: IdentityProvider
) -> None:
    provider_id = await connect(small_platform.tenant, oidc_provider(identity_provider))
    await connect(small_platform.tenant, oidc_provider(identity_provider, name="off", is_active=False))
    async with small_platform.client() as anybody:
        path = "/api/v1/auth/oauth/providers"
        shown = (await anybody.get(path, params={"organization": small_platform.tenant.slug})).json()["data"]
        nobodys = (await anybody.get(path, params={"organization": "nobody-at-all"})).json()["data"]
    authorize = f"/api/v1/auth/oauth/{provider_id}/authorize"
    assert shown == [{"display_name": "Works account", "kind": "oidc", "authorize_url": authorize}]
    assert nobodys == []


async def test_the_way_to_the_provider_has_state_nonce_and_pkce_and_no_secret(
    small_platform: Platform, identity_provider: IdentityProvider
) -> None:
    provider_id = await connect(small_platform.tenant, oidc_provider(identity_provider))
    begun, again = [data_of(await begin(small_platform, provider_id)) for _ in range(2)]
    parts = urlsplit(begun["authorization_url"])
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{identity_provider.issuer}/authorize"
    assert asked.keys() == {
        "response_type",
        "client_id",
        "redirect_uri",
        "scope",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
    }
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert begun["binding"] not in begun["authorization_url"]
    assert begun["binding"] != again["binding"]
    assert asked["state"] not in again["authorization_url"]
    assert asked["nonce"] not in again["authorization_url"]


async def test_nothing_that_a_thief_of_the_database_could_use_is_kept_in_the_clear(
    small_platform: Platform, identity_provider: IdentityProvider
) -> None:
    provider_id = await connect(small_platform.tenant, oidc_provider(identity_provider))
    begun = data_of(await begin(small_platform, provider_id))
    asked = parse_qs(urlsplit(begun["authorization_url"]).query)
    async with small_platform.database.unit_of_work(SystemScope("test"), read_only=True) as db:
        rows = [
            *(await db.execute(text("SELECT * FROM oauth_sign_ins"))),
            *(await db.execute(text("SELECT * FROM identity_providers"))),
        ]
    kept = str(rows)
    for secret in (begun["binding"], asked["state"][0], asked["nonce"][0], CLIENT_SECRET):
        assert secret not in kept


async def test_somebody_known_by_a_verified_address_signs_in_and_is_known_by_subject_afterwards(
    platform: Platform, identity_provider: IdentityProvider
) -> None:
    person = await add_person(platform, roles=["inventory_staff"])
    provider_id = await connect(platform.tenant, oidc_provider(identity_provider))
    identity_provider.sign_in(sub="s-1", email=person.email.upper(), name="Asha")
    signed_in = data_of(await sign_in_through(platform, provider_id))
    assert signed_in["user"]["username"] == person.username
    assert signed_in["user"]["roles"] == ["inventory_staff"]
    assert signed_in["user"]["email_verified"] is True
    assert data_of(await me(platform, signed_in["access_token"])) == signed_in["user"]

    identity_provider.sign_in(sub="s-1", email=address(platform.tenant, "married-name"))
    assert data_of(await sign_in_through(platform, provider_id))["user"]["username"] == person.username
    async with platform.client() as anybody:
        refreshed = await anybody.post("/api/v1/auth/refresh", json={"refresh_token": signed_in["refresh_token"]})
    assert data_of(refreshed)["user"] == signed_in["user"]


async def test_an_address_that_the_provider_did_not_verify_proves_nothing(
    small_platform: Platform, identity_provider: IdentityProvider
) -> None:
    provider_id = await connect(small_platform.tenant, oidc_provider(identity_provider))
    email = f"{small_platform.tenant.username}@{small_platform.tenant.slug}.example"
    for claims in ({"email": email, "email_verified": False}, {"email": email, "email_verified": "true"}, {}):
        identity_provider.person = {"sub": "s-1", **claims}
        assert code_of(await sign_in_through(small_platform, provider_id)) == REFUSED
    identity_provider.person = {"sub": "s-1", "email": email}
    assert code_of(await sign_in_through(small_platform, provider_id)) == REFUSED
    assert set(await reasons(small_platform.tenant)) == {"the provider vouches for no e-mail address"}


async def test_who_gets_a_recycled_address_does_not_get_the_account(
    platform: Platform, identity_provider: IdentityProvider
) -> None:
    person = await add_person(platform)
    provider_id = await connect(platform.tenant, oidc_provider(identity_provider))
    identity_provider.sign_in(sub="s-1", email=person.email)
    data_of(await sign_in_through(platform, provider_id))
    identity_provider.sign_in(sub="s-2", email=person.email)
    assert code_of(await sign_in_through(platform, provider_id)) == REFUSED
    assert "is somebody else there" in (await reasons(platform.tenant))[0]


async def test_a_provider_of_one_organisation_lets_nobody_into_another(
    platform: Platform, identity_provider: IdentityProvider
) -> None:
    stranger = await platform.found()
    body = oidc_provider(identity_provider, create_users=True, default_role="viewer")
    body["allowed_domains"] = [f"{platform.tenant.slug}.example"]
    provider_id = await connect(stranger, body)
    identity_provider.sign_in(sub="s-1", email=f"{platform.tenant.username}@{platform.tenant.slug}.example")
    assert code_of(await sign_in_through(platform, provider_id)) == REFUSED
    assert await reasons(stranger) == ["the address is in use in another organisation"]
    assert await reasons(platform.tenant) == []


async def test_a_newcomer_is_created_when_allowed_with_the_roles_of_their_groups(
    platform: Platform, identity_provider: IdentityProvider
) -> None:
    domain = f"{platform.tenant.slug}.example"
    body = oidc_provider(
        identity_provider,
        create_users=True,
        allowed_domains=[domain],
        default_role="viewer",
        role_mapping={"store-keepers": "warehouse_manager", "packers": "inventory_staff"},
    )
    provider_id = await connect(platform.tenant, body)
    claims = {"preferred_username": "Änne O'Neil@corp", "name": "Änne O'Neil", "groups": ["packers", "cyclists", 7]}
    identity_provider.sign_in(sub="s-1", email=f"anne@{domain}", **claims)
    user = data_of(await sign_in_through(platform, provider_id))["user"]
    assert (user["username"], user["full_name"], user["roles"]) == ("nneoneil", "Änne O'Neil", ["inventory_staff"])
    assert user["organization"]["slug"] == platform.tenant.slug

    identity_provider.sign_in(sub="s-2", email=f"bela@{domain}", preferred_username="nneoneil")
    second = data_of(await sign_in_through(platform, provider_id))["user"]
    assert second["username"].startswith("nneoneil-")
    assert second["roles"] == ["viewer"]
    assert code_of(await sign_in(platform, "nneoneil", "")) == (422, "VALIDATION_FAILED")
    assert code_of(await sign_in(platform, "nneoneil", "None")) == (401, "WRONG_CREDENTIALS")


async def test_nobody_is_created_unasked_or_from_elsewhere(
    small_platform: Platform, identity_provider: IdentityProvider
) -> None:
    domain = f"{small_platform.tenant.slug}.example"
    provider_id = await connect(small_platform.tenant, oidc_provider(identity_provider, default_role="viewer"))
    identity_provider.sign_in(sub="s-1", email=f"new@{domain}")
    assert code_of(await sign_in_through(small_platform, provider_id)) == REFUSED
    creating = oidc_provider(identity_provider, create_users=True, allowed_domains=[domain], name="creating")
    without_role = await connect(small_platform.tenant, creating)
    assert code_of(await sign_in_through(small_platform, without_role)) == REFUSED
    identity_provider.sign_in(sub="s-1", email=f"new@not-{domain}")
    assert code_of(await sign_in_through(small_platform, without_role)) == REFUSED
    assert await reasons(small_platform.tenant) == [
        f"addresses of not-{domain} are not allowed",
        "none of their groups has a role here, and there is no default role",
        "nobody here has this address, and the provider creates no accounts",
    ]
    anybodys = await small_platform.tenant.client.post(
        PROVIDERS, json=oidc_provider(identity_provider, name="open", create_users=True)
    )
    assert code_of(anybodys) == (422, "INVALID")


async def test_roles_follow_the_groups_and_what_was_given_by_hand_stays(
    platform: Platform, identity_provider: IdentityProvider
) -> None:
    person = await add_person(platform, roles=["supplier_manager"])
    mapping = {"keepers": "warehouse_manager", "packers": "inventory_staff"}
    provider_id = await connect(
        platform.tenant, oidc_provider(identity_provider, role_mapping=mapping, default_role="viewer")
    )
    for groups, expected in (
        (["keepers", "packers"], ["inventory_staff", "supplier_manager", "warehouse_manager"]),
        ("packers", ["inventory_staff", "supplier_manager"]),
        ([], ["supplier_manager"]),
        ({"keepers": True}, ["supplier_manager"]),
    ):
        identity_provider.sign_in(sub="s-1", email=person.email, groups=groups)
        assert data_of(await sign_in_through(platform, provider_id))["user"]["roles"] == expected
        assert await roles_of(platform, person.email) == expected


async def test_the_last_administrator_stays_one_whatever_the_groups_say(
    platform: Platform, identity_provider: IdentityProvider
) -> None:
    provider_id = await connect(platform.tenant, oidc_provider(identity_provider, role_mapping={"chiefs": "org_admin"}))
    email = f"{platform.tenant.username}@{platform.tenant.slug}.example"
    identity_provider.sign_in(sub="s-1", email=email, groups=[])
    assert data_of(await sign_in_through(platform, provider_id))["user"]["roles"] == ["org_admin"]
    await add_person(platform, roles=["org_admin"])
    assert data_of(await sign_in_through(platform, provider_id))["user"]["roles"] == []


async def test_who_is_suspended_is_not_let_in_by_the_provider(
    small_platform: Platform, identity_provider: IdentityProvider
) -> None:
    person = await add_person(small_platform)
    provider_id = await connect(small_platform.tenant, oidc_provider(identity_provider))
    identity_provider.sign_in(sub="s-1", email=person.email)
    data_of(await sign_in_through(small_platform, provider_id))
    await change_person(small_platform, person, status="suspended")
    assert code_of(await sign_in_through(small_platform, provider_id)) == REFUSED
    assert (await reasons(small_platform.tenant))[0].endswith("is not active")


async def test_a_state_works_once(small_platform: Platform, identity_provider: IdentityProvider) -> None:
    person = await add_person(small_platform)
    provider_id = await connect(small_platform.tenant, oidc_provider(identity_provider))
    identity_provider.sign_in(sub="s-1", email=person.email)
    browser = await travel(small_platform, provider_id)
    data_of(await browser.finish())
    fresh = await travel(small_platform, provider_id)
    asked_before = identity_provider.requests["token"]
    assert code_of(await browser.finish()) == REFUSED
    assert code_of(await browser.finish(code=fresh.code)) == REFUSED
    assert identity_provider.requests["token"] == asked_before, "the provider is not bothered with it"


async def test_of_eight_answers_at_once_with_one_state_one_is_let_in(
    platform: Platform, identity_provider: IdentityProvider
) -> None:
    person = await add_person(platform)
    provider_id = await connect(platform.tenant, oidc_provider(identity_provider))
    identity_provider.sign_in(sub="s-1", email=person.email)
    identity_provider.forgetful = True
    browser = await travel(platform, provider_id)
    answers = await asyncio.gather(*(browser.finish() for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 7


async def test_a_state_of_nobody_of_another_browser_or_of_another_provider_is_refused(
    platform: Platform, identity_provider: IdentityProvider
) -> None:
    person = await add_person(platform)
    provider_id = await connect(platform.tenant, oidc_provider(identity_provider))
    other_id = await connect(platform.tenant, oidc_provider(identity_provider, name="other"))
    identity_provider.sign_in(sub="s-1", email=person.email)
    mine, thiefs = [await travel(platform, provider_id) for _ in range(2)]
    assert code_of(await mine.finish(state="x" * 43)) == REFUSED
    assert code_of(await mine.finish(binding="x" * 43)) == REFUSED
    assert code_of(await mine.finish(code=thiefs.code, state=thiefs.state)) == REFUSED, "a link with the thief's answer"
    elsewhere = Browser(platform, other_id, mine.binding, mine.state, mine.code)
    assert code_of(await elsewhere.finish()) == REFUSED
    assert identity_provider.requests["token"] == 0
    data_of(await mine.finish())


async def test_who_takes_too_long_begins_again(platform: Platform, identity_provider: IdentityProvider) -> None:
    person = await add_person(platform)
    provider_id = await connect(platform.tenant, oidc_provider(identity_provider))
    identity_provider.sign_in(sub="s-1", email=person.email)
    browser = await travel(platform, provider_id)
    pass_time(SIGN_IN_LIFE + timedelta(seconds=1))
    assert code_of(await browser.finish()) == REFUSED
    await begin(platform, provider_id)
    assert await under_way(platform, provider_id) == 1, "what is too old is taken away by the next"


async def test_a_code_of_another_sign_in_does_not_fit_the_verifier(
    small_platform: Platform, identity_provider: IdentityProvider
) -> None:
    person = await add_person(small_platform)
    provider_id = await connect(small_platform.tenant, oidc_provider(identity_provider))
    identity_provider.sign_in(sub="s-1", email=person.email)
    mine, stolen = [await travel(small_platform, provider_id) for _ in range(2)]
    assert code_of(await mine.finish(code=stolen.code)) == REFUSED
    assert await reasons(small_platform.tenant) == ["the token endpoint answered 400 invalid_grant"]
    assert code_of(await mine.finish()) == REFUSED, "what was under way is over"


async def test_an_administrators_second_factor_is_met_by_the_providers(
    sqlite_url: str, identity_provider: IdentityProvider
) -> None:
    async with open_platform(sqlite_url, outbound_allowed=LOOPBACK) as platform:
        provider_id = await connect(platform.tenant, oidc_provider(identity_provider))
        administrator = await add_person(platform, roles=["org_admin"])
    async with open_platform(sqlite_url, outbound_allowed=LOOPBACK, two_factor_for_admins=True) as platform:
        for claims, duty in (
            ({}, "TWO_FACTOR_REQUIRED"),
            ({"amr": ["pwd"], "acr": "1"}, "TWO_FACTOR_REQUIRED"),
            ({"amr": ["pwd", "mfa"]}, None),
            ({"acr": "https://refeds.org/profile/mfa"}, None),
        ):
            identity_provider.sign_in(sub="s-1", email=administrator.email, **claims)
            signed_in = data_of(await sign_in_through(platform, provider_id))
            assert signed_in["user"]["duty"] == duty, claims
            async with platform.client(signed_in["access_token"]) as client:
                assert (await client.get(PROVIDERS)).status_code == (403 if duty else 200)


async def test_a_second_factor_of_ours_is_asked_for_unless_the_provider_saw_one(
    small_platform: Platform, identity_provider: IdentityProvider
) -> None:
    person = await add_person(small_platform)
    provider_id = await connect(small_platform.tenant, oidc_provider(identity_provider))
    identity_provider.sign_in(sub="s-1", email=person.email)
    access = data_of(await sign_in_through(small_platform, provider_id))["access_token"]
    async with small_platform.client(access) as client:
        secret = data_of(await client.post("/api/v1/auth/2fa/setup"))["secret"]
        code = pyotp.TOTP(secret).at(clock.now())
        data_of(await client.post("/api/v1/auth/2fa/enable", json={"code": code}))

    challenge = data_of(await sign_in_through(small_platform, provider_id))
    assert "access_token" not in challenge
    pass_time(timedelta(seconds=30))
    body = {"challenge": challenge["challenge"], "code": pyotp.TOTP(secret).at(clock.now())}
    async with small_platform.client() as client:
        assert "access_token" in data_of(await client.post("/api/v1/auth/2fa/challenge", json=body))
    identity_provider.sign_in(sub="s-1", email=person.email, amr=["mfa"])
    assert "access_token" in data_of(await sign_in_through(small_platform, provider_id))


async def test_an_old_password_does_not_matter_to_who_does_not_use_it(
    small_platform: Platform, identity_provider: IdentityProvider
) -> None:
    administrator = await add_person(small_platform, roles=["org_admin"])
    provider_id = await connect(small_platform.tenant, oidc_provider(identity_provider))
    await change_person(small_platform, administrator, must_change_password=True)
    identity_provider.sign_in(sub="s-1", email=administrator.email)
    assert data_of(await sign_in_through(small_platform, provider_id))["user"]["duty"] is None
    assert data_of(await sign_in(small_platform, administrator.username))["user"]["duty"] == "PASSWORD_EXPIRED"
