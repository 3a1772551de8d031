"""Delivery routes as a library: a `Problem` in, a judged `Plan` out. It knows no database and no web.

from route_optimizer import Problem, Stop, Vehicle, haversine, solve

matrix = haversine([depot, *customers])
plan = solve(Problem(stops=stops, vehicles=vehicles, matrix=matrix), budget_s=10)
"""

from route_optimizer.check import judge
from route_optimizer.matrices import Point, haversine
from route_optimizer.plan import Plan, Reason, Reloading, Rest, Route, Rule, Unserved, Violation, Visit
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
from route_optimizer.search import Progress
from route_optimizer.solve import solve
from route_optimizer.validation import ProblemError, validate

__all__ = [
    "Break",
    "Capacity",
    "Compartment",
    "DrivingRule",
    "Load",
    "Matrix",
    "Objective",
    "Plan",
    "Point",
    "Problem",
    "ProblemError",
    "Progress",
    "Reason",
    "Reload",
    "Reloading",
    "Rest",
    "Route",
    "Rule",
    "Shipment",
    "Stop",
    "Unserved",
    "Vehicle",
    "Violation",
    "Visit",
    "Window",
    "haversine",
    "judge",
    "solve",
    "validate",
]
