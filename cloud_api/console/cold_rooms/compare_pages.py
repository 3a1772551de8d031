"""`/console/cold-rooms/compare`: several rooms over each other, as a picture, as figures and as files."""

from collections.abc import Sequence

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from cloud_api.console.asking import Answer, Desk, Refused, together
from cloud_api.console.choices import warehouses_of
from cloud_api.console.cold_rooms import comparing
from cloud_api.console.cold_rooms.comparing import Choice, Line, choice_of
from cloud_api.console.cold_rooms.periods import SPANS
from cloud_api.console.cold_rooms.rooms import PLACES
from cloud_api.console.files import Cell, table_file
from cloud_api.console.pages import Visitor, show
from cloud_api.console.route import AtDesk, ConsoleRoute, Looking
from cloud_api.kernel import clock

#: `routes` takes it in, before its own paths with an id
router = APIRouter(prefix="/compare", route_class=ConsoleRoute, include_in_schema=False)


#: columns of the file: field of the API's comparison -> what it is called
_MEASURED = {
    "name": "Room",
    "code": "Code",
    "sensors": "Sensors",
    "count": "Readings",
    "minimum": "Least",
    "mean": "Mean",
    "maximum": "Greatest",
}
_WARM = {
    "mkt_c": "Mean kinetic, °C",
    "temperature_min_c": "Lower limit",
    "temperature_max_c": "Upper limit",
    "in_range_share": "In range, %",
}
_SHARES = {"gap_share": "Without readings, %"}


@router.get("")
async def show_comparison(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """The page: what is compared stands in its address, its figures are read when it is there."""
    choice = choice_of(request)
    rooms = await comparing.rooms_of(desk, choice.ids)
    return show(
        request,
        "cold_rooms/compare.html",
        choice=choice,
        rooms=rooms,
        period=choice.period,
        spans=tuple(SPANS),
        quantities=comparing.QUANTITIES,
        each=comparing.EACH,
        most=comparing.MOST_ROOMS,
        groups=[] if rooms else await _to_choose(desk, visitor),
    )


@router.get("/choice")
async def show_choice(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """The rooms that can be compared, to tick: asked for when somebody opens them."""
    groups = await _to_choose(desk, visitor)
    return show(request, "cold_rooms/compare_choice.html", choice=choice_of(request), groups=groups)


@router.get("/chart.json")
async def give_comparison(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """What the picture shows."""
    drawn = await comparing.chart_of(desk, visitor, choice_of(request))
    return JSONResponse(drawn, headers={"Cache-Control": "no-store"})


@router.get("/figures")
async def show_figures(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """What each line comes to over the time that is shown."""
    choice = choice_of(request)
    rooms = await comparing.rooms_of(desk, choice.ids)
    _, lines = await comparing.lines_of(desk, visitor, choice, rooms)
    return show(request, "cold_rooms/compare_figures.html", lines=lines, unit=choice.unit)


@router.get("/shares")
async def show_shares(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """For how long each room was in range, and heard: every reading is looked at, so it is asked for when opened."""
    choice = choice_of(request)
    try:
        said = await _compared(desk, choice)
    except Refused as refused:
        if refused.status != 422:
            raise
        return show(request, "shared/no_panels.html", refused=refused)
    return show(request, "cold_rooms/compare_shares.html", rooms=said, warm=choice.quantity == "temperature")


@router.get("/table")
async def show_table(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """What the picture shows, as a table; asked for when somebody opens it."""
    begins, lines = await _lines(desk, visitor, choice_of(request))
    rows = [(clock.from_ms(at), [line.series["means"][place] for line in lines]) for place, at in enumerate(begins)][
        ::-1
    ]
    span = choice_of(request).period.span
    return show(request, "cold_rooms/compare_table.html", lines=lines, stretches=rows, span=span)


@router.get("/export")
async def export_figures(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """All figures of the rooms as a file."""
    choice = choice_of(request)
    head = [*_MEASURED.values(), *(_WARM.values() if choice.quantity == "temperature" else ()), *_SHARES.values()]
    warm = [*_MEASURED, *(_WARM if choice.quantity == "temperature" else ()), *_SHARES]
    rows = [[_cell(one, name) for name in warm] for one in await _compared(desk, choice)]
    return table_file(request, "compared", [visitor.say(label) for label in head], rows)


@router.get("/table/export")
async def export_table(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """What the picture shows, hour by hour or day by day, as a file."""
    begins, lines = await _lines(desk, visitor, choice_of(request))
    head = [visitor.say("From"), *(line.name for line in lines)]
    rows = [
        [clock.from_ms(at), *(_rounded(line.series["means"][place]) for line in lines)]
        for place, at in enumerate(begins)
    ]
    return table_file(request, "compared-over-time", head, rows)


async def _lines(desk: Desk, visitor: Visitor, choice: Choice) -> tuple[Sequence[int], list[Line]]:
    rooms = await comparing.rooms_of(desk, choice.ids)
    return await comparing.lines_of(desk, visitor, choice, rooms, bucket=choice.period.table_bucket)


async def _compared(desk: Desk, choice: Choice) -> list[Answer]:
    rooms = await comparing.rooms_of(desk, choice.ids)
    asked = {"quantity": choice.quantity, **choice.period.asked}
    said: list[Answer] = await desk.get(
        "/telemetry/readings/compare", location_id=[one["id"] for one in rooms], **asked
    )
    return said


def _cell(one: Answer, name: str) -> Cell:
    value: Cell = one[name]
    if name.endswith("_share"):
        return None if value is None else round(float(str(value)) * 100, 1)
    return round(value, 2) if isinstance(value, float) else value


async def _to_choose(desk: Desk, visitor: Visitor) -> list[tuple[str, list[Answer]]]:
    """Rooms with sensors, by the names of their warehouses."""
    rooms, warehouses = await together(
        desk.every(PLACES, measured=True, climate=False), warehouses_of(visitor, closed=True)
    )
    names = {one["id"]: str(one["name"]) for one in warehouses}
    groups: dict[str, list[Answer]] = {}
    for room in sorted(rooms, key=lambda room: str(room["name"])):
        groups.setdefault(names.get(room["warehouse_id"] or "", ""), []).append(room)
    return sorted(groups.items())


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
