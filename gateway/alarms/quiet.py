"""Where nothing happens: which readings and ticks `rules` would leave without a trace but their time.

A judge that asks once after each change, and then compares two numbers a reading, need not call `rules` for most of
them. What is told here is never too much, and sometimes too little: then `rules` is asked, and says that nothing
happens.
"""

import math
import sys
from collections.abc import Sequence
from typing import NamedTuple

from gateway.rules import FAR_MS, WINDOW_PARTS, Limit, Pause, Rule, State, Watch, bounds_at, waits_for_reset

_LARGEST = sys.float_info.max


class Quiet(NamedTuple):
    """Of readings from the state's `last_at_ms` on, and of whatever is heard by a `silent` watch."""

    #: values, ends included; none when `low` is above `high`
    low: float
    high: float
    #: readings before this
    until_ms: int
    #: ticks before this
    due_ms: int


def quiet(rule: Rule, state: State, pauses: Sequence[Pause] = ()) -> Quiet:
    """What changes nothing from here on."""
    if isinstance(rule, Watch):
        return _silence(rule, state) if rule.kind == "silent" else _change(rule, state, pauses)
    if state.last_at_ms is None:
        return _nowhere()
    low, high, due_ms = _within(rule, state, bounds_at(rule, state, state.last_at_ms, pauses))
    if rule.holds:
        if pauses or state.value is None or not low <= state.value <= high:
            return _nowhere(due_ms=0)
        low = high = state.value
    edge_ms = min((pause.next_edge_ms(state.last_at_ms) for pause in pauses), default=FAR_MS)
    return Quiet(low, high, min(edge_ms, due_ms), due_ms)


def _nowhere(due_ms: int = FAR_MS) -> Quiet:
    return Quiet(math.inf, -math.inf, 0, due_ms)


def _within(limit: Limit, state: State, bounds: tuple[float, float] | None) -> tuple[float, float, int]:
    """(low, high, when a pending alarm is due)."""
    if bounds is None:
        return -_LARGEST, _LARGEST, FAR_MS
    sign, due_ms = (1 if limit.kind == "high" else -1), FAR_MS
    low, high = -_LARGEST, bounds[0] * sign  # of a high limit; a low one is the mirror image
    if state.started_at_ms is not None and state.peak is not None and not waits_for_reset(limit, state):
        low, high = math.nextafter(bounds[1] * sign, math.inf), state.peak * sign
        if state.phase == "pending":
            due_ms = state.started_at_ms + int(limit.duration_s * 1000)
    return (low, high, due_ms) if sign > 0 else (-high, -low, due_ms)


def _silence(watch: Watch, state: State) -> Quiet:
    if state.phase == "active" and not waits_for_reset(watch, state):
        return _nowhere()
    due_ms = 0 if state.last_at_ms is None else state.last_at_ms + int(watch.duration_s * 1000)
    return Quiet(-_LARGEST, _LARGEST, FAR_MS, due_ms)


def _change(watch: Watch, state: State, pauses: Sequence[Pause]) -> Quiet:
    if state.phase != "clear" or pauses or not state.window:
        return _nowhere()
    last_ms, newest = state.window[-1]
    # One float below: sums and differences are rounded. The lowest may leave the window meanwhile: what has not risen
    # too far from it has not from the next.
    low, high = newest, math.nextafter(state.window[0][1] + watch.change, -math.inf)
    until_ms = last_ms + int(watch.duration_s * 1000 / WINDOW_PARTS)
    return Quiet(low, high, until_ms, FAR_MS) if watch.kind == "rising" else Quiet(-high, -low, until_ms, FAR_MS)
