"""`/console/geofences/events`: who came into a fence, and who left it."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta

from fastapi import Request, Response

from cloud_api.console.asking import Answer, Desk, Refused, together
from cloud_api.console.choices import Options, options
from cloud_api.console.files import MOST_ROWS, Cell, table_file
from cloud_api.console.names import Names, names_of
from cloud_api.console.pages import Visitor, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.tables import LIMIT, Table, asked_for

#: stands before the fences' own, one of which has an id in this place
router = console_router("/geofences/events")

_FENCES, _EVENTS = "/geofences", "/geofences/events"
_FILTERS = ("geofence_id", "vehicle_id", "day")
_MOST_CHOICES = 400
_HEAD = ("When", "Geofence", "Event", "Vehicle", "Route", "Latitude", "Longitude")


@router.get("")
async def list_events(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """The newest first."""
    query = asked_for(request, _FILTERS)
    part, fences, vans = await together(
        desk.page(_EVENTS, **{"limit": LIMIT, **_of_a_day(query, visitor)}),
        desk.every(_FENCES, most=_MOST_CHOICES),
        _vans(desk, visitor),
    )
    return show(
        request,
        "geofences/events.html",
        table=Table(request.url.path, query, part.items, part.next_cursor),
        fences={fence["id"]: fence for fence in fences},
        names=await _names(visitor, part.items),
        fence_choices=sorted(options(fences), key=lambda one: one[1].casefold()),
        van_choices=vans,
    )


@router.get("/export")
async def export_events(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """What the filters leave, as a file."""
    query = _of_a_day(asked_for(request, _FILTERS), visitor)
    rows, fences = await together(desk.every(_EVENTS, most=MOST_ROWS, **query), desk.every(_FENCES, most=_MOST_CHOICES))
    names, called = await _names(visitor, rows), {fence["id"]: str(fence["name"]) for fence in fences}
    head = [visitor.say(name) for name in _HEAD]
    return table_file(request, "geofence-events", head, (_line(row, called, names) for row in rows))


async def _names(visitor: Visitor, rows: Sequence[Answer]) -> Names:
    return await names_of(visitor, vans=(row["vehicle_id"] for row in rows), routes=(row["route_id"] for row in rows))


async def _vans(desk: Desk, visitor: Visitor) -> Options:
    if not visitor.may("fleet:read"):
        return []
    return sorted(options(await desk.every("/warehouse/fleet/vehicles"), "number"), key=lambda one: one[1])


def _of_a_day(query: Mapping[str, str], visitor: Visitor) -> dict[str, str]:
    """The API's query for what the address asks for: of a day its begin and its end, where the organisation is.

    Raises:
        Refused: for what is no day.
    """
    asked = {name: value for name, value in query.items() if name != "day"}
    if "day" not in query:
        return asked
    try:
        day = date.fromisoformat(query["day"])
    except ValueError:
        said = visitor.say("A day is written as 2026-07-31")
        raise Refused(422, "VALIDATION_FAILED", said, {"day": said}) from None
    begin, end = (datetime.combine(one, time(), visitor.writing.zone) for one in (day, day + timedelta(days=1)))
    return {**asked, "since": begin.isoformat(), "until": end.isoformat()}


def _line(row: Answer, called: Mapping[str, str], names: Names) -> Sequence[Cell]:
    return (
        datetime.fromisoformat(row["at"]),
        called.get(row["geofence_id"], ""),
        row["event"],
        names.van(row["vehicle_id"]),
        names.route(row["route_id"]) if row["route_id"] else "",
        row["latitude"],
        row["longitude"],
    )
