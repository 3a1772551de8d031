"""The life of a recall."""

from enum import StrEnum

from cloud_api.kernel.states import StateMachine


class RecallStatus(StrEnum):
    """Where a recall stands."""

    OPEN = "open"
    CLOSED = "closed"


class RecallAction(StrEnum):
    """What can happen to it."""

    CLOSE = "close"


RECALL = StateMachine("recall", RecallStatus.OPEN, {(RecallStatus.OPEN, RecallAction.CLOSE): RecallStatus.CLOSED})
