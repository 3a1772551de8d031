"""Two things at the same moment."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncSession

from tests.platform_under_test import Platform, Tenant

#: how long the other has to come to its end or to a lock; one that comes later tests nothing, and fails nothing
_LET_THE_OTHER_S = 0.2


@asynccontextmanager
async def at_the_same_moment(
    platform: Platform, tenant: Tenant, other: Callable[[AsyncSession], Awaitable[object]]
) -> AsyncIterator[AsyncSession]:
    """A unit of work that commits only when `other`, in one of its own, has ended or waits for it."""

    async def in_its_own() -> None:
        async with platform.database.unit_of_work(tenant.organization) as db:
            await other(db)

    async with platform.database.unit_of_work(tenant.organization) as db:
        yield db
        meanwhile = asyncio.create_task(in_its_own())
        await asyncio.wait({meanwhile}, timeout=_LET_THE_OTHER_S)
    await meanwhile
