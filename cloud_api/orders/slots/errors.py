"""What can go wrong with delivery windows."""

from cloud_api.kernel.errors import AlreadyExists, Conflict, Invalid


class SlotFull(Conflict):
    """As many orders as a window takes have taken it."""

    code = "SLOT_FULL"


class NoSuchSlot(Invalid):
    """The warehouse delivers in windows of its own, and this is none of them."""

    code = "NO_SUCH_SLOT"


class SlotExists(AlreadyExists):
    """The warehouse offers this window on such a day already."""


class BadSlot(Invalid):
    """A window that cannot be meant."""

    code = "BAD_SLOT"
