"""`/console/picking/orders/{id}`: one order on the table: picked, weighed, packed, handed over."""

from typing import Any

from fastapi import Request, Response

from cloud_api.console import forms
from cloud_api.console.asking import Answer, Desk, Refused, together
from cloud_api.console.choices import options, products_of
from cloud_api.console.forms import Form
from cloud_api.console.names import names_of
from cloud_api.console.pages import Visitor, go, show, toast
from cloud_api.console.picking.taking import WEIGHED, Row, pick_of, weights_of
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.writing import number

router = console_router("/picking/orders")
#: nothing more is to be taken of these
_CLOSED = frozenset({"picked", "packed", "cancelled", "delivered", "returned"})


@router.get("/{order_id}")
async def show_order(request: Request, desk: AtDesk, looking: Looking, order_id: str) -> Response:
    """What is to be taken of which lot, and the boxes."""
    looking.need("orders:fulfill")
    return await _show(request, desk, looking, order_id, Form.of(boxes=1))


@router.post("/{order_id}/take")
async def take(request: Request, desk: AtDesk, looking: Looking, order_id: str) -> Response:
    """So much of a lot was taken."""
    row = Row.of(await forms.read(request))
    try:
        await desk.do("POST", f"/orders/{order_id}/pick", pick_of(row), key=row.form.key)
    except Refused as refused:
        row.refuse(refused)
        told = await _told(desk, looking, order_id)
        return show(request, "picking/lines.html", status=409, **(told | {"typed": row}))
    return toast(show(request, "picking/lines.html", **await _told(desk, looking, order_id)), looking.say("Taken."))


@router.post("/{order_id}/pack")
async def pack(request: Request, desk: AtDesk, looking: Looking, order_id: str) -> Response:
    """Close the boxes; what is not named is in them as promised."""
    form = await forms.read(request)
    body, renamed = _packed(form)
    try:
        await desk.do("POST", f"/orders/{order_id}/pack", body, key=form.key)
    except Refused as refused:
        form.refuse(refused, **renamed)
        return await _show(request, desk, looking, order_id, form, status=refused.status)
    return go(request, f"/console/orders/{order_id}", said="The order is packed.")


@router.get("/{order_id}/lines/{line_id}")
async def show_line(request: Request, desk: AtDesk, looking: Looking, order_id: str, line_id: str) -> Response:
    """A line that is not as promised: another lot, a weight, something else, or nothing."""
    looking.need("orders:fulfill")
    form = Form.of(back=request.query_params.get("list"))
    return await _show_line(request, desk, looking, order_id, line_id, form=form)


@router.post("/{order_id}/lines/{line_id}")
async def settle_line(request: Request, desk: AtDesk, looking: Looking, order_id: str, line_id: str) -> Response:
    """What was done about it."""
    form = await forms.read(request)
    try:
        await desk.do("POST", f"/orders/{order_id}/pick", {"lines": [_done(form, line_id)]}, key=form.key)
    except Refused as refused:
        # complaints name the line's own fields
        bare = {name.rpartition(".")[2]: text for name, text in refused.fields.items()}
        form.refuse(Refused(refused.status, refused.code, refused.message, bare), lot_id="lot", code="lot")
        return await _show_line(request, desk, looking, order_id, line_id, form=form, status=refused.status)
    back = f"/console/picking/{form.get('back')}" if form.get("back") else f"/console/picking/orders/{order_id}"
    return go(request, back, said="It is written down.")


@router.get("/{order_id}/hand-over")
async def ask_who(request: Request, desk: AtDesk, looking: Looking, order_id: str) -> Response:
    """At the counter, or to a carrier."""
    looking.need("orders:fulfill")
    form = Form.of(kind="pick_up")
    return show(request, "picking/hand_over.html", order=await desk.get(f"/orders/{order_id}"), form=form)


@router.post("/{order_id}/hand-over")
async def hand_over(request: Request, desk: AtDesk, order_id: str) -> Response:
    """It leaves without a van of ours."""
    form = await forms.read(request)
    body = form.body("kind", "carrier", "tracking_number", "recipient_name", delivered=form.ticked("delivered"))
    try:
        await desk.do("POST", f"/orders/{order_id}/ship", body, key=form.key)
    except Refused as refused:
        form.refuse(refused)
        order = await desk.get(f"/orders/{order_id}")
        return show(request, "picking/hand_over.html", status=refused.status, order=order, form=form)
    return go(request, f"/console/orders/{order_id}", said="The order is handed over.")


def _packed(form: Form) -> tuple[dict[str, Any], dict[str, str]]:
    """The boxes as the API takes them, and its names of fields -> ours."""
    places = sorted({int(name.split(".")[1]) for name in form.values if name.startswith("lines.")})
    named = [place for place in places if form.get(f"lines.{place}.quantity") or form.get(f"lines.{place}.weight_id")]
    lines = []
    renamed: dict[str, str] = {}
    for row, place in enumerate(named):
        fields = {name: form.get(f"lines.{place}.{name}") for name in ("line_id", "quantity", "weight_id")}
        lines.append({name: text for name, text in fields.items() if text})
        renamed |= {f"lines.{row}.{name}": f"lines.{place}.quantity" for name in (*fields, "lot_id")}
    body: dict[str, Any] = {"lines": lines, "deliver_short": form.ticked("deliver_short")}
    if form.get("boxes"):
        body["boxes"] = forms.whole(form.get("boxes"))
    if form.get("weight"):
        body["packed_weight_g"] = forms.grams(form.get("weight"))
    return body, renamed | {"packed_weight_g": "weight"}


