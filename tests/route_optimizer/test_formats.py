"""Instance files in, PLAN.json out."""

import json
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from route_optimizer.check import judge
from route_optimizer.formats import plan_json
from route_optimizer.formats.instance import Convention, Instance
from route_optimizer.formats.plan_json import PlanJson, RouteJson
from route_optimizer.formats.read import Format, read
from route_optimizer.formats.source import FormatError
from route_optimizer.plan import Plan, Violation
from route_optimizer.problem import Window
from route_optimizer.schedule import route
from route_optimizer.solve import solve

DATA = Path(__file__).parent / "data"

TINY_SOLOMON = """Tiny

VEHICLE
NUMBER     CAPACITY
  2         10

CUSTOMER
CUST NO.  XCOORD.  YCOORD.  DEMAND  READY TIME  DUE DATE  SERVICE TIME

    0      0         0          0          0       100          0
    1      1         1          4         10        20          5
    2      0         3         10          0        90          5
"""
TINY_VRPLIB = """NAME : Tiny
TYPE : CVRP
DIMENSION : 3
EDGE_WEIGHT_TYPE : EUC_2D
CAPACITY : 10
NODE_COORD_SECTION
1 0 0
2 1 1
3 0 3
DEMAND_SECTION
1 0
2 4
3 10
DEPOT_SECTION
1
-1
EOF
"""
TIMES = """TIME_WINDOW_SECTION
1 0 100
2 10 20
3 0 90
SERVICE_TIME_SECTION
1 0
2 5
3 6
DEPOT_SECTION"""


def written(folder: Path, text: str, name: str = "tiny.txt") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def sol_routes(path: Path) -> list[list[int]]:
    lines = [line for line in path.read_text().splitlines() if line.startswith("Route")]
    return [[int(word) for word in line.split(":")[1].split()] for line in lines]


def test_a_solomon_file_is_a_problem_in_tenths(tmp_path: Path) -> None:
    instance = read(written(tmp_path, TINY_SOLOMON))
    problem = instance.problem
    assert (instance.name, instance.format, instance.convention) == ("Tiny", "solomon", Convention.DIMACS)
    assert [stop.id for stop in problem.stops] == ["1", "2"]
    assert problem.stops[0].windows == (Window(100, 200),)
    assert (problem.stops[0].service_time_s, problem.stops[0].loads[0].amount) == (50, 4)
    assert [vehicle.id for vehicle in problem.vehicles] == ["1", "2"]
    assert (problem.vehicles[0].shift, problem.vehicles[0].capacities[0].limit) == (Window(0, 1_000), 10)
    assert problem.matrix.metres(0, 1) == 14, "the square root of 2, truncated to one decimal"
    assert instance.best_known is None


@pytest.mark.parametrize(("convention", "metres"), [("dimacs", 22), ("euc2d", 2), ("exact", 2_236)])
def test_the_convention_decides_how_a_distance_is_counted(tmp_path: Path, convention: str, metres: int) -> None:
    instance = read(written(tmp_path, TINY_SOLOMON), convention=Convention(convention))
    assert instance.problem.matrix.metres(1, 2) == metres
    assert instance.in_file_units(metres) == pytest.approx(5**0.5, abs=0.3)


def test_a_vrplib_file_without_times_is_rounded_to_integers(tmp_path: Path) -> None:
    instance = read(written(tmp_path, TINY_VRPLIB))
    problem = instance.problem
    assert (instance.format, instance.convention) == ("vrplib", Convention.EUC2D)
    assert [stop.id for stop in problem.stops] == ["2", "3"], "numbers of the file"
    assert (problem.matrix.metres(0, 1), problem.matrix.metres(1, 2)) == (1, 2)
    assert problem.stops[0].windows == ()
    assert len(problem.vehicles) == 2 + 5, "as many as the demand needs, and 5 more"


