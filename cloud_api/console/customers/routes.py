"""`/console/customers`: who orders, and where their doors are."""

from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from cloud_api.console import forms
from cloud_api.console.asking import Answer, Desk, Refused
from cloud_api.console.forms import Form
from cloud_api.console.orders import known
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.tables import Table, asked_for, table

router = console_router("/customers")
_OWN = ("name", "phone", "email", "locale", "min_remaining_shelf_life_days")
_DOOR = ("label", "address", "city", "postal_code", "latitude", "longitude")
_LOCALES = (("en-IN", "English"), ("hi-IN", "हिन्दी"))
_MOST = 50
_ORDERS = 10
_MESSAGE_STATUSES = ("waiting", "sent", "refused", "expired")


@router.get("")
async def show_customers(request: Request, desk: AtDesk) -> Response:
    """The newest first, or those who have a name."""
    query = asked_for(request, ("q",))
    if not query.get("q"):
        return show(request, "customers/list.html", table=await table(request, desk, "/customers"))
    known_by = await desk.get("/search", q=query["q"], kind="customer", limit=_MOST)
    rows = [
        {"id": hit["id"], "number": hit["code"], "name": hit["title"], "is_active": hit["facets"]["status"] == "active"}
        for hit in known_by["hits"]
    ]
    return show(request, "customers/list.html", table=Table(request.url.path, query, rows))


@router.get("/new")
async def show_new(request: Request, desk: AtDesk, looking: Looking) -> Response:
    """A customer with a door; `next=order` goes on to their order."""
    known.need(looking, "customers:write")
    form = Form.of({"next": request.query_params.get("next", ""), "addresses": [{"label": "main"}]})
    return await _show_new(request, desk, looking, form)


@router.post("/new")
async def create(request: Request, desk: AtDesk, looking: Looking) -> Response:
    """Add the customer, or give the form one more door."""
    form = await forms.read(request)
    if form.ticked("_more"):
        form.values[f"addresses.{len(_places(form))}.label"] = ""
        return await _show_new(request, desk, looking, form)
    doors = [f"addresses.{place}.{name}" for place in _places(form) for name in _DOOR]
    body = {"addresses": [], **_with_numbers(form.body(*_OWN, *doors))}
    body["addresses"] = [_with_numbers(door) for door in body["addresses"]]
    try:
        made = await desk.do("POST", "/customers", body, key=form.key)
    except Refused as refused:
        form.refuse(refused)
        return await _show_new(request, desk, looking, form, status=refused.status)
    to_order = form.get("next") == "order" and looking.may("orders:write")
    address = f"/console/orders/new?customer_id={made['id']}" if to_order else f"/console/customers/{made['id']}"
    return go(request, address, said="The customer is added.")


@router.post("/find")
async def find_door(request: Request, desk: AtDesk) -> Response:
    """What an address may be on the map; a part of the form."""
    form = await forms.read(request)
    before = form.get("_of")
    names = ("address", "city", "postal_code")
    typed = {name: form.get(f"{before}{name}") for name in names}
    found, problem = list[Answer](), ""
    try:
        found = await desk.do("POST", "/dispatch/geocode", {name: text for name, text in typed.items() if text})
    except Refused as refused:
        problem = next(iter(refused.fields.values()), refused.message)
    return show(request, "customers/found.html", found=found, problem=problem, before=before)


@router.get("/messages")
async def show_messages(request: Request, desk: AtDesk, looking: Looking) -> Response:
    """Who outside was told what, and whether it arrived."""
    filters = ("subject", "status", "template")
    told = await table(request, desk, "/notifications/contact-messages", filters=filters)
    statuses = [(status, looking.writing.word(status)) for status in _MESSAGE_STATUSES]
    return show(request, "customers/messages.html", table=told, statuses=statuses)


@router.get("/{customer_id}")
async def show_customer(request: Request, desk: AtDesk, looking: Looking, customer_id: str) -> Response:
    """One customer, their doors and their newest orders."""
    customer = await desk.get(f"/customers/{customer_id}")
    may_see = looking.may("orders:read")
    orders = await desk.get(f"/customers/{customer_id}/orders", limit=_ORDERS) if may_see else []
    return show(request, "customers/customer.html", customer=customer, orders=orders, most=_ORDERS)


@router.get("/{customer_id}/map.json")
async def show_map(desk: AtDesk, customer_id: str) -> Response:
    """Their doors, for the map."""
    customer = await desk.get(f"/customers/{customer_id}")
    return JSONResponse({"points": [_point(customer_id, door) for door in customer["addresses"]]})


