"""What stock is worth, as a pure function of what happened: exact to the last digit, whatever happened."""

import uuid
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from cloud_api.inventory.stock.valuation import Booked, Method, value

GOODS, HERE, THERE = uuid.UUID(int=1), uuid.UUID(int=2), uuid.UUID(int=3)
#: in the order in which they were received
LOTS = [uuid.UUID(int=number) for number in range(10, 14)]
SPRING = datetime(2026, 3, 1, tzinfo=UTC)


def booked(
    movement_type: str,
    quantity: int,
    *,
    lot: int = 0,
    cost: int | None = None,
    at: uuid.UUID | None = HERE,
    group: uuid.UUID | str | None = None,
) -> Booked:
    return Booked(GOODS, at, SPRING + timedelta(days=lot), LOTS[lot], movement_type, quantity, cost, group)


def left(movements: list[Booked], method: Method, at: uuid.UUID | None = HERE) -> tuple[int, int]:
    worth = value(movements, method=method)[GOODS, at]
    assert worth.value_in - worth.value_out == worth.value
    return worth.quantity, worth.value


BOUGHT_TWICE = [booked("inbound", 10_000, lot=0, cost=20_000), booked("inbound", 10_000, lot=1, cost=40_000)]


def test_first_in_first_out_values_what_is_left_at_what_was_paid_last() -> None:
    assert left([*BOUGHT_TWICE, booked("outbound", -15_000)], "fifo") == (5_000, 5_000 * 40_000)


def test_the_average_values_what_is_left_at_the_mean() -> None:
    assert left([*BOUGHT_TWICE, booked("outbound", -15_000)], "average") == (5_000, 5_000 * 30_000)


def test_layers_stand_in_the_order_in_which_lots_were_received_not_booked() -> None:
    assert left([*reversed(BOUGHT_TWICE), booked("outbound", -10_000)], "fifo") == (10_000, 10_000 * 40_000)


def test_goods_that_are_carried_take_their_value_along() -> None:
    carried = [
        *BOUGHT_TWICE,
        booked("transfer", -12_000, group="T"),
        booked("transfer", 12_000, at=THERE, group="T"),
    ]
    assert left(carried, "fifo") == (8_000, 8_000 * 40_000)
    assert left(carried, "fifo", THERE) == (12_000, 10_000 * 20_000 + 2_000 * 40_000)
    back = [booked("transfer", -12_000, at=THERE, group="U"), booked("transfer", 12_000, group="U")]
    assert left([*carried, *back], "fifo") == (20_000, 10_000 * 60_000)
    assert left([*carried, *back], "average") == (20_000, 10_000 * 60_000)


def test_what_is_made_is_worth_what_went_in() -> None:
    group = uuid.UUID(int=99)
    made = [
        booked("production", -10_000, group=group),
        booked("production", 3_000, lot=2, group=group),
        booked("production", 6_000, lot=3, group=group),
    ]
    worth = value([*BOUGHT_TWICE, *made], method="fifo", makes={group: 9_000})[GOODS, HERE]
    assert [layer.value for layer in worth.layers] == [10_000 * 40_000, 66_666_667, 133_333_333]


steps = st.lists(
    st.tuples(
        st.sampled_from(["inbound", "outbound", "transfer", "adjustment"]),
        st.integers(0, 3),
        st.integers(1, 7_777),
        st.integers(0, 99_999) | st.none(),
        st.booleans(),
    ),
    max_size=30,
)


@given(wanted=steps, method=st.sampled_from(["fifo", "average"]))
def test_what_came_in_less_what_went_out_is_what_is_left_to_the_last_digit(
    wanted: list[tuple[str, int, int, int | None, bool]], method: Method
) -> None:
    lying = {HERE: 0, THERE: 0}
    movements = []
    for number, (movement_type, lot, quantity, cost, there) in enumerate(wanted):
        at = THERE if there else HERE
        if movement_type in {"outbound", "transfer"} and lying[at] < quantity:
            continue
        if movement_type in {"inbound", "adjustment"}:
            movements.append(booked(movement_type, quantity, lot=lot, cost=cost, at=at))
            lying[at] += quantity
            continue
        movements.append(booked(movement_type, -quantity, lot=lot, at=at, group=str(number)))
        lying[at] -= quantity
        if movement_type == "transfer":
            other = HERE if there else THERE
            movements.append(booked(movement_type, quantity, lot=lot, at=other, group=str(number)))
            lying[other] += quantity
    found = value(movements, method=method)
    for at, quantity in lying.items():
        worth = found.get((GOODS, at))
        if worth is not None:
            assert worth.value_in - worth.value_out == worth.value >= 0
            assert worth.quantity == quantity
            assert quantity > 0 or worth.value == 0
    carried_in = sum(worth.value_in for worth in found.values())
    carried_out = sum(worth.value_out for worth in found.values())
    assert carried_in - carried_out == sum(worth.value for worth in found.values())
