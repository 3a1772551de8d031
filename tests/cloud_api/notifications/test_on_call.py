"""On-call lists: who answers, in which order, and who it is now."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cloud_api.kernel import clock
from cloud_api.notifications import on_call
from tests.factories.farms import make_farm, make_person
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.scopes import asked, heard_by, id_of
from tests.platform_under_test import Platform, Tenant

pytestmark = IN_ONE_LOOP

PATH = "/api/v1/notifications/on-call-lists"
DAYS = {"weekdays": [0, 1, 2, 3, 4], "from_time": "06:00", "until_time": "22:00"}
NIGHTS = {"weekdays": [0, 1, 2, 3, 4, 5, 6], "from_time": "22:00", "until_time": "06:00"}


async def people(farm: Platform, count: int) -> list[str]:
    return [await id_of(await make_person(farm, farm.tenant, "inventory_staff")) for _ in range(count)]


async def make_list(tenant: Tenant, *members: object, **more: Any) -> Any:
    return await tenant.post(PATH, {"name": f"List {uuid.uuid4()}", "members": [*members], **more})


async def on_call_at(farm: Platform, instant: datetime, list_id: str | None = None) -> list[str]:
    """Who is told first, second, ... at that moment."""
    clock.use(lambda: instant)
    async with farm.database.unit_of_work(farm.tenant.organization, read_only=True) as db:
        line = await on_call.on_call_now(db, None if list_id is None else uuid.UUID(list_id))
    clock.use(None)
    return [str(user_id) for user_id in line]


async def test_shifts_are_in_the_lists_own_time(farm: Platform) -> None:
    day, night, always = await people(farm, 3)
    made = await make_list(
        farm.tenant,
        {"user_id": always},
        {"user_id": day, "shifts": [DAYS]},
        {"user_id": night, "shifts": [NIGHTS]},
    )
    noon = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)  # in Kolkata
    assert await on_call_at(farm, noon, made["id"]) == [day, always]
    assert await on_call_at(farm, noon + timedelta(hours=12), made["id"]) == [night, always]
    moved = await farm.tenant.put(f"{PATH}/{made['id']}", {"timezone": "America/Los_Angeles"})
    assert [member["user_id"] for member in moved["members"]] == [always, day, night]
    assert await on_call_at(farm, noon, made["id"]) == [night, always]


async def test_the_rota_goes_before_the_shifts(farm: Platform) -> None:
    usual, named = await people(farm, 2)
    start = datetime(2026, 3, 2, tzinfo=UTC)
    duty = {"starts_at": start.isoformat(), "ends_at": (start + timedelta(days=1)).isoformat()}
    made = await make_list(farm.tenant, {"user_id": usual}, {"user_id": named, "rota": [duty]})
    assert await on_call_at(farm, start, made["id"]) == [named, usual]
    assert await on_call_at(farm, start + timedelta(days=1), made["id"]) == [usual]


async def test_without_a_name_it_is_the_organisations_first_list(farm: Platform) -> None:
    assert await on_call_at(farm, clock.now()) == []
    first, second = await people(farm, 2)
    await make_list(farm.tenant, {"user_id": first})
    await make_list(farm.tenant, {"user_id": second})
    assert await on_call_at(farm, clock.now()) == [first]
    stranger = await make_farm(farm)
    assert await stranger.get(PATH) == []


async def test_whoever_has_left_is_not_on_call(farm: Platform) -> None:
    gone, here = await people(farm, 2)
    made = await make_list(farm.tenant, {"user_id": gone}, {"user_id": here})
    await farm.tenant.put(f"/api/v1/admin/users/{gone}/status", {"status": "suspended"})
    read = await farm.tenant.get(f"{PATH}/{made['id']}")
    assert read["on_call_now"] == await on_call_at(farm, clock.now(), made["id"]) == [here]
    assert len(read["members"]) == 2


async def test_a_list_is_changed_and_taken_away(farm: Platform) -> None:
    first, second = await people(farm, 2)
    made = await make_list(farm.tenant, {"user_id": first, "shifts": [DAYS]}, name="Nights")
    path = f"{PATH}/{made['id']}"
    changed = await farm.tenant.put(path, {"members": [{"user_id": second}, {"user_id": first}]})
    assert changed["name"] == "Nights"
    assert [(member["user_id"], member["shifts"]) for member in changed["members"]] == [(second, []), (first, [])]
    assert (await farm.tenant.client.delete(path)).status_code == 204
    assert (await farm.tenant.client.get(path)).status_code == 404


@pytest.mark.parametrize(
    ("body", "field", "remedy"),
    [
        ({"members": []}, "members", "at least 1"),
        ({"timezone": "Mars/Olympus"}, "timezone", "Asia/Kolkata"),
        ({"members": [{"user_id": str(uuid.uuid4())}]}, "members.0.user_id", "nobody active here"),
        ({"members": [{"user_id": "x", "shifts": [{**DAYS, "weekdays": [7]}]}]}, "members.0.shifts.0.weekdays.0", "6"),
        ({"members": [{"user_id": "x", "shifts": [{**DAYS, "weekdays": []}]}]}, "members.0.shifts.0.weekdays", "1"),
    ],
)
async def test_a_list_on_which_nobody_could_be_is_refused_by_its_field(
    farm: Platform, body: dict[str, Any], field: str, remedy: str
) -> None:
    me = await id_of(farm.tenant)
    members = [{**member, "user_id": me} if member["user_id"] == "x" else member for member in body.get("members", [])]
    whole = {
        "name": "Wrong",
        "members": [{"user_id": me}],
        **body,
        **({"members": members} if "members" in body else {}),
    }
    answer = await farm.tenant.client.post(PATH, json=whole)
    assert answer.status_code == 422
    details = {detail["field"]: detail["message"] for detail in answer.json()["error"]["details"]}
    assert remedy in details[field]


async def test_nobody_is_on_a_list_twice_and_no_duty_ends_before_it_begins(farm: Platform) -> None:
    me = await id_of(farm.tenant)
    twice = {"name": "Twice", "members": [{"user_id": me}, {"user_id": me}]}
    backwards = {"starts_at": "2026-03-02T00:00:00Z", "ends_at": "2026-03-01T00:00:00Z"}
    never = {"name": "Never", "members": [{"user_id": me, "rota": [backwards]}]}
    for body in (twice, never):
        assert (await farm.tenant.client.post(PATH, json=body)).status_code == 422


async def test_names_are_taken_once_and_others_lists_are_not_there(farm: Platform) -> None:
    stranger, driver = await make_farm(farm), await make_person(farm, farm.tenant, "delivery_personnel")
    me = {"user_id": await id_of(farm.tenant)}
    made = await make_list(farm.tenant, me, name="Nights")
    other = await make_list(farm.tenant, me, name="Days")
    taken = {"name": "Nights", "members": [me]}
    assert await heard_by(farm.tenant, "POST", PATH, taken) == (409, "ALREADY_EXISTS")
    assert await heard_by(farm.tenant, "PUT", f"{PATH}/{other['id']}", {"name": "Nights"}) == (409, "ALREADY_EXISTS")
    assert await heard_by(stranger, "GET", f"{PATH}/{made['id']}") == (404, "NOT_FOUND")
    assert await heard_by(driver, "GET", PATH) == (403, "FORBIDDEN")


async def test_lists_cost_the_same_however_many_there_are(farm: Platform) -> None:
    me = {"user_id": await id_of(farm.tenant)}
    await make_list(farm.tenant, me)
    short = await asked(farm, farm.tenant, PATH)
    for _ in range(4):
        await make_list(farm.tenant, me)
    assert await asked(farm, farm.tenant, PATH) == short <= 6
