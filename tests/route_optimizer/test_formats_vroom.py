"""Problems as VROOM states them, and answers as VROOM gives them."""

import json
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from route_optimizer.check import judge
from route_optimizer.formats import vroom_plan
from route_optimizer.formats.instance import Instance
from route_optimizer.formats.read import read
from route_optimizer.formats.source import FormatError
from route_optimizer.plan import Plan, Rest
from route_optimizer.problem import UNREACHABLE, Break, Load, Objective, Shipment, Window
from route_optimizer.solve import solve

Json: TypeAlias = dict[str, Any]

#: four places in a row, ten seconds and a hundred metres from one to the next
DURATIONS = [[10 * abs(a - b) for b in range(4)] for a in range(4)]
DISTANCES = [[100 * abs(a - b) for b in range(4)] for a in range(4)]
VEHICLE: Json = {"id": 7, "start_index": 0, "end_index": 0}
JOBS = [{"id": 11, "location_index": 1}, {"id": 12, "location_index": 3}]

#: so soon that the vehicle is under way when its break is due
SOON = {"time_windows": [[0, 36]]}


def problem(folder: Path, vehicles: list[Json] | None = None, **keys: object) -> Instance:
    """A file of one vehicle and two jobs with matrices, with what a test wants of it."""
    whole: Json = {
        "vehicles": [VEHICLE] if vehicles is None else vehicles,
        "jobs": JOBS,
        "matrices": {"car": {"durations": DURATIONS, "distances": DISTANCES}},
    }
    path = folder / "input.json"
    path.write_text(json.dumps(whole | keys))
    return read(path)


def answered(instance: Instance, plan: Plan) -> Json:
    answer: Json = json.loads(vroom_plan.encode(instance, plan, elapsed_s=0.25))
    return answer


def only_route(answer: Json) -> Json:
    (route,) = answer["routes"]
    assert isinstance(route, dict)
    return route


def test_jobs_with_amounts_windows_skills_and_priority_are_stops(tmp_path: Path) -> None:
    job = {
        "id": 1,
        "description": "bakery",
        "location_index": 1,
        "service": 5,
        "delivery": [2, 0],
        "pickup": [0, 3],
        "skills": [14],
        "priority": 10,
        "time_windows": [[0, 50], [80, 90]],
    }
    instance = problem(tmp_path, [VEHICLE | {"capacity": [4, 4], "skills": [1, 14]}], jobs=[job])
    (stop,) = instance.problem.stops
    assert (stop.id, stop.location, stop.service_time_s, stop.priority) == ("1", 1, 5, 10)
    assert stop.windows == (Window(0, 50), Window(80, 90))
    assert (stop.loads, stop.collects) == ((Load("amount 1", 2),), (Load("amount 2", 3),))
    assert stop.skills <= instance.problem.vehicles[0].skills == {"1", "14"}


def test_shipments_are_two_stops_that_belong_together(tmp_path: Path) -> None:
    shipment = {
        "amount": [1],
        "priority": 3,
        "pickup": {"id": 4, "location_index": 1, "service": 2},
        "delivery": {"id": 6, "location_index": 2},
    }
    instance = problem(tmp_path, [VEHICLE | {"capacity": [1]}], jobs=[], shipments=[shipment])
    assert instance.problem.shipments == (Shipment("pickup 4", "delivery 6", (Load("amount 1", 1),)),)
    assert [stop.priority for stop in instance.problem.stops] == [3, 3]
    steps = answered(instance, solve(instance.problem, budget_s=1))["routes"][0]["steps"]
    assert [(step["type"], step.get("id"), step["load"]) for step in steps] == [
        ("start", None, [0]),
        ("pickup", 4, [1]),
        ("delivery", 6, [0]),
        ("end", None, [0]),
    ]


