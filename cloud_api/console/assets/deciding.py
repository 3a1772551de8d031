"""`/console/assets/approvals`: what somebody has asked for, and others agree to or not."""

from fastapi import Request, Response

from cloud_api.console import forms
from cloud_api.console.asking import Desk, Refused
from cloud_api.console.assets import things
from cloud_api.console.assets.things import ASSETS, ITEMS
from cloud_api.console.forms import Form
from cloud_api.console.names import names_of
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.tables import table

router = console_router("/assets/approvals")


@router.get("")
async def list_approvals(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """What waits for a decision."""
    return await _page(request, desk, visitor)


@router.post("/{id}")
async def decide(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Agree, or decline and say why."""
    form = await forms.read(request)
    agreed = form.get("decision") == "approve"
    if not agreed and not form.get("note"):
        form.errors["note"] = visitor.say("Say why: who asked is told.")
        return await _page(request, desk, visitor, about=id, form=form, status=422)
    try:
        done = await desk.do(
            "POST", f"{ITEMS}/approvals/{id}/decide", {"approve": agreed, "note": form.get("note")}, key=form.key
        )
    except Refused as refused:
        form.refuse(refused)
        return await _page(request, desk, visitor, about=id, form=form, status=refused.status)
    back = f"{ASSETS}/{done['item_id']}" if form.get("from") == "asset" else f"{ASSETS}/approvals"
    if agreed:
        return go(request, back, said="It is lent: who asked for it is told.")
    return go(request, back, said="It is declined: who asked for it is told.")


async def _page(
    request: Request, desk: Desk, visitor: Visitor, *, about: str = "", form: Form | None = None, status: int = 200
) -> Response:
    found = await table(request, desk, f"{ITEMS}/approvals")
    rows = found.rows
    items = await things.items_of(visitor, rows)
    names = await names_of(
        visitor,
        people=[row["requested_by"] for row in rows],
        places=[item["location_id"] for item in items.values()],
    )
    return show(
        request,
        "assets/approvals.html",
        status=status,
        table=found,
        items=items,
        names=names,
        about=about,
        typed=form or Form(),
        fresh=Form,
        gone=bool(about) and about not in {row["id"] for row in rows},
    )
