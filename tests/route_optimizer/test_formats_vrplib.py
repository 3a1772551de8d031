"""The rules that public sets state, in PyVRP's dialect of VRPLIB and in Li and Lim's files."""

from pathlib import Path

import pytest

from route_optimizer.check import judge
from route_optimizer.formats import plan_json, sol
from route_optimizer.formats.instance import Convention, Instance
from route_optimizer.formats.read import Format, read
from route_optimizer.formats.source import FormatError
from route_optimizer.plan import Plan, Reason, Rule, Unserved
from route_optimizer.problem import UNREACHABLE, Load, Objective, Reload, Shipment
from route_optimizer.schedule import order_of, route
from route_optimizer.solve import solve
from tests.route_optimizer.test_formats import TIMES, TINY_VRPLIB, written

RICH = Path(__file__).parent / "data" / "rich"

TINY_LILIM = """2 10 1
0 0 0 0 0 100 0 0 0
1 1 1 4 10 20 5 0 2
2 0 3 -4 0 90 5 1 0
"""


def planned(instance: Instance, solution: sol.Solution) -> Plan:
    """The routes of a `.sol` as a plan with times."""
    problem = instance.problem
    orders = sol.sequences(instance, solution)
    assert orders is not None
    found = [route(problem, problem.vehicle_by_id[name], order_of(problem, order)) for name, order in orders.items()]
    routes = tuple(each for each in found if each is not None)
    assert len(routes) == len(orders), "each keeps every rule"
    served = {visit.stop for each in routes for visit in each.visits}
    reason = Reason(Rule.PRIZE, problem.vehicles[0].id, "it is worth too little", "a higher prize")
    left_out = tuple(Unserved(stop.id, (reason,)) for stop in problem.stops if stop.id not in served)
    return Plan(routes, left_out, sum(each.cost for each in routes), "exact", "optimal")


@pytest.mark.parametrize(
    ("name", "objective", "written_cost", "unit"),
    [
        ("X247-HVRP.vrp", Objective.COST, 49_910.96, 0.01),
        ("PR17B.vrp", Objective.DISTANCE, 4_771_155, 1_000),
        ("PR03.vrp", Objective.DISTANCE, 3_304_130, 1_000),
        ("C1_10_6.vrp", Objective.DISTANCE, 246_524, 10),
        ("C201R0.5.vrp", Objective.DISTANCE, 15_006, 10),
        ("lc101.txt", Objective.COST, 828.9369, 1),
        ("lr201.txt", Objective.COST, 1_253.234, 1),
    ],
)
def test_the_best_known_routes_keep_every_rule_and_cost_what_is_written(
    name: str, objective: Objective, written_cost: float, unit: float
) -> None:
    instance = read(RICH / name)
    solution = sol.read((RICH / name).with_suffix(".sol"))
    plan = planned(instance, solution)
    assert instance.problem.objective is objective
    assert judge(instance.problem, plan).violations == ()
    assert solution.cost == written_cost
    # the sum of legs rounded to three decimals may differ by a few of them from the rounded sum
    assert plan_json.cost(instance, plan) == pytest.approx(written_cost / unit, rel=1e-5)
    assert instance.best_known == plan_json.cost(instance, plan)
    assert plan_json.gap_pct(instance, plan) == 0


def test_vehicles_have_depots_costs_and_capacities_of_their_own() -> None:
    fleet = read(RICH / "X247-HVRP.vrp").problem.vehicles
    assert len({vehicle.capacities[0].limit for vehicle in fleet}) > 1
    assert len({vehicle.fixed_cost_minor for vehicle in fleet}) > 1
    assert all(vehicle.cost_per_km_minor % 1_000 == 0 for vehicle in fleet)
    several = read(RICH / "PR17B.vrp").problem
    assert {vehicle.start for vehicle in several.vehicles} == set(range(6))
    assert all(vehicle.start == vehicle.end for vehicle in several.vehicles)
    assert {vehicle.max_duration_s for vehicle in several.vehicles} == {460_000}


def test_reloads_release_times_and_prizes_are_read() -> None:
    trips = read(RICH / "C201R0.5.vrp").problem
    assert trips.vehicles[0].reload == Reload(0, 100)
    assert any(stop.release_s for stop in trips.stops)
    prizes = read(RICH / "C1_10_6.vrp").problem
    assert all(stop.prize is not None for stop in prizes.stops)
    assert prizes.stop_by_id["2"].prize == 80


