"""`/console/transfers`: goods go from one warehouse to another, or from place to place at once."""

from typing import Any

from fastapi import Request, Response

from cloud_api.console import files, forms
from cloud_api.console.asking import Answer, Refused, together
from cloud_api.console.forms import Form
from cloud_api.console.handling.choosing import choices_for, warehouses_for
from cloud_api.console.handling.sheets import Taken, taken
from cloud_api.console.names import Names, names_of
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.tables import asked_for, table

router = console_router("/transfers")

STATUSES = ("draft", "in_transit", "completed", "returned", "cancelled")
_LIST = "/warehouse/stock/transfers"
_FILTERS = ("status", "from_warehouse_id", "to_warehouse_id")
#: rows of a sheet
_MOST = 200


@router.get("")
async def list_transfers(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """Transfers, newest first."""
    rows, (choices, names) = await together(table(request, desk, _LIST, filters=_FILTERS), warehouses_for(visitor))
    statuses = visitor.writing.words(STATUSES)
    return show(request, "handling/transfers.html", table=rows, choices=choices, names=names, statuses=statuses)


@router.get("/export")
async def export_transfers(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """All that the filters leave as a file: a row for each lot of each transfer."""
    transfers = await desk.every(_LIST, most=files.MOST_ROWS, **asked_for(request, _FILTERS))
    lines = [line for transfer in transfers for line in transfer["lines"]]
    between = [transfer[name] for transfer in transfers for name in ("from_warehouse_id", "to_warehouse_id")]
    names = await names_of(
        visitor,
        products=[line["product_id"] for line in lines],
        lots=[line["lot_id"] for line in lines],
        warehouses=between,
    )
    say = visitor.say
    head = [
        say("Number"), say("Status"), say("From where"), say("Where to"), say("Product"), say("Lot"), say("Sent"),
        say("Received"), say("Lost"), say("Returned"), say("Unit"), say("Expected on"), say("Created"),
        say("Sent off"), say("Note"),
    ]  # fmt: skip
    rows = (_cells(transfer, line, names, visitor) for transfer in transfers for line in transfer["lines"])
    return files.table_file(request, "transfers", head, rows)


@router.get("/new")
async def show_new(request: Request, visitor: Looking) -> Response:
    """First where the goods are, then a sheet of what lies there."""
    asked = request.query_params
    form = Form.of({name: asked.get(name, "") for name in ("from_warehouse_id", "product_id", "lot_id", "search")})
    return await _sheet(request, visitor, form, "handling/transfer_new.html")


@router.post("/new")
async def create(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """Say what is to go; it leaves when it is sent off."""
    form = await forms.read(request)
    rows = taken(form)
    lines = [{"lot_id": row.lot_id, "from_location_id": row.location_id, **row.amount} for row in rows]
    for line in lines:
        if to := form.get("to_location_id"):
            line["to_location_id"] = to
    body = form.body("from_warehouse_id", "to_warehouse_id", "expected_on", "note", lines=lines)
    try:
        made = await desk.do("POST", _LIST, body, key=form.key)
    except Refused as refused:
        _complain(form, refused, rows, visitor)
        return await _sheet(request, visitor, form, "handling/transfer_new.html", status=refused.status)
    return go(
        request, f"/console/transfers/{made['id']}", said="The transfer is written down. Send it off when it leaves."
    )


@router.get("/move")
async def show_move(request: Request, visitor: Looking) -> Response:
    """The same within a warehouse: from place to place, now."""
    asked = request.query_params
    form = Form.of({name: asked.get(name, "") for name in ("from_location_id", "product_id", "lot_id", "search")})
    return await _sheet(request, visitor, form, "handling/move.html")


@router.post("/move")
async def move(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """Book it: all lines, or none."""
    form = await forms.read(request)
    rows, to = taken(form), form.get("to_location_id")
    lines = [
        {"lot_id": row.lot_id, "from_location_id": row.location_id, "to_location_id": to or None, **row.amount}
        for row in rows
    ]
    try:
        await desk.do("POST", "/warehouse/stock/transfer", form.body("reference", lines=lines), key=form.key)
    except Refused as refused:
        _complain(form, refused, rows, visitor)
        return await _sheet(request, visitor, form, "handling/move.html", status=refused.status)
    return go(request, "/console/movements?movement_type=transfer", said="The goods are moved.")


@router.get("/{id}")
async def show_transfer(request: Request, visitor: Looking, id: str) -> Response:
    """One transfer, and what can be done with it."""
    return await _transfer(request, visitor, id, Form())


@router.post("/{id}/ship")
async def ship(request: Request, desk: AtDesk, id: str) -> Response:
    """The goods leave: they are on their way from now on."""
    form = await forms.read(request)
    await desk.do("POST", f"{_LIST}/{id}/ship", key=form.key)
    return go(request, f"/console/transfers/{id}", said="It is on its way.")


@router.post("/{id}/cancel")
async def cancel(request: Request, desk: AtDesk, id: str) -> Response:
    """Give the transfer up before anything has left."""
    form = await forms.read(request)
    await desk.do("POST", f"{_LIST}/{id}/cancel", key=form.key)
    return go(request, f"/console/transfers/{id}", said="The transfer is cancelled.")


@router.post("/{id}/return")
async def take_back(request: Request, desk: AtDesk, id: str) -> Response:
    """What is still on its way is back where it left."""
    form = await forms.read(request)
    await desk.do("POST", f"{_LIST}/{id}/return", {}, key=form.key)
    return go(request, f"/console/transfers/{id}", said="What was on its way is back.")


@router.post("/{id}/receive")
async def receive(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Put away what arrived, and book off what will not."""
    form = await forms.read(request)
    line_ids = [name.split(".")[1] for name in form.values if name.startswith("quantity.") and form.get(name)]
    try:
        body = {"lines": [_arrived(form, line_id) for line_id in line_ids]}
        await desk.do("POST", f"{_LIST}/{id}/receive", body, key=form.key)
    except Refused as refused:
        renamed = {
            f"lines.{place}.{name}": f"{ours}.{line_id}"
            for place, line_id in enumerate(line_ids)
            for name, ours in _OURS.items()
        }
        form.refuse(refused, **renamed)
        if not line_ids:
            form.problem = visitor.say("Say of at least one line how much arrived.")
        return await _transfer(request, visitor, id, form, status=refused.status)
    return go(request, f"/console/transfers/{id}", said="What arrived is put away.")


#: the API's fields of a line that arrived -> ours
_OURS = {
    "quantity": "quantity",
    "line_id": "quantity",
    "location_id": "location_id",
    "loss": "loss",
    "loss.book_as": "loss",
    "loss.reason": "reason",
}


def _arrived(form: Form, line_id: str) -> dict[str, Any]:
    line: dict[str, Any] = {"line_id": line_id, "quantity": form.get(f"quantity.{line_id}")}
    if place := form.get(f"location_id.{line_id}"):
        line["location_id"] = place
    if loss := form.get(f"loss.{line_id}"):
        line["loss"] = {"book_as": loss, "reason": form.get(f"reason.{line_id}")}
    return line


def _cells(transfer: Answer, line: Answer, names: Names, visitor: Visitor) -> list[files.Cell]:
    return [
        transfer["number"],
        visitor.writing.word(transfer["status"]),
        names.warehouse(transfer["from_warehouse_id"]),
        names.warehouse(transfer["to_warehouse_id"]),
        names.product(line["product_id"]),
        names.lot(line["lot_id"]),
        *(files.amount(line[name]) for name in ("quantity", "received", "lost", "returned")),
        names.unit(line["product_id"]),
        files.day(transfer["expected_on"]),
        files.moment(transfer["created_at"]),
        files.moment(transfer["shipped_at"]),
        transfer["note"],
    ]


def _complain(form: Form, refused: Refused, rows: list[Taken], visitor: Visitor) -> None:
    """Show what the API said of a line beside its row."""
    renamed = {f"lines.{place}.to_location_id": "to_location_id" for place in range(len(rows))}
    for place, row in enumerate(rows):
        renamed |= row.beside(f"lines.{place}.", "from_location_id")
    form.refuse(refused, **renamed)
    if not rows:
        form.errors.pop("lines", None)
        form.problem = visitor.say("Say of at least one lot how much is to go.")


async def _sheet(request: Request, visitor: Visitor, form: Form, template: str, *, status: int = 200) -> Response:
    """What lies where the goods are, with a field beside each lot."""
    warehouse, place = form.get("from_warehouse_id"), form.get("from_location_id")
    levels: list[Answer] = []
    more = False
    if warehouse or place:
        query = {"warehouse_id": warehouse, "location_id": place, "product_id": form.get("product_id")}
        asked = {**query, "lot_id": form.get("lot_id"), "search": form.get("search")}
        # what has to go first stands first
        found = await visitor.desk.page(
            "/warehouse/stock/levels", limit=_MOST, in_stock=True, sort="keeps_until", **asked
        )
        levels, more = found.items, found.next_cursor is not None
    choices, names = await choices_for(
        visitor,
        products=[level["product_id"] for level in levels],
        lots=[level["lot_id"] for level in levels],
    )
    return show(request, template, status=status, form=form, choices=choices, names=names, levels=levels, more=more)


async def _transfer(request: Request, visitor: Visitor, id: str, form: Form, *, status: int = 200) -> Response:
    transfer = await visitor.desk.get(f"{_LIST}/{id}")
    lines = transfer["lines"]
    choices, names = await choices_for(
        visitor, products=[line["product_id"] for line in lines], lots=[line["lot_id"] for line in lines]
    )
    for line in transfer["lines"]:
        gone = sum(float(line[name]) for name in ("received", "lost", "returned"))
        line["gone"], line["open"] = gone, round(float(line["quantity"]) - gone, 3)
        form.values.setdefault(f"quantity.{line['id']}", f"{line['open']:g}")
        form.values.setdefault(f"location_id.{line['id']}", line["to_location_id"] or "")
    return show(
        request, "handling/transfer.html", status=status, form=form, choices=choices, names=names, transfer=transfer
    )
