"""How long a local day a limit may be passed, pure: `(allowance, tally, reading) -> (tally, event)`.

Judged in the cloud only, as `gateway.rules` judges limits: in the readings' own time. Each value counts until the next
one, at most `holds_s`, and not during a pause; a pause with `relax_by` moves the limit away instead. The alarm is
raised when all that is allowed is spent, once a day, and is over when the day is.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from gateway.rules import Cleared, Event, Kind, Pause, Raised, State

#: of an instant: when its day begins, and when the next one does
DayOf = Callable[[int], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Allowance:
    """How long a day a limit may be passed. Raises ValueError when that is no time at all."""

    rule: str
    kind: Kind
    #: passed by what lies beyond it
    set_at: float
    #: how long a day, all in all
    allowed_s: float
    #: how long a value counts when no other follows it
    holds_s: float = 900.0

    def __post_init__(self) -> None:
        if self.kind not in ("high", "low"):
            raise ValueError(f"allowance {self.rule}: kind is high or low, not {self.kind!r}")
        if not math.isfinite(self.set_at):
            raise ValueError(f"allowance {self.rule}: set_at must be a finite number")
        for name, seconds in (("allowed_s", self.allowed_s), ("holds_s", self.holds_s)):
            if not (math.isfinite(seconds) and seconds > 0):
                raise ValueError(f"allowance {self.rule}: {name} is {seconds}, it must be above 0")

    def is_passed(self, value: float, relax_by: float = 0.0) -> bool:
        """Whether `value` counts, the limit being moved away by `relax_by`."""
        return value > self.set_at + relax_by if self.kind == "high" else value < self.set_at - relax_by


@dataclass(frozen=True, slots=True)
class Tally(State):
    """Where an allowance of one series stands; `value` is the newest one if it counts."""

    #: of the day of `last_at_ms`
    spent_ms: int = 0


def spend(
    allowance: Allowance, tally: Tally, at_ms: int, value: float, day_of: DayOf, pauses: Sequence[Pause] = ()
) -> tuple[Tally, Event | None]:
    """Judge one calibrated reading by what a day allows. The caller keeps readings of quality `bad` to itself.

    A breach starts where the day's first value that counts does. What ends with its day ends at midnight, whenever the
    next reading comes.

    Raises:
        ValueError: `value` is not a finite number.
    """
    if not math.isfinite(value):
        raise ValueError(f"rule {allowance.rule}: {value} cannot be judged")
    if tally.last_at_ms is not None and at_ms < tally.last_at_ms:
        return tally, None
    begins_ms, _ = day_of(at_ms)
    tally, event = _turn_the_page(tally, begins_ms, value, day_of)
    tally = _count(allowance, tally, begins_ms, at_ms, pauses)
    tally = replace(tally, last_at_ms=at_ms, value=value if _counts(allowance, at_ms, value, pauses) else None)
    if tally.value is not None:
        worse = max if allowance.kind == "high" else min
        started_at_ms = at_ms if tally.started_at_ms is None else tally.started_at_ms
        peak = value if tally.peak is None else worse(tally.peak, value)
        tally = replace(tally, started_at_ms=started_at_ms, peak=peak)
        tally = replace(tally, phase="pending" if tally.phase == "clear" else tally.phase)
    is_spent = tally.spent_ms >= allowance.allowed_s * 1000
    if event is None and tally.phase == "pending" and is_spent:
        assert tally.started_at_ms is not None  # noqa: S101 - something counted
        assert tally.peak is not None  # noqa: S101
        event = Raised(value, tally.started_at_ms, at_ms, tally.peak)
        tally = replace(tally, phase="active")
    return tally, event


def _turn_the_page(tally: Tally, begins_ms: int, value: float, day_of: DayOf) -> tuple[Tally, Event | None]:
    """On another day nothing is spent yet, and what was raised on the last one is over."""
    if tally.last_at_ms is None or tally.last_at_ms >= begins_ms:
        return tally, None
    event: Event | None = None
    if tally.phase == "active" and tally.started_at_ms is not None and tally.peak is not None:
        event = Cleared(value, tally.started_at_ms, day_of(tally.last_at_ms)[1], tally.peak)
    return replace(tally, phase="clear", started_at_ms=None, peak=None, spent_ms=0), event


def _counts(allowance: Allowance, at_ms: int, value: float, pauses: Sequence[Pause]) -> bool:
    relax_by = 0.0
    for pause in pauses:
        if pause.on_since_ms(at_ms) is not None:
            if pause.relax_by is None:
                return False
            relax_by = max(relax_by, pause.relax_by)
    return allowance.is_passed(value, relax_by)


def _count(allowance: Allowance, tally: Tally, begins_ms: int, at_ms: int, pauses: Sequence[Pause]) -> Tally:
    """The tally with the time that its newest value has counted, within the day that begins then."""
    if tally.value is None or tally.last_at_ms is None:
        return tally
    since_ms, until_ms = (
        max(tally.last_at_ms, begins_ms),
        min(at_ms, tally.last_at_ms + round(allowance.holds_s * 1000)),
    )
    for pause in pauses:
        if pause.relax_by is None and pause.on_since_ms(tally.last_at_ms) is None:
            until_ms = min(until_ms, pause.next_edge_ms(tally.last_at_ms))
    if until_ms <= since_ms:
        return tally
    return replace(
        tally,
        phase="pending" if tally.phase == "clear" else tally.phase,
        started_at_ms=since_ms if tally.started_at_ms is None else tally.started_at_ms,
        peak=tally.value if tally.peak is None else tally.peak,
        spent_ms=tally.spent_ms + until_ms - since_ms,
    )
