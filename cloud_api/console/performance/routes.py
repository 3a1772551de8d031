"""`/console/performance`: figures of warehouses, of the cold and of the road."""

from urllib.parse import urlencode

from fastapi import Request, Response

from cloud_api.console.choices import options, warehouses_of
from cloud_api.console.files import table_file
from cloud_api.console.pages import show
from cloud_api.console.panels import no_such_figures, show_panels
from cloud_api.console.performance.parts import FILTERS, PART_OF, PARTS, answer_of, open_to
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.tables import Table, asked_for

router = console_router("/performance")
_PAGE = "/console/performance"
#: days up to today -> how the choice is called
_PERIODS = {7: "The last 7 days", 30: "The last 30 days", 90: "The last 90 days"}


@router.get("")
async def show_performance(request: Request, visitor: Looking) -> Response:
    """The page: days and warehouse stand in its address, its parts are read when it is there."""
    query = asked_for(request, FILTERS)
    table = Table(_PAGE, query, ())
    today = visitor.today().isoformat()
    return show(
        request,
        "performance/page.html",
        table=table,
        parts=[f"{_PAGE}/parts/{name}?{urlencode(query)}" for name in open_to(visitor)],
        periods=[
            (name, table.with_(**{"from": visitor.today(1 - days).isoformat(), "to": today}))
            for days, name in _PERIODS.items()
        ],
        steps=[],
        warehouses=options(await warehouses_of(visitor)),
    )


@router.get("/parts/{name}")
async def show_part(request: Request, desk: AtDesk, visitor: Looking, name: str) -> Response:
    """One part of the page: its cards and panels."""
    part = PARTS.get(name)
    if part is None:
        raise no_such_figures(visitor)
    query = asked_for(request, FILTERS)
    asked = answer_of(desk, visitor, name, query)
    return await show_panels(request, _PAGE, query, asked=asked, panels=part.panels, cards=part.cards)


@router.get("/{panel}/export")
async def export_panel(request: Request, desk: AtDesk, visitor: Looking, panel: str) -> Response:
    """A panel's table, as a file."""
    if panel not in PART_OF:
        raise no_such_figures(visitor)
    name = PART_OF[panel]
    said = await answer_of(desk, visitor, name, asked_for(request, FILTERS))
    made = PARTS[name].panels[panel](said, visitor)
    return table_file(request, panel, made.head, made.rows)
