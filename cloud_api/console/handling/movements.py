"""`/console/movements`: the ledger, as it is written."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from cloud_api.console import forms
from cloud_api.console.asking import Answer, Refused, together
from cloud_api.console.choices import options, warehouses_of
from cloud_api.console.forms import Form
from cloud_api.console.handling.choosing import names_of_goods
from cloud_api.console.handling.ledger import LEDGER, booked_of, ledger_file
from cloud_api.console.names import Names, names_of
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.tables import LIMIT, Table, asked_for

router = console_router("/movements")

TYPES = ("inbound", "outbound", "adjustment", "transfer", "waste", "production", "return", "opening")
_LIST = LEDGER
_FILTERS = ("movement_type", "product_id", "warehouse_id", "location_id", "lot_id", "reference", "from", "to")
#: what is not chosen in the form of the filters, but stays
_CHIPS = ("product_id", "lot_id", "location_id")


@router.get("")
async def list_movements(request: Request, visitor: Looking) -> Response:
    """Entries of the ledger, newest first; the first page is read again when something is booked."""
    rows = await _table(request, visitor)
    kept = {name: [rows.query.get(name)] for name in _CHIPS}
    names, chosen, warehouses = await together(
        names_of_goods(visitor, rows.rows),
        names_of(visitor, products=kept["product_id"], lots=kept["lot_id"], places=kept["location_id"]),
        warehouses_of(visitor),
    )
    types = visitor.writing.words(TYPES)
    chips = _chips(rows, chosen)
    return show(
        request,
        "handling/movements.html",
        table=rows,
        names=names,
        types=types,
        chips=chips,
        warehouses=options(warehouses),
    )


@router.get("/part")
async def show_rows(request: Request, visitor: Looking) -> Response:
    """The table of movements, as it is now."""
    rows = await _table(request, visitor)
    return show(request, "handling/movement_rows.html", table=rows, names=await names_of_goods(visitor, rows.rows))


@router.get("/suggest")
async def suggest(request: Request, desk: AtDesk) -> Response:
    """Products and lots that begin as what is being typed; choosing one shows what was booked of it."""
    return JSONResponse(await booked_of(desk, request.query_params.get("q", "")))


@router.get("/export")
async def export_movements(request: Request, visitor: Looking) -> Response:
    """All that the filters leave, as a file."""
    return await ledger_file(request, visitor, "movements", _asked(asked_for(request, _FILTERS), visitor))


@router.get("/{id}")
async def show_movement(request: Request, visitor: Looking, id: str) -> Response:
    """One entry, and those that were booked with it."""
    return await _movement(request, visitor, id, Form())


@router.post("/{id}/reverse")
async def reverse(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Undo it by counter-entries."""
    form = await forms.read(request)
    try:
        made = await desk.do("POST", f"{_LIST}/{id}/reverse", form.body("reason"), key=form.key)
    except Refused as refused:
        form.refuse(refused)
        return await _movement(request, visitor, id, form, status=refused.status)
    return go(request, f"/console/movements/{made[0]['id']}", said="It is undone by this entry.")


async def _movement(request: Request, visitor: Visitor, id: str, form: Form, *, status: int = 200) -> Response:
    entry = await visitor.desk.get(f"{_LIST}/{id}")
    beside: list[Answer] = []
    if entry["group_id"]:
        found = await visitor.desk.page(_LIST, group_id=entry["group_id"], limit=LIMIT)
        beside = [one for one in found.items if one["id"] != id]
    names = await names_of_goods(visitor, [entry, *beside])
    return show(request, "handling/movement.html", status=status, form=form, entry=entry, together=beside, names=names)


async def _table(request: Request, visitor: Visitor) -> Table:
    """One page, with days as they are where the reader is."""
    query = asked_for(request, _FILTERS)
    part = await visitor.desk.page(_LIST, limit=LIMIT, **_asked(query, visitor))
    return Table("/console/movements", query, part.items, part.next_cursor)


def _asked(query: Mapping[str, str], visitor: Visitor) -> dict[str, Any]:
    zone = visitor.writing.zone
    return {**query, "from": _begin(query.get("from"), zone), "to": _begin(query.get("to"), zone, later=1)}


def _chips(rows: Table, names: Names) -> list[tuple[str, str, str]]:
    """What was chosen elsewhere: (filter, name, the address without it)."""
    named = {"product_id": names.product, "lot_id": names.lot, "location_id": names.place}
    return [(name, named[name](rows.query[name]), rows.with_(**{name: None})) for name in _CHIPS if name in rows.query]


def _begin(day: str | None, zone: ZoneInfo, *, later: int = 0) -> str | None:
    """When a day begins there, or one that is so many days later; what is no day is for the API to refuse."""
    if not day:
        return None
    try:
        that = date.fromisoformat(day) + timedelta(days=later)
    except (ValueError, OverflowError):
        return day
    return datetime.combine(that, time(), zone).isoformat()
