"""Files: what was written is what is read, with its row numbers, and what is no table is refused by name."""

import csv
import io
import json
import zipfile
from contextlib import suppress
from datetime import date
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from cloud_api.exchange import tables, writing
from cloud_api.exchange.errors import TooMuch, UnreadableFile, WrongColumns
from cloud_api.exchange.tables import BadCell, Format, Table
from cloud_api.exchange.values import Reading, as_date, as_text
from cloud_api.kernel.errors import AppError
from tests.factories.properties import FEW

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=20).map(str.strip)
CELLS = TEXTS.filter(lambda text: bool(text) and not text.startswith("'"))


def table_of(content: bytes, format: Format = "csv") -> Table:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(content)
        return tables.read(path, format)


def sheet_of(*rows: tuple[object, ...], day_system_1904: bool = False) -> bytes:
    book = openpyxl.Workbook()
    if day_system_1904:
        book.epoch = CALENDAR_MAC_1904
    for row in rows:
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "windows-1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_text_is_read_however_it_is_encoded_and_separated(encoding: str, delimiter: str) -> None:
    text = f'sku{delimiter}name\r\nA-1{delimiter}"Crème, ""fraîche"";\nsoured"\r\n\r\nA-2{delimiter}Milk\r\n'
    table = table_of(text.encode(encoding))
    assert [(row.number, dict(row.cells)) for row in table.rows] == [
        (2, {"sku": "A-1", "name": 'Crème, "fraîche";\nsoured'}),
        (4, {"sku": "A-2", "name": "Milk"}),
    ]
    assert table.delimiter == delimiter


@pytest.mark.parametrize(
    "content",
    [
        bytes(range(256)) * 40,
        b"\x89PNG\r\n\x1a\n" + b"\0\1\2" * 1000,
        b"PK\x03\x04" + b"\0" * 100,
        b"sku,name\nA,\x00\n",
        b"sku,name\nA,\x81\x8d\n",
        b'sku,name\nA,"never closed\n' + b"x" * 300_000,
        b'sku,name\nA,"a"b\n',
        b"\xff\xfe\x00",
        b",,\nA,B\n",
        b"\n\n",
    ],
)
def test_what_is_no_csv_is_refused_by_name(content: bytes) -> None:
    with pytest.raises(UnreadableFile):
        table_of(content)


@FEW
@given(st.binary(max_size=400), st.sampled_from(["csv", "xlsx", "json"]))
def test_no_bytes_are_an_error_without_a_name(content: bytes, format: Format) -> None:
    with suppress(AppError):
        assert table_of(content, format).columns


@FEW
@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=5), st.sampled_from(["csv", "xlsx", "json"]))
def test_what_is_written_is_read_again(rows: list[tuple[str, str]], format: Format) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        writing.write(path, format, ["a", "b"], [{"a": a, "b": b} for a, b in rows])
        read = tables.read(path, format)
    assert [(as_text(row.cells["a"]), as_text(row.cells["b"])) for row in read.rows] == rows  # type: ignore[arg-type]


@FEW
@given(st.dates(date(1970, 1, 1), date(2199, 12, 31)), st.booleans())
def test_a_date_of_a_sheet_never_moves_a_day(day: date, day_system_1904: bool) -> None:
    table = table_of(sheet_of(("expires_on",), (day,), day_system_1904=day_system_1904), "xlsx")
    reading = Reading(day_system=table.day_system)
    assert as_date(table.rows[0].cells["expires_on"], reading) == day  # type: ignore[arg-type]
    serial = (day - (date(1904, 1, 1) if day_system_1904 else date(1899, 12, 30))).days
    table = table_of(sheet_of(("expires_on",), (serial,), day_system_1904=day_system_1904), "xlsx")
    assert as_date(table.rows[0].cells["expires_on"], Reading(day_system=table.day_system)) == day  # type: ignore[arg-type]


