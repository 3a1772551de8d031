"""What can go wrong with stock."""

from cloud_api.kernel.errors import Conflict, Invalid


class LotDiffers(Conflict):
    """The lot number stands for goods with another expiry date."""

    code = "LOT_DIFFERS"


class NotEnoughStock(Conflict):
    """More was asked for than lies there."""

    code = "NOT_ENOUGH_STOCK"


class StockOnHold(Conflict):
    """What was promised is on hold: it may not leave."""

    code = "STOCK_ON_HOLD"


class NotHeld(Conflict):
    """The hold does not cover this stock any more: somebody has decided about it."""

    code = "NOT_HELD"


class NotYet(Invalid):
    """The ledger tells what has happened, not what will."""

    code = "NOT_YET"


class AlreadyReversed(Conflict):
    """An entry can be undone once."""

    code = "ALREADY_REVERSED"


class NotReversible(Conflict):
    """The entry undoes another, or belongs to a document that undoes it itself."""

    code = "NOT_REVERSIBLE"


class WeightMissing(Invalid):
    """Goods that are counted and weighed come in with their weight; other goods have none."""

    code = "WRONG_WEIGHT"


class WrongMovement(Invalid):
    """The type of the movement and what it is to do do not go together."""

    code = "WRONG_MOVEMENT"


class LevelNotEmpty(Conflict):
    """Something lies there, is promised there, or has been: the record stays."""

    code = "LEVEL_NOT_EMPTY"


class StockExpired(Conflict):
    """The lot has expired: it may not leave but as waste."""

    code = "STOCK_EXPIRED"


class WrongMass(Invalid):
    """What comes out weighs more than what went in."""

    code = "WRONG_MASS"


class LotsDiffer(Conflict):
    """Only lots of one product and one variant can be put together."""

    code = "LOTS_DIFFER"


class ReservationExpired(Conflict):
    """What was promised has lapsed: it may be anybody's by now."""

    code = "RESERVATION_EXPIRED"


class ReservationOfAnother(Conflict):
    """The promise belongs to a document, which gives it back itself."""

    code = "RESERVATION_OF_ANOTHER"