def test_a_vehicles_limits_shift_and_breaks_are_kept(tmp_path: Path) -> None:
    vehicle = VEHICLE | {
        "time_window": [100, 200],
        "max_tasks": 3,
        "max_travel_time": 70,
        "max_distance": 800,
        "costs": {"fixed": 40, "per_hour": 0, "per_km": 2},
        "breaks": [
            {"id": 2, "service": 9, "time_windows": [[150, 160]]},
            {"id": 1, "service": 5, "time_windows": [[110, 120]]},
        ],
    }
    (found,) = problem(tmp_path, [vehicle]).problem.vehicles
    assert (found.shift, found.max_stops, found.max_driving_s) == (Window(100, 200), 3, 70)
    assert (found.max_distance_m, found.fixed_cost_minor, found.cost_per_km_minor) == (800, 40, 2)
    assert found.breaks == (Break(110, 120, 5), Break(150, 160, 9))


@pytest.mark.parametrize(
    ("costs", "matrices", "cost"),
    [
        ({}, {}, 60),
        ({"fixed": 5}, {}, 65),
        ({"per_hour": 7_200}, {}, 120),
        ({"per_km": 10, "per_hour": 0}, {}, 6),
        ({"per_km": 10}, {}, 66),
        ({}, {"costs": DISTANCES}, 600),
    ],
)
def test_a_plan_costs_what_vroom_calls_its_cost(tmp_path: Path, costs: Json, matrices: Json, cost: int) -> None:
    given = {"car": {"durations": DURATIONS, "distances": DISTANCES} | matrices}
    jobs = [JOBS[0] | {"service": 100, "time_windows": [[500, 900]]}, JOBS[1]]
    instance = problem(tmp_path, [VEHICLE | {"costs": costs}], matrices=given, jobs=jobs)
    assert instance.problem.objective is Objective.COST
    plan = solve(instance.problem, budget_s=1)
    assert judge(instance.problem, plan).violations == ()
    summary = answered(instance, plan)["summary"]
    assert summary["cost"] == cost, "neither waiting nor service costs"
    assert (summary["duration"], summary["distance"], summary["service"]) == (60, 600, 100)


def test_vehicles_may_differ_in_their_price_of_an_hour(tmp_path: Path) -> None:
    vehicles = [VEHICLE | {"id": n, "costs": {"fixed": 9 * n, "per_hour": 3_600 * (3 - n)}} for n in (1, 2)]
    plan = solve(problem(tmp_path, vehicles).problem, budget_s=1)
    assert (plan.routes[0].vehicle, plan.cost) == ("2", 18 + 60)


def test_prices_that_one_matrix_cannot_hold_pay_hours_from_start_to_end(tmp_path: Path) -> None:
    vehicles = [VEHICLE | {"costs": {"per_km": 10}}, VEHICLE | {"id": 8, "costs": {"per_km": 20}}]
    found = problem(tmp_path, vehicles).problem.vehicles
    assert [(each.cost_per_km_minor, each.cost_per_hour_minor) for each in found] == [(10, 3_600), (20, 3_600)]


def test_a_vehicle_without_a_start_begins_at_its_first_stop(tmp_path: Path) -> None:
    instance = problem(tmp_path, [{"id": 7, "end_index": 0}])
    (vehicle,) = instance.problem.vehicles
    assert (vehicle.start, vehicle.end) == (4, 0)
    assert (instance.problem.matrix.metres(4, 3), instance.problem.matrix.metres(3, 4)) == (0, UNREACHABLE)
    plan = solve(instance.problem, budget_s=1)
    assert [visit.stop for visit in plan.routes[0].visits] == ["12", "11"]
    answer = answered(instance, plan)
    assert [step["type"] for step in answer["routes"][0]["steps"]] == ["job", "job", "end"]


def test_a_vehicle_without_an_end_stops_at_its_last_stop(tmp_path: Path) -> None:
    instance = problem(tmp_path, [{"id": 7, "start_index": 0}])
    plan = solve(instance.problem, budget_s=1)
    assert plan.cost == 30
    answer = answered(instance, plan)
    assert [step["type"] for step in answer["routes"][0]["steps"]] == ["start", "job", "job"]


