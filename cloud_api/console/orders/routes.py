"""`/console/orders/{id}`: an order's page, and what can be done about it."""

from typing import Any

from fastapi import Request, Response

from cloud_api.console import forms
from cloud_api.console.asking import Answer, Desk, Refused, gathered, together
from cloud_api.console.forms import Form
from cloud_api.console.names import names_of
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.route import AtDesk, Looking, console_router

router = console_router("/orders")
_METHODS = ("cash", "upi", "card", "bank_transfer", "cheque")
#: what may still be changed, given up, packed
_OPEN = frozenset({"pending", "confirmed"})
_CANCELLABLE = frozenset({"pending", "confirmed", "packed"})
#: of deliveries and messages of one order
_FEW = 20


@router.get("/{order_id}")
async def show_order(request: Request, desk: AtDesk, looking: Looking, order_id: str) -> Response:
    """One order: its lines, its payments, and what happens around it."""
    return show(request, "orders/order.html", **await _told(desk, looking, order_id))


@router.get("/{order_id}/part")
async def show_order_part(request: Request, desk: AtDesk, looking: Looking, order_id: str) -> Response:
    """What of its page changes by itself."""
    return show(request, "orders/part.html", **await _told(desk, looking, order_id))


@router.get("/{order_id}/around")
async def show_around(request: Request, desk: AtDesk, looking: Looking, order_id: str) -> Response:
    """Deliveries, messages and returns of it: read after the page, for they are of other rooms."""
    return show(request, "orders/around.html", **await _around(desk, looking, order_id))


@router.post("/{order_id}/confirm")
async def confirm(request: Request, desk: AtDesk, looking: Looking, order_id: str) -> Response:
    """Promise stock to every line; what is missing is said on the order's page."""
    try:
        await desk.do("POST", f"/orders/{order_id}/confirm")
    except Refused as refused:
        told = await _told(desk, looking, order_id)
        return show(request, "orders/order.html", status=refused.status, **(told | {"problem": refused.message}))
    return go(request, f"/console/orders/{order_id}", said="The order is confirmed. Its goods are promised to it.")


@router.get("/{order_id}/cancel")
async def ask_why(request: Request, desk: AtDesk, looking: Looking, order_id: str) -> Response:
    """Why it is given up."""
    looking.need("orders:write")
    return show(request, "orders/cancel.html", order=await desk.get(f"/orders/{order_id}"))


@router.post("/{order_id}/cancel")
async def cancel(request: Request, desk: AtDesk, order_id: str) -> Response:
    """Give the order up, for a reason."""
    form = await forms.read(request)
    try:
        await desk.do("POST", f"/orders/{order_id}/cancel", {"reason": form.get("reason")}, key=form.key)
    except Refused as refused:
        form.refuse(refused)
        order = await desk.get(f"/orders/{order_id}")
        return show(request, "orders/cancel.html", status=refused.status, form=form, order=order)
    return go(request, f"/console/orders/{order_id}", said="The order is given up. Its goods are free again.")


@router.get("/{order_id}/pay")
async def ask_payment(request: Request, desk: AtDesk, looking: Looking, order_id: str) -> Response:
    """What was paid, elsewhere than with us."""
    looking.need("orders:write")
    due = (await desk.get(f"/orders/{order_id}/payments"))["due_minor"]
    form = Form.of(amount=f"{due / 100:.2f}" if due > 0 else "", method="bank_transfer")
    return await _show_payment(request, desk, looking, order_id, form)


@router.post("/{order_id}/pay")
async def record_payment(request: Request, desk: AtDesk, looking: Looking, order_id: str) -> Response:
    """Write down what was paid."""
    form = await forms.read(request)
    body = form.body("method", "reference", kind="recorded", amount_minor=forms.minor(form.get("amount")))
    try:
        await desk.do("POST", f"/orders/{order_id}/payments", body, key=form.key)
    except Refused as refused:
        bare = {
            name.removeprefix("recorded.").removeprefix("PaymentRecord."): text for name, text in refused.fields.items()
        }
        form.refuse(Refused(refused.status, refused.code, refused.message, bare), amount_minor="amount")
        return await _show_payment(request, desk, looking, order_id, form, status=refused.status)
    return go(request, f"/console/orders/{order_id}", said="The payment is written down.")


