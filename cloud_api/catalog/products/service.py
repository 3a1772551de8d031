"""The verbs of products."""

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.categories import service as categories
from cloud_api.catalog.errors import UnitIsFixed, WrongQuantity
from cloud_api.catalog.products import codes, finding
from cloud_api.catalog.products.facts import WHOLE, check_facts
from cloud_api.catalog.products.models import BundleItem, Product, ProductTag, ProductVariant, Tag
from cloud_api.catalog.products.schemas import ProductCreate, ProductFacts, ProductRead, ProductUpdate
from cloud_api.catalog.products.states import PRODUCT_LIFE, ProductAction, ProductStatus
from cloud_api.kernel import clock
from cloud_api.kernel.errors import Conflict, NotFound, StaleVersion
from cloud_api.kernel.money import unit_price_from_integer, unit_price_to_integer
from cloud_api.kernel.numbers import next_number
from cloud_api.kernel.registers import flush_unique

_PRICES = ("price", "cost_price")
_LIKE_PERISHABLES = ("shelf_life_days", "storage_temperature_min_c", "storage_temperature_max_c")
_ACTION = {
    ProductStatus.ACTIVE: ProductAction.ACTIVATE,
    ProductStatus.INACTIVE: ProductAction.DEACTIVATE,
    ProductStatus.DISCONTINUED: ProductAction.DISCONTINUE,
}


async def create_product(
    db: AsyncSession, *, new: ProductCreate, created_by: uuid.UUID | None = None, indexed: bool = True
) -> Product:
    """Add a product.

    Args:
        indexed: whether searches find it at once; who writes many says False, and `finding.put_all` afterwards.

    Raises:
        Invalid: naming the field, when what is said does not go together.
        NotFound: when the category or a tag is not there.
        AlreadyExists: when its stock-keeping number, GTIN or bar code finds something else.
    """
    await _check_named(db, new)
    product = Product(
        **_columns(new),
        sku=new.sku,
        name=new.name,
        unit=new.unit,
        catch_weight=new.catch_weight,
        status=new.status,
        perishable=_is_perishable(new),
        product_code=await next_number(db, "PRD"),
        created_at=clock.now(),
        updated_at=clock.now(),
        created_by=created_by,
    )
    check_facts(product, set(ProductFacts.model_fields))
    db.add(product)
    await flush_unique(db, f"sku {new.sku!r} is taken", field="sku")
    await codes.keep(db, product)
    if new.tag_ids:
        await _tag(db, product.id, new.tag_ids)
    if indexed:
        await finding.put(db, product)
    return product


async def update_product(
    db: AsyncSession, product_id: uuid.UUID, *, changes: ProductUpdate, indexed: bool = True
) -> Product:
    """Change what is sent; the rest stays. What it is already changes nothing, not even its version.

    Raises:
        NotFound: when the product, the category or a tag is not there.
        StaleVersion: when `changes` was made of another version than there is now.
        UnitIsFixed: when it would be counted in another unit.
        InvalidTransition: when it was discontinued.
        Invalid, AlreadyExists: as `create_product`.
    """
    await _check_named(db, changes)  # categories are locked before what lies on them, as who deletes one does
    product = await lock_product(db, product_id)
    if changes.version is not None and changes.version != product.version:
        raise StaleVersion(f"product {product.sku}", seen=changes.version, current=product.version)
    wanted = {**_columns(changes, sent=changes.model_fields_set), **_own_columns(changes)}
    for field in ("unit", "catch_weight"):
        if wanted.pop(field, getattr(product, field)) != getattr(product, field):
            raise UnitIsFixed(
                f"{field} of {product.sku} stays what it is: what is there was counted in {product.unit}; add another "
                "product, or a pack to say quantities in",
                field=field,
            )
    changed = {field for field, value in wanted.items() if getattr(product, field) != value}
    await _check_type(db, product, str(wanted.get("product_type", product.product_type)))
    for field in changed:
        setattr(product, field, wanted[field])
    retagged = "tag_ids" in changes.model_fields_set and await _tag(db, product.id, changes.tag_ids)
    restated = "status" in changes.model_fields_set and _move(product, ProductStatus(changes.status))
    check_facts(product, changed)
    if changed or retagged or restated:
        product.version += 1
        product.updated_at = clock.now()
        await flush_unique(db, f"sku {product.sku!r} is taken", field="sku")
        if changed & {"sku", "gtin", "barcode"}:
            await codes.keep(db, product)
        if indexed:
            await finding.put(db, product)
    return product


async def discontinue(db: AsyncSession, product_id: uuid.UUID) -> Product:
    """Buy and sell a product no more; what names it still does. Again changes nothing.

    The product stays locked against everything that would point at it, new stock too, until the unit of work ends:
    who checks that none remains does so after this.

    Raises:
        NotFound: when there is none.
    """
    product = await lock_product(db, product_id, against_keys=True)
    if _move(product, ProductStatus.DISCONTINUED):
        product.version += 1
        product.updated_at = clock.now()
        await db.flush()
        await finding.put(db, product)
    return product


async def get_product(db: AsyncSession, product_id: uuid.UUID) -> Product:
    """One product.

    Raises:
        NotFound: when there is none.
    """
    product = await db.get(Product, product_id)
    if product is None:
        raise NotFound(f"no product with id {product_id}", field="product_id")
    return product


