"""Every state machine of the platform, whole: each state with each action, and its picture in the documentation."""

import itertools
from pathlib import Path

import pytest

from cloud_api.cold_chain.excursions.states import EXCURSION, ExcursionAction, ExcursionStatus
from cloud_api.kernel.states import InvalidTransition

ROOT = Path(__file__).parents[3]

OPEN, ACKNOWLEDGED, RECOVERED, CLOSED = ExcursionStatus
ACKNOWLEDGE, RECOVER, CLOSE, RETRACT = ExcursionAction

#: state x action; None: refused
LIFE = {
    (OPEN, ACKNOWLEDGE): ACKNOWLEDGED,
    (OPEN, RECOVER): RECOVERED,
    (OPEN, CLOSE): None,
    (OPEN, RETRACT): CLOSED,
    (ACKNOWLEDGED, ACKNOWLEDGE): None,
    (ACKNOWLEDGED, RECOVER): RECOVERED,
    (ACKNOWLEDGED, CLOSE): CLOSED,
    (ACKNOWLEDGED, RETRACT): None,
    (RECOVERED, ACKNOWLEDGE): None,
    (RECOVERED, RECOVER): None,
    (RECOVERED, CLOSE): CLOSED,
    (RECOVERED, RETRACT): CLOSED,
    (CLOSED, ACKNOWLEDGE): None,
    (CLOSED, RECOVER): None,
    (CLOSED, CLOSE): None,
    (CLOSED, RETRACT): None,
}


def test_the_table_speaks_of_every_state_and_action() -> None:
    assert set(LIFE) == set(itertools.product(ExcursionStatus, ExcursionAction))
    assert EXCURSION.initial == OPEN


@pytest.mark.parametrize(("state", "action"), LIFE, ids=str)
def test_an_excursion_lives_as_the_table_says(state: ExcursionStatus, action: ExcursionAction) -> None:
    after = LIFE[state, action]
    assert (action in EXCURSION.allowed(state)) == (after is not None)
    if after is not None:
        assert EXCURSION.apply(state, action) == after
        return
    with pytest.raises(InvalidTransition) as refused:
        EXCURSION.apply(state, action)
    assert (refused.value.status, refused.value.code) == (409, "INVALID_TRANSITION")
    possible = ", ".join(sorted(EXCURSION.allowed(state))) or "nothing more"
    assert refused.value.message == f"excursion is {state}: cannot {action}; possible now: {possible}"


def test_every_state_can_be_reached_and_only_the_end_is_final() -> None:
    reached = {EXCURSION.initial}
    while more := {to for (at, _), to in EXCURSION.table.items() if at in reached} - reached:
        reached |= more
    assert reached == set(ExcursionStatus)
    assert [state for state in ExcursionStatus if not EXCURSION.allowed(state)] == [CLOSED]


def test_the_picture_in_the_documentation_is_the_table() -> None:
    page = (ROOT / "docs" / "states" / "excursion.md").read_text(encoding="utf-8")
    assert f"```mermaid\n{EXCURSION.mermaid()}\n```" in page
