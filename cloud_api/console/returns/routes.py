"""`/console/returns`: what customers give back."""

from decimal import Decimal
from typing import Any

from fastapi import Request, Response

from cloud_api.console import forms
from cloud_api.console.asking import Answer, Desk, Refused, gathered, together
from cloud_api.console.choices import options, warehouses_of
from cloud_api.console.choices import places_of as places_to_choose
from cloud_api.console.files import MOST_ROWS, Cell, table_file
from cloud_api.console.form_rows import places_of
from cloud_api.console.forms import Form
from cloud_api.console.names import Names, names_of
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.returns import pictures
from cloud_api.console.returns.bodies import BODIES
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.tables import asked_for, table

router = console_router("/returns")
_FILTERS = ("status", "warehouse_id", "from", "to", "order_id", "customer_id")
_HEAD = (
    *("Return", "Order", "Customer", "Status", "Reason", "Refund", "Sum", "Asked for"),
    *("Product", "Quantity", "Unit"),
)
_SHOWN = 50
#: pictures are still taken
_IN_SIGHT = frozenset({"requested", "approved", "received", "inspected"})
#: goods are put somewhere
_NEEDS_PLACES = frozenset({"approved", "inspected"})
_STATUSES = ("requested", "approved", "received", "inspected", "completed", "rejected", "cancelled")
_CONDITIONS = ("intact", "wrong", "damaged", "spoiled")
#: of those: as it was sold
_AS_SOLD = ("intact", "wrong")
_SAID = {
    "decide": "It is decided.",
    "cancel": "Nothing comes back after all.",
    "receive": "The goods are in quarantine.",
    "inspect": "It is written down how they were found.",
    "restock": "They are sold again.",
    "scrap": "They are thrown away.",
    "refund": "The order owes so much less.",
}


@router.get("")
async def show_returns(request: Request, desk: AtDesk, looking: Looking) -> Response:
    """The newest first."""
    asked, sites = await together(table(request, desk, "/returns", filters=_FILTERS), warehouses_of(looking))
    statuses = looking.writing.words(_STATUSES)
    names = await names_of(looking, orders={row["order_id"] for row in asked.rows})
    return show(request, "returns/list.html", table=asked, statuses=statuses, sites=options(sites), orders=names.orders)


@router.get("/export")
async def export_returns(request: Request, desk: AtDesk, looking: Looking) -> Response:
    """The returns that the filters leave, a line a row."""
    rows = await desk.every("/returns", most=MOST_ROWS, **asked_for(request, _FILTERS))
    names = await names_of(
        looking,
        orders={row["order_id"] for row in rows},
        products={line["product_id"] for row in rows for line in row["lines"]},
    )
    told = (
        [
            *_return(looking, names, row),
            names.product(line["product_id"]),
            Decimal(line["quantity"]),
            names.unit(line["product_id"]),
        ]
        for row in rows
        for line in row["lines"]
    )
    return table_file(request, "returns", [looking.say(column) for column in _HEAD], told)


@router.get("/new")
async def show_new(request: Request, desk: AtDesk, looking: Looking) -> Response:
    """What of an order is to come back."""
    looking.need("returns:write")
    form = Form.of(order_id=request.query_params.get("order_id"))
    return await _show_new(request, desk, looking, form)


@router.post("/new")
async def ask(request: Request, desk: AtDesk, looking: Looking) -> Response:
    """Ask for it to be taken back."""
    form = await forms.read(request)
    named = places_of(form, "lines", "quantity")
    lines = [{name: form.get(f"lines.{place}.{name}") for name in ("order_line_id", "quantity")} for place in named]
    renamed = {
        f"lines.{row}.{name}": f"lines.{place}.quantity"
        for row, place in enumerate(named)
        for name in ("order_line_id", "quantity")
    }
    body = {"reason": "", **form.body("reason", "note"), "lines": lines}
    try:
        made = await desk.do("POST", f"/orders/{form.get('order_id')}/returns", body, key=form.key)
    except Refused as refused:
        form.refuse(refused, **renamed)
        return await _show_new(request, desk, looking, form, status=refused.status)
    return go(request, f"/console/returns/{made['id']}", said="The return is asked for.")


@router.get("/{return_id}")
async def show_return(request: Request, desk: AtDesk, looking: Looking, return_id: str) -> Response:
    """One return, and what is to be done next."""
    return await _show(request, desk, looking, return_id)


@router.post("/{return_id}/pictures")
async def add_pictures(request: Request, desk: AtDesk, looking: Looking, return_id: str) -> Response:
    """Keep what a camera saw, or what was chosen."""
    form, sent = await pictures.read(request)
    shows = dict.fromkeys(("camera", "chosen"), form.get("line_id"))
    if not await pictures.send(desk, return_id, form, sent, shows):
        form.errors["camera"] = looking.say("Choose a picture first.")
    if form.errors:
        return await _show(request, desk, looking, return_id, verb="pictures", form=form, status=422)
    return go(request, f"/console/returns/{return_id}#pictures", said="The pictures are kept.")


