"""The native format: everything a problem can say, there and back."""

import json
from dataclasses import fields
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from route_optimizer.formats import problem_json
from route_optimizer.formats.problem_json import ProblemJson, encode
from route_optimizer.formats.read import Format, read
from route_optimizer.formats.source import FormatError
from route_optimizer.problem import (
    Break,
    Capacity,
    Compartment,
    DrivingRule,
    Load,
    Matrix,
    Objective,
    Problem,
    Reload,
    Shipment,
    Stop,
    Vehicle,
    Window,
)
from route_optimizer.solve import solve
from route_optimizer.validation import LARGEST

MINIMAL = {
    "places": [{"longitude": 13.40, "latitude": 52.52}, {"longitude": 13.45, "latitude": 52.50}],
    "stops": [{"id": "A", "location": 1}],
    "vehicles": [{"id": "van", "start": 0, "end": 0}],
}

numbers = st.integers(0, LARGEST)
maybe = st.none() | numbers
names = st.text(max_size=4)
sets_of_names = st.frozensets(names, max_size=2)
windows = st.builds(Window, numbers, numbers)
compartments = st.none() | st.sampled_from(Compartment)
loads = st.lists(st.builds(Load, names, numbers, compartments), max_size=2).map(tuple)
stops = st.builds(
    Stop,
    id=names,
    location=numbers,
    windows=st.lists(windows, max_size=2).map(tuple),
    service_time_s=numbers,
    loads=loads,
    collects=loads,
    skills=sets_of_names,
    priority=numbers,
    prize=maybe,
    release_s=numbers,
    max_ride_s=maybe,
    due_s=maybe,
    late_cost_per_hour=numbers,
    planned_on=st.none() | names,
)
vehicles = st.builds(
    Vehicle,
    id=names,
    start=numbers,
    end=maybe,
    capacities=st.lists(st.builds(Capacity, names, numbers, compartments), max_size=2).map(tuple),
    shift=windows,
    max_distance_m=maybe,
    max_duration_s=maybe,
    max_stops=maybe,
    skills=sets_of_names,
    breaks=st.lists(st.builds(Break, numbers, numbers, numbers), max_size=2).map(tuple),
    driving=st.none() | st.builds(DrivingRule, numbers, numbers),
    max_driving_s=maybe,
    reload=st.none() | st.builds(Reload, numbers, numbers, numbers),
    fixed_cost_minor=numbers,
    cost_per_km_minor=numbers,
    cost_per_hour_minor=numbers,
    overtime_after_s=maybe,
    overtime_cost_per_hour_minor=numbers,
    fuel_ml_per_km=numbers,
    co2_g_per_km=numbers,
    locked=st.lists(names, max_size=2).map(tuple),
    on_board=st.none() | sets_of_names,
)
problems = st.builds(
    Problem,
    stops=st.lists(stops, max_size=2).map(tuple),
    vehicles=st.lists(vehicles, max_size=2).map(tuple),
    matrix=st.just(Matrix.of([[0, 3], [-1, 0]], [[0, 4], [-1, 0]])),
    objective=st.sampled_from(Objective),
    shipments=st.lists(st.builds(Shipment, names, names, loads), max_size=2).map(tuple),
    together=st.lists(sets_of_names, max_size=2).map(tuple),
    apart=st.lists(sets_of_names, max_size=2).map(tuple),
    fuel_price_minor_per_l=numbers,
    co2_price_minor_per_kg=numbers,
    reassign_cost=numbers,
    balance_cost_per_hour=numbers,
)


def saved(folder: Path, text: str | bytes) -> Path:
    path = folder / "problem.json"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def changed(**keys: object) -> str:
    return json.dumps(MINIMAL | keys)


