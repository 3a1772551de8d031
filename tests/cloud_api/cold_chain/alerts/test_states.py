"""The life of an alert, whole: each state with each action."""

import itertools

import pytest

from cloud_api.cold_chain.alerts.states import ALERT, AlertAction, AlertStatus
from cloud_api.kernel.states import InvalidTransition
from tests.factories.pictures import picture_of

OPEN, SNOOZED, ACKNOWLEDGED, RESOLVED = AlertStatus
ACKNOWLEDGE, SNOOZE, WAKE, WORSEN, ESCALATE, RESOLVE, RETURN = AlertAction

#: what can happen; all else is refused
LIFE = {
    (OPEN, ACKNOWLEDGE): ACKNOWLEDGED,
    (OPEN, SNOOZE): SNOOZED,
    (OPEN, ESCALATE): OPEN,
    (OPEN, RESOLVE): RESOLVED,
    (SNOOZED, SNOOZE): SNOOZED,
    (SNOOZED, WAKE): OPEN,
    (SNOOZED, WORSEN): OPEN,
    (SNOOZED, ESCALATE): OPEN,
    (SNOOZED, ACKNOWLEDGE): ACKNOWLEDGED,
    (SNOOZED, RESOLVE): RESOLVED,
    (ACKNOWLEDGED, WORSEN): OPEN,
    (ACKNOWLEDGED, ESCALATE): OPEN,
    (ACKNOWLEDGED, RESOLVE): RESOLVED,
    (RESOLVED, RETURN): OPEN,
}


@pytest.mark.parametrize(("state", "action"), [*itertools.product(AlertStatus, AlertAction)])
def test_an_alert_lives_as_its_table_says(state: AlertStatus, action: AlertAction) -> None:
    if (state, action) in LIFE:
        assert ALERT.apply(state, action) == LIFE[state, action]
        return
    with pytest.raises(InvalidTransition, match=f"alert is {state}: cannot {action}"):
        ALERT.apply(state, action)


def test_the_picture_in_the_documentation_is_the_table() -> None:
    assert picture_of("alert") == ALERT.mermaid()
