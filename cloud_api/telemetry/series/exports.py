"""Readings as files: CSV, streamed as it is read; XLSX and Parquet, made on disk first, then streamed.

Each piece is read in a short transaction of its own, so that a long export holds no lock and little memory. A time is
written with its offset from UTC. Texts that a spreadsheet would run as a formula are quoted.
"""

import asyncio
import csv
import importlib
import io
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any, Literal, Protocol
from zoneinfo import ZoneInfo

import numpy as np
import xlsxwriter
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel.db import Database
from cloud_api.kernel.errors import AppError, Invalid
from cloud_api.kernel.tenancy import Scope
from cloud_api.places.models import Location
from cloud_api.telemetry.models import QUALITIES
from cloud_api.telemetry.series.service import PLACES, Piece, pieces_between
from cloud_api.telemetry.series.streams import Stream
from cloud_api.telemetry.stores.port import ReadingStore

Format = Literal["csv", "xlsx", "parquet"]
MEDIA_TYPES: dict[Format, str] = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
}
COLUMNS = (
    "sensor_id",
    "code",
    "quantity",
    "unit",
    "location",
    "recorded_at",
    "value",
    "raw_value",
    "quality",
)
#: a sheet could hold 1,048,576 rows, but nobody's spreadsheet opens that
MOST_IN_XLSX = 250_000
_AT_ONCE = 10_000
_SENT_BYTES = 1 << 16
#: what a spreadsheet would take for a formula
_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")

Row = tuple[str, str, str, str, str, str, float, float, str]


class NotInstalled(AppError):
    """A format whose library this server does not have."""

    status, code = 501, "NOT_INSTALLED"


@dataclass(frozen=True, slots=True)
class Export:
    """What a file is made of."""

    database: Database
    scope: Scope
    store: ReadingStore
    streams: Sequence[Stream]
    from_ms: int
    to_ms: int
    zone: str
    #: the codes of places
    places: Mapping[uuid.UUID, str]


async def place_codes(db: AsyncSession, streams: Sequence[Stream]) -> dict[uuid.UUID, str]:
    """The codes of the places that these sensors are or were in."""
    ids = {placement.location_id for stream in streams for placement in stream.sensor.placements}
    codes = select(Location.id, Location.code).where(Location.id.in_(ids - {None}))
    return {location_id: code for location_id, code in await db.execute(codes)}


def check_format(format: Format, readings: int) -> None:
    """Refuse what cannot be made, before anything is sent.

    Args:
        readings: about how many there will be.

    Raises:
        Invalid: when a sheet cannot hold them.
        NotInstalled: when the server lacks what Parquet takes.
    """
    if format == "xlsx" and readings > MOST_IN_XLSX:
        raise Invalid(
            f"a sheet holds {MOST_IN_XLSX:,} readings and these are about {readings:,}: ask for csv or parquet, for a "
            "shorter time, or for fewer sensors",
            field="format",
        )
    if format == "parquet":
        _parquet()


async def as_csv(export: Export) -> AsyncIterator[str]:
    """Lines, the first with the names of the columns."""
    yield _csv_lines([COLUMNS])
    async for piece in _pieces(export):
        yield await asyncio.to_thread(_csv_piece, export, piece)


async def as_file(export: Export, format: Format) -> AsyncIterator[bytes]:
    """The bytes of an XLSX or Parquet file, complete on disk before the first is sent.

    Raises:
        Invalid: when a sheet cannot hold the readings.
    """
    with ExitStack() as unsent:
        file = unsent.enter_context(tempfile.TemporaryFile())
        writer: _Writer = _Sheet(file) if format == "xlsx" else _Parquet(file, export.zone)
        async for piece in _pieces(export):
            await asyncio.to_thread(_add, writer, export, piece)
        await asyncio.to_thread(writer.close)
        file.seek(0)
        unsent.pop_all()  # closed when its last byte is sent
    return _sent(file)


def _add(writer: "_Writer", export: Export, piece: Piece) -> None:
    writer.add(list(_rows(export, piece)), piece)


async def _sent(file: IO[bytes]) -> AsyncIterator[bytes]:
    with file:
        while piece := await asyncio.to_thread(file.read, _SENT_BYTES):
            yield piece


