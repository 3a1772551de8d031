"""The lives of planning jobs, routes and deliveries, whole: each state with each action."""

import itertools
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import pytest

from cloud_api.kernel.states import InvalidTransition, StateMachine
from cloud_api.logistics.deliveries.states import (
    DELIVERY,
    ROUTE,
    DeliveryAction,
    DeliveryStatus,
    RouteAction,
    RouteStatus,
)
from cloud_api.logistics.dispatch.states import JOB, JobAction, JobStatus
from tests.factories.pictures import picture_of

Life = Mapping[tuple[StrEnum, StrEnum], StrEnum]

QUEUED, RUNNING, SUCCEEDED, APPLIED, DISCARDED, JOB_FAILED, JOB_CANCELLED = JobStatus
RUN, SUCCEED, APPLY, DISCARD, GIVE_UP, CANCEL_JOB = JobAction
PLANNED, IN_PROGRESS, COMPLETED, ROUTE_CANCELLED = RouteStatus
START, COMPLETE, CANCEL_ROUTE = RouteAction
PENDING, ASSIGNED, OUT, ARRIVED, DELIVERED, FAILED, RETURNED, CANCELLED = DeliveryStatus
ASSIGN, TAKE_OFF, LOAD, ARRIVE, DELIVER, FAIL, RESUME, RETURN, CANCEL = DeliveryAction

#: what can happen; all else is refused
JOBS: Life = {
    (QUEUED, RUN): RUNNING,
    (RUNNING, RUN): RUNNING,
    (QUEUED, CANCEL_JOB): JOB_CANCELLED,
    (RUNNING, SUCCEED): SUCCEEDED,
    (RUNNING, GIVE_UP): JOB_FAILED,
    (RUNNING, CANCEL_JOB): JOB_CANCELLED,
    (SUCCEEDED, APPLY): APPLIED,
    (SUCCEEDED, DISCARD): DISCARDED,
}
ROUTES: Life = {
    (PLANNED, START): IN_PROGRESS,
    (PLANNED, CANCEL_ROUTE): ROUTE_CANCELLED,
    (IN_PROGRESS, COMPLETE): COMPLETED,
    (IN_PROGRESS, CANCEL_ROUTE): ROUTE_CANCELLED,
}
DELIVERIES: Life = {
    (PENDING, ASSIGN): ASSIGNED,
    (PENDING, CANCEL): CANCELLED,
    (ASSIGNED, TAKE_OFF): PENDING,
    (ASSIGNED, LOAD): OUT,
    (ASSIGNED, CANCEL): CANCELLED,
    (OUT, ARRIVE): ARRIVED,
    (OUT, DELIVER): DELIVERED,
    (OUT, FAIL): FAILED,
    (ARRIVED, DELIVER): DELIVERED,
    (ARRIVED, FAIL): FAILED,
    (FAILED, RETURN): RETURNED,
    (FAILED, RESUME): OUT,
}
LIVES = [
    ("planning_job", JOB, JobStatus, JobAction, JOBS),
    ("route", ROUTE, RouteStatus, RouteAction, ROUTES),
    ("delivery", DELIVERY, DeliveryStatus, DeliveryAction, DELIVERIES),
]


@pytest.mark.parametrize(
    ("machine", "state", "action", "after"),
    [
        pytest.param(machine, state, action, life.get((state, action)), id=f"{name}-{state}-{action}")
        for name, machine, states, actions, life in LIVES
        for state, action in itertools.product(states, actions)
    ],
)
def test_each_lives_as_its_table_says(
    machine: StateMachine[Any, Any], state: StrEnum, action: StrEnum, after: StrEnum | None
) -> None:
    if after is not None:
        assert machine.apply(state, action) == after
        return
    with pytest.raises(InvalidTransition, match=f"{machine.name} is {state}: cannot {action}"):
        machine.apply(state, action)


@pytest.mark.parametrize(("name", "machine"), [(life[0], life[1]) for life in LIVES], ids=["job", "route", "delivery"])
def test_the_picture_in_the_documentation_is_the_table(name: str, machine: StateMachine[Any, Any]) -> None:
    assert picture_of(name) == machine.mermaid()
