"""Distances from servers: their protocols, their limits, their bad days; and what is kept of their answers."""

import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from route_optimizer.matrices import Point, haversine
from route_optimizer.matrices.calls import Patience
from route_optimizer.matrices.kept import KEPT_S, Kept
from route_optimizer.matrices.servers import Google, Osrm, Valhalla
from route_optimizer.matrices.sources import (
    Limits,
    Source,
    SourceConfused,
    SourceRefused,
    SourceUnavailable,
    blocks,
    gaps,
    survey,
)
from route_optimizer.problem import UNREACHABLE
from route_optimizer.validation import ProblemError
from tests.route_optimizer.matrix_services import (
    KEY,
    GoogleServer,
    OsrmServer,
    Pauses,
    Service,
    ValhallaServer,
    answer,
    busy,
)

FARM, MILL, HARBOUR = Point(60.17, 24.94), Point(60.25, 24.80), Point(60.15, 25.10)
ISLAND, ICE = Point(-33.87, 151.21), Point(-75.0, 20.0)


def osrm(server: Service, patience: Patience) -> Source:
    return Osrm(server.url, patience=patience)


def valhalla(server: Service, patience: Patience) -> Source:
    return Valhalla(server.url, patience=patience)


def google(server: Service, patience: Patience) -> Source:
    return Google(KEY, url=server.url, patience=patience)


Connect = Callable[[Service, Patience], Source]
services = pytest.mark.parametrize(
    ("server_kind", "connect"), [(OsrmServer, osrm), (ValhallaServer, valhalla), (GoogleServer, google)]
)


def scattered(places: int, seed: int = 1) -> list[Point]:
    found = np.random.default_rng(seed).uniform((60.1, 24.6), (60.4, 25.2), size=(places, 2)).round(5)
    return [Point(float(latitude), float(longitude)) for latitude, longitude in found]


def test_the_services_agree_on_a_town_larger_than_any_of_them_takes_at_once() -> None:
    town = scattered(60)
    expected = haversine(town)
    with OsrmServer() as first, ValhallaServer() as second, GoogleServer() as third:
        for server, connect in ((first, osrm), (second, valhalla), (third, google)):
            found = survey(town, connect(server, Patience()))
            assert (found.matrix.distance_m == expected.distance_m).all()
            assert (found.matrix.duration_s == expected.duration_s).all()
            assert found.off_road == {}
            assert server.requests > 1
            assert server.asked == 60 * 60


@services
def test_where_no_road_leads_the_cells_are_unreachable_and_the_place_says_why(
    server_kind: Callable[[], Service], connect: Connect
) -> None:
    with server_kind() as server:
        found = survey([FARM, MILL, ISLAND, ICE], connect(server, Patience()))
    reached = found.matrix.distance_m != UNREACHABLE
    assert (
        reached
        == [[True, True, False, False], [True, True, False, False], [False] * 2 + [True, False], [False] * 3 + [True]]
    ).all()
    assert ((found.matrix.duration_s != UNREACHABLE) == reached).all()
    assert set(found.off_road) == {2, 3}
    assert "no other place is connected" in found.off_road[2]


def test_osrm_and_valhalla_tell_how_far_the_road_is() -> None:
    with OsrmServer() as server:
        assert "250,000 m from the nearest road" in survey([FARM, MILL, ICE], osrm(server, Patience())).off_road[2]
    with OsrmServer(radius_m=500) as server:
        assert "no road near it" in survey([FARM, MILL, ICE], osrm(server, Patience())).off_road[2]
    with ValhallaServer() as server:
        assert "has no road for auto" in survey([FARM, MILL, ICE], valhalla(server, Patience())).off_road[2]


@services
def test_no_places_are_no_question(server_kind: Callable[[], Service], connect: Connect) -> None:
    with server_kind() as server:
        assert survey([], connect(server, Patience())).matrix.places == 0
        assert server.requests == 0


@services
def test_a_place_that_is_not_on_earth_is_never_sent(server_kind: Callable[[], Service], connect: Connect) -> None:
    with server_kind() as server:
        with pytest.raises(ProblemError, match=r"points\[1\].latitude is nan"):
            survey([FARM, Point(float("nan"), 0)], connect(server, Patience()))
        assert server.requests == 0


