"""Products on the shelves of the catalogue: the tree with its counts, and what a shelf that goes leaves behind."""

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.categories import service as categories
from cloud_api.catalog.categories.models import Category
from cloud_api.catalog.categories.schemas import CategoryNode, CategoryRead
from cloud_api.catalog.products import finding
from cloud_api.catalog.products.models import Product
from cloud_api.kernel import clock


async def tree(db: AsyncSession) -> list[CategoryNode]:
    """All categories below each other, with how many products are in them that were not discontinued."""
    counted = select(Product.category_id, func.count()).where(Product.status != "discontinued")
    rows = await db.execute(counted.group_by(Product.category_id))
    counts = Counter({category_id: count for category_id, count in rows if category_id is not None})
    below: dict[uuid.UUID | None, list[Category]] = {}
    for category in await categories.all_of_them(db):
        below.setdefault(category.parent_id, []).append(category)
    return _nodes(below, None, counts)


async def delete_category(db: AsyncSession, category_id: uuid.UUID) -> None:
    """Delete a category; its children and its products move to where it was.

    Raises:
        NotFound: when there is none.
        AlreadyExists: when a child has the name of one that is there already.
    """
    gone = await categories.delete_category(db, category_id)
    on_it = select(Product).where(Product.category_id == category_id).order_by(Product.id)
    products = (await db.scalars(on_it.with_for_update(key_share=True))).all()
    for product in products:
        product.category_id = gone.parent_id
        product.version += 1
        product.updated_at = clock.now()
    await db.flush()
    await finding.put_all(db, products)


def _nodes(
    below: Mapping[uuid.UUID | None, Sequence[Category]], parent_id: uuid.UUID | None, counts: Mapping[uuid.UUID, int]
) -> list[CategoryNode]:
    """As deep as `categories.MAX_DEPTH` at most."""
    nodes = []
    for category in below.get(parent_id, ()):
        children = _nodes(below, category.id, counts)
        own = counts.get(category.id, 0)
        nodes.append(
            CategoryNode(
                **CategoryRead.model_validate(category).model_dump(),
                product_count=own,
                total_product_count=own + sum(child.total_product_count for child in children),
                children=children,
            )
        )
    return nodes