def test_each_set_of_vehicles_that_alone_may_serve_a_client_is_a_skill() -> None:
    problem = read(RICH / "PR03.vrp").problem
    skills = {skill for stop in problem.stops for skill in stop.skills}
    assert skills
    assert all(len(stop.skills) <= 1 for stop in problem.stops)
    for stop in problem.stops:
        able = {vehicle.id for vehicle in problem.vehicles if stop.skills <= vehicle.skills}
        named = {number for skill in stop.skills for number in skill.split()[4:]}
        assert able == (named or set(problem.vehicle_by_id))


def test_fewer_vehicles_come_first_in_li_and_lims_files_and_are_in_no_cost_told() -> None:
    instance = read(RICH / "lc101.txt")
    plan = planned(instance, sol.read(RICH / "lc101.sol"))
    assert (instance.best_vehicles, len(plan.routes)) == (10, 10)
    assert plan.cost > 10 * instance.charge > 10 * instance.told(plan.cost)
    crowded = Plan((*plan.routes, plan.routes[0]), (), plan.cost, "exact", "budget")
    assert plan_json.gap_pct(instance, crowded) is None, "eleven vehicles cannot be compared with ten"


def test_li_and_lims_tasks_are_shipments(tmp_path: Path) -> None:
    instance = read(written(tmp_path, TINY_LILIM))
    assert (instance.format, instance.convention) == ("lilim", Convention.EXACT)
    assert instance.problem.shipments == (Shipment("1", "2", (Load("demand", 4),)),)
    plan = solve(instance.problem, budget_s=1)
    assert [visit.stop for visit in plan.routes[0].visits] == ["1", "2"]
    written_plan = plan_json.encode(instance, plan, violations=(), elapsed_s=0)
    assert b'"cost": 6.65' in written_plan


def with_section(text: str, *lines: str) -> str:
    return TINY_VRPLIB.replace("DEPOT_SECTION", "\n".join((text, *lines, "DEPOT_SECTION")))


EXPLICIT = TINY_VRPLIB.replace("EUC_2D", "EXPLICIT\nEDGE_WEIGHT_FORMAT : {}").replace(
    "NODE_COORD_SECTION\n1 0 0\n2 1 1\n3 0 3\n", "EDGE_WEIGHT_SECTION\n{}\n"
)


@pytest.mark.parametrize(
    ("form", "numbers"),
    [
        ("FULL_MATRIX", "0 1 2\n1 0 3\n2 3 0"),
        ("LOWER_ROW", "1\n2 3"),
        ("UPPER_ROW", "1 2\n3"),
        ("LOWER_DIAG_ROW", "0\n1 0\n2 3 0"),
        ("UPPER_DIAG_ROW", "0 1 2 0 3 0"),
        ("LOWER_COL", "1 2\n3"),
        ("UPPER_COL", "1\n2 3"),
    ],
)
def test_a_matrix_may_be_written_out_whole_or_as_a_triangle(tmp_path: Path, form: str, numbers: str) -> None:
    instance = read(written(tmp_path, EXPLICIT.format(form, numbers)))
    matrix = instance.problem.matrix
    assert [matrix.metres(*leg) for leg in ((0, 1), (1, 0), (0, 2), (2, 1))] == [1, 1, 2, 3]
    assert instance.points == ()


def test_a_whole_matrix_may_differ_by_direction(tmp_path: Path) -> None:
    text = EXPLICIT.format("FULL_MATRIX", "0 1 2 4 0 3 5 6 0").replace("DEPOT_SECTION\n1", "DEPOT_SECTION\n2")
    problem = read(written(tmp_path, text)).problem
    assert [stop.id for stop in problem.stops] == ["1", "3"], "the depot is the first row, whatever its number"
    assert (problem.matrix.metres(0, 1), problem.matrix.metres(1, 0), problem.matrix.metres(2, 0)) == (4, 1, 6)


def test_distance_limits_driving_and_service_or_driving_alone_where_there_are_times(tmp_path: Path) -> None:
    limited = TINY_VRPLIB.replace("CAPACITY : 10", "CAPACITY : 10\nDISTANCE : 9\nSERVICE_TIME : 2")
    vehicle = read(written(tmp_path, limited)).problem.vehicles[0]
    assert (vehicle.max_duration_s, vehicle.max_distance_m) == (9, None)
    vehicle = read(written(tmp_path, limited.replace("DEPOT_SECTION", TIMES))).problem.vehicles[0]
    assert (vehicle.max_duration_s, vehicle.max_distance_m) == (None, 90)


