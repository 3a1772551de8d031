"""Time of day: how much longer ways take in the rush than on free roads, as one factor for a whole plan.

Engines know one travel time for each pair, whenever it is driven. What is done here is to take the mean factor of the
hours in which the plan drives. That is right on average over the window; within it, ways come out too short in the rush
and too long outside it. Where that matters to the minute, plan the rush as a problem of its own, with its own window.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from route_optimizer.problem import UNREACHABLE, Matrix, Window
from route_optimizer.validation import ProblemError

HOUR_S = 3_600
DAYS = 7
HOURS = 24
LARGEST_FACTOR = 20.0


@dataclass(frozen=True)
class Profile:
    """How many times longer a way takes than the matrix says, for each hour of the week in local time."""

    #: 7 days from Monday of 24 hours each
    factors: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        """Refuse what is no week.

        Raises:
            ProblemError: when it has not 7 × 24 factors, or one is not above 0 and at most `LARGEST_FACTOR`.
        """
        if len(self.factors) != DAYS or any(len(day) != HOURS for day in self.factors):
            raise ProblemError("profile.factors", "are not a week", "give 7 days, Monday first, of 24 hours each")
        for day, hours in enumerate(self.factors):
            for hour, factor in enumerate(hours):
                if not (math.isfinite(factor) and 0 < factor <= LARGEST_FACTOR):
                    field = f"profile.factors[{day}][{hour}]"
                    raise ProblemError(field, f"is {factor}", f"give a number above 0, at most {LARGEST_FACTOR:.0f}")

    @classmethod
    def of_days(cls, *, weekday: Sequence[float], weekend: Sequence[float]) -> Self:
        """Monday to Friday alike, Saturday and Sunday alike; 24 factors each."""
        return cls((tuple(weekday),) * 5 + (tuple(weekend),) * 2)

    def mean(self, window: Window, *, monday_s: int = 0) -> float:
        """The mean factor over a window, each second counting alike; of a window without length, that instant's.

        Args:
            window: in the problem's seconds.
            monday_s: the problem's second at which any Monday begins in local time. 0 where seconds count from
                Monday's midnight, -172,800 where they count from Wednesday's; for Unix time in UTC, 345,600.
        """
        week = [factor for day in self.factors for factor in day]
        week_s = len(week) * HOUR_S
        first, last = window.opens_s - monday_s, window.closes_s - monday_s
        if last <= first:
            return week[first % week_s // HOUR_S]
        # what whole weeks add is the same for each, so that a window of a century takes no longer than one of a day
        weeks, rest_s = divmod(last - first, week_s)
        area = weeks * HOUR_S * math.fsum(week)
        at, end = first, first + rest_s
        while at < end:
            until = min(end, (at // HOUR_S + 1) * HOUR_S)
            area += (until - at) * week[at % week_s // HOUR_S]
            at = until
        return area / (last - first)


def scaled(matrix: Matrix, profile: Profile, window: Window, *, monday_s: int = 0) -> Matrix:
    """The same distances, with durations times the profile's mean factor over a window.

    Args:
        matrix: travel times at factor 1, such as those of free roads.
        profile: of the region.
        window: in which the plan drives, such as the vehicles' common shift.
        monday_s: see `Profile.mean`.
    """
    factor = profile.mean(window, monday_s=monday_s)
    reachable = matrix.duration_s != UNREACHABLE
    duration_s = np.where(reachable, np.rint(matrix.duration_s * factor), UNREACHABLE).astype(np.int64)
    return Matrix(matrix.distance_m, duration_s)
