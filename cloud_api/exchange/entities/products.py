"""Products: a row is recognised by its stock-keeping number."""

import uuid
from collections.abc import AsyncIterator, Mapping

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.categories.models import Category
from cloud_api.catalog.products import service as catalog
from cloud_api.catalog.products.models import Product
from cloud_api.catalog.products.schemas import ProductCreate, ProductUpdate
from cloud_api.exchange.entities.kinds import (
    By,
    Column,
    Entity,
    Outcome,
    RowRefused,
    Values,
    decimal,
    measure,
    refused,
    text,
    truth,
    whole,
)
from cloud_api.exchange.values import Cell
from cloud_api.kernel.errors import Detail
from cloud_api.kernel.money import unit_price_from_integer

_AT_ONCE = 500
_PRICES = ("price", "cost_price")

COLUMNS = (
    Column("sku", text, "SPINACH-BABY", required=True, aliases=("product sku", "item code", "sku no")),
    Column("name", text, "Baby spinach", aliases=("product name",)),
    Column("unit", text, "kg", aliases=("uom", "unit of measure")),
    Column("description", text, "Washed, in bags"),
    Column("brand", text, "Hill Farm"),
    Column("product_type", text, "finished_good"),
    Column("category", text, "leafy-greens", aliases=("category slug",)),
    Column("unit_weight_g", whole, 1000),
    Column("catch_weight", truth, False),
    Column("gtin", text, "04006381333931", aliases=("ean", "upc")),
    Column("barcode", text, ""),
    Column("price", decimal, "42.50", aliases=("selling price",)),
    Column("cost_price", decimal, "30.00", aliases=("cost",)),
    Column("min_stock_level", decimal, "10"),
    Column("max_stock_level", decimal, "500"),
    Column("reorder_point", decimal, "50"),
    Column("reorder_quantity", decimal, "200"),
    Column("quality_grade", text, "good"),
    Column("perishable", truth, True),
    Column("shelf_life_days", whole, 7),
    Column("storage_type", text, "cold_storage"),
    Column("storage_temperature_min_c", measure, 1),
    Column("storage_temperature_max_c", measure, 5),
    Column("is_b2c_available", truth, False),
    Column("status", text, "active"),
)


def check(values: Values) -> None:
    """Whether each field can be so, by itself.

    Raises:
        RowRefused: when one cannot.
    """
    try:
        ProductUpdate.model_validate({name: value for name, value in values.items() if name != "category"})
    except ValidationError as error:
        raise refused(error) from None


async def apply(db: AsyncSession, values: Values, by: By) -> Outcome:
    """Add the product, or change what the row says of it."""
    said = {name: value for name, value in values.items() if name != "category"}
    if "category" in values:
        said["category_id"] = await _category(db, str(values["category"]))
    product = (await db.scalars(select(Product).where(Product.sku == values["sku"]))).one_or_none()
    try:
        if product is None:
            await catalog.create_product(db, new=ProductCreate.model_validate(said), created_by=by.user_id)
            return Outcome.CREATED
        before = product.version
        product = await catalog.update_product(db, product.id, changes=ProductUpdate.model_validate(said))
    except ValidationError as error:
        raise refused(error) from None
    return Outcome.UNCHANGED if product.version == before else Outcome.UPDATED


async def export(db: AsyncSession, _by: By) -> AsyncIterator[Mapping[str, Cell]]:
    """Every product, oldest first."""
    after: uuid.UUID | None = None
    while True:
        following = select(Product, Category.slug).outerjoin(Category, Category.id == Product.category_id)
        if after is not None:
            following = following.where(Product.id > after)
        rows = (await db.execute(following.order_by(Product.id).limit(_AT_ONCE))).all()
        for product, slug in rows:
            yield {
                column.name: slug if column.name == "category" else _cell(product, column.name) for column in COLUMNS
            }
        if len(rows) < _AT_ONCE:
            return
        after = rows[-1][0].id


def _cell(product: Product, name: str) -> Cell:
    value: Cell | float = getattr(product, name)
    if name in _PRICES and isinstance(value, int):
        return unit_price_from_integer(value)
    # a code may have a form that spreadsheets take for a number: it stays text
    return str(value) if isinstance(value, float) else value


async def _category(db: AsyncSession, slug: str) -> uuid.UUID:
    found = await db.scalar(select(Category.id).where(Category.slug == slug, Category.archived_at.is_(None)))
    if found is None:
        raise RowRefused([Detail("category", f"no category has the slug {slug!r}: add it, or import it first")])
    return found


PRODUCTS = Entity(
    name="products",
    columns=COLUMNS,
    key=("sku",),
    read_permission="products:read",
    write_permission="products:write",
    check=check,
    apply=apply,
    export=export,
    said_by={"category_id": "category"},
)
