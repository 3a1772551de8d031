"""The life of a stock take."""

from enum import StrEnum

from cloud_api.kernel.states import StateMachine


class TakeStatus(StrEnum):
    """Where a stock take stands."""

    DRAFT = "draft"
    COUNTING = "counting"
    REVIEW = "review"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class TakeAction(StrEnum):
    """What can happen to it."""

    #: what ought to lie there is written down
    START = "start"
    COUNT = "count"
    SUBMIT = "submit"
    #: something has to be counted again
    REOPEN = "reopen"
    APPROVE = "approve"
    #: the differences are booked
    COMPLETE = "complete"
    CANCEL = "cancel"


_S, _A = TakeStatus, TakeAction

TAKE = StateMachine(
    "stock take",
    _S.DRAFT,
    {
        (_S.DRAFT, _A.START): _S.COUNTING,
        (_S.DRAFT, _A.CANCEL): _S.CANCELLED,
        (_S.COUNTING, _A.COUNT): _S.COUNTING,
        (_S.COUNTING, _A.SUBMIT): _S.REVIEW,
        (_S.COUNTING, _A.CANCEL): _S.CANCELLED,
        (_S.REVIEW, _A.APPROVE): _S.REVIEW,
        (_S.REVIEW, _A.REOPEN): _S.COUNTING,
        (_S.REVIEW, _A.COMPLETE): _S.COMPLETED,
        (_S.REVIEW, _A.CANCEL): _S.CANCELLED,
    },
)
