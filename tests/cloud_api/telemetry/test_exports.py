"""Readings as files."""

import csv
import importlib
import io
import sys
import uuid
import zipfile
from typing import Any
from xml.etree import ElementTree

import httpx2
import pytest
from sqlalchemy import update

from cloud_api.kernel import clock
from cloud_api.telemetry.models import SensorSeries
from tests.factories.batches import EIGHT_OCLOCK_MS, Row, make_epoch, make_reading, make_series, send
from tests.factories.farms import make_farm, plant_sensor
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.series import put_calibrations
from tests.factories.stores import ColdStore
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

MINUTE_MS = 60_000
PATH = "/api/v1/telemetry/readings/export"
SPAN = {
    "since": clock.from_ms(EIGHT_OCLOCK_MS).isoformat(),
    "until": clock.from_ms(EIGHT_OCLOCK_MS + 24 * 60 * MINUTE_MS).isoformat(),
    "zone": "Asia/Kolkata",
}


async def export(store: ColdStore, **asked: Any) -> httpx2.Response:
    by = {} if "location_id" in asked else {"sensor_id": store.sensor_id}
    answer = await store.tenant.client.get(PATH, params={**SPAN, **by, **asked})
    assert answer.status_code == 200, answer.text
    return answer


def sheet(content: bytes) -> list[list[str | float]]:
    """The cells of a workbook's only sheet: texts as texts, numbers as numbers; a formula is a failure."""
    space = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        parsed = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))  # noqa: S314 - written by ourselves
    assert parsed.findall(".//m:f", space) == []
    assert parsed.findall(".//m:hyperlink", space) == []
    rows: list[list[str | float]] = []
    for row in parsed.findall(".//m:row", space):
        cells: list[str | float] = []
        for cell in row.findall("m:c", space):
            text = cell.find(".//m:t", space)
            value = cell.find("m:v", space)
            cells.append(text.text or "" if text is not None else float(value.text or "") if value is not None else "")
        rows.append(cells)
    return rows


async def test_a_csv_has_values_raw_ones_and_times_with_their_offset(farm: Platform, store: ColdStore) -> None:
    await send(farm, store, make_series([4.0, 0.0]))
    await put_calibrations(farm, store, [(0, 1.0, 0.0), (EIGHT_OCLOCK_MS + MINUTE_MS, 2.0, 0.5)])
    answer = await export(store)
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="readings.csv"'
    [names, *rows] = csv.reader(io.StringIO(answer.text))
    assert names == [
        "sensor_id",
        "code",
        "quantity",
        "unit",
        "location",
        "recorded_at",
        "value",
        "raw_value",
        "quality",
    ]
    assert [row[:4] for row in rows] == [[store.sensor_id, "z2m:cold-room-1", "temperature", "Cel"]] * 2
    assert rows[0][4].startswith("ROOM-")
    assert [row[5:] for row in rows] == [
        ["2026-01-31T13:30:00.000+05:30", "4.0", "4.0", "good"],
        ["2026-01-31T13:31:00.000+05:30", "0.5", "0.0", "good"],
    ]


