"""What a route asks for to know which returns the caller may see and ask for: those of the orders they may see."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel.permissions import CurrentPrincipal, Principal
from cloud_api.kernel.unit_of_work import Db
from cloud_api.orders.book.queries import VisibleOrders
from cloud_api.places import service as places


async def visible_orders(db: AsyncSession, principal: Principal, permission: str) -> VisibleOrders:
    """The orders of which somebody with `permission` may see the returns: a customer their own."""
    seen = await places.visible_to(db, principal)
    return VisibleOrders(seen, principal.id if principal.may_only_own(permission) else None)


def _visible(permission: str) -> Callable[[Db, CurrentPrincipal], Awaitable[VisibleOrders]]:
    async def of_the_caller(db: Db, principal: CurrentPrincipal) -> VisibleOrders:
        return await visible_orders(db, principal, permission)

    return of_the_caller


ReturnsToRead = Annotated[VisibleOrders, Depends(_visible("returns:read"), scope="function")]
ReturnsToWrite = Annotated[VisibleOrders, Depends(_visible("returns:write"), scope="function")]
ReturnsToProcess = Annotated[VisibleOrders, Depends(_visible("returns:process"), scope="function")]
ReturnsToRefund = Annotated[VisibleOrders, Depends(_visible("returns:refund"), scope="function")]
