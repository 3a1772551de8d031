"""The verbs of variants."""

import uuid

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.errors import InUse
from cloud_api.catalog.products import codes, finding, service
from cloud_api.catalog.products.facts import check_attributes
from cloud_api.catalog.products.models import ProductVariant
from cloud_api.catalog.products.part_schemas import VariantCreate, VariantFacts, VariantRead, VariantUpdate
from cloud_api.kernel import clock, versions
from cloud_api.kernel.money import unit_price_from_integer, unit_price_to_integer
from cloud_api.kernel.registers import flush_unique

_PRICES = ("price", "cost_price")


async def create_variant(db: AsyncSession, product_id: uuid.UUID, *, new: VariantCreate) -> ProductVariant:
    """Offer a product in one more way.

    Raises:
        NotFound: when there is no such product.
        AlreadyExists: when its stock-keeping number, GTIN or bar code finds something else.
        Invalid: naming the field.
    """
    product = await service.lock_product(db, product_id)
    variant = ProductVariant(
        product_id=product.id, **_columns(new, set(type(new).model_fields)), created_at=clock.now()
    )
    check_attributes(variant.attributes)
    db.add(variant)
    await _keep(db, variant)
    await finding.put(db, product)
    return variant


async def update_variant(
    db: AsyncSession, product_id: uuid.UUID, variant_id: uuid.UUID, *, changes: VariantUpdate
) -> ProductVariant:
    """Change what is sent; the rest stays.

    Raises:
        NotFound: when the product has no such variant.
        StaleVersion: when `changes` was made of another version than there is now.
        AlreadyExists, Invalid: as `create_variant`.
    """
    product = await service.lock_product(db, product_id)
    variant = await service.get_variant(db, product_id, variant_id)
    await versions.count(db, variant, seen=changes.version, what=f"variant {variant.sku!r}")
    for field, value in _columns(changes, changes.model_fields_set - {"version"}).items():
        setattr(variant, field, value)
    check_attributes(variant.attributes)
    await _keep(db, variant)
    await finding.put(db, product)
    return variant


async def delete_variant(db: AsyncSession, product_id: uuid.UUID, variant_id: uuid.UUID) -> None:
    """Take a variant away that nothing was ever received of.

    Raises:
        NotFound: when the product has no such variant.
        InUse: when a lot of it is known.
    """
    product = await service.lock_product(db, product_id)
    variant = await service.get_variant(db, product_id, variant_id)
    refusal = InUse(
        f"there are lots of {variant.sku}: say is_active false, and it is offered no more", field="variant_id"
    )
    await db.delete(variant)
    try:
        await db.flush()
    except IntegrityError as error:
        raise refusal from error
    await finding.put(db, product)


def read(variant: ProductVariant) -> VariantRead:
    """A variant as people see it."""
    columns = {name: getattr(variant, name) for name in VariantRead.model_fields}
    prices = {name: None if columns[name] is None else unit_price_from_integer(columns[name]) for name in _PRICES}
    return VariantRead.model_validate({**columns, **prices})


async def _keep(db: AsyncSession, variant: ProductVariant) -> None:
    await flush_unique(db, f"sku {variant.sku!r} is taken", field="sku")
    await codes.keep(db, variant)


def _columns(facts: VariantFacts, sent: set[str]) -> dict[str, object]:
    said: dict[str, object] = {name: getattr(facts, name) for name in sent}
    for name in _PRICES:
        price = getattr(facts, name)
        if name in said and price is not None:
            said[name] = unit_price_to_integer(price)
    if said.get("gtin") is not None:
        said["gtin"] = codes.gtin_14(str(said["gtin"]))
    return said
