"""Categories: a row is recognised by its slug. A parent stands above its children, in the file or in the catalogue."""

import uuid
from collections.abc import AsyncIterator, Mapping

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from cloud_api.catalog.categories import service as categories
from cloud_api.catalog.categories.models import Category
from cloud_api.catalog.categories.schemas import CategoryCreate, CategoryUpdate
from cloud_api.exchange.entities.kinds import (
    By,
    Column,
    Entity,
    Outcome,
    RowRefused,
    Values,
    refused,
    text,
    truth,
    whole,
)
from cloud_api.exchange.values import Cell
from cloud_api.kernel.errors import Detail

COLUMNS = (
    Column("slug", text, "leafy-greens", required=True),
    Column("name", text, "Leafy greens"),
    Column("parent", text, "vegetables", aliases=("parent slug",)),
    Column("description", text, "Spinach, chard and the like"),
    Column("sort_order", whole, 10),
    Column("color", text, "#2e7d32"),
    Column("is_active", truth, True),
)


def check(values: Values) -> None:
    """Whether each field can be so, by itself.

    Raises:
        RowRefused: when one cannot.
    """
    try:
        CategoryUpdate.model_validate({name: value for name, value in values.items() if name != "parent"})
    except ValidationError as error:
        raise refused(error) from None


async def apply(db: AsyncSession, values: Values, _by: By) -> Outcome:
    """Add the category, or change what the row says of it."""
    said = {name: value for name, value in values.items() if name != "parent"}
    if "parent" in values:
        parent = await _called(db, str(values["parent"]))
        if parent is None:
            raise RowRefused([Detail("parent", f"no category has the slug {values['parent']!r}: name it further up")])
        said["parent_id"] = parent.id
    category = await _called(db, str(values["slug"]))
    try:
        if category is None:
            await categories.create_category(db, new=CategoryCreate.model_validate(said))
            return Outcome.CREATED
        if all(getattr(category, name) == value for name, value in said.items()):
            return Outcome.UNCHANGED
        await categories.update_category(db, category.id, changes=CategoryUpdate.model_validate(said))
    except ValidationError as error:
        raise refused(error) from None
    return Outcome.UPDATED


async def export(db: AsyncSession, _by: By) -> AsyncIterator[Mapping[str, Cell]]:
    """Every category, each below its parent, so that the file can be imported again."""
    above = aliased(Category)
    rows = await db.execute(
        select(Category, above.slug)
        .outerjoin(above, above.id == Category.parent_id)
        .where(Category.archived_at.is_(None))
        .order_by(Category.id)
    )
    waiting = {category.id: (category, slug) for category, slug in rows}
    told: set[uuid.UUID | None] = {None}
    while waiting:
        ready = [one for one, _ in waiting.values() if one.parent_id in told or one.parent_id not in waiting]
        for category in ready:
            _, parent = waiting.pop(category.id)
            told.add(category.id)
            yield {
                column.name: parent if column.name == "parent" else getattr(category, column.name) for column in COLUMNS
            }


async def _called(db: AsyncSession, slug: str) -> Category | None:
    its = select(Category).where(Category.slug == slug, Category.archived_at.is_(None))
    return (await db.scalars(its)).one_or_none()


CATEGORIES = Entity(
    name="categories",
    columns=COLUMNS,
    key=("slug",),
    read_permission="products:read",
    write_permission="products:write",
    check=check,
    apply=apply,
    export=export,
    said_by={"parent_id": "parent"},
)
