"""Signing in by a directory: a real OpenLDAP, by StartTLS and by ldaps://."""

import asyncio
import itertools
import json
import re
import socket
from typing import Any

import httpx2
import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.identity.federation import directory
from cloud_api.identity.federation.models import IdentityProvider
from cloud_api.kernel import clock
from cloud_api.kernel.outbound import OutboundPolicy
from tests.cloud_api.identity.federated import (
    AWAY,
    PROVIDERS,
    REFUSED,
    SETTINGS,
    address,
    code_of,
    connect,
    data_of,
    platform,
    reasons,
    roles_of,
    small_platform,
)
from tests.cloud_api.identity.people import Person, add_person, change_person, me, sign_in
from tests.platform_under_test import Platform, settings_for_tests
from tests.services.slapd import (
    GROUPS,
    PEOPLE,
    SEARCHER,
    SEARCHER_PASSWORD,
    SUFFIX,
    Authority,
    PrivateSlapd,
    slapd,
)

__all__ = ["platform", "slapd", "small_platform"]

DIRECTORY_PASSWORD = "In the cold-room 7"
WRONG = (401, "WRONG_CREDENTIALS")
_numbers = itertools.count(1)


def ldap_provider(slapd: PrivateSlapd, **changed: Any) -> dict[str, Any]:
    """What an administrator sends to connect the directory."""
    return {
        "kind": "ldap",
        "name": "directory",
        "display_name": "Directory",
        "url": slapd.tls_url,
        "base_dn": SUFFIX,
        "user_filter": "(|(uid={login})(mail={login}))",
        "bind_dn": SEARCHER,
        "bind_password": SEARCHER_PASSWORD,
        "ca_certificates": slapd.authority.pem,
        "create_users": True,
        "default_role": "viewer",
        **changed,
    }


async def log_in(
    platform: Platform, login: str, password: str = DIRECTORY_PASSWORD, *, organization: str | None = None
) -> httpx2.Response:
    body = {"organization": organization or platform.tenant.slug, "login": login, "password": password}
    async with platform.client() as client:
        return await client.post("/api/v1/auth/ldap/login", json=body)


def newcomer(slapd: PrivateSlapd, platform: Platform, *, mail: str | None = None) -> tuple[str, str]:
    """(uid, distinguished name) of somebody new in the directory."""
    uid = f"asha{next(_numbers)}"
    return uid, slapd.add_person(uid, DIRECTORY_PASSWORD, mail=address(platform.tenant, uid) if mail is None else mail)


@pytest.mark.parametrize("encryption", ["ldaps", "start_tls"])
async def test_somebody_of_the_directory_signs_in_with_the_role_of_their_group(
    platform: Platform, slapd: PrivateSlapd, encryption: str
) -> None:
    uid, dn = newcomer(slapd, platform)
    group = slapd.add_group(f"keepers-{uid}", dn)
    written_otherwise = group.upper().replace(",", ", ")
    url = slapd.tls_url if encryption == "ldaps" else slapd.url
    mapping = {written_otherwise: "warehouse_manager"}
    await connect(platform.tenant, ldap_provider(slapd, url=url, role_mapping=mapping))
    signed_in = data_of(await log_in(platform, uid))
    user = signed_in["user"]
    assert (user["username"], user["full_name"], user["roles"]) == (uid, "Asha Patil", ["warehouse_manager"])
    assert user["organization"]["slug"] == platform.tenant.slug
    assert data_of(await me(platform, signed_in["access_token"])) == user
    assert data_of(await log_in(platform, user["email"]))["user"]["id"] == user["id"]
    assert "STARTTLS" in slapd.output() or encryption == "ldaps"


async def test_roles_follow_the_groups_at_each_sign_in(platform: Platform, slapd: PrivateSlapd) -> None:
    uid, dn = newcomer(slapd, platform)
    group = slapd.add_group(f"packers-{uid}", dn)
    await connect(platform.tenant, ldap_provider(slapd, role_mapping={group: "inventory_staff"}))
    assert data_of(await log_in(platform, uid))["user"]["roles"] == ["inventory_staff"]
    slapd.leave(group, dn)
    assert data_of(await log_in(platform, uid))["user"]["roles"] == []
    assert await roles_of(platform, address(platform.tenant, uid)) == []