def test_coordinates_alone_follow_the_great_circle(tmp_path: Path) -> None:
    vehicles: list[Json] = [{"id": 1, "start": [2.35, 48.86], "end": [2.35, 48.86], "speed_factor": 0.5}]
    jobs = [{"id": 1, "location": [2.41, 48.9]}, {"id": 2, "location": [2.35, 48.86]}]
    instance = problem(tmp_path, vehicles, jobs=jobs, matrices={})
    assert instance.points == [(2.41, 48.9), (2.35, 48.86)], "a place that is named twice is one row"
    matrix = instance.problem.matrix
    assert matrix.metres(0, 1) == pytest.approx(1.3 * 6_250, rel=0.01)
    assert matrix.seconds(0, 1) == pytest.approx(matrix.metres(0, 1) * 3.6 / 25, abs=1)
    plan = solve(instance.problem, budget_s=1)
    assert plan.cost == pytest.approx(2 * matrix.seconds(0, 1), abs=1), "an hour of driving costs 3,600"


def test_steps_are_where_the_search_begins(tmp_path: Path) -> None:
    steps = [{"type": "start"}, {"type": "job", "id": 12}, {"type": "break", "id": 1}, {"type": "job", "id": 11}]
    assert problem(tmp_path, [VEHICLE | {"steps": steps}]).start == {"7": ("12", "11")}


def test_the_old_names_of_keys_still_count(tmp_path: Path) -> None:
    jobs = [{"id": 1, "location_index": 1, "amount": [3]}]
    instance = problem(tmp_path, [VEHICLE | {"capacity": [4]}], jobs=jobs, matrices={}, matrix=DURATIONS)
    assert instance.problem.stops[0].loads == (Load("amount 1", 3),)
    plan = solve(instance.problem, budget_s=1)
    assert plan.cost == 20
    summary = answered(instance, plan)["summary"]
    assert "distance" not in summary, "nobody told the metres"


def test_an_answer_tells_every_step_and_whom_nobody_serves(tmp_path: Path) -> None:
    vehicle = VEHICLE | {
        "description": "van of Ada",
        "capacity": [5],
        "time_window": [0, 200],
        "breaks": [{"id": 3, "service": 6, "time_windows": [[25, 26]], "description": "coffee"}],
    }
    jobs: list[Json] = [
        {"id": 11, "location_index": 1, "service": 4, "delivery": [2], "time_windows": [[20, 90]]},
        {
            "id": 12,
            "location_index": 3,
            "pickup": [1],
            "description": "first",
            "priority": 9,
            "time_windows": [[0, 40]],
        },
        {"id": 13, "location_index": 2, "skills": [9]},
    ]
    instance = problem(tmp_path, [vehicle], jobs=jobs)
    plan = solve(instance.problem, budget_s=1)
    answer = answered(instance, plan)
    assert answer["code"] == 0
    assert answer["unassigned"] == [{"id": 13, "type": "job", "location_index": 2}]
    summary = answer["summary"]
    assert (summary["routes"], summary["unassigned"], summary["priority"]) == (1, 1, 9)
    assert (summary["delivery"], summary["pickup"], summary["computing_times"]["solving"]) == ([2], [1], 250)
    route = only_route(answer)
    assert (route["vehicle"], route["description"]) == (7, "van of Ada")
    steps = {(step["type"], step.get("id")): step for step in route["steps"]}
    assert steps["break", 3]["service"] == 6
    assert steps["break", 3]["description"] == "coffee"
    assert steps["job", 12]["description"] == "first"
    assert (steps["job", 12]["duration"], steps["job", 12]["distance"]) == (30, 300)
    last = route["steps"][-1]
    # every second of the route is driving, service, a break or waiting
    spent_s = last["duration"] + route["service"] + route["waiting_time"]
    assert last["arrival"] - route["steps"][0]["arrival"] == spent_s
    assert route["steps"][0]["load"] == [2]
    assert last["load"] == [1]