@pytest.mark.parametrize("code", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", '=HYPERLINK("http://x.example")'])
async def test_no_text_of_a_file_is_run_as_a_formula(farm: Platform, store: ColdStore, code: str) -> None:
    await send(farm, store, [make_reading(1, -3.0, EIGHT_OCLOCK_MS, sensor=code)])
    [latest] = await store.tenant.get("/api/v1/telemetry/readings/latest")
    sensor_id = latest["sensor_id"]
    [_, row] = csv.reader(io.StringIO((await export(store, sensor_id=sensor_id)).text))
    assert (row[1], row[6]) == (f"'{code}", "-3.0")  # a number below zero is no formula
    [_, cells] = sheet((await export(store, sensor_id=sensor_id, format="xlsx")).content)
    assert (cells[1], cells[6]) == (code, -3.0)


async def test_a_workbook_and_a_parquet_file_hold_the_same(farm: Platform, store: ColdStore) -> None:
    await send(farm, store, make_series([4.25, -1.5, 0.0]))
    [names, *rows] = sheet((await export(store, format="xlsx")).content)
    assert [row[5:8] for row in rows] == [
        ["2026-01-31T13:30:00.000+05:30", 4.25, 4.25],
        ["2026-01-31T13:31:00.000+05:30", -1.5, -1.5],
        ["2026-01-31T13:32:00.000+05:30", 0.0, 0.0],
    ]
    parquet = importlib.import_module("pyarrow.parquet")
    table = parquet.read_table(io.BytesIO((await export(store, format="parquet")).content))
    assert table.column_names == names
    assert str(table.schema.field("recorded_at").type) == "timestamp[ms, tz=Asia/Kolkata]"
    assert [instant.isoformat() for instant in table["recorded_at"].to_pylist()] == [
        "2026-01-31T13:30:00+05:30",
        "2026-01-31T13:31:00+05:30",
        "2026-01-31T13:32:00+05:30",
    ]
    assert table["value"].to_pylist() == [4.25, -1.5, 0.0]
    assert table["quality"].to_pylist() == ["good"] * 3


async def test_a_long_export_has_every_reading_once_and_in_order(farm: Platform, store: ColdStore) -> None:
    rows: list[Row] = make_series((float(index % 100) for index in range(12_000)), every_s=7)
    for at in range(0, len(rows), 1_000):
        await send(farm, store, rows[at : at + 1_000])
    second = await plant_sensor(farm, store.tenant, store.gateway_id, location_id=store.room_id, code="z2m:second")
    await send(farm, store, [make_reading(1, 5.0, EIGHT_OCLOCK_MS, sensor="z2m:second")], epoch=make_epoch())
    [_, *told] = csv.reader(io.StringIO((await export(store, location_id=store.room_id)).text))
    assert [float(row[7]) for row in told] == [row["value"] for row in rows] + [5.0]
    assert [row[5] for row in told[:12_000]] == sorted({row[5] for row in told[:12_000]})
    assert told[-1][0] == second


async def test_nothing_is_a_file_too(farm: Platform, store: ColdStore) -> None:
    assert (await export(store)).text.splitlines() == [
        "sensor_id,code,quantity,unit,location,recorded_at,value,raw_value,quality"
    ]
    assert len(sheet((await export(store, format="xlsx")).content)) == 1
    parquet = importlib.import_module("pyarrow.parquet")
    assert parquet.read_table(io.BytesIO((await export(store, format="parquet")).content)).num_rows == 0


async def test_more_than_a_sheet_holds_is_told_before_anything_is_sent(farm: Platform, store: ColdStore) -> None:
    await send(farm, store, make_series([4.0]))
    async with farm.database.unit_of_work(store.tenant.organization) as db:
        its = update(SensorSeries).where(SensorSeries.sensor_id == uuid.UUID(store.sensor_id))
        await db.execute(its.values(day_count=250_001))
    asked = {**SPAN, "sensor_id": store.sensor_id}
    answer = await store.tenant.client.get(PATH, params={**asked, "format": "xlsx"})
    assert (answer.status_code, answer.json()["error"]["details"][0]["field"]) == (422, "format")
    assert "250,000 readings and these are about 250,001: ask for csv or parquet" in answer.json()["error"]["message"]
    assert (await store.tenant.client.get(PATH, params={**asked, "format": "csv"})).status_code == 200


async def test_without_pyarrow_parquet_says_what_to_install(
    farm: Platform, store: ColdStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    answer = await store.tenant.client.get(PATH, params={**SPAN, "sensor_id": store.sensor_id, "format": "parquet"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (501, "NOT_INSTALLED")
    assert "pip install 'coldfleet[reports]'" in answer.json()["error"]["message"]


async def test_what_cannot_be_exported_is_named(farm: Platform, store: ColdStore) -> None:
    stranger = await make_farm(farm)
    asked = {**SPAN, "sensor_id": store.sensor_id}
    assert (await stranger.client.get(PATH, params=asked)).status_code == 404
    for changed, field in (
        ({"format": "pdf"}, "format"),
        ({"zone": "Nowhere"}, "zone"),
        ({"since": SPAN["until"], "until": SPAN["since"]}, "since"),
        ({"sensor_id": []}, "sensor_id"),
    ):
        answer = await store.tenant.client.get(PATH, params={**asked, **changed})
        assert (answer.status_code, answer.json()["error"]["details"][0]["field"]) == (422, field)
