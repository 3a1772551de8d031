"""Why a weight cannot be used."""

from cloud_api.kernel.errors import Conflict, Invalid


class ScaleNotKnown(Conflict):
    """Nobody has registered the scale: what it can weigh, and how exactly, is not known."""

    code = "SCALE_NOT_KNOWN"


class WeightUnstable(Conflict):
    """The scale had not come to rest long enough."""

    code = "WEIGHT_UNSTABLE"


class WeightOverCapacity(Conflict):
    """There was more on the scale than it can weigh."""

    code = "WEIGHT_OVER_CAPACITY"


class NothingWeighed(Conflict):
    """Without the tares nothing is left, or less."""

    code = "NOTHING_WEIGHED"


class WeightApplied(Conflict):
    """A weight is used once."""

    code = "WEIGHT_APPLIED"


class NotByWeight(Invalid):
    """A weight does not say how much of these goods there is."""

    code = "NOT_BY_WEIGHT"


class AlreadyPicked(Conflict):
    """What was promised stands packed, or is not promised any more."""

    code = "ALREADY_PICKED"
