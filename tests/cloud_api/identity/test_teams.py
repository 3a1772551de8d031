"""People who work together."""

import uuid

from tests.cloud_api.identity.staff import TEAMS, USERS, join, own_id, refusal
from tests.platform_under_test import Platform


async def test_a_team_has_the_people_that_were_put_into_it(shared_platform: Platform) -> None:
    admin = shared_platform.tenant
    first, second, third = [await join(shared_platform) for _ in range(3)]
    team = await admin.post(TEAMS, {"name": "Night shift", "description": "From ten"})
    assert (team["member_count"], team["members"]) == (0, [])
    path = f"{TEAMS}/{team['id']}"
    members = [{"user_id": first.id}, {"user_id": second.id, "is_lead": True}]
    filled = await admin.put(f"{path}/members", {"members": members})
    assert [(member["user_id"], member["is_lead"]) for member in filled["members"]] == [
        (second.id, True),
        (first.id, False),
    ]
    replaced = await admin.put(f"{path}/members", {"members": [{"user_id": third.id}, {"user_id": second.id}]})
    assert {member["user_id"]: member["is_lead"] for member in replaced["members"]} == {
        second.id: False,
        third.id: False,
    }
    assert await admin.get(path) == replaced
    assert [(team["name"], team["member_count"]) for team in await admin.get(TEAMS)] == [("Night shift", 2)]


async def test_either_all_are_taken_or_nobody(shared_platform: Platform) -> None:
    admin, member, stranger = shared_platform.tenant, await join(shared_platform), await shared_platform.found()
    gone = await join(shared_platform)
    await admin.client.delete(f"{USERS}/{gone.id}")
    team = await admin.post(TEAMS, {"name": "Night shift"})
    path = f"{TEAMS}/{team['id']}/members"
    await admin.put(path, {"members": [{"user_id": member.id}]})
    for nobody in (await own_id(stranger), gone.id, str(uuid.uuid4())):
        body = {"members": [{"user_id": await own_id(admin)}, {"user_id": nobody}]}
        answer = await admin.client.put(path, json=body)
        assert refusal(answer) == (422, "INVALID")
        assert nobody in answer.json()["error"]["message"]
    twice = {"members": [{"user_id": member.id}, {"user_id": member.id, "is_lead": True}]}
    assert refusal(await admin.client.put(path, json=twice)) == (422, "INVALID")
    assert [entry["user_id"] for entry in (await admin.get(f"{TEAMS}/{team['id']}"))["members"]] == [member.id]


async def test_a_team_is_renamed_and_dissolved_and_its_people_stay(shared_platform: Platform) -> None:
    admin, member = shared_platform.tenant, await join(shared_platform)
    team, other = [await admin.post(TEAMS, {"name": name}) for name in ("Night shift", "Day shift")]
    path = f"{TEAMS}/{team['id']}"
    await admin.put(f"{path}/members", {"members": [{"user_id": member.id}]})
    assert refusal(await admin.client.post(TEAMS, json={"name": "Day shift"})) == (409, "ALREADY_EXISTS")
    assert refusal(await admin.client.put(path, json={"name": other["name"]})) == (409, "ALREADY_EXISTS")
    assert (await admin.put(path, {"description": "From ten"}))["name"] == "Night shift"
    assert (await admin.client.delete(path)).status_code == 204
    assert (await admin.client.get(path)).status_code == 404
    assert (await admin.get(f"{USERS}/{member.id}"))["status"] == "active"


async def test_who_was_let_go_is_counted_in_no_team(shared_platform: Platform) -> None:
    admin, member = shared_platform.tenant, await join(shared_platform)
    team = await admin.post(TEAMS, {"name": "Night shift"})
    await admin.put(f"{TEAMS}/{team['id']}/members", {"members": [{"user_id": member.id}]})
    await admin.client.delete(f"{USERS}/{member.id}")
    read = await admin.get(f"{TEAMS}/{team['id']}")
    assert (read["member_count"], read["members"]) == (0, [])


async def test_teams_of_others_are_not_there_and_their_names_are_free(shared_platform: Platform) -> None:
    admin, stranger = shared_platform.tenant, await shared_platform.found()
    team = await admin.post(TEAMS, {"name": "Night shift"})
    await stranger.post(TEAMS, {"name": "Night shift"})
    path = f"{TEAMS}/{team['id']}"
    for answer in (
        await stranger.client.get(path),
        await stranger.client.put(path, json={"name": "X"}),
        await stranger.client.delete(path),
        await stranger.client.put(f"{path}/members", json={"members": []}),
    ):
        assert refusal(answer) == (404, "NOT_FOUND")
    assert await stranger.get(f"{USERS}/search", team_id=team["id"]) == []
