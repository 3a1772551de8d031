"""The life of an alert."""

from enum import StrEnum

from cloud_api.kernel.states import StateMachine


class AlertStatus(StrEnum):
    """Where an alert stands."""

    OPEN = "open"
    SNOOZED = "snoozed"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class AlertAction(StrEnum):
    """What can happen to it."""

    ACKNOWLEDGE = "acknowledge"
    SNOOZE = "snooze"
    WAKE = "wake"
    #: it has become more severe than what was answered for
    WORSEN = "worsen"
    #: somebody tells the next people at once; of one that was answered, because they cannot do it alone
    ESCALATE = "escalate"
    RESOLVE = "resolve"
    #: what resolved itself has come back within the quiet time
    RETURN = "return"


ALERT = StateMachine(
    "alert",
    AlertStatus.OPEN,
    {
        (AlertStatus.OPEN, AlertAction.ACKNOWLEDGE): AlertStatus.ACKNOWLEDGED,
        (AlertStatus.OPEN, AlertAction.SNOOZE): AlertStatus.SNOOZED,
        (AlertStatus.OPEN, AlertAction.ESCALATE): AlertStatus.OPEN,
        (AlertStatus.OPEN, AlertAction.RESOLVE): AlertStatus.RESOLVED,
        (AlertStatus.SNOOZED, AlertAction.SNOOZE): AlertStatus.SNOOZED,
        (AlertStatus.SNOOZED, AlertAction.WAKE): AlertStatus.OPEN,
        (AlertStatus.SNOOZED, AlertAction.WORSEN): AlertStatus.OPEN,
        (AlertStatus.SNOOZED, AlertAction.ESCALATE): AlertStatus.OPEN,
        (AlertStatus.SNOOZED, AlertAction.ACKNOWLEDGE): AlertStatus.ACKNOWLEDGED,
        (AlertStatus.SNOOZED, AlertAction.RESOLVE): AlertStatus.RESOLVED,
        (AlertStatus.ACKNOWLEDGED, AlertAction.WORSEN): AlertStatus.OPEN,
        (AlertStatus.ACKNOWLEDGED, AlertAction.ESCALATE): AlertStatus.OPEN,
        (AlertStatus.ACKNOWLEDGED, AlertAction.RESOLVE): AlertStatus.RESOLVED,
        (AlertStatus.RESOLVED, AlertAction.RETURN): AlertStatus.OPEN,
    },
)
