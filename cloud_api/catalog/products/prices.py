"""What things cost: dated lists with steps by quantity, of a product or a variant of it."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.errors import NoPrice
from cloud_api.catalog.products import service
from cloud_api.catalog.products.models import Product, ProductPrice, ProductVariant
from cloud_api.catalog.products.part_schemas import PriceList, PriceRead, QuoteRead
from cloud_api.kernel.errors import Invalid
from cloud_api.kernel.money import amount_minor, unit_price_from_integer, unit_price_to_integer
from cloud_api.kernel.quantity import to_thousandths


@dataclass(frozen=True)
class Quote:
    """What one unit costs, and which list said so."""

    #: ten-thousandths a unit, of catch weight a kilogram
    unit_price: int
    #: the first day of the list; None: the price of the product or the variant itself
    valid_from: date | None


async def replace_list(db: AsyncSession, product_id: uuid.UUID, *, new: PriceList) -> Sequence[ProductPrice]:
    """Put a list in force from its first day on, in the place of one that began on the same day. Returns its lines.

    Raises:
        NotFound: when the product or the variant is not there.
        Invalid: when two lines begin at the same quantity.
    """
    product = await service.lock_product(db, product_id)
    if new.variant_id is not None:
        await service.get_variant(db, product_id, new.variant_id)
    steps = {line.min_quantity: unit_price_to_integer(line.price) for line in new.lines}
    if len(steps) != len(new.lines):
        raise Invalid("two lines begin at the same quantity: say one price for each", field="lines")
    offered_id = new.variant_id or product.id
    before = select(ProductPrice).where(
        ProductPrice.offered_id == offered_id, ProductPrice.valid_from == new.valid_from
    )
    there = {row.min_quantity: row for row in await db.scalars(before)}
    for min_quantity, row in there.items():
        if min_quantity not in steps:
            await db.delete(row)
    for min_quantity, price in steps.items():
        row = there.get(min_quantity) or ProductPrice(
            product_id=product.id,
            variant_id=new.variant_id,
            offered_id=offered_id,
            valid_from=new.valid_from,
            min_quantity=min_quantity,
        )
        row.price = price
        db.add(row)
    await db.flush()
    return (await db.scalars(before.order_by(ProductPrice.min_quantity))).all()


async def price_of(
    db: AsyncSession, product: Product, *, on: date, quantity: Decimal, variant: ProductVariant | None = None
) -> Quote:
    """What a unit costs on a day, when so many are taken.

    Of a variant first: the list that is in force, in it the highest step that is reached, else the variant's own price;
    then the same of the product.

    Raises:
        NoPrice: when nobody said.
    """
    offered: list[Product | ProductVariant] = [product] if variant is None else [variant, product]
    for one in offered:
        in_force = (
            select(ProductPrice.valid_from)
            .where(ProductPrice.offered_id == one.id, ProductPrice.valid_from <= on)
            .order_by(ProductPrice.valid_from.desc())
            .limit(1)
        )
        step = (
            select(ProductPrice)
            .where(
                ProductPrice.offered_id == one.id,
                ProductPrice.valid_from == in_force.scalar_subquery(),
                ProductPrice.min_quantity <= quantity,
            )
            .order_by(ProductPrice.min_quantity.desc())
            .limit(1)
        )
        line = await db.scalar(step)
        if line is not None:
            return Quote(line.price, line.valid_from)
        if one.price is not None:
            return Quote(one.price, None)
    raise NoPrice(
        f"nobody said what {product.sku} costs on {on}: set its price, or a list in force on that day", field="on"
    )


async def quote(
    db: AsyncSession,
    product: Product,
    *,
    on: date,
    quantity: Decimal,
    variant: ProductVariant | None = None,
    weight_g: int | None = None,
) -> QuoteRead:
    """What so much costs on a day: by the unit, of catch weight by what it weighs.

    Raises:
        NoPrice: when nobody said.
        WrongQuantity: when the product cannot have this quantity.
        Invalid: when a weight is said of what is not priced by weight.
    """
    service.check_quantity(product, quantity)
    found = await price_of(db, product, on=on, quantity=quantity, variant=variant)
    unit_price = unit_price_from_integer(found.unit_price)
    said = {"on": on, "quantity": quantity, "unit_price": unit_price, "valid_from": found.valid_from}
    if not product.catch_weight:
        if weight_g is not None:
            raise Invalid(f"{product.sku} is priced by the {product.unit}: leave weight_g out", field="weight_g")
        amount = amount_minor(found.unit_price, to_thousandths(quantity))
        priced = {"per": product.unit, "weight_g": None, "weighed": False, "amount_minor": amount}
        return QuoteRead.model_validate({**said, **priced})
    piece_g = product.unit_weight_g if variant is None else variant.unit_weight_g or product.unit_weight_g
    grams = weight_g if weight_g is not None else piece_g * int(quantity)
    # a gram is a thousandth of the kilogram that the price is for
    amount = amount_minor(found.unit_price, grams)
    priced = {"per": "kg", "weight_g": grams, "weighed": weight_g is not None, "amount_minor": amount}
    return QuoteRead.model_validate({**said, **priced})


def read(line: ProductPrice) -> PriceRead:
    """A line as people see it."""
    columns = {name: getattr(line, name) for name in PriceRead.model_fields}
    return PriceRead.model_validate({**columns, "price": unit_price_from_integer(line.price)})
