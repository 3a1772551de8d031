"""What a route asks for to know which returns the caller may see and ask for: those of the orders they may see."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends

from cloud_api.kernel.permissions import CurrentPrincipal
from cloud_api.orders.book.queries import VisibleOrders
from cloud_api.places.visibility import VisiblePlaces


def _visible(permission: str) -> Callable[[VisiblePlaces, CurrentPrincipal], Awaitable[VisibleOrders]]:
    async def visible_returns(places: VisiblePlaces, principal: CurrentPrincipal) -> VisibleOrders:
        return VisibleOrders(places, principal.id if principal.may_only_own(permission) else None)

    return visible_returns


ReturnsToRead = Annotated[VisibleOrders, Depends(_visible("returns:read"), scope="function")]
ReturnsToWrite = Annotated[VisibleOrders, Depends(_visible("returns:write"), scope="function")]
ReturnsToProcess = Annotated[VisibleOrders, Depends(_visible("returns:process"), scope="function")]
ReturnsToRefund = Annotated[VisibleOrders, Depends(_visible("returns:refund"), scope="function")]
