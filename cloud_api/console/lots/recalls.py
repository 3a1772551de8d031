"""`/console/lots/recalls`: lots that were called back, who has them, and how it ended."""

from typing import Literal

from fastapi import Request, Response

from cloud_api.console import forms
from cloud_api.console.asking import Desk, Refused
from cloud_api.console.forms import Form
from cloud_api.console.lots.listing import RECALLS
from cloud_api.console.names import names_of
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.tables import table

router = console_router("/lots/recalls")

#: who reads customers' names and telephone numbers
_REPORTED = "quality:approve"


@router.get("")
async def show_recalls(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """Recalls, newest first."""
    listed = await table(request, desk, RECALLS, filters=("status",))
    names = await names_of(visitor, lots={row["lot_id"] for row in listed.rows})
    return show(request, "lots/recalls.html", table=listed, names=names)


@router.get("/{id}")
async def show_recall(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """One recall, and who has the goods as it is known now."""
    return await _page(request, desk, visitor, id, Form())


@router.get("/{id}/report.{kind}")
async def get_report(desk: AtDesk, id: str, kind: Literal["csv", "pdf"]) -> Response:
    """The same as a file."""
    file = await desk.raw(f"{RECALLS}/{id}/report", format=kind)
    headers = {"Content-Disposition": file.headers["Content-Disposition"], "Cache-Control": "no-store"}
    return Response(file.content, media_type=file.headers["Content-Type"], headers=headers)


@router.post("/{id}/close")
async def close_recall(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """It is over."""
    form = await forms.read(request)
    try:
        await desk.do("POST", f"{RECALLS}/{id}/close", form.body("reason", "outcome"), key=form.key)
    except Refused as refused:
        if refused.status == 403:
            raise
        form.refuse(refused)
        return await _page(request, desk, visitor, id, form, refused.status)
    return go(request, f"/console/lots/recalls/{id}", said="The recall is closed.")


async def _page(request: Request, desk: Desk, visitor: Visitor, id: str, form: Form, status: int = 200) -> Response:
    if visitor.may(_REPORTED):
        report = await desk.get(f"{RECALLS}/{id}/report")
        recall = report["recall"]
    else:
        report, recall = None, await desk.get(f"{RECALLS}/{id}")
    names = await names_of(visitor, lots=[recall["lot_id"]])
    return show(request, "lots/recall.html", status=status, recall=recall, report=report, names=names, form=form)
