"""What an answer's figures are told as: a chart, the table that says the same, and the table's columns as a file."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from cloud_api.console.asking import Answer
from cloud_api.console.files import Cell
from cloud_api.console.pages import Visitor
from cloud_api.console.writing import number

Chart = Mapping[str, Any]


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
