"""Many products at once: each row by itself in a savepoint, and what became of it told by its number."""

import uuid
from collections.abc import Awaitable, Callable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.categories.models import Category
from cloud_api.catalog.errors import BulkRefused, as_details
from cloud_api.catalog.products import finding, service
from cloud_api.catalog.products.models import Product
from cloud_api.catalog.products.schemas import BulkRead, BulkRow, BulkRowRead, ProductBulk, RowProblem
from cloud_api.kernel.errors import AppError, Detail

#: takes a product out of the catalogue; a room above says when it must stay
Discontinue = Callable[[AsyncSession, uuid.UUID], Awaitable[Product]]


async def change_many(
    db: AsyncSession, *, bulk: ProductBulk, discontinue: Discontinue, by: uuid.UUID | None = None
) -> BulkRead:
    """Add, change and discontinue many.

    Args:
        discontinue: what is called for rows that archive.
        by: who does it.

    Raises:
        BulkRefused: when a row cannot be done and all were to be, or none; it names every such row.
    """
    await _lock(db, bulk)
    told: list[BulkRowRead] = []
    problems: list[Detail] = []
    for row, wanted in enumerate(bulk.rows):
        try:
            async with db.begin_nested():
                product_id = await _do(db, wanted, discontinue, by)
            told.append(BulkRowRead(row=row, id=product_id, code=None, problems=[]))
        except AppError as error:
            problems += as_details(error, row=row, within="rows")
            why = [
                RowProblem(field=one.field, message=one.message) for one in as_details(error, row=row, within="rows")
            ]
            told.append(BulkRowRead(row=row, id=None, code=error.code, problems=why))
    if problems and bulk.all_or_nothing:
        raise BulkRefused(problems, of=len(bulk.rows))
    done = {one.id for one in told if one.id is not None}
    products = select(Product).where(Product.id.in_(done)).order_by(Product.id)
    await finding.put_all(db, (await db.scalars(products.execution_options(populate_existing=True))).all())
    failed = sum(one.id is None for one in told)
    return BulkRead(done=len(told) - failed, failed=failed, rows=told)


async def _lock(db: AsyncSession, bulk: ProductBulk) -> None:
    """Lock all that the rows name, in key order whatever theirs is: categories first, then products."""
    facts = [row.product or row.changes for row in bulk.rows]
    shelves = {one.category_id for one in facts if one is not None and one.category_id is not None}
    there = select(Category.id).where(Category.id.in_(shelves)).order_by(Category.id)
    await db.execute(there.with_for_update(read=True))
    named = {row.id for row in bulk.rows if row.id is not None}
    archives = any(row.action == "archive" for row in bulk.rows)  # against new stock too: see `service.discontinue`
    products = select(Product.id).where(Product.id.in_(named)).order_by(Product.id)
    await db.execute(products.with_for_update(key_share=not archives))


async def _do(db: AsyncSession, wanted: BulkRow, discontinue: Discontinue, by: uuid.UUID | None) -> uuid.UUID:
    if wanted.product is not None and wanted.action == "create":
        return (await service.create_product(db, new=wanted.product, created_by=by, indexed=False)).id
    assert wanted.id is not None  # noqa: S101 - the schema has seen to it
    if wanted.changes is not None and wanted.action == "update":
        return (await service.update_product(db, wanted.id, changes=wanted.changes, indexed=False)).id
    return (await discontinue(db, wanted.id)).id
