"""What a route asks for to know which places the caller may see."""

from typing import Annotated

from fastapi import Depends

from cloud_api.kernel.permissions import CurrentPrincipal
from cloud_api.kernel.unit_of_work import Db
from cloud_api.places import service
from cloud_api.places.queries import Visible


async def visible_places(db: Db, principal: CurrentPrincipal) -> Visible:
    """The places that this request may see and name."""
    return await service.visible_to(db, principal)


VisiblePlaces = Annotated[Visible, Depends(visible_places, scope="function")]
