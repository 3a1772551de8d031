"""Lists of phones' keys and commands, for those who look after them."""

import uuid

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.logistics.deliveries.models import Delivery, Route
from cloud_api.logistics.deliveries.queries import VisibleRoutes
from cloud_api.logistics.sync.models import PhoneCommand, PhoneKey
from cloud_api.logistics.sync.schemas import CommandRead, KeyRead


async def keys(db: AsyncSession, query: PageQuery, *, whose: uuid.UUID | None) -> Page[KeyRead]:
    """Keys, newest first, those of `whose`; None: everybody's."""
    statement = select(PhoneKey)
    if whose is not None:
        statement = statement.where(PhoneKey.user_id == whose)
    found = await page(db, statement, PhoneKey.id, query)
    return Page([KeyRead.model_validate(key) for key in found.items], found.limit, found.next_cursor)


async def commands(
    db: AsyncSession, query: PageQuery, *, seen: VisibleRoutes, result: str | None = None
) -> Page[CommandRead]:
    """Commands about what may be seen, newest first; those with one result if one is named."""
    statement = select(PhoneCommand).where(
        or_(
            PhoneCommand.target_id.in_(select(Delivery.id).where(seen.deliveries())),
            PhoneCommand.target_id.in_(select(Route.id).where(seen.routes())),
        )
    )
    if result is not None:
        statement = statement.where(PhoneCommand.result == result)
    found = await page(db, statement, PhoneCommand.id, query)
    return Page([CommandRead.model_validate(row) for row in found.items], found.limit, found.next_cursor)
