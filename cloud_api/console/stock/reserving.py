"""`/console/stock/reservations`: what is promised, to whom and until when; promised and given back by hand."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Request, Response

from cloud_api.console import files, forms
from cloud_api.console.asking import Answer, Refused, together
from cloud_api.console.choices import options, warehouses_of
from cloud_api.console.forms import Form
from cloud_api.console.names import Names, names_of
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.stock.levels import names_of_levels
from cloud_api.console.tables import Table, asked_for, table

router = console_router("/stock/reservations")

_API = "/warehouse/stock/reservations"
_HERE = "/console/stock/reservations"
_NEEDED = "stock:write"
_STATES = ("active", "consumed", "released", "expired")
_FILTERS = ("status", "product_id", "location_id", "lot_id", "at_risk")
#: how the API says for whom
_BY_HAND, _OF_A_LINE = "manual:", "order_line:"
_AT_ONCE = 200
#: order line -> the order that it is of
Orders = Mapping[str, Answer]


@router.get("")
async def show_reservations(request: Request, visitor: Looking) -> Response:
    """What is promised; unless another state is asked for, what is promised still."""
    listed = await table(request, visitor.desk, _API, filters=_FILTERS, **_asked(request))
    if reference := _reference(request):
        listed = Table(listed.path, {**listed.query, "reference": reference}, listed.rows, listed.next_cursor)
    names, orders = await together(names_of_levels(visitor, listed.rows), _orders(visitor, listed.rows))
    states = visitor.writing.words(_STATES)
    return show(request, "stock/reservations.html", table=listed, names=names, orders=orders, states=states)


@router.get("/export")
async def export_reservations(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """All that the filters leave, as a file."""
    rows = await desk.every(_API, most=files.MOST_ROWS, **asked_for(request, _FILTERS), **_asked(request))
    names, orders = await together(names_of_levels(visitor, rows), _orders(visitor, rows))
    say = visitor.say
    head = [
        say("Product"), say("Number"), say("Lot"), say("Place"), say("Warehouse"), say("Quantity"), say("Unit"),
        say("For"), say("Needed on"), say("Reserved"), say("Lapses"), say("Status"), say("Settled"), say("At risk"),
    ]  # fmt: skip
    return files.table_file(request, "reservations", head, (_cells(row, names, orders, visitor) for row in rows))


@router.get("/new")
async def show_new(request: Request, visitor: Looking) -> Response:
    """The form of what is to be kept for somebody."""
    asked = request.query_params
    return await _form(
        request, visitor, Form.of({name: asked.get(name, "") for name in ("product_id", "warehouse_id")})
    )


@router.post("/new")
async def reserve(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """Promise it: what expires first."""
    form = await forms.read(request)
    body = form.body("reference", "product_id", "warehouse_id", "quantity", "needed_on")
    if until := visitor.writing.instant(form.get("expires_at")):
        body["expires_at"] = until
    try:
        made = await desk.do("POST", _API, body, key=form.key)
    except Refused as refused:
        _complain(form, refused)
        return await _form(request, visitor, form, status=refused.status)
    address = f"{_HERE}/{made[0]['id']}" if len(made) == 1 else f"{_HERE}?product_id={form.get('product_id')}"
    return go(request, address, said="It is reserved.")


@router.get("/{id}")
async def show_reservation(request: Request, visitor: Looking, id: str) -> Response:
    """One promise: what of, for whom, until when."""
    return await _page(request, visitor, id, Form())


@router.post("/{id}/release")
async def release(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Give back what was reserved by hand."""
    form = await forms.read(request)
    if not form.get("reason"):
        form.errors["reason"] = visitor.say("Say why")
        return await _page(request, visitor, id, form, status=422)
    try:
        await desk.do("POST", f"{_API}/{id}/release", form.body("reason"), key=form.key)
    except Refused as refused:
        if refused.status != 422:  # it is an order's: no form is offered for that
            raise
        form.refuse(refused)
        return await _page(request, visitor, id, form, status=refused.status)
    return go(request, f"{_HERE}/{id}", said="It is free to be sold again.")


def _reference(request: Request) -> str:
    return request.query_params.get("reference", "").strip()


def _asked(request: Request) -> dict[str, Any]:
    """What the API is asked beside what the address says in its words."""
    reference = _reference(request)
    asked: dict[str, Any] = {"source": f"{_BY_HAND}{reference}"} if reference else {}
    return asked if request.query_params.get("status") or reference else {"status": "active"}


async def _orders(visitor: Visitor, rows: Sequence[Answer]) -> Orders:
    """The orders that they are promised to, by the line."""
    if not visitor.may("orders:read"):
        return {}
    lines = sorted({one.removeprefix(_OF_A_LINE) for row in rows if (one := row["source"]).startswith(_OF_A_LINE)})
    parts = [lines[begin : begin + _AT_ONCE] for begin in range(0, len(lines), _AT_ONCE)]
    asked = (visitor.desk.page("/orders/lines", line_id=part, limit=len(part)) for part in parts)
    return {line["id"]: order for page in await together(*asked) for order in page.items for line in order["lines"]}


def _of(row: Answer, orders: Orders, visitor: Visitor) -> str:
    """For whom it is promised, as people say it."""
    source = str(row["source"])
    if not source.startswith(_OF_A_LINE):
        return source.partition(":")[2] or source
    order = orders.get(source.removeprefix(_OF_A_LINE))
    return visitor.say("an order") if order is None else str(order["number"])


def _cells(row: Answer, names: Names, orders: Orders, visitor: Visitor) -> list[files.Cell]:
    return [
        names.product(row["product_id"]),
        names.products.get(row["product_id"], {}).get("sku"),
        names.lot(row["lot_id"]),
        names.place(row["location_id"]),
        names.warehouse_of(row["location_id"]),
        files.amount(row["quantity"]),
        names.unit(row["product_id"]),
        _of(row, orders, visitor),
        files.day(row["needed_on"]),
        files.moment(row["reserved_at"]),
        files.moment(row["expires_at"]),
        visitor.writing.word(row["status"]),
        files.moment(row["settled_at"]),
        files.moment(row["at_risk_since"]),
    ]


async def _form(request: Request, visitor: Visitor, form: Form, *, status: int = 200) -> Response:
    visitor.need(_NEEDED)
    names, warehouses = await together(names_of(visitor, products=[form.get("product_id")]), warehouses_of(visitor))
    return show(request, "stock/reserve.html", status=status, form=form, names=names, warehouses=options(warehouses))


async def _page(request: Request, visitor: Visitor, id: str, form: Form, *, status: int = 200) -> Response:
    row = await visitor.desk.get(f"{_API}/{id}")
    names, orders = await together(names_of_levels(visitor, [row]), _orders(visitor, [row]))
    by_hand = row["source"].startswith(_BY_HAND)
    return show(
        request, "stock/reservation.html", status=status, row=row, names=names, form=form,
        order=orders.get(row["source"].removeprefix(_OF_A_LINE)), what_for=_of(row, orders, visitor), by_hand=by_hand,
        may_release=by_hand and row["status"] == "active" and visitor.may(_NEEDED),
    )  # fmt: skip


def _complain(form: Form, refused: Refused) -> None:
    if refused.status == 403:
        raise refused
    form.refuse(refused)
