"""The logo of a white label: everybody sees it, its own administrators change it."""

from tests.factories.farms import make_person
from tests.factories.orders import PHOTO
from tests.platform_under_test import Platform, Tenant

PNG = {"Content-Type": "image/png"}


def path_of(tenant: Tenant) -> str:
    return f"/api/v1/organizations/{tenant.organization.organization_id}/logo"


async def test_a_logo_is_shown_replaced_and_taken_away(shared_platform: Platform) -> None:
    admin = shared_platform.tenant
    first = (await admin.client.put(path_of(admin), content=PHOTO, headers=PNG)).json()["data"]
    other = PHOTO + b"\0"
    second = (await admin.client.put(path_of(admin), content=other, headers=PNG)).json()["data"]
    assert first["logo_url"] != second["logo_url"], "browsers keep the former one"
    async with shared_platform.client() as nobody:
        for address in (second["logo_url"], path_of(admin), f"/api/v1/organizations/{admin.slug}/logo"):
            shown = await nobody.get(address)
            assert (shown.status_code, shown.content) == (200, other), address
        branding = f"/api/v1/organizations/{admin.slug}/branding"
        assert (await nobody.get(branding)).json()["data"]["logo_url"] == second["logo_url"]
        assert (await admin.client.delete(path_of(admin))).status_code == 204
        assert (await nobody.get(path_of(admin))).status_code == 404
        assert (await nobody.get(branding)).json()["data"]["logo_url"] == ""
    assert (await admin.get("/api/v1/auth/me"))["organization"]["branding"]["logo_url"] == ""


async def test_nobody_else_changes_it(shared_platform: Platform) -> None:
    admin, stranger = shared_platform.tenant, await shared_platform.found()
    member = await make_person(shared_platform, admin, "warehouse_manager")
    assert (await stranger.client.put(path_of(admin), content=PHOTO, headers=PNG)).status_code == 404
    assert (await member.client.put(path_of(admin), content=PHOTO, headers=PNG)).status_code == 403
    assert (await stranger.client.delete(path_of(admin))).status_code == 404


async def test_only_pictures_are_shown_to_everybody(shared_platform: Platform) -> None:
    admin = shared_platform.tenant
    for content, kind in ((b"<svg onload=alert(1)>", "image/svg+xml"), (b"<html>", "image/png"), (PHOTO, "text/html")):
        refused = await admin.client.put(path_of(admin), content=content, headers={"Content-Type": kind})
        assert refused.status_code == 422, kind
