"""The alarm state machine of one limit, pure: `judge(limit, state, reading) -> (state, event)`.

Standard library only: the cloud imports this very file, so that a local alarm and the cloud's excursion are one
incident. Time is the readings' own, never the clock's.

For a `high` limit a value is *broken* above `set_at` and *over* at or below `clear_at` (`low` is the mirror image).
Between the two lies the band, which changes nothing: it neither starts a breach, nor raises an alarm, nor ends either.

    clear --broken--> pending --broken, duration_s after the first broken reading--> active
      ^                  |                                                              |
      +-------over-------+---------------------------over-------------------------------+

A reading older than the last one judged is passed over: late history never raises. Two breaches of one limit never
start at the same millisecond, so that each has an incident key of its own.
"""

import math
import uuid
from dataclasses import dataclass, replace
from typing import Literal, TypedDict

Phase = Literal["clear", "pending", "active"]
Kind = Literal["high", "low"]

_INCIDENTS = uuid.UUID("6f6d0d0e-5f0e-5c52-9a55-0c01df1ee700")


class StateDict(TypedDict):
    """`State` as JSON keeps it."""

    phase: Phase
    started_at_ms: int | None
    peak: float | None
    last_at_ms: int | None


@dataclass(frozen=True, slots=True)
class Limit:
    """What may not be passed. Raises ValueError when `clear_at` lies on the wrong side of `set_at`."""

    #: id of the limit, as configuration gives it
    rule: str
    kind: Kind
    #: broken when the calibrated value passes this ...
    set_at: float
    #: ... and over when it is back at this or better
    clear_at: float
    #: how long it must stay broken before the alarm is raised
    duration_s: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in ("high", "low"):
            raise ValueError(f"limit {self.rule}: kind is high or low, not {self.kind!r}")
        if not all(math.isfinite(number) for number in (self.set_at, self.clear_at, self.duration_s)):
            raise ValueError(f"limit {self.rule}: set_at, clear_at and duration_s must be finite numbers")
        if self.duration_s < 0:
            raise ValueError(f"limit {self.rule}: duration_s is {self.duration_s}, it cannot be negative")
        if self._beyond(self.clear_at, self.set_at):
            side = "above" if self.kind == "high" else "below"
            raise ValueError(f"limit {self.rule}: clear_at {self.clear_at} lies {side} set_at {self.set_at}")

    def is_broken(self, value: float) -> bool:
        """Whether `value` has passed `set_at`; the limit itself is still allowed."""
        return self._beyond(value, self.set_at)

    def is_over(self, value: float) -> bool:
        """Whether `value` is back at `clear_at` or better."""
        return not self._beyond(value, self.clear_at)

    def _beyond(self, value: float, bound: float) -> bool:
        return value > bound if self.kind == "high" else value < bound


@dataclass(frozen=True, slots=True)
class State:
    """Where one limit of one series stands. The default is a series that has never been judged."""

    phase: Phase = "clear"
    #: first broken reading of this breach; of the last one when the phase is clear
    started_at_ms: int | None = None
    #: worst value of this breach
    peak: float | None = None
    #: newest reading judged
    last_at_ms: int | None = None

    def to_dict(self) -> StateDict:
        """The state as plain JSON values."""
        return StateDict(phase=self.phase, started_at_ms=self.started_at_ms, peak=self.peak, last_at_ms=self.last_at_ms)

    @classmethod
    def from_dict(cls, saved: StateDict) -> "State":
        """The state that `to_dict` wrote."""
        return cls(**saved)


@dataclass(frozen=True, slots=True)
class Raised:
    """The limit has been broken for its whole duration."""

    value: float
    started_at_ms: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class Cleared:
    """A raised alarm is over."""

    value: float
    started_at_ms: int
    at_ms: int
    #: worst value between start and end
    peak: float


Event = Raised | Cleared


def judge(limit: Limit, state: State, at_ms: int, value: float) -> tuple[State, Event | None]:
    """Judge one calibrated reading. The caller keeps readings of quality `bad` to itself.

    Raises:
        ValueError: `value` is not a finite number.
    """
    if not math.isfinite(value):
        raise ValueError(f"limit {limit.rule}: {value} cannot be judged")
    if state.last_at_ms is not None and at_ms < state.last_at_ms:
        return state, None
    state = replace(state, last_at_ms=at_ms)
    if state.phase == "clear" or state.started_at_ms is None or state.peak is None:
        return _start(limit, state, at_ms, value)
    return _carry_on(limit, state, state.started_at_ms, state.peak, at_ms, value)


def incident_key(sensor: str, quantity: str, rule: str, started_at_ms: int) -> str:
    """32 hexadecimal digits, the same for the same breach wherever it is judged (a UUID of version 5)."""
    return uuid.uuid5(_INCIDENTS, "\x1f".join((sensor, quantity, rule, str(started_at_ms)))).hex


def _start(limit: Limit, state: State, at_ms: int, value: float) -> tuple[State, Event | None]:
    if not limit.is_broken(value) or at_ms == state.started_at_ms:
        return state, None
    started = replace(state, phase="pending", started_at_ms=at_ms, peak=value)
    return _carry_on(limit, started, at_ms, value, at_ms, value)


def _carry_on(
    limit: Limit, state: State, started_at_ms: int, peak: float, at_ms: int, value: float
) -> tuple[State, Event | None]:
    if limit.is_over(value):
        event = Cleared(value, started_at_ms, at_ms, peak) if state.phase == "active" else None
        return replace(state, phase="clear", peak=None), event
    state = replace(state, peak=max(peak, value) if limit.kind == "high" else min(peak, value))
    is_due = at_ms - started_at_ms >= limit.duration_s * 1000
    if state.phase == "pending" and is_due and limit.is_broken(value):
        return replace(state, phase="active"), Raised(value, started_at_ms, at_ms)
    return state, None
