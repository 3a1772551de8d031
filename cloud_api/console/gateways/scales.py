"""`/console/gateways/scales`: what a scale is, and where."""

from typing import Any

from fastapi import APIRouter, Request, Response

from cloud_api.console import forms
from cloud_api.console.asking import Answer, Desk, Refused, together
from cloud_api.console.choices import options, places_of
from cloud_api.console.forms import Form
from cloud_api.console.names import names_of
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.route import AtDesk, ConsoleRoute, Looking

#: `routes` takes it in, below `/console`
router = APIRouter(prefix="/gateways/scales", route_class=ConsoleRoute, include_in_schema=False)
_API = "/edge/scales"
_PATH = "/console/gateways/scales"
UNITS = ("kg", "g", "t", "lb", "oz")
_WEIGHTS = ("capacity_kg", "division_kg", "tare_kg")


@router.get("/new")
async def show_new_scale(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """The form of a scale to come; the address may name its gateway."""
    form = Form.of(gateway_id=request.query_params.get("gateway_id"), unit="kg", tare_kg=0)
    return await _new(request, desk, visitor, form)


@router.post("")
async def register_scale(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """Register it, whether it was heard already or not."""
    form = await forms.read(request)
    try:
        made = await desk.do(
            "POST", _API, {**_facts(form), **form.body("gateway_id", "code", "location_id")}, key=form.key
        )
    except Refused as refused:
        form.refuse(refused)
        return await _new(request, desk, visitor, form, status=refused.status)
    return go(request, f"{_PATH}/{made['id']}", said="The scale is registered.")


@router.get("/{id}")
async def show_scale(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """One scale."""
    return await _page(request, desk, visitor, id)


@router.post("/{id}")
async def change_scale(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Say what it is; one that was only heard is registered by that, one that is retired comes back."""
    form = await forms.read(request)
    body = {**_facts(form), "status": "active"}
    if "location_id" in form.values:
        body["location_id"] = form.get("location_id") or None
    try:
        await desk.do("PUT", f"{_API}/{id}", body, key=form.key)
    except Refused as refused:
        form.refuse(refused)
        return await _page(request, desk, visitor, id, status=refused.status, form=form)
    return go(request, f"{_PATH}/{id}", said="The scale is changed.")


@router.post("/{id}/retire")
async def retire_scale(request: Request, desk: AtDesk, id: str) -> Response:
    """Act no more on what it says."""
    await desk.do("DELETE", f"{_API}/{id}")
    return go(request, f"{_PATH}/{id}", said="The scale is retired.")


def _facts(form: Form) -> dict[str, Any]:
    """All that is weighed by."""
    weights = {name: forms.real(form.get(name)) for name in _WEIGHTS if form.get(name)}
    return {**form.body("name", "unit"), **weights}


async def _new(request: Request, desk: Desk, visitor: Visitor, form: Form, *, status: int = 200) -> Response:
    gateways, places = await together(desk.every("/edge/gateways", status="active"), places_of(visitor))
    return show(
        request,
        "gateways/scale_new.html",
        status=status,
        form=form,
        gateways=options(gateways),
        places=options(places, "code", "name"),
        units=[(unit, unit) for unit in UNITS],
    )


async def _page(
    request: Request, desk: Desk, visitor: Visitor, id: str, *, status: int = 200, form: Form | None = None
) -> Response:
    scale, places = await together(desk.get(f"{_API}/{id}"), places_of(visitor))
    gateway = await desk.get(f"/edge/gateways/{scale['gateway_id']}")
    return show(
        request,
        "gateways/scale.html",
        status=status,
        scale=scale,
        gateway=gateway,
        form=form or _form_of(scale),
        names=await names_of(visitor, places=[scale["location_id"]]),
        places=options(places, "code", "name"),
        units=[(unit, unit) for unit in UNITS],
    )


def _form_of(scale: Answer) -> Form:
    form = Form.of(name=scale["name"] or "", unit=scale["unit"] or "kg", location_id=scale["location_id"])
    form.values |= {name: "" if scale[name] is None else f"{scale[name]:g}" for name in _WEIGHTS}
    return form
