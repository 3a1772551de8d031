"""Tables as files: what a spreadsheet opens is what the page showed."""

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal

import openpyxl
import pytest
from starlette.requests import Request

from cloud_api.console.asking import Desk, Refused
from cloud_api.console.files import Cell, table_file
from cloud_api.console.pages import Visitor
from tests.platform_under_test import Platform

HEAD = ("lot", "kilograms", "received")
ROWS: list[list[Cell]] = [
    ["=HYPERLINK(1)", Decimal("12.500"), datetime(2026, 11, 2, 20, 0, tzinfo=UTC)],
    ["पालक", -3, None],
]


def asked(platform: Platform, query: str) -> Request:
    """A request for a file, by somebody in India."""
    request = Request({"type": "http", "headers": [], "query_string": query.encode()})
    desk = Desk(platform.app, "", address=("127.0.0.1", 1), request_id="files-of-tables")
    me = {
        "theme": "",
        "locale": "en",
        "permissions": [],
        "organization": {"timezone": "Asia/Kolkata", "currency": "INR"},
    }
    request.state.visitor = Visitor(request, desk, me)
    return request


def test_csv_is_read_as_text_numbers_and_the_readers_time(sqlite_platform: Platform) -> None:
    answer = table_file(asked(sqlite_platform, ""), "lots", HEAD, ROWS)
    assert answer.headers["content-disposition"] == 'attachment; filename="lots.csv"'
    rows = list(csv.reader(io.StringIO(bytes(answer.body).decode("utf-8-sig"))))
    assert rows == [list(HEAD), ["'=HYPERLINK(1)", "12.500", "2026-11-03 01:30:00"], ["पालक", "-3", ""]]


def test_a_sheet_has_cells_of_their_kind_and_no_formula(sqlite_platform: Platform) -> None:
    answer = table_file(asked(sqlite_platform, "format=xlsx"), "lots", HEAD, ROWS)
    sheet = openpyxl.load_workbook(io.BytesIO(bytes(answer.body))).active
    cells = [[(cell.value, cell.data_type) for cell in row] for row in sheet.iter_rows(min_row=2)]
    assert cells[0] == [("=HYPERLINK(1)", "s"), (12.5, "n"), (datetime.fromisoformat("2026-11-03T01:30"), "d")]
    assert cells[1][:2] == [("पालक", "s"), (-3, "n")]


def test_another_format_is_refused_by_name(sqlite_platform: Platform) -> None:
    with pytest.raises(Refused) as refused:
        table_file(asked(sqlite_platform, "format=pdf"), "lots", HEAD, ROWS)
    assert refused.value.fields == {"format": "A table is written as csv or xlsx"}
