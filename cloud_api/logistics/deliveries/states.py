"""The lives of planning jobs, routes and deliveries."""

from enum import StrEnum

from cloud_api.kernel.states import StateMachine


class RouteStatus(StrEnum):
    """Where a route stands."""

    PLANNED = "planned"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class RouteAction(StrEnum):
    """What can happen to it."""

    START = "start"
    COMPLETE = "complete"
    CANCEL = "cancel"


ROUTE = StateMachine(
    "route",
    RouteStatus.PLANNED,
    {
        (RouteStatus.PLANNED, RouteAction.START): RouteStatus.IN_PROGRESS,
        (RouteStatus.PLANNED, RouteAction.CANCEL): RouteStatus.CANCELLED,
        (RouteStatus.IN_PROGRESS, RouteAction.COMPLETE): RouteStatus.COMPLETED,
    },
)


class DeliveryStatus(StrEnum):
    """Where one attempt at a door stands."""

    ASSIGNED = "assigned"
    OUT_FOR_DELIVERY = "out_for_delivery"
    ARRIVED = "arrived"
    DELIVERED = "delivered"
    FAILED = "failed"
    RETURNED = "returned"
    CANCELLED = "cancelled"


class DeliveryAction(StrEnum):
    """What can happen to it."""

    LOAD = "load"
    ARRIVE = "arrive"
    DELIVER = "deliver"
    FAIL = "fail"
    RETURN = "return"
    CANCEL = "cancel"


_S, _A = DeliveryStatus, DeliveryAction

DELIVERY = StateMachine(
    "delivery",
    _S.ASSIGNED,
    {
        (_S.ASSIGNED, _A.LOAD): _S.OUT_FOR_DELIVERY,
        (_S.ASSIGNED, _A.CANCEL): _S.CANCELLED,
        (_S.OUT_FOR_DELIVERY, _A.ARRIVE): _S.ARRIVED,
        (_S.OUT_FOR_DELIVERY, _A.DELIVER): _S.DELIVERED,
        (_S.OUT_FOR_DELIVERY, _A.FAIL): _S.FAILED,
        (_S.ARRIVED, _A.DELIVER): _S.DELIVERED,
        (_S.ARRIVED, _A.FAIL): _S.FAILED,
        (_S.FAILED, _A.RETURN): _S.RETURNED,
    },
)
