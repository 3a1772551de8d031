"""Settings of an organisation: typed, all or nothing, and its own."""

import asyncio
import json
import uuid
from typing import Any

import pytest
from sqlalchemy import select

from cloud_api.configuration import service
from cloud_api.configuration.definitions import LOCALE, ORDER_CUT_OFF_HOURS, SESSION_LIMIT, SETTINGS
from cloud_api.configuration.models import SettingValue
from cloud_api.kernel import clock
from cloud_api.kernel.tenancy import SystemScope, TenancyViolation
from tests.factories.farms import make_farm, make_person
from tests.factories.grounds import IN_ONE_LOOP
from tests.platform_under_test import Platform, Tenant

pytestmark = IN_ONE_LOOP

PATH = "/api/v1/admin/settings"
PUBLIC = "/api/v1/settings/public"


async def values(tenant: Tenant) -> dict[str, Any]:
    return {setting["key"]: setting["value"] for setting in await tenant.get(PATH)}


async def test_what_nobody_set_is_the_default(farm: Platform) -> None:
    shown = await farm.tenant.get(PATH)
    assert {setting["key"]: setting["value"] for setting in shown} == {
        key: setting.default for key, setting in SETTINGS.items()
    }
    assert not any(setting["is_set"] or setting["updated_at"] for setting in shown)
    [limit] = [setting for setting in shown if setting["key"] == "session.limit"]
    assert (limit["kind"], limit["default"], limit["expected"]) == ("integer", 5, "a whole number from 1 to 100")


async def test_several_are_changed_at_once_and_seen_by_code_and_people(farm: Platform) -> None:
    changed = {"session.limit": 2, "units.temperature": "fahrenheit", "orders.cut_off_hours": 0, "locale": "mr-IN"}
    await farm.tenant.put(PATH, {"values": changed})
    assert changed.items() <= (await values(farm.tenant)).items()
    async with farm.database.unit_of_work(farm.tenant.organization, read_only=True) as db:
        assert await service.value(db, SESSION_LIMIT) == 2
        assert await service.value(db, ORDER_CUT_OFF_HOURS) == 0
        assert changed.items() <= (await service.values_of(db)).items()


async def test_one_is_changed_and_goes_back_to_its_default(farm: Platform) -> None:
    made = await farm.tenant.put(f"{PATH}/session.limit", {"value": 7})
    assert (made["value"], made["is_set"]) == (7, True)
    assert made["updated_at"]
    assert await farm.tenant.get(f"{PATH}/session.limit") == made
    again = await farm.tenant.put(f"{PATH}/session.limit", {"value": 7})
    assert again["updated_at"] == made["updated_at"]
    back = await farm.tenant.put(f"{PATH}/session.limit", {"value": None})
    assert (back["value"], back["is_set"], back["updated_at"]) == (5, False, None)
    assert (await farm.tenant.put(f"{PATH}/session.limit", {"value": None}))["value"] == 5


async def test_who_changed_it_is_kept(farm: Platform) -> None:
    await farm.tenant.put(f"{PATH}/locale", {"value": "hi-IN"})
    me = (await farm.tenant.get("/api/v1/auth/me"))["id"]
    async with farm.database.unit_of_work(farm.tenant.organization, read_only=True) as db:
        assert await db.scalar(select(SettingValue.updated_by)) == uuid.UUID(me)


async def test_each_organisation_has_its_own(farm: Platform) -> None:
    other = await make_farm(farm)
    await farm.tenant.put(f"{PATH}/session.limit", {"value": 1})
    await other.put(f"{PATH}/session.limit", {"value": 9})
    assert (await values(farm.tenant))["session.limit"] == 1
    assert (await values(other))["session.limit"] == 9
    async with farm.database.unit_of_work(SystemScope("sign in"), read_only=True) as db:
        limits = [
            await service.value_for(db, tenant.organization.organization_id, SESSION_LIMIT)
            for tenant in (farm.tenant, other)
        ]
        nobodys = await service.value_for(db, uuid.uuid4(), SESSION_LIMIT)
    assert (limits, nobodys) == ([1, 9], 5)


async def test_a_session_across_organisations_has_to_say_whose(farm: Platform) -> None:
    with pytest.raises(TenancyViolation, match="value_for"):
        async with farm.database.unit_of_work(SystemScope("sign in"), read_only=True) as db:
            await service.value(db, SESSION_LIMIT)


@pytest.mark.parametrize(
    ("key", "value", "remedy"),
    [
        ("session.limit", "5", "a whole number from 1 to 100"),
        ("session.limit", 0, "a whole number from 1 to 100"),
        ("session.limit", 10**30, "a whole number from 1 to 100"),
        ("session.limit", 5.5, "a whole number from 1 to 100"),
        ("session.limit", True, "a whole number from 1 to 100"),
        ("session.limit", [5], "a whole number from 1 to 100"),
        ("sso_enforced", "true", "true or false"),
        ("sso_enforced", 1, "true or false"),
        ("units.temperature", "kelvin", "one of celsius, fahrenheit"),
        ("locale", "en_IN", "a text that matches"),
        ("locale", "en\x01", "a text that matches"),
        ("session.limits", 5, "there is no such setting"),
    ],
)
async def test_what_is_refused_is_named_with_its_remedy_and_nothing_is_changed(
    farm: Platform, key: str, value: object, remedy: str
) -> None:
    answer = await farm.tenant.client.put(PATH, json={"values": {"password.expires_days": 30, key: value}})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (422, "SETTING_REFUSED")
    [detail] = error["details"]
    assert detail["field"] == key
    assert remedy in detail["message"]
    assert (await values(farm.tenant))["password.expires_days"] == 90


