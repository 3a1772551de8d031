"""Runs are nobody else's, and looking at them costs few queries."""

from tests.cloud_api.exchange.files import EXPORTS, IMPORTS, csv_of, send, work
from tests.cloud_api.exchange.test_imports import SPINACH
from tests.factories.farms import make_farm
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.scopes import asked, heard_by
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP


async def test_another_organisation_hears_of_no_run(farm: Platform) -> None:
    imported = await send(farm.tenant, csv_of([SPINACH]))
    exported = await farm.tenant.post(EXPORTS, {"entity": "products"})
    await work(farm)
    stranger = await make_farm(farm)
    for path in (f"{IMPORTS}/{imported['id']}", f"{EXPORTS}/{exported['id']}", f"{EXPORTS}/{exported['id']}/download"):
        assert (await heard_by(stranger, "GET", path))[0] == 404, path
    assert await stranger.get(IMPORTS) == await stranger.get(EXPORTS) == []


async def test_lists_cost_six_queries_at_most(farm: Platform) -> None:
    await send(farm.tenant, csv_of([SPINACH]))
    await work(farm)
    for path in (IMPORTS, EXPORTS, "/api/v1/search/facets"):
        assert await asked(farm, farm.tenant, path) <= 6, path
