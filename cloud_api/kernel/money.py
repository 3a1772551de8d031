"""Exact money: integer minor units with a currency; unit prices and unit costs in ten-thousandths of the major unit.

Stored as integers, shown as decimals, never a float in between.
"""

from decimal import Decimal
from fractions import Fraction
from typing import Annotated

from pydantic import Field, PlainSerializer

#: A unit price or unit cost as it travels over HTTP: at most four places.
UnitPrice = Annotated[
    Decimal,
    Field(ge=0, max_digits=16, decimal_places=4, allow_inf_nan=False, examples=["42.5000"]),
    PlainSerializer(lambda value: f"{value:.4f}", return_type=str),
]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$", examples=["INR"])]

_TEN_THOUSANDTHS = 10_000


def unit_price_to_integer(price: Decimal) -> int:
    """Ten-thousandths of the major unit.

    Raises:
        ValueError: when `price` has more than four decimal places.
    """
    numerator, denominator = price.as_integer_ratio()  # a product would be rounded to the context's precision
    whole, rest = divmod(numerator * _TEN_THOUSANDTHS, denominator)
    if rest:
        raise ValueError(f"unit price {price} has more than four decimal places")
    return whole


def unit_price_from_integer(ten_thousandths: int) -> Decimal:
    """The unit price of integer ten-thousandths, with four places."""
    return Decimal(ten_thousandths).scaleb(-4)


def amount_minor(unit_price_ten_thousandths: int, quantity_thousandths: int) -> int:
    """Price times quantity in minor units (hundredths), rounded half to even once, at the end."""
    return round(Fraction(unit_price_ten_thousandths * quantity_thousandths * 100, _TEN_THOUSANDTHS * 1000))
