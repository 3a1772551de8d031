"""`/console/management`: the figures of the business, of how the platform is used, and of how it is doing."""

from urllib.parse import urlencode

from fastapi import Request, Response

from cloud_api.console.choices import options, warehouses_of
from cloud_api.console.files import table_file
from cloud_api.console.management.parts import FILTERS, PART_OF, PARTS, answer_of, open_to
from cloud_api.console.pages import show
from cloud_api.console.panels import no_such_figures, show_panels
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.tables import Table, asked_for

router = console_router("/management")

_PAGE = "/console/management"
#: steps up to today -> how the choice is called
_PERIODS = {"day": "The last 30 days", "week": "The last 12 weeks", "month": "The last 12 months"}
#: rows of a file that names the best
_MOST_BEST = 100


@router.get("")
async def show_management(request: Request, visitor: Looking) -> Response:
    """The page: its period stands in its address, its parts are read when it is there."""
    query = asked_for(request, FILTERS)
    table = Table(_PAGE, query, ())
    warehouses = await warehouses_of(visitor) if visitor.may("analytics:business") else []
    return show(
        request,
        "management/page.html",
        table=table,
        parts=[f"{_PAGE}/parts/{name}?{urlencode(query)}" for name in open_to(visitor)],
        periods=[(name, table.with_(**{"from": None, "to": None, "by": by})) for by, name in _PERIODS.items()],
        steps=[("day", visitor.say("Days")), ("week", visitor.say("Weeks")), ("month", visitor.say("Months"))],
        warehouses=options(warehouses),
    )


@router.get("/parts/{name}")
async def show_part(request: Request, desk: AtDesk, visitor: Looking, name: str) -> Response:
    """One part of the page: its cards and panels."""
    part = PARTS.get(name)
    if part is None:
        raise no_such_figures(visitor)
    query = asked_for(request, FILTERS)
    asked = answer_of(desk, name, query)
    return await show_panels(request, _PAGE, query, asked=asked, panels=part.panels, cards=part.cards)


@router.get("/{panel}/export")
async def export_panel(request: Request, desk: AtDesk, visitor: Looking, panel: str) -> Response:
    """A panel's table, as a file."""
    if panel not in PART_OF:
        raise no_such_figures(visitor)
    said = await answer_of(desk, PART_OF[panel], asked_for(request, FILTERS), best=_MOST_BEST)
    made = PARTS[PART_OF[panel]].panels[panel](said, visitor)
    return table_file(request, panel, made.head, made.rows)
