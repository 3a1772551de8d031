"""What can go wrong with following vans."""

from cloud_api.kernel.errors import Conflict, Invalid, NotFound


class NoVehicle(Conflict):
    """A position of nobody's van."""

    code = "NO_VEHICLE"


class FenceRefused(Invalid):
    """A fence that no van could come into, or that cannot be drawn."""

    code = "FENCE_REFUSED"


class LinkUnknown(NotFound):
    """No address of ours, or one whose time is over: the answer is the same."""

    code = "LINK_UNKNOWN"