async def test_every_reason_to_refuse_gives_one_answer_after_the_same_questions(
    platform: Platform, slapd: PrivateSlapd
) -> None:
    uid, _ = newcomer(slapd, platform)
    other = await platform.found()
    await connect(platform.tenant, ldap_provider(slapd))
    heard, questions = set(), []
    for login, password in (
        (uid, "Wrong-password-1"),
        (f"{uid}@nowhere.example", DIRECTORY_PASSWORD),
        ("nobody-at-all", DIRECTORY_PASSWORD),
        ("*", DIRECTORY_PASSWORD),
        ("a*", DIRECTORY_PASSWORD),
    ):
        before = len(slapd.output())
        answer = await log_in(platform, login, password)
        heard.add((code_of(answer), json.dumps(answer.json()["error"])))
        asked = slapd.output()[before:]
        questions.append((asked.count(" method=128"), asked.count(" SRCH base=")))
    for organization in (other.slug, "nobody-at-all"):
        answer = await log_in(platform, uid, organization=organization)
        heard.add((code_of(answer), json.dumps(answer.json()["error"])))
    assert [code for code, _ in heard] == [WRONG]
    assert set(questions) == {(2, 2)}, "the searcher and the login bind, the entry and its groups are searched for"


@pytest.mark.parametrize("password", ["", "\u00ad", "\u200b\u2060", "\x00", "\u00ad\u00ad"])
async def test_no_password_that_is_empty_or_becomes_it_lets_anybody_in(
    small_platform: Platform, slapd: PrivateSlapd, password: str
) -> None:
    uid, _ = newcomer(slapd, small_platform)
    await connect(small_platform.tenant, ldap_provider(slapd))
    answer = await log_in(small_platform, uid, password)
    assert answer.status_code == (422 if password in {"", "\x00"} else 401)


async def test_this_directory_takes_an_empty_password_for_a_name(slapd: PrivateSlapd) -> None:
    """What the story above is about: without it that one would prove nothing."""
    uid = f"asha{next(_numbers)}"
    dn = slapd.add_person(uid, DIRECTORY_PASSWORD)
    assert slapd.lets_in(dn, "")
    assert not slapd.lets_in(dn, "wrong")
    provider = IdentityProvider(url=slapd.url, base_dn=SUFFIX, start_tls=False, ca_certificates="")
    entry = directory.Entry(subject="x", email="", username="", full_name="", groups=frozenset(), dn=dn)
    assert await directory.password_is_right(provider, entry, "", OutboundPolicy()) is False


@pytest.mark.parametrize(
    "login",
    ["*)(uid=*", "asha)(|(uid=*", "\\2a", "a*)(userPassword=*", ")(objectClass=*)", "\u0000", "(", "\\", "é*"],
)
async def test_a_login_is_never_a_part_of_the_filter(small_platform: Platform, slapd: PrivateSlapd, login: str) -> None:
    newcomer(slapd, small_platform)
    await connect(small_platform.tenant, ldap_provider(slapd, user_filter="(uid={login})"))
    before = len(slapd.output())
    answer = await log_in(small_platform, login)
    assert code_of(answer) in {WRONG, (422, "VALIDATION_FAILED")}
    for asked in re.findall(r'filter="(?!\(\|\(member=)(.*)"', slapd.output()[before:]):
        assert re.fullmatch(r"\(uid=[^()*]*\)", asked), asked


@given(st.text(max_size=100))
def test_whatever_is_typed_the_filter_keeps_its_form(login: str) -> None:
    text = directory.filter_for("(&(objectClass=person)(|(uid={login})(mail={login})))", login)
    assert text.count("(") == text.count(")") == 5
    assert "*" not in text
    assert "\0" not in text


async def test_too_many_wrong_passwords_lock_the_name_even_for_the_right_one(
    platform: Platform, slapd: PrivateSlapd
) -> None:
    uid, _ = newcomer(slapd, platform)
    await connect(platform.tenant, ldap_provider(slapd))
    data_of(await log_in(platform, uid))
    for login in (uid, uid.upper(), address(platform.tenant, uid), uid.title(), uid):
        assert code_of(await log_in(platform, login, "Wrong-password-1")) == WRONG
    before = len(slapd.output())
    locked = await log_in(platform, uid)
    assert code_of(locked) == (423, "SIGN_IN_LOCKED")
    assert int(locked.headers["retry-after"]) > 0
    assert f'dn="uid={uid},' not in slapd.output()[before:], "the password is not even tried"
    events = await platform.tenant.get("/api/v1/admin/security/events", type="account_lockout")
    assert len(events) == 1

    for _ in range(5):
        assert code_of(await log_in(platform, "nobody-at-all")) == WRONG
    assert code_of(await log_in(platform, "nobody-at-all")) == (423, "SIGN_IN_LOCKED")


async def test_of_many_guesses_at_once_the_right_one_comes_too_late(platform: Platform, slapd: PrivateSlapd) -> None:
    uid, _ = newcomer(slapd, platform)
    await connect(platform.tenant, ldap_provider(slapd))
    data_of(await log_in(platform, uid))
    await asyncio.gather(*(log_in(platform, uid, f"Guess-{number}") for number in range(8)))
    assert code_of(await log_in(platform, uid)) == (423, "SIGN_IN_LOCKED")


