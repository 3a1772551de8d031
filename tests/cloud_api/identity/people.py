"""People to sign in with, straight into the database, and how they sign in over HTTP."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx2
from sqlalchemy import update

from cloud_api.identity.passwords import new_password
from cloud_api.identity.people import service as people
from cloud_api.identity.people.models import User
from cloud_api.kernel.tenancy import SystemScope
from tests.platform_under_test import PASSWORD, Platform

LOGIN = "/api/v1/auth/login"
REFRESH = "/api/v1/auth/refresh"
LOGOUT = "/api/v1/auth/logout"
ME = "/api/v1/auth/me"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Person:
    """Somebody with an account."""

    username: str
    email: str


async def add_person(platform: Platform, *, roles: Sequence[str] = ("viewer",)) -> Person:
    """A person in the platform's first organisation."""
    number = next(_numbers)
    person = Person(f"person-{number}", f"person-{number}@{platform.tenant.slug}.example")
    async with platform.database.unit_of_work(SystemScope("test")) as db:
        await people.add_user(
            db,
            organization_id=platform.tenant.organization.organization_id,
            username=person.username,
            email=person.email,
            full_name="Asha Patil",
            password_hash=await new_password(PASSWORD),
            roles=roles,
        )
    return person


async def change_person(platform: Platform, person: Person, **changed: object) -> None:
    """Change columns of theirs."""
    async with platform.database.unit_of_work(SystemScope("test")) as db:
        await db.execute(update(User).where(User.username == person.username).values(changed))


async def sign_in(platform: Platform, login: str, password: str = PASSWORD) -> httpx2.Response:
    async with platform.client() as client:
        return await client.post(LOGIN, json={"login": login, "password": password})


async def tokens(platform: Platform, login: str, password: str = PASSWORD) -> dict[str, Any]:
    """The data of a sign-in that must succeed."""
    answer = await sign_in(platform, login, password)
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


async def refresh(platform: Platform, token: str) -> httpx2.Response:
    async with platform.client() as client:
        return await client.post(REFRESH, json={"refresh_token": token})


async def me(platform: Platform, access_token: str) -> httpx2.Response:
    async with platform.client(access_token) as client:
        return await client.get(ME)
