"""The life of a request for erasure."""

from enum import StrEnum

from cloud_api.kernel.states import StateMachine


class ErasureStatus(StrEnum):
    """Where a request stands."""

    REQUESTED = "requested"
    EXECUTED = "executed"
    CANCELLED = "cancelled"


class ErasureAction(StrEnum):
    """What can happen to it."""

    EXECUTE = "execute"
    CANCEL = "cancel"


ERASURE = StateMachine(
    "erasure request",
    ErasureStatus.REQUESTED,
    {
        (ErasureStatus.REQUESTED, ErasureAction.EXECUTE): ErasureStatus.EXECUTED,
        (ErasureStatus.REQUESTED, ErasureAction.CANCEL): ErasureStatus.CANCELLED,
    },
)