async def test_every_wrong_one_is_named(farm: Platform) -> None:
    wrong = {"session.limit": 0, "locale": 7, "sso_enforced": "no"}
    answer = await farm.tenant.client.put(PATH, json={"values": {**wrong, "password.expires_days": 30}})
    assert {detail["field"] for detail in answer.json()["error"]["details"]} == set(wrong)


@pytest.mark.parametrize(
    "body", [b"[]", b"{}", b'{"values": {}}', b'{"values": [1]}', b'{"values": {"locale": NaN}}', b'{"value": 1}', b"x"]
)
async def test_a_body_that_is_none_is_refused(farm: Platform, body: bytes) -> None:
    answer = await farm.tenant.client.put(PATH, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert await values(farm.tenant) == {key: setting.default for key, setting in SETTINGS.items()}


async def test_a_setting_that_does_not_exist_is_not_found(farm: Platform) -> None:
    for answer in (
        await farm.tenant.client.get(f"{PATH}/session.limits"),
        await farm.tenant.client.put(f"{PATH}/session.limits", json={"value": 1}),
    ):
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")
        assert "GET /api/v1/admin/settings" in answer.json()["error"]["message"]


async def test_a_value_from_before_a_definition_changed_counts_as_not_set(farm: Platform) -> None:
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        db.add(SettingValue(key="session.limit", value=100_000, updated_at=clock.now(), updated_by=None))
        db.add(SettingValue(key="of.another.age", value="x", updated_at=clock.now(), updated_by=None))
    one = await farm.tenant.get(f"{PATH}/session.limit")
    assert (one["value"], one["is_set"]) == (5, False)
    assert (await values(farm.tenant)).keys() == SETTINGS.keys()
    async with farm.database.unit_of_work(farm.tenant.organization, read_only=True) as db:
        assert await service.value(db, SESSION_LIMIT) == 5
    assert (await farm.tenant.put(f"{PATH}/session.limit", {"value": 6}))["value"] == 6


async def test_only_those_who_may_see_and_change_them_do(farm: Platform) -> None:
    viewer = await make_person(farm, farm.tenant, "viewer")
    statuses = [
        (await viewer.client.get(PATH)).status_code,
        (await viewer.client.get(f"{PATH}/locale")).status_code,
        (await viewer.client.put(PATH, json={"values": {"locale": "hi-IN"}})).status_code,
        (await viewer.client.put(f"{PATH}/locale", json={"value": "hi-IN"})).status_code,
    ]
    assert statuses == [403] * 4
    assert (await values(farm.tenant))["locale"] == "en-IN"


async def test_two_who_set_it_for_the_first_time_at_once_are_both_answered(farm: Platform) -> None:
    answers = await asyncio.gather(
        *(farm.tenant.client.put(f"{PATH}/session.limit", json={"value": limit}) for limit in range(1, 9))
    )
    done = {json.loads(answer.request.content)["value"] for answer in answers if answer.is_success}
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert (await values(farm.tenant))["session.limit"] in done


async def test_anybody_sees_what_is_public_and_nothing_else(farm: Platform) -> None:
    await farm.tenant.put(PATH, {"values": {"locale": "mr-IN", "orders.cut_off_hours": 3, "session.limit": 3}})
    async with farm.client() as anybody:
        shown = (await anybody.get(PUBLIC, params={"organization": farm.tenant.slug})).json()["data"]
    assert shown.keys() == {key for key, setting in SETTINGS.items() if setting.is_public}
    assert shown["locale"] == "mr-IN"
    assert shown["orders.cut_off_hours"] == 3
    assert "session.limit" not in shown


async def test_a_slug_that_is_nobodys_is_answered_like_one_that_set_nothing(farm: Platform) -> None:
    async with farm.client() as anybody:
        known = await anybody.get(PUBLIC, params={"organization": farm.tenant.slug})
        unknown = await anybody.get(PUBLIC, params={"organization": "nobody-at-all"})
        nameless = await anybody.get(PUBLIC)
        nul = await anybody.get(PUBLIC, params={"organization": "a\x00b"})
    assert known.content == unknown.content == nameless.content
    assert known.json()["data"]["locale"] == LOCALE.default
    assert nul.status_code == 422


async def test_who_has_read_another_value_is_told_and_sets_nothing(farm: Platform) -> None:
    tenant = await make_farm(farm)
    await tenant.put(PATH, {"values": {"session.limit": 3}, "expected": {"session.limit": 5}})
    stale = {"values": {"session.limit": 4, "fleet.remind_days": 9}, "expected": {"session.limit": 5}}
    refused = await tenant.client.put(PATH, json=stale)
    error = refused.json()["error"]
    assert (refused.status_code, error["code"]) == (409, "CHANGED_MEANWHILE")
    assert error["details"] == [{"field": "session.limit", "message": "somebody has set it to 3"}]
    now = {one["key"]: one["value"] for one in await tenant.get(PATH) if one["is_set"]}
    assert now == {"session.limit": 3}
    fresh = {"session.limit": 3, "fleet.remind_days": 14}
    await tenant.put(PATH, {"values": {"session.limit": 4}, "expected": fresh})
