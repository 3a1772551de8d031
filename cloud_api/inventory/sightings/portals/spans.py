"""Reads into passages: pure arithmetic of times.

A passage is all reads of a tag at a reader of which none is further from the next than a window. What comes of a set of
reads is the same in whatever order, and in however many portions, they come: joining is commutative and associative.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

#: what a reader itself says, by what it has said of the reads of one passage
_TOLD = {frozenset({"in"}): "in", frozenset({"out"}): "out"}


@dataclass(frozen=True, slots=True)
class Span:
    """Some reads of one tag at one reader, or one."""

    began_at: datetime
    ended_at: datetime
    reads: int = 1
    #: which saw it first and last; None: the reader does not tell
    first_antenna: int | None = None
    last_antenna: int | None = None
    #: in, out, unknown, or both: as the reader itself has it
    told_direction: str = "unknown"


def groups(spans: Iterable[Span], window: timedelta) -> list[list[Span]]:
    """Those that belong to one passage each, in the order of time."""
    found: list[list[Span]] = []
    through: datetime | None = None
    for span in sorted(spans, key=lambda one: (one.began_at, one.ended_at)):
        if through is not None and span.began_at - through <= window:
            found[-1].append(span)
            through = max(through, span.ended_at)
        else:
            found.append([span])
            through = span.ended_at
    return found


def joined(spans: Sequence[Span]) -> Span:
    """All of these as one. Of antennas at the same instant the lowest is the first and the highest the last."""
    first = min(spans, key=lambda one: (one.began_at, one.first_antenna is None, one.first_antenna or 0))
    last = max(spans, key=lambda one: (one.ended_at, one.last_antenna is not None, one.last_antenna or 0))
    told = frozenset(one.told_direction for one in spans) - {"unknown"}
    return Span(
        began_at=first.began_at,
        ended_at=last.ended_at,
        reads=sum(one.reads for one in spans),
        first_antenna=first.first_antenna,
        last_antenna=last.last_antenna,
        told_direction=_TOLD.get(told, "both") if told else "unknown",
    )
