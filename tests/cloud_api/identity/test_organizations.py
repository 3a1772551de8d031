"""Organisations, as their own people and as those who manage the platform see and change them."""

from typing import Any

from tests.cloud_api.identity.people import add_person, me, refresh, sign_in, tokens
from tests.cloud_api.identity.staff import ORGANIZATIONS, USERS, join, refusal
from tests.factories.stores import make_gateway
from tests.platform_under_test import PASSWORD, Platform, Tenant

GIVEN = "Loading-dock-7"
DEFAULT = {"name": "Coldfleet", "logo_url": "", "primary_colour": "#0b5c8a", "accent_colour": "#f2a33c"}


def path_of(tenant: Tenant, *further: str) -> str:
    return "/".join((ORGANIZATIONS, str(tenant.organization.organization_id), *further))


def farm(**changed: Any) -> dict[str, Any]:
    """A body that founds an organisation."""
    admin = {"email": "meera@hills.example", "username": "meera", "full_name": "Meera Rao", "password": GIVEN}
    return {"name": "Hill farms", "slug": "hill-farms", "plan": "pro", "admin": admin, **changed}


async def test_one_sees_ones_own_and_the_platform_all(platform: Platform) -> None:
    first, second, owner = platform.tenant, await platform.found(), await platform.found_platform()
    assert [seen["slug"] for seen in await first.get(ORGANIZATIONS)] == [first.slug]
    assert {seen["slug"] for seen in await owner.get(ORGANIZATIONS)} == {first.slug, second.slug, "platform"}
    assert len(await owner.get(ORGANIZATIONS, limit=2)) == 2
    assert (await owner.get(path_of(second)))["slug"] == second.slug
    assert (await first.get(path_of(first)))["plan"] == "basic"


async def test_an_organisation_is_founded_with_an_administrator_who_signs_in(platform: Platform) -> None:
    owner = await platform.found_platform()
    made = await owner.post(ORGANIZATIONS, farm(email="office@hills.example"))
    assert (made["slug"], made["plan"], made["email"], made["is_active"]) == (
        "hill-farms",
        "pro",
        "office@hills.example",
        True,
    )
    signed_in = (await sign_in(platform, "meera", GIVEN)).json()["data"]
    assert (signed_in["user"]["roles"], signed_in["user"]["duty"]) == (["org_admin"], "PASSWORD_EXPIRED")
    again = await owner.client.post(ORGANIZATIONS, json=farm())
    assert refusal(again) == (409, "NAME_TAKEN")
    taken = farm(slug="hill-farms-2")
    assert refusal(await owner.client.post(ORGANIZATIONS, json=taken)) == (409, "NAME_TAKEN")
    assert len(await owner.get(ORGANIZATIONS)) == 3, "nothing is founded by halves"


async def test_an_organisation_is_founded_with_an_invitation(platform: Platform) -> None:
    owner = await platform.found_platform()
    made = await owner.post(ORGANIZATIONS, farm(admin={"email": "meera@hills.example"}))
    await platform.deliver()
    plain = platform.letterbox.mails[-1].get_body(("plain",))
    assert plain is not None
    token = plain.get_content().partition("token=")[2].split()[0]
    body = {"username": "meera", "full_name": "Meera Rao", "password": GIVEN}
    async with platform.client() as anybody:
        accepted = (await anybody.post(f"/api/v1/invites/{token}/accept", json=body)).json()["data"]
    assert accepted["organization_id"] == made["id"]
    assert (await tokens_with(platform, "meera"))["user"]["roles"] == ["org_admin"]


async def tokens_with(platform: Platform, login: str) -> dict[str, Any]:
    data: dict[str, Any] = (await sign_in(platform, login, GIVEN)).json()["data"]
    return data


