"""`/api/v1/mobile/devices`: each person's own phones."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy import select

from cloud_api.identity.sessions.dependencies import Person
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import CurrentPrincipal
from cloud_api.kernel.unit_of_work import Db
from cloud_api.notifications import phones
from cloud_api.notifications.models import Phone
from cloud_api.notifications.schemas import PhoneDetailRead, PhoneRead, PhoneRegister, PhoneUpdate, TestPushSent

router = APIRouter(prefix="/mobile/devices", tags=["notifications"], route_class=ApiRoute)


@router.get("", response_model=list[PhoneRead])
async def list_phones(db: Db, principal: CurrentPrincipal, query: Annotated[PageQuery, Depends()]) -> Page[Phone]:
    """One's own phones."""
    return await page(db, select(Phone).where(Phone.user_id == principal.id), Phone.id, query)


@router.post("", response_model=PhoneRead, status_code=201)
async def register_phone(db: Db, principal: Person, body: PhoneRegister) -> Phone:
    """Let this phone take pushes."""
    return await phones.register_phone(db, user_id=principal.id, **body.model_dump())


@router.get("/{id}", response_model=PhoneDetailRead)
async def get_phone(db: Db, principal: CurrentPrincipal, id: uuid.UUID) -> PhoneDetailRead:
    """One of one's own, and what became of the last push to it."""
    return await phones.read_phone(db, id, user_id=principal.id)


@router.put("/{id}", response_model=PhoneRead)
async def update_phone(db: Db, principal: CurrentPrincipal, id: uuid.UUID, body: PhoneUpdate) -> Phone:
    """Another registration, version or language; the phone takes pushes again."""
    return await phones.update_phone(db, id, changes=body, user_id=principal.id)


@router.delete("/{id}", status_code=204)
async def unregister_phone(db: Db, principal: CurrentPrincipal, id: uuid.UUID) -> None:
    """Send nothing more to this phone."""
    await phones.unregister_phone(db, id, user_id=principal.id)


@router.post("/{id}/test", response_model=TestPushSent, status_code=202)
async def test_phone(db: Db, principal: CurrentPrincipal, id: uuid.UUID) -> dict[str, uuid.UUID]:
    """Push to this phone alone, by the way that every push goes. Then ask for the phone: `last_push` says what became
    of it.
    """
    return {"notification_id": (await phones.try_phone(db, id, user_id=principal.id)).id}
