"""The lives of items and of their check-outs."""

from enum import StrEnum

from cloud_api.kernel.states import StateMachine


class ItemStatus(StrEnum):
    """Where an item stands."""

    ACTIVE = "active"
    IN_USE = "in_use"
    DAMAGED = "damaged"
    IN_REPAIR = "in_repair"
    LOST = "lost"
    ARCHIVED = "archived"


class ItemAction(StrEnum):
    """What can happen to it."""

    CHECK_OUT = "check_out"
    CHECK_IN = "check_in"
    #: it came back, and not whole
    CHECK_IN_DAMAGED = "check_in_damaged"
    REPAIR = "repair"
    MEND = "mend"
    LOSE = "lose"
    FIND = "find"
    ARCHIVE = "archive"


ITEM = StateMachine(
    "item",
    ItemStatus.ACTIVE,
    {
        (ItemStatus.ACTIVE, ItemAction.CHECK_OUT): ItemStatus.IN_USE,
        (ItemStatus.IN_USE, ItemAction.CHECK_IN): ItemStatus.ACTIVE,
        (ItemStatus.IN_USE, ItemAction.CHECK_IN_DAMAGED): ItemStatus.DAMAGED,
        (ItemStatus.DAMAGED, ItemAction.REPAIR): ItemStatus.IN_REPAIR,
        (ItemStatus.IN_REPAIR, ItemAction.MEND): ItemStatus.ACTIVE,
        (ItemStatus.ACTIVE, ItemAction.ARCHIVE): ItemStatus.ARCHIVED,
        (ItemStatus.DAMAGED, ItemAction.ARCHIVE): ItemStatus.ARCHIVED,
        (ItemStatus.ACTIVE, ItemAction.LOSE): ItemStatus.LOST,
        (ItemStatus.IN_USE, ItemAction.LOSE): ItemStatus.LOST,
        (ItemStatus.DAMAGED, ItemAction.LOSE): ItemStatus.LOST,
        (ItemStatus.IN_REPAIR, ItemAction.LOSE): ItemStatus.LOST,
        (ItemStatus.LOST, ItemAction.FIND): ItemStatus.ACTIVE,
        # lost while it was lent, and brought back after all
        (ItemStatus.LOST, ItemAction.CHECK_IN): ItemStatus.ACTIVE,
        (ItemStatus.LOST, ItemAction.CHECK_IN_DAMAGED): ItemStatus.DAMAGED,
    },
)


class CheckoutStatus(StrEnum):
    """Where one check-out stands; overdue is one that is out after its due time."""

    PENDING_APPROVAL = "pending_approval"
    OUT = "out"
    REJECTED = "rejected"
    RETURNED = "returned"


class CheckoutAction(StrEnum):
    """What can happen to it."""

    APPROVE = "approve"
    REJECT = "reject"
    RETURN = "return"


CHECKOUT = StateMachine(
    "check-out",
    CheckoutStatus.PENDING_APPROVAL,
    {
        (CheckoutStatus.PENDING_APPROVAL, CheckoutAction.APPROVE): CheckoutStatus.OUT,
        (CheckoutStatus.PENDING_APPROVAL, CheckoutAction.REJECT): CheckoutStatus.REJECTED,
        (CheckoutStatus.OUT, CheckoutAction.RETURN): CheckoutStatus.RETURNED,
    },
)
