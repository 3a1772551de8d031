"""Units and how they convert: exactly, as fractions. Nothing is rounded; what stock cannot hold is refused.

The pound and the gallons are exact by definition (NIST Handbook 44, appendix C: 1 lb = 0.45359237 kg, 1 US gallon =
231 cubic inches = 3.785411784 l; UK Units of Measurement Regulations 1995: 1 gallon = 4.54609 l).
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.errors import ContradictoryUnits, UnknownUnit, WrongQuantity
from cloud_api.catalog.products.models import Product, ProductPack

_POUND = Fraction("453.59237")
_US_GALLON, _IMPERIAL_GALLON = Fraction("3785.411784"), Fraction("4546.09")
#: units that convert into each other without anything being said of the goods: what one is of the family's smallest
MASS = {
    "mg": Fraction(1, 1000),
    "g": Fraction(1),
    "kg": Fraction(1000),
    "t": Fraction(1_000_000),
    "oz": _POUND / 16,
    "lb": _POUND,
}
VOLUME = {
    "ml": Fraction(1),
    "cl": Fraction(10),
    "dl": Fraction(100),
    "liter": Fraction(1000),
    "m3": Fraction(1_000_000),
    "us_fluid_ounce": _US_GALLON / 128,
    "us_gallon": _US_GALLON,
    "imperial_fluid_ounce": _IMPERIAL_GALLON / 160,
    "imperial_gallon": _IMPERIAL_GALLON,
}
COUNT = {"piece": Fraction(1), "dozen": Fraction(12)}
FAMILIES = (MASS, VOLUME, COUNT)
#: what a column of 64 bits holds
_LARGEST = 2**63 - 1
_STOCK_LIMIT = 10**12


@dataclass(frozen=True)
class Pack:
    """`per` of `unit` hold `quantity` of the unit `of`: 1 crate holds 12 kg."""

    unit: str
    quantity: Decimal
    of: str
    per: int = 1


def factors(stock_unit: str, packs: Mapping[str, Fraction]) -> dict[str, Fraction]:
    """Every unit that quantities can be said in: how many of `stock_unit` one of it is.

    Args:
        stock_unit: what stock is counted in.
        packs: the same of units that were said for one product alone.
    """
    known = {stock_unit: Fraction(1), **packs}
    for family in FAMILIES:
        anchor = next((unit for unit in known if unit in family), None)
        if anchor is not None:
            one = known[anchor] / family[anchor]
            known.update({unit: one * size for unit, size in family.items() if unit not in known})
    return known


def resolve(stock_unit: str, said: Sequence[Pack]) -> dict[str, Fraction]:
    """What one of each pack is in `stock_unit`, whatever the order in which they were said: a pallet of crates of kg.

    Raises:
        UnknownUnit: when a pack holds something that nobody said how to convert.
        ContradictoryUnits: when a unit is said twice, follows from another one already, or holds itself.
    """
    packs: dict[str, Fraction] = {}
    pending = [*enumerate(said)]
    while pending:
        known = factors(stock_unit, packs)
        index, pack = next(((index, pack) for index, pack in pending if pack.of in known), (None, pending[0][1]))
        if index is None:
            raise _unresolved(pack, [one.unit for _, one in pending], known)
        if pack.unit in known:
            raise ContradictoryUnits(
                f"one {pack.unit} is {_shown(known[pack.unit])} {stock_unit} already: leave this line out",
                field=f"packs.{index}.unit",
            )
        factor = Fraction(pack.quantity) / pack.per * known[pack.of]
        if max(factor.numerator, factor.denominator) > _LARGEST:
            raise WrongQuantity("such a factor is larger than can be kept", field=f"packs.{index}.quantity")
        packs[pack.unit] = factor
        pending.remove((index, pack))
    return packs


def _unresolved(pack: Pack, pending: Sequence[str], known: Mapping[str, Fraction]) -> ContradictoryUnits | UnknownUnit:
    if pack.of in pending:
        return ContradictoryUnits(f"{', '.join(pending)} hold one another, and nothing else", field="packs")
    return UnknownUnit(
        f"nobody said how many {next(iter(known))} one {pack.of} is: add a line for it, or use one of "
        f"{', '.join(sorted(known))}",
        field="packs",
    )


def convert(quantity: Decimal, *, factor: Fraction) -> Fraction:
    """So many of a unit in another one that `factor` of them make."""
    return Fraction(quantity) * factor


def stock_quantity(
    quantity: Decimal, unit: str, *, stock_unit: str, known: Mapping[str, Fraction], field: str = "quantity"
) -> Decimal:
    """A quantity in the unit that stock is counted in.

    Raises:
        UnknownUnit: naming the units that are known.
        WrongQuantity: when three decimals cannot hold it, naming the nearest two that they can.
    """
    if unit not in known:
        raise UnknownUnit(
            f"nobody said how many {stock_unit} one {unit} is: use one of {', '.join(sorted(known))}, or add it to the "
            "product's packs",
            field="unit",
        )
    exact = convert(quantity, factor=known[unit])
    thousandths, rest = divmod(exact * 1000, 1)
    if rest:
        below, above = Decimal(int(thousandths)).scaleb(-3), Decimal(int(thousandths) + 1).scaleb(-3)
        raise WrongQuantity(
            f"{quantity:f} {unit} are {_shown(exact)} {stock_unit}, and stock is kept in thousandths: say {below} or "
            f"{above} {stock_unit}",
            field=field,
        )
    if abs(thousandths) >= _STOCK_LIMIT * 1000:
        raise WrongQuantity(f"that is more {stock_unit} than can be kept", field=field)
    return Decimal(int(thousandths)).scaleb(-3)


async def packs_of(db: AsyncSession, product_id: uuid.UUID) -> dict[str, Fraction]:
    """A product's own units: what one is in the unit that it is counted in."""
    rows = await db.scalars(select(ProductPack).where(ProductPack.product_id == product_id).order_by(ProductPack.unit))
    return {row.unit: Fraction(row.numerator, row.denominator) for row in rows}


