"""The life of an order, whole: each state with each action."""

import itertools

import pytest

from cloud_api.kernel.states import InvalidTransition
from cloud_api.orders.book.states import ORDER, OrderAction, OrderStatus
from tests.factories.pictures import picture_of

PENDING, CONFIRMED, PACKED, OUT, DELIVERED, RETURNED, CANCELLED = OrderStatus
CONFIRM, PACK, SHIP, DELIVER, BRING_BACK, RETURN, CHANGE, CANCEL = OrderAction

#: what can happen; all else is refused
LIFE = {
    (PENDING, CHANGE): PENDING,
    (PENDING, CONFIRM): CONFIRMED,
    (PENDING, CANCEL): CANCELLED,
    (CONFIRMED, CHANGE): CONFIRMED,
    (CONFIRMED, PACK): PACKED,
    (CONFIRMED, CANCEL): CANCELLED,
    (PACKED, SHIP): OUT,
    (PACKED, CANCEL): CANCELLED,
    (OUT, DELIVER): DELIVERED,
    (OUT, BRING_BACK): PACKED,
    (OUT, RETURN): RETURNED,
    (DELIVERED, RETURN): RETURNED,
}


@pytest.mark.parametrize(("state", "action"), [*itertools.product(OrderStatus, OrderAction)], ids=str)
def test_an_order_lives_as_the_table_says(state: OrderStatus, action: OrderAction) -> None:
    after = LIFE.get((state, action))
    if after is not None:
        assert ORDER.apply(state, action) == after
        return
    with pytest.raises(InvalidTransition, match=f"order is {state}: cannot {action}"):
        ORDER.apply(state, action)


def test_what_is_over_is_over() -> None:
    assert ORDER.initial == PENDING
    assert [state for state in OrderStatus if not ORDER.allowed(state)] == [RETURNED, CANCELLED]


def test_the_picture_in_the_documentation_is_the_table() -> None:
    assert picture_of("order") == ORDER.mermaid()
