"""Each room as its tile shows it: put together from a few lists of the API, however many rooms there are."""

from collections import defaultdict
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from cloud_api.console.asking import Answer, Desk, together
from cloud_api.console.cold_rooms.limits import SYMBOLS, Limits, around, limits_of
from cloud_api.console.cold_rooms.trends import Trend, trend_of
from cloud_api.console.pages import Visitor
from cloud_api.kernel import clock

#: excursions that go on, and those that wait for a decision
GOING_ON = ("open", "acknowledged")
UNDECIDED = (*GOING_ON, "recovered")
_DAY = timedelta(hours=24)
#: what the API takes at once
_MOST_SENSORS = 1_000
#: how a tile looks, and which come first
_TONES: Mapping[str, tuple[str, int]] = {
    "too_warm": ("red", 0),
    "too_cold": ("red", 0),
    "excursion": ("red", 0),
    "no_signal": ("orange", 1),
    "out_of_range": ("orange", 2),
    "not_heard_yet": ("azure", 3),
    "no_limits": ("secondary", 4),
    "in_range": ("green", 5),
}


@dataclass(frozen=True)
class Known:
    """What the API says of places, and of what is measured in them."""

    places: Mapping[str, Answer]
    warehouses: Mapping[str, Answer]
    sensors: Sequence[Answer]
    latest: Sequence[Answer]
    excursions: Sequence[Answer]
    rules: Sequence[Answer]

    def limits(self, place_id: str, quantity: str) -> Limits:
        """What a quantity is kept at in a place."""
        chain = around(place_id, self.places)
        return limits_of(
            self.places.get(place_id, {}), quantity, [one for one in self.rules if one["location_id"] in chain]
        )


@dataclass(frozen=True)
class Figure:
    """What a room measures of one quantity: the worst of its sensors."""

    value: float
    unit: str
    at: str
    stale: bool
    side: str
    limits: Limits
    sensor_id: str
    sensors: int


@dataclass(frozen=True)
class Room:
    """A room as its tile shows it."""

    place: Answer
    warehouse: str
    state: str
    figures: Mapping[str, Figure]
    #: whether a door stands open; None: no sensor says
    door_open: bool | None
    #: of its temperature, or else of the last reading of all
    heard_at: str | None
    excursions: Sequence[Answer] = ()
    trend: Trend | None = None

    @property
    def id(self) -> str:
        """The place's."""
        return str(self.place["id"])

    @property
    def tone(self) -> str:
        """The colour of its state."""
        return _TONES[self.state][0]

    @property
    def order(self) -> tuple[int, str, str]:
        """Those that need somebody come first."""
        return _TONES[self.state][1], self.warehouse, str(self.place["name"])


async def look(
    desk: Desk, visitor: Visitor, *, warehouse_id: str = "", place_id: str = "", silent: bool = True
) -> Known:
    """Ask for everything at once.

    Args:
        warehouse_id: of which the rooms are; empty: of all.
        place_id: with all that is inside it; empty: of everywhere.
        silent: sensors too that have not been heard yet.

    Raises:
        Refused: when somebody may not see places or readings, or the place is not there.
    """

    def if_may(permission: str, asked: Coroutine[Any, Any, list[Answer]]) -> Coroutine[Any, Any, list[Answer]]:
        if visitor.may(permission):
            return asked
        asked.close()
        return _nothing()

    places, latest, warehouses, sensors, excursions, rules = await together(
        desk.every("/warehouse/storage/locations", warehouse_id=warehouse_id),
        desk.get("/telemetry/readings/latest", location_id=place_id),
        if_may("stock:read", desk.every("/warehouse/warehouses")),
        if_may("devices:read", desk.every("/edge/sensors", most=2_000, status="active", location_id=place_id))
        if silent
        else _nothing(),
        if_may("alerts:read", desk.every("/excursions", status=UNDECIDED, location_id=place_id)),
        if_may("alerts:read", desk.every("/alerts/rules")),
    )
    return Known(
        {place["id"]: place for place in places},
        {warehouse["id"]: warehouse for warehouse in warehouses},
        sensors,
        latest,
        excursions,
        rules,
    )


async def limits_at(desk: Desk, visitor: Visitor, place_id: str, quantity: str) -> Limits:
    """What a quantity is kept at in a place, where nothing else of the place is asked for."""
    place, rules = await together(
        desk.get(f"/warehouse/storage/locations/{place_id}"),
        desk.every("/alerts/rules", location_id=place_id, enabled=True) if visitor.may("alerts:read") else _nothing(),
    )
    return limits_of(place, quantity, rules)