def test_a_vrplib_file_with_times_is_read_as_dimacs_does(tmp_path: Path) -> None:
    text = TINY_VRPLIB.replace("DEPOT_SECTION", TIMES).replace("TYPE : CVRP", "TYPE : VRPTW\nVEHICLES : 3")
    instance = read(written(tmp_path, text))
    assert (instance.convention, len(instance.problem.vehicles)) == (Convention.DIMACS, 3)
    assert instance.problem.stops[0].windows == (Window(100, 200),)
    assert [stop.service_time_s for stop in instance.problem.stops] == [50, 60]
    assert instance.problem.vehicles[0].shift == Window(0, 1_000)
    one_for_all = text.replace("SERVICE_TIME_SECTION\n1 0\n2 5\n3 6\n", "").replace(
        "DIMENSION", "SERVICE_TIME : 9\nDIMENSION"
    )
    assert [stop.service_time_s for stop in read(written(tmp_path, one_for_all)).problem.stops] == [90, 90]


@pytest.mark.parametrize(("name", "shift"), [("C101.txt", 0), ("R101.txt", 0), ("RC208.txt", 0), ("X-n110-k13.vrp", 1)])
def test_the_best_known_routes_cost_what_their_file_says(name: str, shift: int) -> None:
    instance = read(DATA / name)
    problem = instance.problem
    solution = sol_routes((DATA / name).with_suffix(".sol"))
    routes = []
    for vehicle, numbers in zip(problem.vehicles, solution, strict=False):
        found = route(problem, vehicle, [problem.stop_by_id[str(number + shift)] for number in numbers])
        assert found is not None
        routes.append(found)
    plan = Plan(tuple(routes), (), sum(each.cost for each in routes), "exact", "optimal")
    assert judge(problem, plan).violations == ()
    assert instance.in_file_units(plan.cost) == instance.best_known
    assert plan_json.gap_pct(instance, plan) == 0


def test_a_gap_is_shown_only_against_a_cost_counted_alike() -> None:
    assert read(DATA / "C101.txt", convention=Convention.EXACT).best_known is None


def test_a_plan_is_written_in_the_numbers_of_the_file(tmp_path: Path) -> None:
    written(tmp_path, "Cost 8.0\n", "tiny.sol")
    instance = read(written(tmp_path, TINY_SOLOMON))
    plan = solve(instance.problem, budget_s=1)
    written_plan = as_json(instance, plan)
    assert (written_plan.cost, written_plan.best_known, written_plan.gap_pct) == (8.8, 8.0, 10.0)
    assert (written_plan.engine, written_plan.violations, written_plan.unserved) == ("exact", [], [])
    assert written_plan.numbering.startswith("clients as the file numbers them, in which the depot is 0")
    assert sorted(written_plan.routes, key=lambda each: str(each.stops)) == [
        RouteJson(1, stops=[1], arrivals=[10.0], starts=[10.0], departure=8.6, end=16.4, distance=2.8, cost=2.8),
        RouteJson(2, stops=[2], arrivals=[3.0], starts=[3.0], departure=0.0, end=11.0, distance=6.0, cost=6.0),
    ]
    fields = json.loads(plan_json.encode(instance, plan, violations=(), elapsed_s=0.5))
    assert {"cost", "engine", "routes", "unserved", "violations"} <= fields.keys()
    assert {"vehicle", "stops", "arrivals"} <= fields["routes"][0].keys()


def test_a_client_left_out_and_a_violation_are_written_in_words(tmp_path: Path) -> None:
    instance = read(written(tmp_path, TINY_SOLOMON.replace("3         10", "3         11")))
    broken = Plan((), (), 0, "exact", "budget")
    written_plan = as_json(instance, solve(instance.problem, budget_s=1), judge(instance.problem, broken).violations)
    (unserved,) = written_plan.unserved
    assert (unserved.stop, unserved.reasons[0].rule) == (2, "capacity")
    assert "holds 10" in unserved.reasons[0].words
    assert written_plan.gap_pct is None
    assert written_plan.violations[0].startswith("completeness: stop ")


