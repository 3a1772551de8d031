"""What can go wrong with scans and labels."""

from cloud_api.kernel.errors import Conflict, Invalid


class AmbiguousCode(Conflict):
    """Two things go by the same code."""

    code = "AMBIGUOUS_CODE"


class NoSuchSymbol(Invalid):
    """What the label is for cannot be written in this kind of bar code."""

    code = "NO_SUCH_SYMBOL"


class LabelTooSmall(Invalid):
    """A scanner could not read the bar code at this size."""

    code = "LABEL_TOO_SMALL"
