"""Plans for other programs, and as pictures."""

import csv
import io
import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import gpxpy
import pytest
from PIL import Image

from route_optimizer import drawing
from route_optimizer.formats import exports, plan_json
from route_optimizer.formats.instance import Convention, Instance
from route_optimizer.plan import Plan
from route_optimizer.problem import Break, Capacity, Load, Matrix, Reload, Stop, Window
from route_optimizer.schedule import route
from route_optimizer.solve import solve
from tests.route_optimizer.world import MINUTE, towns, van

POINTS = [(24.9, 60.2), (24.9, 60.3), (25.0, 60.3), (25.1, 60.3)]


@pytest.fixture(scope="module")
def instance() -> Instance:
    """A van that reloads and rests, a stop that looks like a formula, and one that is too heavy for anybody."""
    one = (Load("crates", 1),)
    stops = [
        Stop("A", 1, loads=one, service_time_s=MINUTE),
        Stop("=1+1", 2, loads=one, windows=(Window(0, 4 * MINUTE),)),
        Stop("<b>$x^</b>", 3, loads=(Load("crates", 9),)),
    ]
    vehicle = van("_van", capacities=(Capacity("crates", 1),), reload=Reload(0), breaks=(Break(300, 300, 60),))
    problem = towns(1, 2, 9, stops=stops, vehicles=[vehicle])
    return Instance("Day <1>", "json", None, problem, points=POINTS, geographic=True)


@pytest.fixture(scope="module")
def plan(instance: Instance) -> Plan:
    found = solve(instance.problem, budget_s=1)
    assert len(found.routes[0].reloads) == 1
    assert [each.stop for each in found.unserved] == ["<b>$x^</b>"]
    return found


def test_the_plan_itself_tells_rests_reloads_and_reasons(instance: Instance, plan: Plan) -> None:
    document = json.loads(plan_json.encode(instance, plan, violations=(), elapsed_s=0))
    (route,) = document["routes"]
    (found,) = plan.routes
    assert route["vehicle"] == "_van"
    assert route["rests"] == [{"start": found.rests[0].start_s, "end": found.rests[0].end_s}]
    (reload,) = found.reloads
    times = {"arrival": reload.arrival_s, "start": reload.start_s, "departure": reload.departure_s}
    assert route["reloads"] == [{"after": 1} | times]
    reasons = {reason["rule"]: reason for reason in document["unserved"][0]["reasons"]}
    assert (reasons["capacity"]["vehicle"], reasons["capacity"]["needed"]) == ("_van", 9)


def test_a_map_has_a_line_for_each_route_and_a_point_for_each_stop(instance: Instance, plan: Plan) -> None:
    document = json.loads(exports.geojson(instance, plan))
    assert document["type"] == "FeatureCollection"
    features = document["features"]
    assert all(each["type"] == "Feature" for each in features)
    (line,) = (each for each in features if each["properties"]["what"] == "route")
    way = [tuple(point) for point in line["geometry"]["coordinates"]]
    assert way[0] == way[2] == way[-1] == POINTS[0], "it comes by the depot to reload"
    assert set(way) == set(POINTS[:3])
    points = {each["properties"].get("stop"): each for each in features if each["properties"]["what"] != "route"}
    assert tuple(points["A"]["geometry"]["coordinates"]) == POINTS[1]
    assert points["<b>$x^</b>"]["properties"]["what"] == "left out"
    assert "holds 1" in points["<b>$x^</b>"]["properties"]["why"]
    assert tuple(points[None]["geometry"]["coordinates"]) == POINTS[0]


def test_a_navigator_gets_a_route_for_each_vehicle(instance: Instance, plan: Plan) -> None:
    document = gpxpy.parse(exports.gpx(instance, plan).decode())
    (route,) = document.routes
    assert route.name == "vehicle _van"
    assert [point.name for point in route.points][::2] == ["start", "reload", "end"]
    assert (route.points[0].longitude, route.points[0].latitude) == POINTS[0]
    (left_out,) = document.waypoints
    assert left_out.name == "<b>$x^</b>"


def test_a_spreadsheet_gets_everything_a_vehicle_does_and_no_formula(instance: Instance, plan: Plan) -> None:
    rows = list(csv.DictReader(io.StringIO(exports.table(instance, plan).decode())))
    assert sorted(row["what"] for row in rows) == ["end", "left out", "reload", "rest", "start", "stop", "stop"]
    starts = [float(row["start"]) for row in rows if row["start"]]
    assert starts == sorted(starts)
    assert {row["stop"] for row in rows} == {"", "A", "'=1+1", "<b>$x^</b>"}
    assert next(row for row in rows if row["what"] == "rest")["x"] == "", "somewhere on the road"


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\tx", "\rx"])
def test_nothing_in_a_spreadsheet_begins_like_a_formula(instance: Instance, text: str) -> None:
    vehicle = replace(instance.problem.vehicles[0], id=text)
    problem = replace(instance.problem, vehicles=(vehicle,), stops=instance.problem.stops[:1])
    changed = replace(instance, problem=problem)
    rows = list(csv.reader(io.StringIO(exports.table(changed, solve(problem, budget_s=1)).decode(), newline="")))
    assert {row[0] for row in rows[1:]} == {f"'{text}"}


