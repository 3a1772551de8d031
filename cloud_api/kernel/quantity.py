"""Exact quantities: `Decimal` with at most three places, stored as integer thousandths of the product's unit."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field, PlainSerializer

#: A quantity as it travels over HTTP: a decimal string or number, at most three places, below 10^12.
Quantity = Annotated[
    Decimal,
    Field(max_digits=15, decimal_places=3, allow_inf_nan=False, examples=["12.500"]),
    PlainSerializer(lambda value: f"{value:.3f}", return_type=str),
]
PositiveQuantity = Annotated[Quantity, Field(gt=0)]


def to_thousandths(value: Decimal) -> int:
    """Integer thousandths of `value`.

    Raises:
        ValueError: when `value` has more than three decimal places; nothing is rounded in silence.
    """
    numerator, denominator = value.as_integer_ratio()  # a product would be rounded to the context's precision
    whole, rest = divmod(numerator * 1000, denominator)
    if rest:
        raise ValueError(f"quantity {value} has more than three decimal places")
    return whole


def from_thousandths(value: int) -> Decimal:
    """The quantity of integer thousandths, always with three places."""
    return Decimal(int(value)).scaleb(-3)  # PostgreSQL's sum of integers is a NUMERIC without places
