"""`/api/v1/warehouse/recalls`: lots called back, and who has them."""

import asyncio
import uuid
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from sqlalchemy import select

from cloud_api.cold_chain.evidence.report import load_typst
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.places.visibility import VisiblePlaces
from cloud_api.recalls import papers, service
from cloud_api.recalls.gathering import report
from cloud_api.recalls.models import Recall
from cloud_api.recalls.schemas import RecallClose, RecallOpen, RecallRead, RecallReport

router = APIRouter(prefix="/warehouse", tags=["inventory"], route_class=ApiRoute)

_PAPERS: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {}, "application/pdf": {}}, "description": "As `format` says"}
}


@router.post(
    "/batches/{id}/recall", response_model=RecallReport, status_code=201, dependencies=[require("quality:approve")]
)
async def recall_lot(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID, body: RecallOpen
) -> RecallReport:
    """Hold a lot and all that was made of it, and say who has it. The same lot twice is one recall."""
    recall = await service.open_recall(db, id, reason=body.reason, opened_by=principal.id, seen=seen)
    return await report(db, recall, seen=seen)


@router.get("/recalls", response_model=list[RecallRead], dependencies=[require("quality:read")])
async def list_recalls(
    db: Db,
    seen: VisiblePlaces,
    query: Annotated[PageQuery, Depends()],
    lot_id: uuid.UUID | None = None,
    status: Literal["open", "closed"] | None = None,
) -> Page[Recall]:
    """Recalls, newest first."""
    statement = select(Recall).where(service.visible(seen))
    if lot_id is not None:
        statement = statement.where(Recall.lot_id == lot_id)
    if status is not None:
        statement = statement.where(Recall.status == status)
    return await page(db, statement, Recall.id, query)


@router.get("/recalls/{id}", response_model=RecallRead, dependencies=[require("quality:read")])
async def get_recall(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> Recall:
    """One recall."""
    return await service.get_recall(db, id, seen=seen)


@router.get(
    "/recalls/{id}/report",
    response_model=RecallReport,
    responses=_PAPERS,
    dependencies=[require("quality:approve")],
)
async def get_recall_report(
    db: Db, seen: VisiblePlaces, id: uuid.UUID, format: Literal["json", "csv", "pdf"] = "json"
) -> RecallReport | Response:
    """Who has what was called back, and which vans carry it, as it is known now: with names and telephone numbers."""
    recall = await service.get_recall(db, id, seen=seen)
    found = await report(db, recall, seen=seen)
    if format == "json":
        return found
    if format == "csv":
        return _file(papers.table(found).encode(), "text/csv; charset=utf-8", f"{recall.number}.csv")
    paper = await asyncio.to_thread(papers.pdf, found, load_typst())
    return _file(paper, "application/pdf", f"{recall.number}.pdf")


@router.post("/recalls/{id}/close", response_model=RecallRead, dependencies=[require("quality:approve")])
async def close_recall(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID, body: RecallClose
) -> Recall:
    """End a recall, and say what becomes of the goods it held."""
    return await service.close_recall(
        db, id, reason=body.reason, outcome=body.outcome, closed_by=principal.id, seen=seen
    )


def _file(content: bytes, media_type: str, name: str) -> Response:
    return Response(content, media_type=media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'})
