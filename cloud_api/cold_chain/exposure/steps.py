"""Readings as steps of time: how long and how far they are beyond a limit, and the mean kinetic temperature."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from cloud_api.telemetry.models import QUALITIES
from cloud_api.telemetry.series import kinetics
from cloud_api.telemetry.stores.port import Readings

#: a reading holds until the next one, but no longer than this or twice the sensor's own cadence, whichever is longer
HOLDS_MS = 15 * 60_000
_MINUTE_MS = 60_000
_BAD = QUALITIES.index("bad")

Millis = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Steps:
    """A sensor's corrected values as steps: each holds over [begins_ms, ends_ms); arrays of shape (n,), in order."""

    begins_ms: Millis
    ends_ms: Millis
    values: Values

    def __len__(self) -> int:
        """How many there are."""
        return len(self.values)

    @property
    def durations_ms(self) -> Millis:
        """How long each holds."""
        return self.ends_ms - self.begins_ms

    def within(self, from_ms: int, to_ms: int) -> "Steps":
        """What of them lies in [from_ms, to_ms)."""
        begins, ends = np.maximum(self.begins_ms, from_ms), np.minimum(self.ends_ms, to_ms)
        kept = ends > begins
        return Steps(begins[kept], ends[kept], self.values[kept])


@dataclass(frozen=True, slots=True)
class Beyond:
    """How long and how far a value was beyond a limit."""

    minutes: float = 0.0
    #: the integral of what it was beyond, in the sensor's unit x minutes
    degree_minutes: float = 0.0
    #: the worst value, beyond or not; None: nothing was measured
    peak: float | None = None


def holds_ms(cadence_ms: int | None) -> int:
    """How long a reading of a sensor holds when nothing follows; `cadence_ms`: how far its readings lie apart."""
    return max(HOLDS_MS, 2 * (cadence_ms or 0))


def good(readings: Readings) -> npt.NDArray[np.bool_]:
    """Which of them count: all but those of quality bad; shape (n,)."""
    counted: npt.NDArray[np.bool_] = readings.qualities != _BAD
    return counted


def steps_of(times_ms: Millis, values: Values, *, holds_ms: int, until_ms: int) -> Steps:
    """Values at times, in order of time, as steps up to `until_ms`; a gap begins where the last one stops holding."""
    following = np.append(times_ms[1:], until_ms)
    ends = np.minimum(np.minimum(following, times_ms + holds_ms), until_ms)
    kept = ends > times_ms
    return Steps(times_ms[kept], ends[kept], values[kept])


def together(pieces: list[Steps]) -> Steps:
    """Several stretches of one sensor as one."""
    if not pieces:
        return Steps(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float64))
    return Steps(
        np.concatenate([piece.begins_ms for piece in pieces]),
        np.concatenate([piece.ends_ms for piece in pieces]),
        np.concatenate([piece.values for piece in pieces]),
    )


def beyond(steps: Steps, kind: Literal["high", "low"], set_at: float) -> Beyond:
    """How long and how far the steps are above (`high`) or below (`low`) a limit; at the limit is not beyond."""
    if not len(steps):
        return Beyond()
    excess = np.maximum(steps.values - set_at if kind == "high" else set_at - steps.values, 0.0)
    durations = steps.durations_ms / _MINUTE_MS
    return Beyond(
        minutes=float(durations[excess > 0].sum()),
        degree_minutes=float((excess * durations).sum()),
        peak=float(steps.values.max() if kind == "high" else steps.values.min()),
    )


def mean_kinetic_c(steps: Steps) -> float | None:
    """The mean kinetic temperature of steps in °C, each weighed by its time (`telemetry.kinetics`); None of none."""
    if not len(steps):
        return None
    weighed = (kinetics.rates(steps.values) * steps.durations_ms).sum(keepdims=True)
    return float(kinetics.mean_kinetic_c(weighed, steps.durations_ms.sum(keepdims=True))[0])