async def test_an_organisation_that_cannot_be_is_refused(platform: Platform) -> None:
    owner = await platform.found_platform()
    lone = {"email": "a@hills.example", "username": "a"}
    for changed, code in (
        ({"admin": lone}, "VALIDATION_FAILED"),
        ({"admin": {**lone, "full_name": "A", "password": "weak"}}, "WEAK_PASSWORD"),
        ({"slug": "Hill Farms"}, "VALIDATION_FAILED"),
        ({"plan": "free"}, "VALIDATION_FAILED"),
        ({"timezone": "Mars/Olympus"}, "VALIDATION_FAILED"),
    ):
        refused = await owner.client.post(ORGANIZATIONS, json=farm(**changed))
        assert refusal(refused) == (422, code), changed


async def test_administrators_change_their_own_record_but_not_their_plan(shared_platform: Platform) -> None:
    admin = shared_platform.tenant
    changed = await admin.put(path_of(admin), {"name": "Dew farms", "phone": "+912212345678", "plan": "basic"})
    assert (changed["name"], changed["phone"], changed["slug"]) == ("Dew farms", "+912212345678", admin.slug)
    for reserved in ({"plan": "enterprise"}, {"is_active": False}):
        assert refusal(await admin.client.put(path_of(admin), json=reserved)) == (403, "FORBIDDEN")
    member = await join(shared_platform)
    assert (await member.client.put(path_of(admin), json={"name": "X"})).status_code == 403


async def test_organisations_of_others_are_not_there(shared_platform: Platform) -> None:
    admin, stranger = shared_platform.tenant, await shared_platform.found()
    for method, further, body in (
        ("GET", (), None),
        ("PUT", (), {"name": "X"}),
        ("GET", ("onboarding",), None),
        ("POST", ("onboarding",), {"step": "setup"}),
        ("GET", ("settings",), None),
        ("PUT", ("settings",), {"values": {"session.limit": 1}}),
        ("PUT", ("branding",), {"name": "X"}),
    ):
        answer = await stranger.client.request(method, path_of(admin, *further), json=body)
        assert refusal(answer) == (404, "NOT_FOUND"), (method, further)
    assert (await stranger.client.delete(path_of(admin))).status_code == 403
    assert (await stranger.client.post(ORGANIZATIONS, json=farm())).status_code == 403


async def test_those_who_manage_the_platform_work_on_any_organisation_here_and_nowhere_else(platform: Platform) -> None:
    tenant, owner = platform.tenant, await platform.found_platform()
    assert (await owner.put(path_of(tenant), {"plan": "enterprise"}))["plan"] == "enterprise"
    await owner.put(path_of(tenant, "settings"), {"values": {"session.limit": 2}})
    assert (await tenant.get("/api/v1/admin/settings/session.limit"))["value"] == 2
    assert (await owner.get("/api/v1/admin/settings/session.limit"))["value"] == 5, "the owner's own stays"
    trail = await tenant.get("/api/v1/admin/security/audit-logs", entity="organizations")
    assert trail[0]["actor_name"] == owner.username
    assert len(await owner.get(USERS)) == 1
    nobody = "00000000-0000-7000-8000-000000000000"
    for further in ("", "/settings", "/onboarding"):
        assert (await owner.client.get(f"{ORGANIZATIONS}/{nobody}{further}")).status_code == 404


async def test_a_closed_organisation_lets_in_neither_people_nor_machines(platform: Platform) -> None:
    tenant, owner = platform.tenant, await platform.found_platform()
    person = await add_person(platform)
    signed_in = await tokens(platform, person.username)
    gateway_id, gateway_token = await make_gateway(platform, tenant)
    config = f"/api/v1/edge/gateways/{gateway_id}/config"
    async with platform.client(gateway_token) as gateway:
        assert (await gateway.get(config)).status_code == 200
        assert (await owner.client.delete(path_of(tenant))).status_code == 204
        assert (await gateway.get(config)).status_code == 401
        assert (await me(platform, signed_in["access_token"])).status_code == 401
        assert (await refresh(platform, signed_in["refresh_token"])).status_code == 401
        assert (await sign_in(platform, person.username)).status_code == 401
        closed = await owner.get(path_of(tenant))
        assert (closed["is_active"], closed["deactivated_at"] is None) == (False, False)
        opened = await owner.put(path_of(tenant), {"is_active": True})
        assert (opened["is_active"], opened["deactivated_at"]) == (True, None)
        assert (await gateway.get(config)).status_code == 200
        assert (await sign_in(platform, person.username, PASSWORD)).status_code == 200


