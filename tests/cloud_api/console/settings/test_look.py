"""The white label: set in the settings, shown at the sign-in and above each page."""

import httpx2

from tests.cloud_api.console.screens import at_console
from tests.factories.farms import make_person
from tests.factories.orders import PHOTO
from tests.platform_under_test import Platform

LOOK = "/console/settings/look"
COLOURS = {"primary_colour": "#224466", "accent_colour": "#f2a33c"}


async def test_the_sign_in_of_an_organisation_has_its_name_colour_and_logo(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    await console.post(LOOK, data={"name": "Dew farms", **COLOURS})
    sent = await console.post(f"{LOOK}/logo", files={"logo": ("logo.png", PHOTO, "image/png")})
    assert sent.status_code == 303, sent.text
    assert f"/console/sign-in?organization={sqlite_platform.tenant.slug}" in (await console.get(LOOK)).text
    own = f"/api/v1/organizations/{sqlite_platform.tenant.organization.organization_id}/logo"
    async with sqlite_platform.client() as nobody:
        page = (await nobody.get("/console/sign-in", params={"organization": sqlite_platform.tenant.slug})).text
        assert "Dew farms" in page
        assert "--tblr-primary:#224466" in page
        assert f'src="{own}?v=' in page
        logo = await nobody.get(own)
        assert (logo.content, logo.headers["content-type"]) == (PHOTO, "image/png")
        for slug in ("nobody-at-all", "../admin", "A b"):
            other = await nobody.get("/console/sign-in", params={"organization": slug})
            assert "Dew farms" not in other.text
            assert other.status_code == 200, slug
    assert f'src="{own}' in (await console.get("/console/me")).text, "above each page"
    await console.post(f"{LOOK}/logo/remove")
    assert f'src="{own}' not in (await console.get("/console/me")).text
    assert "Dew farms" in (await console.get("/console/me")).text


async def test_a_colour_that_nobody_could_read_white_on_is_refused_beside_its_field(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    refused = await console.post(LOOK, data={"name": "Dew farms", **COLOURS, "primary_colour": "#ffee88"})
    assert refused.status_code == 422
    assert 'id="e-primary_colour"' in refused.text
    assert 'value="Dew farms"' in refused.text, "what was typed is kept"
    shown = await sqlite_platform.tenant.get(f"/api/v1/organizations/{sqlite_platform.tenant.slug}/branding")
    assert shown["primary_colour"] == "#0b5c8a"


async def test_what_is_no_picture_is_refused(console: httpx2.AsyncClient) -> None:
    for name, content, kind in (("logo.svg", b"<svg/>", "image/svg+xml"), ("logo.png", b"<svg/>", "image/png")):
        refused = await console.post(f"{LOOK}/logo", files={"logo": (name, content, kind)})
        assert refused.status_code == 422, name
        assert 'id="e-logo"' in refused.text
    assert "Choose a picture." in (await console.post(f"{LOOK}/logo", data={"x": "1"})).text


async def test_who_may_not_change_the_organisation_sees_no_form(sqlite_platform: Platform) -> None:
    keeper = await make_person(sqlite_platform, sqlite_platform.tenant, "warehouse_manager")
    async with at_console(sqlite_platform, keeper) as client:
        assert (await client.get(LOOK)).status_code == 403
