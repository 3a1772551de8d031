"""The life of a return, and of the money that belongs to it."""

from enum import StrEnum

from cloud_api.kernel.states import StateMachine


class ReturnStatus(StrEnum):
    """Where a return stands."""

    REQUESTED = "requested"
    APPROVED = "approved"
    RECEIVED = "received"
    INSPECTED = "inspected"
    COMPLETED = "completed"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


class ReturnAction(StrEnum):
    """What can happen to it."""

    APPROVE = "approve"
    REJECT = "reject"
    CANCEL = "cancel"
    #: the goods are back, in quarantine
    RECEIVE = "receive"
    INSPECT = "inspect"
    #: everything that came back is restocked or scrapped
    COMPLETE = "complete"


class RefundStatus(StrEnum):
    """Where its money stands."""

    NONE = "none"
    PENDING = "pending"
    REFUNDED = "refunded"


class RefundAction(StrEnum):
    """What can happen to the money."""

    GRANT = "grant"
    SETTLE = "settle"


_S, _A = ReturnStatus, ReturnAction
#: something is still to be decided about it
OPEN = (_S.REQUESTED, _S.APPROVED, _S.RECEIVED, _S.INSPECTED)

RETURN = StateMachine(
    "return",
    _S.REQUESTED,
    {
        (_S.REQUESTED, _A.APPROVE): _S.APPROVED,
        (_S.REQUESTED, _A.REJECT): _S.REJECTED,
        (_S.REQUESTED, _A.CANCEL): _S.CANCELLED,
        (_S.APPROVED, _A.RECEIVE): _S.RECEIVED,
        (_S.APPROVED, _A.CANCEL): _S.CANCELLED,
        (_S.RECEIVED, _A.INSPECT): _S.INSPECTED,
        (_S.INSPECTED, _A.COMPLETE): _S.COMPLETED,
    },
)

REFUND = StateMachine(
    "refund",
    RefundStatus.NONE,
    {
        (RefundStatus.NONE, RefundAction.GRANT): RefundStatus.PENDING,
        (RefundStatus.PENDING, RefundAction.SETTLE): RefundStatus.REFUNDED,
    },
)
