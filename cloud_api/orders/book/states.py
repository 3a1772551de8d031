"""The life of a customer's order."""

from enum import StrEnum

from cloud_api.kernel.states import StateMachine


class OrderStatus(StrEnum):
    """Where an order stands."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    PACKED = "packed"
    OUT_FOR_DELIVERY = "out_for_delivery"
    DELIVERED = "delivered"
    RETURNED = "returned"
    CANCELLED = "cancelled"


class OrderAction(StrEnum):
    """What can happen to it."""

    CONFIRM = "confirm"
    PACK = "pack"
    SHIP = "ship"
    DELIVER = "deliver"
    #: an attempt failed; the goods are back at the depot
    BRING_BACK = "bring_back"
    RETURN = "return"
    #: other lines, another door, another window
    CHANGE = "change"
    CANCEL = "cancel"


_S, _A = OrderStatus, OrderAction

ORDER = StateMachine(
    "order",
    _S.PENDING,
    {
        (_S.PENDING, _A.CHANGE): _S.PENDING,
        (_S.PENDING, _A.CONFIRM): _S.CONFIRMED,
        (_S.PENDING, _A.CANCEL): _S.CANCELLED,
        (_S.CONFIRMED, _A.CHANGE): _S.CONFIRMED,
        (_S.CONFIRMED, _A.PACK): _S.PACKED,
        (_S.CONFIRMED, _A.CANCEL): _S.CANCELLED,
        (_S.PACKED, _A.SHIP): _S.OUT_FOR_DELIVERY,
        (_S.PACKED, _A.CANCEL): _S.CANCELLED,
        (_S.OUT_FOR_DELIVERY, _A.DELIVER): _S.DELIVERED,
        (_S.OUT_FOR_DELIVERY, _A.BRING_BACK): _S.PACKED,
        (_S.OUT_FOR_DELIVERY, _A.RETURN): _S.RETURNED,
        (_S.DELIVERED, _A.RETURN): _S.RETURNED,
    },
)
