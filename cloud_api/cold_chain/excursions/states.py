"""The life of an excursion."""

from enum import StrEnum

from cloud_api.kernel.states import StateMachine


class ExcursionStatus(StrEnum):
    """Where an excursion stands."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RECOVERED = "recovered"
    CLOSED = "closed"


class ExcursionAction(StrEnum):
    """What can happen to it."""

    ACKNOWLEDGE = "acknowledge"
    RECOVER = "recover"
    CLOSE = "close"
    #: readings that came late prove that it never was, and nobody has answered for it
    RETRACT = "retract"


EXCURSION = StateMachine(
    "excursion",
    ExcursionStatus.OPEN,
    {
        (ExcursionStatus.OPEN, ExcursionAction.ACKNOWLEDGE): ExcursionStatus.ACKNOWLEDGED,
        (ExcursionStatus.OPEN, ExcursionAction.RECOVER): ExcursionStatus.RECOVERED,
        (ExcursionStatus.ACKNOWLEDGED, ExcursionAction.RECOVER): ExcursionStatus.RECOVERED,
        (ExcursionStatus.ACKNOWLEDGED, ExcursionAction.CLOSE): ExcursionStatus.CLOSED,
        (ExcursionStatus.RECOVERED, ExcursionAction.CLOSE): ExcursionStatus.CLOSED,
        (ExcursionStatus.OPEN, ExcursionAction.RETRACT): ExcursionStatus.CLOSED,
        (ExcursionStatus.RECOVERED, ExcursionAction.RETRACT): ExcursionStatus.CLOSED,
    },
)
