"""Doors that come without coordinates are looked for on the map; what it is not certain of, somebody confirms."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cloud_api.customers.finding import AddressFinder
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.orders import day_in, make_depot
from tests.factories.scopes import heard_by, make_buyer
from tests.platform_under_test import Platform
from tests.route_optimizer.nominatim import NominatimServer, Place, place

pytestmark = IN_ONE_LOOP

CUSTOMERS = "/api/v1/customers"
GEOCODE = "/api/v1/dispatch/geocode"
OWN = "/api/v1/auth/me/addresses"
PLACES = {
    "12 market street": [place(12.9352, 77.6146, "12, Market Street, Bengaluru 560034, India")],
    "mill road": [place(12.95, 77.6, "Mill Road, Bengaluru, India", rank=26)],
    "old village": [place(13.1, 77.5, "Old Village, Bengaluru, India", rank=19)],
    "church street": [place(12.97, 77.6, "Church Street, A"), place(13.9, 78.6, "Church Street, B")],
}
TOWN = place(12.97, 77.59, "Bengaluru, India", rank=16)


class TownServer(NominatimServer):
    """Knows the town, too, when it is asked for that and nothing more."""

    def _search(self, query: dict[str, str]) -> list[Place]:
        return [TOWN] if query["q"] == "560034 Bengaluru" else super()._search(query)


@pytest.fixture
def nominatim(farm: Platform, tmp_path: Path) -> Iterator[NominatimServer]:
    """A map's server that the platform is told of."""
    state, before = farm.app.state, farm.app.state.address_finder
    # each request comes ten seconds after the one before
    with TownServer(dict(PLACES), itertools.count(0, 10).__next__) as server:
        told = {"geocoder_url": server.url, "geocoder_interval_s": 0.0, "geocoder_cache": tmp_path / "found.db"}
        state.address_finder = AddressFinder(state.settings.model_copy(update=told))
        yield server
        state.address_finder = before


def at(address: str, **fields: Any) -> dict[str, Any]:
    return {"address": address, "city": "Bengaluru", "postal_code": "560034", **fields}


async def make(farm: Platform, *doors: dict[str, Any]) -> Any:
    return await farm.tenant.post(CUSTOMERS, {"name": "Green Kitchen", "addresses": list(doors)})


async def refusal(farm: Platform, path: str, body: object) -> tuple[int, str, str, str]:
    answer = await farm.tenant.client.post(path, json=body)
    assert not answer.is_success, answer.text
    error = answer.json()["error"]
    return answer.status_code, error["code"], (error["details"] or [{"field": ""}])[0]["field"], error["message"]


async def test_a_door_is_found_and_asked_for_once(farm: Platform, nominatim: NominatimServer) -> None:
    given = {"address": "A given place", "latitude": 1.0, "longitude": 2.0}
    for _ in range(2):
        found, kept = (await make(farm, at("12 Market Street"), given))["addresses"]
        assert (found["latitude"], found["longitude"], found["precision"]) == (12.9352, 77.6146, "building")
        assert (found["confirmed_at"], found["is_sure"]) == (None, True)
        assert (kept["latitude"], kept["precision"], kept["confirmed_at"] is None) == (1.0, None, False)
    assert nominatim.questions == ["12 Market Street, 560034 Bengaluru"]


async def test_what_the_map_does_not_know_is_named_and_no_customer_is_made(
    farm: Platform, nominatim: NominatimServer
) -> None:
    wrong: list[tuple[dict[str, Any], str, str]] = [
        (at("99 Nowhere"), "ADDRESS_NOT_FOUND", "addresses.1.address"),
        (at("99 Nowhere", city="Atlantis", postal_code=""), "ADDRESS_NOT_FOUND", "addresses.1.city"),
        (at("99 Nowhere", city="", postal_code="000"), "ADDRESS_NOT_FOUND", "addresses.1.postal_code"),
        (at("Church Street"), "ADDRESS_AMBIGUOUS", "addresses.1.address"),
        (at("Mill Road", latitude=1.0), "COORDINATES_NEEDED", "addresses.1.longitude"),
    ]
    for door, code, field in wrong:
        body = {"name": "Green Kitchen", "addresses": [at("12 Market Street"), door]}
        assert (await refusal(farm, CUSTOMERS, body))[:3] == (422, code, field), door
    assert await farm.tenant.get(CUSTOMERS) == []


async def test_a_map_that_does_not_answer_is_nobodys_fault(farm: Platform, nominatim: NominatimServer) -> None:
    nominatim.trouble = [(403, {}, b"<html>blocked</html>")]
    status, code, _, message = await refusal(farm, CUSTOMERS, {"name": "X", "addresses": [at("12 Market Street")]})
    assert (status, code, "send latitude" in message) == (503, "GEOCODER_UNAVAILABLE", True)
    assert (await make(farm, at("12 Market Street")))["addresses"][0]["is_sure"] is True


