"""One request, one unit of work: the dependencies by which a route asks for it.

They end before the response leaves (`scope="function"`): a commit that fails is an error the caller sees.
"""

from collections.abc import AsyncIterator, Callable
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel import idempotency
from cloud_api.kernel.db import Database
from cloud_api.kernel.permissions import CurrentPrincipal
from cloud_api.kernel.tenancy import SystemScope

_READING = frozenset({"GET", "HEAD", "OPTIONS"})


async def unit_of_work(request: Request, principal: CurrentPrincipal) -> AsyncIterator[AsyncSession]:
    """The transaction of this request, confined to the principal's organisation."""
    database: Database = request.app.state.database
    read_only = request.method in _READING
    async with database.unit_of_work(principal.scope, read_only=read_only) as db:
        request.state.db = db
        if not read_only and principal.kind == "user":
            await idempotency.claim(db, request, principal)
        yield db


Db = Annotated[AsyncSession, Depends(unit_of_work, scope="function")]


def system_unit_of_work(reason: str) -> Callable[[Request], AsyncIterator[AsyncSession]]:
    """A dependency for requests that come before anybody is known: signing in, provisioning."""

    async def open_unit(request: Request) -> AsyncIterator[AsyncSession]:
        database: Database = request.app.state.database
        async with database.unit_of_work(SystemScope(reason)) as db:
            yield db

    return open_unit
