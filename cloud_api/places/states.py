"""The life of a place."""

from enum import StrEnum

from cloud_api.kernel.states import StateMachine


class LocationStatus(StrEnum):
    """Whether a place takes stock."""

    ACTIVE = "active"
    MAINTENANCE = "maintenance"
    INACTIVE = "inactive"


class LocationAction(StrEnum):
    """What can happen to it."""

    #: it is repaired or defrosted
    MAINTAIN = "maintain"
    CLOSE = "close"
    OPEN = "open"


_S, _A = LocationStatus, LocationAction

LOCATION = StateMachine(
    "location",
    _S.ACTIVE,
    {
        (_S.ACTIVE, _A.MAINTAIN): _S.MAINTENANCE,
        (_S.ACTIVE, _A.CLOSE): _S.INACTIVE,
        (_S.MAINTENANCE, _A.OPEN): _S.ACTIVE,
        (_S.INACTIVE, _A.OPEN): _S.ACTIVE,
    },
)

#: what leads to a status that somebody asks for
LEADS_TO = {_S.ACTIVE: _A.OPEN, _S.MAINTENANCE: _A.MAINTAIN, _S.INACTIVE: _A.CLOSE}
