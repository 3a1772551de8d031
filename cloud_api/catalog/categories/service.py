"""The verbs of categories: a tree in which nothing lies within itself."""

import uuid
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.categories.models import Category
from cloud_api.catalog.categories.schemas import CategoryBulk, CategoryChange, CategoryCreate, CategoryUpdate
from cloud_api.catalog.errors import BulkRefused, Cycle, as_details
from cloud_api.kernel import clock, versions
from cloud_api.kernel.errors import AlreadyExists, AppError, Detail, NotFound
from cloud_api.kernel.registers import flush_unique
from cloud_api.search import service as search

KIND = "category"
PERMISSION = "products:read"
_AT_ONCE = 300
#: trees that are deeper are somebody's mistake, and cost every reader
MAX_DEPTH = 50


async def create_category(db: AsyncSession, *, new: CategoryCreate) -> Category:
    """Add a category.

    Raises:
        NotFound: when the parent is not there.
        AlreadyExists: when its slug is taken, or its name under the parent.
    """
    await _check_place(db, None, new.parent_id)
    category = Category(**new.model_dump())
    await _check_free(db, category)
    db.add(category)
    await _keep(db, category)
    return category


async def update_category(db: AsyncSession, category_id: uuid.UUID, *, changes: CategoryUpdate) -> Category:
    """Change what is sent, the parent too; the rest stays.

    Raises:
        NotFound: when the category or the parent is not there.
        StaleVersion: when `changes` was made of another version than there is now.
        Cycle: when it would lie within itself.
        AlreadyExists: as `create_category`.
    """
    if "parent_id" in changes.model_fields_set:
        await _lock_tree(db)
    category = await get_category(db, category_id)
    await versions.count(db, category, seen=changes.version, what=f"category {category.name!r}")
    wanted = changes.model_dump(exclude_unset=True)
    if wanted.get("parent_id", category.parent_id) != category.parent_id:
        await _check_place(db, category_id, wanted["parent_id"])
    with db.no_autoflush:
        for field, value in wanted.items():
            setattr(category, field, value)
        await _check_free(db, category)
    await _keep(db, category)
    return category


async def change_many(db: AsyncSession, *, bulk: CategoryBulk) -> Sequence[Category]:
    """Do all of these changes in their order, or none.

    Raises:
        BulkRefused: naming each that cannot be done, and why.
    """
    await _lock_tree(db)
    done: list[Category] = []
    problems: list[Detail] = []
    for row, change in enumerate(bulk.changes):
        try:
            async with db.begin_nested():
                done.append(await _change(db, change))
        except AppError as error:
            problems += as_details(error, row=row, within="changes")
    if problems:
        raise BulkRefused(problems, of=len(bulk.changes))
    return list({category.id: category for category in done}.values())


async def delete_category(db: AsyncSession, category_id: uuid.UUID) -> Category:
    """Take a category out of the tree; what lies below it moves to where it was. Returns what it was.

    Raises:
        NotFound: when there is none.
        AlreadyExists: when a child has the name of one that is there already.
    """
    await _lock_tree(db)
    category = await get_category(db, category_id)
    category.archived_at = clock.now()
    await db.flush()
    below = select(Category).where(Category.parent_id == category_id, Category.archived_at.is_(None))
    for child in (await db.scalars(below.order_by(Category.id))).all():
        with db.no_autoflush:
            child.parent_id = category.parent_id
            await _check_free(db, child)
        await _keep(db, child)
    await search.forget(db, KIND, category_id)
    return category


async def get_category(db: AsyncSession, category_id: uuid.UUID) -> Category:
    """One category.

    Raises:
        NotFound: when there is none, or it was deleted.
    """
    category = await db.get(Category, category_id)
    if category is None or category.archived_at is not None:
        raise NotFound(f"no category with id {category_id}", field="category_id")
    return category


