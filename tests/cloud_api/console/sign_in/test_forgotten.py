"""What was forgotten at the sign-in."""

from tests.platform_under_test import PASSWORD, Platform

OWN = {"Sec-Fetch-Site": "same-origin"}


async def test_what_is_wrong_stands_beside_the_field_that_the_form_has(sqlite_platform: Platform) -> None:
    async with sqlite_platform.client() as nobody:
        refused = await nobody.post("/console/forgotten", data={"login": ""}, headers=OWN)
        assert refused.status_code == 422
        assert 'id="e-login"' in refused.text
        assert "alert-danger" not in refused.text
        sent = await nobody.post("/console/forgotten", data={"login": sqlite_platform.tenant.username}, headers=OWN)
        assert "a mail is on its way" in sent.text


async def test_a_new_organisations_administrator_is_led_to_the_first_steps(sqlite_platform: Platform) -> None:
    tenant = sqlite_platform.tenant
    async with sqlite_platform.client() as browser:

        async def goal(wanted: str) -> str:
            form = {"login": tenant.username, "password": PASSWORD, "next": wanted}
            return str((await browser.post("/console/sign-in", data=form, headers=OWN)).headers["location"])

        assert await goal("/console") == "/console/first-steps"
        assert await goal("/console/stock") == "/console/stock"
        own = f"/api/v1/organizations/{tenant.organization.organization_id}/onboarding"
        await tenant.post(own, {"step": "welcome"})
        assert await goal("/console") == "/console", "who has begun goes on when they want to"
