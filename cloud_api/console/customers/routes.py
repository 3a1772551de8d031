"""`/console/customers`: who orders, and where their doors are."""

from typing import Any

from fastapi import Request, Response

from cloud_api.console import clashes, forms
from cloud_api.console.asking import Answer, Desk, Refused, together
from cloud_api.console.customers.doors import center_of, with_numbers
from cloud_api.console.files import MOST_ROWS, table_file
from cloud_api.console.forms import Form
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.tables import asked_for, table

router = console_router("/customers")
_OWN = ("name", "phone", "email", "locale", "min_remaining_shelf_life_days")
_LABELS = {
    "name": "Name",
    "phone": "Phone",
    "email": "E-mail",
    "locale": "Language",
    "min_remaining_shelf_life_days": "Must still keep, in days",
}
_FILTERS = ("search", "is_active", "is_sure")
_DOOR = ("label", "address", "city", "postal_code", "latitude", "longitude")
_HEAD = (
    *("Number", "Customer", "Phone", "E-mail", "Active", "Must still keep, in days"),
    *("Door", "Address", "City", "Postal code", "Latitude", "Longitude", "Confirmed on the map"),
)
_LOCALES = (("en-IN", "English"), ("hi-IN", "हिन्दी"))
_ORDERS = 10
_MESSAGE_STATUSES = ("waiting", "sent", "refused", "expired")


@router.get("")
async def show_customers(request: Request, desk: AtDesk) -> Response:
    """The newest first, or as the address narrows and sorts them."""
    return show(request, "customers/list.html", table=await table(request, desk, "/customers", filters=_FILTERS))


@router.get("/export")
async def export_customers(request: Request, desk: AtDesk, looking: Looking) -> Response:
    """Those whom the filters leave, a door a row."""
    rows = await desk.every("/customers", most=MOST_ROWS, **asked_for(request, _FILTERS))
    head = [looking.say(column) for column in _HEAD]
    told = (
        [
            row["number"],
            row["name"],
            row["phone"],
            row["email"],
            row["is_active"],
            row["min_remaining_shelf_life_days"],
            *(door[name] for name in (*_DOOR, "is_sure")),
        ]
        for row in rows
        for door in row["addresses"]
    )
    return table_file(request, "customers", head, told)


@router.get("/new")
async def show_new(request: Request, desk: AtDesk, looking: Looking) -> Response:
    """A customer with a door; `next=order` goes on to their order."""
    looking.need("customers:write")
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
    body = {"addresses": [], **with_numbers(form.body(*_OWN, *doors))}
    body["addresses"] = [with_numbers(door) for door in body["addresses"]]
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
    statuses = looking.writing.words(_MESSAGE_STATUSES)
    return show(request, "customers/messages.html", table=told, statuses=statuses)


@router.get("/{customer_id}")
async def show_customer(request: Request, desk: AtDesk, looking: Looking, customer_id: str) -> Response:
    """One customer, their doors and their newest orders."""
    asked = [desk.get(f"/customers/{customer_id}")]
    if looking.may("orders:read"):
        asked.append(desk.get(f"/customers/{customer_id}/orders", limit=_ORDERS))
    customer, *orders = await together(*asked)
    return show(request, "customers/customer.html", customer=customer, orders=orders[0] if orders else [])


@router.get("/{customer_id}/edit")
async def show_edit(request: Request, desk: AtDesk, looking: Looking, customer_id: str) -> Response:
    """What can be changed of them."""
    looking.need("customers:write")
    customer = await desk.get(f"/customers/{customer_id}")
    return show(request, "customers/edit.html", customer=customer, form=_form_of(customer), locales=_LOCALES)


@router.post("/{customer_id}/edit")
async def change(request: Request, desk: AtDesk, looking: Looking, customer_id: str) -> Response:
    """Change it, of the version that was seen; a field that was emptied is empty from now on."""
    form = await forms.read(request)
    body: dict[str, Any] = {name: form.get(name) for name in _OWN}
    body |= {"email": form.get("email") or None, **clashes.version_of(form)}
    body |= {"min_remaining_shelf_life_days": forms.whole(form.get("min_remaining_shelf_life_days") or "0")}
    try:
        await desk.do("PUT", f"/customers/{customer_id}", body, key=form.key)
    except Refused as refused:
        form.refuse(refused)
        customer = await desk.get(f"/customers/{customer_id}")
        clashes.meet(form, refused, _form_of(customer), {name: looking.say(_LABELS[name]) for name in _OWN})
        told = {"customer": customer, "form": form, "locales": _LOCALES}
        return show(request, "customers/edit.html", status=refused.status, **told)
    return go(request, f"/console/customers/{customer_id}", said="The customer is changed.")


@router.post("/{customer_id}/deactivate")
async def deactivate(request: Request, desk: AtDesk, customer_id: str) -> Response:
    """Take no more orders from them."""
    await desk.do("DELETE", f"/customers/{customer_id}")
    return go(request, f"/console/customers/{customer_id}", said="No more orders are taken from this customer.")


@router.post("/{customer_id}/activate")
async def activate(request: Request, desk: AtDesk, customer_id: str) -> Response:
    """Take orders from them again."""
    await desk.do("PUT", f"/customers/{customer_id}", {"is_active": True})
    return go(request, f"/console/customers/{customer_id}", said="Orders are taken from this customer again.")


def _form_of(customer: Answer) -> Form:
    return Form.of({name: customer[name] for name in (*_OWN, "version")})


async def _show_new(request: Request, desk: Desk, looking: Visitor, form: Form, *, status: int = 200) -> Response:
    told = {"places": _places(form), "center": await center_of(looking), "locales": _LOCALES}
    return show(request, "customers/new.html", status=status, form=form, **told)


def _places(form: Form) -> list[int]:
    """Numbers of the form's doors."""
    return sorted({int(name.split(".")[1]) for name in form.values if name.startswith("addresses.")}) or [0]