def _done(form: Form, line_id: str) -> dict[str, Any]:
    """A line's pick, by the kind of form that was sent."""
    done: dict[str, Any] = {"line_id": line_id}
    if form.get("kind") == "short":
        return done | {"short_reason": form.get("short_reason")}
    if form.get("kind") == "substitute":
        other = form.body("product_id", "quantity", "reason", agreed=form.ticked("agreed"))
        return done | {"substitute": other}
    lot = form.body("code", "quantity", "weight_id", "pieces", swap=form.ticked("swap"))
    lot_id, _, location_id = form.get("lot").partition("|")
    if lot_id and not form.get("code"):
        lot |= {"lot_id": lot_id} | ({"location_id": location_id} if location_id else {})
    if form.get("container"):
        lot["container_g"] = forms.grams(form.get("container"))
    return done | {"lots": [lot]}


async def _told(desk: Desk, looking: Visitor, order_id: str) -> dict[str, Any]:
    order, weights = await together(desk.get(f"/orders/{order_id}"), weights_of(looking))
    places = {one["location_id"] for line in order["lines"] for one in line["allocations"]}
    names = await names_of(looking, products=[line["product_id"] for line in order["lines"]], places=places)
    return {
        "order": order,
        "products": names.products,
        "names": names,
        "closed": _CLOSED,
        "typed": Row(),
        "weights": weights,
        "weighed": WEIGHED,
    }


async def _show(
    request: Request, desk: Desk, looking: Visitor, order_id: str, form: Form, *, status: int = 200
) -> Response:
    told = await _told(desk, looking, order_id)
    waits = any(line["fulfillment_status"] == "backordered" for line in told["order"]["lines"])
    return show(request, "picking/order.html", status=status, form=form, waits=waits, **told)


async def _show_line(
    request: Request, desk: Desk, looking: Visitor, order_id: str, line_id: str, *, form: Form, status: int = 200
) -> Response:
    told = await _told(desk, looking, order_id)
    order = told["order"]
    line = next((one for one in order["lines"] if one["id"] == line_id), None)
    if line is None:
        raise Refused(404, "NOT_FOUND", f"the order has no line with id {line_id}")
    product = told["products"].get(line["product_id"], {})
    lots, others = await together(_lots(desk, looking, order, line), _others(looking, order, product))
    form.values.setdefault("quantity", "")
    return show(
        request,
        "picking/line.html",
        status=status,
        form=form,
        none_form=Form(),
        order=order,
        line=line,
        product=product,
        lots=lots,
        others=others,
        weights=[(one["id"], _weight(looking, one)) for one in told["weights"]],
    )


def _weight(looking: Visitor, one: Answer) -> str:
    return f"{one['weight_g'] / 1000:g} kg, {looking.writing.clock_time(one['weighed_at'])}"


async def _lots(desk: Desk, looking: Visitor, order: Answer, line: Answer) -> list[tuple[str, str]]:
    """Lots that lie in the warehouse: the promised ones by their number first, the others by place and last day."""
    promised = {(one["lot_id"], one["location_id"]): one["lot_number"] for one in line["allocations"]}
    levels = []
    if looking.may("stock:read"):
        asked = {"product_id": line["product_id"], "warehouse_id": order["warehouse_id"], "status": "available"}
        levels = await desk.every("/warehouse/stock/levels", **asked)
    free = [
        level
        for level in sorted(levels, key=lambda one: str(one["keeps_until"]))
        if (level["lot_id"], level["location_id"]) not in promised and forms.decimal(level["available"])
    ]
    names = await names_of(
        looking,
        lots={level["lot_id"] for level in free},
        places={place for _, place in promised} | {level["location_id"] for level in free},
    )
    shown = [
        (f"{lot}|{place}", f"{lot_number} · {names.place_code(place)}") for (lot, place), lot_number in promised.items()
    ]
    for level in free:
        until = looking.say("until {day}", day=level["keeps_until"] or "–")
        amount = looking.say("{amount} free", amount=number(level["available"]))
        where = f"{names.lot(level['lot_id'])} · {names.place_code(level['location_id'])}"
        shown.append((f"{level['lot_id']}|{level['location_id']}", f"{where} · {until} · {amount}"))
    return shown


async def _others(looking: Visitor, order: Answer, product: Answer) -> list[tuple[str, str]]:
    """What can stand for a product: active, counted alike, and not on the order."""
    if not product:
        return []
    there = {line["product_id"] for line in order["lines"]}
    alike = (product["unit"], product["catch_weight"])
    every = await products_of(looking)
    fitting = [one for one in every if one["id"] not in there and (one["unit"], one["catch_weight"]) == alike]
    return options(fitting, "name", "sku")
