"""`/console/orders/new`, `/console/orders/{id}/edit`: an order as it is written, and as it is changed."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from cloud_api.console import clashes, forms
from cloud_api.console.asking import Answer, Desk, Refused
from cloud_api.console.forms import Form
from cloud_api.console.names import names_of
from cloud_api.console.orders.draft import BETWEEN, PAYMENT_METHODS, body_of, draft_of, slots_of, with_line
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.writing import number

router: APIRouter = console_router("/orders")
_NEW = ("customer_id", "address_id", "warehouse_id", "delivery_date", "payment_method", "note")
_FOUND = 12


@router.get("/new")
async def show_new(request: Request, desk: AtDesk, looking: Looking) -> Response:
    """First whose order it is, then what they want."""
    looking.need("orders:write")
    customer_id = request.query_params.get("customer_id", "")
    if not customer_id:
        return await _ask_whose(request, desk)
    customer = await desk.get(f"/customers/{customer_id}")
    form = Form.of(
        customer_id=customer_id,
        delivery_date=looking.today(1),
        payment_method="account",
        window_from="08:00",
        window_until="20:00",
    )
    return await _show_form(request, desk, looking, form, customer=customer)


@router.post("/new")
async def take(request: Request, desk: AtDesk, looking: Looking) -> Response:
    """Take the order as it was written, or say line by line why not."""
    form = await forms.read(request)
    try:
        made = await desk.do("POST", "/orders", {"lines": [], **body_of(form, *_NEW)}, key=form.key)
    except Refused as refused:
        _refuse(form, refused)
        customer = await desk.get(f"/customers/{form.get('customer_id')}")
        return await _show_form(request, desk, looking, form, customer=customer, status=refused.status)
    return go(request, f"/console/orders/{made['id']}", said="The order is taken. Confirm it to promise its goods.")


@router.get("/new/products")
async def find_products(request: Request, desk: AtDesk) -> Response:
    """What can go onto the order, as its name is typed."""
    text = request.query_params.get("q", "").strip()
    if not text:
        return show(request, "orders/found_products.html", hits=[], text=text)
    part = await desk.page("/warehouse/products", search=text, status="active", limit=_FOUND)
    return show(request, "orders/found_products.html", hits=part.items, text=text)


@router.post("/new/lines")
async def change_lines(request: Request, desk: AtDesk, looking: Looking) -> Response:
    """A line more or less of what is being written; nothing is kept of it."""
    typed = await forms.read(request)
    form = with_line(typed, added=typed.get("_add"), without=typed.get("_remove"))
    draft = await draft_of(desk, looking, form)
    return show(request, "orders/lines.html", form=form, draft=draft, added=typed.get("_add"))


@router.post("/new/check")
async def check_lines(request: Request, desk: AtDesk, looking: Looking) -> Response:
    """What is being written would cost so much, and there is enough of it or not."""
    form = await forms.read(request)
    return show(request, "orders/check.html", form=form, draft=await draft_of(desk, looking, form))


@router.post("/new/slots")
async def choose_slots(request: Request, desk: AtDesk) -> Response:
    """The windows of the day and the warehouse that are chosen."""
    form = await forms.read(request)
    return show(request, "orders/slots.html", form=form, **await _windows(desk, form))


@router.get("/{order_id}/edit")
async def show_edit(request: Request, desk: AtDesk, looking: Looking, order_id: str) -> Response:
    """The order as it stands."""
    looking.need("orders:write")
    order = await desk.get(f"/orders/{order_id}")
    return await _show_form(request, desk, looking, _form_of(order), order=order)


@router.post("/{order_id}/edit")
async def change(request: Request, desk: AtDesk, looking: Looking, order_id: str) -> Response:
    """Change what may still be changed, of the version that was seen."""
    form = await forms.read(request)
    body = {"lines": [], **body_of(form, "address_id", "delivery_date")}
    body |= {**clashes.version_of(form), "note": form.get("note")}
    try:
        await desk.do("PUT", f"/orders/{order_id}", body, key=form.key)
    except Refused as refused:
        _refuse(form, refused)
        order = await desk.get(f"/orders/{order_id}")
        return await _show_form(request, desk, looking, form, order=order, refused=refused, status=refused.status)
    return go(request, f"/console/orders/{order_id}", said="The order is changed.")


def _refuse(form: Form, refused: Refused) -> None:
    """The API's complaints beside our fields: both times of a window are one field here."""
    both = {"window_from": "window", "window_until": "window"} if form.get("window") else {}
    form.refuse(refused, **both)
    for name in [name for name in form.errors if name.endswith(".product_id")]:
        form.errors.setdefault(name.replace(".product_id", ".quantity"), form.errors[name])


