"""Readings as `room-chart.js` draws them: mean and band, limits, gaps that are gaps, and excursions.

Times are the reader's wall clock, written as if it were UTC: the picture says the same hours as the page around it,
wherever the browser stands.
"""

import itertools
from collections.abc import Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from cloud_api.console.asking import Answer
from cloud_api.console.cold_rooms.limits import SYMBOLS, Limits
from cloud_api.console.writing import Writing
from cloud_api.kernel import clock

#: [time, least, mean, greatest]; without the three, the line ends there
Point = tuple[int, float | None, float | None, float | None]


def chart_of(
    said: Answer, writing: Writing, *, limits: Limits, excursions: Iterable[Answer], since: datetime, until: datetime
) -> dict[str, object]:
    """What the chart is told.

    Args:
        said: the API's aggregate.
        excursions: that went on meanwhile.
    """
    zone = writing.zone
    shown = [one for one in said["series"] if one["whole"]["count"]]
    begins: Sequence[int] = said["begins_ms"]
    end = min(until, clock.now())
    end_ms = clock.to_ms(end)
    walls = [wall(at, zone) for at in begins]
    series = [{"name": one["code"], **columns_of(points_of(one, walls))} for one in shown]
    holes = [_holes(one, begins, end_ms) for one in shown]
    return {
        "unit": SYMBOLS.get(shown[0]["unit"], shown[0]["unit"]) if shown else "",
        "from": wall(clock.to_ms(since), zone),
        "to": wall(clock.to_ms(until), zone),
        "series": series,
        "limits": [one for one in (limits.low, limits.high) if one is not None],
        "gaps": [[wall(a, zone), wall(b, zone)] for a, b in _in_all(holes)],
        "excursions": [_area(one, writing, end_ms) for one in excursions],
    }


def points_of(series: Answer, begins: Sequence[int]) -> list[Point]:
    """The points of one sensor's line: an empty bucket shorter than a reading holds is none, a longer one a gap."""
    points: list[Point] = []
    hold_ms, last = series["hold_s"] * 1000, 0
    for at, least, mean, most in zip(begins, series["minima"], series["means"], series["maxima"], strict=True):
        if mean is None:
            continue
        width = begins[1] - begins[0] if len(begins) > 1 else 0
        if points and at - last > max(hold_ms, width) + width:
            points.append((last + width, None, None, None))
        points.append((at, least, mean, most))
        last = at
    return points


def columns_of(points: Sequence[Point]) -> dict[str, object]:
    """The same in columns, which are a quarter as long: when the line begins, then how many seconds a point lies behind
    the one before and for how many points that is so, and hundredths at most of the values.
    """
    steps = [(later[0] - earlier[0]) // 1000 for earlier, later in itertools.pairwise(points)]
    names = ("least", "mean", "most")
    values = {name: [_shown(point[place]) for point in points] for place, name in enumerate(names, 1)}
    after = [[step, sum(1 for _ in same)] for step, same in itertools.groupby(steps)]
    return {"start": points[0][0] if points else 0, "after": after, **values}


def wall(at_ms: int, zone: ZoneInfo) -> int:
    """The reader's wall clock then, as if it were UTC, in milliseconds."""
    offset = clock.from_ms(at_ms).astimezone(zone).utcoffset()
    return at_ms + (int(offset.total_seconds()) * 1000 if offset is not None else 0)


def _shown(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def _holes(series: Answer, begins: Sequence[int], end_ms: int) -> list[tuple[int, int]]:
    """When a sensor said nothing for longer than a reading holds."""
    if len(begins) < 2:
        return []
    width, hold_ms = begins[1] - begins[0], series["hold_s"] * 1000
    heard = [at for at, mean in zip(begins, series["means"], strict=True) if mean is not None]
    edges = [begins[0] - width, *heard, end_ms]
    gone = ((before + width, min(after, end_ms)) for before, after in itertools.pairwise(edges))
    return [(start, stop) for start, stop in gone if stop - start > max(hold_ms, width)]


def _in_all(holes: Sequence[Sequence[tuple[int, int]]]) -> list[tuple[int, int]]:
    """When none of the sensors said anything."""
    if not holes:
        return []
    common = list(holes[0])
    for others in holes[1:]:
        common = [
            (max(start, begin), min(stop, end))
            for start, stop in common
            for begin, end in others
            if max(start, begin) < min(stop, end)
        ]
    return common


def _area(excursion: Answer, writing: Writing, end_ms: int) -> dict[str, object]:
    ended = excursion["ended_at"]
    until_ms = clock.to_ms(datetime.fromisoformat(ended)) if ended else end_ms
    from_ms = clock.to_ms(datetime.fromisoformat(excursion["started_at"]))
    return {
        "name": excursion["number"],
        "from": wall(from_ms, writing.zone),
        "to": wall(max(until_ms, from_ms + 60_000), writing.zone),
        "severity": excursion["severity"],
    }
