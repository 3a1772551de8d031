"""`/console/transfers`: goods go from one warehouse to another, or from place to place at once."""

from typing import Any

from fastapi import Request, Response

from cloud_api.console import forms
from cloud_api.console.asking import Answer, Refused
from cloud_api.console.forms import Form
from cloud_api.console.handling.naming import Names, names_for
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.tables import table

router = console_router("/transfers")

STATUSES = ("draft", "in_transit", "completed", "returned", "cancelled")
_LIST = "/warehouse/stock/transfers"
#: rows of a sheet
_MOST = 200


@router.get("")
async def list_transfers(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """Transfers, newest first."""
    rows = await table(request, desk, _LIST, filters=("status", "from_warehouse_id", "to_warehouse_id"))
    statuses = [(code, visitor.writing.word(code)) for code in STATUSES]
    return show(request, "handling/transfers.html", table=rows, names=await names_for(visitor), statuses=statuses)


@router.get("/new")
async def show_new(request: Request, visitor: Looking) -> Response:
    """First where the goods are, then a sheet of what lies there."""
    asked = request.query_params
    form = Form.of({name: asked.get(name, "") for name in ("from_warehouse_id", "product_id", "lot_id")})
    return await _sheet(request, visitor, form, "handling/transfer_new.html")


@router.post("/new")
async def create(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """Say what is to go; it leaves when it is sent off."""
    form = await forms.read(request)
    rows = _typed(form)
    lines = [{"lot_id": lot, "from_location_id": place, "quantity": form.get(name)} for name, lot, place in rows]
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
    form = Form.of({name: asked.get(name, "") for name in ("from_location_id", "product_id", "lot_id")})
    return await _sheet(request, visitor, form, "handling/move.html")


@router.post("/move")
async def move(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """Book it: all lines, or none."""
    form = await forms.read(request)
    rows, to = _typed(form), form.get("to_location_id")
    lines = [
        {"lot_id": lot, "from_location_id": place, "to_location_id": to or None, "quantity": form.get(name)}
        for name, lot, place in rows
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
    """It leaves."""
    form = await forms.read(request)
    await desk.do("POST", f"{_LIST}/{id}/ship", key=form.key)
    return go(request, f"/console/transfers/{id}", said="It is on its way.")


@router.post("/{id}/cancel")
async def cancel(request: Request, desk: AtDesk, id: str) -> Response:
    """Send nothing."""
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


def _typed(form: Form) -> list[tuple[str, str, str]]:
    """(field, lot, place) of the rows of a sheet that somebody filled in."""
    typed = []
    for name in form.values:
        kind, _, row = name.partition(".")
        if kind == "take" and form.get(name):
            lot, _, place = row.partition("_")
            typed.append((name, lot, place))
    return typed


def _complain(form: Form, refused: Refused, rows: list[tuple[str, str, str]], visitor: Visitor) -> None:
    """Show what the API said of a line beside its row."""
    renamed = {
        f"lines.{place}.{name}": ours
        for place, (ours, _, _) in enumerate(rows)
        for name in ("quantity", "lot_id", "from_location_id", "weight_g")
    }
    renamed |= {f"lines.{place}.to_location_id": "to_location_id" for place in range(len(rows))}
    form.refuse(refused, **renamed)
    if not rows:
        form.errors.pop("lines", None)
        form.problem = visitor.say("Say of at least one lot how much is to go.")


async def _sheet(request: Request, visitor: Visitor, form: Form, template: str, *, status: int = 200) -> Response:
    """What lies where the goods are, with a field beside each lot."""
    warehouse, place = form.get("from_warehouse_id"), form.get("from_location_id")
    levels: list[Answer] = []
    if warehouse or place:
        query = {"warehouse_id": warehouse, "location_id": place, "product_id": form.get("product_id")}
        found = await visitor.desk.page("/warehouse/stock/levels", limit=_MOST, lot_id=form.get("lot_id"), **query)
        levels = [level for level in found.items if float(level["on_hand"]) > 0]
    names = await names_for(visitor, lots=[level["lot_id"] for level in levels])
    levels.sort(key=lambda level: (names.product(level["product_id"]), _keeps_until(level, names)))
    return show(request, template, status=status, form=form, names=names, levels=levels)


def _keeps_until(level: Answer, names: Names) -> str:
    """What has to go first; what keeps for ever is last."""
    lot = names.lots.get(level["lot_id"], {})
    return str(level["keeps_until"] or lot.get("expires_on") or "9")


async def _transfer(request: Request, visitor: Visitor, id: str, form: Form, *, status: int = 200) -> Response:
    transfer = await visitor.desk.get(f"{_LIST}/{id}")
    names = await names_for(visitor, lots=[line["lot_id"] for line in transfer["lines"]])
    for line in transfer["lines"]:
        gone = sum(float(line[name]) for name in ("received", "lost", "returned"))
        line["gone"], line["open"] = gone, round(float(line["quantity"]) - gone, 3)
        form.values.setdefault(f"quantity.{line['id']}", f"{line['open']:g}")
        form.values.setdefault(f"location_id.{line['id']}", line["to_location_id"] or "")
    return show(request, "handling/transfer.html", status=status, form=form, names=names, transfer=transfer)
