"""What is watched over a series, pure: `(rule, state, reading) -> (state, event)`.

Standard library only: the cloud imports this very file, so that a local alarm and the cloud's excursion are one
incident. Time is the readings' own, never a clock's: milliseconds on a time line that never jumps.

**Limits** (`judge`). For a `high` limit a value is *broken* above `set_at` and *over* at or below `clear_at` (`low` is
the mirror image). Between the two lies the band, which changes nothing: it neither starts a breach, nor raises an
alarm, nor ends either.

    clear --broken--> pending --broken, duration_s after the first broken reading--> active
      ^                  |                                                              |
      +-------over-------+----------over; when latched: over and `reset` by hand--------+

A value that `holds` until the next one is read again by every `tick`: a door left open is told without its saying so.

**Watches** have no pending phase.

| kind | active | clear |
|---|---|---|
| `silent` (`hear`, `tick`) | nothing heard for `duration_s` | heard |
| `rising` (`follow`) | more than `change` above the lowest value of the last `duration_s` | half of that or less |
| `falling` (`follow`) | more than `change` below the highest | half of that or less |

**Latched** rules stay active until `reset`. A reset while the value is still broken takes the latch off: the alarm is
over when the value is.

**Pauses** (`Pause`) hide readings from a rule: while one is on nothing begins, is raised or ends, and what began before
it stays. The first reading after it is judged as if the pause's had never been: a breach from before goes on, since
its beginning. A rise or fall is measured from the pause's end, a silence counted from there (one that was raised
before ends when the sensor is heard, pause or not), and the held value of a door is read at the first tick after it.
A pause with `relax_by` moves the bounds away instead and widens `change`; a breach that began before it still needs
the limit's own `clear_at` to be over. `silent` is not relaxed. The most generous of several pauses counts.

A reading older than the last one judged is passed over: late history never raises. Two breaches of one rule never
start at the same millisecond, so that each has an incident key of its own.
"""

import math
import sys
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, NotRequired, TypedDict

Phase = Literal["clear", "pending", "active"]
Kind = Literal["high", "low"]
WatchKind = Literal["silent", "rising", "falling"]
#: of a latched alarm: `over`: only the reset is missing; `reset`: only the value
Latch = Literal["over", "reset"]

#: after all time
FAR_MS = 1 << 62

_INCIDENTS = uuid.UUID("6f6d0d0e-5f0e-5c52-9a55-0c01df1ee700")
#: a window remembers at most so many values, and one more
WINDOW_PARTS = 16


class StateDict(TypedDict):
    """`State` as JSON keeps it."""

    phase: Phase
    started_at_ms: int | None
    peak: float | None
    last_at_ms: int | None
    # there only when they say something
    value: NotRequired[float]
    latch: NotRequired[Latch]
    window: NotRequired[list[tuple[int, float]]]


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
    #: the value holds until the next one: for what reports its changes only
    holds: bool = False
    latched: bool = False

    def __post_init__(self) -> None:
        if self.kind not in ("high", "low"):
            raise ValueError(f"limit {self.rule}: kind is high or low, not {self.kind!r}")
        if not all(math.isfinite(number) for number in (self.set_at, self.clear_at, self.duration_s)):
            raise ValueError(f"limit {self.rule}: set_at, clear_at and duration_s must be finite numbers")
        if self.duration_s < 0:
            raise ValueError(f"limit {self.rule}: duration_s is {self.duration_s}, it cannot be negative")
        if self.beyond(self.clear_at, self.set_at):
            side = "above" if self.kind == "high" else "below"
            raise ValueError(f"limit {self.rule}: clear_at {self.clear_at} lies {side} set_at {self.set_at}")

    def is_broken(self, value: float) -> bool:
        """Whether `value` has passed `set_at`; the limit itself is still allowed."""
        return self.beyond(value, self.set_at)

    def is_over(self, value: float) -> bool:
        """Whether `value` is back at `clear_at` or better."""
        return not self.beyond(value, self.clear_at)

    def beyond(self, value: float, bound: float) -> bool:
        """Whether `value` lies on the bad side of `bound`."""
        return value > bound if self.kind == "high" else value < bound


@dataclass(frozen=True, slots=True)
class Watch:
    """What a series must keep doing. Raises ValueError when it could never be, or never not be, broken."""

    #: id of the watch, as configuration gives it
    rule: str
    kind: WatchKind
    #: `silent`: how long without a reading; `rising` and `falling`: over how long the change is measured
    duration_s: float
    #: `rising` and `falling`: the largest change allowed
    change: float = 0.0
    latched: bool = False

    def __post_init__(self) -> None:
        if self.kind not in ("silent", "rising", "falling"):
            raise ValueError(f"watch {self.rule}: kind is silent, rising or falling, not {self.kind!r}")
        if not (math.isfinite(self.duration_s) and self.duration_s > 0):
            raise ValueError(f"watch {self.rule}: duration_s is {self.duration_s}, it must be above 0")
        if self.kind != "silent" and not (math.isfinite(self.change) and self.change > 0):
            raise ValueError(f"watch {self.rule}: change is {self.change}, it must be above 0")


