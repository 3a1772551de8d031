"""Tags: words that products can be found by."""

import uuid

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.products import finding
from cloud_api.catalog.products.models import Product, ProductTag, Tag
from cloud_api.catalog.products.part_schemas import ProductTagCreate
from cloud_api.kernel.errors import NotFound
from cloud_api.kernel.registers import flush_unique


async def create_tag(db: AsyncSession, *, new: ProductTagCreate) -> Tag:
    """Add a tag.

    Raises:
        AlreadyExists: when its name is taken.
    """
    tag = Tag(**new.model_dump())
    db.add(tag)
    await flush_unique(db, f"there is a tag {new.name!r} already", field="name")
    return tag


async def delete_tag(db: AsyncSession, tag_id: uuid.UUID) -> None:
    """Take a tag away, from whatever has it too.

    Raises:
        NotFound: when there is none.
    """
    tag = await db.get(Tag, tag_id)
    if tag is None:
        raise NotFound(f"no tag with id {tag_id}", field="tag_id")
    worn = (await db.scalars(select(ProductTag).where(ProductTag.tag_id == tag_id).order_by(ProductTag.id))).all()
    for row in worn:
        await db.delete(row)
    await db.flush()
    await db.delete(tag)
    await db.flush()
    products = select(Product).where(Product.id.in_({row.product_id for row in worn})).order_by(Product.id)
    await finding.put_all(db, (await db.scalars(products)).all())
