"""Quantities and money are exact from the request to the disk and back; nothing is rounded in silence."""

import uuid
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from sqlalchemy import BigInteger, func, select, type_coerce

from cloud_api.inventory.ledger.models import StockMovement
from cloud_api.kernel import money, quantity
from cloud_api.kernel.tenancy import SystemScope
from tests.factories.stores import make_cold_store, receive
from tests.platform_under_test import Platform

RECEIVING = "/api/v1/warehouse/stock/receiving"

thousandths = st.integers(min_value=-(2**63), max_value=2**63 - 1)
QUANTITY: TypeAdapter[Decimal] = TypeAdapter(quantity.Quantity)
UNIT_PRICE: TypeAdapter[Decimal] = TypeAdapter(money.UnitPrice)


@given(thousandths)
def test_a_quantity_comes_back_from_the_disk_as_it_went(stored: int) -> None:
    value = quantity.from_thousandths(stored)
    assert value.as_tuple().exponent == -3
    assert quantity.to_thousandths(value) == stored
    assert Fraction(value) == Fraction(stored, 1000)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9))
@example(Decimal("0.0005"))
@example(Decimal("1E+3"))
@example(Decimal("-0.0010"))
def test_a_quantity_is_kept_exactly_or_refused(value: Decimal) -> None:
    if (Fraction(value) * 1000).denominator == 1:
        assert Fraction(quantity.from_thousandths(quantity.to_thousandths(value))) == Fraction(value)
    else:
        with pytest.raises(ValueError, match="more than three decimal places"):
            quantity.to_thousandths(value)


@given(st.integers(min_value=-(10**15) + 1, max_value=10**15 - 1))
def test_a_quantity_travels_as_text_with_three_places(stored: int) -> None:
    sent = QUANTITY.dump_json(quantity.from_thousandths(stored))
    assert sent.decode().strip('"').partition(".")[2].isdecimal()
    assert quantity.to_thousandths(QUANTITY.validate_json(sent)) == stored


@given(st.integers(min_value=0, max_value=10**16 - 1))
def test_a_unit_price_travels_as_text_with_four_places(stored: int) -> None:
    sent = UNIT_PRICE.dump_json(money.unit_price_from_integer(stored))
    assert len(sent.decode().strip('"').partition(".")[2]) == 4
    assert money.unit_price_to_integer(UNIT_PRICE.validate_json(sent)) == stored


def test_a_fifth_place_of_a_price_is_refused() -> None:
    with pytest.raises(ValueError, match="more than four decimal places"):
        money.unit_price_to_integer(Decimal("1.00005"))


@given(st.integers(min_value=0, max_value=10**16), st.integers(min_value=-(10**15), max_value=10**15))
@example(1, 50_000)
@example(3, 50_000)
@example(1, -50_000)
def test_an_amount_is_rounded_once_half_to_even(price: int, amount: int) -> None:
    exact = Fraction(price, 10_000) * Fraction(amount, 1000) * 100
    rounded = money.amount_minor(price, amount)
    assert abs(rounded - exact) <= Fraction(1, 2)
    if abs(rounded - exact) == Fraction(1, 2):
        assert rounded % 2 == 0


async def test_the_database_holds_integers_and_sums_them_exactly(shared_platform: Platform) -> None:
    store = await make_cold_store(shared_platform)
    sent = ["0.001", "999999999.999", "345.678", "1", "2.5"]
    for number, value in enumerate(sent):
        moved = await receive(store, lot=f"LOT-{number}", quantity=value, unit_cost="42.0001")
        assert moved["quantity"] == f"{Decimal(value):.3f}"
    async with shared_platform.database.unit_of_work(SystemScope("look at the disk")) as db:
        ours = StockMovement.product_id == uuid.UUID(store.product_id)
        kept = await db.execute(
            select(StockMovement.quantity, StockMovement.unit_cost).where(ours).order_by(StockMovement.quantity)
        )
        assert [(str(row.quantity), row.unit_cost) for row in kept] == [
            ("0.001", 420_001),
            ("1.000", 420_001),
            ("2.500", 420_001),
            ("345.678", 420_001),
            ("999999999.999", 420_001),
        ]
        total = await db.scalar(select(func.sum(StockMovement.quantity)).where(ours))
        assert total == sum(Decimal(value) for value in sent)
        undecoded = type_coerce(StockMovement.quantity, BigInteger)
        raw = await db.scalars(select(undecoded).where(ours).order_by(undecoded))
        assert list(raw) == [1, 1_000, 2_500, 345_678, 999_999_999_999]


async def test_a_fourth_place_is_refused_by_name_and_nothing_is_booked(sqlite_platform: Platform) -> None:
    store = await make_cold_store(sqlite_platform)
    body = {"product_id": store.product_id, "location_id": store.room_id, "lot_number": "LOT-1"}
    wrong = [
        ("quantity", "0.0001"),
        ("quantity", 1.2345),
        ("quantity", "1000000000000"),
        ("quantity", "0"),
        ("quantity", "-1"),
        ("quantity", "NaN"),
        ("quantity", "Infinity"),
        ("quantity", "ten"),
        ("quantity", None),
        ("unit_cost", "1.00001"),
        ("unit_cost", "-1"),
    ]
    for field, value in wrong:
        answer = await store.tenant.client.post(RECEIVING, json={"quantity": "1", **body, field: value})
        fields = [detail["field"] for detail in answer.json()["error"]["details"]]
        assert (answer.status_code, fields) == (422, [field]), value
    assert await store.tenant.get("/api/v1/warehouse/stock/movements") == []
