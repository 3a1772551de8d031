"""The life of a payment, in or out."""

from enum import StrEnum

from cloud_api.kernel.states import StateMachine


class PaymentStatus(StrEnum):
    """Where a payment stands."""

    PENDING = "pending"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"


class PaymentAction(StrEnum):
    """What can happen to it."""

    #: the money is there: captured, taken, or given back
    COMPLETE = "complete"
    FAIL = "fail"
    #: nobody waits for it any more
    CANCEL = "cancel"
    #: all of it was given back
    REFUND = "refund"


_S, _A = PaymentStatus, PaymentAction

PAYMENT = StateMachine(
    "payment",
    _S.PENDING,
    {
        (_S.PENDING, _A.COMPLETE): _S.COMPLETED,
        (_S.PENDING, _A.FAIL): _S.FAILED,
        (_S.PENDING, _A.CANCEL): _S.CANCELLED,
        # a checkout page stays open in somebody's browser: money that comes late is money all the same
        (_S.FAILED, _A.COMPLETE): _S.COMPLETED,
        (_S.CANCELLED, _A.COMPLETE): _S.COMPLETED,
        (_S.COMPLETED, _A.REFUND): _S.REFUNDED,
    },
)
