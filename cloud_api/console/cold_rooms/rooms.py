"""Each room as its tile shows it: put together from a few lists of the API, however many rooms there are."""

from collections import defaultdict
from collections.abc import Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from cloud_api.console.asking import Answer, Desk, together
from cloud_api.console.cold_rooms.limits import SYMBOLS, Limits, around, limits_of
from cloud_api.console.cold_rooms.trends import Trend, trend_of
from cloud_api.console.pages import Visitor
from cloud_api.kernel import clock

#: excursions that go on
GOING_ON = ("open", "acknowledged")
_DAY = timedelta(hours=24)
PLACES = "/warehouse/storage/locations"
#: what the API takes at once
_MOST_SENSORS, _MOST_IDS = 1_000, 200
_NONE: Answer = {"first": (), "count": 0}
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

    #: those with sensors, and what they lie in
    places: Mapping[str, Answer]
    #: ids of those with sensors
    measured: Collection[str]
    warehouses: Mapping[str, Answer]
    latest: Sequence[Answer]
    #: by place
    waiting: Mapping[str, Answer]
    #: by place
    rules: Mapping[str, Sequence[Answer]]

    def limits(self, place_id: str, quantity: str) -> Limits:
        """What a quantity is kept at in a place."""
        rules = [rule for id in around(place_id, self.places) for rule in self.rules.get(id, ())]
        return limits_of(self.places.get(place_id, {}), quantity, rules)


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
    #: the first few of those that nobody has decided about yet, and how many there are
    excursions: Sequence[Answer] = ()
    waiting: int = 0
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


async def look(desk: Desk, visitor: Visitor, *, warehouse_id: str = "") -> Known:
    """Ask for everything at once.

    Args:
        warehouse_id: of which the rooms are; empty: of all.

    Raises:
        Refused: when somebody may not see places or readings.
    """
    places, latest, warehouses, waiting, rules = await together(
        _places_of(desk, warehouse_id),
        desk.get("/telemetry/readings/latest"),
        _warehouses(desk, visitor),
        _if_may(visitor, "alerts:read", desk.get("/excursions/places")),
        _if_may(visitor, "alerts:read", desk.every("/alerts/rules", enabled=True)),
    )
    by_place = defaultdict[str, list[Answer]](list)
    for rule in rules:
        by_place[rule["location_id"]].append(rule)
    measured, all_places = places
    return Known(
        all_places,
        measured,
        {warehouse["id"]: warehouse for warehouse in warehouses},
        latest,
        {one["location_id"]: one for one in waiting},
        by_place,
    )


async def room_at(desk: Desk, visitor: Visitor, place_id: str, *, inside: bool = True) -> Room:
    """One room.

    Args:
        inside: with what is measured anywhere in it; else by its own sensors alone.

    Raises:
        Refused: when it is not there, or somebody may not see places or readings.
    """
    place, latest, warehouses, waiting, rules = await together(
        desk.get(f"{PLACES}/{place_id}", climate=False),
        desk.get("/telemetry/readings/latest", location_id=place_id),
        _warehouses(desk, visitor),
        _if_may(visitor, "alerts:read", desk.get("/excursions/places", location_id=place_id)),
        _if_may(visitor, "alerts:read", desk.every("/alerts/rules", location_id=place_id, enabled=True)),
    )
    if not inside:
        latest, waiting = ([one for one in rows if one["location_id"] == place_id] for rows in (latest, waiting))
    known = Known({place_id: place}, (), {one["id"]: one for one in warehouses}, latest, {}, {place_id: rules})
    first = sorted((one for there in waiting for one in there["first"]), key=lambda one: str(one["started_at"]))[::-1]
    first.sort(key=lambda one: one["status"] not in GOING_ON)
    return _room(known, place, latest, first, sum(there["count"] for there in waiting))


async def limits_at(desk: Desk, visitor: Visitor, place_id: str, quantity: str) -> Limits:
    """What a quantity is kept at in a place, where nothing else of the place is asked for."""
    place, rules = await together(
        desk.get(f"{PLACES}/{place_id}", climate=False),
        desk.every("/alerts/rules", location_id=place_id, enabled=True) if visitor.may("alerts:read") else _nothing(),
    )
    return limits_of(place, quantity, rules)


async def limits_at_all(desk: Desk, visitor: Visitor, rooms: Sequence[Answer], quantity: str) -> Mapping[str, Limits]:
    """What a quantity is kept at in each of these rooms, by their ids: the rules are asked for once."""
    places, rules = await together(
        _with_around(desk, rooms),
        _if_may(visitor, "alerts:read", desk.every("/alerts/rules", enabled=True)),
    )
    its = {room["id"]: set(around(room["id"], places)) for room in rooms}
    return {
        room["id"]: limits_of(room, quantity, [rule for rule in rules if rule["location_id"] in its[room["id"]]])
        for room in rooms
    }


def bare_rooms_of(known: Known) -> list[Room]:
    """Every place that has sensors, those first that need somebody; without what the last day was like."""
    said = defaultdict[str, list[Answer]](list)
    for value in known.latest:
        said[value["location_id"]].append(value)
    rooms = []
    for place_id in known.measured:
        waiting = known.waiting.get(place_id, _NONE)
        rooms.append(_room(known, known.places[place_id], said[place_id], waiting["first"], waiting["count"]))
    return sorted(rooms, key=lambda room: room.order)


async def with_trends(desk: Desk, rooms: Sequence[Room]) -> list[Room]:
    """The same rooms with their last day."""
    trends = await _trends(desk, rooms)
    return [_with_trend(room, trends) for room in rooms]


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


def _room(known: Known, place: Answer, values: Sequence[Answer], excursions: Sequence[Answer], waiting: int) -> Room:
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
        waiting,
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


async def _places_of(desk: Desk, warehouse_id: str) -> tuple[Collection[str], Mapping[str, Answer]]:
    """(ids of the places with sensors, these places and all that they lie in)."""
    rows = await desk.every(PLACES, warehouse_id=warehouse_id, measured=True, climate=False)
    return [row["id"] for row in rows], await _with_around(desk, rows)


async def _with_around(desk: Desk, rows: Sequence[Answer]) -> Mapping[str, Answer]:
    """Places, and all that they lie in."""
    found = {row["id"]: row for row in rows}
    while rows:
        around_them = sorted({row["parent_id"] for row in rows if row["parent_id"]} - found.keys())
        rows = await desk.every(PLACES, id=around_them[:_MOST_IDS], climate=False) if around_them else []
        found |= {row["id"]: row for row in rows}
    return found


def _warehouses(desk: Desk, visitor: Visitor) -> Coroutine[Any, Any, list[Answer]]:
    return _if_may(visitor, "stock:read", desk.every("/warehouse/warehouses"))


def _if_may(
    visitor: Visitor, permission: str, asked: Coroutine[Any, Any, list[Answer]]
) -> Coroutine[Any, Any, list[Answer]]:
    if visitor.may(permission):
        return asked
    asked.close()
    return _nothing()


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
