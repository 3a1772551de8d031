"""`/console/movements`: the ledger, as it is written."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from fastapi import Request, Response

from cloud_api.console import forms
from cloud_api.console.asking import Refused
from cloud_api.console.forms import Form
from cloud_api.console.handling.naming import names_for
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.tables import LIMIT, Table, asked_for

router = console_router("/movements")

TYPES = ("inbound", "outbound", "adjustment", "transfer", "waste", "production", "return", "opening")
_LIST = "/warehouse/stock/movements"
_FILTERS = ("movement_type", "product_id", "warehouse_id", "location_id", "lot_id", "reference", "from", "to")


@router.get("")
async def list_movements(request: Request, visitor: Looking) -> Response:
    """Entries of the ledger, newest first; the first page is read again when something is booked."""
    rows = await _table(request, visitor)
    names = await names_for(visitor, lots=_lots(rows))
    types = [(code, visitor.writing.word(code)) for code in TYPES]
    return show(request, "handling/movements.html", table=rows, names=names, types=types)


@router.get("/rows")
async def show_rows(request: Request, visitor: Looking) -> Response:
    """The rows alone."""
    rows = await _table(request, visitor)
    return show(request, "handling/movement_rows.html", table=rows, names=await names_for(visitor, lots=_lots(rows)))


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
    together = []
    if entry["group_id"]:
        found = await visitor.desk.page(_LIST, group_id=entry["group_id"], limit=LIMIT)
        together = [one for one in found.items if one["id"] != id]
    names = await names_for(visitor, lots=[entry["lot_id"], *(one["lot_id"] for one in together)])
    return show(
        request, "handling/movement.html", status=status, form=form, entry=entry, together=together, names=names
    )


async def _table(request: Request, visitor: Visitor) -> Table:
    """One page, with days as they are where the reader is."""
    query = asked_for(request, _FILTERS)
    zone = visitor.writing.zone
    days = {"from": _begin(query.get("from"), zone), "to": _begin(query.get("to"), zone, later=1)}
    part = await visitor.desk.page(_LIST, **{"limit": LIMIT, **query, **days})
    return Table("/console/movements", query, part.items, part.next_cursor)


def _begin(day: str | None, zone: ZoneInfo, *, later: int = 0) -> str | None:
    """When a day begins there, or one that is so many days later; what is no day is for the API to refuse."""
    if not day:
        return None
    try:
        that = date.fromisoformat(day) + timedelta(days=later)
    except (ValueError, OverflowError):
        return day
    return datetime.combine(that, time(), zone).isoformat()


def _lots(rows: Table) -> list[str]:
    return [entry["lot_id"] for entry in rows.rows]