@services
def test_a_busy_service_is_asked_again_after_longer_and_longer_pauses(
    server_kind: Callable[[], Service], connect: Connect
) -> None:
    pauses = Pauses()
    with server_kind() as server:
        server.trouble = [busy(503), busy(502)]
        found = survey([FARM, MILL], connect(server, Patience(pause=pauses)))
    assert found.matrix.metres(0, 1) == haversine([FARM, MILL]).metres(0, 1)
    assert pauses.s == [1.0, 2.0]


@pytest.mark.parametrize(
    ("wish", "pause_s"),
    [("7", 7.0), ("Sun, 22 Nov 2026 10:00:20 GMT", 20.0), ("Sun, 22 Nov 2026 09:00:00 GMT", 0.0), ("soon", 1.0)],
)
def test_the_pause_that_a_service_asks_for_is_kept(wish: str, pause_s: float) -> None:
    pauses = Pauses()
    now = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
    with OsrmServer() as server:
        server.trouble = [busy(429, "Too Many Requests", Retry_After=wish)]
        survey([FARM, MILL], osrm(server, Patience(pause=pauses, now=lambda: now)))
    assert pauses.s == [pause_s]


def test_a_service_that_asks_for_an_hour_is_not_waited_for() -> None:
    pauses = Pauses()
    with OsrmServer() as server:
        server.trouble = [busy(429, "Too Many Requests", Retry_After="3600")]
        with pytest.raises(SourceUnavailable, match="asks for 3,600 s of pause"):
            survey([FARM, MILL], osrm(server, Patience(pause=pauses)))
    assert pauses.s == []


def test_a_service_that_stays_down_is_given_up_in_words() -> None:
    pauses = Pauses()
    with OsrmServer() as server:
        server.trouble = [busy(500, "out of memory")] * 4
        with pytest.raises(SourceUnavailable, match="answered 500: out of memory, asked 4 times: try again later"):
            survey([FARM, MILL], osrm(server, Patience(pause=pauses)))
    assert len(pauses.s) == 3
    with pytest.raises(SourceUnavailable, match="did not answer"):
        survey([FARM, MILL], Osrm(server.url, patience=Patience(pause=pauses, tries=1)))


def test_what_is_refused_is_not_asked_twice() -> None:
    with ValhallaServer() as server:
        with pytest.raises(SourceRefused, match="answered 400: No costing method found: 'auot'"):
            survey([FARM, MILL], Valhalla(server.url, costing="auot"))
        with pytest.raises(SourceRefused, match="Exceeded max locations"):
            survey(scattered(60), Valhalla(server.url, limits=Limits(pairs=3_000)))
    with OsrmServer() as server, pytest.raises(SourceRefused, match="Too many table coordinates"):
        survey(scattered(101), Osrm(server.url, limits=Limits(pairs=20_000, places=202)))
    with OsrmServer() as server, pytest.raises(SourceRefused, match=r"414|URL string malformed"):
        survey([FARM, MILL], Osrm(server.url, profile="no such profile"))
    with pytest.raises(SourceRefused, match="is no address"):
        survey([FARM, MILL], Osrm("nowhere"))


def test_google_counts_elements_and_is_asked_for_as_few_as_it_allows() -> None:
    with GoogleServer(quota=1_000) as server:
        with pytest.raises(SourceUnavailable, match="Quota exceeded"):
            survey(scattered(40), Google(KEY, url=server.url, patience=Patience(pause=Pauses())))
        with pytest.raises(SourceRefused, match="the maximum is 625"):
            survey(scattered(40), Google(KEY, url=server.url, limits=Limits(pairs=1_600)))


