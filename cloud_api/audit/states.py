"""The life of a security event."""

from enum import StrEnum

from cloud_api.kernel.states import StateMachine


class SecurityStatus(StrEnum):
    """Where a security event stands."""

    OPEN = "open"
    INVESTIGATING = "investigating"
    RESOLVED = "resolved"
    FALSE_POSITIVE = "false_positive"


class SecurityAction(StrEnum):
    """What can happen to it."""

    INVESTIGATE = "investigate"
    RESOLVE = "resolve"
    DISMISS = "dismiss"


SECURITY_EVENT = StateMachine(
    "security event",
    SecurityStatus.OPEN,
    {
        (SecurityStatus.OPEN, SecurityAction.INVESTIGATE): SecurityStatus.INVESTIGATING,
        (SecurityStatus.OPEN, SecurityAction.RESOLVE): SecurityStatus.RESOLVED,
        (SecurityStatus.OPEN, SecurityAction.DISMISS): SecurityStatus.FALSE_POSITIVE,
        (SecurityStatus.INVESTIGATING, SecurityAction.RESOLVE): SecurityStatus.RESOLVED,
        (SecurityStatus.INVESTIGATING, SecurityAction.DISMISS): SecurityStatus.FALSE_POSITIVE,
    },
)