def as_json(instance: Instance, plan: Plan, violations: Sequence[Violation] = ()) -> PlanJson:
    return msgspec.json.decode(plan_json.encode(instance, plan, violations=violations, elapsed_s=0.5), type=PlanJson)


MALFORMED_SOLOMON = [
    ("", "is empty", "give an instance"),
    ("Tiny\n1 2\n", "is in no format", "--format"),
    (TINY_SOLOMON.replace("  2         10\n", ""), "line 9: ", "how many vehicles"),
    (TINY_SOLOMON.replace("  2         10\n", "  0         10\n"), "line 5: there are no vehicles", "at least one"),
    (TINY_SOLOMON.replace("  2         10\n", "  2\n"), "line 5: 1 word where 2", "their capacity"),
    (TINY_SOLOMON.replace("1      1         1", "1      1"), "line 11: 6 words where 7", "ready time"),
    (TINY_SOLOMON.replace("1      1         1", "1      1         x"), "line 11: `1 1 x", "ready time"),
    (TINY_SOLOMON.replace("1      1         1", "1      1         nan"), "line 11: ", "ready time"),
    (TINY_SOLOMON.replace("    2      0", "    1      0"), "line 12: customer 1 stands on line 11", "its own"),
    (
        TINY_SOLOMON.replace("10        20", "30        20"),
        "line 11: the window of 1 closes at 20 before it opens at 30",
        "the earlier first",
    ),
    (TINY_SOLOMON.replace("          4  ", "         -4  "), "line 11: customer 1 has a negative", "0 or more"),
    (TINY_SOLOMON.replace("          4  ", "        4.5  "), "line 11: 4.5 is not whole", "whole number"),
    (TINY_SOLOMON[: TINY_SOLOMON.index("    0  ")], "there are no customers", "one line each"),
    (TINY_SOLOMON[: TINY_SOLOMON.index("NUMBER")], "line 3: the file ends", "VEHICLE section"),
]
MALFORMED_VRPLIB = [
    (TINY_VRPLIB.replace("2 1 1", "2 1"), "line 8: 2 numbers where 3 belong", "NODE_COORD_SECTION takes"),
    (TINY_VRPLIB.replace("2 1 1", "2 1 inf"), "line 8: `inf` is no number", "finite"),
    (TINY_VRPLIB.replace("2 1 1", "2.5 1 1"), "line 8: the node 2.5", "1, 2, 3"),
    (TINY_VRPLIB.replace("2 1 1", "1 1 1"), "line 8: node 1 stands on line 7", "once"),
    (TINY_VRPLIB.replace("2 4\n", ""), "line 12: node 2 has no line in DEMAND_SECTION", "add it"),
    (TINY_VRPLIB.replace("2 4\n", "2 -4\n"), "line 12: the demand is -4", "0 or more"),
    (TINY_VRPLIB.replace("2 4\n", "2 4\n9 4\n"), "line 13: node 9 does not exist", "correct its number"),
    (TINY_VRPLIB.replace("DIMENSION : 3", "DIMENSION : 4"), "line 3: DIMENSION is 4", "agree"),
    (TINY_VRPLIB.replace("CAPACITY : 10", "CAPACITY : big"), "line 5: `big` is no number", "finite"),
    (TINY_VRPLIB.replace("CAPACITY : 10\n", ""), "no CAPACITY", "CAPACITY : 100"),
    (
        TINY_VRPLIB.replace("CAPACITY : 10", "CAPACITY : 10\nVEHICLES : 0"),
        "line 6: there are no vehicles",
        "at least one",
    ),
    (
        TINY_VRPLIB.replace("CAPACITY : 10", "CAPACITY : 10\nVEHICLES : 1e9"),
        "there are 1,000,000,000 vehicles",
        "at most",
    ),
    (TINY_VRPLIB.replace("CAPACITY : 10", "CAPACITY : 10\nRANGE : 9"), "line 6: `RANGE : 9` states something", "leave"),
    (TINY_VRPLIB.replace("EUC_2D", "GEO"), "line 4: EDGE_WEIGHT_TYPE is GEO", "EUC_2D, EXPLICIT"),
    (TINY_VRPLIB.replace("TYPE : CVRP", "TYPE : OVRP"), "line 2: TYPE is OVRP", "only TSP, CVRP"),
    (TINY_VRPLIB.replace("DEMAND_SECTION", "CLIMB_SECTION"), "line 10: CLIMB_SECTION states a rule", "DEMAND_SECTION"),
    (
        TINY_VRPLIB.replace("DEMAND_SECTION", "MUTUALLY_EXCLUSIVE_GROUP_SECTION"),
        "line 10: MUTUALLY_EXCLUSIVE_GROUP_SECTION states a rule that no problem here can state",
        "leave the section out",
    ),
    (TINY_VRPLIB.replace("DEPOT_SECTION\n1\n", "DEPOT_SECTION\n1\n2\n"), "line 16: 2 depots", "one depot"),
    (TINY_VRPLIB.replace("2 1 1", "2 1e300 1"), "line 8: 2 lies at 1e+300, 1", "from -300,000,000 to 300,000,000"),
    (TINY_VRPLIB.replace("10\nDEPOT", "1e12\nDEPOT").replace("3 0 3", "3 0 x"), "line 9: `x` is no number", "finite"),
    (
        TINY_VRPLIB.replace("DEPOT_SECTION\n1\n", "DEPOT_SECTION\n9\n"),
        "line 15: the depot 9 has no coordinates",
        "NODE_COORD",
    ),
    (TINY_VRPLIB[: TINY_VRPLIB.index("DEPOT")], "the file ends without a depot", "DEPOT_SECTION"),
    (TINY_VRPLIB.replace("NODE_COORD_SECTION\n", ""), "line 6: `1 0 0` stands outside", "section's name"),
    (
        TINY_VRPLIB.replace("DEPOT_SECTION", TIMES.replace("2 10 20", "2 30 20")),
        "closes at 20 before it opens at 30",
        "earlier",
    ),
    (TINY_VRPLIB.replace("DEPOT_SECTION", TIMES.replace("2 5", "2 -5")), "service time of node 2 is -5", "0 or more"),
]