async def test_a_mail_address_of_the_directory_opens_no_account_unless_it_is_trusted_to(
    platform: Platform, slapd: PrivateSlapd
) -> None:
    person = await add_person(platform, roles=["supplier_manager"])
    uid, _ = newcomer(slapd, platform, mail=person.email)
    provider_id = await connect(platform.tenant, ldap_provider(slapd))
    assert code_of(await log_in(platform, uid)) == REFUSED
    assert "is not trusted to tell" in (await reasons(platform.tenant))[0]
    await platform.tenant.put(f"{PROVIDERS}/{provider_id}", ldap_provider(slapd, trusts_email=True))
    user = data_of(await log_in(platform, uid))["user"]
    assert (user["username"], user["roles"]) == (person.username, ["supplier_manager"])


async def test_who_has_no_account_or_lost_it_is_not_let_in(small_platform: Platform, slapd: PrivateSlapd) -> None:
    uid, _ = newcomer(slapd, small_platform)
    nameless, _ = newcomer(slapd, small_platform, mail="")
    provider_id = await connect(small_platform.tenant, ldap_provider(slapd, create_users=False))
    assert code_of(await log_in(small_platform, uid)) == REFUSED
    await small_platform.tenant.put(f"{PROVIDERS}/{provider_id}", ldap_provider(slapd))
    assert code_of(await log_in(small_platform, nameless)) == REFUSED
    data_of(await log_in(small_platform, uid))
    await change_person(small_platform, Person(uid, address(small_platform.tenant, uid)), status="suspended")
    assert code_of(await log_in(small_platform, uid)) == REFUSED


async def test_a_second_factor_of_ours_is_asked_for(small_platform: Platform, slapd: PrivateSlapd) -> None:
    uid, _ = newcomer(slapd, small_platform)
    await connect(small_platform.tenant, ldap_provider(slapd))
    async with small_platform.client(data_of(await log_in(small_platform, uid))["access_token"]) as client:
        secret = data_of(await client.post("/api/v1/auth/2fa/setup"))["secret"]
        body = {"code": pyotp.TOTP(secret).at(clock.now())}
        data_of(await client.post("/api/v1/auth/2fa/enable", json=body))
    challenge = data_of(await log_in(small_platform, uid))
    assert "access_token" not in challenge
    assert "totp" in challenge["methods"]


async def test_single_sign_on_leaves_the_directory_open_and_passwords_shut(
    platform: Platform, slapd: PrivateSlapd
) -> None:
    tenant = platform.tenant
    uid, dn = newcomer(slapd, platform)
    group = slapd.add_group(f"chiefs-{uid}", dn)
    await connect(tenant, ldap_provider(slapd, role_mapping={group: "org_admin"}))
    assert (await tenant.client.put(f"{SETTINGS}/sso_enforced", json={"value": True})).status_code == 409
    data_of(await log_in(platform, uid))
    await tenant.put(f"{SETTINGS}/sso_enforced", {"value": True})
    assert code_of(await sign_in(platform, tenant.username)) == (403, "SINGLE_SIGN_ON_ONLY")
    assert data_of(await log_in(platform, uid))["user"]["roles"] == ["org_admin"]


async def test_a_directory_whose_certificate_nobody_vouches_for_hears_no_password(
    small_platform: Platform, slapd: PrivateSlapd
) -> None:
    uid, _ = newcomer(slapd, small_platform)
    provider_id = await connect(small_platform.tenant, ldap_provider(slapd))
    name = slapd.tls_url.replace("127.0.0.1", "localhost")
    for changed in (
        {"ca_certificates": ""},
        {"ca_certificates": Authority("Somebody else's").pem},
        {"url": name},
        {"url": slapd.url, "ca_certificates": ""},
    ):
        await small_platform.tenant.put(f"{PROVIDERS}/{provider_id}", ldap_provider(slapd, **changed))
        before = len(slapd.output())
        answer = await log_in(small_platform, uid)
        assert (code_of(answer), answer.headers["retry-after"]) == (AWAY, "10"), changed
        assert " BIND " not in slapd.output()[before:]


async def test_a_directory_that_is_away_or_does_not_know_us_is_told_as_such(
    small_platform: Platform, slapd: PrivateSlapd
) -> None:
    uid, _ = newcomer(slapd, small_platform)
    provider_id = await connect(small_platform.tenant, ldap_provider(slapd))
    with socket.socket() as nobody_listens:
        nobody_listens.bind(("127.0.0.1", 0))
        closed = f"ldaps://127.0.0.1:{nobody_listens.getsockname()[1]}"
        for changed in ({"url": closed}, {"bind_password": "wrong"}, {"base_dn": "dc=elsewhere"}):
            await small_platform.tenant.put(f"{PROVIDERS}/{provider_id}", ldap_provider(slapd, **changed))
            assert code_of(await log_in(small_platform, uid)) == AWAY, changed
    await small_platform.tenant.put(f"{PROVIDERS}/{provider_id}", ldap_provider(slapd))
    data_of(await log_in(small_platform, uid))
    assert await reasons(small_platform.tenant) == []


