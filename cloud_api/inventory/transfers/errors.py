"""What can go wrong with a transfer."""

from cloud_api.kernel.errors import Conflict


class OverReceived(Conflict):
    """More arrived than is on its way."""

    code = "OVER_RECEIVED"
