"""Files of rows, as people and other programs write them: CSV, XLSX, JSON. Call it on a thread: it takes its time."""

import csv
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Literal, TypeVar

import openpyxl
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from openpyxl.utils.exceptions import InvalidFileException

from cloud_api.exchange.errors import TooMuch, UnreadableFile, WrongColumns
from cloud_api.exchange.values import Cell, as_text
from cloud_api.media.zips import parts_of

T = TypeVar("T")
Format = Literal["csv", "xlsx", "json"]
MOST_ROWS, MOST_COLUMNS = 100_000, 200
#: what the parts of a workbook may unpack to
_MOST_UNPACKED_BYTES = 200_000_000
_MOST_PARTS = 2_000
_BOMS = (("utf-8-sig", b"\xef\xbb\xbf"), ("utf-16", b"\xff\xfe"), ("utf-16", b"\xfe\xff"))
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_DELIMITERS = (",", ";", "\t")
_SHEET_ERRORS = frozenset({"#REF!", "#N/A", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!"})
#: an apostrophe before these is ours (`writing`), or a person's who meant text
_FORMULA = re.compile(r"'[=+\-@\t\r]")


class BadCell:
    """A cell in which a sheet shows an error."""

    def __init__(self, shown: str) -> None:
        self.shown = shown


@dataclass(frozen=True, slots=True)
class Row:
    """One row, numbered as the file's program shows it: the header is row 1; of JSON the first is 1."""

    number: int
    #: column -> cell; empty cells are not there
    cells: Mapping[str, Cell | BadCell]


@dataclass(frozen=True, slots=True)
class Table:
    """All of a file."""

    columns: Sequence[str]
    rows: Sequence[Row]
    #: how text was encoded, of CSV
    encoding: str | None = None
    delimiter: str | None = None
    #: 1900 or 1904, of a sheet
    day_system: int | None = None


def read(path: Path, format: Format) -> Table:
    """The rows of a file.

    Raises:
        UnreadableFile: when it is not what it should be.
        TooMuch: when it has too many rows or columns, or unpacks to too much.
        WrongColumns: when a column is there twice.
    """
    match format:
        case "csv":
            return _read_csv(path.read_bytes())
        case "xlsx":
            return _read_xlsx(path)
        case "json":
            return _read_json(path.read_bytes())


def _read_csv(content: bytes) -> Table:
    text, encoding = decoded(content)
    delimiter = _delimiter(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        lines = [_bare(line) for line in _few(reader)]
    except csv.Error as error:
        raise UnreadableFile(f"line {reader.line_num} is no CSV ({error}): is a quotation mark left open?") from None
    return _table(lines, encoding=encoding, delimiter=delimiter)


def _bare(line: Sequence[str]) -> list[Cell | BadCell]:
    return [cell[1:] if _FORMULA.match(cell) else cell for cell in line]


def decoded(content: bytes) -> tuple[str, str]:
    """Text, and how it was encoded: UTF-8, UTF-16, or Windows-1252 when it is neither.

    Raises:
        UnreadableFile: when it is no text.
    """
    encoding = next((name for name, mark in _BOMS if content.startswith(mark)), None) or _unmarked(content)
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        raise UnreadableFile("these bytes are no text: save the table as CSV in UTF-8, or send it as xlsx") from None
    if _CONTROLS.search(text):
        raise UnreadableFile("this is no text: it has characters that only other files have; is it a CSV?")
    return text, encoding


def _unmarked(content: bytes) -> str:
    head = content[:4096]
    if head.count(0) > len(head) // 4:
        return "utf-16-be" if head[:1] == b"\0" else "utf-16-le"
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return "windows-1252"
    return "utf-8"


def _delimiter(text: str) -> str:
    """The one that stands most often in the header, outside of quotation marks."""
    header = re.sub(r'"[^"]*"', "", text[:20_000].lstrip("\r\n").split("\n", 1)[0])
    return max(_DELIMITERS, key=header.count)


def _read_xlsx(path: Path) -> Table:
    _check_workbook(path)
    try:
        with path.open("rb") as file:
            book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
            sheet = book.worksheets[0]
            sheet.reset_dimensions()
            lines = [[_of_sheet(cell) for cell in line] for line in _few(sheet.iter_rows(values_only=True))]
            day_system = 1904 if book.epoch == CALENDAR_MAC_1904 else 1900
            book.close()
    except (InvalidFileException, zipfile.BadZipFile, zlib.error, KeyError, ValueError, TypeError, AttributeError):
        raise UnreadableFile("the workbook cannot be read: open it and save it again as .xlsx") from None
    except (IndexError, EOFError, OSError, SyntaxError, OverflowError, NotImplementedError):
        raise UnreadableFile("the workbook is broken: open it and save it again as .xlsx") from None
    return _table(lines, day_system=day_system)


def _check_workbook(path: Path) -> None:
    parts = parts_of(path)
    if parts is None:
        raise UnreadableFile("these bytes are no workbook: save the table as .xlsx")
    if "xl/workbook.xml" not in {part.filename for part in parts}:
        raise UnreadableFile("these bytes are a zip, but no workbook: save the table as .xlsx")
    if sum(part.file_size for part in parts) > _MOST_UNPACKED_BYTES or len(parts) > _MOST_PARTS:
        raise TooMuch(f"the workbook unpacks to more than {_MOST_UNPACKED_BYTES:,} bytes: send fewer rows at a time")


def _of_sheet(value: object) -> Cell | BadCell:
    match value:
        case bool() | int() | None:
            return value
        case float():
            # what a spreadsheet shows: it computes with 15 digits
            return Decimal(f"{value:.15g}") if value == value and abs(value) < 1e30 else BadCell(str(value))
        case datetime() | date():
            return value
        case time():
            return value.isoformat()
        case str() if value in _SHEET_ERRORS:
            return BadCell(value)
        case str():
            return value[1:] if _FORMULA.match(value) else value
        case _:
            return BadCell(type(value).__name__)


def _read_json(content: bytes) -> Table:
    try:
        said = json.loads(content, parse_float=Decimal, parse_constant=_no_constant)
    except (ValueError, RecursionError, InvalidOperation) as error:
        where = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else "somewhere"
        raise UnreadableFile(f"this is no JSON ({where}): send a list of objects") from None
    rows = said.get("rows") if isinstance(said, dict) else said
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UnreadableFile('send a list of objects, one a row, or {"rows": [...]}')
    if len(rows) > MOST_ROWS:
        raise _too_many_rows()
    columns = list(dict.fromkeys(name for row in rows for name in row))
    _check_columns(columns)
    made = [
        Row(number, {name: _of_json(value) for name, value in row.items() if value not in (None, "")})
        for number, row in enumerate(rows, start=1)
    ]
    return Table(columns, [row for row in made if row.cells])


def _of_json(value: object) -> Cell | BadCell:
    match value:
        case str() if "\0" in value or _half(value):
            return BadCell("half a character")
        case str() | bool() | int() | Decimal():
            return value
        case _:
            return BadCell("a list or an object")


def _half(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


def _no_constant(name: str) -> object:
    raise ValueError(name)


def _few(lines: Iterable[Sequence[T]]) -> Iterator[Sequence[T]]:
    for count, line in enumerate(lines):
        if count > MOST_ROWS:
            raise _too_many_rows()
        if len(line) > MOST_COLUMNS:
            line = _without_empty_end(line)
        yield line


def _without_empty_end(line: Sequence[T]) -> Sequence[T]:
    filled = [place for place, cell in enumerate(line) if cell not in (None, "")]
    if filled and filled[-1] >= MOST_COLUMNS:
        raise TooMuch(f"a row has more than {MOST_COLUMNS} columns: send only those that are wanted")
    return line[:MOST_COLUMNS]


def _too_many_rows() -> TooMuch:
    return TooMuch(f"the file has more than {MOST_ROWS:,} rows: send it in parts")


def _table(
    lines: Sequence[Sequence[Cell | BadCell]],
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    day_system: int | None = None,
) -> Table:
    if not lines or not any(lines[0]):
        raise UnreadableFile("the first row names the columns, and it is empty")
    columns = [cell.shown if isinstance(cell, BadCell) else as_text(cell) for cell in lines[0]]
    _check_columns([name for name in columns if name])
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        beyond = [cell for cell in line[len(columns) :] if cell not in (None, "")]
        cells = {name: cell for name, cell in zip(columns, line, strict=False) if name and not _is_empty(cell)}
        if beyond:
            cells[columns[-1] or "?"] = BadCell("more cells than there are columns")
        if cells:
            rows.append(Row(number, cells))
    return Table([name for name in columns if name], rows, encoding, delimiter, day_system)


def _is_empty(cell: Cell | BadCell) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _check_columns(columns: Sequence[str]) -> None:
    if len(columns) > MOST_COLUMNS:
        raise TooMuch(f"the file has more than {MOST_COLUMNS} columns: send only those that are wanted")
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice:
        raise WrongColumns(
            f"the column {twice[0][:80]!r} is there twice: rename one, or take it out", field=twice[0][:80]
        )