def test_benchmark_plans_are_told_in_the_files_own_units(instance: Instance, plan: Plan) -> None:
    counted = replace(instance, convention=Convention.DIMACS, geographic=False)
    rows = list(csv.DictReader(io.StringIO(exports.table(counted, plan).decode())))
    assert float(rows[-2]["arrival"]) == plan.routes[0].end_s / 10
    with pytest.raises(ValueError, match="not on Earth"):
        exports.gpx(counted, plan)


def test_people_read_clocks_dates_and_kilometres(instance: Instance) -> None:
    assert [instance.time(seconds) for seconds in (0, 29_460, 90_000)] == ["0:00", "8:11", "25:00"]
    assert instance.time(1_795_305_600) == "2026-11-22 00:00 UTC"
    assert (instance.time(10_000_000), instance.time(-60)) == ("10,000,000", "-60")
    assert instance.length(12_340) == "12.3 km"
    counted = replace(instance, convention=Convention.DIMACS)
    assert (counted.time(1_234), counted.length(12_340)) == ("123.4", "1,234")


def test_what_a_format_cannot_say_is_told(instance: Instance, plan: Plan) -> None:
    nowhere = replace(instance, points=())
    for write in (exports.geojson, exports.gpx, drawing.png, drawing.page):
        with pytest.raises(ValueError, match="nowhere where its places are"):
            write(nowhere, plan)
    for ending, words in ((".vroom.json", "may reload"), (".sol", "no benchmark instance")):
        with pytest.raises(ValueError, match=words):
            exports.WRITERS[ending](instance, plan)


def test_the_writer_is_found_by_the_end_of_the_name() -> None:
    assert exports.writer(Path("a/Plan.GeoJSON")) is exports.geojson
    assert exports.writer(Path("plan.vroom.json")) is exports.WRITERS[".vroom.json"]
    assert exports.writer(Path("plan.json")) is None


def test_a_picture_is_a_picture(instance: Instance, plan: Plan) -> None:
    picture = Image.open(io.BytesIO(drawing.png(instance, plan)))
    assert picture.format == "PNG"
    width, height = picture.size
    assert 400 < width < 2_000
    assert 400 < height < 2_000
    colours = {colour for _, colour in picture.convert("RGB").getcolors(1 << 20) or ()}
    assert (0, 0x72, 0xB2) in colours, "the first route's blue"
    assert (0, 0, 0) in colours, "depot and what is left out"


def test_a_page_asks_for_nothing_and_runs_nothing(instance: Instance, plan: Plan) -> None:
    page = drawing.page(instance, plan).decode()
    assert "<h1>Day &lt;1&gt;</h1>" in page
    assert "<b>$x^</b>" not in page
    assert "&lt;b&gt;$x^&lt;/b&gt;" in page
    assert "A ↻ =1+1" in page or "=1+1 ↻ A" in page
    assert not re.search(r"<(script|link|img|iframe|image)|@import|url\((?!#)|\bsrc=|\bon\w+=", page)
    assert not re.search(r'href="(?!#)', page)
    drawn = page[page.index("<svg") : page.index("</svg>") + 6]
    texts = "".join(ElementTree.fromstring(drawn).itertext())  # noqa: S314 - our own drawing
    for told in ("vehicle _van: 2 stops", "depot", "left out: 1", "longitude, degrees"):
        assert told in texts


@pytest.mark.parametrize("draw", [drawing.png, drawing.page])
def test_the_same_plan_gives_the_same_picture(
    instance: Instance, plan: Plan, draw: Callable[[Instance, Plan], bytes]
) -> None:
    assert draw(instance, plan) == draw(instance, plan)


def test_many_routes_are_drawn_and_the_legend_names_the_first() -> None:
    count = 30
    stops = [Stop(f"{n}", n) for n in range(1, count + 1)]
    problem = towns(*range(1, count + 1), stops=stops, vehicles=[van(f"{n}") for n in range(count)])
    scattered = [(float(n % 8), float(n // 8)) for n in range(count + 1)]
    found = [route(problem, each, [stop]) for each, stop in zip(problem.vehicles, problem.stops, strict=True)]
    plan = Plan(tuple(each for each in found if each is not None), (), 0, "exact", "budget")
    page = drawing.page(Instance("Many", "json", None, problem, points=scattered), plan).decode()
    assert f"and {len(plan.routes) - drawing.NAMED_ROUTES} more" in page


def test_a_plan_without_routes_is_drawn_too(instance: Instance) -> None:
    empty = Plan((), (), 0, "exact", "optimal")
    bare = replace(instance, problem=replace(instance.problem, stops=(), matrix=Matrix.of([[0]], [[0]])))
    assert drawing.png(bare, empty)[:4] == b"\x89PNG"
    assert json.loads(exports.geojson(bare, empty))["features"]
