"""What administrators do with people, and what nobody can do to anybody."""

import asyncio
from typing import Any

import pytest

from cloud_api.kernel.permissions import ALL
from tests.cloud_api.identity.people import add_person, me, refresh, sign_in, tokens
from tests.cloud_api.identity.staff import TEAMS, USERS, Member, join, make_role, own_id, refusal
from tests.platform_under_test import PASSWORD, Platform, Tenant

GIVEN = "Loading-dock-7"


def newcomer(number: str, **changed: Any) -> dict[str, Any]:
    """A body that adds somebody."""
    body = {
        "username": f"ravi-{number}",
        "email": f"ravi-{number}@farm.example",
        "full_name": "Ravi Kumar",
        "password": GIVEN,
        "roles": ["inventory_staff"],
    }
    return {**body, **changed}


async def test_somebody_new_signs_in_and_has_to_choose_a_password_first(shared_platform: Platform) -> None:
    admin = shared_platform.tenant
    made = await admin.post(USERS, newcomer(admin.slug, email=f"RAVI@{admin.slug}.example"))
    assert (made["email"], made["email_verified"]) == (f"ravi@{admin.slug}.example", False)
    assert ([role["name"] for role in made["roles"]], made["must_change_password"]) == (["inventory_staff"], True)
    assert await admin.get(f"{USERS}/{made['id']}") == made
    signed_in = (await sign_in(shared_platform, made["username"], GIVEN)).json()["data"]
    assert signed_in["user"]["duty"] == "PASSWORD_EXPIRED"
    async with shared_platform.client(signed_in["access_token"]) as client:
        assert refusal(await client.get("/api/v1/warehouse/products")) == (403, "PASSWORD_EXPIRED")
        chosen = {"current_password": GIVEN, "new_password": "Monsoon-crate-9"}
        assert (await client.post("/api/v1/auth/change-password", json=chosen)).status_code == 204
        assert (await client.get("/api/v1/warehouse/products")).status_code == 200


async def test_the_mail_to_somebody_new_confirms_their_address(sqlite_platform: Platform) -> None:
    admin = sqlite_platform.tenant
    made = await admin.post(USERS, newcomer(admin.slug))
    await sqlite_platform.deliver()
    assert [mail["X-Coldfleet-Mail"] for mail in sqlite_platform.letterbox.mails if made["email"] in mail["To"]] == [
        "verify_email"
    ]


@pytest.mark.parametrize(
    ("changed", "heard"),
    [
        ({"username": "?"}, (422, "VALIDATION_FAILED")),
        ({"email": "nobody"}, (422, "VALIDATION_FAILED")),
        ({"password": "short"}, (422, "WEAK_PASSWORD")),
        ({"roles": []}, (422, "VALIDATION_FAILED")),
        ({"roles": ["king"]}, (422, "INVALID")),
        ({"extra_permissions": ["stock:fly"]}, (422, "UNKNOWN_PERMISSION")),
        ({"extra_permissions": ["platform:manage"]}, (403, "ROLE_TOO_MIGHTY")),
        ({"extra_permissions": [ALL]}, (403, "ROLE_TOO_MIGHTY")),
        ({"unknown": 1}, (422, "VALIDATION_FAILED")),
    ],
)
async def test_nobody_is_added_by_halves(
    sqlite_platform: Platform, changed: dict[str, Any], heard: tuple[int, str]
) -> None:
    admin = sqlite_platform.tenant
    assert refusal(await admin.client.post(USERS, json=newcomer(admin.slug, **changed))) == heard
    assert await admin.get(USERS, search="ravi") == []


async def test_a_name_that_is_taken_anywhere_is_refused(shared_platform: Platform) -> None:
    admin = shared_platform.tenant
    other = await shared_platform.found()
    person = await add_person(shared_platform)
    for taken in ({"username": person.username.upper()}, {"email": person.email.upper()}, {"username": other.username}):
        answer = await admin.client.post(USERS, json=newcomer(admin.slug, **taken))
        assert refusal(answer) == (409, "NAME_TAKEN"), taken