def test_the_key_is_shown_to_nobody_but_the_service(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    wrong_key = "AIza-a-key-that-is-not-valid"
    with GoogleServer() as server:
        source = Google(wrong_key, url=server.url)
        with pytest.raises(SourceRefused, match="API key not valid") as refusal:
            survey([FARM, MILL], source)
        survey([FARM, MILL], Google(KEY, url=server.url))
    for text in (str(refusal.value), repr(refusal.value), repr(source), source.name, caplog.text):
        assert wrong_key not in text
        assert KEY not in text
    assert refusal.value.__cause__ is None


@pytest.mark.parametrize("key", ["", " ", "AIza-with-a-line-end\n", "AIza-ключ"])
def test_a_key_that_cannot_be_sent_is_refused_without_being_shown(key: str) -> None:
    with GoogleServer() as server:
        with pytest.raises(SourceRefused, match=r"google.headers\[X-Goog-Api-Key\] is empty or holds") as refusal:
            survey([FARM, MILL], Google(key, url=server.url))
        assert server.requests == 0
    assert "AIza" not in str(refusal.value)


@pytest.mark.parametrize(
    "nonsense",
    [
        b"<html>",
        b"{}",
        b"[]",
        b'{"distances": [], "durations": [], "sources": [], "destinations": []}',
        b'{"distances": [[1]], "durations": [[1]], "sources": [{}], "destinations": [{}]}',
        b'{"sources_to_targets": [[{}]]}',
        b'{"sources_to_targets": [[{"distance": 1e300, "time": 1}, {}], [{}, {}]]}',
        b'{"distances": [[-1]], "durations": [[1]], "sources": [{}], "destinations": [{}]}',
        b'[{"originIndex": 0, "destinationIndex": 9}]',
        b'[{"originIndex": 0, "destinationIndex": 0, "duration": "long", "condition": "ROUTE_EXISTS"}]',
    ],
)
@services
def test_an_answer_outside_the_protocol_is_called_so(
    server_kind: Callable[[], Service], connect: Connect, nonsense: bytes
) -> None:
    with server_kind() as server:
        server.trouble = [(200, {}, nonsense)]
        with pytest.raises(SourceConfused, match=r"answered|put|located|left"):
            survey([FARM, MILL], connect(server, Patience()))


def test_a_pair_that_google_fails_on_is_no_missing_road() -> None:
    with GoogleServer() as server:
        failed = {"originIndex": 0, "destinationIndex": 0, "status": {"code": 8, "message": "over the limit"}}
        server.trouble = [answer(200, [failed])]
        with pytest.raises(SourceRefused, match="code 8"):
            Google(KEY, url=server.url).table([FARM], [MILL])


# -- what is kept


def test_only_unknown_pairs_are_asked_for(tmp_path: Path) -> None:
    town, cache = scattered(12), tmp_path / "ways.sqlite"
    with GoogleServer() as server:
        kept = Kept(google(server, Patience()), cache)
        first = survey(town[:10], kept)
        assert server.asked == 100
        again = survey(town[:10], Kept(google(server, Patience()), cache))
        assert server.asked == 100
        assert (again.matrix.distance_m == first.matrix.distance_m).all()
        assert (again.matrix.duration_s == first.matrix.duration_s).all()
        grown = survey(town, kept)
        assert server.asked == 144
        assert (grown.matrix.distance_m == haversine(town).distance_m).all()
        shuffled = survey(town[::-1], kept)
        assert server.asked == 144
        assert (shuffled.matrix.distance_m == grown.matrix.distance_m[::-1, ::-1]).all()


def test_places_a_hand_apart_share_an_answer_and_profiles_do_not(tmp_path: Path) -> None:
    near = Point(FARM.latitude + 2e-6, FARM.longitude - 2e-6)
    with ValhallaServer() as server:
        survey([FARM, MILL], Kept(Valhalla(server.url), tmp_path / "ways.sqlite"))
        survey([near, MILL], Kept(Valhalla(server.url), tmp_path / "ways.sqlite"))
        assert server.asked == 4
        survey([FARM, MILL], Kept(Valhalla(server.url, costing="truck"), tmp_path / "ways.sqlite"))
        assert server.asked == 8


def test_what_lies_off_the_road_is_remembered_with_its_reason(tmp_path: Path) -> None:
    with ValhallaServer() as server:
        kept = Kept(Valhalla(server.url), tmp_path / "ways.sqlite")
        first = survey([FARM, ICE, MILL], kept)
        requests = server.requests
        again = survey([FARM, ICE, MILL], kept)
        assert server.requests == requests
    assert again.off_road == first.off_road
    assert "no road" in again.off_road[1]
    assert again.matrix.metres(0, 1) == UNREACHABLE
    assert again.matrix.metres(0, 2) > 0


def test_each_of_two_neighbours_off_the_road_has_its_reason(tmp_path: Path) -> None:
    neighbour = Point(ICE.latitude, ICE.longitude + 1e-6)
    with ValhallaServer() as server:
        found = survey([ICE, FARM, neighbour], Kept(Valhalla(server.url), tmp_path / "ways.sqlite"))
    assert set(found.off_road) == {0, 2}


def test_several_planners_share_one_file(tmp_path: Path) -> None:
    town = scattered(20)

    def plan(first: int) -> bool:
        part = town[first : first + 10]
        found = survey(part, Kept(Osrm(server.url), tmp_path / "ways.sqlite"))
        return bool((found.matrix.distance_m == haversine(part).distance_m).all())

    with OsrmServer() as server, ThreadPoolExecutor(4) as planners:
        assert all(planners.map(plan, [0, 5, 10, 3, 8, 0]))


def test_old_answers_are_asked_for_anew(tmp_path: Path) -> None:
    now_s = [1_000_000.0]
    with OsrmServer() as server:
        kept = Kept(Osrm(server.url), tmp_path / "ways.sqlite", now_s=lambda: now_s[0])
        survey([FARM, MILL], kept)
        now_s[0] += KEPT_S
        survey([FARM, MILL], kept)
        assert server.asked == 4
        now_s[0] += 1
        survey([FARM, MILL], kept)
        assert server.asked == 8


def test_what_was_answered_before_a_failure_is_not_paid_for_twice(tmp_path: Path) -> None:
    town = scattered(60)
    with GoogleServer(quota=2_000) as server:
        kept = Kept(google(server, Patience(pause=Pauses())), tmp_path / "ways.sqlite")
        with pytest.raises(SourceUnavailable):
            survey(town, kept)
        server.quota = 3_600
        found = survey(town, kept)
        assert server.asked == 3_600
    assert (found.matrix.distance_m == haversine(town).distance_m).all()


def test_a_cache_that_is_no_cache_is_told_with_a_remedy(tmp_path: Path) -> None:
    cache = tmp_path / "ways.sqlite"
    cache.write_bytes(b"not a database, whatever its name says" * 100)
    with OsrmServer() as server, pytest.raises(ProblemError, match=r"cache cannot be used: .*delete"):
        survey([FARM, MILL], Kept(Osrm(server.url), cache))


def test_no_secret_is_kept(tmp_path: Path) -> None:
    cache = tmp_path / "ways.sqlite"
    with GoogleServer() as server:
        survey([FARM, MILL], Kept(google(server, Patience()), cache))
    with sqlite3.connect(cache) as db:
        assert KEY not in "\n".join(db.iterdump())
    db.close()


# -- how much is asked at once


@pytest.mark.parametrize("limits", [Limits(625), Limits(10_000, places=100), Limits(10_000_000, origins=50), Limits(1)])
@pytest.mark.parametrize("size", [(1, 1), (1, 700), (700, 1), (26, 26), (130, 70)])
def test_blocks_cover_each_pair_once_and_keep_the_limits(limits: Limits, size: tuple[int, int]) -> None:
    if limits.pairs == 1 and size == (130, 70):
        size = (13, 7)
    covered = np.zeros(size, dtype=np.int64)
    for rows, columns in blocks(range(size[0]), range(size[1]), limits):
        assert len(rows) * len(columns) <= limits.pairs
        assert len(rows) + len(columns) <= limits.places
        assert len(rows) <= limits.origins
        covered[np.ix_(rows, columns)] += 1
    assert (covered == 1).all()


def test_unknown_cells_are_gathered_into_rectangles() -> None:
    unknown = np.zeros((4, 4), dtype=np.bool_)
    unknown[3, :] = unknown[:, 3] = True
    assert sorted(gaps(unknown)) == [([0, 1, 2], [3]), ([3], [0, 1, 2, 3])]
