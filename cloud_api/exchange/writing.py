"""Rows as files: CSV, XLSX, JSON. Texts that a spreadsheet would run as a formula get an apostrophe before them."""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

import xlsxwriter

from cloud_api.exchange.tables import Format
from cloud_api.exchange.values import Cell, as_text

MEDIA_TYPES: Mapping[Format, str] = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
}
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def write(path: Path, format: Format, columns: Sequence[str], rows: Iterable[Mapping[str, Cell]]) -> int:
    """Write a file; how many rows it has. Call it on a thread."""
    match format:
        case "csv":
            return _write_csv(path, columns, rows)
        case "xlsx":
            return _write_xlsx(path, columns, rows)
        case "json":
            return _write_json(path, rows)


def harmless(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULAS) else text


def _write_csv(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Cell]]) -> int:
    count = 0
    # the mark at the beginning tells spreadsheets that this is UTF-8
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for row in rows:
            writer.writerow([_plain(row.get(name)) for name in columns])
            count += 1
    return count


def _plain(cell: Cell) -> str:
    return harmless(cell) if isinstance(cell, str) else as_text(cell)


def _write_xlsx(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Cell]]) -> int:
    # a date stands in its cell as a number of days: no zone comes near it
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    count = 0
    with xlsxwriter.Workbook(str(path), options) as book:
        sheet, day = book.add_worksheet("rows"), book.add_format({"num_format": "yyyy-mm-dd"})
        for place, name in enumerate(columns):
            sheet.write_string(0, place, name)
        for count, row in enumerate(rows, start=1):
            for place, name in enumerate(columns):
                _write_cell(sheet, count, place, row.get(name), day)
    return count


def _write_cell(sheet: xlsxwriter.worksheet.Worksheet, row: int, place: int, cell: Cell, day: object) -> None:
    match cell:
        case None | "":
            return
        case bool():
            sheet.write_boolean(row, place, cell)
        case int() | Decimal() if -(10**11) < cell < 10**11:
            sheet.write_number(row, place, cell)
        case date():
            sheet.write_datetime(row, place, cell, day)
        case _:
            sheet.write_string(row, place, _plain(cell))


def _write_json(path: Path, rows: Iterable[Mapping[str, Cell]]) -> int:
    count = 0
    with path.open("w", encoding="utf-8") as file:
        file.write("[")
        for row in rows:
            file.write("\n" if count == 0 else ",\n")
            file.write(json.dumps({name: _json(cell) for name, cell in row.items()}, ensure_ascii=False))
            count += 1
        file.write("\n]\n")
    return count


def _json(cell: Cell) -> str | int | bool | None:
    return cell if cell is None or isinstance(cell, str | bool | int) else as_text(cell)