async def _ask_whose(request: Request, desk: Desk) -> Response:
    text = request.query_params.get("q", "").strip()
    rows = (await desk.page("/customers", search=text, is_active=True, limit=_FOUND)).items
    return show(request, "orders/whose.html", rows=rows, text=text)


async def _show_form(
    request: Request,
    desk: Desk,
    looking: Visitor,
    form: Form,
    *,
    customer: Answer = None,
    order: Answer = None,
    refused: Refused | None = None,
    status: int = 200,
) -> Response:
    draft = await draft_of(desk, looking, form)
    if customer is None and order is not None and looking.may("customers:read"):
        customer = await desk.get(f"/customers/{order['customer_id']}")
    if refused is not None and clashes.is_stale(refused):
        await _meet(looking, form, refused, order, customer)
    return show(
        request,
        "orders/write.html",
        status=status,
        form=form,
        draft=draft,
        customer=customer,
        order=order,
        added="",
        methods=looking.writing.words(PAYMENT_METHODS),
        **await _windows(desk, form),
    )


async def _windows(desk: Desk, form: Form) -> dict[str, Any]:
    try:
        slots, has_windows = await slots_of(desk, form.get("warehouse_id"), form.get("delivery_date"))
    except Refused:
        slots, has_windows = [], False  # a day that is none: the form says so when it is sent
    return {"slots": slots, "has_windows": has_windows, "between": BETWEEN}


async def _meet(looking: Visitor, form: Form, refused: Refused, order: Answer, customer: Answer) -> None:
    """What the order is now beside what was typed, if somebody else was quicker."""
    now, say = _form_of(order), looking.say
    doors = {door["id"]: door["address"] for door in (customer or {"addresses": []})["addresses"]}
    doors.setdefault(order["address_id"], order["address"])
    names = await names_of(looking, products=[*_quantities(now), *_quantities(form)])

    def told(one: Form) -> Mapping[str, str]:
        body, door = body_of(one), one.get("address_id") or order["address_id"]
        return {
            say("Delivered to"): doors.get(door, door),
            say("Day"): one.get("delivery_date"),
            say("From"): body.get("window_from", "")[:5],
            say("Until"): body.get("window_until", "")[:5],
            say("Note"): one.get("note"),
            **{names.product(id): quantity for id, quantity in _quantities(one).items()},
        }

    clashes.meet(form, refused, now, told)


def _quantities(form: Form) -> Mapping[str, str]:
    """How much of which product stands in its lines."""
    lines = [line for line in body_of(form).get("lines", []) if line.get("product_id")]
    return {line["product_id"]: number(line.get("quantity", "")) for line in lines}


def _form_of(order: Answer) -> Form:
    form = Form.of(
        address_id=order["address_id"],
        warehouse_id=order["warehouse_id"],
        delivery_date=order["delivery_date"],
        window=f"{order['window_from']}{BETWEEN}{order['window_until']}",
        window_from=order["window_from"],
        window_until=order["window_until"],
        note=order["note"],
        version=order["version"],
    )
    if order["status"] == "confirmed":
        form.values["_promised"] = "yes"
    for place, line in enumerate(order["lines"]):
        form.values[f"lines.{place}.product_id"] = line["product_id"]
        form.values[f"lines.{place}.quantity"] = line["quantity"]
        form.values[f"lines.{place}.unit_price"] = ""
    return form
