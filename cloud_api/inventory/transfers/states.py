"""The life of a transfer between warehouses."""

from enum import StrEnum

from cloud_api.kernel.states import StateMachine


class TransferStatus(StrEnum):
    """Where a transfer stands."""

    DRAFT = "draft"
    IN_TRANSIT = "in_transit"
    COMPLETED = "completed"
    RETURNED = "returned"
    CANCELLED = "cancelled"


class TransferAction(StrEnum):
    """What can happen to it."""

    SHIP = "ship"
    #: some of it arrived, and more is to come
    RECEIVE = "receive"
    #: nothing is on its way any more
    COMPLETE = "complete"
    #: what did not arrive is back where it came from
    RETURN = "return"
    CANCEL = "cancel"


_S, _A = TransferStatus, TransferAction

TRANSFER = StateMachine(
    "transfer",
    _S.DRAFT,
    {
        (_S.DRAFT, _A.SHIP): _S.IN_TRANSIT,
        (_S.DRAFT, _A.CANCEL): _S.CANCELLED,
        (_S.IN_TRANSIT, _A.RECEIVE): _S.IN_TRANSIT,
        (_S.IN_TRANSIT, _A.COMPLETE): _S.COMPLETED,
        (_S.IN_TRANSIT, _A.RETURN): _S.RETURNED,
    },
)
