"""What can go wrong between the shelf and the box."""

from cloud_api.kernel.errors import Conflict, Invalid


class WrongLot(Conflict):
    """This is not the lot that is promised to the line, nor one that may take its place."""

    code = "WRONG_LOT"


class NothingToPick(Conflict):
    """All of it is picked, or nothing is promised."""

    code = "NOTHING_TO_PICK"


class NotPicked(Conflict):
    """A list is done when nothing of it is left to be taken."""

    code = "NOT_PICKED"


class OnAnotherList(Conflict):
    """An order stands on one list at a time."""

    code = "ON_ANOTHER_LIST"


class WeightOutOfTolerance(Conflict):
    """What is in the box differs from what was promised by more than the customer has to bear."""

    code = "WEIGHT_OUT_OF_TOLERANCE"


class Backordered(Conflict):
    """The order waits for goods: it is packed when they are there, or when somebody gives them up."""

    code = "BACKORDERED"


class NothingToPack(Conflict):
    """The box would be empty."""

    code = "NOTHING_TO_PACK"


class BadSubstitute(Invalid):
    """Something that may not be put in the place of what was ordered."""

    code = "BAD_SUBSTITUTE"


class OnARoute(Conflict):
    """A van is to take the order: nobody else hands it over."""

    code = "ON_A_ROUTE"


class NotHandedOver(Conflict):
    """A van has the order, and its driver hands it over."""

    code = "NOT_HANDED_OVER"
