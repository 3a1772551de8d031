"""Why a passage cannot be booked by itself, or at all."""

from cloud_api.kernel.errors import Conflict


class NothingToBook(Conflict):
    """The books have it already."""

    code = "NOTHING_TO_BOOK"


class GoodsNowhere(Conflict):
    """The books do not know where the goods are."""

    code = "GOODS_NOWHERE"


class GoodsGone(Conflict):
    """The books have shipped the goods."""

    code = "GOODS_GONE"


class LateSighting(Conflict):
    """Something later was booked of the tag already."""

    code = "LATE_SIGHTING"
