"""What an OpenID provider answers: every way in which it may be wrong, and what is kept of what it publishes."""

from datetime import timedelta
from typing import get_args

import pytest

from cloud_api.identity.federation import oidc
from cloud_api.kernel.addresses import parse_networks
from cloud_api.kernel.outbound import OutboundPolicy
from tests.cloud_api.identity.federated import (
    AWAY,
    LOOPBACK,
    REFUSED,
    begin,
    code_of,
    connect,
    data_of,
    oidc_provider,
    pass_time,
    platform,
    reasons,
    sign_in_through,
    small_platform,
    travel,
    under_way,
)
from tests.cloud_api.identity.people import add_person
from tests.platform_under_test import Platform
from tests.services.identity_provider import (
    CONFIGURATION,
    Fault,
    IdentityProvider,
    identity_provider,
    identity_providers,
)

__all__ = ["identity_provider", "identity_providers", "platform", "small_platform"]

LIES: dict[Fault, str] = {
    "wrong_nonce": "nonce",
    "wrong_audience": "aud",
    "wrong_issuer": "iss",
    "expired": "xpired",
    "from_tomorrow": "future",
    "tampered": "BadSignature",
    "alg_none": "none",
    "hs256_with_the_public_key": "HS256",
    "another_key_of_the_same_id": "BadSignature",
    "wrong_at_hash": "at_hash",
    "no_id_token": "the token endpoint answered 200",
}
SILENCES: tuple[Fault, ...] = ("down", "not_json", "not_itself", "redirecting", "endless_keys")


def test_every_fault_of_the_provider_has_its_story() -> None:
    assert {"", *LIES, *SILENCES} == set(get_args(Fault))


@pytest.mark.parametrize("fault", LIES)
async def test_an_id_token_that_does_not_hold_lets_nobody_in(
    small_platform: Platform, identity_provider: IdentityProvider, fault: Fault
) -> None:
    person = await add_person(small_platform)
    provider_id = await connect(small_platform.tenant, oidc_provider(identity_provider))
    identity_provider.sign_in(sub="s-1", email=person.email)
    browser = await travel(small_platform, provider_id)
    identity_provider.fault = fault
    answer = await browser.finish()
    assert code_of(answer) == REFUSED
    [reason] = await reasons(small_platform.tenant)
    assert LIES[fault] in reason
    assert reason not in answer.text, "a stranger does not learn what to do better"
    assert await under_way(small_platform, provider_id) == 0
    identity_provider.fault = ""
    assert data_of(await sign_in_through(small_platform, provider_id))["user"]["username"] == person.username


async def test_a_provider_whose_clock_is_a_little_off_is_believed(
    small_platform: Platform, identity_provider: IdentityProvider
) -> None:
    person = await add_person(small_platform)
    provider_id = await connect(small_platform.tenant, oidc_provider(identity_provider))
    identity_provider.sign_in(sub="s-1", email=person.email)
    identity_provider.ahead_s = 30
    data_of(await sign_in_through(small_platform, provider_id))
    identity_provider.ahead_s = 120
    assert code_of(await sign_in_through(small_platform, provider_id)) == REFUSED


@pytest.mark.parametrize("fault", SILENCES)
async def test_a_provider_that_is_away_is_told_as_such_and_nothing_is_half_done(
    small_platform: Platform, identity_provider: IdentityProvider, fault: Fault
) -> None:
    person = await add_person(small_platform)
    provider_id = await connect(small_platform.tenant, oidc_provider(identity_provider))
    identity_provider.fault = fault
    if fault != "endless_keys":
        away = await begin(small_platform, provider_id)
        assert (code_of(away), away.headers["retry-after"]) == (AWAY, "10")
        assert await under_way(small_platform, provider_id) == 0

    identity_provider.fault = ""
    identity_provider.sign_in(sub="s-1", email=person.email)
    browser = await travel(small_platform, provider_id)
    forgotten = timedelta(minutes=6)
    pass_time(forgotten)
    identity_provider.ahead_s = forgotten.total_seconds()
    identity_provider.fault = fault
    away = await browser.finish()
    assert (code_of(away), away.headers["retry-after"]) == (AWAY, "10")
    assert await reasons(small_platform.tenant) == []
    assert await under_way(small_platform, provider_id) == 1
    identity_provider.fault = ""
    data_of(await browser.finish())


async def test_what_a_provider_publishes_is_asked_for_once_in_a_while(
    small_platform: Platform, identity_provider: IdentityProvider
) -> None:
    person = await add_person(small_platform)
    provider_id = await connect(small_platform.tenant, oidc_provider(identity_provider))
    identity_provider.sign_in(sub="s-1", email=person.email)
    for _ in range(3):
        data_of(await sign_in_through(small_platform, provider_id))
    published = CONFIGURATION
    assert (identity_provider.requests[published], identity_provider.requests["keys"]) == (1, 1)
    pass_time(timedelta(minutes=6))
    identity_provider.ahead_s = 360
    data_of(await sign_in_through(small_platform, provider_id))
    assert (identity_provider.requests[published], identity_provider.requests["keys"]) == (2, 2)


async def test_a_new_key_of_the_provider_is_found_and_one_that_is_nowhere_is_looked_for_once(
    small_platform: Platform, identity_provider: IdentityProvider
) -> None:
    person = await add_person(small_platform)
    provider_id = await connect(small_platform.tenant, oidc_provider(identity_provider))
    identity_provider.sign_in(sub="s-1", email=person.email)
    data_of(await sign_in_through(small_platform, provider_id))
    identity_provider.rotate()
    data_of(await sign_in_through(small_platform, provider_id))
    assert identity_provider.requests["keys"] == 2
    browser = await travel(small_platform, provider_id)
    published = identity_provider.key.as_dict(private=False)
    identity_provider.rotate()
    identity_provider.published = published
    assert code_of(await browser.finish()) == REFUSED
    assert identity_provider.requests["keys"] == 3


async def test_a_provider_that_wants_its_clients_to_use_basic_is_served(
    small_platform: Platform, identity_provider: IdentityProvider
) -> None:
    identity_provider.auth_method = "client_secret_basic"
    person = await add_person(small_platform)
    provider_id = await connect(small_platform.tenant, oidc_provider(identity_provider))
    identity_provider.sign_in(sub="s-1", email=person.email)
    data_of(await sign_in_through(small_platform, provider_id))


async def test_more_providers_than_are_remembered_push_the_oldest_out(identity_provider: IdentityProvider) -> None:
    policy = OutboundPolicy(plain_http=True, allowed=parse_networks(LOOPBACK, field="test"))
    kept = oidc.Published[object](at_most=2)
    for number in (1, 2, 3, 3, 1):
        await kept.get(f"{identity_provider.issuer}/keys?{number}", policy, dict)
    assert identity_provider.requests["keys"] == 4