Rule = Limit | Watch


@dataclass(frozen=True, slots=True)
class Pause:
    """When a rule does not look, or looks less strictly. Raises ValueError when it would never end, or never be."""

    #: the first one
    starts_at_ms: int
    duration_s: float
    #: how long after each start the next begins; None: there is one only
    every_s: float | None = None
    #: how much less strictly, in the series' unit; None: not at all
    relax_by: float | None = None

    def __post_init__(self) -> None:
        numbers = [number for number in (self.duration_s, self.every_s, self.relax_by) if number is not None]
        if not all(math.isfinite(number) for number in numbers):
            raise ValueError("pause: duration_s, every_s and relax_by must be finite numbers")
        if self._duration_ms < 1:
            raise ValueError(f"pause: duration_s is {self.duration_s}, it must be above 0")
        if self._every_ms is not None and self._every_ms <= self._duration_ms:
            raise ValueError(f"pause: every_s {self.every_s} must be longer than duration_s {self.duration_s}")
        if self.relax_by is not None and self.relax_by < 0:
            raise ValueError(f"pause: relax_by is {self.relax_by}, it cannot be negative")

    def on_since_ms(self, at_ms: int) -> int | None:
        """When the pause began that is on; None: none is."""
        begun_ms = self._begun_ms(at_ms)
        return None if begun_ms is None or at_ms >= begun_ms + self._duration_ms else begun_ms

    def ended_ms(self, at_ms: int) -> int | None:
        """When the newest pause ended that is over; None: none is."""
        begun_ms = self._begun_ms(at_ms)
        if begun_ms is not None and at_ms < begun_ms + self._duration_ms:
            begun_ms = None if self._every_ms is None else self._begun_ms(begun_ms - self._every_ms)
        return None if begun_ms is None else begun_ms + self._duration_ms

    def next_edge_ms(self, at_ms: int) -> int:
        """When a pause begins or ends next."""
        begun_ms = self._begun_ms(at_ms)
        if begun_ms is None:
            return self.starts_at_ms
        if at_ms < begun_ms + self._duration_ms:
            return begun_ms + self._duration_ms
        return FAR_MS if self._every_ms is None else begun_ms + self._every_ms

    def _begun_ms(self, at_ms: int) -> int | None:
        if at_ms < self.starts_at_ms:
            return None
        return self.starts_at_ms if self._every_ms is None else at_ms - (at_ms - self.starts_at_ms) % self._every_ms

    @property
    def _duration_ms(self) -> int:
        return round(self.duration_s * 1000)

    @property
    def _every_ms(self) -> int | None:
        return None if self.every_s is None else round(self.every_s * 1000)


@dataclass(frozen=True, slots=True)
class State:
    """Where one rule of one series stands. The default is a series that has never been judged."""

    phase: Phase = "clear"
    #: beginning of this breach; of the last one when the phase is clear
    started_at_ms: int | None = None
    #: worst value of this breach
    peak: float | None = None
    #: newest reading judged; of a silence: when the sensor was heard, or its hearing began
    last_at_ms: int | None = None
    #: the newest value, if it holds; the first good one of a latched alarm
    value: float | None = None
    latch: Latch | None = None
    #: of a rise: (time, value) of what was lower than all since; of a fall with the signs turned
    window: tuple[tuple[int, float], ...] = ()

    def to_dict(self) -> StateDict:
        """The state as plain JSON values."""
        saved = StateDict(
            phase=self.phase, started_at_ms=self.started_at_ms, peak=self.peak, last_at_ms=self.last_at_ms
        )
        if self.value is not None:
            saved["value"] = self.value
        if self.latch is not None:
            saved["latch"] = self.latch
        if self.window:
            saved["window"] = list(self.window)
        return saved

    @classmethod
    def from_dict(cls, saved: StateDict) -> "State":
        """The state that `to_dict` wrote."""
        return cls(
            saved["phase"],
            saved["started_at_ms"],
            saved["peak"],
            saved["last_at_ms"],
            saved.get("value"),
            saved.get("latch"),
            tuple((at_ms, value) for at_ms, value in saved.get("window", ())),
        )

    def shifted(self, delta_ms: int, since_ms: int) -> "State":
        """The state on a repaired time line: all that was at `since_ms` or later was `delta_ms` later."""

        def moved(at_ms: int | None) -> int | None:
            return at_ms if at_ms is None or at_ms < since_ms else at_ms + delta_ms

        window = tuple((at_ms + delta_ms if at_ms >= since_ms else at_ms, value) for at_ms, value in self.window)
        return replace(self, started_at_ms=moved(self.started_at_ms), last_at_ms=moved(self.last_at_ms), window=window)


