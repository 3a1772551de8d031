"""What the lines of an order cost, and what the order does."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.products import prices
from cloud_api.catalog.products import service as catalog
from cloud_api.catalog.products.models import Product
from cloud_api.kernel.money import amount_minor, unit_price_to_integer
from cloud_api.kernel.quantity import to_thousandths
from cloud_api.orders.book.errors import BadOrder, PriceIsTheStores
from cloud_api.orders.book.models import OrderLine
from cloud_api.orders.book.schemas import OrderLineCreate

_GRAMS_A_KILOGRAM = 1000


@dataclass(frozen=True, slots=True)
class Price:
    """Of one unit."""

    #: ten-thousandths of the organisation's currency
    unit_price: int
    #: somebody said it; otherwise it is the catalogue's
    is_agreed: bool


async def check_lines(
    db: AsyncSession, lines: Sequence[OrderLineCreate], *, by_buyer: bool
) -> Mapping[uuid.UUID, Product]:
    """The products of lines that can be meant.

    Raises:
        NotFound: when a product is not there.
        BadOrder: when a product stands in two lines.
        WrongQuantity: when a product counted in whole units is not.
        PriceIsTheStores: when somebody who orders for themselves says what it costs.
    """
    if len({line.product_id for line in lines}) < len(lines):
        raise BadOrder("a product stands in two lines: add them up", field="lines")
    products: dict[uuid.UUID, Product] = {}
    for number, line in enumerate(lines):
        if by_buyer and line.unit_price is not None:
            raise PriceIsTheStores(
                "what it costs is the catalogue's to say: leave unit_price out", field=f"lines.{number}.unit_price"
            )
        products[line.product_id] = await catalog.get_product(db, line.product_id)
        catalog.check_quantity(products[line.product_id], line.quantity)
    return products


async def price_of(db: AsyncSession, line: OrderLineCreate, product: Product, *, on: date) -> Price:
    """What was said, or what the catalogue asks on that day for so much.

    Of catch weight the catalogue says the price of a kilogram, and the line has pieces: a piece costs what it weighs
    about, until it is weighed.

    Raises:
        NoPrice: when nobody said.
    """
    if line.unit_price is not None:
        return Price(unit_price_to_integer(line.unit_price), is_agreed=True)
    asked = (await prices.price_of(db, product, on=on, quantity=line.quantity)).unit_price
    if product.catch_weight:
        asked = round(Decimal(asked * product.unit_weight_g) / _GRAMS_A_KILOGRAM)
    return Price(asked, is_agreed=False)


async def new_lines(
    db: AsyncSession, wanted: Sequence[OrderLineCreate], *, on: date, by_buyer: bool
) -> list[OrderLine]:
    """Lines of an order that is not there yet, with their prices. Raises as `check_lines` and `price_of` do."""
    products = await check_lines(db, wanted, by_buyer=by_buyer)
    lines = []
    for line in wanted:
        price = await price_of(db, line, products[line.product_id], on=on)
        lines.append(
            OrderLine(
                product_id=line.product_id,
                quantity=line.quantity,
                unit_price=price.unit_price,
                price_is_agreed=price.is_agreed,
            )
        )
    return lines


def total_minor(lines: Iterable[OrderLine]) -> int:
    """What is in the box, where it is packed, else what was ordered; in minor units, rounded line by line."""
    return sum(
        amount_minor(
            line.unit_price,
            to_thousandths(line.quantity if line.packed_quantity is None else line.packed_quantity),
        )
        for line in lines
    )
