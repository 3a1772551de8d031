"""Which code finds what: stock-keeping numbers, GTINs and bar codes of products and variants, in one register.

A scan has to find one thing: so no two of an organisation share a code, whatever kind of code it is to either.
"""

from collections.abc import Mapping

from biip import ParseError
from biip.gtin import Gtin
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.errors import WrongIdentifier
from cloud_api.catalog.products.models import Product, ProductCode, ProductVariant
from cloud_api.kernel.errors import AlreadyExists
from cloud_api.kernel.registers import flush_unique

_GTIN_LENGTHS = frozenset({8, 12, 13, 14})


def gtin_14(digits: str, *, field: str = "gtin") -> str:
    """A GTIN-8, -12, -13 or -14 with 14 digits.

    Raises:
        WrongIdentifier: when it has another length, other characters, or a wrong check digit.
    """
    if len(digits) not in _GTIN_LENGTHS or not (digits.isascii() and digits.isdigit()):
        raise WrongIdentifier(f"a GTIN has 8, 12, 13 or 14 digits: {digits!r} is none", field=field)
    try:
        return Gtin.parse(digits).as_gtin_14()
    except ParseError as error:
        raise WrongIdentifier(
            f"the check digit of {digits} is wrong: one digit was misread or mistyped, scan it again", field=field
        ) from error


def normalised(code: str) -> str:
    """A code as it is looked up: 14 digits when it is a GTIN of any length, and as it is otherwise."""
    try:
        return gtin_14(code)
    except WrongIdentifier:
        return code


async def find(db: AsyncSession, code: str) -> tuple[Product, ProductVariant | None] | None:
    """What a code names: a product, or one variant of it; None: nothing."""
    its = (
        select(Product, ProductVariant)
        .join(ProductCode, ProductCode.product_id == Product.id)
        .outerjoin(ProductVariant, ProductVariant.id == ProductCode.variant_id)
        .where(ProductCode.code == normalised(code))
    )
    found = (await db.execute(its)).one_or_none()
    return None if found is None else (found[0], found[1])


async def keep(db: AsyncSession, named: Product | ProductVariant) -> None:
    """Let the codes of a product or a variant find it, and those that it had before find nothing.

    Raises:
        AlreadyExists: naming the field, when a code finds something else.
    """
    variant_id = named.id if isinstance(named, ProductVariant) else None
    product_id = named.product_id if isinstance(named, ProductVariant) else named.id
    wanted = _wanted(named)
    whose = ProductCode.product_id == product_id
    rows = (await db.scalars(select(ProductCode).where(ProductCode.code.in_(wanted) | whose))).all()
    kept = set()
    for row in rows:
        if (row.product_id, row.variant_id) != (product_id, variant_id):
            if row.code in wanted:
                kind = wanted[row.code]
                raise AlreadyExists(f"{kind} {getattr(named, kind)!r} is taken: it finds another product", field=kind)
        elif row.code in wanted:
            row.kind = wanted[row.code]
            kept.add(row.code)
        else:
            await db.delete(row)
    for code, kind in wanted.items():
        if code not in kept:
            db.add(ProductCode(code=code, kind=kind, product_id=product_id, variant_id=variant_id))
    await flush_unique(db, "one of these codes was given to another product at this moment", field="sku")


def _wanted(named: Product | ProductVariant) -> Mapping[str, str]:
    """code -> which of its kinds it is; where two kinds have the same, the first."""
    wanted: dict[str, str] = {}
    for kind, code in (("sku", named.sku), ("gtin", named.gtin), ("barcode", named.barcode)):
        if code is not None:
            wanted.setdefault(normalised(code), kind)
    return wanted
