"""What tells right histories from wrong ones is right itself."""

from decimal import Decimal
from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cloud_api.inventory.concurrency.histories import Operation, linearisable

operations = st.lists(
    st.builds(
        lambda called, lasts, takes, done: Operation(called, called + lasts, Decimal(takes), done or takes < 0),
        called=st.integers(0, 20),
        lasts=st.integers(1, 10),
        takes=st.integers(-3, 5).filter(bool),
        done=st.booleans(),
    ),
    max_size=5,
)


def took(called_ns: int, returned_ns: int, takes: int, *, done: bool = True) -> Operation:
    return Operation(called_ns, returned_ns, Decimal(takes), done)


def test_two_that_both_got_the_last_five_of_five_cannot_have() -> None:
    assert not linearisable([took(0, 10, 5), took(1, 9, 5)], free=Decimal(5))
    assert linearisable([took(0, 10, 5), took(1, 9, 5, done=False)], free=Decimal(5))


def test_who_is_refused_after_the_rest_was_given_back_was_refused_wrongly() -> None:
    assert not linearisable([took(0, 1, 5), took(2, 3, -5), took(4, 5, 5, done=False)], free=Decimal(5))
    assert linearisable([took(0, 1, 5), took(2, 5, -5), took(4, 5, 5, done=False)], free=Decimal(5))


def test_who_takes_before_anything_was_given_back_took_what_was_not_there() -> None:
    assert not linearisable([took(0, 1, 5), took(4, 5, -5), took(2, 3, 5)], free=Decimal(5))


@settings(max_examples=150, deadline=None, derandomize=True, database=None, print_blob=True)
@given(history=operations, free=st.integers(0, 6))
def test_it_says_what_trying_every_order_says(history: list[Operation], free: int) -> None:
    def right(order: tuple[Operation, ...]) -> bool:
        left = Decimal(free)
        for at, operation in enumerate(order):
            if any(later.returned_ns < operation.called_ns for later in order[at + 1 :]):
                return False
            if operation.done != (operation.takes <= left):
                return False
            left -= operation.takes if operation.done else 0
        return True

    assert linearisable(history, free=Decimal(free)) == any(map(right, permutations(history)))
