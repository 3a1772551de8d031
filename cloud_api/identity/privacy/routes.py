"""`/api/v1/privacy`: a copy of one's personal data, and its erasure."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy import select

from cloud_api.identity.privacy import service
from cloud_api.identity.privacy.models import ErasureRequest, PersonalDataExport
from cloud_api.identity.privacy.schemas import (
    DocumentRead,
    ErasureCreate,
    ErasureRead,
    ExportCreate,
    ExportRead,
)
from cloud_api.identity.sessions.dependencies import Person
from cloud_api.kernel import clock
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import require
from cloud_api.kernel.unit_of_work import Db

router = APIRouter(prefix="/privacy", tags=["system"], route_class=ApiRoute)
MANAGING = [require("privacy:manage")]


def _read(request: Request, export: PersonalDataExport) -> ExportRead:
    status = "expired" if export.expires_at <= clock.now() else export.status
    path = request.app.url_path_for("download_personal_data", id=str(export.id))
    return ExportRead.model_validate(
        {
            "id": export.id,
            "subject_id": export.subject_id,
            "requested_by": export.requested_by,
            "status": status,
            "created_at": export.created_at,
            "ready_at": export.ready_at,
            "expires_at": export.expires_at,
            "download_url": path if status == "ready" else None,
        }
    )


@router.post("/exports", response_model=ExportRead, status_code=202)
async def request_personal_data(request: Request, db: Db, principal: Person, body: ExportCreate) -> ExportRead:
    """Let a copy of all that is kept about oneself be put together; with `privacy:manage` about anybody here."""
    export = await service.request_export(db, subject_id=body.user_id or principal.id, by=principal)
    return _read(request, export)


@router.get("/exports/{id}", response_model=ExportRead)
async def get_personal_data_export(request: Request, db: Db, principal: Person, id: uuid.UUID) -> ExportRead:
    """Whether the copy is ready, and where to fetch it for seven days."""
    return _read(request, await service.get_export(db, id, by=principal))


@router.get("/exports/{id}/download", response_model=DocumentRead)
async def download_personal_data(response: Response, db: Db, principal: Person, id: uuid.UUID) -> DocumentRead:
    """The copy itself."""
    response.headers["Content-Disposition"] = f'attachment; filename="personal-data-{id}.json"'
    response.headers["Cache-Control"] = "no-store"
    return await service.read_document(db, id, by=principal)


@router.post("/erasure-requests", response_model=ErasureRead, status_code=201)
async def request_erasure(db: Db, principal: Person, body: ErasureCreate) -> ErasureRequest:
    """Ask that one's own data be made unreadable; with `privacy:manage` anybody's here."""
    subject_id = body.user_id or principal.id
    return await service.request_erasure(db, subject_id=subject_id, reason=body.reason, by=principal)


@router.get("/erasure-requests", response_model=list[ErasureRead], dependencies=MANAGING)
async def list_erasure_requests(db: Db, query: Annotated[PageQuery, Depends()]) -> Page[ErasureRequest]:
    """Newest first."""
    return await page(db, select(ErasureRequest), ErasureRequest.id, query)


@router.post("/erasure-requests/{id}/execute", response_model=ErasureRead, dependencies=MANAGING)
async def execute_erasure(request: Request, db: Db, principal: Person, id: uuid.UUID) -> ErasureRequest:
    """Make the person's data unreadable. What the books and the trail have of them stays."""
    holders = request.app.state.personal_data
    return await service.execute_erasure(db, id, holders=holders, by=principal)


@router.post("/erasure-requests/{id}/cancel", response_model=ErasureRead)
async def cancel_erasure(db: Db, principal: Person, id: uuid.UUID) -> ErasureRequest:
    """Leave the data as it is; the person themselves, or with `privacy:manage`."""
    return await service.cancel_erasure(db, id, by=principal)
