"""The life of a pick list."""

from enum import StrEnum

from cloud_api.kernel.states import StateMachine


class PickListStatus(StrEnum):
    """Where a pick list stands."""

    OPEN = "open"
    PICKING = "picking"
    DONE = "done"
    CANCELLED = "cancelled"


class PickListAction(StrEnum):
    """What can happen to it."""

    #: somebody goes, or has taken the first of it
    START = "start"
    #: nothing of it is left to be taken
    COMPLETE = "complete"
    CANCEL = "cancel"


_S, _A = PickListStatus, PickListAction

PICK_LIST = StateMachine(
    "pick list",
    _S.OPEN,
    {
        (_S.OPEN, _A.START): _S.PICKING,
        (_S.OPEN, _A.CANCEL): _S.CANCELLED,
        (_S.PICKING, _A.COMPLETE): _S.DONE,
        (_S.PICKING, _A.CANCEL): _S.CANCELLED,
    },
)
#: on which an order may stand only once
ACTIVE = (_S.OPEN, _S.PICKING)
