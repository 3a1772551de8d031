"""`/console/cold-rooms`: every room at a glance, and each of them over time."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated

from fastapi import Query, Request, Response
from fastapi.responses import JSONResponse

from cloud_api.console.asking import Answer, Desk, together
from cloud_api.console.cold_rooms import charts, compare_pages
from cloud_api.console.cold_rooms.goods import inside, levels_in
from cloud_api.console.cold_rooms.periods import SPANS, Period, period_of
from cloud_api.console.cold_rooms.rooms import Room, bare_rooms_of, limits_at, look, room_at, with_trends
from cloud_api.console.cold_rooms.tables import stretches_of
from cloud_api.console.names import names_of
from cloud_api.console.pages import Visitor, show
from cloud_api.console.route import AtDesk, Looking, console_router

router = console_router("/cold-rooms")
router.include_router(compare_pages.router)

#: what a room has charts of
_CHARTED = ("temperature", "humidity")
#: rooms of one page that are followed by a live view of their own: somebody may have only so many; others are asked
FOLLOWED = 10
#: tiles that are sent at once: what a wide screen shows, and a little more
STEP = 24
#: days, as far as the API looks ahead
_TEN_YEARS = 3_660
Ids = Annotated[list[str], Query(max_length=STEP)]
_HEADERS = ("content-type", "content-disposition")


@router.get("")
async def show_rooms(
    request: Request, desk: AtDesk, visitor: Looking, warehouse_id: Annotated[str, Query()] = ""
) -> Response:
    """A tile for each room, those first that need somebody: the first ones at once, the others as they are come to."""
    known = await look(desk, visitor, warehouse_id=warehouse_id)
    rooms = bare_rooms_of(known)
    return show(
        request,
        "cold_rooms/rooms.html",
        rooms=await with_trends(desk, rooms[:STEP]),
        later=[rooms[begin : begin + STEP] for begin in range(STEP, len(rooms), STEP)],
        warehouses=sorted(known.warehouses.values(), key=lambda one: str(one["name"])),
        warehouse_id=warehouse_id,
        followed=FOLLOWED,
        count=len(rooms),
        counts={tone: sum(room.tone == tone for room in rooms) for tone in ("red", "orange", "green")},
    )


@router.get("/more")
async def show_more(request: Request, desk: AtDesk, visitor: Looking, id: Ids) -> Response:
    """Tiles further down: somebody has come to them."""
    return show(request, "cold_rooms/more.html", rooms=await _these(desk, visitor, id), followed=0)


@router.get("/tiles")
async def show_tiles(request: Request, desk: AtDesk, visitor: Looking, id: Ids) -> Response:
    """Tiles anew: time has passed, or an excursion has changed."""
    return show(request, "cold_rooms/tiles.html", rooms=await _these(desk, visitor, id))


@router.get("/board")
async def show_board(
    request: Request, desk: AtDesk, visitor: Looking, warehouse_id: Annotated[str, Query()] = ""
) -> Response:
    """All rooms on a wall: nothing but how they are, to be read from afar."""
    known = await look(desk, visitor, warehouse_id=warehouse_id)
    return show(
        request,
        "cold_rooms/board.html",
        rooms=bare_rooms_of(known),
        followed=FOLLOWED,
        warehouse_id=warehouse_id,
        warehouse=known.warehouses.get(warehouse_id, {}).get("name", ""),
    )


@router.get("/board/rooms")
async def show_board_rooms(
    request: Request, desk: AtDesk, visitor: Looking, warehouse_id: Annotated[str, Query()] = ""
) -> Response:
    """The same anew: something was measured, or an excursion has changed."""
    known = await look(desk, visitor, warehouse_id=warehouse_id)
    return show(request, "cold_rooms/board_rooms.html", rooms=bare_rooms_of(known))


@router.get("/{location_id}/tile")
async def show_tile(request: Request, desk: AtDesk, visitor: Looking, location_id: str) -> Response:
    """One tile anew: something was measured there."""
    room = await room_at(desk, visitor, location_id, inside=False)
    return show(request, "cold_rooms/tiles.html", rooms=await with_trends(desk, [room]), alone=True)


@router.get("/{location_id}/chart.json")
async def give_chart(
    request: Request, desk: AtDesk, visitor: Looking, location_id: str, quantity: Annotated[str, Query()] = ""
) -> Response:
    """What a room's chart shows."""
    period = period_of(request, "")
    quantity = quantity or _CHARTED[0]
    said, limits, excursions = await together(
        desk.get(
            "/telemetry/readings/aggregate",
            location_id=location_id,
            quantity=quantity,
            bucket=period.chart_bucket,
            **period.asked,
        ),
        limits_at(desk, visitor, location_id, quantity),
        _excursions(desk, visitor, location_id, period),
    )
    drawn = charts.chart_of(
        said,
        visitor.writing,
        limits=limits,
        excursions=[one for one in excursions if one["quantity"] == quantity],
        since=period.since,
        until=period.until,
    )
    return JSONResponse(drawn, headers={"Cache-Control": "no-store"})