async def test_the_platforms_own_organisation_stays(platform: Platform) -> None:
    owner = await platform.found_platform()
    assert refusal(await owner.client.delete(path_of(owner))) == (409, "CONFLICT")
    assert refusal(await owner.client.put(path_of(owner), json={"is_active": False})) == (409, "CONFLICT")
    assert (await owner.get(path_of(owner)))["is_active"]


async def test_the_first_set_up_goes_on_where_it_was_left(shared_platform: Platform) -> None:
    admin = shared_platform.tenant
    path = path_of(admin, "onboarding")
    fresh = await admin.get(path)
    assert ([step["step"] for step in fresh["steps"]], fresh["completed"]) == (["welcome", "setup", "import"], False)
    await admin.post(path, {"step": "welcome"})
    saved = await admin.post(path, {"step": "setup", "data": {"warehouses": 2, "currency": "INR"}})
    assert [step["completed_at"] is not None for step in saved["steps"]] == [True, True, False]
    assert (await admin.get(path))["steps"][1]["data"] == {"warehouses": 2, "currency": "INR"}
    assert (await admin.post(path, {"step": "import"}))["completed"]
    assert refusal(await admin.client.post(path, json={"step": "fly"})) == (422, "VALIDATION_FAILED")


async def test_settings_are_checked_by_their_definitions(shared_platform: Platform) -> None:
    admin = shared_platform.tenant
    path = path_of(admin, "settings")
    assert (await admin.get(path))["session.limit"] == 5
    changed = await admin.put(path, {"values": {"session.limit": 3, "locale": "hi-IN"}})
    assert (changed["session.limit"], changed["locale"]) == (3, "hi-IN")
    for wrong in ({"session.limit": "3"}, {"session.limit": 4, "nothing": 1}):
        assert refusal(await admin.client.put(path, json={"values": wrong})) == (422, "SETTING_REFUSED")
    locking_out = await admin.client.put(path, json={"values": {"ip_allowlist_enforced": True}})
    assert refusal(locking_out) == (409, "WOULD_LOCK_YOU_OUT")
    assert (await admin.get(path))["session.limit"] == 3


async def test_a_white_label_is_shown_to_anybody_and_tells_of_nobody_else(shared_platform: Platform) -> None:
    admin = shared_platform.tenant
    plain = await shared_platform.found()
    label = {"name": "Dew farms", "logo_url": "https://dew.example/logo.svg", "primary_colour": "#112233"}
    shown = await admin.put(path_of(admin, "branding"), label)
    assert shown == {**DEFAULT, **label}
    async with shared_platform.client() as anybody:

        async def look(name: object) -> Any:
            return (await anybody.get(f"{ORGANIZATIONS}/{name}/branding")).json()["data"]

        assert await look(admin.slug) == await look(admin.organization.organization_id) == shown
        for unknown in (plain.slug, plain.organization.organization_id, "nobody", "0" * 32):
            assert await look(unknown) == DEFAULT, unknown
        assert (await anybody.get(f"{ORGANIZATIONS}/a%20b/branding")).status_code == 422
    pale = await admin.client.put(path_of(admin, "branding"), json={"primary_colour": "#ffd400"})
    assert refusal(pale) == (422, "INVALID")
    assert "1.4 to 1" in pale.json()["error"]["message"]
    for wrong in (
        {"logo_url": "javascript:alert(1)"},
        {"logo_url": "/api/v1/media/1"},
        {"primary_colour": "red"},
        {"font": "Comic"},
    ):
        answer = await admin.client.put(path_of(admin, "branding"), json=wrong)
        assert refusal(answer) == (422, "VALIDATION_FAILED")
