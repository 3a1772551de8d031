"""Rooms laid over each other: a line for each room, or for each sensor in them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from fastapi import Request

from cloud_api.console.asking import Answer, Desk, together
from cloud_api.console.cold_rooms import charts
from cloud_api.console.cold_rooms.limits import SYMBOLS, Limits
from cloud_api.console.cold_rooms.periods import Period, period_of
from cloud_api.console.cold_rooms.rooms import PLACES, limits_at_all
from cloud_api.console.pages import Visitor
from cloud_api.kernel import clock

PATH = "/console/cold-rooms/compare"
QUANTITIES = ("temperature", "humidity")
EACH = ("room", "sensor")
#: as many rooms as the API compares at once
MOST_ROOMS = 20
#: how a line looks: these tones, then again dashed, then dotted
TONES = ("azure", "purple", "teal", "orange", "pink", "lime", "indigo", "cyan")
DASHES = ("solid", "dashed", "dotted")
MOST_LINES = len(TONES) * len(DASHES)
#: of each span: how wide a point is. Hours are kept; what is narrower is put together from readings
_BUCKETS: Mapping[str, str] = {"day": "15m", "week": "hour", "month": "6h"}


@dataclass(frozen=True)
class Choice:
    """What a page's address asks for."""

    ids: Sequence[str]
    quantity: str
    each: str
    period: Period
    #: more rooms were named than are compared
    too_many: bool = False

    @property
    def unit(self) -> str:
        """What is measured in."""
        return SYMBOLS["Cel" if self.quantity == "temperature" else "%"]

    @property
    def query(self) -> str:
        """The same, for a part of the page."""
        return self.period.query

    def of(self, **changed: str) -> str:
        """The page with another quantity, or other lines."""
        kept = {"quantity": self.quantity, "each": self.each, **changed}
        return f"{PATH}?{_query(self.ids, kept, self.period)}"

    def without(self, id: str) -> str:
        """The page without a room."""
        kept = {"quantity": self.quantity, "each": self.each}
        return f"{PATH}?{_query([one for one in self.ids if one != id], kept, self.period)}"


@dataclass(frozen=True)
class Line:
    """One line of the picture."""

    name: str
    room_id: str
    #: as the API has a sensor's; of a room: of all its sensors together
    series: Answer
    tone: str
    dash: str


def choice_of(request: Request) -> Choice:
    """What the address asks for; what it says wrongly is not heard."""
    asked = request.query_params
    ids = [*dict.fromkeys(id for id in asked.getlist("id") if id)]
    quantity = asked.get("quantity", "")
    quantity = quantity if quantity in QUANTITIES else QUANTITIES[0]
    each = asked.get("each", "")
    each = each if each in EACH else EACH[0]
    shown = ids[:MOST_ROOMS]
    kept = [*(("id", id) for id in shown), ("quantity", quantity), ("each", each)]
    return Choice(shown, quantity, each, period_of(request, PATH, kept), len(ids) > MOST_ROOMS)


async def rooms_of(desk: Desk, ids: Sequence[str]) -> list[Answer]:
    """The rooms with these ids, in this order; who may not see one of them sees the others."""
    if not ids:
        return []
    found = {row["id"]: row for row in (await desk.page(PLACES, id=ids, limit=len(ids), climate=False)).items}
    return [found[id] for id in ids if id in found]