def test_formulas_in_texts_are_harmless_and_come_back_as_they_were() -> None:
    texts = ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "\tx", "plain"]
    for format in ("csv", "xlsx", "json"):
        with TemporaryDirectory() as folder:
            path = Path(folder) / "file"
            writing.write(path, format, ["a"], [{"a": text} for text in texts])
            if format == "csv":
                cells = [line[0] for line in csv.reader(io.StringIO(path.read_text("utf-8-sig")))][1:]
                assert not any(cell.startswith(("=", "+", "-", "@", "\t")) for cell in cells)
            if format == "xlsx":
                sheet = openpyxl.load_workbook(io.BytesIO(path.read_bytes())).active
                assert {cell.data_type for (cell,) in sheet.iter_rows(min_row=2)} == {"s"}
            assert [as_text(row.cells["a"]) for row in tables.read(path, format).rows] == [  # type: ignore[arg-type]
                text.strip() for text in texts
            ]


def test_a_sheet_tells_its_errors_numbers_and_rows() -> None:
    content = sheet_of(("sku", "price"), ("A", 0.1 + 0.2), (None, None), ("B", "#REF!"), (12345, True))
    table = table_of(content, "xlsx")
    assert [row.number for row in table.rows] == [2, 4, 5]
    assert table.rows[0].cells["price"] == Decimal("0.3")
    assert isinstance(table.rows[1].cells["price"], BadCell)
    assert as_text(table.rows[2].cells["sku"]) == "12345"  # type: ignore[arg-type]


def test_a_bomb_is_refused_before_it_unpacks() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/workbook.xml", b"<workbook/>")
        with book.open("xl/worksheets/sheet1.xml", "w") as part:
            for _ in range(210):
                part.write(b"\0" * 1_000_000)
    assert len(file.getvalue()) < 1_000_000
    with pytest.raises(TooMuch):
        table_of(file.getvalue(), "xlsx")
    with pytest.raises(UnreadableFile):
        table_of(b"PK\x05\x06" + b"\0" * 18, "xlsx")


def test_entities_in_a_sheet_blow_nothing_up() -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)
    )
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(sheet_of(("sku",), ("A",)))) as whole, zipfile.ZipFile(file, "w") as made:
        for part in whole.namelist():
            content = whole.read(part)
            if part == "xl/worksheets/sheet1.xml":
                content = (
                    bomb + "]><worksheet><sheetData><row><c t='str'><v>&j;</v></c></row></sheetData></worksheet>"
                ).encode()
            made.writestr(part, content)
    with pytest.raises(UnreadableFile):
        table_of(file.getvalue(), "xlsx")


@pytest.mark.parametrize(
    "content", [b"{", b"[1]", b'{"a": 1}', b"[{}, 2]", b"NaN", b"[" * 100_000, b'[{"a": NaN}]', b"\xff\xff"]
)
def test_what_is_no_json_is_refused_by_name(content: bytes) -> None:
    with pytest.raises(UnreadableFile):
        table_of(content, "json")


def test_json_rows_are_counted_from_one_and_numbers_are_exact() -> None:
    content = json.dumps({"rows": [{"sku": "A", "price": 0.1}, {"sku": "B", "price": None}]}).encode()
    table = table_of(content, "json")
    assert [(row.number, dict(row.cells)) for row in table.rows] == [
        (1, {"sku": "A", "price": Decimal("0.1")}),
        (2, {"sku": "B"}),
    ]


def test_too_many_rows_or_columns_and_columns_that_are_there_twice() -> None:
    with pytest.raises(TooMuch):
        table_of(b"sku\n" + b"A\n" * (tables.MOST_ROWS + 1))
    with pytest.raises(TooMuch):
        table_of(",".join(f"c{n}" for n in range(tables.MOST_COLUMNS + 1)).encode())
    with pytest.raises(WrongColumns):
        table_of(b"sku,sku\nA,B\n")


def test_a_row_that_is_longer_than_the_header_says_so() -> None:
    table = table_of(b"sku,name\nA,1,000\n")
    assert isinstance(table.rows[0].cells["name"], BadCell)
