"""What a sensor measured over a period, in figures. Pure: arrays in, numbers out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cloud_api.cold_chain.exposure import steps as stepping
from cloud_api.cold_chain.exposure.queries import Watch
from cloud_api.telemetry.stores.port import Readings


@dataclass(frozen=True, slots=True)
class Limits:
    """What a quantity must keep to; None: there is no such limit."""

    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """One sensor's readings while it watched a place, over [watch.from_ms, watch.to_ms)."""

    watch: Watch
    place: str
    readings: Readings
    #: corrected values, beside the raw ones of `readings`
    corrected: stepping.Values
    limits: Limits
    holds_ms: int

    @property
    def title(self) -> str:
        """The sensor as people know it."""
        return f"{self.watch.sensor.code} {self.watch.sensor.quantity}"

    @property
    def steps(self) -> stepping.Steps:
        """The readings that count, as steps of time."""
        counted = stepping.good(self.readings)
        return stepping.steps_of(
            self.readings.times_ms[counted],
            self.corrected[counted],
            holds_ms=self.holds_ms,
            until_ms=self.watch.to_ms,
        )


@dataclass(frozen=True, slots=True)
class Figures:
    """A series in figures; times in milliseconds. Values are None when nothing was measured."""

    count: int
    #: of quality bad: kept, and not counted in anything else here
    bad: int
    minimum: float | None
    #: weighed by time
    mean: float | None
    maximum: float | None
    #: of a temperature
    mean_kinetic_c: float | None
    #: of the measured time; None also without limits
    share_in_range: float | None
    measured_ms: int
    #: [from, to) without a value
    gaps: Sequence[tuple[int, int]]


def figures_of(series: Series) -> Figures:
    """Min, max, time-weighted mean, mean kinetic temperature, share of time within the limits, and gaps."""
    steps = series.steps
    bad = len(series.readings) - int(stepping.good(series.readings).sum())
    gaps = gaps_in(steps, series.watch.from_ms, series.watch.to_ms)
    if gaps and gaps[0][0] == series.watch.from_ms and gaps[0][1] - gaps[0][0] <= series.holds_ms:
        gaps = gaps[1:]  # the reading before the period held still
    if not len(steps):
        return Figures(len(series.readings), bad, None, None, None, None, None, 0, gaps)
    durations = steps.durations_ms
    is_temperature = series.watch.sensor.unit == "Cel"
    return Figures(
        count=len(series.readings),
        bad=bad,
        minimum=float(steps.values.min()),
        mean=float(np.average(steps.values, weights=durations)),
        maximum=float(steps.values.max()),
        mean_kinetic_c=stepping.mean_kinetic_c(steps) if is_temperature else None,
        share_in_range=_share(steps, series.limits),
        measured_ms=int(durations.sum()),
        gaps=gaps,
    )


def _share(steps: stepping.Steps, limits: Limits) -> float | None:
    if limits.low is None and limits.high is None:
        return None
    inside = np.ones(len(steps), dtype=np.bool_)
    if limits.low is not None:
        inside &= steps.values >= limits.low
    if limits.high is not None:
        inside &= steps.values <= limits.high
    return float(steps.durations_ms[inside].sum() / steps.durations_ms.sum())


def gaps_in(steps: stepping.Steps, from_ms: int, to_ms: int) -> list[tuple[int, int]]:
    """Where [from, to) is not covered by steps."""
    ends = np.concatenate(([from_ms], np.maximum.accumulate(steps.ends_ms)))
    begins = np.concatenate((steps.begins_ms, [to_ms]))
    return [(int(end), int(begin)) for end, begin in zip(ends, begins, strict=True) if begin > end]
