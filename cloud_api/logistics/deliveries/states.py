"""The lives of routes and deliveries, and what became of a delivery's code."""

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
        #: only as long as nothing of it was delivered
        (RouteStatus.IN_PROGRESS, RouteAction.CANCEL): RouteStatus.CANCELLED,
    },
)


class DeliveryStatus(StrEnum):
    """Where one attempt at a door stands."""

    #: of a packed order that waits for a route
    PENDING = "pending"
    ASSIGNED = "assigned"
    OUT_FOR_DELIVERY = "out_for_delivery"
    ARRIVED = "arrived"
    DELIVERED = "delivered"
    FAILED = "failed"
    RETURNED = "returned"
    CANCELLED = "cancelled"


class DeliveryAction(StrEnum):
    """What can happen to it."""

    #: a route takes it
    ASSIGN = "assign"
    #: off its route again, before it was loaded
    TAKE_OFF = "take_off"
    LOAD = "load"
    ARRIVE = "arrive"
    DELIVER = "deliver"
    FAIL = "fail"
    #: a proof of before arrives after it was said to have failed: the goods are with the customer
    RESUME = "resume"
    RETURN = "return"
    CANCEL = "cancel"


_S, _A = DeliveryStatus, DeliveryAction

DELIVERY = StateMachine(
    "delivery",
    _S.PENDING,
    {
        (_S.PENDING, _A.ASSIGN): _S.ASSIGNED,
        (_S.PENDING, _A.CANCEL): _S.CANCELLED,
        (_S.ASSIGNED, _A.TAKE_OFF): _S.PENDING,
        (_S.ASSIGNED, _A.LOAD): _S.OUT_FOR_DELIVERY,
        (_S.ASSIGNED, _A.CANCEL): _S.CANCELLED,
        (_S.OUT_FOR_DELIVERY, _A.ARRIVE): _S.ARRIVED,
        (_S.OUT_FOR_DELIVERY, _A.DELIVER): _S.DELIVERED,
        (_S.OUT_FOR_DELIVERY, _A.FAIL): _S.FAILED,
        (_S.ARRIVED, _A.DELIVER): _S.DELIVERED,
        (_S.ARRIVED, _A.FAIL): _S.FAILED,
        (_S.FAILED, _A.RETURN): _S.RETURNED,
        (_S.FAILED, _A.RESUME): _S.OUT_FOR_DELIVERY,
    },
)


class OtpStatus(StrEnum):
    """What became of the code that a customer tells the driver."""

    #: none was sent, or entered
    NONE = "none"
    SENT = "sent"
    #: entered where there was no signal, and there is no code to compare it with: somebody decides
    PENDING_VERIFICATION = "pending_verification"
    VERIFIED = "verified"
    #: a dispatcher let it pass, with a reason
    OVERRIDDEN = "overridden"
    #: entered where there was no signal, and wrong: the goods were handed over all the same
    UNVERIFIED = "unverified"
    #: too many wrong ones
    LOCKED = "locked"