def test_several_dimensions_and_rates_of_each_vehicle_are_read(tmp_path: Path) -> None:
    text = TINY_VRPLIB.replace("CAPACITY : 10", "VEHICLES : 2\nVEHICLES_MAX_DISTANCE : 7").replace(
        "DEMAND_SECTION\n1 0\n2 4\n3 10\n",
        "CAPACITY_SECTION\n1 10 3\n2 8 2\nVEHICLES_UNIT_DISTANCE_COST_SECTION\n1 1\n2 0.5\n"
        "DEMAND_SECTION\n1 0 0\n2 4 1\n3 10 0\n",
    )
    problem = read(written(tmp_path, text)).problem
    assert problem.stops[0].loads == (Load("demand", 4), Load("demand 2", 1))
    assert [each.limit for each in problem.vehicles[1].capacities] == [8, 2]
    assert [each.cost_per_km_minor for each in problem.vehicles] == [1_000, 500]
    assert {each.max_distance_m for each in problem.vehicles} == {7}
    assert problem.objective is Objective.COST


def test_what_is_collected_comes_last_where_the_type_says_so(tmp_path: Path) -> None:
    text = TINY_VRPLIB.replace("DEMAND_SECTION\n1 0\n2 4\n3 10\n", "DEMAND_SECTION\n1 0\n2 4\n3 0\n").replace(
        "DEPOT_SECTION", "BACKHAUL_SECTION\n1 0\n2 0\n3 7\nDEPOT_SECTION"
    )
    mixed = read(written(tmp_path, text)).problem
    assert (mixed.stops[0].loads, mixed.stops[1].collects) == ((Load("demand", 4),), (Load("demand", 7),))
    assert mixed.matrix.metres(0, 2) == 3
    strict = read(written(tmp_path, text.replace("TYPE : CVRP", "TYPE : VRPB"))).problem
    assert strict.matrix.metres(0, 2) == strict.matrix.metres(2, 1) == UNREACHABLE
    assert (strict.matrix.metres(1, 2), strict.matrix.metres(2, 0)) == (2, 3)


def test_pickups_and_deliveries_of_a_vrplib_file_are_shipments(tmp_path: Path) -> None:
    text = with_section("PICKUP_AND_DELIVERY_SECTION", "1 0 0 100 0 0 0", "2 4 10 20 5 0 3", "3 -4 0 90 6 2 0")
    text = text.replace("DEMAND_SECTION\n1 0\n2 4\n3 10\n", "").replace("TYPE : CVRP", "TYPE : PDPTW")
    instance = read(written(tmp_path, text))
    assert instance.convention is Convention.EXACT
    assert instance.problem.shipments == (Shipment("2", "3", (Load("demand", 4),)),)
    assert [stop.service_time_s for stop in instance.problem.stops] == [5_000, 6_000]
    assert instance.problem.vehicles[0].shift.closes_s == 100_000


