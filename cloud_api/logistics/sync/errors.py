"""What can go wrong between a phone and us, as a whole; what is wrong with one command stands in its result."""

from cloud_api.kernel.errors import AppError, Conflict, Forbidden, Invalid, NotFound


class KeyInvalid(Invalid):
    """No key of a kind that we take, or not shown to be the phone's own."""

    code = "KEY_INVALID"


class KeyTaken(Conflict):
    """The key is somebody else's."""

    code = "KEY_TAKEN"


class KeyUnknown(NotFound):
    """The signed-in driver has no such key."""

    code = "KEY_UNKNOWN"


class KeyRevoked(Forbidden):
    """What this key seals is not believed any more."""

    code = "KEY_REVOKED"


class StartAgain(AppError):
    """A cursor that leads nowhere: from another platform, or from before what has been forgotten."""

    status, code = 410, "CURSOR_GONE"
