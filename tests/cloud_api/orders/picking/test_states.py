"""The life of a pick list, whole: each state with each action."""

import itertools
from decimal import Decimal

import pytest

from cloud_api.catalog.products.models import Product
from cloud_api.kernel.states import InvalidTransition
from cloud_api.orders.picking.amounts import bounds
from cloud_api.orders.picking.states import PICK_LIST, PickListAction, PickListStatus

OPEN, PICKING, DONE, CANCELLED = PickListStatus
START, COMPLETE, CANCEL = PickListAction

LIFE = {
    (OPEN, START): PICKING,
    (OPEN, CANCEL): CANCELLED,
    (PICKING, COMPLETE): DONE,
    (PICKING, CANCEL): CANCELLED,
}


@pytest.mark.parametrize(("state", "action"), [*itertools.product(PickListStatus, PickListAction)], ids=str)
def test_a_pick_list_lives_as_the_table_says(state: PickListStatus, action: PickListAction) -> None:
    after = LIFE.get((state, action))
    if after is not None:
        assert PICK_LIST.apply(state, action) == after
        return
    with pytest.raises(InvalidTransition, match=f"pick list is {state}: cannot {action}"):
        PICK_LIST.apply(state, action)


def test_the_tolerance_is_never_more_than_was_said_and_nothing_where_goods_are_counted() -> None:
    grapes, crates = Product(unit="kg"), Product(unit="crate")
    allowed = bounds(grapes, Decimal("0.333"), tolerance_percent=5)
    # 0.31635 to 0.34965: rounded into it
    assert (allowed.least, allowed.most) == (Decimal("0.317"), Decimal("0.349"))
    assert allowed.hold(Decimal("0.349"))
    assert not allowed.hold(Decimal("0.350"))
    exact = bounds(crates, Decimal(100), tolerance_percent=5)
    assert (exact.least, exact.most) == (Decimal(100), Decimal(100))