@given(problems)
@settings(max_examples=60)
def test_every_problem_is_read_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, problem: Problem) -> None:
    text = encode(problem, name="day", points=[(13.4, 52.5), (13.5, 52.6)])
    instance = read(saved(tmp_path_factory.mktemp("json"), text), Format.JSON)
    again = instance.problem
    for each in fields(Problem):
        if each.name != "matrix":
            assert getattr(again, each.name) == getattr(problem, each.name)
    assert (again.matrix.metres(0, 1), again.matrix.seconds(0, 1), again.matrix.metres(1, 0)) == (3, 4, -1)
    assert (instance.name, list(instance.points)) == ("day", [(13.4, 52.5), (13.5, 52.6)])
    assert encode(again, name="day", points=instance.points) == text, "the same problem, the same bytes"


def test_no_field_of_a_problem_is_forgotten() -> None:
    assert {each.name for each in fields(Problem)} <= {each.name for each in msgspec.structs.fields(ProblemJson)}


def test_places_alone_give_great_circles(tmp_path: Path) -> None:
    instance = read(saved(tmp_path, changed(detour_factor=1.5, speed_kmh=36)))
    assert (instance.format, instance.geographic, instance.convention) == ("json", True, None)
    metres = instance.problem.matrix.metres(0, 1)
    assert metres == pytest.approx(1.5 * 4_055, rel=0.01)
    assert instance.problem.matrix.seconds(0, 1) == pytest.approx(metres / 10, abs=1)
    assert [visit.stop for visit in solve(instance.problem, budget_s=1).routes[0].visits] == ["A"]


def test_the_schema_tells_each_field_and_what_it_means() -> None:
    schema = json.loads(problem_json.schema())
    parts = schema["$defs"]
    stop = parts["Stop"]["properties"]
    assert set(stop) == {each.name for each in fields(Stop)}
    assert stop["release_s"]["description"].startswith("seconds: its goods are ready then")
    assert parts["Vehicle"]["required"] == ["id", "start", "end"]
    assert parts["Vehicle"]["additionalProperties"] is False
    assert parts["ProblemJson"]["properties"]["speed_kmh"]["maximum"] == 1_000


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("{", "problem.json, line 1: is no JSON here"),
        ('{"stops": [],\n "vehicles": [NaN]}', "problem.json, line 2: is no JSON here"),
        (changed(stop=1), "problem.json: object contains unknown field `stop`"),
        (changed(stops=[{"id": "A", "location": 1, "window": []}]), "stops[0]: object contains unknown field `window`"),
        (changed(stops=[{"id": 1, "location": 1}]), "problem.json, stops[0].id: expected `str`, got `int`"),
        (changed(stops=[{"id": "A", "location": 1.5}]), "stops[0].location: expected `int`, got `float`"),
        (changed(stops=[{"id": "A"}]), "stops[0]: object missing required field `location`"),
        (changed(vehicles=[{"id": "van", "start": 0}]), "vehicles[0]: object missing required field `end`"),
        (changed(objective="speed"), "objective: invalid enum value 'speed'"),
        (changed(places=None), "problem.json, places: are missing, and there is no matrix"),
        (changed(places=[{"longitude": 181, "latitude": 0}]), "places[0].longitude: expected `float` <= 180.0"),
        (changed(matrix={"distance_m": [[0, 1]], "duration_s": []}), "matrix.distance_m[0]: has 2 numbers"),
        (changed(matrix={"distance_m": [[10**20]], "duration_s": [[0]]}), "matrix.distance_m[0][0]: "),
        (changed(matrix={"distance_m": [[0]], "duration_s": [[0]]}), "places: are 2 and the matrix has 1 rows"),
        ('{"stops":' + "[" * 100_000, "problem.json"),
    ],
)
def test_what_is_no_problem_is_refused_with_its_place_and_a_remedy(tmp_path: Path, text: str, wrong: str) -> None:
    with pytest.raises(FormatError) as caught:
        read(saved(tmp_path, text))
    said = str(caught.value)
    assert wrong in said
    assert "; " in said
    assert "\n" not in said


def test_a_convention_is_for_benchmarks(tmp_path: Path) -> None:
    from route_optimizer.formats.instance import Convention

    with pytest.raises(FormatError, match="leave --convention out"):
        read(saved(tmp_path, changed()), convention=Convention.DIMACS)
