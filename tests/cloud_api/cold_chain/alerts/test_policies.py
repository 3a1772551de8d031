"""Who is told, in which order: what an organisation says, and what holds where it says nothing."""

import uuid
from typing import Any

import pytest

from tests.cloud_api.cold_chain.alerts.alarms import ONE_STEP, POLICIES, alert_of, make_policy, raise_in, told
from tests.factories.farms import make_farm, make_person
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.scopes import id_of
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

PUSH = {"to": {"kind": "everyone"}, "channels": ["push"]}


def named(kind: str, **who: object) -> dict[str, object]:
    return {"to": {"kind": kind, **who}, "channels": ["in_app"]}


async def test_a_policy_is_made_changed_and_taken_away(farm: Platform) -> None:
    steps = [{**PUSH, "repeat_every_s": 300, "repeats": 2}, {**ONE_STEP, "after_s": 900}]
    policy_id = await make_policy(farm.tenant, *steps, name="Nights")
    read = await farm.tenant.get(f"{POLICIES}/{policy_id}")
    assert (read["name"], read["default_for"]) == ("Nights", None)
    assert [(step["after_s"], step["repeats"]) for step in read["steps"]] == [(0, 2), (900, 0)]
    changed = await farm.tenant.put(f"{POLICIES}/{policy_id}", {"default_for": "critical"})
    assert (changed["name"], changed["default_for"], len(changed["steps"])) == ("Nights", "critical", 2)
    assert [row["id"] for row in await farm.tenant.get(POLICIES)] == [policy_id]
    assert (await farm.tenant.client.delete(f"{POLICIES}/{policy_id}")).status_code == 204
    assert (await farm.tenant.client.get(f"{POLICIES}/{policy_id}")).status_code == 404


@pytest.mark.parametrize(
    ("body", "field", "remedy"),
    [
        ({"steps": []}, "steps", "at least 1"),
        ({}, "steps", "required"),
        ({"steps": [{**PUSH, "after_s": -1}]}, "steps.0.after_s", "greater than or equal to 0"),
        ({"steps": [{**PUSH, "repeat_every_s": 5, "repeats": 1}]}, "steps.0.repeat_every_s", "60"),
        ({"steps": [{**PUSH, "repeats": 1}]}, "steps.0", "repeat_every_s"),
        ({"steps": [{**PUSH, "repeats": None, "repeat_every_s": 60}, PUSH]}, "steps", "only the last"),
        ({"steps": [{**PUSH, "channels": []}]}, "steps.0.channels", "at least 1"),
        ({"steps": [{**PUSH, "channels": ["push", "push"]}]}, "steps.0", "twice"),
        ({"steps": [{**PUSH, "channels": ["pigeon"]}]}, "steps.0.channels.0", "push"),
        ({"steps": [named("user")]}, "steps.0.to", "needs user_id"),
        ({"steps": [named("everyone", role="viewer")]}, "steps.0.to", "has no role"),
        ({"steps": [named("user", user_id=str(uuid.uuid4()))]}, "steps.0.to.user_id", "nobody active here"),
        ({"steps": [PUSH, named("role", role="captain")]}, "steps.1.to.role", "no role 'captain'"),
        ({"steps": [named("on_call_list", list_id=str(uuid.uuid4()))]}, "steps.0.to.list_id", "no on-call list"),
    ],
)
async def test_a_policy_that_would_tell_nobody_is_refused_by_its_field(
    farm: Platform, body: dict[str, Any], field: str, remedy: str
) -> None:
    answer = await farm.tenant.client.post(POLICIES, json={"name": "Wrong", **body})
    assert answer.status_code == 422
    details = {detail["field"]: detail["message"] for detail in answer.json()["error"]["details"]}
    assert field in details
    assert remedy in details[field]


async def test_names_and_defaults_are_taken_once(farm: Platform) -> None:
    await make_policy(farm.tenant, name="Nights", default_for="warning")
    other = await make_policy(farm.tenant, name="Days")
    for method, path, body in (
        ("POST", POLICIES, {"name": "Nights", "steps": [PUSH]}),
        ("POST", POLICIES, {"name": "Third", "steps": [PUSH], "default_for": "warning"}),
        ("PUT", f"{POLICIES}/{other}", {"default_for": "warning"}),
        ("PUT", f"{POLICIES}/{other}", {"name": "Nights"}),
    ):
        answer = await farm.tenant.client.request(method, path, json=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "ALREADY_EXISTS"), body


async def test_a_person_of_another_organisation_is_nobody_here(farm: Platform) -> None:
    stranger = await make_farm(farm)
    step = named("user", user_id=await id_of(stranger))
    answer = await farm.tenant.client.post(POLICIES, json={"name": "Foreign", "steps": [step]})
    assert answer.status_code == 422


async def test_an_alert_keeps_what_its_policy_said_when_it_was_raised(farm: Platform) -> None:
    policy_id = await make_policy(farm.tenant, PUSH, {**ONE_STEP, "after_s": 600})
    alert_id = await raise_in(farm, policy_id=policy_id)
    before = (await alert_of(farm, alert_id)).tellings
    await farm.tenant.put(f"{POLICIES}/{policy_id}", {"steps": [ONE_STEP]})
    await farm.tenant.client.delete(f"{POLICIES}/{policy_id}")
    assert (await alert_of(farm, alert_id)).tellings == before
    assert len(before) == 2


async def test_a_rule_without_a_policy_follows_the_organisations_and_else_the_built_in_one(farm: Platform) -> None:
    staff = await make_person(farm, farm.tenant, "inventory_staff")
    built_in = await alert_of(farm, await raise_in(farm))
    await make_policy(farm.tenant, named("user", user_id=await id_of(staff)), default_for="critical")
    own = await raise_in(farm, group="own")
    gone = await raise_in(farm, group="gone", policy_id=str(uuid.uuid4()))
    assert len(built_in.tellings) == 5
    for alert_id in (own, gone):
        assert [str(one.user_id) for one in await told(farm, alert_id)] == [await id_of(staff)]


async def test_a_first_step_with_a_delay_tells_nobody_at_once(farm: Platform) -> None:
    alert_id = await raise_in(farm, policy_id=await make_policy(farm.tenant, {**PUSH, "after_s": 300}))
    assert await told(farm, alert_id) == []
    assert (await alert_of(farm, alert_id)).due_at is not None


async def test_information_is_written_into_the_list_and_never_escalates(farm: Platform) -> None:
    policy_id = await make_policy(farm.tenant, ONE_STEP, {**PUSH, "after_s": 60})
    for alert_id in (
        await raise_in(farm, severity="info"),
        await raise_in(farm, group="b", severity="info", policy_id=policy_id),
    ):
        assert [one.channels for one in await told(farm, alert_id)] == [["in_app"]]
        assert (await alert_of(farm, alert_id)).due_at is None


async def test_a_role_is_told_and_whoever_has_left_is_not(farm: Platform) -> None:
    viewers = [await make_person(farm, farm.tenant, "viewer") for _ in range(2)]
    policy_id = await make_policy(farm.tenant, named("role", role="viewer"))
    gone = await farm.tenant.client.put(
        f"/api/v1/admin/users/{await id_of(viewers[1])}/status", json={"status": "suspended"}
    )
    assert gone.is_success, gone.text
    alert_id = await raise_in(farm, policy_id=policy_id)
    assert [str(one.user_id) for one in await told(farm, alert_id)] == [await id_of(viewers[0])]