async def units_of(db: AsyncSession, product: Product) -> dict[str, Fraction]:
    """Every unit that quantities of a product can be said in: how many of its own unit one is."""
    return factors(product.unit, await packs_of(db, product.id))


async def to_stock_quantity(db: AsyncSession, product: Product, quantity: Decimal, unit: str) -> Decimal:
    """A quantity of a product, in the unit that it is counted in.

    Raises:
        UnknownUnit: when nobody said how this unit converts for this product.
        WrongQuantity: when three decimals cannot hold it; nothing is rounded in silence.
    """
    known = {product.unit: Fraction(1)} if unit == product.unit else await units_of(db, product)
    return stock_quantity(quantity, unit, stock_unit=product.unit, known=known)


async def replace_packs(db: AsyncSession, product: Product, *, said: Sequence[Pack]) -> dict[str, Fraction]:
    """Let these be a product's own units, and no others. Returns them.

    Raises:
        UnknownUnit, ContradictoryUnits: as `resolve`; and for catch weight, whose pieces have each a weight of its own.
    """
    packs = resolve(product.unit, said)
    for unit in packs:
        if product.catch_weight and unit in MASS:
            raise ContradictoryUnits(
                f"each {product.unit} of {product.sku} is weighed: its weight is entered, and not converted",
                field="packs",
            )
    rows = (await db.scalars(select(ProductPack).where(ProductPack.product_id == product.id))).all()
    there = {row.unit: row for row in rows}
    for unit, row in there.items():
        if unit not in packs:
            await db.delete(row)
    for unit, factor in packs.items():
        row = there.get(unit) or ProductPack(product_id=product.id, unit=unit)
        row.numerator, row.denominator = factor.numerator, factor.denominator
        db.add(row)
    await db.flush()
    return packs


def _shown(exact: Fraction) -> str:
    """A fraction for people: as a decimal where it ends, and as it is where it does not."""
    rest = exact.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if rest != 1:
        return str(exact)
    places = 0
    while (exact * 10**places).denominator != 1:
        places += 1
    return f"{Decimal(int(exact * 10**places)).scaleb(-places):f}"
