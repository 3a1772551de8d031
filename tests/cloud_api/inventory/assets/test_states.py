"""The lives of items and of check-outs, whole: each state with each action."""

import itertools

import pytest

from cloud_api.inventory.assets.states import (
    CHECKOUT,
    ITEM,
    CheckoutAction,
    CheckoutStatus,
    ItemAction,
    ItemStatus,
)
from cloud_api.kernel.states import InvalidTransition
from tests.factories.pictures import picture_of

ACTIVE, IN_USE, DAMAGED, IN_REPAIR, LOST, ARCHIVED = ItemStatus
CHECK_OUT, CHECK_IN, CHECK_IN_DAMAGED, REPAIR, MEND, LOSE, FIND, ARCHIVE = ItemAction
PENDING, OUT, REJECTED, RETURNED = CheckoutStatus
APPROVE, REJECT, RETURN = CheckoutAction

#: what can happen; all else is refused
LIFE_OF_ITEM = {
    (ACTIVE, CHECK_OUT): IN_USE,
    (ACTIVE, ARCHIVE): ARCHIVED,
    (ACTIVE, LOSE): LOST,
    (IN_USE, CHECK_IN): ACTIVE,
    (IN_USE, CHECK_IN_DAMAGED): DAMAGED,
    (IN_USE, LOSE): LOST,
    (DAMAGED, REPAIR): IN_REPAIR,
    (DAMAGED, ARCHIVE): ARCHIVED,
    (DAMAGED, LOSE): LOST,
    (IN_REPAIR, MEND): ACTIVE,
    (IN_REPAIR, LOSE): LOST,
    (LOST, FIND): ACTIVE,
    (LOST, CHECK_IN): ACTIVE,
    (LOST, CHECK_IN_DAMAGED): DAMAGED,
}
LIFE_OF_CHECKOUT = {(PENDING, APPROVE): OUT, (PENDING, REJECT): REJECTED, (OUT, RETURN): RETURNED}


@pytest.mark.parametrize(("state", "action"), [*itertools.product(ItemStatus, ItemAction)], ids=str)
def test_an_item_lives_as_the_table_says(state: ItemStatus, action: ItemAction) -> None:
    after = LIFE_OF_ITEM.get((state, action))
    if after is not None:
        assert ITEM.apply(state, action) == after
        return
    with pytest.raises(InvalidTransition, match=f"item is {state}: cannot {action}"):
        ITEM.apply(state, action)


@pytest.mark.parametrize(("state", "action"), [*itertools.product(CheckoutStatus, CheckoutAction)], ids=str)
def test_a_check_out_lives_as_the_table_says(state: CheckoutStatus, action: CheckoutAction) -> None:
    after = LIFE_OF_CHECKOUT.get((state, action))
    if after is not None:
        assert CHECKOUT.apply(state, action) == after
        return
    with pytest.raises(InvalidTransition, match=f"check-out is {state}: cannot {action}"):
        CHECKOUT.apply(state, action)


def test_the_documentation_shows_these_lives() -> None:
    assert (picture_of("item"), picture_of("checkout")) == (ITEM.mermaid(), CHECKOUT.mermaid())