@router.get("/{return_id}/pictures/{picture_id}")
async def get_picture(desk: AtDesk, return_id: str, picture_id: str, size: str = "large") -> Response:
    """A picture, as the API hands it out."""
    said = await desk.raw(f"/returns/{return_id}/pictures/{picture_id}", size=size)
    kept = {"Content-Security-Policy": "sandbox", "Cache-Control": "private, max-age=3600"}
    return Response(said.content, headers=kept, media_type=said.headers["Content-Type"])


@router.post("/{return_id}/pictures/{picture_id}/remove")
async def remove_picture(request: Request, desk: AtDesk, return_id: str, picture_id: str) -> Response:
    """Take one away."""
    await desk.do("DELETE", f"/returns/{return_id}/pictures/{picture_id}")
    return go(request, f"/console/returns/{return_id}#pictures", said="The picture is taken away.")


@router.post("/{return_id}/{verb}")
async def follow(request: Request, desk: AtDesk, looking: Looking, return_id: str, verb: str) -> Response:
    """Do what was asked for; what is refused is shown where it was typed. Its pictures are kept first, and stay."""
    if verb not in BODIES:
        raise Refused(404, "NOT_FOUND", "there is no such thing to do with a return")
    form, sent = await pictures.read(request)
    rows = places_of(form, "goods", "line_id")
    shows = {f"goods.{row}.picture": form.get(f"goods.{row}.line_id") for row in rows}
    await pictures.send(desk, return_id, form, sent, shows)
    if form.errors:
        return await _show(request, desk, looking, return_id, verb=verb, form=form, status=422)
    method, path, body, renamed = BODIES[verb](form)
    try:
        await desk.do(method, f"/returns/{return_id}{path}", body, key=form.key)
    except Refused as refused:
        form.refuse(refused, **renamed)
        return await _show(request, desk, looking, return_id, verb=verb, form=form, status=refused.status)
    return go(request, f"/console/returns/{return_id}", said=_SAID[verb])


async def _show_new(request: Request, desk: Desk, looking: Visitor, form: Form, *, status: int = 200) -> Response:
    if not form.get("order_id"):
        text = request.query_params.get("search", "").strip()
        delivered = await desk.page("/orders", status="delivered", search=text, limit=_SHOWN)
        return show(request, "returns/which.html", orders=delivered.items, text=text)
    order = await desk.get(f"/orders/{form.get('order_id')}")
    names = await names_of(looking, products=[line["product_id"] for line in order["lines"]])
    return show(request, "returns/new.html", status=status, form=form, order=order, products=names.products)


async def _show(
    request: Request,
    desk: Desk,
    looking: Visitor,
    return_id: str,
    *,
    verb: str = "",
    form: Form | None = None,
    status: int = 200,
) -> Response:
    one = await desk.get(f"/returns/{return_id}")
    [order], names = await together(
        gathered(desk.get(f"/orders/{one['order_id']}")),
        names_of(
            looking,
            products=[line["product_id"] for line in one["lines"]],
            people=[picture["sent_by"] for picture in one["pictures"]],
        ),
    )
    places = []
    if order and one["status"] in _NEEDS_PLACES and looking.may("returns:process"):
        places = await places_to_choose(looking, warehouse_id=order["warehouse_id"])
    return show(
        request,
        "returns/return.html",
        status=status,
        one=one,
        order=order,
        products=names.products,
        people=names.people,
        of_lines=[(line["id"], names.product(line["product_id"])) for line in one["lines"]],
        may_add=looking.may("returns:write") and one["status"] in _IN_SIGHT,
        lines={line["id"]: line for line in one["lines"]},
        lots=_lots(order, one),
        places=options(places, "name", "code"),
        as_sold=_AS_SOLD,
        conditions=looking.writing.words(_CONDITIONS),
        open_goods=[row for row in one["goods"] if row["disposition"] is None],
        verb=verb,
        typed=form or Form(),
        fresh=Form,
    )


def _return(looking: Visitor, names: Names, row: Answer) -> list[Cell]:
    refund = row["refund_minor"]
    return [
        row["number"],
        names.order(row["order_id"]),
        names.orders.get(row["order_id"], {}).get("customer_name", ""),
        looking.writing.word(row["status"]),
        row["reason"],
        looking.writing.word(row["refund_status"]),
        None if refund is None else Decimal(refund) / 100,
        looking.writing.moment(row["requested_at"]),
    ]


def _lots(order: Answer, one: Answer) -> dict[str, list[tuple[str, str]]]:
    """Line of the return -> the lots that went out with it."""
    by_line: dict[str, Any] = {line["id"]: line["allocations"] for line in (order or {"lines": []})["lines"]}
    return {
        line["id"]: [(lot["lot_id"], lot["lot_number"]) for lot in by_line.get(line["order_line_id"], [])]
        for line in one["lines"]
    }