async def test_referrals_to_elsewhere_are_not_followed(small_platform: Platform, slapd: PrivateSlapd) -> None:
    with socket.socket() as elsewhere:
        elsewhere.bind(("127.0.0.1", 0))
        elsewhere.listen()
        elsewhere.setblocking(False)
        number = next(_numbers)
        url = f"ldap://127.0.0.1:{elsewhere.getsockname()[1]}/ou=away,dc=far??sub"
        slapd.modify(
            f"dn: ou=away{number},{SUFFIX}\nchangetype: add\nobjectClass: referral\nobjectClass: extensibleObject\n"
            f"ou: away{number}\nref: {url}\n"
        )
        await connect(small_platform.tenant, ldap_provider(slapd))
        uid, _ = newcomer(slapd, small_platform)
        data_of(await log_in(small_platform, uid))
        assert code_of(await log_in(small_platform, "nobody-at-all")) == WRONG
        with pytest.raises(BlockingIOError):
            elsewhere.accept()


async def test_a_login_that_fits_two_entries_is_nobodys(small_platform: Platform, slapd: PrivateSlapd) -> None:
    uid, _ = newcomer(slapd, small_platform)
    newcomer(slapd, small_platform, mail=address(small_platform.tenant, uid))
    await connect(small_platform.tenant, ldap_provider(slapd))
    assert code_of(await log_in(small_platform, address(small_platform.tenant, uid))) == WRONG


async def test_outside_development_a_directory_is_never_spoken_to_without_tls(
    small_platform: Platform, slapd: PrivateSlapd
) -> None:
    uid, _ = newcomer(slapd, small_platform)
    body = ldap_provider(slapd, url=slapd.url, start_tls=False)
    await connect(small_platform.tenant, body)
    data_of(await log_in(small_platform, uid))
    secrets = {name: "x" * 40 for name in ("secret_key", "encryption_keys", "audit_key")}
    small_platform.app.state.settings = settings_for_tests(
        environment="production", outbound_allowed="127.0.0.0/8", two_factor_for_admins=True, **secrets
    )
    before = len(slapd.output())
    assert code_of(await log_in(small_platform, uid)) == AWAY
    assert " conn=" not in slapd.output()[before:]
    answer = await small_platform.tenant.client.post(PROVIDERS, json={**body, "name": "second"})
    assert code_of(answer) == (422, "INVALID")


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"url": "ldaps://10.0.0.1"}, "url"),
        ({"url": "ldaps://searcher:word@127.0.0.1"}, "url"),
        ({"url": "https://127.0.0.1"}, "ldap.url"),
        ({"url": "ldap://127.0.0.1/dc=farm??sub"}, "ldap.url"),
        ({"base_dn": "farm"}, "ldap.base_dn"),
        ({"user_filter": "(uid={login}"}, "ldap.user_filter"),
        ({"user_filter": "(uid=asha)"}, "ldap.user_filter"),
        ({"user_filter": "{login}"}, "ldap.user_filter"),
        ({"ca_certificates": "-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----"}, "ldap.ca_certificates"),
        ({"ca_certificates": "Bescheinigung für \U0001f510"}, "ldap.ca_certificates"),
        ({"bind_password": None}, "bind_password"),
        ({"bind_dn": ""}, "bind_password"),
    ],
)
async def test_a_directory_that_makes_no_sense_is_refused(
    small_platform: Platform, slapd: PrivateSlapd, changed: dict[str, object], field: str
) -> None:
    answer = await small_platform.tenant.client.post(PROVIDERS, json=ldap_provider(slapd, **changed))
    assert answer.status_code == 422, answer.text
    assert [detail["field"] for detail in answer.json()["error"]["details"]] == [field]


async def test_an_organisation_has_one_active_directory(small_platform: Platform, slapd: PrivateSlapd) -> None:
    await connect(small_platform.tenant, ldap_provider(slapd))
    second = ldap_provider(slapd, name="second")
    assert code_of(await small_platform.tenant.client.post(PROVIDERS, json=second)) == (409, "CONFLICT")
    await connect(small_platform.tenant, {**second, "is_active": False})


@pytest.mark.parametrize(
    "dn", [f"cn=Store keepers,{GROUPS}", f"cn=Smith\\, John,{PEOPLE}", f"cn=a+uid=b,{PEOPLE}", "nonsense", ""]
)
def test_two_writings_of_a_name_are_one(dn: str) -> None:
    assert directory.canonical(dn.upper()) == directory.canonical(dn)
    assert directory.canonical(directory.canonical(dn)) == directory.canonical(dn)
    assert directory.canonical(f"cn=x,{dn}") != directory.canonical(dn)
