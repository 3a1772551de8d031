"""Building an organisation's index again, from what the rooms have: in pieces, while it is in use, and repeatable."""

import uuid
from collections.abc import Awaitable, Callable, Sequence

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.organizations.models import Organization
from cloud_api.kernel import clock, outbox
from cloud_api.kernel.db import Database
from cloud_api.kernel.tenancy import OrganizationScope
from cloud_api.search import service
from cloud_api.search.events import ReindexRequested
from cloud_api.search.service import Entry

log = structlog.get_logger(__name__)

#: of one room: what follows the thing of this id, in the order of their ids, a few hundred at a time; [] at the end
Everything = Callable[[AsyncSession, uuid.UUID | None], Awaitable[Sequence[Entry]]]


async def request_reindex(db: AsyncSession) -> int:
    """Have the index of every organisation built again; of how many. Needs a system session."""
    organization_ids = (await db.scalars(select(Organization.id).order_by(Organization.id))).all()
    for organization_id in organization_ids:
        outbox.emit(db, ReindexRequested(), organization_id=organization_id)
    return len(organization_ids)


def reindexer(rooms: Sequence[Everything]) -> Callable[[Database, uuid.UUID, ReindexRequested], Awaitable[None]]:
    """What does it, an effect of the outbox: begun again, it begins from the start."""

    async def reindex(database: Database, organization_id: uuid.UUID, _event: ReindexRequested) -> None:
        scope, begun_at, count = OrganizationScope(organization_id), clock.now(), 0
        async with database.unit_of_work(scope) as db:
            await service.unlearn(db)
        for everything in rooms:
            after: uuid.UUID | None = None
            while True:
                async with database.unit_of_work(scope) as db:
                    entries = await everything(db, after)
                    for entry in entries:
                        await service.renew(db, entry)
                if not entries:
                    break
                after, count = max(entry.id for entry in entries), count + len(entries)
        async with database.unit_of_work(scope) as db:
            await service.forget_older(db, begun_at)
        log.info("search_index_rebuilt", organization_id=str(organization_id), entries=count)

    return reindex
