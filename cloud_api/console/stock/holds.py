"""`/console/stock/holds`: what is kept from being sold, and what becomes of it."""

from collections.abc import Sequence

from fastapi import Request, Response

from cloud_api.console import forms
from cloud_api.console.asking import Answer, Refused
from cloud_api.console.forms import Form
from cloud_api.console.names import Names, names_of
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.tables import table

router = console_router("/stock")

HOLDS = "/warehouse/stock/holds"


@router.get("/holds")
async def show_holds(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """Holds, newest first."""
    listed = await table(request, desk, HOLDS, filters=("lot_id", "location_id"))
    return show(request, "stock/holds.html", table=listed, names=await _names(visitor, listed.rows))


@router.get("/holds/{id}")
async def show_hold(request: Request, visitor: Looking, id: str) -> Response:
    """One hold: what it holds, and what was decided."""
    return await _page(request, visitor, id, Form())


@router.post("/holds/{id}/release")
async def release_hold(request: Request, visitor: Looking, id: str) -> Response:
    """Let what it holds be sold again."""
    form = await forms.read(request)
    return await _decide(
        request, visitor, id, form, "release", "Released: it may be sold, unless another hold covers it."
    )


@router.post("/holds/{id}/reject")
async def reject_hold(request: Request, visitor: Looking, id: str) -> Response:
    """Keep it from ever being sold."""
    form = await forms.read(request)
    return await _decide(request, visitor, id, form, "reject", "Rejected: it will not be sold.")


async def _decide(request: Request, visitor: Visitor, id: str, form: Form, verb: str, said: str) -> Response:
    names = ("reason", "disposition") if verb == "reject" else ("reason",)
    body = form.body(*names)
    chosen = [one for one in form.many.get("stock_level_ids", []) if one]
    if chosen:
        body["stock_level_ids"] = chosen
    try:
        await visitor.desk.do("POST", f"{HOLDS}/{id}/{verb}", body, key=form.key)
    except Refused as refused:
        if refused.status == 403:
            raise
        form.refuse(refused)
        return await _page(request, visitor, id, form, status=refused.status)
    return go(request, f"/console/stock/holds/{id}", said=said)


async def _page(request: Request, visitor: Visitor, id: str, form: Form, status: int = 200) -> Response:
    hold = await visitor.desk.get(f"{HOLDS}/{id}")
    names = await _names(visitor, [hold])
    return show(request, "stock/hold.html", status=status, hold=hold, names=names, form=form)


async def _names(visitor: Visitor, holds: Sequence[Answer]) -> Names:
    """Of what they hold, and where."""
    named = [*holds, *(level for hold in holds for level in hold["levels"])]
    lots, places = ([one[name] for one in named] for name in ("lot_id", "location_id"))
    return await names_of(visitor, lots=lots, places=places)
