"""Stretches of time on a wall's clock: minutes, hours and days of a time zone.

A bucket begins where the local time is a multiple of its width since midnight. When clocks are put forward or back
the bucket in progress is shorter or longer: a day of 23 or 25 hours.
"""

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cloud_api.kernel.errors import Invalid
from cloud_api.telemetry.zones import DAY_MS, HOUR_MS, zone_called

MINUTE_MS = 60_000
#: of one answer, for each sensor
MOST_BUCKETS = 5_000
_WRITTEN = re.compile(r"(?P<count>[1-9]\d{0,3})(?P<unit>[mh])")
_NAMED = {"hour": HOUR_MS, "day": DAY_MS}
#: what a chart is offered, narrowest first
_FOR_CHARTS = ("5m", "15m", "30m", "hour", "2h", "3h", "6h", "12h", "day")


@dataclass(frozen=True, slots=True)
class Bucket:
    """How wide buckets are."""

    name: str
    width_ms: int

    @property
    def from_raw(self) -> bool:
        """Whether hours are too wide to put it together."""
        return self.width_ms < HOUR_MS


def parse(text: str) -> Bucket:
    """A bucket by its name: `hour`, `day`, `15m`, `6h`.

    Raises:
        Invalid: when there is none of that name.
    """
    written = _WRITTEN.fullmatch(text)
    if text in _NAMED:
        return Bucket(text, _NAMED[text])
    if written is not None:
        width_ms = int(written["count"]) * (MINUTE_MS if written["unit"] == "m" else HOUR_MS)
        whole = HOUR_MS if width_ms < HOUR_MS else DAY_MS
        if whole % width_ms == 0 and (width_ms < HOUR_MS or width_ms % HOUR_MS == 0):
            return Bucket({HOUR_MS: "hour", DAY_MS: "day"}.get(width_ms, text), width_ms)
    raise Invalid(
        f"no bucket {text[:20]!r}: choose auto, hour, day, minutes that divide an hour (15m) "
        "or hours that divide a day (6h)",
        field="bucket",
    )


def for_chart(span_ms: int, points: int) -> Bucket:
    """The narrowest bucket of which at most `points` cover a span; days when none does."""
    fitting = (name for name in _FOR_CHARTS if span_ms <= points * parse(name).width_ms)
    return parse(next(fitting, "day"))


def edges(zone: str, bucket: Bucket, since_ms: int, until_ms: int) -> npt.NDArray[np.int64]:
    """Where the buckets that touch [since, until) begin, and where the last ends: shape (buckets + 1,)."""
    width_ms, pieces, before_ms = bucket.width_ms, [], None
    # the last bucket ends within a width of its end, and an hour for clocks that are put back
    for begin_ms, end_ms, offset_ms in zone_called(zone).stretches(since_ms, until_ms + 2 * width_ms + HOUR_MS):
        first_ms = (begin_ms + offset_ms) // width_ms * width_ms
        starts_ms = np.arange(first_ms - offset_ms, end_ms, width_ms, dtype=np.int64)
        if before_ms is not None:
            if first_ms > before_ms:  # the clock has gone over its beginning
                starts_ms[0] = max(starts_ms[0], begin_ms)
            elif width_ms > HOUR_MS:  # the clock shows again what it has shown
                starts_ms = starts_ms[starts_ms + offset_ms > before_ms]
            starts_ms = starts_ms[starts_ms >= begin_ms]
        pieces.append(starts_ms)
        before_ms = (end_ms - 1 + offset_ms) // width_ms * width_ms
    found = np.concatenate(pieces)
    return found[: int(np.searchsorted(found, until_ms)) + 1]
