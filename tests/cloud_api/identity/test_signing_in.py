"""Who may come in, by what name, and what those hear who may not."""

import json
from collections import Counter
from dataclasses import dataclass, field

import pytest
from pwdlib.hashers.argon2 import Argon2Hasher

from cloud_api.identity import passwords
from cloud_api.identity.organizations.models import Organization
from cloud_api.identity.passwords import new_password
from cloud_api.identity.people import service as people
from cloud_api.kernel.errors import AppError
from cloud_api.kernel.tenancy import SystemScope
from tests.cloud_api.conftest import CHEAP
from tests.cloud_api.identity.people import add_person, change_person, me, sign_in, tokens
from tests.platform_under_test import PASSWORD, Platform


async def test_a_person_signs_in_by_user_name_or_e_mail_in_any_case(shared_platform: Platform) -> None:
    person = await add_person(shared_platform)
    for login in (person.username, person.email, person.username.upper(), person.email.title(), f" {person.email} "):
        signed_in = await tokens(shared_platform, login)
        assert signed_in["user"]["username"] == person.username
        assert (signed_in["token_type"], signed_in["expires_in"]) == ("Bearer", 3600)


async def test_who_is_in_hears_who_they_are_and_what_they_may(shared_platform: Platform) -> None:
    person = await add_person(shared_platform, roles=["viewer", "inventory_staff"])
    signed_in = await tokens(shared_platform, person.username)
    answer = await me(shared_platform, signed_in["access_token"])
    whoami = answer.json()["data"]
    assert whoami == signed_in["user"]
    assert (whoami["username"], whoami["email"], whoami["full_name"]) == (person.username, person.email, "Asha Patil")
    assert whoami["roles"] == ["inventory_staff", "viewer"]
    assert {"stock:write", "telemetry:read"} <= set(whoami["permissions"])
    assert whoami["permissions"] == sorted(set(whoami["permissions"]))
    assert whoami["organization"]["slug"] == shared_platform.tenant.slug


class CountingHasher(Argon2Hasher):
    """Real argon2, cheap, that notes what it is asked."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.calls: Counter[str] = Counter()

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        self.calls["hash"] += 1
        return super().hash(password, salt=salt)

    def verify(self, password: str | bytes, hash: str | bytes) -> bool:
        self.calls["verify"] += 1
        return super().verify(password, hash)


async def test_every_reason_to_refuse_gives_one_answer_after_the_same_work(shared_platform: Platform) -> None:
    known = await add_person(shared_platform)
    suspended = await add_person(shared_platform)
    await change_person(shared_platform, suspended, status="suspended")
    hasher = CountingHasher()
    passwords.use(hasher)
    await sign_in(shared_platform, "nobody-at-all")
    hasher.calls.clear()

    heard, work = set(), []
    for login, password in (
        (known.username, "Wrong-password-1"),
        (known.email, "Wrong-password-1"),
        ("nobody-at-all", PASSWORD),
        ("nobody@nowhere.example", PASSWORD),
        (suspended.username, PASSWORD),
    ):
        answer = await sign_in(shared_platform, login, password)
        body = answer.json()
        heard.add((answer.status_code, json.dumps(body["error"]), answer.headers["www-authenticate"]))
        work.append(dict(hasher.calls))
        hasher.calls.clear()
    passwords.use(CHEAP)
    assert len(heard) == 1
    assert next(iter(heard))[0] == 401
    assert work == [{"verify": 1}] * 5


async def test_an_organisation_that_was_closed_lets_nobody_in(shared_platform: Platform) -> None:
    person = await add_person(shared_platform)
    signed_in = await tokens(shared_platform, person.username)
    async with shared_platform.database.unit_of_work(SystemScope("test")) as db:
        (await db.get_one(Organization, shared_platform.tenant.organization.organization_id)).is_active = False
    assert (await sign_in(shared_platform, person.username)).json()["error"]["code"] == "WRONG_CREDENTIALS"
    assert (await me(shared_platform, signed_in["access_token"])).json()["error"]["code"] == "SESSION_ENDED"


@dataclass
class Account:
    """What somebody asks for."""

    username: str = "asha"
    email: str = "asha@farm.example"
    password: str = PASSWORD
    roles: list[str] = field(default_factory=lambda: ["viewer"])


async def refused(platform: Platform, account: Account) -> tuple[int, str, str]:
    """Why the account is not given."""

    async def add() -> None:
        password_hash = await new_password(account.password)
        async with platform.database.unit_of_work(SystemScope("test")) as db:
            await people.add_user(
                db,
                organization_id=platform.tenant.organization.organization_id,
                full_name="Asha",
                username=account.username,
                email=account.email,
                password_hash=password_hash,
                roles=account.roles,
            )

    with pytest.raises(AppError) as error:
        await add()
    return error.value.status, error.value.code, error.value.details[0].field


async def test_a_password_that_is_too_easy_is_refused(sqlite_platform: Platform) -> None:
    for password in ("Short-1", "no-capital-1", "NO-SMALL-1", "No-digit-x", "NoOtherSign1", "", " " * 8):
        account = Account(password=password)
        assert await refused(sqlite_platform, account) == (422, "WEAK_PASSWORD", "password"), password


async def test_a_name_or_address_that_is_taken_anywhere_is_refused(shared_platform: Platform) -> None:
    person = await add_person(shared_platform)
    await shared_platform.found()
    taken = (409, "NAME_TAKEN", "username")
    elsewhere = shared_platform.tenants[1].username
    for account in (
        Account(username=person.username.upper()),
        Account(email=person.email.upper()),
        Account(username=elsewhere),
    ):
        assert await refused(shared_platform, account) == taken


async def test_a_user_name_cannot_pose_as_somebodys_address(shared_platform: Platform) -> None:
    person = await add_person(shared_platform)
    assert await refused(shared_platform, Account(username=person.email)) == (422, "INVALID", "username")
    assert (await tokens(shared_platform, person.email))["user"]["username"] == person.username


async def test_a_role_that_does_not_exist_is_refused(shared_platform: Platform) -> None:
    assert await refused(shared_platform, Account(roles=["viewer", "king"])) == (422, "INVALID", "roles")


async def test_an_organisations_short_name_is_its_own(shared_platform: Platform) -> None:
    async def found() -> None:
        async with shared_platform.database.unit_of_work(SystemScope("test")) as db:
            await people.found_organization(
                db,
                name="Another",
                slug=shared_platform.tenant.slug,
                admin_username="another",
                admin_email="another@farm.example",
                admin_full_name="Another",
                admin_password_hash=await new_password(PASSWORD),
            )

    with pytest.raises(AppError, match="is taken: choose another") as error:
        await found()
    assert (error.value.code, error.value.details[0].field) == ("NAME_TAKEN", "slug")