async def get_variant(db: AsyncSession, product_id: uuid.UUID, variant_id: uuid.UUID) -> ProductVariant:
    """One variant of a product.

    Raises:
        NotFound: when the product has none of this id.
    """
    variant = await db.get(ProductVariant, variant_id)
    if variant is None or variant.product_id != product_id:
        raise NotFound(f"the product has no variant with id {variant_id}", field="variant_id")
    return variant


async def lock_product(db: AsyncSession, product_id: uuid.UUID, *, against_keys: bool = False) -> Product:
    """One product, as it is now: nobody else changes it until the unit of work ends.

    Raises:
        NotFound: when there is none.
    """
    its = select(Product).where(Product.id == product_id).execution_options(populate_existing=True)
    product = (await db.scalars(its.with_for_update(key_share=not against_keys))).one_or_none()
    if product is None:
        raise NotFound(f"no product with id {product_id}", field="product_id")
    return product


async def find_by_code(db: AsyncSession, code: str) -> tuple[Product, ProductVariant | None] | None:
    """What a stock-keeping number, a GTIN of any length or a bar code names; None: nothing."""
    return await codes.find(db, code)


def check_quantity(product: Product, quantity: Decimal, *, field: str = "quantity") -> None:
    """Whether a product can have this quantity.

    Raises:
        WrongQuantity: when it is zero, or not whole where there is no half.
    """
    if quantity == 0:
        raise WrongQuantity(f"the {field} must not be zero", field=field)
    if product.unit in WHOLE and quantity != quantity.to_integral_value():
        raise WrongQuantity(f"{product.sku} is counted in whole units ({product.unit})", field=field)


async def read_products(db: AsyncSession, products: Sequence[Product]) -> list[ProductRead]:
    """Products as people see them, with their tags: one query for all."""
    tags = await tags_of(db, [product.id for product in products])
    return [_read(product, tags.get(product.id, [])) for product in products]


async def tags_of(db: AsyncSession, product_ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, list[uuid.UUID]]:
    """product -> its tags, in key order."""
    found: dict[uuid.UUID, list[uuid.UUID]] = {}
    its = select(ProductTag).where(ProductTag.product_id.in_(product_ids)).order_by(ProductTag.tag_id)
    for row in await db.scalars(its):
        found.setdefault(row.product_id, []).append(row.tag_id)
    return found


def _read(product: Product, tag_ids: list[uuid.UUID]) -> ProductRead:
    columns = {name: getattr(product, name) for name in ProductRead.model_fields if name != "tag_ids"}
    prices = {name: None if columns[name] is None else unit_price_from_integer(columns[name]) for name in _PRICES}
    return ProductRead.model_validate({**columns, **prices, "tag_ids": tag_ids})


def _columns(facts: ProductFacts, *, sent: Iterable[str] | None = None) -> dict[str, object]:
    """The columns of what is said: all of them, or those that were `sent`."""
    names = set(ProductFacts.model_fields) - {"tag_ids", "perishable"}
    said = {name: getattr(facts, name) for name in (names if sent is None else names & set(sent))}
    for name in _PRICES:
        if said.get(name) is not None:
            said[name] = unit_price_to_integer(said[name])
    if said.get("gtin") is not None:
        said["gtin"] = codes.gtin_14(str(said["gtin"]))
    return said


def _own_columns(changes: ProductUpdate) -> dict[str, object]:
    names = changes.model_fields_set & {"sku", "name", "unit", "catch_weight", "perishable"}
    return {name: getattr(changes, name) for name in names if getattr(changes, name) is not None}


def _is_perishable(new: ProductCreate) -> bool:
    if new.perishable is not None:
        return new.perishable
    return all(getattr(new, field) is not None for field in _LIKE_PERISHABLES)


def _move(product: Product, to: ProductStatus) -> bool:
    """Whether that was something new."""
    before = ProductStatus(product.status)
    if before != to:
        product.status = PRODUCT_LIFE.apply(before, _ACTION[to])
    return before != to


async def _check_named(db: AsyncSession, facts: ProductFacts) -> None:
    """Whether what is named is there."""
    if facts.category_id is not None:
        await categories.keep_category(db, facts.category_id)
    if facts.tag_ids:
        wanted = set(facts.tag_ids)
        there = set(await db.scalars(select(Tag.id).where(Tag.id.in_(wanted))))
        for missing in sorted(wanted - there):
            raise NotFound(f"no tag with id {missing}", field="tag_ids")


async def _check_type(db: AsyncSession, product: Product, wanted: str) -> None:
    if product.product_type == "bundle" and wanted != "bundle":
        of_it = select(BundleItem.id).where(BundleItem.bundle_id == product.id).limit(1)
        if await db.scalar(of_it) is not None:
            raise Conflict(
                f"{product.sku} has components: take them out before it is no bundle any more", field="product_type"
            )


async def _tag(db: AsyncSession, product_id: uuid.UUID, tag_ids: Sequence[uuid.UUID]) -> bool:
    """Give a product these tags instead of those before. Whether that was something new."""
    wanted = set(tag_ids)
    rows = {row.tag_id: row for row in await db.scalars(select(ProductTag).where(ProductTag.product_id == product_id))}
    for tag_id, row in rows.items():
        if tag_id not in wanted:
            await db.delete(row)
    db.add_all(ProductTag(product_id=product_id, tag_id=tag_id) for tag_id in sorted(wanted - rows.keys()))
    if wanted != rows.keys():
        await db.flush()
    return wanted != rows.keys()
