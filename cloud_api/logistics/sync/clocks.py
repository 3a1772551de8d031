"""What time it really was, when a phone says a time. Pure.

A phone says the present (`sent_at`) with each part of its log. How far that is from ours is its skew; a moment that it
noted is moved by it, and then held between what certainly came before and the moment in which we hear of it.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

#: the way of a request takes time too, and clocks of phones are set once a day: less than this is no skew
TOLERATED = timedelta(seconds=60)
#: what is kept of a skew; a phone that was switched on without a battery says 1970
_MOST = timedelta(days=36_500)


def skew_of(sent_at: datetime, received_at: datetime) -> timedelta:
    """How far the phone's clock is behind ours; negative: ahead."""
    return max(-_MOST, min(received_at - sent_at, _MOST))


def corrected(at: datetime, *, skew: timedelta, not_after: datetime, not_before: Iterable[datetime] = ()) -> datetime:
    """`at` by our clock: moved by the skew when that is one, never after `not_after` nor before `not_before`."""
    moved = at
    if abs(skew) > TOLERATED:
        try:
            moved = at + skew
        except OverflowError:
            moved = not_after
    return min(max([moved, *not_before]), not_after)