async def test_people_are_found_by_name_address_role_team_and_status(shared_platform: Platform) -> None:
    admin = shared_platform.tenant
    ravi = await admin.post(USERS, newcomer(f"{admin.slug}-1", full_name="Ravi 100% Rao"))
    asha = await admin.post(USERS, newcomer(f"{admin.slug}-2", full_name="Asha Patil", roles=["viewer"]))
    team = await admin.post(TEAMS, {"name": "Night shift"})
    await admin.put(f"{TEAMS}/{team['id']}/members", {"members": [{"user_id": asha["id"]}]})
    await admin.put(f"{USERS}/{ravi['id']}/status", {"status": "suspended"})

    async def found(path: str, **parameters: Any) -> list[str]:
        return [person["id"] for person in await admin.get(path, **parameters)]

    assert await found(USERS, search="rao") == [ravi["id"]]
    assert await found(USERS, search="100%") == [ravi["id"]]
    assert await found(USERS, search="%") == [ravi["id"]], "a wildcard of the database means nothing"
    assert await found(USERS, search=asha["email"].upper()) == [asha["id"]]
    assert await found(USERS, role="viewer") == [asha["id"]]
    assert await found(USERS, status="suspended") == await found(USERS, is_active=False) == [ravi["id"]]
    assert ravi["id"] not in await found(USERS, is_active=True)
    assert await found(f"{USERS}/search", q="patil", team_id=team["id"]) == [asha["id"]]
    assert await found(f"{USERS}/search", q="rao", team_id=team["id"]) == []
    assert await found(f"{USERS}/search", role="inventory_staff", status="suspended") == [ravi["id"]]


