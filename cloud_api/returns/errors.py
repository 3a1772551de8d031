"""What can go wrong with returns."""

from cloud_api.kernel.errors import Conflict, Invalid


class NotDelivered(Conflict):
    """Only what was handed over can be given back."""

    code = "NOT_DELIVERED"


class TooLateToReturn(Conflict):
    """A customer asks within so many days; after that the store has to be asked."""

    code = "TOO_LATE_TO_RETURN"


class OverReturned(Conflict):
    """More than was delivered and has not come back."""

    code = "OVER_RETURNED"


class MixedStock(Conflict):
    """Goods for sale lie there that nothing distinguishes from what came back."""

    code = "MIXED_STOCK"


class NotRestockable(Conflict):
    """Nobody can vouch for how it was kept: it is scrapped."""

    code = "NOT_RESTOCKABLE"


class ReturnClosed(Conflict):
    """Nothing is decided about it any more: a picture would change nothing."""

    code = "RETURN_CLOSED"


class TooManyPictures(Conflict):
    """A return with as many pictures as it can have."""

    code = "TOO_MANY_PICTURES"


class PictureStands(Conflict):
    """Something was decided since it was sent, and by it."""

    code = "PICTURE_STANDS"


class BadReturn(Invalid):
    """A return that cannot be meant."""

    code = "BAD_RETURN"
