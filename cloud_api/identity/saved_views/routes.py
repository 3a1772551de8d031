"""`/api/v1/auth/me/saved-views`: filters of a page under a name, each person's own."""

import uuid
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query

from cloud_api.identity.saved_views import service
from cloud_api.identity.saved_views.models import SavedView
from cloud_api.identity.saved_views.schemas import PAGE_PATTERN, SavedViewRead, SavedViewSave
from cloud_api.identity.sessions.dependencies import Person
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.unit_of_work import Db

router = APIRouter(prefix="/auth/me/saved-views", tags=["auth"], route_class=ApiRoute)


@router.get("", response_model=list[SavedViewRead])
async def list_saved_views(
    db: Db, principal: Person, page: Annotated[str | None, Query(max_length=200, pattern=PAGE_PATTERN)] = None
) -> Sequence[SavedView]:
    """One's own, of a page or of all, by name."""
    return await service.views_of(db, principal.id, page=page)


@router.put("", response_model=SavedViewRead)
async def save_view(db: Db, principal: Person, body: SavedViewSave) -> SavedView:
    """Keep what a page shows; one of this name on the page is replaced."""
    return await service.save(db, user_id=principal.id, page=body.page, name=body.name, query=body.query)


@router.delete("/{id}", status_code=204)
async def delete_saved_view(db: Db, principal: Person, id: uuid.UUID) -> None:
    """Forget one of one's own."""
    await service.remove(db, id, user_id=principal.id)
