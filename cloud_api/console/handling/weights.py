"""`/console/sightings/weights/{id}`: a weight becomes a receipt, a count or a correction, once."""

from typing import Any

from fastapi import Request, Response

from cloud_api.console import forms
from cloud_api.console.asking import Refused, together
from cloud_api.console.forms import Form
from cloud_api.console.handling.choosing import choices_for
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.route import AtDesk, Looking, console_router

router = console_router("/sightings/weights")

#: what a weight is used for -> the fields of that
KINDS = {
    "receipt": ("product_id", "lot_number", "expires_on", "unit_cost", "reference"),
    "count": ("lot_id", "take_id"),
    "adjustment": ("lot_id", "reason"),
}
_LIST = "/telemetry/weights"


@router.get("/{id}")
async def show_weight(request: Request, visitor: Looking, id: str) -> Response:
    """Choose what it is used for."""
    asked = request.query_params.get("kind", "receipt")
    return await _page(request, visitor, id, Form.of(kind=asked))


@router.post("/{id}")
async def use_weight(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Book what was weighed."""
    form = await forms.read(request)
    kind = form.get("kind")
    body: dict[str, Any] = form.body("kind", "location_id", "pieces", *KINDS.get(kind, ()))
    if container := form.get("container_g"):
        body["container_g"] = int(container) if container.isdecimal() else container
    if kind == "count":
        body["additive"] = form.ticked("additive")
    try:
        await desk.do("POST", f"{_LIST}/{id}/apply", body, key=form.key)
    except Refused as refused:
        form.refuse(refused, **{f"{kind}.{name}": name for name in (*form.values, "container_g", "pieces")})
        return await _page(request, visitor, id, form, status=refused.status)
    return go(request, "/console/sightings/weights", said="The weight is used.")


async def _page(request: Request, visitor: Visitor, id: str, form: Form, *, status: int = 200) -> Response:
    weight = await visitor.desk.get(f"{_LIST}/{id}")
    (choices, names), takes = await together(
        choices_for(visitor, products=[form.get("product_id")], lots=[form.get("lot_id")], scales=[weight["scale_id"]]),
        visitor.desk.page("/warehouse/stock/takes", status="counting", limit=50),
    )
    if form.get("kind") not in KINDS:
        form.values["kind"] = "receipt"
    return show(
        request,
        "handling/weight.html",
        status=status,
        form=form,
        weight=weight,
        choices=choices,
        names=names,
        takes=[(take["id"], take["number"]) for take in takes.items],
    )
