"""Why something may not be put, or be changed, or go, in a place."""

from cloud_api.kernel.errors import Conflict


class WrongStorage(Conflict):
    """The place is kept otherwise than the goods must be."""

    code = "WRONG_STORAGE"


class PlaceFull(Conflict):
    """The place would hold more than it can carry."""

    code = "PLACE_FULL"


class PlaceClosed(Conflict):
    """The place, or its warehouse, takes nothing in now."""

    code = "PLACE_CLOSED"


class PlaceInUse(Conflict):
    """Something still lies, stands or hangs there."""

    code = "PLACE_IN_USE"
