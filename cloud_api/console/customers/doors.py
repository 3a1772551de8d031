"""`/console/customers/{id}/addresses`: where a customer's doors are; added, changed, found on the map, taken away."""

from collections.abc import Mapping
from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from cloud_api.console import clashes, forms
from cloud_api.console.asking import Answer, Desk, Refused
from cloud_api.console.choices import warehouses_of
from cloud_api.console.forms import Form
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.route import AtDesk, Looking, console_router

router = console_router("/customers/{customer_id}")
#: field -> what it is called
_LABELS = {"label": "Called", "address": "Address", "city": "City", "postal_code": "Postal code"}
_PIN = ("latitude", "longitude")


@router.get("/map.json")
async def show_map(desk: AtDesk, customer_id: str) -> Response:
    """Their doors, for the map."""
    customer = await desk.get(f"/customers/{customer_id}")
    return JSONResponse({"points": [_point(customer_id, door) for door in customer["addresses"]]})


@router.get("/addresses/new")
async def show_new(request: Request, desk: AtDesk, looking: Looking, customer_id: str) -> Response:
    """The form of one more door of a customer."""
    looking.need("customers:write")
    customer = await desk.get(f"/customers/{customer_id}")
    return await _show_form(request, looking, customer, None, Form())


@router.post("/addresses/new")
async def add(request: Request, desk: AtDesk, looking: Looking, customer_id: str) -> Response:
    """Add a door to a customer."""
    form = await forms.read(request)
    body = {"address": "", "label": "main", **with_numbers(form.body(*_LABELS, *_PIN))}
    try:
        await desk.do("POST", f"/customers/{customer_id}/addresses", body, key=form.key)
    except Refused as refused:
        form.refuse(refused)
        customer = await desk.get(f"/customers/{customer_id}")
        return await _show_form(request, looking, customer, None, form, status=refused.status)
    return go(request, f"/console/customers/{customer_id}", said="The door is added.")


@router.get("/addresses/{address_id}/edit")
async def show_edit(request: Request, desk: AtDesk, looking: Looking, customer_id: str, address_id: str) -> Response:
    """What it is called, how it is written, where it is."""
    looking.need("customers:write")
    customer, door = await _door(desk, customer_id, address_id)
    return await _show_form(request, looking, customer, door, _form_of(customer, door))


@router.post("/addresses/{address_id}/edit")
async def change(request: Request, desk: AtDesk, looking: Looking, customer_id: str, address_id: str) -> Response:
    """Change it, of the version that was seen. A pin that was not moved is not sent: the map is asked anew."""
    form = await forms.read(request)
    moved = any(form.get(name) != form.get(f"_{name}") for name in _PIN)
    body: dict[str, Any] = {name: form.get(name) for name in _LABELS} | clashes.version_of(form)
    body |= with_numbers({name: form.get(name) for name in _PIN}) if moved else {}
    try:
        await desk.do("PUT", f"/customers/{customer_id}/addresses/{address_id}", body, key=form.key)
    except Refused as refused:
        form.refuse(refused)
        customer, door = await _door(desk, customer_id, address_id)
        labels = clashes.said(looking, _LABELS)
        clashes.meet(form, refused, _form_of(customer, door), labels)
        return await _show_form(request, looking, customer, door, form, status=refused.status)
    return go(request, f"/console/customers/{customer_id}", said="The door is changed.")


@router.post("/addresses/{address_id}/remove")
async def remove(request: Request, desk: AtDesk, customer_id: str, address_id: str) -> Response:
    """Deliver there no more; orders that were taken for it keep it."""
    form = await forms.read(request)
    await desk.do("DELETE", f"/customers/{customer_id}/addresses/{address_id}", key=form.key)
    return go(request, f"/console/customers/{customer_id}", said="The door is taken away.")


@router.get("/addresses/{address_id}/confirm")
async def show_pin(request: Request, desk: AtDesk, looking: Looking, customer_id: str, address_id: str) -> Response:
    """The door on the map, where it is believed to be."""
    looking.need("customers:write")
    customer, door = await _door(desk, customer_id, address_id)
    form = Form.of(
        latitude=door["latitude"], longitude=door["longitude"], order_id=request.query_params.get("order_id")
    )
    return show(request, "customers/confirm.html", customer=customer, door=door, form=form)


@router.post("/addresses/{address_id}/confirm")
async def confirm(request: Request, desk: AtDesk, customer_id: str, address_id: str) -> Response:
    """The pin stands on the door."""
    form = await forms.read(request)
    path = f"/customers/{customer_id}/addresses/{address_id}/confirm"
    try:
        await desk.do("POST", path, with_numbers(form.body(*_PIN)), key=form.key)
    except Refused as refused:
        form.refuse(refused)
        customer, door = await _door(desk, customer_id, address_id)
        told = {"customer": customer, "door": door, "form": form}
        return show(request, "customers/confirm.html", status=refused.status, **told)
    back = f"/console/orders/{form.get('order_id')}" if form.get("order_id") else f"/console/customers/{customer_id}"
    return go(request, back, said="The address is confirmed.")


async def center_of(looking: Visitor) -> str:
    """Where a map begins that shows nothing yet: at a warehouse, as latitude and longitude; empty: nobody knows."""
    sites = await warehouses_of(looking)
    return next((f"{one['latitude']},{one['longitude']}" for one in sites if one["latitude"] is not None), "")


def with_numbers(body: Mapping[str, Any]) -> dict[str, Any]:
    """The API takes days and degrees as numbers."""
    read = {"min_remaining_shelf_life_days": forms.whole, "latitude": forms.real, "longitude": forms.real}
    return {name: read[name](value) if name in read else value for name, value in body.items()}


async def _show_form(
    request: Request,
    looking: Visitor,
    customer: Answer,
    door: Answer,
    form: Form,
    *,
    status: int = 200,
) -> Response:
    center = await center_of(looking) if door is None else ""
    told = {"customer": customer, "door": door, "form": form, "center": center}
    return show(request, "customers/door.html", status=status, **told)


def _form_of(customer: Answer, door: Answer) -> Form:
    was = {f"_{name}": door[name] for name in _PIN}
    return Form.of({name: door[name] for name in (*_LABELS, *_PIN)}, version=customer["version"], **was)


async def _door(desk: Desk, customer_id: str, address_id: str) -> tuple[Answer, Answer]:
    customer = await desk.get(f"/customers/{customer_id}")
    for door in customer["addresses"]:
        if door["id"] == address_id:
            return customer, door
    raise Refused(404, "NOT_FOUND", f"the customer has no address with id {address_id}")


def _point(customer_id: str, door: Answer) -> dict[str, Any]:
    return {
        "latitude": door["latitude"],
        "longitude": door["longitude"],
        "text": door["label"],
        "title": door["address"],
        "tone": "primary" if door["is_sure"] else "orange",
        "address": f"/console/customers/{customer_id}/addresses/{door['id']}/confirm",
    }
