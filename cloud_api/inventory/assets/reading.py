"""Items and check-outs with what is read beside them: who has what, by name."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.people import service as people
from cloud_api.identity.people.models import User
from cloud_api.identity.teams.models import Team
from cloud_api.inventory.assets import queries
from cloud_api.inventory.assets.models import Item, ItemCheckout
from cloud_api.inventory.assets.schemas import BorrowerRead, CheckoutRead, ItemRead
from cloud_api.kernel.paging import Page, PageQuery, page


async def read_items(db: AsyncSession, items: Sequence[Item]) -> list[ItemRead]:
    """These, each with who has it or has asked for it."""
    held = (await db.scalars(queries.open_checkouts([item.id for item in items]))).all()
    by_item = {one.item_id: one for one in await read_checkouts(db, held)}
    return [
        ItemRead.model_validate(
            {name: getattr(item, name) for name in ItemRead.model_fields if name != "checkout"}
            | {"checkout": by_item.get(item.id)}
        )
        for item in items
    ]


async def read_item(db: AsyncSession, item: Item) -> ItemRead:
    """The same of one."""
    [read] = await read_items(db, [item])
    return read


async def read_checkouts(db: AsyncSession, rows: Sequence[ItemCheckout]) -> list[CheckoutRead]:
    """These, each with what who has it is called: of people that is not kept beside them."""
    names = await people.names_of(db, {row.user_id for row in rows})
    return [
        CheckoutRead.model_validate(row).model_copy(
            update={"holder": names.get(row.user_id, "") if row.user_id else row.assignee_name}
        )
        for row in rows
    ]


async def read_checkout(db: AsyncSession, row: ItemCheckout) -> CheckoutRead:
    """The same of one."""
    [read] = await read_checkouts(db, [row])
    return read


async def borrowers(db: AsyncSession, query: PageQuery) -> Page[BorrowerRead]:
    """Active people who work here, by name and nothing else."""
    found = await page(db, people.staff(), User.id, query)
    named = [BorrowerRead(id=one.id, name=one.full_name or one.username) for one in found.items]
    return Page(named, found.limit, found.next_cursor)


async def borrowing_teams(db: AsyncSession, query: PageQuery) -> Page[BorrowerRead]:
    """Teams, by name and nothing else."""
    found = await page(db, select(Team), Team.id, query)
    return Page([BorrowerRead.model_validate(one) for one in found.items], found.limit, found.next_cursor)
