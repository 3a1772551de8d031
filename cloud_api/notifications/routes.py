"""`/api/v1/notifications`: each person's own; and the lists of who is on call."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy import select

from cloud_api.identity.sessions.dependencies import Person
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.notifications import on_call, preferences, queries, service
from cloud_api.notifications.models import Notification, OnCallList
from cloud_api.notifications.schemas import (
    Category,
    NotificationRead,
    NotificationSend,
    NotificationSent,
    NotificationsMarked,
    OnCallListCreate,
    OnCallListRead,
    OnCallListUpdate,
    SettingsChange,
    SettingsRead,
)

router = APIRouter(tags=["notifications"], route_class=ApiRoute)
READING = [require("alerts:read")]
WRITING = [require("alerts:write")]


@router.get("/notifications", response_model=list[NotificationRead])
async def list_notifications(
    db: Db,
    principal: CurrentPrincipal,
    query: Annotated[PageQuery, Depends()],
    unread: bool = False,
    category: Category | None = None,
) -> Page[Notification]:
    """One's own, newest first; of one matter only the newest."""
    theirs = queries.listed(principal.id, unread=unread, category=category)
    return await page(db, theirs, Notification.id, query)


@router.post(
    "/notifications", response_model=NotificationSent, status_code=201, dependencies=[require("notifications:send")]
)
async def send_notification(db: Db, body: NotificationSend) -> dict[str, object]:
    """Write to people by name, by role, or both; everybody once."""
    return {"user_ids": await service.send(db, **dict(body))}


@router.put("/notifications/mark-all-read", response_model=NotificationsMarked)
async def mark_all_notifications_read(db: Db, principal: CurrentPrincipal) -> dict[str, int]:
    """One has seen all of them."""
    return {"marked": await service.mark_all_read(db, user_id=principal.id)}


@router.get("/notifications/settings", response_model=SettingsRead)
async def get_notification_settings(db: Db, principal: Person) -> SettingsRead:
    """What one wants to be told, on which channel, and when not."""
    return await preferences.read_settings(db, principal.id)


@router.put("/notifications/settings", response_model=SettingsRead)
async def change_notification_settings(db: Db, principal: Person, body: SettingsChange) -> SettingsRead:
    """Change what is sent; the rest stays."""
    return await preferences.change_settings(db, principal.id, changes=body)


@router.get("/notifications/on-call-lists", response_model=list[OnCallListRead], dependencies=READING)
async def list_on_call_lists(db: Db, query: Annotated[PageQuery, Depends()]) -> Page[OnCallListRead]:
    """Newest first, each with who of it is on call now."""
    found = await page(db, select(OnCallList), OnCallList.id, query)
    return Page(await on_call.read_lists(db, found.items), found.limit, found.next_cursor)


@router.post("/notifications/on-call-lists", response_model=OnCallListRead, status_code=201, dependencies=WRITING)
async def create_on_call_list(db: Db, body: OnCallListCreate) -> OnCallListRead:
    """Who answers, in order, and when. The first of an organisation is the one that alerts use by themselves."""
    return await on_call.read_list(db, await on_call.create_list(db, new=body))


@router.get("/notifications/on-call-lists/{id}", response_model=OnCallListRead, dependencies=READING)
async def get_on_call_list(db: Db, id: uuid.UUID) -> OnCallListRead:
    """One list, and who of it is on call now."""
    return await on_call.read_list(db, await on_call.get_list(db, id))


@router.put("/notifications/on-call-lists/{id}", response_model=OnCallListRead, dependencies=WRITING)
async def update_on_call_list(db: Db, id: uuid.UUID, body: OnCallListUpdate) -> OnCallListRead:
    """Change what is sent; members are replaced as a whole."""
    return await on_call.read_list(db, await on_call.update_list(db, id, changes=body))


@router.delete("/notifications/on-call-lists/{id}", status_code=204, dependencies=WRITING)
async def delete_on_call_list(db: Db, id: uuid.UUID) -> None:
    """Take it away; steps that name it tell everybody who may answer."""
    await on_call.delete_list(db, id)


@router.put("/notifications/{id}/read", response_model=NotificationRead)
async def mark_notification_read(db: Db, principal: CurrentPrincipal, id: uuid.UUID) -> Notification:
    """Seen."""
    return await service.mark_read(db, id, user_id=principal.id)


@router.delete("/notifications/{id}", status_code=204)
async def delete_notification(db: Db, principal: CurrentPrincipal, id: uuid.UUID) -> None:
    """Take it out of one's list."""
    await service.delete_notification(db, id, user_id=principal.id)