@router.get("/{location_id}/readings.csv")
async def give_readings(request: Request, desk: AtDesk, location_id: str) -> Response:
    """Every reading of the time that is shown, as a table."""
    period = period_of(request, "")
    return await file_from(desk, "/telemetry/readings/export", location_id=location_id, format="csv", **period.asked)


@router.get("/{location_id}/evidence.zip")
async def give_evidence(request: Request, desk: AtDesk, location_id: str) -> Response:
    """The signed report of the time that is shown."""
    return await file_from(desk, f"/evidence/places/{location_id}", **period_of(request, "").asked)


@router.get("/{location_id}")
async def show_room(request: Request, desk: AtDesk, visitor: Looking, location_id: str) -> Response:
    """A room over time: its charts. What is in it follows."""
    period = period_of(request, request.url.path)
    room = await room_at(desk, visitor, location_id)
    return show(
        request,
        "cold_rooms/room.html",
        room=room,
        period=period,
        spans=tuple(SPANS),
        charted=[quantity for quantity in _CHARTED if quantity in room.figures],
    )


@router.get("/{location_id}/inside")
async def show_inside(request: Request, desk: AtDesk, visitor: Looking, location_id: str) -> Response:
    """What is in the room: sensors, goods, and what went wrong in the time that is shown."""
    period = period_of(request, "")
    places, latest, sensors, excursions, due = await together(
        desk.every("/warehouse/storage/locations", climate=False),
        desk.get("/telemetry/readings/latest", location_id=location_id),
        _sensors(desk, visitor, location_id),
        _excursions(desk, visitor, location_id, period),
        _calibrations(desk, visitor, location_id),
    )
    levels = await levels_in(visitor, inside(location_id, places))
    return show(
        request,
        "cold_rooms/inside.html",
        sensors=sensors,
        excursions=excursions,
        last={value["sensor_id"]: value for value in latest},
        due=due,
        levels=levels,
        names=await names_of(visitor, lots=[level["lot_id"] for level in levels]),
        today=visitor.today(),
    )


@router.get("/{location_id}/table")
async def show_table(request: Request, desk: AtDesk, visitor: Looking, location_id: str) -> Response:
    """What the temperature's chart shows, as a table; asked for when somebody opens it."""
    period = period_of(request, "")
    counted = {}
    if period.counts_minutes:
        limits = await limits_at(desk, visitor, location_id, "temperature")
        counted = {"above": limits.high, "below": limits.low}
    said = await desk.get(
        "/telemetry/readings/aggregate",
        location_id=location_id,
        quantity="temperature",
        bucket=period.table_bucket,
        **counted,
        **period.asked,
    )
    return show(request, "cold_rooms/table.html", stretches=stretches_of(said), period=period)


@router.get("/{location_id}/now")
async def show_now(request: Request, desk: AtDesk, visitor: Looking, location_id: str) -> Response:
    """How the room is now: read again when something was measured there."""
    return show(request, "cold_rooms/now.html", room=await room_at(desk, visitor, location_id))


async def file_from(desk: Desk, path: str, **query: object) -> Response:
    """A file of the API's, handed on as it is.

    Raises:
        Refused: when it is not given.
    """
    answer = await desk.raw(path, **query)
    kept = {name: answer.headers[name] for name in _HEADERS if name in answer.headers}
    return Response(answer.content, headers={**kept, "Cache-Control": "no-store"})


async def _these(desk: Desk, visitor: Visitor, ids: Sequence[str]) -> list[Room]:
    wanted = set(ids)
    rooms = [room for room in bare_rooms_of(await look(desk, visitor)) if room.id in wanted]
    return await with_trends(desk, rooms)


async def _excursions(desk: Desk, visitor: Visitor, location_id: str, period: Period) -> list[Answer]:
    if not visitor.may("alerts:read"):
        return []
    return (await desk.page("/excursions", location_id=location_id, limit=100, **period.asked)).items


async def _sensors(desk: Desk, visitor: Visitor, location_id: str) -> list[Answer]:
    if not visitor.may("devices:read"):
        return []
    return await desk.every("/edge/sensors", status="active", location_id=location_id)


async def _calibrations(desk: Desk, visitor: Visitor, location_id: str) -> Mapping[str, tuple[date, Answer]]:
    """When each sensor's calibration ends, of those there whose calibration does."""
    if not visitor.may("devices:read"):
        return {}
    due = await desk.get("/edge/calibrations/due", within_days=_TEN_YEARS, location_id=location_id)
    return {one["sensor"]["id"]: (date.fromisoformat(one["due_on"]), one) for one in due}