@pytest.mark.parametrize(("text", "wrong", "remedy"), MALFORMED_SOLOMON + MALFORMED_VRPLIB)
def test_a_malformed_file_is_refused_in_one_sentence_with_line_and_remedy(
    tmp_path: Path, text: str, wrong: str, remedy: str
) -> None:
    with pytest.raises(FormatError) as caught:
        read(written(tmp_path, text))
    said = str(caught.value)
    assert said.startswith("tiny.txt")
    assert wrong in said
    assert remedy in said
    assert "\n" not in said


def test_what_is_no_text_or_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "picture.txt").write_bytes(b"\x89PNG\xff")
    for path in (tmp_path / "picture.txt", tmp_path / "absent.txt", tmp_path):
        with pytest.raises(FormatError, match=path.name):
            read(path)


def test_a_solution_without_a_cost_is_refused(tmp_path: Path) -> None:
    written(tmp_path, "Route #1: 1 2\n", "tiny.sol")
    with pytest.raises(FormatError, match=r"tiny\.sol: names no cost"):
        read(written(tmp_path, TINY_SOLOMON))


def test_a_format_that_is_named_is_taken_at_its_word(tmp_path: Path) -> None:
    with pytest.raises(FormatError):
        read(written(tmp_path, TINY_SOLOMON), Format.VRPLIB)
    with pytest.raises(FormatError):
        read(written(tmp_path, TINY_VRPLIB), Format.SOLOMON)
