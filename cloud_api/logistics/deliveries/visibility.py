"""What a route asks for to know which drives the caller may see."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel.permissions import CurrentPrincipal, Principal
from cloud_api.kernel.unit_of_work import Db
from cloud_api.logistics.deliveries.queries import VisibleRoutes
from cloud_api.places import service as places


async def visible_routes(db: AsyncSession, principal: Principal, permission: str) -> VisibleRoutes:
    """The drives that somebody with `permission` may see: a driver their own."""
    if principal.may_only_own(permission):
        return VisibleRoutes(driver_id=principal.id)
    return VisibleRoutes(await places.visible_to(db, principal))


def _visible(permission: str) -> Callable[[Db, CurrentPrincipal], Awaitable[VisibleRoutes]]:
    async def of_the_caller(db: Db, principal: CurrentPrincipal) -> VisibleRoutes:
        return await visible_routes(db, principal, permission)

    return of_the_caller


async def _driven(principal: CurrentPrincipal) -> VisibleRoutes:
    return VisibleRoutes(driver_id=principal.id)


#: of whoever may read routes
RoutesToRead = Annotated[VisibleRoutes, Depends(_visible("routes:read"), scope="function")]
#: of whoever may read deliveries
DeliveriesToRead = Annotated[VisibleRoutes, Depends(_visible("deliveries:read"), scope="function")]
#: of whoever may plan routes
RoutesToWrite = Annotated[VisibleRoutes, Depends(_visible("routes:write"), scope="function")]
#: of whoever may change deliveries, and of whoever may say what became of them
DeliveriesToWrite = Annotated[VisibleRoutes, Depends(_visible("deliveries:write"), scope="function")]
DeliveriesToMove = Annotated[VisibleRoutes, Depends(_visible("deliveries:update_status"), scope="function")]
#: on the phone everybody is a driver, whatever else they may see
OwnDrives = Annotated[VisibleRoutes, Depends(_driven)]
