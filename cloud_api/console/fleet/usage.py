"""`/console/fleet/use` and `/console/fleet/due`: how much vehicles are used, and what falls due."""

from datetime import timedelta

from fastapi import Request, Response

from cloud_api.console import files
from cloud_api.console.asking import Answer, Desk, together
from cloud_api.console.choices import options, warehouses_of
from cloud_api.console.pages import Visitor, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.tables import Table, asked_for

pages = console_router("/fleet")

FILTERS = ("since", "until", "warehouse_id")
_USE = "/warehouse/fleet/use"
_DUE = "/warehouse/fleet/maintenance"
_WEEKS = 4
_AHEAD = ("30", "90", "365")


@pages.get("/use")
async def show_use(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """How much each vehicle was used."""
    query = _period(request, visitor)
    rows, places = await together(_used(desk, query), warehouses_of(visitor))
    driven = [row for row in rows if row["routes"]]
    return show(
        request,
        "fleet/use.html",
        table=Table("/console/fleet/use", query, rows),
        warehouses=options(places),
        driven=len(driven),
        share=sum(row["days_driven"] for row in rows) / max(1, sum(row["days"] for row in rows)),
        distance_m=sum(row["distance_m"] for row in rows),
        stops=sum(row["stops"] for row in rows),
    )


@pages.get("/use/export")
async def export_use(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """The same as a file."""
    rows = await _used(desk, _period(request, visitor))
    say = visitor.say
    head = [
        *(say("Vehicle"), say("Status"), say("Days driven"), say("Days"), say("Routes"), say("Stops"), say("Way, km")),
        *(say("Hours under way"), say("Load, share of what it carries")),
    ]
    return files.table_file(request, "vehicle-use", head, (_use_row(row, visitor) for row in rows))


@pages.get("/due")
async def show_due(request: Request, desk: AtDesk) -> Response:
    """Papers and workshop visits that fall due, and the last visits."""
    said = await desk.get(_DUE, within_days=_days(request), limit=50)
    query = asked_for(request, ("days",))
    numbers = {row["vehicle_id"]: row["number"] for row in said["due"]}
    missing = [visit["vehicle_id"] for visit in said["past"] if visit["vehicle_id"] not in numbers]
    if missing:
        found = await desk.every("/warehouse/fleet/vehicles", id=sorted(set(missing)))
        numbers |= {row["id"]: row["number"] for row in found}
    table = Table("/console/fleet/due", query, said["due"])
    return show(request, "fleet/due.html", table=table, past=said["past"], numbers=numbers, ahead=_AHEAD)


@pages.get("/due/export")
async def export_due(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """What falls due as a file."""
    said = await desk.get(_DUE, within_days=_days(request), limit=1)
    say, word = visitor.say, visitor.writing.word
    head = [say("Vehicle"), say("What"), say("Due on"), say("Overdue")]
    yes, no = say("Yes"), say("No")
    rows = (
        [row["number"], word(row["what"]), files.day(row["due_on"]), yes if row["is_overdue"] else no]
        for row in said["due"]
    )
    return files.table_file(request, "fleet-due", head, rows)


async def _used(desk: Desk, query: dict[str, str]) -> list[Answer]:
    rows: list[Answer] = await desk.get(_USE, **query)
    return rows


def _period(request: Request, visitor: Visitor) -> dict[str, str]:
    """What the address asks for; the last four weeks, where it names no days."""
    today = visitor.today()
    usual = {"since": (today - timedelta(weeks=_WEEKS)).isoformat(), "until": today.isoformat()}
    return usual | {name: value for name, value in asked_for(request, FILTERS).items() if name in FILTERS}


def _days(request: Request) -> str:
    asked = request.query_params.get("days", "")
    return asked if asked in _AHEAD else _AHEAD[0]


def _use_row(row: Answer, visitor: Visitor) -> list[files.Cell]:
    return [
        row["number"],
        visitor.writing.word(row["status"]),
        *(row[name] for name in ("days_driven", "days", "routes", "stops")),
        round(row["distance_m"] / 1000, 1),
        round(row["duration_s"] / 3600, 2),
        row["load_share"],
    ]
