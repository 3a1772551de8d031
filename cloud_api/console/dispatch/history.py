"""`/console/dispatch/history`: what planning has saved, and what became of it on the road."""

from datetime import timedelta
from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from cloud_api.console.asking import Answer, Desk, together
from cloud_api.console.pages import show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.tables import Table, table
from cloud_api.kernel import clock

router = console_router("/dispatch")
#: each is asked for what was done to it: the API has no list over all routes
_ROUTES = 20
_WEEKS = 12
_FIGURES = ("distance", "duration", "fuel", "co2")
_UNITS = {"distance": "m", "duration": "s", "fuel": "ml", "co2": "g"}


@router.get("/history")
async def show_history(request: Request, desk: AtDesk) -> Response:
    """The newest routes, and what plans, edits and replans did to each."""
    shown, weeks = await together(table(request, desk, "/warehouse/routes", limit=_ROUTES), _weeks(desk))
    rows = await _changes(desk, shown)
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


async def _changes(desk: Desk, shown: Table) -> list[dict[str, Any]]:
    """Each change of these routes, the newest first."""
    lists = await together(*(desk.get(f"/warehouse/routes/{row['id']}/optimizations") for row in shown.rows))
    rows = [_row(route, each) for route, its in zip(shown.rows, lists, strict=True) for each in its]
    return sorted(rows, key=lambda row: str(row["made_at"]), reverse=True)


def _row(route: Answer, change: Answer) -> dict[str, Any]:
    return {
        "route": route,
        "kind": change["kind"],
        "objective": change["objective"],
        "made_at": change["made_at"],
        "distance_m": change["distance_m"],
        "saved": {name: _less(change, name) for name in _FIGURES},
    }


def _less(change: Answer, name: str) -> int:
    unit = _UNITS[name]
    return int(change[f"{name}_before_{unit}"]) - int(change[f"{name}_{unit}"])


def _km(metres: int) -> float:
    return round(metres / 1000, 1)
