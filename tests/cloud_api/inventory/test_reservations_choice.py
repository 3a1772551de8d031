"""Which warehouses are chosen for an order, against trying every set of them."""

import itertools
import uuid
from datetime import UTC, date, datetime
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_api.inventory.ledger.models import Lot
from cloud_api.inventory.reservations.fulfillment import Batch, Supply, choose, serve_from
from cloud_api.places.models import Warehouse

PRODUCTS = [uuid.UUID(int=number) for number in range(3)]


def supply(number: int, distance_km: float | None, quantities: list[int]) -> Supply:
    lot = Lot(id=uuid.UUID(int=number), lot_number="L", received_at=datetime(2026, 1, 1, tzinfo=UTC))
    place = uuid.UUID(int=99)
    batches = [
        Batch(uuid.UUID(int=number * 10 + index), PRODUCTS[index], lot, place, Decimal(quantity), date(2027, 1, 1))
        for index, quantity in enumerate(quantities)
        if quantity
    ]
    return Supply(Warehouse(id=uuid.UUID(int=number), code=f"W-{number:02}", name="W"), distance_km, batches)


quantities = st.lists(st.integers(0, 5), min_size=3, max_size=3)


@settings(max_examples=150, deadline=None)
@given(
    has=st.lists(st.tuples(st.none() | st.integers(0, 900), quantities), max_size=14),
    wants=quantities,
)
def test_no_smaller_set_serves_as_much_and_nothing_is_taken_that_is_not_there(
    has: list[tuple[int | None, list[int]]], wants: list[int]
) -> None:
    supplies = [supply(number, km, its) for number, (km, its) in enumerate(has)]
    wanted = {PRODUCTS[index]: Decimal(quantity) for index, quantity in enumerate(wants) if quantity}
    found = serve_from(choose(supplies, wanted), wanted)
    there = [sum(its[index] for _, its in has) for index in range(3)]
    expected = {PRODUCTS[i]: Decimal(wants[i] - there[i]) for i in range(3) if wants[i] > there[i]}
    assert found.missing == expected
    assert all(0 < quantity <= batch.free for _, taken in found.picks for batch, quantity in taken)
    useful = [one for one in supplies if one.batches]
    if len(useful) <= 12:
        smaller = itertools.combinations(useful, len(found.picks) - 1) if found.picks else ()
        assert all(serve_from(some, wanted).missing != expected for some in smaller)