def bare_rooms_of(known: Known) -> list[Room]:
    """Every place that has sensors, those first that need somebody; without what the last day was like."""
    placed = {sensor["location_id"] for sensor in known.sensors}
    said = defaultdict[str, list[Answer]](list)
    for value in known.latest:
        said[value["location_id"]].append(value)
    open_in = defaultdict[str, list[Answer]](list)
    for excursion in known.excursions:
        open_in[excursion["location_id"]].append(excursion)
    rooms = [
        _room(known, place, said[place_id], open_in[place_id])
        for place_id, place in known.places.items()
        if place_id in placed or place_id in said
    ]
    return sorted(rooms, key=lambda room: room.order)


async def rooms_of(desk: Desk, known: Known) -> list[Room]:
    """The same with their last day."""
    rooms = bare_rooms_of(known)
    trends = await _trends(desk, rooms)
    return [_with_trend(room, trends) for room in rooms]


def room_with_all_inside(known: Known, place_id: str) -> Room:
    """A room with what is measured anywhere inside it; `known` is of this room."""
    return _room(known, known.places[place_id], known.latest, known.excursions)


def figure_of(values: Sequence[Answer], quantity: str, limits: Limits) -> Figure | None:
    """The worst of what sensors say of a quantity: what is fresh before what is old."""
    its = [value for value in values if value["quantity"] == quantity]
    if not its:
        return None
    worst = max(its, key=lambda value: (not value["stale"], limits.beyond(value["value"])))
    return Figure(
        worst["value"],
        SYMBOLS.get(worst["unit"], worst["unit"]),
        worst["recorded_at"],
        bool(worst["stale"]),
        limits.side(worst["value"]),
        limits,
        worst["sensor_id"],
        len(its),
    )


def _room(known: Known, place: Answer, values: Sequence[Answer], excursions: Sequence[Answer]) -> Room:
    figures = {}
    for quantity in ("temperature", "humidity"):
        figure = figure_of(values, quantity, known.limits(place["id"], quantity))
        if figure is not None:
            figures[quantity] = figure
    doors = [value["value"] for value in values if value["quantity"] == "contact"]
    return Room(
        place,
        known.warehouses.get(place["warehouse_id"] or "", {}).get("name", ""),
        _state(figures, values, excursions),
        figures,
        # a contact that is closed says 1
        any(value == 0 for value in doors) if doors else None,
        figures["temperature"].at
        if "temperature" in figures
        else max((one["recorded_at"] for one in values), default=None),
        excursions,
    )


def _state(figures: Mapping[str, Figure], values: Sequence[Answer], excursions: Sequence[Answer]) -> str:
    for excursion in excursions:
        if excursion["status"] in GOING_ON:
            of_temperature = excursion["quantity"] == "temperature"
            named = {"high": "too_warm", "cumulative_high": "too_warm", "low": "too_cold", "cumulative_low": "too_cold"}
            return named.get(excursion["kind"], "excursion") if of_temperature else "excursion"
    if not values:
        return "not_heard_yet"
    shown = list(figures.values())
    if any(figure.stale for figure in shown) or (not shown and all(value["stale"] for value in values)):
        return "no_signal"
    if any(figure.side for figure in shown):
        return "out_of_range"
    return "in_range" if any(figure.limits.known for figure in shown) else "no_limits"


async def _nothing() -> list[Answer]:
    return []


async def _trends(desk: Desk, rooms: Sequence[Room]) -> Mapping[str, Sequence[float | None]]:
    """The hourly means of a day, by sensor: in one question for all rooms."""
    asked = [room.figures["temperature"].sensor_id for room in rooms if "temperature" in room.figures]
    if not asked:
        return {}
    until = clock.now()
    said = await desk.get(
        "/telemetry/readings/aggregate",
        sensor_id=asked[:_MOST_SENSORS],
        quantity="temperature",
        bucket="hour",
        since=(until - _DAY).isoformat(),
        until=until.isoformat(),
    )
    return {series["sensor_id"]: series["means"] for series in said["series"]}


def _with_trend(room: Room, trends: Mapping[str, Sequence[float | None]]) -> Room:
    figure = room.figures.get("temperature")
    if figure is None:
        return room
    trend = trend_of(trends.get(figure.sensor_id, ()), figure.limits)
    return replace(room, trend=trend)