def test_a_break_on_the_road_is_told_with_what_was_driven_before_it(tmp_path: Path) -> None:
    pause = {"id": 3, "service": 6, "time_windows": [[15, 15]]}
    instance = problem(
        tmp_path, [VEHICLE | {"time_window": [0, 100], "breaks": [pause]}], jobs=[JOBS[1] | {"time_windows": [[0, 36]]}]
    )
    plan = solve(instance.problem, budget_s=1)
    assert plan.routes[0].rests == (Rest(15, 21),)
    steps = only_route(answered(instance, plan))["steps"]
    assert [(step["type"], step["arrival"], step["duration"]) for step in steps] == [
        ("start", plan.routes[0].start_s, 0),
        ("break", 15, 15 - plan.routes[0].start_s),
        ("job", plan.routes[0].visits[0].arrival_s, 30),
        ("end", plan.routes[0].end_s, 60),
    ]


@pytest.mark.parametrize(
    ("keys", "wrong"),
    [
        ({"vehicles": []}, "vehicles: is empty"),
        ({"jobs": [JOBS[0] | {"setup": 3}]}, "jobs[0].setup: makes the time of service depend"),
        ({"jobs": [JOBS[0] | {"service_per_type": {"a": 3}}]}, "jobs[0].service_per_type: "),
        ({"jobs": [JOBS[0] | {"colour": 3}]}, "jobs[0]: object contains unknown field `colour`"),
        ({"jobs": [JOBS[0] | {"priority": 101}]}, "jobs[0].priority: expected `int` <= 100"),
        ({"jobs": [{"id": 1}]}, "jobs[0]: has no index into the matrices"),
        ({"jobs": [JOBS[0] | {"delivery": [1, 2]}]}, "capacities and amounts have 0 and 2 dimensions"),
        ({"matrices": {}}, "jobs[0]: has no coordinates"),
        ({"matrices": {"bike": {"durations": DURATIONS}}}, "matrices: has no profile car"),
        ({"matrices": {"car": {"distances": DURATIONS}}}, "matrices.car: has no durations"),
        ({"matrices": {"car": {"durations": [[0, 1]]}}}, "matrices.car.durations[0]: has 2 numbers"),
        ({"matrices": {"car": {"durations": DURATIONS, "costs": [[0]]}}}, "car.costs: differs in size"),
        ({"matrices": {"car": {"durations": [[0.5]]}}}, "matrices"),
        ({"vehicles": [{"id": 1}]}, "vehicles[0]: has neither start nor end"),
        ({"vehicles": [VEHICLE, VEHICLE | {"profile": "bike"}]}, "vehicles: differ in their profile"),
        ({"vehicles": [VEHICLE, VEHICLE | {"speed_factor": 2}]}, "vehicles: differ in their speed_factor"),
        ({"vehicles": [VEHICLE | {"costs": {"per_task_hour": 2}}]}, "vehicles[0].costs.per_task_hour: prices service"),
        ({"vehicles": [VEHICLE | {"breaks": [{"id": 1}]}]}, "vehicles[0].breaks[0]: has 0 time windows"),
        (
            {"vehicles": [VEHICLE | {"breaks": [{"id": 1, "time_windows": [[1, 2]], "max_load": [1]}]}]},
            "vehicles[0].breaks[0].max_load: states a rule",
        ),
        ({"vehicles": [VEHICLE | {"steps": [{"type": "job", "id": 99}]}]}, "steps[0]: names job 99"),
        (
            {"vehicles": [VEHICLE | {"max_distance": 3}], "matrices": {"car": {"durations": DURATIONS}}},
            "matrices: has no distances",
        ),
        (
            {
                "vehicles": [VEHICLE | {"costs": {"per_hour": 1}}],
                "matrices": {"car": {"durations": DURATIONS, "costs": DURATIONS}},
            },
            "matrices: has costs beside prices",
        ),
        ({"vehicles": [{"id": 1, "start": [200, 0]}]}, "vehicles[0].start[0]: expected `float` <= 180"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_its_path(tmp_path: Path, keys: Json, wrong: str) -> None:
    with pytest.raises(FormatError) as caught:
        problem(tmp_path, **keys)
    assert str(caught.value).startswith("input.json")
    assert wrong in str(caught.value)
