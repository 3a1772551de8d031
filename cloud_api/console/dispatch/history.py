"""`/console/dispatch/history`: what planning has saved, and what became of it on the road."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from cloud_api.console.asking import Answer, Desk, together
from cloud_api.console.pages import show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.tables import table
from cloud_api.kernel import clock

router = console_router("/dispatch")
_ROWS = 40
_WEEKS = 12
_FIGURES = ("distance", "duration", "fuel", "co2")
_UNITS = {"distance": "m", "duration": "s", "fuel": "ml", "co2": "g"}


@router.get("/history")
async def show_history(request: Request, desk: AtDesk) -> Response:
    """What plans, edits and replans did to routes, the newest first."""
    shown, weeks = await together(table(request, desk, "/warehouse/routes/optimizations", limit=_ROWS), _weeks(desk))
    numbers = await _numbers(desk, shown.rows)
    rows = [_row(numbers.get(str(each["route_id"]), ""), each) for each in shown.rows]
    saved = {name: sum(row["saved"][name] for row in rows) for name in _FIGURES}
    return show(request, "dispatch/history.html", table=shown, rows=rows, saved=saved, weeks=weeks)


@router.get("/history/chart.json")
async def get_chart(desk: AtDesk, looking: Looking) -> Response:
    """Kilometres by week, planned against driven."""
    weeks = list(reversed(await _weeks(desk)))
    series = [
        {"name": looking.say("Planned"), "data": [_km(each["planned_distance_m"]) for each in weeks], "tone": "azure"},
        {"name": looking.say("Driven"), "data": [_km(each["distance_m"]) for each in weeks], "tone": "orange"},
    ]
    return JSONResponse({"kind": "bar", "unit": "km", "x": [each["week"] for each in weeks], "series": series})


async def _weeks(desk: Desk) -> list[Answer]:
    """The last weeks, the newest first."""
    until = (clock.now() + timedelta(days=1)).date()
    since = until - timedelta(weeks=_WEEKS)
    found: list[Answer] = await desk.get("/warehouse/routes/performance", since=since, until=until)
    return found


async def _numbers(desk: Desk, changes: Sequence[Answer]) -> dict[str, str]:
    """Route -> its number."""
    ids = sorted({str(each["route_id"]) for each in changes})
    found = (await desk.page("/warehouse/routes", id=ids, limit=len(ids))).items if ids else []
    return {str(route["id"]): str(route["number"]) for route in found}


def _row(number: str, change: Answer) -> dict[str, Any]:
    return {**change, "number": number, "saved": {name: _less(change, name) for name in _FIGURES}}


def _less(change: Answer, name: str) -> int:
    unit = _UNITS[name]
    return int(change[f"{name}_before_{unit}"]) - int(change[f"{name}_{unit}"])


def _km(metres: int) -> float:
    return round(metres / 1000, 1)