def test_a_file_without_depots_that_is_complete_begins_with_its_depot(tmp_path: Path) -> None:
    text = TINY_VRPLIB.replace("DEPOT_SECTION\n1\n-1\n", "")
    assert [stop.id for stop in read(written(tmp_path, text)).problem.stops] == ["2", "3"]
    with pytest.raises(FormatError, match="the file ends without a depot"):
        read(written(tmp_path, text.replace("EOF\n", "")))


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (with_section("VEHICLES_DEPOT_SECTION", *(f"{n} 2" for n in range(1, 8))), "line 15: 2 is no depot"),
        (with_section("VEHICLES_DEPOT_SECTION", "9 1"), "line 15: vehicle 9 does not exist"),
        (with_section("VEHICLES_ALLOWED_CLIENTS_SECTION", *(f"{n} 9" for n in range(1, 8))), "the client 9 does not"),
        (with_section("VEHICLES_RELOAD_DEPOT_SECTION", *(f"{n} 1 1" for n in range(1, 8))), "may reload at 2 depots"),
        (with_section("PRIZE_SECTION", "1 0", "2 -1", "3 1"), "prize or a release time of node 2 is negative"),
        (with_section("CAPACITY_SECTION", *(f"{n} 1.5" for n in range(1, 8))), "the capacity is 1.5"),
        (with_section("DEMAND_SECTION", "1 0"), "line 14: DEMAND_SECTION begins a second time"),
        (with_section("VEHICLES_FIXED_COST_SECTION", *(f"{n} -3" for n in range(1, 8))), "of vehicle 1 is -3"),
        (
            with_section("VEHICLES_UNIT_DISTANCE_COST_SECTION", *(f"{n} 0.0001" for n in range(1, 8))),
            "line 15: a unit of distance costs 0.0001",
        ),
        (with_section("PICKUP_AND_DELIVERY_SECTION", "1 0 0 9 0 0 0", "2 4 0 9 5 0 3", "3 -4 0 9 6 0 2"), "not agree"),
        (EXPLICIT.format("LOWER_ROW", "1 2"), "line 8: EDGE_WEIGHT_SECTION has 2 numbers where 3 belong"),
        (EXPLICIT.format("LOWER_ROW", "1 -2 3"), "line 8: the weight -2 is no distance"),
        (EXPLICIT.format("DIAGONAL", "1 2 3"), "EDGE_WEIGHT_FORMAT is DIAGONAL"),
        (TINY_VRPLIB.replace("NODE_COORD_SECTION\n1 0 0\n2 1 1\n3 0 3\n", ""), "nowhere where its nodes are"),
        (TINY_VRPLIB.replace("DEPOT_SECTION\n1\n", "DEPOT_SECTION\n1\n1\n"), "a depot is named twice"),
        (TINY_VRPLIB.replace("DEPOT_SECTION\n1\n", "DEPOT_SECTION\n1.5\n"), "line 15: the depot 1.5 is not whole"),
        (TINY_LILIM.replace("2 10 1", "0 10 1"), "line 1: there are no vehicles"),
        (TINY_LILIM.replace("0 0 0 0 0 100 0 0 0\n", ""), "line 2: the first task is 1"),
        (TINY_LILIM.replace("5 0 2", "5 0 0"), "line 3: task 1 is neither pickup nor delivery"),
        (TINY_LILIM.replace("-4", "-5"), "line 3: task 1 and its other end 2 do not agree"),
        (TINY_LILIM.replace("4 10 20", "-4 10 20").replace("-4 0 90", "4 0 90"), "the pickup 1 takes -4"),
        (TINY_LILIM.replace("2 0 3", "1 0 3"), "line 4: task 1 stands on line 3 already"),
        ("2 10 1\n0 0 0 0 0 100 0 0 0\n", "line 2: there are no tasks"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_with_its_line(tmp_path: Path, text: str, wrong: str) -> None:
    with pytest.raises(FormatError) as caught:
        read(written(tmp_path, text))
    said = str(caught.value)
    assert said.startswith("tiny.txt")
    assert wrong in said
    assert ";" in said, "what to do about it"


def test_a_sol_that_is_written_is_read_as_the_same_routes(tmp_path: Path) -> None:
    instance = read(RICH / "C201R0.5.vrp")
    solution = sol.read(RICH / "C201R0.5.sol")
    (tmp_path / "again.sol").write_text(sol.write(instance, planned(instance, solution)))
    again = sol.read(tmp_path / "again.sol")
    assert (again.routes, again.cost) == (solution.routes, 1_500.6)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [("Route #1: 1 x\nCost 3\n", "line 1: `Route #1: 1 x` are not"), ("Cost 1.2.3\n", "line 1: `1.2.3` is no number")],
)
def test_a_sol_that_is_malformed_is_refused(tmp_path: Path, text: str, wrong: str) -> None:
    written(tmp_path, text, "tiny.sol")
    with pytest.raises(FormatError, match=wrong.split(":")[0]) as caught:
        read(written(tmp_path, TINY_VRPLIB))
    assert wrong in str(caught.value)


def test_the_written_cost_counts_where_routes_are_not_the_instances_own(tmp_path: Path) -> None:
    for routes in ("Route #1: 1 1", "Route #1: 1", "Route #1: 1 2 7", "\n".join(f"Route #{n}: 1" for n in range(9))):
        written(tmp_path, f"{routes}\nCost 12\n", "tiny.sol")
        assert read(written(tmp_path, TINY_VRPLIB)).best_known == 12
    written(tmp_path, "Route #1: 1 2\nCost 1200\n", "tiny.sol")
    assert read(written(tmp_path, TINY_VRPLIB)).best_known == 6, "authors count in units of their own"


def test_lilim_is_taken_at_its_word(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="is empty"):
        read(written(tmp_path, ""), Format.LILIM)
