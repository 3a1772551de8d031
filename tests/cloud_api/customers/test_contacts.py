"""How customers are reached: numbers that can be called from anywhere, and the language they are told things in."""

import pytest

from cloud_api.customers.phones import e164
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.orders import make_customer
from tests.factories.scopes import heard_by
from tests.platform_under_test import Platform

CUSTOMERS = "/api/v1/customers"


@pytest.mark.parametrize(
    ("text", "region", "expected"),
    [
        ("+91 98765 43210", "IN", "+919876543210"),
        ("098765-43210", "IN", "+919876543210"),
        ("(020) 7946 0958", "GB", "+442079460958"),
        ("+44 20 7946 0958", "IN", "+442079460958"),
        ("12345", "IN", None),
        ("+910000000000", "IN", None),
        ("", "IN", None),
    ],
)
def test_a_number_is_read_by_the_habits_of_its_country(text: str, region: str, expected: str | None) -> None:
    assert e164(text, region) == expected


@IN_ONE_LOOP
async def test_a_number_that_nobody_answers_is_refused_by_name(farm: Platform) -> None:
    door = {"address": "4 Mill Road", "latitude": 12.9, "longitude": 77.6}
    body = {"name": "Kitchen", "phone": "123 456 789 000", "addresses": [door]}
    assert await heard_by(farm.tenant, "POST", CUSTOMERS, body) == (422, "BAD_PHONE")
    assert await farm.tenant.get(CUSTOMERS) == []
    path = f"{CUSTOMERS}/{await make_customer(farm.tenant)}"
    answer = await farm.tenant.client.put(path, json={"phone": "+910000000000"})
    assert (answer.status_code, answer.json()["error"]["details"][0]["field"]) == (422, "phone")
    assert (await farm.tenant.put(path, {"phone": "98765 43210"}))["phone"] == "98765 43210"


@IN_ONE_LOOP
async def test_the_country_is_that_of_the_organisations_locale(farm: Platform) -> None:
    path = f"{CUSTOMERS}/{await make_customer(farm.tenant)}"
    assert await heard_by(farm.tenant, "PUT", path, {"phone": "050 123 4567"}) == (422, "BAD_PHONE")
    await farm.tenant.put("/api/v1/admin/settings/locale", {"value": "en-AE"})
    assert (await farm.tenant.put(path, {"phone": "050 123 4567"}))["phone"] == "050 123 4567"


@IN_ONE_LOOP
async def test_a_customer_has_a_language_of_its_own(farm: Platform) -> None:
    path = f"{CUSTOMERS}/{await make_customer(farm.tenant)}"
    assert (await farm.tenant.get(path))["locale"] == ""
    assert (await farm.tenant.put(path, {"locale": "mr-IN"}))["locale"] == "mr-IN"
    assert await heard_by(farm.tenant, "PUT", path, {"locale": "Marathi"}) == (422, "VALIDATION_FAILED")
