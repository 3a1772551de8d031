"""`/console/counts`: stock is counted on a sheet, differences are looked at, approved and booked."""

from dataclasses import replace
from typing import Any

from fastapi import Request, Response

from cloud_api.console import files, forms
from cloud_api.console.asking import Answer, Refused, together
from cloud_api.console.forms import Form
from cloud_api.console.handling.choosing import choices_for, warehouses_for
from cloud_api.console.names import Names, names_of
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.tables import asked_for, table

router = console_router("/counts")

STATUSES = ("draft", "counting", "review", "completed", "cancelled")
_LIST = "/warehouse/stock/takes"
_FILTERS = ("status", "warehouse_id")
#: places of a stock take that its row names
_NAMED = 3
#: rows of a sheet on one page; the API takes 500 counts at once
_ROWS = 200
#: what can be done with a stock take by a button, and what is said then
_DONE = {
    "start": "Counting has begun.",
    "reopen": "It can be counted again.",
    "approve": "The differences are approved.",
    "complete": "The differences are booked.",
    "cancel": "The stock take is cancelled.",
}


@router.get("")
async def list_counts(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """Stock takes, newest first."""
    rows, (choices, names) = await together(table(request, desk, _LIST, filters=_FILTERS), warehouses_for(visitor))
    places = await names_of(visitor, places=[place for row in rows.rows for place in row["location_ids"][:_NAMED]])
    statuses = visitor.writing.words(STATUSES)
    return show(
        request,
        "handling/counts.html",
        table=rows,
        choices=choices,
        names=replace(names, places=places.places),
        named=_NAMED,
        statuses=statuses,
    )


@router.get("/export")
async def export_counts(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """All that the filters leave, as a file."""
    rows = await desk.every(_LIST, most=files.MOST_ROWS, **asked_for(request, _FILTERS))
    names = await names_of(
        visitor,
        warehouses=[row["warehouse_id"] for row in rows],
        places=[place for row in rows for place in row["location_ids"]],
    )
    say = visitor.say
    head = [
        say("Number"), say("Status"), say("Warehouse"), say("Places"), say("Lines"), say("Counted"),
        say("As the books said"), say("Created"), say("Booked"), say("Note"),
    ]  # fmt: skip
    cells = (
        [
            row["number"],
            visitor.writing.word(row["status"]),
            names.warehouse(row["warehouse_id"]) if row["warehouse_id"] else say("Vehicles"),
            ", ".join(names.place_code(place) for place in row["location_ids"]),
            row["lines"],
            row["counted"],
            None if row["accuracy_pct"] is None else float(row["accuracy_pct"]),
            files.moment(row["created_at"]),
            files.moment(row["completed_at"]),
            row["note"],
        ]
        for row in rows
    )
    return files.table_file(request, "stock-takes", head, cells)


@router.get("/new")
async def show_new(request: Request, visitor: Looking) -> Response:
    """What is to be counted."""
    asked = request.query_params
    form = Form.of(warehouse_id=asked.get("warehouse_id", ""), start=True)
    form.many["location_ids"] = asked.getlist("location_id")
    return await _new(request, visitor, form)


@router.post("/new")
async def create(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """Begin to count, or plan to."""
    form = await forms.read(request)
    places = [one for one in form.many.get("location_ids", []) if one]
    only = form.get("product_id")
    body = form.body(
        "warehouse_id",
        "note",
        location_ids=places,
        product_ids=[only] if only else [],
        blind=form.ticked("blind"),
        start=form.ticked("start"),
    )
    try:
        made = await desk.do("POST", _LIST, body, key=form.key)
    except Refused as refused:
        form.refuse(refused)
        return await _new(request, visitor, form, status=refused.status)
    return go(request, f"/console/counts/{made['id']}", said="The stock take is there.")


@router.get("/{id}")
async def show_count(request: Request, visitor: Looking, id: str) -> Response:
    """One stock take: its sheet while it is counted, its differences after that."""
    return await _take(request, visitor, id, Form())


@router.post("/{id}/counts")
async def enter(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Write down those rows of the sheet that say something new."""
    form = await forms.read(request)
    rows = [name for name in form.values if name.startswith("counted.") and _is_new(form, name)]
    if not rows:
        return go(request, _back(id, form), said="Nothing new was typed.")
    counts = [_count(form, name) for name in rows]
    try:
        await desk.do("POST", f"{_LIST}/{id}/counts", {"counts": counts}, key=form.key)
    except Refused as refused:
        renamed = {
            f"counts.{place}.{name}": ours
            for place, ours in enumerate(rows)
            for name in ("quantity", "lot_id", "location_id", "weight_g")
        }
        form.refuse(refused, **renamed)
        return await _take(request, visitor, id, form, status=refused.status)
    return go(request, _back(id, form), said="The counts are written down.")


@router.post("/{id}/scan")
async def scan(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Count a lot that is not on the sheet, or one after the other by scanner."""
    form = await forms.read(request)
    count = form.body("scanned", "location_id", "quantity", method="scan", additive=True)
    try:
        await desk.do("POST", f"{_LIST}/{id}/counts", {"counts": [count]}, key=form.key)
    except Refused as refused:
        form.refuse(refused, **{f"counts.0.{name}": name for name in ("scanned", "location_id", "quantity")})
        return await _take(request, visitor, id, form, status=refused.status)
    place = form.get("location_id")
    return go(request, f"/console/counts/{id}?scan_at={place}", said="The count is written down.")


@router.post("/{id}/submit")
async def submit(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Nobody counts any more."""
    form = await forms.read(request)
    try:
        await desk.do("POST", f"{_LIST}/{id}/submit", form.body("uncounted"), key=form.key)
    except Refused as refused:
        form.refuse(refused)
        form.values.setdefault("uncounted", "")
        return await _take(request, visitor, id, form, status=refused.status)
    return go(request, f"/console/counts/{id}", said="Look at the differences, and book them.")


@router.post("/{id}/{action}")
async def act(request: Request, desk: AtDesk, id: str, action: str) -> Response:
    """Start, reopen, approve, complete or cancel it."""
    if action not in _DONE:
        raise Refused(404, "NOT_FOUND", "nothing of that name can be done with a stock take")
    form = await forms.read(request)
    await desk.do("POST", f"{_LIST}/{id}/{action}", key=form.key)
    return go(request, f"/console/counts/{id}", said=_DONE[action])


def _is_new(form: Form, name: str) -> bool:
    typed = form.get(name)
    return bool(typed) and typed != form.get(f"was.{name}")


def _count(form: Form, name: str) -> dict[str, Any]:
    lot, _, place = name.partition(".")[2].partition("_")
    count: dict[str, Any] = {"lot_id": lot, "location_id": place, "quantity": form.get(name), "method": "manual"}
    if weight := form.get(f"weight.{name}"):
        count["weight_g"] = int(weight) if weight.isdecimal() else weight
    return count


def _back(id: str, form: Form) -> str:
    """The sheet where it was left."""
    asked = "&".join(f"{name}={form.get(name)}" for name in ("place", "open", "from") if form.get(name))
    return f"/console/counts/{id}{'?' if asked else ''}{asked}"


async def _new(request: Request, visitor: Visitor, form: Form, *, status: int = 200) -> Response:
    choices, names = await choices_for(visitor, products=[form.get("product_id")])
    return show(request, "handling/count_new.html", status=status, form=form, choices=choices, names=names)


async def _take(request: Request, visitor: Visitor, id: str, form: Form, *, status: int = 200) -> Response:
    take = await visitor.desk.get(f"{_LIST}/{id}")
    lines: list[Answer] = take["details"]
    choices, names = await choices_for(visitor, products=[line["product_id"] for line in lines])
    asked = {name: form.get(name) or request.query_params.get(name, "") for name in ("place", "open", "from")}
    if "scan_at" in request.query_params:
        form.values.setdefault("location_id", request.query_params["scan_at"])
    return show(
        request,
        "handling/count.html",
        status=status,
        form=form,
        choices=choices,
        names=names,
        take=take,
        asked=asked,
        summary=_summary(lines),
        # places that are on the sheet
        places=sorted({line["location_id"] for line in lines}, key=names.place_code),
        **_rows(lines, names, asked, take["status"]),
    )


def _rows(lines: list[Answer], names: Names, asked: dict[str, str], status: str) -> dict[str, Any]:
    """Those of the sheet that are shown: by place and product, or in review the largest difference first."""
    if asked["place"]:
        lines = [line for line in lines if line["location_id"] == asked["place"]]
    if asked["open"] and status == "counting":
        lines = [line for line in lines if line["counted"] is None]
    elif asked["open"]:
        lines = [line for line in lines if float(line["difference"] or 0) != 0]
    told = status in ("review", "completed")
    lines = sorted(
        lines,
        key=lambda line: (
            -abs(float(line["difference"] or 0)) if told else 0,
            names.place_code(line["location_id"]),
            names.product(line["product_id"]),
            line["lot_number"],
        ),
    )
    first = int(asked["from"]) if asked["from"].isdecimal() else 0
    more = first + _ROWS if len(lines) > first + _ROWS else None
    return {"rows": lines[first : first + _ROWS], "first": first, "more": more, "shown_of": len(lines)}


def _summary(lines: list[Answer]) -> dict[str, int]:
    """How many rows are counted, differ, and have to be approved."""
    return {
        "lines": len(lines),
        "counted": sum(line["counted"] is not None for line in lines),
        "differing": sum(float(line["difference"] or 0) != 0 for line in lines),
        "large": sum(bool(line["is_large"]) for line in lines),
    }
