"""What a chart shows, as a table: for those who cannot see it, and for those who want figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cloud_api.console.asking import Answer
from cloud_api.kernel import clock


@dataclass(frozen=True)
class Stretch:
    """An hour or a day of all sensors together; None: nothing was measured."""

    begins_at: datetime
    minimum: float | None
    mean: float | None
    maximum: float | None
    #: of the sensor that was beyond its limits the longest; None: there are no limits
    beyond_min: float | None


def stretches_of(said: Answer) -> Sequence[Stretch]:
    """The rows of an aggregate, the newest first."""
    rows = [_stretch(said["series"], place, at) for place, at in enumerate(said["begins_ms"])]
    return rows[::-1]


def _stretch(series: Sequence[Answer], place: int, at_ms: int) -> Stretch:
    heard = [one for one in series if one["counts"][place]]
    if not heard:
        return Stretch(clock.from_ms(at_ms), None, None, None, None)
    count = sum(one["counts"][place] for one in heard)
    beyond = [
        sum(one[name][place] or 0.0 for name in ("above_s", "below_s") if one[name])
        for one in heard
        if one["above_s"] or one["below_s"]
    ]
    return Stretch(
        clock.from_ms(at_ms),
        min(one["minima"][place] for one in heard),
        sum(one["means"][place] * one["counts"][place] for one in heard) / count,
        max(one["maxima"][place] for one in heard),
        max(beyond) / 60 if beyond else None,
    )
