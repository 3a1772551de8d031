"""Who is told, in which order, and who is on call."""

import httpx2

from tests.factories.farms import make_person
from tests.factories.scopes import id_of
from tests.platform_under_test import Platform

POLICIES = "/console/rules/policies"
ON_CALL = "/console/rules/on-call"
POLICIES_API = "/api/v1/alerts/escalation-policies"
LISTS_API = "/api/v1/notifications/on-call-lists"


async def test_without_policies_and_lists_the_pages_say_what_holds(console: httpx2.AsyncClient) -> None:
    assert "No policy of your own yet" in (await console.get(POLICIES)).text
    assert "Nobody is on call" in (await console.get(ON_CALL)).text


async def test_a_policy_is_made_step_by_step_and_shown_as_it_was_typed(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    me = await id_of(sqlite_platform.tenant)
    typed = {
        "name": "Nights",
        "default_for": "critical",
        "steps.0.who": "list::0",
        "steps.0.channels": ["in_app", "push"],
        "steps.0.every": "5",
        "steps.0.times": "2",
        "steps.1.who": "",
        "steps.2.who": f"user:{me}",
        "steps.2.channels": ["mail"],
        "steps.2.after": "7.5",
        "steps.3.who": "everyone",
        "steps.3.channels": ["in_app"],
        "steps.3.after": "10",
        "steps.3.every": "30",
        "steps.3.forever": "true",
    }
    assert (await console.post(POLICIES, data=typed)).status_code == 303
    [policy] = await sqlite_platform.tenant.get(POLICIES_API)
    assert [
        (step["to"]["kind"], step["after_s"], step["repeat_every_s"], step["repeats"]) for step in policy["steps"]
    ] == [
        ("on_call_list", 0, 300, 2),
        ("user", 450, None, 0),
        ("everyone", 600, 1800, None),
    ], "the row of nobody is no step"
    page = (await console.get(POLICIES)).text
    for said in ("Nights", "Number 1 on call of the first on-call list", "after 7.5 min", "Everybody who may answer"):
        assert said in page
    page = (await console.get(f"{POLICIES}/{policy['id']}")).text
    assert f'<option value="user:{me}" selected>' in page
    assert page.count("data-step") == 4, "one more than there are"
    unchanged = (await console.get(f"{POLICIES}/{policy['id']}")).text
    assert 'name="steps.2.forever" value="true" checked' in unchanged


async def test_what_is_wrong_with_a_step_is_said_beside_it(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    made = await sqlite_platform.tenant.post(
        POLICIES_API, {"name": "Days", "steps": [{"to": {"kind": "everyone"}, "channels": ["push"]}]}
    )
    path = f"{POLICIES}/{made['id']}"
    refused = await console.post(path, data={"name": "Days", "steps.4.who": "everyone"})
    assert refused.status_code == 422
    assert 'id="e-steps.0.channels"' in refused.text
    typed = {"name": "Days", "steps.0.who": "everyone", "steps.0.channels": "push", "steps.0.after": "soon"}
    refused = await console.post(path, data=typed)
    assert 'id="e-steps.0.after"' in refused.text
    assert 'value="soon"' in refused.text
    refused = await console.post(path, data={"name": "Days"})
    assert 'id="e-steps.0.who"' in refused.text
    assert (await sqlite_platform.tenant.get(f"{POLICIES_API}/{made['id']}"))["steps"] == made["steps"]
    assert (await console.post(f"{path}/delete")).status_code == 303
    assert await sqlite_platform.tenant.get(POLICIES_API) == []


async def test_a_list_says_who_is_on_call_and_loses_no_hours_when_it_is_changed(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    first = await id_of(sqlite_platform.tenant)
    second = await id_of(await make_person(sqlite_platform, sqlite_platform.tenant, "inventory_staff"))
    typed = {
        "name": "Keepers",
        "members.0.user_id": second,
        "members.0.shifts.0.days": ["0", "6"],
        "members.0.shifts.0.from_time": "22:00",
        "members.0.shifts.0.until_time": "06:00",
        "members.0.rota.0.starts_at": "2026-01-01T10:00",
        "members.0.rota.0.ends_at": "2026-01-02T10:00",
        "members.2.user_id": first,
    }
    assert (await console.post(ON_CALL, data=typed)).status_code == 303
    [made] = await sqlite_platform.tenant.get(LISTS_API)
    assert [member["user_id"] for member in made["members"]] == [second, first]
    assert made["members"][0]["shifts"] == [{"weekdays": [0, 6], "from_time": "22:00:00", "until_time": "06:00:00"}]
    path = f"{ON_CALL}/{made['id']}"
    page = (await console.get(path)).text
    for said in ('value="22:00"', 'value="2026-01-01T10:00"', 'name="members.0.shifts.1.days"', "data-member"):
        assert said in page
    changed = {**typed, "name": "Night keepers", "members.0.rota.0.ends_at": "2026-01-03T10:00"}
    assert (await console.post(path, data=changed)).status_code == 303
    [after] = await sqlite_platform.tenant.get(LISTS_API)
    assert after["members"][0]["shifts"] == made["members"][0]["shifts"]
    assert after["members"][0]["rota"][0]["ends_at"] > made["members"][0]["rota"][0]["ends_at"]
    assert "data-on-call" in (await console.get(ON_CALL)).text


async def test_hours_that_cannot_be_are_refused_beside_them(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    me = await id_of(sqlite_platform.tenant)
    row = "members.0.rota.0"
    typed = {"name": "Keepers", "members.0.user_id": me}
    refused = await console.post(ON_CALL, data={**typed, "members.0.shifts.0.from_time": "08:00"})
    assert refused.status_code == 422
    assert 'id="e-members.0.shifts.0.days"' in refused.text
    assert 'id="e-members.0.shifts.0.until_time"' in refused.text
    backwards = {f"{row}.starts_at": "2026-01-02T10:00", f"{row}.ends_at": "2026-01-01T10:00"}
    refused = await console.post(ON_CALL, data={**typed, **backwards})
    assert f'id="e-{row}.ends_at"' in refused.text
    assert (await console.post(ON_CALL, data={"name": "Empty"})).status_code == 422
    assert await sqlite_platform.tenant.get(LISTS_API) == []
