"""`/api/v1/notifications` and `/api/v1/mobile/devices`: each person's own."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy import select

from cloud_api.identity.sessions.dependencies import Person
from cloud_api.kernel.errors import NotFound
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import CurrentPrincipal
from cloud_api.kernel.unit_of_work import Db
from cloud_api.notifications import service
from cloud_api.notifications.models import Notification, Phone
from cloud_api.notifications.schemas import NotificationRead, PhoneRead, PhoneRegister

router = APIRouter(tags=["notifications"], route_class=ApiRoute)


@router.get("/notifications", response_model=list[NotificationRead])
async def list_notifications(
    db: Db, principal: CurrentPrincipal, query: Annotated[PageQuery, Depends()]
) -> Page[Notification]:
    """One's own, newest first."""
    return await page(db, select(Notification).where(Notification.user_id == principal.id), Notification.id, query)


@router.put("/notifications/{id}/read", response_model=NotificationRead)
async def mark_notification_read(db: Db, principal: CurrentPrincipal, id: uuid.UUID) -> Notification:
    """Seen."""
    notification = await db.get(Notification, id)
    if notification is None or notification.user_id != principal.id:
        raise NotFound(f"you have no notification with id {id}")
    notification.is_read = True
    return notification


@router.get("/mobile/devices", response_model=list[PhoneRead])
async def list_phones(db: Db, principal: CurrentPrincipal, query: Annotated[PageQuery, Depends()]) -> Page[Phone]:
    """One's own phones."""
    return await page(db, select(Phone).where(Phone.user_id == principal.id), Phone.id, query)


@router.post("/mobile/devices", response_model=PhoneRead, status_code=201)
async def register_phone(db: Db, principal: Person, body: PhoneRegister) -> Phone:
    """Let this phone take pushes."""
    return await service.register_phone(
        db, user_id=principal.id, platform=body.platform, registration=body.registration
    )


@router.delete("/mobile/devices/{id}", status_code=204)
async def unregister_phone(db: Db, principal: CurrentPrincipal, id: uuid.UUID) -> None:
    """Send nothing more to this phone."""
    await service.unregister_phone(db, id, user_id=principal.id)
