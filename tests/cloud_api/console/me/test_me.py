"""One's own account at the console: profile, password, second factor, sign-ins; and where mailed links lead."""

import re

import httpx2
import pyotp

from cloud_api.kernel import clock
from tests.cloud_api.console.screens import Screen, at_console, token_of
from tests.cloud_api.identity.mailed import mailed_token
from tests.factories.farms import make_person
from tests.platform_under_test import PASSWORD, Platform, open_platform

NEXT = "Tall-Tree-77x"


async def test_the_page_changes_at_once_with_language_and_theme(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    change = {"full_name": "Keeper", "phone": "", "locale": "hi", "theme": "dark"}
    assert (await console.post("/console/me", data=change)).status_code == 303
    page = (await console.get("/console/me")).text
    assert '<html lang="hi" data-theme="dark"' in page
    assert "भाषा" in page
    me = await sqlite_platform.tenant.get("/api/v1/auth/me")
    assert (me["locale"], me["theme"]) == ("hi", "dark")


async def test_what_is_wrong_with_a_profile_stands_beside_its_field(console: httpx2.AsyncClient) -> None:
    change = {"full_name": "Asha", "phone": "98", "locale": "en", "theme": "light"}
    answer = await console.post("/console/me", data=change)
    assert answer.status_code == 422
    assert 'id="e-phone"' in answer.text
    assert 'value="Asha"' in answer.text


async def test_the_password_is_changed_with_the_present_one(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    wanted = {"current_password": PASSWORD, "new_password": NEXT, "again": "else"}
    differs = await console.post("/console/me/password", data=wanted)
    assert differs.status_code == 422
    assert "This is not what stands above." in differs.text
    wrong = await console.post("/console/me/password", data={**wanted, "again": NEXT, "current_password": "No-no-1x"})
    assert wrong.status_code in (401, 422, 403)
    assert 'role="alert"' in wrong.text or "invalid-feedback" in wrong.text
    assert (await console.post("/console/me/password", data={**wanted, "again": NEXT})).status_code == 303
    async with sqlite_platform.client() as client:
        account = {"login": sqlite_platform.tenant.username, "password": NEXT}
        assert (await client.post("/api/v1/auth/login", json=account)).status_code == 200


async def test_who_must_change_the_password_is_offered_nothing_else(sqlite_platform: Platform) -> None:
    tenant = sqlite_platform.tenant
    account = {
        "username": f"new-{tenant.slug}",
        "email": f"new@{tenant.slug}.example",
        "full_name": "Meera Joshi",
        "password": NEXT,
        "roles": ["viewer"],
    }
    await tenant.post("/api/v1/admin/users", account)
    async with sqlite_platform.client() as client:
        client.headers["Sec-Fetch-Site"] = "same-origin"
        said = (await client.post("/api/v1/auth/login", json={"login": account["username"], "password": NEXT})).json()
        client.cookies.set("coldfleet_access", said["data"]["access_token"])
        led = await client.get("/console/notifications")
        assert led.headers["location"] == "/console/me/password"
        assert (await client.get("/console/me")).headers["location"] == "/console/me/password"
        page = (await client.get("/console/me/password")).text
        assert "has to be changed before you can go on" in page
        assert "/console/notifications" not in page
        assert 'class="nav-item"' not in page
        assert "Sign out" in page
        change = {"current_password": NEXT, "new_password": "Wide-River-78y", "again": "Wide-River-78y"}
        assert (await client.post("/console/me/password", data=change)).headers["location"] == "/console"
        assert 'class="nav-item"' in (await client.get("/console/me/password")).text


async def test_who_needs_a_second_factor_enrols_it_before_anything_else(sqlite_url: str) -> None:
    async with (
        open_platform(sqlite_url, two_factor_for_admins=True) as platform,
        at_console(platform, platform.tenant) as client,
    ):
        assert (await client.get("/console/people")).headers["location"] == "/console/me/second-factor"
        page = (await client.get("/console/me/second-factor")).text
        assert "Your role needs a second factor" in page
        assert 'class="nav-item"' not in page
        begun = (await client.post("/console/me/second-factor/begin")).text
        [secret] = re.findall(r'name="secret" value="(\w+)"', begun)
        [address] = re.findall(r'name="begun" value="([^"]+)"', begun)
        told = {"secret": secret, "begun": address.replace("&amp;", "&")}
        wrong = await client.post("/console/me/second-factor/enable", data={**told, "code": "000000"})
        assert wrong.status_code == 422
        assert 'id="e-code"' in wrong.text
        assert secret in wrong.text, "the picture stays: it was read already"
        code = pyotp.TOTP(secret).at(clock.now())
        on = await client.post("/console/me/second-factor/enable", data={**told, "code": code})
        assert on.text.count('<li class="col"><code>') == 10
        assert (await client.get("/console/people")).status_code == 200


async def test_a_second_factor_gets_new_backup_codes_and_is_switched_off(sqlite_platform: Platform) -> None:
    tenant = sqlite_platform.tenant
    async with at_console(sqlite_platform, tenant) as client:
        begun = await tenant.post("/api/v1/auth/2fa/setup")
        code = pyotp.TOTP(begun["secret"])
        kept = (await tenant.post("/api/v1/auth/2fa/enable", {"code": code.at(clock.now())}))["backup_codes"]
        here = "/console/me/second-factor"
        assert "A second factor is in force" in (await client.get(here)).text
        wrong = await client.post(f"{here}/backup-codes", data={"code": "000000"})
        assert wrong.status_code >= 400
        assert "invalid-feedback" in wrong.text or 'role="alert"' in wrong.text
        codes = await client.post(f"{here}/backup-codes", data={"code": kept[0]})
        [*fresh] = re.findall(r"<code>([^<]+)</code>", codes.text)
        assert len(fresh) == 10
        off = await client.post(f"{here}/disable", data={"password": PASSWORD, "code": fresh[0]})
        assert off.headers["location"] == here
        assert "No second factor is in force" in (await client.get(here)).text


async def test_sign_ins_are_ended_one_by_one_and_all_but_this(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    tenant = sqlite_platform.tenant
    async with sqlite_platform.client() as client:
        for _ in range(2):
            await client.post("/api/v1/auth/login", json={"login": tenant.username, "password": PASSWORD})
    assert "this one" in (await console.get("/console/me/sessions")).text
    other = next(one for one in await tenant.get("/api/v1/auth/sessions") if not one["current"])
    await console.post(f"/console/me/sessions/{other['id']}/end")
    assert len(await tenant.get("/api/v1/auth/sessions")) == 2
    await console.post("/console/me/sessions/end-others")
    assert [one["current"] for one in await tenant.get("/api/v1/auth/sessions")] == [True]


async def test_a_copy_of_ones_data_is_put_together_and_fetched(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    here = (await console.post("/console/me/data")).headers["location"]
    assert "Look again" in (await console.get(here)).text
    await sqlite_platform.deliver()
    page = (await console.get(here)).text
    [file] = re.findall(r'href="(/console/me/data/[^"]+\.json)"', page)
    assert sqlite_platform.tenant.username in (await console.get(file)).text
    await console.post("/console/me/data/erase", data={"reason": "I leave"})
    [asked] = await sqlite_platform.tenant.get("/api/v1/privacy/erasure-requests")
    assert asked["reason"] == "I leave"


async def test_a_mailed_link_leads_to_a_new_password(screen: Screen, sqlite_platform: Platform) -> None:
    tenant, page = sqlite_platform.tenant, screen.page
    address = f"{tenant.username}@{tenant.slug}.example"
    async with sqlite_platform.client() as client:
        await client.post("/api/v1/auth/forgot-password", json={"login": address})
    token = await mailed_token(sqlite_platform, address, "reset_password")
    await page.context.clear_cookies()
    await screen.open(f"/console/reset-password#token={token}")
    await page.wait_for_selector("[data-mailed-token]", state="hidden")
    assert "#" not in page.url, "the token stands in no history"
    await screen.is_accessible()
    await page.fill("#f-new_password", NEXT)
    await page.fill("#f-again", NEXT)
    await page.click("button[type=submit]")
    await page.wait_for_url("**/console/sign-in")
    await page.fill("#f-login", tenant.username)
    await page.fill("#f-password", NEXT)
    await page.click("button[type=submit]")
    await page.wait_for_selector("nav#navigation")


async def test_an_invitation_is_accepted_by_its_code(sqlite_platform: Platform) -> None:
    tenant = sqlite_platform.tenant
    address = f"invited@{tenant.slug}.example"
    await tenant.post("/api/v1/invites", {"email": address, "roles": ["viewer"]})
    account = {
        "token": await mailed_token(sqlite_platform, address, "invitation"),
        "full_name": "Ravi Patil",
        "username": f"ravi-{tenant.slug}",
        "phone": "",
        "password": NEXT,
        "again": NEXT,
    }
    async with sqlite_platform.client() as client:
        client.headers["Sec-Fetch-Site"] = "same-origin"
        assert (await client.get("/console/invitation")).status_code == 200
        wrong = await client.post("/console/invitation", data={**account, "token": "none"})
        assert wrong.status_code >= 400
        assert 'id="e-token"' in wrong.text
        assert 'value="Ravi Patil"' in wrong.text
        weak = await client.post("/console/invitation", data={**account, "username": "a b"})
        assert 'id="e-username"' in weak.text
        done = await client.post("/console/invitation", data=account)
        assert done.headers["location"] == "/console/sign-in"
        said = await client.post("/api/v1/auth/login", json={"login": account["username"], "password": NEXT})
        assert said.status_code == 200


async def test_an_address_is_confirmed_by_its_code(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    tenant = sqlite_platform.tenant
    await console.post("/console/me/confirm-address")
    token = await mailed_token(sqlite_platform, f"{tenant.username}@{tenant.slug}.example", "verify_email")
    assert (await console.post("/console/verify-email", data={"token": "none"})).status_code >= 400
    assert (await console.post("/console/verify-email", data={"token": token})).status_code == 303
    assert (await tenant.get("/api/v1/auth/me"))["email_verified"]


async def test_everybody_has_an_account_page(sqlite_platform: Platform) -> None:
    driver = await make_person(sqlite_platform, sqlite_platform.tenant, "delivery_personnel")
    assert token_of(driver)
    async with at_console(sqlite_platform, driver) as client:
        for page in ("", "/password", "/second-factor", "/sessions", "/data"):
            assert (await client.get(f"/console/me{page}")).status_code == 200, page
