"""What can go wrong with evidence."""

from cloud_api.kernel.errors import Invalid


class TooMuchEvidence(Invalid):
    """More readings than one piece of evidence holds."""

    code = "TOO_MUCH_EVIDENCE"


class BadPeriod(Invalid):
    """A period that cannot be meant."""

    code = "BAD_PERIOD"
