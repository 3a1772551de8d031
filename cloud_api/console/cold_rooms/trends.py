"""A day as a line of a few centimetres, drawn here: the page needs no script for it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cloud_api.console.cold_rooms.limits import Limits

WIDTH, HEIGHT = 160.0, 36.0
_MARGIN = 3.0
#: °C or per cent: what differs by less is drawn flat
_LEAST_SPAN = 2.0


@dataclass(frozen=True)
class Trend:
    """Lines, one for each stretch without a gap, as paths of an SVG of `WIDTH` x `HEIGHT`."""

    lines: Sequence[str]
    minimum: float
    maximum: float
    #: where the limits are drawn, down from the top; those outside the picture are not
    limits: Sequence[float]


def trend_of(values: Sequence[float | None], limits: Limits) -> Trend | None:
    """The trend of values that are equally far apart, None where there was none; None: there are none at all."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    low, high = min(known), max(known)
    spare = max(_LEAST_SPAN - (high - low), 0.0) / 2
    bottom, top = low - spare, high + spare
    step = WIDTH / max(len(values) - 1, 1)

    def down(value: float) -> float:
        return _MARGIN + (top - value) / (top - bottom) * (HEIGHT - 2 * _MARGIN)

    lines = []
    for first, stretch in _stretches(values):
        points = [f"{(first + place) * step:.1f} {down(value):.1f}" for place, value in enumerate(stretch)]
        if len(points) == 1:  # a lone reading is seen too
            points.append(f"{first * step + 0.5:.1f} {down(stretch[0]):.1f}")
        lines.append("M" + "L".join(points))
    drawn = [down(one) for one in (limits.low, limits.high) if one is not None and bottom <= one <= top]
    return Trend(lines, low, high, drawn)


def _stretches(values: Sequence[float | None]) -> Iterator[tuple[int, list[float]]]:
    """(place of its first, values) of each stretch without a gap."""
    stretch: list[float] = []
    for place, value in enumerate([*values, None]):
        if value is not None:
            stretch.append(value)
        elif stretch:
            yield place - len(stretch), stretch
            stretch = []