async def lines_of(
    desk: Desk, visitor: Visitor, choice: Choice, rooms: Sequence[Answer], *, bucket: str = ""
) -> tuple[Sequence[int], list[Line]]:
    """When points begin, and the lines.

    Args:
        bucket: how wide a point is; empty: as the picture has it.
    """
    said = await together(
        *(
            desk.get(
                "/telemetry/readings/aggregate",
                location_id=room["id"],
                quantity=choice.quantity,
                bucket=bucket or _BUCKETS[choice.period.span],
                zone=visitor.writing.zone.key,
                **choice.period.asked,
            )
            for room in rooms
        )
    )
    begins: Sequence[int] = said[0]["begins_ms"] if said else []
    found = [
        (room, one)
        for room, answer in zip(rooms, said, strict=True)
        for one in (answer["series"] if choice.each == "sensor" else [merged(answer["series"], len(begins))])
        if choice.each == "room" or one["whole"]["count"]
    ]
    return begins, [
        Line(
            _name(room, one, choice, len(rooms)),
            room["id"],
            one,
            TONES[place % len(TONES)],
            DASHES[place // len(TONES)],
        )
        for place, (room, one) in enumerate(found[:MOST_LINES])
    ]


async def chart_of(desk: Desk, visitor: Visitor, choice: Choice) -> dict[str, object]:
    """What `room-chart.js` draws."""
    rooms = await rooms_of(desk, choice.ids)
    (begins, lines), limits = await together(
        lines_of(desk, visitor, choice, rooms), limits_at_all(desk, visitor, rooms, choice.quantity)
    )
    zone, period = visitor.writing.zone, choice.period
    walls = [charts.wall(at, zone) for at in begins]
    shared, own = _limits_of(lines, limits)
    return {
        "compared": True,
        "unit": choice.unit,
        "from": charts.wall(clock.to_ms(period.since), zone),
        "to": charts.wall(clock.to_ms(period.until), zone),
        "series": [
            {
                "name": line.name,
                "tone": line.tone,
                "dash": line.dash,
                **charts.columns_of(charts.points_of(line.series, walls)),
            }
            for line in lines
        ],
        "limits": shared,
        "own_limits": own,
        "gaps": [],
        "excursions": [],
    }


def merged(series: Sequence[Answer], buckets: int) -> Answer:
    """All sensors of a room as one: the least, the mean of all readings, the greatest."""
    heard = [[one for one in series if one["counts"][at]] for at in range(buckets)]
    counts = [sum(one["counts"][at] for one in there) for at, there in enumerate(heard)]
    wholes = [one["whole"] for one in series if one["whole"]["count"]]
    count = sum(one["count"] for one in wholes)
    means = [
        sum(one["means"][at] * one["counts"][at] for one in there) / counts[at] if there else None
        for at, there in enumerate(heard)
    ]
    return {
        "counts": counts,
        "minima": [min((one["minima"][at] for one in there), default=None) for at, there in enumerate(heard)],
        "means": means,
        "maxima": [max((one["maxima"][at] for one in there), default=None) for at, there in enumerate(heard)],
        "hold_s": max((one["hold_s"] for one in series), default=0),
        "whole": {
            "count": count,
            "minimum": min((one["minimum"] for one in wholes), default=None),
            "mean": sum(one["mean"] * one["count"] for one in wholes) / count if count else None,
            "maximum": max((one["maximum"] for one in wholes), default=None),
        },
    }


def _limits_of(lines: Sequence[Line], limits: Mapping[str, Limits]) -> tuple[list[float], list[tuple[float, int]]]:
    """(what all of them are kept at, what only some are with the place of the first of these)."""
    kept: dict[float, list[int]] = {}
    for place, line in enumerate(lines):
        its = limits[line.room_id]
        for value in {its.low, its.high} - {None}:
            kept.setdefault(value, []).append(place)  # type: ignore[arg-type]
    shared = sorted(value for value, places in kept.items() if len(places) == len(lines))
    return shared, sorted((value, places[0]) for value, places in kept.items() if len(places) < len(lines))


def _name(room: Answer, series: Answer, choice: Choice, rooms: int) -> str:
    if choice.each == "room":
        return str(room["name"])
    return f"{room['name']} · {series['code']}" if rooms > 1 else str(series["code"])


def _query(ids: Sequence[str], kept: Mapping[str, str], period: Period) -> str:
    ends = {} if period.follows else {"until": period.until.isoformat(timespec="seconds")}
    return urlencode([*(("id", id) for id in ids), *{**kept, "span": period.span, **ends}.items()])