@dataclass(frozen=True, slots=True)
class Raised:
    """The rule has been broken for its whole duration. A watch's value is the change, or the silence in seconds."""

    value: float
    started_at_ms: int
    at_ms: int
    #: worst value so far
    peak: float


@dataclass(frozen=True, slots=True)
class Cleared:
    """A raised alarm is over."""

    value: float
    started_at_ms: int
    at_ms: int
    #: worst value between start and end
    peak: float


Event = Raised | Cleared
Outcome = tuple[State, Event | None]


def judge(limit: Limit, state: State, at_ms: int, value: float, pauses: Sequence[Pause] = ()) -> Outcome:
    """Judge one calibrated reading. The caller keeps readings of quality `bad` to itself.

    Raises:
        ValueError: `value` is not a finite number.
    """
    if _is_late(limit, state, at_ms, value):
        return state, None
    state = replace(state, last_at_ms=at_ms, value=value if limit.holds else state.value)
    return _compare(limit, state, at_ms, value, pauses)


def follow(watch: Watch, state: State, at_ms: int, value: float, pauses: Sequence[Pause] = ()) -> Outcome:
    """Judge one reading of a series that may not rise, or fall, too quickly. The caller keeps `bad` ones to itself.

    A change is measured over `duration_s` or up to a sixteenth less, so that little need be remembered.

    Raises:
        ValueError: `value` is not a finite number.
    """
    if _is_late(watch, state, at_ms, value):
        return state, None
    state, allowed, since_ms = replace(state, last_at_ms=at_ms), watch.change, at_ms - watch.duration_s * 1000
    for pause in pauses:
        if pause.on_since_ms(at_ms) is not None:
            if pause.relax_by is None:
                return state, None
            allowed = max(allowed, watch.change + pause.relax_by)
        since_ms = max(since_ms, pause.ended_ms(at_ms) or since_ms)
    sign = 1 if watch.kind == "rising" else -1
    window = _with_value(watch, [entry for entry in state.window if entry[0] >= since_ms], at_ms, value * sign)
    # Two finite numbers can be infinitely far apart.
    state, change = replace(state, window=window), min(value * sign - window[0][1], sys.float_info.max)
    if state.phase == "clear" or state.peak is None:
        if change <= allowed or not _may_begin(state, at_ms):
            return state, None
        state = replace(state, phase="active", started_at_ms=at_ms, peak=change * sign)
        return state, Raised(change * sign, at_ms, at_ms, change * sign)
    if change <= allowed / 2:
        return _end(watch, state, at_ms, change * sign)
    peak = max(state.peak * sign, change) * sign
    return replace(state, peak=peak, latch=_latch_of_broken(state) if change > allowed else state.latch), None


def hear(watch: Watch, state: State, at_ms: int) -> Outcome:
    """The sensor of a `silent` watch has been heard: `at_ms` is when, not how old its news were."""
    state = replace(state, last_at_ms=max(at_ms, state.last_at_ms or at_ms))
    if state.phase == "clear" or state.started_at_ms is None or waits_for_reset(watch, state):
        return state, None
    silent_s = (at_ms - state.started_at_ms) / 1000
    return _end(watch, replace(state, peak=max(silent_s, state.peak or 0.0)), at_ms, silent_s)


def tick(rule: Rule, state: State, now_ms: int, pauses: Sequence[Pause] = ()) -> Outcome:
    """Judge what no reading tells: silence, and a value that holds."""
    if isinstance(rule, Watch):
        return _listen(rule, state, now_ms, pauses) if rule.kind == "silent" else (state, None)
    if not rule.holds or state.value is None or now_ms < (state.last_at_ms or 0):
        return state, None
    # `last_at_ms` stays: a reading of a device whose clock is behind ours would else be late.
    return _compare(rule, state, now_ms, state.value, pauses)


def reset(rule: Rule, state: State, at_ms: int) -> Outcome:
    """A person takes the latch off."""
    if state.phase != "active" or not rule.latched:
        return state, None
    if state.latch != "over" or state.value is None:
        return replace(state, latch="reset"), None
    return _end(rule, replace(state, latch="reset"), max(at_ms, state.last_at_ms or at_ms), state.value)


def waits_for_reset(rule: Rule, state: State) -> bool:
    """Whether a latched alarm is over, but for the person who must say so."""
    return rule.latched and state.latch == "over"


