"""What can go wrong with a count."""

from cloud_api.kernel.errors import Conflict, Forbidden


class CountedElsewhere(Conflict):
    """Another stock take is counting the same lot in the same place."""

    code = "COUNTED_ELSEWHERE"


class CountAgain(Conflict):
    """Something moved between two parts of a count: nobody can say which of them it was in."""

    code = "COUNT_AGAIN"


class NotCounted(Conflict):
    """Something that ought to lie there has not been counted."""

    code = "NOT_COUNTED"


class NeedsApproval(Conflict):
    """The differences are larger than what is booked without a second pair of eyes."""

    code = "NEEDS_APPROVAL"


class PromisedStockMissing(Conflict):
    """Less was counted than is promised."""

    code = "PROMISED_STOCK_MISSING"


class OwnCount(Forbidden):
    """Nobody approves what they have counted."""

    code = "OWN_COUNT"
