"""What can go wrong with the catalogue."""

from cloud_api.kernel.errors import AppError, Conflict, Detail, Invalid, NotFound


class WrongQuantity(Invalid):
    """A quantity this product cannot have."""

    code = "WRONG_QUANTITY"


class UnknownUnit(Invalid):
    """A unit that nobody has said how to convert for this product."""

    code = "UNKNOWN_UNIT"


class ContradictoryUnits(Invalid):
    """Packs that say two things of one unit, or go round in a circle."""

    code = "CONTRADICTORY_UNITS"


class WrongIdentifier(Invalid):
    """No GTIN: a wrong length, or a check digit that does not fit."""

    code = "WRONG_IDENTIFIER"


class WrongAttributes(Invalid):
    """Attributes that are more, longer or deeper than may be."""

    code = "WRONG_ATTRIBUTES"


class WrongStorage(Invalid):
    """A class of storage, a range of temperatures or a shelf life that do not go together."""

    code = "WRONG_STORAGE"


class NotABundle(Conflict):
    """Components of something that is sold as it is."""

    code = "NOT_A_BUNDLE"


class Cycle(Conflict):
    """Something would lie within itself."""

    code = "CYCLE"


class UnitIsFixed(Conflict):
    """What is counted already cannot be counted in another unit."""

    code = "UNIT_IS_FIXED"


class InUse(Conflict):
    """Something else still names it."""

    code = "IN_USE"


class StockRemains(Conflict):
    """There is some of it left."""

    code = "STOCK_REMAINS"


class NoPrice(NotFound):
    """Nobody has said what it costs."""

    code = "NO_PRICE"


class BulkRefused(Invalid):
    """Some rows of many are wrong, and nothing was done."""

    code = "BULK_REFUSED"

    def __init__(self, details: list[Detail], *, of: int) -> None:
        rows = len({detail.field.split(".")[1] for detail in details})
        super().__init__(f"{rows} of {of} rows cannot be done, and nothing was: correct them and send all again")
        self.details = details


def as_details(error: AppError, *, row: int, within: str) -> list[Detail]:
    """The details of what befell one row of many: `rows.3.sku`."""
    found = error.details or [Detail("", error.message)]
    return [Detail(f"{within}.{row}.{one.field}".rstrip("."), one.message) for one in found]


class MalformedScan(Invalid):
    """No bar code of goods says this."""

    code = "MALFORMED_SCAN"


class SeparatorMissing(Invalid):
    """The scan can be read in more than one way, because the scanner kept its separators to itself."""

    code = "SEPARATOR_MISSING"
