"""What can go wrong with stock."""

from cloud_api.kernel.errors import Conflict, Invalid


class LotDiffers(Conflict):
    """The lot number stands for goods with another expiry date."""

    code = "LOT_DIFFERS"


class NotEnoughStock(Conflict):
    """More was asked for than lies there."""

    code = "NOT_ENOUGH_STOCK"


class WrongQuantity(Invalid):
    """A quantity this product cannot have."""

    code = "WRONG_QUANTITY"


class StockOnHold(Conflict):
    """What was promised is on hold: it may not leave."""

    code = "STOCK_ON_HOLD"


class NotHeld(Conflict):
    """The hold does not cover this stock any more: somebody has decided about it."""

    code = "NOT_HELD"
