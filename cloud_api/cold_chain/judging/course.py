"""One rule over the readings of one sensor, oldest first: `gateway.rules`, asked only where something can happen."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from cloud_api.cold_chain.excursions.incidents import Breach
from cloud_api.cold_chain.rules.allowances import Allowance, DayOf, Tally, spend
from gateway import rules
from gateway.rules import Cleared, Event, Limit, Pause, Raised, State, Watch

Times = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]


@dataclass(slots=True)
class Course:
    """Where a rule stands, and what it has raised and cleared on the way."""

    judged: Limit | Watch | Allowance
    day_of: DayOf
    pauses: Sequence[Pause] = ()
    state: Tally | State = field(default_factory=Tally)
    #: when persons took the latch off, oldest first
    resets: list[int] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def feed(self, times_ms: Times, values: Values, *, settles_after_ms: int | None = None) -> int | None:
        """Judge corrected values in the order of their times; shapes (n,).

        Args:
            settles_after_ms: stop where nothing from then or before counts any more.

        Returns:
            from when on that is so; None: not yet, or never asked.
        """
        begins = np.flatnonzero(may_begin(self.judged, values)) if self._may_skip else np.arange(len(values))
        after = len(values) if settles_after_ms is None else int(np.searchsorted(times_ms, settles_after_ms, "right"))
        at = 0
        while at < len(values):
            if self._may_skip and self.state.phase == "clear":
                next_one = int(np.searchsorted(begins, at))
                begins_at = int(begins[next_one]) if next_one < len(begins) else len(values)
                at = min(begins_at, max(at, after))
                if at == len(values):
                    break
            at_ms, value = int(times_ms[at]), float(values[at])
            settled_ms = None if at < after else self._settled_from(at_ms, value)
            if settled_ms is not None and not isinstance(self.judged, Allowance):
                return settled_ms
            self._step(at_ms, value)
            if settled_ms is not None and settles_after_ms is not None and settled_ms > settles_after_ms:
                return settled_ms
            at += 1
        return None

    def end(self, at_ms: int | None) -> None:
        """There are no more readings; where the sensor left the rule's place, what was raised is over then."""
        self._take_latches_off(rules.FAR_MS)
        state = self.state
        if at_ms is None:
            return
        if state.phase == "active" and state.started_at_ms is not None and state.peak is not None:
            ended_at_ms = max(at_ms, state.started_at_ms)
            self.events.append(Cleared(state.peak, state.started_at_ms, ended_at_ms, state.peak))
        self.state = Tally()

    def breaches(self) -> list[Breach]:
        """What was raised from a clear beginning on."""
        found: dict[int, Breach] = {}
        for event in self.events:
            if isinstance(event, Raised):
                found[event.started_at_ms] = Breach(event.started_at_ms, event.at_ms, None, event.peak, event.value)
            elif event.started_at_ms in found:
                raised = found[event.started_at_ms]
                ended = Breach(raised.started_at_ms, raised.raised_at_ms, event.at_ms, event.peak, raised.value)
                found[event.started_at_ms] = ended
        state = self.state
        if state.phase == "active" and state.started_at_ms in found and state.peak is not None:
            last = found[state.started_at_ms]
            found[state.started_at_ms] = Breach(last.started_at_ms, last.raised_at_ms, None, state.peak, last.value)
        return list(found.values())

    @property
    def _may_skip(self) -> bool:
        """Whether what breaks nothing leaves a clear rule as it is."""
        return isinstance(self.judged, Allowance) or (isinstance(self.judged, Limit) and not self.judged.holds)

    def _step(self, at_ms: int, value: float) -> None:
        self._take_latches_off(at_ms)
        if isinstance(self.judged, Limit):
            self.state, event = rules.judge(self.judged, self.state, at_ms, value, self.pauses)
        elif isinstance(self.judged, Watch):
            self.state, event = rules.follow(self.judged, self.state, at_ms, value, self.pauses)
        else:
            assert isinstance(self.state, Tally)  # noqa: S101 - what is kept of an allowance is one
            self.state, event = spend(self.judged, self.state, at_ms, value, self.day_of, self.pauses)
        if event is not None:
            self.events.append(event)

    def _take_latches_off(self, before_ms: int) -> None:
        while self.resets and self.resets[0] < before_ms and isinstance(self.judged, Limit):
            self.state, event = rules.reset(self.judged, self.state, self.resets.pop(0))
            if event is not None:
                self.events.append(event)

    def _settled_from(self, at_ms: int, value: float) -> int | None:
        """From when on the readings before this one count no more."""
        if isinstance(self.judged, Allowance):
            begins_ms, _ = self.day_of(at_ms)
            return begins_ms if self.state.last_at_ms is None or self.state.last_at_ms < begins_ms else None
        if not isinstance(self.judged, Limit) or self.judged.latched or self.judged.holds:
            return None
        is_over = self.state.phase == "clear" and self.judged.is_over(value)
        return at_ms if is_over and full_pause(self.pauses, at_ms) is None else None


def may_begin(judged: Limit | Watch | Allowance, values: Values) -> npt.NDArray[np.bool_]:
    """Which values could begin something; shape (n,). Pauses only make it less."""
    if isinstance(judged, Watch):
        return np.ones(len(values), np.bool_)
    passed: npt.NDArray[np.bool_] = values > judged.set_at if judged.kind == "high" else values < judged.set_at
    return passed


def full_pause(pauses: Sequence[Pause], at_ms: int) -> int | None:
    """Since when nothing is judged at all; None: it is."""
    begun = [pause.on_since_ms(at_ms) for pause in pauses if pause.relax_by is None]
    return min((since for since in begun if since is not None), default=None)
