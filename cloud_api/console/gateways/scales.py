"""`/console/gateways/scales`: what a scale is, and where."""

from typing import Any

from fastapi import APIRouter, Request, Response

from cloud_api.console import clashes, forms
from cloud_api.console.asking import Answer, Desk, Refused, together
from cloud_api.console.choices import Options, options, places_of
from cloud_api.console.forms import Form
from cloud_api.console.gateways import equipment
from cloud_api.console.names import names_of
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.route import AtDesk, ConsoleRoute, Looking

#: `routes` takes it in, below `/console`
router = APIRouter(prefix="/gateways/scales", route_class=ConsoleRoute, include_in_schema=False)
_API = "/edge/scales"
_PATH = "/console/gateways/scales"
UNITS = ("kg", "g", "t", "lb", "oz")
_WEIGHTS = ("capacity_kg", "division_kg", "tare_kg")
#: when a weight is believed
_STABLE = ("readings", "within_s")
#: what two people may say differently, as the form calls it
_LABELS = {
    "name": "Name",
    "location_id": "Place",
    "capacity_kg": "Capacity, kg",
    "division_kg": "Step, kg",
    "unit": "Its display shows",
    "tare_kg": "Always on it, kg",
}


@router.get("/new")
async def show_new_scale(request: Request, visitor: Looking) -> Response:
    """The form of a scale to come; the address may name its gateway."""
    form = Form.of(gateway_id=request.query_params.get("gateway_id"), unit="kg", tare_kg=0)
    return await equipment.show_new(request, visitor, "scales", form, units=_units())


@router.post("")
async def register_scale(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """Register it, whether it was heard already or not."""
    form = await forms.read(request)
    try:
        made = await desk.do("POST", _API, {**_facts(form), **equipment.registered(form)}, key=form.key)
    except Refused as refused:
        form.refuse(refused)
        return await equipment.show_new(request, visitor, "scales", form, status=refused.status, units=_units())
    return go(request, f"{_PATH}/{made['id']}", said="The scale is registered.")


@router.get("/{id}")
async def show_scale(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """One scale, and its form."""
    return await _page(request, desk, visitor, id)


@router.post("/{id}")
async def change_scale(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Say what it is; one that was only heard is registered by that, one that is retired comes back."""
    form = await forms.read(request)
    body = {**_facts(form), **equipment.placed(form), "status": "active", **clashes.version_of(form)}
    try:
        await desk.do("PUT", f"{_API}/{id}", body, key=form.key)
    except Refused as refused:
        form.refuse(refused)
        return await _page(request, desk, visitor, id, refused=refused, form=form)
    return go(request, f"{_PATH}/{id}", said="The scale is changed.")


@router.post("/{id}/retire")
async def retire_scale(request: Request, desk: AtDesk, id: str) -> Response:
    """Act no more on what it says."""
    await desk.do("DELETE", f"{_API}/{id}")
    return go(request, f"{_PATH}/{id}", said="The scale is retired.")


@router.post("/{id}/tare")
async def tare_scale(request: Request, desk: AtDesk, id: str) -> Response:
    """Have its gateway set it to nothing, with what lies on it now."""
    form = await forms.read(request)
    await desk.do("POST", f"{_API}/{id}/tare", key=form.key)
    return go(request, f"{_PATH}/{id}", said="Its gateway tares it with its next word.")


@router.post("/{id}/stability")
async def set_stability(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Say when one of its weights is believed."""
    form = await forms.read(request)
    body = {name: forms.whole(form.get(name)) for name in _STABLE if form.get(name)}
    try:
        await desk.do("PUT", f"{_API}/{id}/stability", body, key=form.key)
    except Refused as refused:
        form.refuse(refused)
        return await _page(request, desk, visitor, id, believing=form, status=refused.status)
    return go(request, f"{_PATH}/{id}", said="Its weights are believed as you said.")


def _facts(form: Form) -> dict[str, Any]:
    """All that is weighed by."""
    weights = {name: forms.real(form.get(name)) for name in _WEIGHTS if form.get(name)}
    return {**form.body("name", "unit"), **weights}


def _units() -> Options:
    return [(unit, unit) for unit in UNITS]


async def _page(
    request: Request,
    desk: Desk,
    visitor: Visitor,
    id: str,
    *,
    refused: Refused | None = None,
    form: Form | None = None,
    believing: Form | None = None,
    status: int = 200,
) -> Response:
    scale, places, stability = await together(
        desk.get(f"{_API}/{id}"), places_of(visitor), desk.get(f"{_API}/{id}/stability")
    )
    choices = options(places, "code", "name")
    if form is not None and refused is not None:
        labels = clashes.said(visitor, _LABELS)
        clashes.meet(form, refused, _form_of(scale), labels, location_id=dict(choices).get)
    gateway = await desk.get(f"/edge/gateways/{scale['gateway_id']}")
    return show(
        request,
        "gateways/scale.html",
        status=status if refused is None else refused.status,
        scale=scale,
        stability=stability,
        believing=believing or Form.of({name: stability[name] for name in _STABLE}),
        gateway=gateway,
        form=form or _form_of(scale),
        names=await names_of(visitor, places=[scale["location_id"]]),
        places=choices,
        units=_units(),
    )


def _form_of(scale: Answer) -> Form:
    form = Form.of(
        name=scale["name"] or "",
        unit=scale["unit"] or "kg",
        location_id=scale["location_id"],
        version=scale["version"],
    )
    form.values |= {name: "" if scale[name] is None else f"{scale[name]:g}" for name in _WEIGHTS}
    return form
