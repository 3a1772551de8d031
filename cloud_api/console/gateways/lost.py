"""`/console/gateways/gaps` and `/dead-letters`: readings that will never come, and rows that nobody could use."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta

from fastapi import APIRouter, Request, Response

from cloud_api.console.asking import Answer, Desk, Refused, together
from cloud_api.console.choices import options
from cloud_api.console.files import MOST_ROWS, Cell, table_file
from cloud_api.console.names import Names, names_of
from cloud_api.console.pages import Visitor, show
from cloud_api.console.route import AtDesk, ConsoleRoute, Looking
from cloud_api.console.tables import LIMIT, Table, asked_for

#: `routes` takes it in, below `/console`
router = APIRouter(prefix="/gateways", route_class=ConsoleRoute, include_in_schema=False)
_GAPS, _LETTERS, _GATEWAYS = "/telemetry/gaps", "/telemetry/dead-letters", "/edge/gateways"
_FILTERS = ("gateway_id", "from", "to")
_MOST_CHOICES = 400
#: why readings are gone, as gateways say it
REASONS: Mapping[str, str] = {
    "thinned": "Thinned out: summaries stand for them",
    "dropped": "Given up: there was no room left",
    "unreadable": "The disk has spoilt them",
}


@router.get("/gaps")
async def list_gaps(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """What gateways say will never come, the last to be told first."""
    return await _list(request, desk, visitor, _GAPS, "gateways/gaps.html")


@router.get("/gaps/export")
async def export_gaps(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """The same as a file."""
    head = ("Gateway", "From", "Until", "Readings gone", "Why", "Lane")
    rows, names = await _all(request, desk, visitor, _GAPS)
    told = (
        (
            _called(names, row),
            visitor.writing.moment(row["since"]),
            visitor.writing.moment(row["until"]),
            row["rows_gone"] or None,
            visitor.say(REASONS.get(row["reason"], row["reason"])),
            visitor.writing.word(row["lane"]),
        )
        for row in rows
    )
    return table_file(request, "gaps", [visitor.say(name) for name in head], told)


@router.get("/dead-letters")
async def list_dead_letters(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """Rows that nobody could use, the newest first, each with what is wrong with it."""
    return await _list(request, desk, visitor, _LETTERS, "gateways/dead_letters.html")


@router.get("/dead-letters/export")
async def export_dead_letters(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """The same as a file."""
    head = ("Gateway", "Received", "Why", "Field", "What is wrong", "Row")
    rows, names = await _all(request, desk, visitor, _LETTERS)
    told: list[Sequence[Cell]] = [
        (
            _called(names, row),
            visitor.writing.moment(row["received_at"]),
            visitor.writing.word(row["code"].lower()),
            row["field"],
            row["message"],
            row["raw"],
        )
        for row in rows
    ]
    return table_file(request, "dead-letters", [visitor.say(name) for name in head], told)


@router.get("/{id}/rows")
async def show_rows(request: Request, desk: AtDesk, id: str) -> Response:
    """What became of all that a gateway has sent, lane by lane."""
    gateway, lanes = await together(
        desk.get(f"{_GATEWAYS}/{id}"), desk.page("/telemetry/stats", gateway_id=id, limit=50)
    )
    return show(request, "gateways/rows.html", here="rows", gateway=gateway, lanes=lanes.items)


async def _list(request: Request, desk: Desk, visitor: Visitor, source: str, template: str) -> Response:
    query = asked_for(request, _FILTERS)
    found, gateways = await together(
        desk.page(source, **{"limit": LIMIT, **_of_days(query, visitor)}), _gateways(desk, visitor)
    )
    names = await names_of(visitor, gateways=[row["gateway_id"] for row in found.items])
    rows = Table(request.url.path, query, found.items, found.next_cursor)
    return show(request, template, table=rows, names=names, gateways=gateways, reasons=REASONS)


async def _all(request: Request, desk: Desk, visitor: Visitor, source: str) -> tuple[list[Answer], Names]:
    rows = await desk.every(source, most=MOST_ROWS, **_of_days(asked_for(request, _FILTERS), visitor))
    return rows, await names_of(visitor, gateways={row["gateway_id"] for row in rows})


async def _gateways(desk: Desk, visitor: Visitor) -> list[tuple[str, str]]:
    if not visitor.may("devices:read"):
        return []
    found = options(await desk.every(_GATEWAYS, most=_MOST_CHOICES))
    return sorted(found, key=lambda one: one[1].casefold())


def _called(names: Names, row: Answer) -> str:
    return str(names.gateways.get(row["gateway_id"], {}).get("name", ""))


def _of_days(query: Mapping[str, str], visitor: Visitor) -> dict[str, str]:
    """The API's query for what the address asks for: whole days where the organisation is, both ends included.

    Raises:
        Refused: for what is no day.
    """
    asked = {name: value for name, value in query.items() if name not in ("from", "to")}
    for name, wanted, ahead in (("from", "since", 0), ("to", "until", 1)):
        if name in query:
            asked[wanted] = _begin(query[name], visitor, ahead)
    return asked


def _begin(text: str, visitor: Visitor, ahead: int) -> str:
    try:
        day = date.fromisoformat(text) + timedelta(days=ahead)
    except (ValueError, OverflowError):
        said = visitor.say("A day is written as 2026-07-31")
        raise Refused(422, "VALIDATION_FAILED", said, {"day": said}) from None
    return datetime.combine(day, time(), visitor.writing.zone).isoformat()
