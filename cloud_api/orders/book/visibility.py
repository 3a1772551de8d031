"""What a route asks for to know which orders the caller may see and give up."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends

from cloud_api.kernel.permissions import CurrentPrincipal
from cloud_api.orders.book.queries import VisibleOrders
from cloud_api.places.visibility import VisiblePlaces


def _visible(permission: str) -> Callable[[VisiblePlaces, CurrentPrincipal], Awaitable[VisibleOrders]]:
    async def visible_orders(places: VisiblePlaces, principal: CurrentPrincipal) -> VisibleOrders:
        return VisibleOrders(places, principal.id if principal.may_only_own(permission) else None)

    return visible_orders


#: of whoever may read orders
OrdersToRead = Annotated[VisibleOrders, Depends(_visible("orders:read"), scope="function")]
#: of whoever may take and give up orders
OrdersToWrite = Annotated[VisibleOrders, Depends(_visible("orders:write"), scope="function")]
#: of whoever may confirm and pack orders
OrdersToFulfill = Annotated[VisibleOrders, Depends(_visible("orders:fulfill"), scope="function")]
