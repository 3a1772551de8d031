"""The life of a passage, whole: each state with each action."""

import itertools

import pytest

from cloud_api.inventory.sightings.portals.states import PASSAGE, PassageAction, PassageStatus
from cloud_api.kernel.states import InvalidTransition
from tests.factories.pictures import picture_of

OPEN, READY, PROPOSED, BOOKED, REJECTED, SEEN = PassageStatus
SKIP, PROPOSE, MAKE_READY, BOOK, REJECT = PassageAction

#: what can happen; all else is refused
LIFE = {
    (OPEN, SKIP): SEEN,
    (OPEN, PROPOSE): PROPOSED,
    (OPEN, MAKE_READY): READY,
    (READY, BOOK): BOOKED,
    (READY, SKIP): SEEN,
    (READY, PROPOSE): PROPOSED,
    (PROPOSED, BOOK): BOOKED,
    (PROPOSED, SKIP): SEEN,
    (PROPOSED, REJECT): REJECTED,
}


@pytest.mark.parametrize(("state", "action"), [*itertools.product(PassageStatus, PassageAction)], ids=str)
def test_a_passage_lives_as_the_table_says(state: PassageStatus, action: PassageAction) -> None:
    after = LIFE.get((state, action))
    if after is not None:
        assert PASSAGE.apply(state, action) == after
        return
    with pytest.raises(InvalidTransition, match=f"passage is {state}: cannot {action}"):
        PASSAGE.apply(state, action)


def test_what_is_decided_is_decided() -> None:
    assert PASSAGE.initial == OPEN
    assert {state for state in PassageStatus if not PASSAGE.allowed(state)} == {BOOKED, REJECTED, SEEN}


def test_the_documentation_shows_this_life() -> None:
    assert picture_of("passage") == PASSAGE.mermaid()
