"""How figures are told: cards, and panels with a chart, the table that says the same, and that table as a file."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from fastapi import Request, Response

from cloud_api.console.asking import Answer, Refused
from cloud_api.console.files import Cell
from cloud_api.console.pages import Visitor, show, visitor_of
from cloud_api.console.tables import Table
from cloud_api.console.writing import number

Chart = Mapping[str, Any]


@dataclass(frozen=True)
class Card:
    """One figure."""

    label: str
    value: str
    note: str = ""
    icon_name: str = ""
    #: what leads on from here
    address: str = ""


@dataclass(frozen=True)
class Panel:
    """One table, and the chart of it where one says more."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    chart: Chart | None = None
    #: what is said where there is nothing
    empty: str = ""
    #: what else there is to know
    note: str = ""
    #: more than the half of the page's width
    wide: bool = False
    #: what rows lead to, one address a row; empty: nowhere
    links: Sequence[str] = field(default=())


#: makes a panel of an answer, for a reader
Making = Callable[[Answer, Visitor], Panel]
#: makes the cards above the panels
CardMaking = Callable[[Answer, Visitor], Sequence[Card]]


def no_cards(_said: Answer, _visitor: Visitor) -> Sequence[Card]:
    """Of a part whose panels say it all."""
    return ()


async def show_panels(
    request: Request,
    page: str,
    query: Mapping[str, str],
    *,
    asked: Awaitable[Answer],
    panels: Mapping[str, Making],
    cards: CardMaking,
) -> Response:
    """A part of a page of figures; or what is wrong with what the page asks for.

    Args:
        page: its path; each panel's file is at `PAGE/PANEL/export`.
        query: what the page's address asks for.
        asked: what the API says for this part.
    """
    visitor = visitor_of(request)
    try:
        said = await asked
    except Refused as refused:
        if refused.status != 422:
            raise
        return show(request, "shared/no_panels.html", refused=refused)
    return show(
        request,
        "shared/panels.html",
        cards=cards(said, visitor),
        panels=[(name, make(said, visitor), Table(f"{page}/{name}", query, ())) for name, make in panels.items()],
        shown=lambda cell: shown(cell, visitor),
        is_number=is_number,
    )


def no_such_figures(visitor: Visitor) -> Refused:
    """What somebody hears who asks for a part or a panel that there is not."""
    return Refused(404, "NOT_FOUND", visitor.say("There are no such figures."))


def major(minor: int) -> Decimal:
    """Money as a number of the currency's own unit."""
    return Decimal(minor).scaleb(-2)


def step_name(step: Answer, by: str) -> str:
    """How a step is called on an axis: its first day, or its month."""
    first = date.fromisoformat(step["first"])
    return first.strftime("%b %Y") if by == "month" else first.strftime("%d %b")


def days_of(step: Answer) -> list[Cell]:
    """The first and the last day of a step, for a table."""
    return [date.fromisoformat(step["first"]), date.fromisoformat(step["last"])]


def line(kind: str, x: Sequence[str], unit: str, *series: tuple[str, Sequence[object], str]) -> Chart:
    """A chart as `charts.js` draws it; series are (name, values, tone)."""
    told = [{"name": name, "data": [_plain(one) for one in data], "tone": tone} for name, data, tone in series]
    return {"kind": kind, "unit": unit, "x": list(x), "series": told}


def shown(cell: Cell, visitor: Visitor) -> str:
    """A cell as a reader has it."""
    if isinstance(cell, datetime):
        return visitor.writing.when(cell)
    if isinstance(cell, date):
        return cell.strftime("%d %b %Y")
    if isinstance(cell, Decimal):
        return number(cell, 2)
    return number(cell) if isinstance(cell, int | float) else cell or "–"


def is_number(cell: Cell) -> bool:
    """Whether a cell is set to the right."""
    return isinstance(cell, int | float | Decimal)


def _plain(value: object) -> object:
    return float(value) if isinstance(value, Decimal) else value
