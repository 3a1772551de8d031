"""The search over everything offers what somebody may open, and nothing else."""

from tests.cloud_api.console.screens import at_console
from tests.factories.farms import make_person
from tests.factories.stores import make_product, make_room, make_warehouse
from tests.platform_under_test import Platform


async def test_everybody_finds_what_is_theirs(sqlite_platform: Platform) -> None:
    await make_product(sqlite_platform.tenant, name="Rainbow chard")
    room = await make_room(sqlite_platform.tenant, await make_warehouse(sqlite_platform.tenant), name="Rainy corner")
    await sqlite_platform.deliver()
    keeper = await make_person(sqlite_platform, sqlite_platform.tenant, "inventory_staff")
    async with at_console(sqlite_platform, keeper) as client:
        assert "Rainbow chard" in (await client.get("/console/find", params={"q": "rainb"})).text
        assert f"/console/places/{room}" in (await client.get("/console/find", params={"q": "rainy"})).text
        pages = (await client.get("/console/find", params={"q": ""})).text
        assert "/console/stock" in pages
        assert "/console/security" not in pages
        assert "Nothing fits" in (await client.get("/console/find", params={"q": "zzzzqq"})).text


async def test_pages_are_found_by_their_names_in_both_languages(sqlite_platform: Platform) -> None:
    tenant = sqlite_platform.tenant
    await tenant.put("/api/v1/auth/me", {"locale": "hi"})
    async with at_console(sqlite_platform, tenant) as client:
        for typed in ("stock", "स्टॉक"):
            assert 'href="/console/stock"' in (await client.get("/console/find", params={"q": typed})).text, typed
