"""Somebody writes to people by name and by role; everybody is told once."""

import uuid
from typing import Any

import pytest

from tests.factories.farms import make_farm, make_person
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.scopes import heard_by, id_of
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

PATH = "/api/v1/notifications"
WORDS = {"title": "Stock-take on Monday", "message": "Be there at seven"}


async def test_people_by_name_and_by_role_are_told_once_each(farm: Platform) -> None:
    first, second, viewer = [
        await make_person(farm, farm.tenant, role) for role in ("delivery_personnel", "delivery_personnel", "viewer")
    ]
    to = {"user_ids": [await id_of(first), await id_of(viewer)], "roles": ["delivery_personnel"]}
    sent = await farm.tenant.post(PATH, {**WORDS, **to})
    assert sorted(sent["user_ids"]) == sorted([await id_of(person) for person in (first, second, viewer)])
    for person in (first, second, viewer):
        [told] = await person.get(PATH)
        assert (told["title"], told["category"], told["severity"]) == ("Stock-take on Monday", "system", "info")
    assert await farm.tenant.get(PATH) == []


@pytest.mark.parametrize(
    ("to", "field", "remedy"),
    [
        ({}, "body", "name somebody"),
        ({"user_ids": [str(uuid.uuid4())]}, "user_ids.0", "nobody active here"),
        ({"roles": ["captain"]}, "roles", "no role 'captain'"),
        ({"roles": ["delivery_personnel"], "channels": []}, "channels", "at least 1"),
        ({"roles": ["delivery_personnel"], "channels": ["pigeon"]}, "channels.0", "push"),
        ({"roles": ["delivery_personnel"], "title": " "}, "title", "at least 1"),
    ],
)
async def test_what_reaches_nobody_is_refused_by_its_field(
    farm: Platform, to: dict[str, Any], field: str, remedy: str
) -> None:
    answer = await farm.tenant.client.post(PATH, json={**WORDS, **to})
    assert answer.status_code == 422
    details = {detail["field"]: detail["message"] for detail in answer.json()["error"]["details"]}
    assert remedy in details[field]


async def test_nobody_writes_to_another_organisation_or_without_the_permission(farm: Platform) -> None:
    stranger, driver = await make_farm(farm), await make_person(farm, farm.tenant, "delivery_personnel")
    body = {**WORDS, "user_ids": [await id_of(stranger)]}
    assert await heard_by(farm.tenant, "POST", PATH, body) == (422, "INVALID")
    assert await heard_by(driver, "POST", PATH, {**WORDS, "roles": ["delivery_personnel"]}) == (403, "FORBIDDEN")