async def test_without_a_map_coordinates_are_asked_for(farm: Platform) -> None:
    status, code, field, message = await refusal(farm, CUSTOMERS, {"name": "X", "addresses": [at("12 Market Street")]})
    assert (status, code, field) == (422, "COORDINATES_NEEDED", "addresses.0.latitude")
    assert "send latitude and longitude" in message
    status, code, field, message = await refusal(farm, GEOCODE, at("12 Market Street"))
    assert (status, code, "send latitude and longitude" in message) == (422, "GEOCODER_NOT_CONFIGURED", True)


async def test_candidates_come_with_how_certain_the_map_is(farm: Platform, nominatim: NominatimServer) -> None:
    asked = {"12 Market Street": "high", "Mill Road": "medium", "Old Village": "low"}
    for address, confidence in asked.items():
        [one] = await farm.tenant.post(GEOCODE, at(address))
        assert one["confidence"] == confidence, one
    both = await farm.tenant.post(GEOCODE, at("Church Street"))
    assert [one["address"] for one in both] == ["Church Street, A", "Church Street, B"]
    assert (await refusal(farm, GEOCODE, at("99 Nowhere")))[:3] == (422, "ADDRESS_NOT_FOUND", "address")
    _, buyer = await make_buyer(farm)
    assert await heard_by(buyer, "POST", GEOCODE, at("Mill Road")) == (403, "FORBIDDEN")


async def test_an_order_to_a_door_that_nobody_is_certain_of_is_not_confirmed(
    farm: Platform, nominatim: NominatimServer
) -> None:
    depot = await make_depot(farm.tenant)
    customer = await make(farm, at("Old Village"))
    [door] = customer["addresses"]
    assert (door["precision"], door["is_sure"]) == ("area", False)
    line = {"product_id": depot.product_id, "quantity": "1", "unit_price": "1"}
    body = {"customer_id": customer["id"], "delivery_date": day_in(5), "lines": [line]}
    order = await farm.tenant.post("/api/v1/orders", body)
    assert order["address_is_sure"] is False
    path = f"/api/v1/orders/{order['id']}/confirm"
    status, code, field, message = await refusal(farm, path, {})
    assert (status, code, field) == (409, "ADDRESS_NOT_CONFIRMED", "address_id")
    assert "/confirm" in message

    pin = {"latitude": 13.1234, "longitude": 77.5678}
    confirm = f"{CUSTOMERS}/{customer['id']}/addresses/{door['id']}/confirm"
    assert await heard_by(farm.tenant, "POST", confirm, {"latitude": 91, "longitude": 0}) == (422, "VALIDATION_FAILED")
    pinned = await farm.tenant.post(confirm, pin)
    assert (pinned["latitude"], pinned["longitude"], pinned["is_sure"]) == (13.1234, 77.5678, True)
    assert pinned["confirmed_at"] is not None
    confirmed = await farm.tenant.post(path)
    assert (confirmed["status"], confirmed["latitude"], confirmed["address_is_sure"]) == ("confirmed", 13.1234, True)


async def test_somebody_elses_door_is_not_confirmed(farm: Platform) -> None:
    one, other = [
        await make(farm, {"address": name, "latitude": 1.0, "longitude": 1.0}) for name in ("A street", "B street")
    ]
    path = f"{CUSTOMERS}/{one['id']}/addresses/{other['addresses'][0]['id']}/confirm"
    assert await heard_by(farm.tenant, "POST", path, {"latitude": 2, "longitude": 2}) == (404, "NOT_FOUND")


async def test_ones_own_door_that_reads_otherwise_is_looked_for_again(
    farm: Platform, nominatim: NominatimServer
) -> None:
    _, buyer = await make_buyer(farm)
    added = await buyer.post(OWN, at("12 Market Street"))
    path = f"{OWN}/{added['id']}"
    assert (added["latitude"], added["precision"]) == (12.9352, "building")
    assert (await buyer.put(path, {"label": "kitchen"}))["latitude"] == 12.9352
    moved = await buyer.put(path, {"address": "Mill Road"})
    assert (moved["latitude"], moved["precision"], moved["is_sure"]) == (12.95, "street", True)
    assert await heard_by(buyer, "PUT", path, {"address": "99 Nowhere"}) == (422, "ADDRESS_NOT_FOUND")
    pinned = await buyer.put(path, {"address": "99 Nowhere", "latitude": 12.5, "longitude": 77.5})
    assert (pinned["precision"], pinned["is_sure"], pinned["latitude"]) == (None, True, 12.5)


async def test_without_a_map_a_door_that_reads_otherwise_has_to_be_confirmed(farm: Platform) -> None:
    _, buyer = await make_buyer(farm)
    [door] = await buyer.get(OWN)
    same = await buyer.put(f"{OWN}/{door['id']}", {"address": door["address"], "label": "back"})
    assert same["is_sure"] is True
    other = await buyer.put(f"{OWN}/{door['id']}", {"address": "another street"})
    assert (other["is_sure"], other["latitude"]) == (False, door["latitude"])
