"""The life of a passage."""

from enum import StrEnum

from cloud_api.kernel.states import StateMachine


class PassageStatus(StrEnum):
    """Where a passage stands."""

    #: more of it may be told: which way the tag went shows at its end
    OPEN = "open"
    #: about to be booked
    READY = "ready"
    #: somebody decides
    PROPOSED = "proposed"
    BOOKED = "booked"
    REJECTED = "rejected"
    #: nothing is booked of it; the reason says why
    SEEN = "seen"


class PassageAction(StrEnum):
    """What can happen to it."""

    #: nothing is to be booked of it
    SKIP = "skip"
    PROPOSE = "propose"
    MAKE_READY = "make_ready"
    BOOK = "book"
    REJECT = "reject"


PASSAGE = StateMachine(
    "passage",
    PassageStatus.OPEN,
    {
        (PassageStatus.OPEN, PassageAction.SKIP): PassageStatus.SEEN,
        (PassageStatus.OPEN, PassageAction.PROPOSE): PassageStatus.PROPOSED,
        (PassageStatus.OPEN, PassageAction.MAKE_READY): PassageStatus.READY,
        (PassageStatus.READY, PassageAction.BOOK): PassageStatus.BOOKED,
        (PassageStatus.READY, PassageAction.SKIP): PassageStatus.SEEN,
        # it cannot be booked: its reason says why
        (PassageStatus.READY, PassageAction.PROPOSE): PassageStatus.PROPOSED,
        (PassageStatus.PROPOSED, PassageAction.BOOK): PassageStatus.BOOKED,
        (PassageStatus.PROPOSED, PassageAction.SKIP): PassageStatus.SEEN,
        (PassageStatus.PROPOSED, PassageAction.REJECT): PassageStatus.REJECTED,
    },
)
