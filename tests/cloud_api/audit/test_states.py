"""The life of a security event, whole: each state with each action."""

import itertools

import pytest

from cloud_api.audit.states import SECURITY_EVENT, SecurityAction, SecurityStatus
from cloud_api.kernel.states import InvalidTransition
from tests.factories.pictures import picture_of

OPEN, INVESTIGATING, RESOLVED, FALSE_POSITIVE = SecurityStatus
INVESTIGATE, RESOLVE, DISMISS = SecurityAction

#: what can happen; all else is refused
LIFE = {
    (OPEN, INVESTIGATE): INVESTIGATING,
    (OPEN, RESOLVE): RESOLVED,
    (OPEN, DISMISS): FALSE_POSITIVE,
    (INVESTIGATING, RESOLVE): RESOLVED,
    (INVESTIGATING, DISMISS): FALSE_POSITIVE,
}


@pytest.mark.parametrize(("status", "action"), [*itertools.product(SecurityStatus, SecurityAction)])
def test_each_state_allows_what_the_table_says_and_nothing_else(status: SecurityStatus, action: SecurityAction) -> None:
    if (status, action) in LIFE:
        assert SECURITY_EVENT.apply(status, action) == LIFE[status, action]
    else:
        with pytest.raises(InvalidTransition):
            SECURITY_EVENT.apply(status, action)


def test_the_picture_in_the_documentation_is_the_table() -> None:
    assert picture_of("security_event") == SECURITY_EVENT.mermaid()