async def keep_category(db: AsyncSession, category_id: uuid.UUID, *, field: str = "category_id") -> None:
    """Let nobody delete or move this category until the unit of work ends: something is being put into it.

    Raises:
        NotFound: when there is none, or it was deleted.
    """
    there = select(Category.id).where(Category.id == category_id, Category.archived_at.is_(None))
    if await db.scalar(there.with_for_update(read=True)) is None:
        raise NotFound(f"no category with id {category_id}", field=field)


async def below(db: AsyncSession, category_id: uuid.UUID) -> Sequence[uuid.UUID]:
    """The category itself and all that lies below it, in key order."""
    inside = select(Category.id).where(Category.id == category_id).cte(recursive=True)
    inside = inside.union(select(Category.id).join(inside, Category.parent_id == inside.c.id))
    its = select(Category.id).where(Category.id.in_(select(inside.c.id)), Category.archived_at.is_(None))
    return (await db.scalars(its.order_by(Category.id))).all()


async def all_of_them(db: AsyncSession) -> Sequence[Category]:
    """Every category, as shelves are walked: by their order, then by name."""
    there = select(Category).where(Category.archived_at.is_(None))
    return (await db.scalars(there.order_by(Category.sort_order, Category.name, Category.id))).all()


async def _change(db: AsyncSession, change: CategoryChange) -> Category:
    if change.category is not None and change.action == "create":
        return await create_category(db, new=change.category)
    assert change.id is not None  # noqa: S101 - the schema has seen to it
    match change.action:
        case "move":
            changes = CategoryUpdate(parent_id=change.parent_id)
        case "reorder":
            changes = CategoryUpdate(sort_order=change.sort_order or 0)
        case _:
            changes = CategoryUpdate(is_active=change.action == "activate")
    return await update_category(db, change.id, changes=changes)


async def _lock_tree(db: AsyncSession) -> None:
    """Let nobody else move anything until the unit of work ends: two moves that are right alone may make a ring."""
    await db.execute(select(Category.id).order_by(Category.id).with_for_update(key_share=True))


async def _check_place(db: AsyncSession, category_id: uuid.UUID | None, parent_id: uuid.UUID | None) -> None:
    """Whether a category may lie under a parent."""
    if parent_id is not None:
        await keep_category(db, parent_id, field="parent_id")
    at, depth = parent_id, 0
    while at is not None:
        if at == category_id:
            raise Cycle("a category cannot lie within itself: choose a parent that is not below it", field="parent_id")
        at, depth = (await db.get_one(Category, at)).parent_id, depth + 1
        if depth >= MAX_DEPTH:
            raise Cycle(f"categories lie at most {MAX_DEPTH} deep", field="parent_id")


async def _check_free(db: AsyncSession, category: Category) -> None:
    """Whether the name is free under the parent, and the slug anywhere."""
    there = select(Category).where(Category.archived_at.is_(None), Category.id != category.id)
    under = Category.parent_id == category.parent_id if category.parent_id else Category.parent_id.is_(None)
    namesakes = there.where((Category.slug == category.slug) | (under & (Category.name == category.name)))
    for other in await db.scalars(namesakes):
        if other.slug == category.slug:
            raise AlreadyExists(f"slug {category.slug!r} is taken by {other.name!r}", field="slug")
        raise AlreadyExists(f"another category is called {category.name!r} there", field="name")


async def _keep(db: AsyncSession, category: Category) -> None:
    await flush_unique(db, "another category has this slug, or this name under the same parent", field="slug")
    await search.put(db, _entry(category))


async def everything(db: AsyncSession, after: uuid.UUID | None) -> Sequence[search.Entry]:
    """Categories as they are found, in the order of their ids."""
    following = select(Category).where(Category.archived_at.is_(None)).order_by(Category.id).limit(_AT_ONCE)
    if after is not None:
        following = following.where(Category.id > after)
    return [_entry(category) for category in await db.scalars(following)]


def _entry(category: Category) -> search.Entry:
    return search.Entry(
        kind=KIND,
        id=category.id,
        title=category.name,
        code=category.slug,
        text=category.description,
        facets={"is_active": str(category.is_active).lower()},
        permission=PERMISSION,
    )
