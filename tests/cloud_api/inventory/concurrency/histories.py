"""Whether what concurrent callers were told could have happened one after the other.

A history of one lot is linearisable when its operations can be put in an order that respects real time (whoever had
returned before another was called comes first) and in which each answer is what a shelf that serves one at a time would
have given. The search is that of J. M. Wing and C. Gong, Testing and Verifying Concurrent Objects, J. Parallel and
Distributed Computing 17 (1993) 164-182, with the memory of visited states of G. Lowe, Testing for Linearizability,
Concurrency and Computation 29 (2017) e3928. What is free on the shelf follows from which operations have happened, so a
set of operations is a state.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Operation:
    """One call and its answer; times on one clock, in nanoseconds."""

    called_ns: int
    returned_ns: int
    #: what it takes from what is free; negative: what it gives back
    takes: Decimal
    #: False: there was not so much
    done: bool


def linearisable(history: Sequence[Operation], *, free: Decimal) -> bool:
    """Whether there is such an order, beginning with so much on the shelf that nobody has been promised."""
    seen: set[int] = set()
    everything = (1 << len(history)) - 1
    waiting = [(0, free)]
    while waiting:
        happened, left = waiting.pop()
        happened = _refused_now(history, happened, left)
        if happened == everything:
            return True
        if happened in seen:
            continue
        seen.add(happened)
        waiting += [
            (happened | 1 << index, left - history[index].takes)
            for index in _choices(history, happened)
            if history[index].takes <= left
        ]
    return False


def _choices(history: Sequence[Operation], happened: int) -> Iterable[int]:
    """What was done and may come next, one of each quantity.

    Of two that take the same, the one that returned first comes first in some right order if there is any: they can
    change places.
    """
    first: dict[Decimal, int] = {}
    for index in _next(history, happened):
        other = first.get(history[index].takes)
        if history[index].done and (other is None or history[index].returned_ns < history[other].returned_ns):
            first[history[index].takes] = index
    return first.values()


def _refused_now(history: Sequence[Operation], happened: int, left: Decimal) -> int:
    """With every refusal that may come next and is right: one changes nothing, so none is better kept for later."""
    while True:
        refused = [
            index for index in _next(history, happened) if not history[index].done and history[index].takes > left
        ]
        if not refused:
            return happened
        for index in refused:
            happened |= 1 << index


def _next(history: Sequence[Operation], happened: int) -> list[int]:
    """What may come next: whatever was called before any of the rest had returned."""
    rest = [index for index in range(len(history)) if not happened >> index & 1]
    soonest = min((history[index].returned_ns for index in rest), default=0)
    return [index for index in rest if history[index].called_ns <= soonest]
