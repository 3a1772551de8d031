"""What a lot has been through, as a chart: the warmest, the mean and the coldest of each hour, or of each day."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from cloud_api.console.asking import Answer
from cloud_api.console.pages import Visitor

#: more hours than this are gathered by day
_HOURS = 14 * 24


def chart(exposure: Answer, product: Answer | None, visitor: Visitor) -> dict[str, Any]:
    """As `charts.js` draws it. Hours in which nothing was measured are gaps."""
    steps = _steps(exposure["stretches"], visitor)
    moments = _all_moments(sorted(steps))
    shown = "%d %b" if len(moments) > 1 and moments[1] - moments[0] >= timedelta(days=1) else "%d %b %H:%M"
    say = visitor.say
    series: list[dict[str, Any]] = [
        {"name": say("Warmest"), "tone": "red", "data": [_of(steps, at, "maximum") for at in moments]},
        {"name": say("Mean"), "tone": "primary", "data": [_of(steps, at, "mean") for at in moments]},
        {"name": say("Coldest"), "tone": "cyan", "data": [_of(steps, at, "minimum") for at in moments]},
    ]
    for name in ("storage_temperature_max_c", "storage_temperature_min_c"):
        limit = None if product is None else product[name]
        if limit is not None:
            series.append({"name": say("Limits"), "tone": "orange", "data": [limit] * len(moments)})
    return {"kind": "line", "unit": "°C", "x": [at.strftime(shown) for at in moments], "series": series}


def measured(exposure: Answer) -> bool:
    """Whether enough was measured where it lay for a line."""
    return len({at for stretch in exposure["stretches"] for at in stretch["hours"]["begins_at"]}) > 1


def extremes(stretch: Answer) -> tuple[float, float] | None:
    """The coldest and the warmest of a stretch."""
    hours = stretch["hours"]
    return (min(hours["minimum"]), max(hours["maximum"])) if hours["begins_at"] else None


def _steps(stretches: Sequence[Answer], visitor: Visitor) -> dict[datetime, dict[str, float]]:
    """What was measured, by the beginning of its hour or day where the reader is."""
    hours = [
        (datetime.fromisoformat(at).astimezone(visitor.writing.zone), *measured_then)
        for stretch in stretches
        for at, *measured_then in zip(
            *(stretch["hours"][name] for name in ("begins_at", "minimum", "mean", "maximum")), strict=True
        )
    ]
    by_day = len({at for at, *_ in hours}) > _HOURS
    gathered = defaultdict[datetime, list[tuple[float, float, float]]](list)
    for at, coldest, mean, warmest in hours:
        gathered[at.replace(hour=0, minute=0) if by_day else at].append((coldest, mean, warmest))
    return {
        at: {
            "minimum": min(coldest for coldest, _, _ in all_of_it),
            "mean": round(sum(mean for _, mean, _ in all_of_it) / len(all_of_it), 2),
            "maximum": max(warmest for _, _, warmest in all_of_it),
        }
        for at, all_of_it in gathered.items()
    }


def _all_moments(known: Sequence[datetime]) -> list[datetime]:
    """These, and those between them of which nothing is known."""
    if len(known) < 2:
        return list(known)
    step = min(later - earlier for earlier, later in pairwise(known))
    step = max(step, timedelta(hours=1))
    moments = [known[0]]
    for at in known[1:]:
        while at - moments[-1] > step and len(moments) < 5 * _HOURS:
            moments.append(moments[-1] + step)
        if at > moments[-1]:
            moments.append(at)
    return moments


def _of(steps: dict[datetime, dict[str, float]], at: datetime, name: str) -> float | None:
    return steps[at][name] if at in steps else None
