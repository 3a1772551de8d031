"""One request, one unit of work: the dependencies by which a route asks for it.

They end before the response leaves (`scope="function"`): a commit that fails is an error the caller sees.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, TypeVar

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel import idempotency
from cloud_api.kernel.addresses import client_address as client_address
from cloud_api.kernel.db import Database
from cloud_api.kernel.permissions import OPEN_IN_DUTY, CurrentPrincipal, Principal
from cloud_api.kernel.tenancy import Actor, SystemScope

_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_NEVER_GATED = "coldfleet_never_gated"
F = TypeVar("F", bound=Callable[..., object])

#: registered by `main`, asked before anybody but a gateway writes; raises when nobody may now
WriteGate = Callable[[Database], Awaitable[None]]


def never_gated(endpoint: F) -> F:
    """Mark a route as open however the gates stand: signing out, and what opens them again."""
    setattr(endpoint, _NEVER_GATED, True)
    return endpoint


def _actor(request: Request, principal: Principal) -> Actor:
    return Actor(principal.kind, principal.id, principal.name, client_address(request), principal.organization_id)


async def pass_gates(request: Request, principal: Principal) -> None:
    """Let reading, gateways, and what belongs to signing in through; ask the gates about everything else."""
    endpoint = request.scope.get("endpoint")
    exempt = getattr(endpoint, _NEVER_GATED, False) or getattr(endpoint, OPEN_IN_DUTY, False)
    if request.method in _READING or principal.kind == "gateway" or exempt:
        return
    gates: Sequence[WriteGate] = getattr(request.app.state, "write_gates", ())
    for gate in gates:
        await gate(request.app.state.database)


async def unit_of_work(request: Request, principal: CurrentPrincipal) -> AsyncIterator[AsyncSession]:
    """The transaction of this request, confined to the principal's organisation."""
    await pass_gates(request, principal)
    database: Database = request.app.state.database
    read_only = request.method in _READING
    actor = _actor(request, principal)
    async with database.unit_of_work(principal.scope, read_only=read_only, actor=actor) as db:
        request.state.db = db
        if not read_only and principal.kind != "gateway":
            await idempotency.claim(db, request, principal)
        yield db


Db = Annotated[AsyncSession, Depends(unit_of_work, scope="function")]


async def keyed_unit_of_work(request: Request, principal: CurrentPrincipal) -> AsyncIterator[AsyncSession | None]:
    """The transaction of a request with an `Idempotency-Key`; None without one: it may be served with others."""
    if idempotency.HEADER not in request.headers:
        await pass_gates(request, principal)
        yield None
        return
    async with asynccontextmanager(unit_of_work)(request, principal) as db:
        yield db


KeyedDb = Annotated[AsyncSession | None, Depends(keyed_unit_of_work, scope="function")]


def system_unit_of_work(reason: str, *, read_only: bool = False) -> Callable[[Request], AsyncIterator[AsyncSession]]:
    """A dependency for requests that come before anybody is known: signing in, provisioning."""

    async def open_unit(request: Request) -> AsyncIterator[AsyncSession]:
        database: Database = request.app.state.database
        actor = Actor("nobody", None, "", client_address(request))
        async with database.unit_of_work(SystemScope(reason), read_only=read_only, actor=actor) as db:
            yield db

    return open_unit


def platform_unit_of_work(reason: str) -> Callable[[Request, CurrentPrincipal], AsyncIterator[AsyncSession]]:
    """A dependency for operators of the platform: the route requires a permission that nobody else holds."""

    async def open_unit(request: Request, principal: CurrentPrincipal) -> AsyncIterator[AsyncSession]:
        await pass_gates(request, principal)
        database: Database = request.app.state.database
        read_only = request.method in _READING
        actor = _actor(request, principal)
        async with database.unit_of_work(SystemScope(reason), read_only=read_only, actor=actor) as db:
            yield db

    return open_unit
