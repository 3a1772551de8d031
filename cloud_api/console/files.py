"""Tables as files: what the filters leave, for a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal

import xlsxwriter
from fastapi import Request, Response

from cloud_api.console.asking import Refused
from cloud_api.console.pages import attachment, visitor_of

#: rows of a file
MOST_ROWS = 10_000
_SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: what a spreadsheet would take for a formula
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
Cell = str | int | float | Decimal | date | datetime | bool | None


def table_file(request: Request, name: str, head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Response:
    """A table as the file that `?format=` asks for: `csv`, as when nothing is said, or `xlsx`.

    Args:
        name: of the file, without its ending.
        head: the columns' names.
        rows: cells; a moment is written by the reader's clock.

    Raises:
        Refused: when another format is asked for.
    """
    wanted = request.query_params.get("format", "csv")
    zone = visitor_of(request).writing.zone
    told = [[_here(cell, zone) for cell in row] for row in rows]
    if wanted == "csv":
        return attachment(_csv(head, told), "text/csv; charset=utf-8", f"{name}.csv")
    if wanted == "xlsx":
        return attachment(_xlsx(head, told), _SHEET, f"{name}.xlsx")
    said = visitor_of(request).say("A table is written as csv or xlsx")
    raise Refused(422, "VALIDATION_FAILED", said, {"format": said})


def amount(said: str | None) -> Decimal | None:
    """A quantity or a price of the API's, as a cell."""
    return None if said is None else Decimal(said)


def day(said: str | None) -> date | None:
    """A day of the API's, as a cell."""
    return None if said is None else date.fromisoformat(said)


def moment(said: str | None) -> datetime | None:
    """A moment of the API's, as a cell."""
    return None if said is None else datetime.fromisoformat(said)


def _here(cell: Cell, zone: object) -> Cell:
    return cell.astimezone(zone).replace(tzinfo=None) if isinstance(cell, datetime) else cell  # type: ignore[arg-type]


def _csv(head: Sequence[str], rows: Sequence[Sequence[Cell]]) -> bytes:
    told = io.StringIO()
    writer = csv.writer(told)
    writer.writerow(head)
    writer.writerows([_safe(cell) for cell in row] for row in rows)
    # the mark tells a spreadsheet the encoding
    return told.getvalue().encode("utf-8-sig")


def _safe(cell: Cell) -> Cell:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def _xlsx(head: Sequence[str], rows: Sequence[Sequence[Cell]]) -> bytes:
    told = io.BytesIO()
    settings = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(told, {**settings, "default_date_format": "yyyy-mm-dd hh:mm"}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, head, book.add_format({"bold": True}))
        sheet.freeze_panes(1, 0)
        for number, row in enumerate(rows, 1):
            sheet.write_row(number, 0, row)
        sheet.autofit()
    return told.getvalue()
