"""What is to be bought again is listed with how much, by rules that people make."""

import httpx2

from tests.cloud_api.console.screens import at_console
from tests.factories.farms import make_person
from tests.factories.orders import make_depot
from tests.platform_under_test import Platform

RULES = "/api/v1/warehouse/stock/reorder-rules"


async def test_a_rule_says_when_a_product_is_to_be_ordered(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    tenant = sqlite_platform.tenant
    depot = await make_depot(tenant)
    assert "There is enough of everything" in (await console.get("/console/stock/low")).text
    assert "No rules for single warehouses" in (await console.get("/console/stock/rules")).text
    of = {"product_id": depot.product_id, "warehouse_id": depot.warehouse_id}
    typed = {**of, "reorder_point": "150", "reorder_quantity": "60", "up_to_level": "", "lead_time_days": "soon"}
    refused = await console.post("/console/stock/rules/new", data=typed)
    assert refused.status_code == 422
    assert 'id="e-lead_time_days"' in refused.text
    assert 'value="150"' in refused.text
    assert (await console.post("/console/stock/rules/new", data={**typed, "lead_time_days": "2"})).is_redirect
    low = (await console.get("/console/stock/low")).text
    assert "Spinach" in low
    assert ">60 <" in low
    row = (await console.get("/console/stock/low/export")).text.splitlines()[1].split(",")
    assert row[3:7] == ["100.000", "150.000", "50.000", "60.000"]

    [rule] = await tenant.get(RULES)
    page = (await console.get(f"/console/stock/rules/{rule['id']}")).text
    assert 'value="150"' in page
    said = {**of, "reorder_point": "150", "reorder_quantity": "", "up_to_level": "400", "lead_time_days": ""}
    assert (await console.post(f"/console/stock/rules/{rule['id']}", data=said)).is_redirect
    [rule] = await tenant.get(RULES)
    assert (rule["reorder_quantity"], rule["up_to_level"], rule["lead_time_days"]) == (None, "400.000", None)
    assert "up to 400" in (await console.get("/console/stock/rules")).text
    assert (await console.post(f"/console/stock/rules/{rule['id']}/delete")).is_redirect
    assert await tenant.get(RULES) == []


async def test_who_may_only_look_makes_no_rules(sqlite_platform: Platform) -> None:
    viewer = await make_person(sqlite_platform, sqlite_platform.tenant, "viewer")
    async with at_console(sqlite_platform, viewer) as client:
        assert "New rule" not in (await client.get("/console/stock/rules")).text
        assert (await client.get("/console/stock/rules/new")).status_code == 403
        assert (await client.post("/console/stock/rules/new", data={"reorder_point": "1"})).status_code == 403