def bounds_at(limit: Limit, state: State, at_ms: int, pauses: Sequence[Pause]) -> tuple[float, float] | None:
    """`set_at` and `clear_at` as the pauses leave them then; None: not judged."""
    relax_set = relax_clear = 0.0
    for pause in pauses:
        since_ms = pause.on_since_ms(at_ms)
        if since_ms is None:
            continue
        if pause.relax_by is None:
            return None
        relax_set = max(relax_set, pause.relax_by)
        if state.phase == "clear" or (state.started_at_ms or 0) >= since_ms:
            relax_clear = max(relax_clear, pause.relax_by)
    sign = 1 if limit.kind == "high" else -1
    return limit.set_at + sign * relax_set, limit.clear_at + sign * relax_clear


def incident_key(sensor: str, quantity: str, rule: str, started_at_ms: int) -> str:
    """32 hexadecimal digits, the same for the same breach wherever it is judged (a UUID of version 5)."""
    return uuid.uuid5(_INCIDENTS, "\x1f".join((sensor, quantity, rule, str(started_at_ms)))).hex


def _is_late(rule: Rule, state: State, at_ms: int, value: float) -> bool:
    if not math.isfinite(value):
        raise ValueError(f"rule {rule.rule}: {value} cannot be judged")
    return state.last_at_ms is not None and at_ms < state.last_at_ms


def _may_begin(state: State, at_ms: int) -> bool:
    return state.started_at_ms is None or at_ms > state.started_at_ms


def _compare(limit: Limit, state: State, at_ms: int, value: float, pauses: Sequence[Pause]) -> Outcome:
    bounds = bounds_at(limit, state, at_ms, pauses)
    if bounds is None:
        return state, None
    is_broken = limit.beyond(value, bounds[0])
    if state.phase == "clear" or state.started_at_ms is None or state.peak is None:
        if not is_broken or not _may_begin(state, at_ms):
            return state, None
        state = replace(state, phase="pending", started_at_ms=at_ms, peak=value)
    elif not is_broken and waits_for_reset(limit, state):
        return state, None
    elif not limit.beyond(value, bounds[1]):
        return _end(limit, state, at_ms, value)
    else:
        peak = max(state.peak, value) if limit.kind == "high" else min(state.peak, value)
        state = replace(state, peak=peak, latch=_latch_of_broken(state) if is_broken else state.latch)
    return _raise_when_due(limit, state, at_ms, value) if is_broken else (state, None)


def _raise_when_due(limit: Limit, state: State, at_ms: int, value: float) -> Outcome:
    if state.phase != "pending" or state.started_at_ms is None or state.peak is None:
        return state, None
    if at_ms - state.started_at_ms < limit.duration_s * 1000:
        return state, None
    return replace(state, phase="active"), Raised(value, state.started_at_ms, at_ms, state.peak)


def _latch_of_broken(state: State) -> Latch | None:
    return None if state.latch == "over" else state.latch


def _end(rule: Rule, state: State, at_ms: int, value: float) -> Outcome:
    """The value is good again: the breach is over, unless it is latched."""
    if state.phase == "active" and rule.latched and state.latch != "reset":
        return (state if state.latch == "over" else replace(state, latch="over", value=value)), None
    held = state.value if isinstance(rule, Limit) and rule.holds else None
    after = replace(state, phase="clear", peak=None, value=held, latch=None)
    if state.phase != "active" or state.started_at_ms is None or state.peak is None:
        return after, None
    return after, Cleared(value, state.started_at_ms, max(at_ms, state.started_at_ms), state.peak)


def _with_value(
    watch: Watch, window: list[tuple[int, float]], at_ms: int, level: float
) -> tuple[tuple[int, float], ...]:
    """The window with one more value, unless it is no lower and hardly newer than the one before."""
    while window and window[-1][1] > level:
        window.pop()
    if not window or at_ms - window[-1][0] >= watch.duration_s * 1000 / WINDOW_PARTS:
        window.append((at_ms, level))
    return tuple(window)


def _listen(watch: Watch, state: State, now_ms: int, pauses: Sequence[Pause]) -> Outcome:
    if state.last_at_ms is None:
        return replace(state, last_at_ms=now_ms), None
    since_ms = state.last_at_ms
    for pause in pauses:
        if pause.relax_by is None:
            if pause.on_since_ms(now_ms) is not None:
                return state, None
            since_ms = max(since_ms, pause.ended_ms(now_ms) or since_ms)
    if now_ms - since_ms < watch.duration_s * 1000:
        return state, None
    if state.phase == "active":
        return (replace(state, latch=None) if state.latch == "over" else state), None
    silent_s = (now_ms - since_ms) / 1000
    state = replace(state, phase="active", started_at_ms=since_ms, peak=silent_s)
    return state, Raised(silent_s, since_ms, now_ms, silent_s)