@router.get("/{customer_id}/edit")
async def show_edit(request: Request, desk: AtDesk, looking: Looking, customer_id: str) -> Response:
    """What can be changed of them."""
    known.need(looking, "customers:write")
    customer = await desk.get(f"/customers/{customer_id}")
    form = Form.of({name: customer[name] for name in _OWN})
    return show(request, "customers/edit.html", customer=customer, form=form, locales=_LOCALES)


@router.post("/{customer_id}/edit")
async def change(request: Request, desk: AtDesk, customer_id: str) -> Response:
    """Change it; a field that was emptied is empty from now on."""
    form = await forms.read(request)
    body: dict[str, Any] = {name: form.get(name) for name in _OWN}
    body |= {"email": form.get("email") or None}
    body |= {"min_remaining_shelf_life_days": known.whole(form.get("min_remaining_shelf_life_days") or "0")}
    try:
        await desk.do("PUT", f"/customers/{customer_id}", body, key=form.key)
    except Refused as refused:
        form.refuse(refused)
        customer = await desk.get(f"/customers/{customer_id}")
        told = {"customer": customer, "form": form, "locales": _LOCALES}
        return show(request, "customers/edit.html", status=refused.status, **told)
    return go(request, f"/console/customers/{customer_id}", said="The customer is changed.")


@router.post("/{customer_id}/deactivate")
async def deactivate(request: Request, desk: AtDesk, customer_id: str) -> Response:
    """Take no more orders from them."""
    await desk.do("DELETE", f"/customers/{customer_id}")
    return go(request, f"/console/customers/{customer_id}", said="No more orders are taken from this customer.")


@router.get("/{customer_id}/addresses/{address_id}/confirm")
async def show_door(request: Request, desk: AtDesk, looking: Looking, customer_id: str, address_id: str) -> Response:
    """The door on the map, where it is believed to be."""
    known.need(looking, "customers:write")
    customer, door = await _door(desk, customer_id, address_id)
    form = Form.of(
        latitude=door["latitude"], longitude=door["longitude"], order_id=request.query_params.get("order_id")
    )
    return show(request, "customers/confirm.html", customer=customer, door=door, form=form)


@router.post("/{customer_id}/addresses/{address_id}/confirm")
async def confirm_door(request: Request, desk: AtDesk, customer_id: str, address_id: str) -> Response:
    """The pin stands on the door."""
    form = await forms.read(request)
    path = f"/customers/{customer_id}/addresses/{address_id}/confirm"
    try:
        await desk.do("POST", path, _with_numbers(form.body("latitude", "longitude")), key=form.key)
    except Refused as refused:
        form.refuse(refused)
        customer, door = await _door(desk, customer_id, address_id)
        told = {"customer": customer, "door": door, "form": form}
        return show(request, "customers/confirm.html", status=refused.status, **told)
    back = f"/console/orders/{form.get('order_id')}" if form.get("order_id") else f"/console/customers/{customer_id}"
    return go(request, back, said="The address is confirmed.")


async def _door(desk: Desk, customer_id: str, address_id: str) -> tuple[Answer, Answer]:
    customer = await desk.get(f"/customers/{customer_id}")
    for door in customer["addresses"]:
        if door["id"] == address_id:
            return customer, door
    raise Refused(404, "NOT_FOUND", f"the customer has no address with id {address_id}")


async def _show_new(request: Request, desk: Desk, looking: Visitor, form: Form, *, status: int = 200) -> Response:
    sites = await known.warehouses(desk, looking)
    center = next((f"{one['latitude']},{one['longitude']}" for one in sites if one["latitude"] is not None), "")
    told = {"places": _places(form), "center": center, "locales": _LOCALES}
    return show(request, "customers/new.html", status=status, form=form, **told)


def _with_numbers(body: dict[str, Any]) -> dict[str, Any]:
    """The API takes days and degrees as numbers."""
    read = {"min_remaining_shelf_life_days": known.whole, "latitude": known.real, "longitude": known.real}
    return {name: read[name](value) if name in read else value for name, value in body.items()}


def _places(form: Form) -> list[int]:
    """Numbers of the form's doors."""
    return sorted({int(name.split(".")[1]) for name in form.values if name.startswith("addresses.")}) or [0]


def _point(customer_id: str, door: Answer) -> dict[str, Any]:
    return {
        "latitude": door["latitude"],
        "longitude": door["longitude"],
        "text": door["label"],
        "title": door["address"],
        "tone": "primary" if door["is_sure"] else "orange",
        "address": f"/console/customers/{customer_id}/addresses/{door['id']}/confirm",
    }
