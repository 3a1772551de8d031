"""Products: what they are counted in and kept at."""

import uuid

from tests.factories.farms import make_farm
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.stores import make_product
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

PATH = "/api/v1/warehouse/products"


async def test_a_product_is_kept_as_it_was_told(farm: Platform) -> None:
    category = await farm.tenant.post(f"{PATH}/categories", {"name": "Leafy greens", "slug": "leafy-greens"})
    body = {
        "sku": "CHARD-1",
        "name": "Chard",
        "category_id": category["id"],
        "unit": "bunch",
        "unit_weight_g": 180,
        "perishable": True,
        "shelf_life_days": 6,
        "storage_temperature_min_c": 0.0,
        "storage_temperature_max_c": 4.0,
        "reference_temperature_c": 2.0,
        "q10": 3.5,
    }
    made = await farm.tenant.post(PATH, body)
    assert made == {**body, "id": made["id"]}
    assert await farm.tenant.get(f"{PATH}/{made['id']}") == made
    assert await farm.tenant.get(PATH) == [made]


async def test_a_product_that_cannot_be_is_refused(farm: Platform) -> None:
    wrong: list[tuple[int, str, dict[str, object]]] = [
        (422, "storage_temperature_min_c", {"storage_temperature_min_c": 5, "storage_temperature_max_c": 4}),
        (422, "unit", {"unit": "dozen"}),
        (422, "shelf_life_days", {"shelf_life_days": 0}),
        (422, "unit_weight_g", {"unit_weight_g": 0}),
        (404, "category_id", {"category_id": str(uuid.uuid4())}),
    ]
    for status, field, change in wrong:
        answer = await farm.tenant.client.post(PATH, json={"sku": "X", "name": "X", "unit": "kg", **change})
        assert (answer.status_code, answer.json()["error"]["details"][0]["field"]) == (status, field)
    assert await farm.tenant.get(PATH) == []


async def test_a_stock_keeping_number_is_taken_within_an_organisation_only(farm: Platform) -> None:
    stranger = await make_farm(farm)
    product_id = await make_product(farm.tenant, sku="SAME")
    await make_product(stranger, sku="SAME")
    taken = await farm.tenant.client.post(PATH, json={"sku": "SAME", "name": "X", "unit": "kg"})
    assert (taken.status_code, taken.json()["error"]["details"][0]["field"]) == (409, "sku")
    assert (await stranger.client.get(f"{PATH}/{product_id}")).status_code == 404


async def test_another_organisations_category_is_none(farm: Platform) -> None:
    stranger = await make_farm(farm)
    category = await stranger.post(f"{PATH}/categories", {"name": "Roots", "slug": "roots"})
    body = {"sku": "X", "name": "X", "unit": "kg", "category_id": category["id"]}
    assert (await farm.tenant.client.post(PATH, json=body)).status_code == 404