async def test_a_list_is_read_page_by_page_and_ends_at_the_wall(shared_platform: Platform) -> None:
    admin, other = shared_platform.tenant, await shared_platform.found()
    for _ in range(4):
        await add_person(shared_platform)
    seen: list[str] = []
    cursor = None
    while True:
        parameters = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        answer = (await admin.client.get(USERS, params=parameters)).json()
        seen += [person["username"] for person in answer["data"]]
        cursor = answer["meta"]["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 5
    assert other.username not in seen
    assert [person["username"] for person in await other.get(USERS)] == [other.username]


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_what_is_not_sent_stays(shared_platform: Platform, method: str) -> None:
    admin, member = shared_platform.tenant, await join(shared_platform)
    before = await admin.get(f"{USERS}/{member.id}")
    answer = await admin.client.request(method, f"{USERS}/{member.id}", json={"full_name": "Asha Rao"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"] == {**before, "full_name": "Asha Rao", "version": before["version"] + 1}


async def test_a_new_address_has_to_be_confirmed_and_old_links_work_no_more(sqlite_platform: Platform) -> None:
    admin, member = sqlite_platform.tenant, await join(sqlite_platform)
    async with sqlite_platform.client() as anybody:
        await anybody.post("/api/v1/auth/forgot-password", json={"login": member.username})
        await sqlite_platform.deliver()
        mails = sqlite_platform.letterbox.mails  # others' may be among them, from before
        *_, mail = [mail for mail in mails if mail["X-Coldfleet-Mail"] == "reset_password"]
        plain = mail.get_body(("plain",))
        assert plain is not None
        token = plain.get_content().partition("token=")[2].split()[0]
        changed = await admin.put(f"{USERS}/{member.id}", {"email": f"new@{admin.slug}.example"})
        assert (changed["email"], changed["email_verified"]) == (f"new@{admin.slug}.example", False)
        body = {"token": token, "new_password": "Monsoon-crate-9"}
        answer = await anybody.post("/api/v1/auth/reset-password", json=body)
    assert refusal(answer) == (422, "TOKEN_NOT_VALID")


async def test_who_is_let_go_is_out_at_once_and_stands_in_no_list(shared_platform: Platform) -> None:
    admin, member = shared_platform.tenant, await join(shared_platform)
    signed_in = await tokens(shared_platform, member.username)
    assert (await admin.client.delete(f"{USERS}/{member.id}")).status_code == 204
    assert (await me(shared_platform, signed_in["access_token"])).status_code == 401
    assert (await refresh(shared_platform, signed_in["refresh_token"])).status_code == 401
    assert (await sign_in(shared_platform, member.username)).status_code == 401
    assert (await admin.client.get(f"{USERS}/{member.id}")).status_code == 404
    assert member.id not in [person["id"] for person in await admin.get(USERS)]
    assert (await admin.client.delete(f"{USERS}/{member.id}")).status_code == 404


async def test_who_is_suspended_can_come_back_but_not_with_old_sign_ins(shared_platform: Platform) -> None:
    admin, member = shared_platform.tenant, await join(shared_platform)
    for status, entry in (("suspended", 401), ("inactive", 401), ("active", 200)):
        changed = await admin.put(f"{USERS}/{member.id}/status", {"status": status})
        assert changed["status"] == status
        assert (await sign_in(shared_platform, member.username)).status_code == entry, status
    assert (await member.client.get("/api/v1/auth/me")).status_code == 401


async def test_a_given_password_ends_every_sign_in_and_lasts_for_one(shared_platform: Platform) -> None:
    admin, member = shared_platform.tenant, await join(shared_platform)
    path = f"{USERS}/{member.id}/password"
    assert refusal(await admin.client.put(path, json={"password": "weak"})) == (422, "WEAK_PASSWORD")
    assert refusal(await admin.client.put(path, json={"password": PASSWORD})) == (422, "WEAK_PASSWORD")
    assert (await admin.client.put(path, json={"password": GIVEN})).status_code == 204
    assert (await member.client.get("/api/v1/auth/me")).status_code == 401
    assert (await sign_in(shared_platform, member.username, PASSWORD)).status_code == 401
    signed_in = await sign_in(shared_platform, member.username, GIVEN)
    assert signed_in.json()["data"]["user"]["duty"] == "PASSWORD_EXPIRED"
    own = await admin.client.put(f"{USERS}/{await own_id(admin)}/password", json={"password": GIVEN})
    assert refusal(own) == (403, "FORBIDDEN")


async def test_a_lock_is_opened_by_an_administrator(shared_platform: Platform) -> None:
    admin, member = shared_platform.tenant, await join(shared_platform)
    for _ in range(5):
        await sign_in(shared_platform, member.username, "Wrong-password-1")
    assert (await sign_in(shared_platform, member.username)).status_code == 423
    stranger = await shared_platform.found()
    assert (await stranger.client.post(f"{USERS}/{member.id}/unlock")).status_code == 404
    assert (await sign_in(shared_platform, member.username)).status_code == 423
    assert (await admin.client.post(f"{USERS}/{member.id}/unlock")).status_code == 204
    assert (await sign_in(shared_platform, member.username)).status_code == 200


async def test_sign_ins_of_somebody_are_seen_and_ended(shared_platform: Platform) -> None:
    admin, member = shared_platform.tenant, await join(shared_platform)
    await tokens(shared_platform, member.username)
    seen = await admin.get(f"{USERS}/{member.id}/sessions")
    assert [session["current"] for session in seen] == [False, False]
    assert (await admin.client.delete(f"{USERS}/{member.id}/sessions")).status_code == 204
    assert await admin.get(f"{USERS}/{member.id}/sessions") == []
    assert (await member.client.get("/api/v1/auth/me")).status_code == 401
    assert [session["current"] for session in await admin.get(f"{USERS}/{await own_id(admin)}/sessions")] == [True]


async def test_a_role_is_felt_with_the_next_request(shared_platform: Platform) -> None:
    admin, member = shared_platform.tenant, await join(shared_platform)
    role_id = await make_role(admin, "counter", "roles:read")
    assert (await member.client.get("/api/v1/admin/roles")).status_code == 403
    for _ in range(2):  # again: nothing changes
        held = await admin.post(f"{USERS}/{member.id}/roles", {"role_id": role_id})
        assert [role["name"] for role in held["roles"]] == ["counter", "viewer"]
    assert (await member.client.get("/api/v1/admin/roles")).status_code == 200
    taking = f"{USERS}/{member.id}/roles/{role_id}"
    assert (await admin.client.delete(taking)).status_code == 204
    assert (await admin.client.delete(taking)).status_code == 404
    assert (await member.client.get("/api/v1/admin/roles")).status_code == 403


async def test_a_permission_beside_the_roles_is_felt_too(shared_platform: Platform) -> None:
    admin, member = shared_platform.tenant, await join(shared_platform)
    assert (await member.client.get(USERS)).status_code == 403
    changed = await admin.put(f"{USERS}/{member.id}", {"extra_permissions": ["users:read", "staff:*"]})
    assert changed["extra_permissions"] == ["staff:*", "users:read"]
    assert (await member.client.get(USERS)).status_code == 200
    await admin.put(f"{USERS}/{member.id}", {"extra_permissions": []})
    assert (await member.client.get(USERS)).status_code == 403


async def clerk(platform: Platform) -> Member:
    """Somebody who may change people and roles, and otherwise little."""
    role_id = await make_role(platform.tenant, "clerk", "users:*", "roles:*", "stock:read")
    member = await join(platform, roles=[])
    await platform.tenant.post(f"{USERS}/{member.id}/roles", {"role_id": role_id})
    return member


async def attack(by: Tenant, target: str) -> dict[str, tuple[int, str]]:
    """Everything that changes somebody."""
    path, client = f"{USERS}/{target}", by.client
    role_id = next(role["id"] for role in await by.get("/api/v1/admin/roles") if role["name"] == "clerk")
    return {
        "update": refusal(await client.put(path, json={"email": "mine@farm.example"})),
        "remove": refusal(await client.delete(path)),
        "status": refusal(await client.put(f"{path}/status", json={"status": "inactive"})),
        "password": refusal(await client.put(f"{path}/password", json={"password": GIVEN})),
        "unlock": refusal(await client.post(f"{path}/unlock")),
        "sessions": refusal(await client.delete(f"{path}/sessions")),
        "give": refusal(await client.post(f"{path}/roles", json={"role_id": role_id})),
        "take": refusal(await client.delete(f"{path}/roles/{role_id}")),
    }


async def test_nobody_touches_somebody_mightier(shared_platform: Platform) -> None:
    admin, by = shared_platform.tenant, await clerk(shared_platform)
    heard = await attack(by, await own_id(admin))
    assert set(heard.values()) == {(403, "MIGHTIER_PERSON")}, heard
    member = await join(shared_platform, roles=[])
    assert (await by.client.put(f"{USERS}/{member.id}", json={"full_name": "Asha"})).status_code == 200


async def test_nobody_gives_what_they_have_not(shared_platform: Platform) -> None:
    admin, by, member = shared_platform.tenant, await clerk(shared_platform), await join(shared_platform, roles=[])
    roles = {role["name"]: role["id"] for role in await admin.get("/api/v1/admin/roles")}
    for name in ("org_admin", "warehouse_manager", "customer"):
        for target in (member.id, by.id):
            answer = await by.client.post(f"{USERS}/{target}/roles", json={"role_id": roles[name]})
            assert refusal(answer) == (403, "ROLE_TOO_MIGHTY"), name
        answer = await by.client.post(USERS, json=newcomer(admin.slug, roles=[name]))
        assert refusal(answer) == (403, "ROLE_TOO_MIGHTY"), name
    for permission in ("stock:write", "stock:*", "inventory:*", "*"):
        answer = await by.client.put(f"{USERS}/{by.id}", json={"extra_permissions": [permission]})
        assert refusal(answer) == (403, "ROLE_TOO_MIGHTY"), permission
    assert (await by.client.put(f"{USERS}/{member.id}", json={"extra_permissions": ["stock:read"]})).status_code == 200


async def test_the_last_administrator_stays(shared_platform: Platform) -> None:
    admin = shared_platform.tenant
    me_id = await own_id(admin)
    roles = {role["name"]: role["id"] for role in await admin.get("/api/v1/admin/roles")}
    stripped = f"{USERS}/{me_id}/roles/{roles['org_admin']}"
    assert refusal(await admin.client.delete(stripped)) == (409, "LAST_ADMINISTRATOR")
    other = await join(shared_platform, roles=["org_admin"])
    assert (await other.client.put(f"{USERS}/{me_id}/status", json={"status": "suspended"})).status_code == 200
    for answer in (
        await other.client.delete(f"{USERS}/{other.id}"),
        await other.client.put(f"{USERS}/{other.id}/status", json={"status": "inactive"}),
    ):
        assert refusal(answer) == (409, "CONFLICT")
    answer = await other.client.delete(f"{USERS}/{other.id}/roles/{roles['org_admin']}")
    assert refusal(answer) == (409, "LAST_ADMINISTRATOR")


async def test_of_administrators_who_remove_each_other_at_once_one_stays(shared_platform: Platform) -> None:
    admins = [shared_platform.tenant, *[await join(shared_platform, roles=["org_admin"]) for _ in range(3)]]
    ids = [await own_id(admin) for admin in admins]
    answers = await asyncio.gather(*(admin.client.delete(f"{USERS}/{ids[at - 1]}") for at, admin in enumerate(admins)))
    assert {answer.status_code for answer in answers} <= {204, 401, 403, 404, 409}
    left = [admin for admin in admins if (await admin.client.get("/api/v1/auth/me")).status_code == 200]
    assert left
    assert len(await left[0].get(USERS, role="org_admin")) == len(left)


async def test_two_administrators_cannot_both_step_down(shared_platform: Platform) -> None:
    admins = [shared_platform.tenant, await join(shared_platform, roles=["org_admin"])]
    ids = [await own_id(admin) for admin in admins]
    role_id = next(role["id"] for role in await admins[0].get("/api/v1/admin/roles") if role["name"] == "org_admin")
    answers = await asyncio.gather(
        *(admin.client.delete(f"{USERS}/{id}/roles/{role_id}") for admin, id in zip(admins, ids, strict=True))
    )
    assert sorted(answer.status_code for answer in answers) == [204, 409]


async def test_people_of_others_are_not_there(shared_platform: Platform) -> None:
    member, stranger = await join(shared_platform), await shared_platform.found()
    path = f"{USERS}/{member.id}"
    for method, where, body in (
        ("GET", path, None),
        ("PUT", path, {"full_name": "X"}),
        ("DELETE", path, None),
        ("PUT", f"{path}/status", {"status": "inactive"}),
        ("PUT", f"{path}/password", {"password": GIVEN}),
        ("POST", f"{path}/unlock", None),
        ("GET", f"{path}/sessions", None),
        ("DELETE", f"{path}/sessions", None),
        ("POST", f"{path}/roles", {"role_id": member.id}),
        ("DELETE", f"{path}/roles/{member.id}", None),
    ):
        answer = await stranger.client.request(method, where, json=body)
        assert refusal(answer) == (404, "NOT_FOUND"), where
    theirs = await make_role(stranger, "theirs", "stock:read")
    answer = await shared_platform.tenant.client.post(f"{path}/roles", json={"role_id": theirs})
    assert refusal(answer) == (404, "NOT_FOUND")
