"""What share of answers was there within which time, from counts by class: exact to the bounds of a class."""

from collections.abc import Mapping

from cloud_api.analytics.load.models import BOUNDS_MS


def percentile_ms(counts: Mapping[int, int], share: float) -> float | None:
    """The time within which a share of the answers was there; None: there was none.

    Within a class its answers are taken for spread evenly; what took longer than the last bound is said to have taken
    so long.

    Args:
        counts: how many, by the place of the class's upper bound.
    """
    total = sum(counts.values())
    if total == 0:
        return None
    wanted, passed = share * total, 0
    for bound in sorted(counts):
        here = counts[bound]
        if passed + here >= wanted:
            return _within(bound, (wanted - passed) / here)
        passed += here
    return float(BOUNDS_MS[-1])


def _within(bound: int, share: float) -> float:
    if bound >= len(BOUNDS_MS):
        return float(BOUNDS_MS[-1])
    low = BOUNDS_MS[bound - 1] if bound else 0
    return round(low + (BOUNDS_MS[bound] - low) * share, 2)
