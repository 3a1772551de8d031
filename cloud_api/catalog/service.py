"""The verbs of the catalogue."""

import uuid

from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.models import Category, Product
from cloud_api.catalog.schemas import ProductCreate
from cloud_api.kernel import clock
from cloud_api.kernel.errors import Invalid, NotFound
from cloud_api.kernel.registers import flush_unique


async def create_product(db: AsyncSession, *, new: ProductCreate) -> Product:
    """Add a product.

    Raises:
        Invalid: when the storage temperatures are the wrong way round.
        NotFound: when the category is not there.
        AlreadyExists: when its stock-keeping number is taken.
    """
    low, high = new.storage_temperature_min_c, new.storage_temperature_max_c
    if low is not None and high is not None and low > high:
        raise Invalid(
            "storage_temperature_min_c must not be above storage_temperature_max_c", field="storage_temperature_min_c"
        )
    if new.category_id is not None and await db.get(Category, new.category_id) is None:
        raise NotFound(f"no category with id {new.category_id}", field="category_id")
    product = Product(**new.model_dump(), created_at=clock.now())
    db.add(product)
    await flush_unique(db, f"sku {new.sku!r} is taken", field="sku")
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
