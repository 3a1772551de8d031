"""Addresses and places, asked of a double of Nominatim that keeps its policy."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from route_optimizer.geocoding import (
    DAY_S,
    AddressAmbiguous,
    AddressNotFound,
    Geocoder,
    GeocoderBusy,
    GeocoderRefused,
    GeocodingError,
    Limiter,
    Match,
    Precision,
)
from route_optimizer.matrices import Point
from route_optimizer.matrices.calls import Patience
from route_optimizer.validation import ProblemError
from tests.route_optimizer.nominatim import FakeClock, NominatimServer, place

WHO = "oak-farm-dairy/1.0 (it@oakfarm.example)"
MILL = place(60.25, 24.80, "3, Mill Lane, Vantaa, Finland", house_number="3", road="Mill Lane")
PLACES = {
    "mill lane 3": [MILL],
    "mill lane, vantaa": [place(60.25, 24.81, "Mill Lane, Vantaa", 26, road="Mill Lane")],
    "springfield": [
        place(39.80, -89.64, "Springfield, Illinois, United States", 16),
        place(42.10, -72.59, "Springfield, Massachusetts, United States", 16),
    ],
    "long street": [
        place(60.2000, 24.9000, "Long Street, Helsinki", 26),
        place(60.2020, 24.9010, "Long Street, Helsinki (other end)", 26),
    ],
    "town hall": [
        place(60.17, 24.95, "Town Hall, Helsinki", 30),
        place(61.49, 23.76, "Town Hall Quarter, Tampere", 20),
    ],
    "old server": [place(60.3, 25.0, "1, Old Road", None, house_number="1", road="Old Road")],
    "old road": [place(60.31, 25.0, "Old Road", None, road="Old Road")],
    "old village": [place(60.32, 25.0, "Old Village", None)],
    "finland": [place(64.0, 26.0, "Finland", 4)],
    "00100": [place(60.17, 24.93, "00100, Helsinki", 25)],
}


@dataclass
class Office:
    """A geocoder in front of a server, both with one clock."""

    server: NominatimServer
    clock: FakeClock
    cache: Path
    limiter: Limiter

    def geocoder(self, **others: object) -> Geocoder:
        arguments: dict[str, object] = {
            "url": self.server.url,
            "limiter": self.limiter,
            "patience": Patience(timeout_s=20, tries=3, pause=self.clock.pause),
            "now_s": self.clock,
        }
        return Geocoder(WHO, self.cache, **(arguments | others))  # type: ignore[arg-type]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    clock = FakeClock()
    with NominatimServer(PLACES, clock) as server:
        yield Office(server, clock, tmp_path / "addresses.sqlite", Limiter(clock=clock, pause=clock.pause))


def test_an_address_becomes_a_place(office: Office) -> None:
    found = office.geocoder().find("Mill Lane 3, Vantaa")
    assert found == Match(Point(60.25, 24.80), "3, Mill Lane, Vantaa, Finland", Precision.BUILDING)


@pytest.mark.parametrize(
    ("address", "precision"),
    [
        ("Mill Lane 3", Precision.BUILDING),
        ("Mill Lane, Vantaa", Precision.STREET),
        ("00100", Precision.AREA),
        ("Finland", Precision.REGION),
        ("old server", Precision.BUILDING),
        ("old road", Precision.STREET),
        ("old village", Precision.AREA),
    ],
)
def test_how_exactly_it_was_matched_is_told(office: Office, address: str, precision: Precision) -> None:
    assert office.geocoder().find(address).precision is precision


def test_an_unknown_address_is_told_so(office: Office) -> None:
    with pytest.raises(AddressNotFound, match="'Nowhere 7' is not on the map: correct it, or give coordinates"):
        office.geocoder().find("Nowhere 7")


def test_an_address_of_two_towns_names_both(office: Office) -> None:
    with pytest.raises(AddressAmbiguous, match="any of 2 places: Springfield, Illinois") as refusal:
        office.geocoder().find("Springfield")
    assert [match.point.latitude for match in refusal.value.candidates] == [39.80, 42.10]
    assert refusal.value.candidates[0].precision is Precision.TOWN


def test_two_ends_of_a_street_and_a_vaguer_namesake_are_no_ambiguity(office: Office) -> None:
    geocoder = office.geocoder()
    assert geocoder.find("Long Street").address == "Long Street, Helsinki"
    assert geocoder.find("Town Hall").address == "Town Hall, Helsinki"
    with pytest.raises(AddressAmbiguous):
        office.geocoder(apart_m=100).find("Long Street")


@pytest.mark.parametrize("address", ["", "  \n ", "x" * 501])
def test_an_address_without_words_is_never_sent(office: Office, address: str) -> None:
    with pytest.raises(GeocodingError, match="street, number, town"):
        office.geocoder().find(address)
    assert office.server.questions == []


def test_a_known_address_is_asked_for_once_however_it_is_spelled(office: Office) -> None:
    office.geocoder().find("Mill Lane 3, Vantaa")
    again = office.geocoder().find("  mill lane 3,  VANTAA ")
    assert again.point == Point(60.25, 24.80)
    assert office.server.questions == ["Mill Lane 3, Vantaa"]


def test_what_was_not_found_is_asked_for_again_the_next_day(office: Office) -> None:
    geocoder = office.geocoder()
    for _ in range(3):
        with pytest.raises(AddressNotFound):
            geocoder.find("New Road 1")
    assert len(office.server.questions) == 1
    office.clock.now_s += DAY_S
    office.server.places["new road 1"] = [place(60.4, 25.0, "1, New Road")]
    assert geocoder.find("New Road 1").address == "1, New Road"
    office.clock.now_s += 30 * DAY_S
    geocoder.find("New Road 1")
    assert len(office.server.questions) == 2
    office.clock.now_s += 180 * DAY_S
    geocoder.find("New Road 1")
    assert len(office.server.questions) == 3


def test_servers_countries_and_languages_do_not_mix(office: Office) -> None:
    office.geocoder().find("Mill Lane 3")
    office.geocoder(countries=["fi"]).find("Mill Lane 3")
    office.geocoder(language="fi").find("Mill Lane 3")
    assert len(office.server.questions) == 3


def test_requests_leave_a_second_apart(office: Office) -> None:
    geocoder = office.geocoder()
    for number in range(4):
        geocoder.candidates(f"House {number}")
    assert office.clock.pauses_s == [1.0, 1.0, 1.0]
    office.clock.now_s += 0.75
    geocoder.candidates("House 5")
    assert office.clock.pauses_s[3:] == [0.25]


def test_who_is_too_fast_all_the_same_waits_as_long_as_the_server_says(office: Office) -> None:
    office.geocoder(limiter=Limiter(0, clock=office.clock)).candidates("House 1")
    found = office.geocoder(limiter=Limiter(0, clock=office.clock)).find("Mill Lane 3")
    assert found.precision is Precision.BUILDING
    assert office.clock.pauses_s == [5.0]


def test_who_does_not_say_who_asks_is_refused_before_and_by_the_server(office: Office) -> None:
    for nobody in ("", "  ", "geopy/2.4", "python-requests"):
        with pytest.raises(GeocoderRefused, match=r"user_agent is .*name your application"):
            Geocoder(nobody, office.cache)
    with pytest.raises(GeocoderRefused, match="user_agent"):
        Geocoder("my-application", office.cache)
    office.server.trouble = [(403, {}, b"blocked")]
    with pytest.raises(GeocoderRefused, match=r"403.*check the user agent"):
        office.geocoder().find("Mill Lane 3")


@pytest.mark.parametrize("url", ["", "localhost:8080", "ftp://maps.example", "http://[::1"])
def test_an_address_of_no_server_is_refused(office: Office, url: str) -> None:
    with pytest.raises(GeocoderRefused, match="give it as https://host"):
        office.geocoder(url=url)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_in_trouble_is_asked_again_and_then_given_up(office: Office, status: int) -> None:
    office.server.trouble = [(status, {}, b"oh")] * 2
    assert office.geocoder().find("Mill Lane 3").precision is Precision.BUILDING
    office.server.trouble = [(status, {}, b"oh")] * 3
    with pytest.raises(GeocoderBusy, match="try again later"):
        office.geocoder().find("Mill Lane 4")
    assert office.geocoder().candidates("Mill Lane 4") == ()


def test_a_server_that_asks_for_an_hour_is_not_waited_for(office: Office) -> None:
    office.server.trouble = [(429, {"Retry-After": "3600"}, b"")]
    with pytest.raises(GeocoderBusy, match=r"3,600 s of pause"):
        office.geocoder().find("Mill Lane 3")
    assert office.clock.pauses_s == []


def test_a_server_that_is_not_there_is_told(tmp_path: Path) -> None:
    clock = FakeClock()
    with NominatimServer({}, clock) as server:
        url = server.url
    geocoder = Geocoder(
        WHO, tmp_path / "a.sqlite", url=url, limiter=Limiter(0, clock=clock), patience=Patience(pause=clock.pause)
    )
    with pytest.raises(GeocoderBusy, match=r"geocoder failed .*try again later"):
        geocoder.find("Mill Lane 3")


@pytest.mark.parametrize("nonsense", [b"<html>", b'[{"lat": "north", "lon": "1", "display_name": "x"}]', b'[{"a": 1}]'])
def test_an_answer_that_is_not_nominatims_is_refused_and_not_kept(office: Office, nonsense: bytes) -> None:
    office.server.trouble = [(200, {}, nonsense)]
    with pytest.raises(GeocoderRefused, match="answered"):
        office.geocoder().find("Mill Lane 3")
    assert office.geocoder().find("Mill Lane 3").precision is Precision.BUILDING


def test_a_place_becomes_an_address_and_is_asked_for_once(office: Office) -> None:
    geocoder = office.geocoder()
    found = geocoder.describe(Point(60.251, 24.801))
    assert found.address == "3, Mill Lane, Vantaa, Finland"
    assert found.point == Point(60.25, 24.80)
    geocoder.describe(Point(60.251000001, 24.801))
    assert len(office.server.questions) == 1


def test_the_open_sea_has_no_address(office: Office) -> None:
    with pytest.raises(AddressNotFound, match=r"\(0.0, -30.0\) has no address near it"):
        office.geocoder().describe(Point(0.0, -30.0))
    with pytest.raises(ProblemError, match="latitude is 91"):
        office.geocoder().describe(Point(91.0, 0.0))
