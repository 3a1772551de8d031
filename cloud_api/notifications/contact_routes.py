"""`/api/v1/notifications/templates` and `/notifications/contact-messages`: what is said, and who outside was told."""

import uuid
from collections.abc import Awaitable, Callable
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import CurrentPrincipal, Principal, require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.notifications import contacts, queries, templates
from cloud_api.notifications.models import ContactMessage
from cloud_api.notifications.schemas import (
    ContactMessageRead,
    TemplatePreview,
    TemplatePut,
    TemplateRead,
    TemplateTry,
)

router = APIRouter(prefix="/notifications", tags=["notifications"], route_class=ApiRoute)
TELLING = [require("notifications:send")]

#: registered by `main`: the warehouses that somebody is confined to, or None
SeenWarehouses = Callable[[AsyncSession, Principal], Awaitable[frozenset[uuid.UUID] | None]]


@router.get("/templates", response_model=list[TemplateRead], dependencies=TELLING)
async def list_templates(db: Db) -> list[TemplateRead]:
    """The words in force, by kind, channel and language: the built-in ones, and the organisation's own."""
    return [templates.read(known) for known in await templates.list_templates(db)]


@router.put("/templates/{key}", response_model=TemplateRead, dependencies=TELLING)
async def put_template(db: Db, key: str, body: TemplatePut) -> TemplateRead:
    """Say it in other words: values in double braces, conditions, and the filters upper, lower, capitalize, title and
    trim. Without `body`: back to the built-in words.
    """
    return templates.read(await templates.put_template(db, key, **body.model_dump()))


@router.post("/templates/{key}/preview", response_model=TemplatePreview, dependencies=TELLING)
async def preview_template(key: str, body: TemplateTry) -> TemplatePreview:
    """How words would read with usual values, and whether they could be said; nothing is kept."""
    return templates.preview(key, **body.model_dump())


@router.get("/contact-messages", response_model=list[ContactMessageRead], dependencies=TELLING)
async def list_contact_messages(
    db: Db,
    request: Request,
    principal: CurrentPrincipal,
    query: Annotated[PageQuery, Depends()],
    subject: Annotated[str | None, Query(max_length=80)] = None,
    status: Literal["waiting", "sent", "refused", "expired"] | None = None,
    template: Annotated[str | None, Query(max_length=60)] = None,
) -> Page[ContactMessageRead]:
    """Who outside was told what, as `subject=order:<id>`, and whether it arrived; newest first. Numbers and addresses
    are masked.
    """
    seen_warehouses: SeenWarehouses = request.app.state.seen_warehouses
    seen = await seen_warehouses(db, principal)
    theirs = queries.contact_messages(seen=seen, subject=subject, status=status, template=template)
    found = await page(db, theirs, ContactMessage.id, query)
    return Page([contacts.read(message) for message in found.items], found.limit, found.next_cursor)