@router.post("/{order_id}/settle")
async def settle(request: Request, desk: AtDesk, order_id: str) -> Response:
    """Give back what was paid too much, or could not be given back before."""
    form = await forms.read(request)
    await desk.do("POST", f"/orders/{order_id}/payments/settle", key=form.key)
    return go(request, f"/console/orders/{order_id}", said="What was paid too much is on its way back.")


async def _show_payment(
    request: Request, desk: Desk, looking: Visitor, order_id: str, form: Form, *, status: int = 200
) -> Response:
    order, money = await together(desk.get(f"/orders/{order_id}"), desk.get(f"/orders/{order_id}/payments"))
    methods = looking.writing.words(_METHODS)
    return show(request, "orders/pay.html", status=status, order=order, paid=money, form=form, methods=methods)


async def _told(desk: Desk, looking: Visitor, order_id: str) -> dict[str, Any]:
    """What an order's page says of itself."""
    order = await desk.get(f"/orders/{order_id}")
    names, history, paid = await together(
        names_of(looking, products=[line["product_id"] for line in order["lines"]], warehouses=[order["warehouse_id"]]),
        desk.get(f"/orders/{order_id}/history"),
        desk.get(f"/orders/{order_id}/payments"),
    )
    return {
        "order": order,
        "history": history,
        "paid": paid,
        "products": names.products,
        "site": names.warehouse(order["warehouse_id"]) if order["warehouse_id"] in names.warehouses else "",
        "next_step": next_step(order),
        "is_open": order["status"] in _OPEN,
        "is_cancellable": order["status"] in _CANCELLABLE,
        "problem": "",
    }


async def _around(desk: Desk, looking: Visitor, order_id: str) -> dict[str, Any]:
    """What others did about an order: who brought it, what the customer was told, what came back."""
    asked = {"order": desk.get(f"/orders/{order_id}")}
    if looking.may("deliveries:read"):
        asked["deliveries"] = desk.get("/warehouse/deliveries", order_id=order_id, limit=_FEW)
    if looking.may("notifications:send"):
        asked["messages"] = desk.get("/notifications/contact-messages", subject=f"order:{order_id}", limit=_FEW)
    if looking.may("returns:read"):
        asked["given_back"] = desk.get("/returns", order_id=order_id, limit=_FEW)
    said = dict(zip(asked, await gathered(*asked.values()), strict=True))
    messages, deliveries = said.get("messages") or [], said.get("deliveries")
    return {
        "order": said["order"],
        "deliveries": deliveries or [],
        "messages": messages,
        "given_back": said.get("given_back") or [],
        # without a van of ours nobody else says that it arrived
        "without_van": deliveries == [] and (said["order"] or {}).get("status") == "out_for_delivery",
        "tracking": _tracking(messages),
    }


def next_step(order: Answer) -> str:
    """What is to be done about an order, in a sentence."""
    if order["status"] == "pending" and not order["address_is_sure"]:
        return "Nobody is certain where the door is. Confirm the address on the map, then the order."
    if order["status"] == "confirmed" and any(line["fulfillment_status"] == "backordered" for line in order["lines"]):
        return "It waits for goods that are not there. It can be packed when they have come, or short."
    return _NEXT[order["status"]]


_NEXT = {
    "pending": "Confirm it: then stock is promised to every line, or to none.",
    "confirmed": "Its goods are promised to it. Pick and pack them.",
    "packed": "It waits for its van, or for whoever picks it up.",
    "out_for_delivery": "It is on its way.",
    "delivered": "It is in the customer's hands.",
    "returned": "It came back.",
    "cancelled": "It was given up. Its goods are free again.",
}


def _tracking(messages: list[Answer]) -> str:
    """The address on which the customer sees it come, as they were told it."""
    for message in messages:
        for text in str(message["body"]).split():
            if "/t/" in text and text.startswith(("https://", "http://")):
                return text.strip(".,;()")
    return ""