async def _pieces(export: Export) -> AsyncIterator[Piece]:
    after: tuple[uuid.UUID, int, int] | None = None
    while True:
        async with export.database.unit_of_work(export.scope, read_only=True) as db:
            pieces = await pieces_between(
                db,
                export.store,
                export.streams,
                from_ms=export.from_ms,
                to_ms=export.to_ms,
                limit=_AT_ONCE,
                after=after,
            )
        for piece in pieces:
            yield piece
        if sum(len(piece.readings) for piece in pieces) < _AT_ONCE:
            return
        last = pieces[-1]
        after = (last.stream.sensor.id, int(last.readings.times_ms[-1]), int(last.readings.sequences[-1]))


def _rows(export: Export, piece: Piece) -> Iterator[Row]:
    sensor, readings, zone = piece.stream.sensor, piece.readings, ZoneInfo(export.zone)
    values = np.round(sensor.correct(readings.times_ms, readings.values), PLACES).tolist()
    told = (str(sensor.id), sensor.code, sensor.quantity, sensor.unit)
    for at_ms, value, raw, quality in zip(
        readings.times_ms.tolist(), values, readings.values.tolist(), readings.qualities.tolist(), strict=True
    ):
        place_id = sensor.place_at(at_ms)
        place = "" if place_id is None else export.places.get(place_id, "")
        at = datetime.fromtimestamp(at_ms / 1000, zone).isoformat(timespec="milliseconds")
        yield (*told, place, at, value, raw, QUALITIES[quality])


def _quoted(row: Row) -> list[object]:
    return [f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULAS) else cell for cell in row]


def _csv_piece(export: Export, piece: Piece) -> str:
    return _csv_lines(map(_quoted, _rows(export, piece)))


def _csv_lines(rows: Iterable[Sequence[object]]) -> str:
    lines = io.StringIO()
    csv.writer(lines).writerows(rows)
    return lines.getvalue()


class _Writer(Protocol):
    def add(self, rows: Sequence[Row], piece: Piece) -> None: ...

    def close(self) -> None: ...


class _Sheet:
    """An XLSX workbook with one sheet, written row by row: a text is never a formula nor a link."""

    def __init__(self, file: IO[bytes]) -> None:
        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        self._book = xlsxwriter.Workbook(file, options)
        self._sheet = self._book.add_worksheet("readings")
        self._sheet.write_row(0, 0, COLUMNS)
        self._written = 0

    def add(self, rows: Sequence[Row], _piece: Piece) -> None:
        """Write rows."""
        check_format("xlsx", self._written + len(rows))
        for row in rows:
            self._written += 1
            for column, cell in enumerate(row):
                write = self._sheet.write_string if isinstance(cell, str) else self._sheet.write_number
                write(self._written, column, cell)

    def close(self) -> None:
        """Finish the file."""
        self._book.close()


class _Parquet:
    """A Parquet file with a group of rows for each piece."""

    def __init__(self, file: IO[bytes], zone: str) -> None:
        self._arrow, parquet = _parquet()
        arrow = self._arrow
        text, kinds = arrow.dictionary(arrow.int32(), arrow.string()), {"value": arrow.float64()}
        kinds |= {"raw_value": arrow.float64(), "recorded_at": arrow.timestamp("ms", tz=zone)}
        self._schema = arrow.schema([(name, kinds.get(name, text)) for name in COLUMNS])
        self._writer = parquet.ParquetWriter(file, self._schema)

    def add(self, rows: Sequence[Row], piece: Piece) -> None:
        """Write rows."""
        columns = dict(zip(COLUMNS, map(list, zip(*rows, strict=True)), strict=True))
        columns["recorded_at"] = piece.readings.times_ms.tolist()
        arrays = [
            self._arrow.array(columns[field.name], type=field.type)
            if field.name in {"recorded_at", "value", "raw_value"}
            else self._arrow.array(columns[field.name]).dictionary_encode()
            for field in self._schema
        ]
        self._writer.write_table(self._arrow.Table.from_arrays(arrays, schema=self._schema))

    def close(self) -> None:
        """Finish the file."""
        self._writer.close()


def _parquet() -> tuple[Any, Any]:
    """pyarrow, which is large: loaded when somebody wants it.

    Raises:
        NotInstalled: when it is not there.
    """
    try:
        return importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise NotInstalled(
            "this server cannot write Parquet: ask for csv or xlsx, or install pip install 'coldfleet[reports]'",
            field="format",
        ) from None
