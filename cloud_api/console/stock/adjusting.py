"""`/console/stock/adjust`: what a place really holds of a lot, with a reason."""

from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from cloud_api.console import forms
from cloud_api.console.asking import Refused, together
from cloud_api.console.forms import Form
from cloud_api.console.names import Names
from cloud_api.console.pages import Visitor, go, refusal, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.stock.levels import LEVELS, names_of_levels

router = console_router("/stock/adjust")

#: offered, not demanded
REASONS = ("Counted again", "Damaged", "Spoiled", "Lost", "Found", "Sample taken", "Booked wrongly")
_NEEDED = "stock:write"
#: a lot that lies nowhere has a product all the same
_NOWHERE = {"lot_id": None, "location_id": None}


@router.get("")
async def show_form(request: Request, visitor: Looking) -> Response:
    """The form; before a lot and a place are named, what there is to choose."""
    if not visitor.may(_NEEDED):
        return refusal(request, Refused(403, "FORBIDDEN", f"this needs the permission {_NEEDED}"))
    wanted = request.query_params
    lot_id, location_id = wanted.get("lot_id", ""), wanted.get("location_id", "")
    if not lot_id:
        return show(request, "stock/adjust_what.html", lot=None, levels=[], names=Names())
    told = await _told(visitor, lot_id)
    levels = told["levels"]
    if not location_id and len(levels) != 1:
        return show(request, "stock/adjust_what.html", **told)
    form = Form.of(lot_id=lot_id, location_id=location_id or levels[0]["location_id"])
    return show(request, "stock/adjust.html", form=form, reasons=REASONS, **_at(told, form))


@router.post("")
async def adjust(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """Book the difference."""
    form = await forms.read(request)
    weight = form.get("weight_g")
    try:
        body = form.body("lot_id", "location_id", "reason", "counted", "delta")
        if weight:
            body["weight_g"] = int(weight) if weight.isdecimal() else weight
        booked = await desk.do("POST", "/warehouse/stock/adjustment", body, key=form.key)
    except Refused as refused:
        if refused.status == 403 or not form.get("lot_id"):
            raise
        form.refuse(refused)
        told = await _told(visitor, form.get("lot_id"))
        return show(request, "stock/adjust.html", status=refused.status, form=form, reasons=REASONS, **_at(told, form))
    said = "The correction is booked." if booked else "It was as counted: nothing had to be booked."
    return go(request, f"/console/stock?lot_id={form.get('lot_id')}", said=said)


@router.get("/lots")
async def suggest(request: Request, desk: AtDesk) -> Response:
    """Lots that begin as what is being typed; choosing one leads to its form."""
    found = await desk.get("/search", q=request.query_params.get("q", ""), kind="lot", limit=8)
    return JSONResponse(
        [
            {"text": hit["title"], "note": hit["code"], "href": f"/console/stock/adjust?lot_id={hit['id']}"}
            for hit in found["hits"]
        ]
    )


async def _told(visitor: Visitor, lot_id: str) -> dict[str, Any]:
    desk = visitor.desk
    lot, levels = await together(desk.get(f"/warehouse/batches/{lot_id}"), desk.page(LEVELS, lot_id=lot_id, limit=200))
    names = await names_of_levels(visitor, [*levels.items, {"product_id": lot["product_id"], **_NOWHERE}])
    return {"lot": lot, "levels": levels.items, "names": names}


def _at(told: dict[str, Any], form: Form) -> dict[str, Any]:
    place = form.get("location_id")
    level = next((one for one in told["levels"] if one["location_id"] == place), None)
    product = told["names"].products.get(told["lot"]["product_id"]) or {}
    return {**told, "level": level, "product": product}
