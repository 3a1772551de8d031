"""`/api/v1/telemetry`: what people ask of readings."""

import struct
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel import clock
from cloud_api.kernel.db import Database
from cloud_api.kernel.errors import Invalid
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import BadCursor, Page, PageQuery, decode_cursor, encode_cursor
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.places.queries import Visible
from cloud_api.places.visibility import VisiblePlaces
from cloud_api.telemetry.models import QUALITIES
from cloud_api.telemetry.schemas import AggregateRead, LatestRead, PlaceComparisonRead, ReadingRead
from cloud_api.telemetry.series import aggregates, answers, buckets, exports, service
from cloud_api.telemetry.series.aggregates import Asked
from cloud_api.telemetry.series.streams import Stream, streams_in, streams_of
from cloud_api.telemetry.stores.port import ReadingStore

router = APIRouter(prefix="/telemetry", tags=["telemetry"], route_class=ApiRoute)

_KEY = struct.Struct(">16sqq")
#: within what every zone's calendar has
_EARLIEST_MS, _LATEST_MS = 0, 253_402_000_000_000
_MOST_PLACES = 20
_FILES: dict[int | str, dict[str, object]] = {
    200: {"description": "A file", "content": {kind: {} for kind in exports.MEDIA_TYPES.values()}}
}

Sensors = Annotated[list[uuid.UUID] | None, Query(max_length=1_000)]
Limit = Annotated[float | None, Query(allow_inf_nan=False)]


@dataclass(frozen=True, slots=True)
class Period:
    """[from, to) in milliseconds."""

    from_ms: int
    to_ms: int


def period(since: datetime, until: datetime) -> Period:
    """[since, until), of times with their zones."""
    for name, instant in (("since", since), ("until", until)):
        if instant.tzinfo is None:
            raise Invalid("give the time with its zone, as in 2026-01-31T08:00:00Z", field=name)
        if not _EARLIEST_MS <= clock.to_ms(instant) <= _LATEST_MS:
            raise Invalid("give a time between 1970 and 9999", field=name)
    if since >= until:
        raise Invalid("since must lie before until: exchange them, or ask for a longer time", field="since")
    return Period(clock.to_ms(since), clock.to_ms(until))


def reading_store(request: Request) -> ReadingStore:
    """Where readings are."""
    store: ReadingStore = request.app.state.reading_store
    return store


Between = Annotated[Period, Depends(period)]
Store = Annotated[ReadingStore, Depends(reading_store)]


@router.get("/readings", response_model=list[ReadingRead], dependencies=[require("telemetry:read")])
async def list_readings(
    db: Db,
    seen: VisiblePlaces,
    store: Store,
    query: Annotated[PageQuery, Depends()],
    between: Between,
    sensor_id: Sensors = None,
    location_id: uuid.UUID | None = None,
    quantity: str | None = None,
) -> Page[ReadingRead]:
    """Readings in [since, until), sensor by sensor, of each the oldest first.

    Of sensors, or of what was measured in a place and inside it, whichever sensors were there then.
    """
    streams = await _streams(db, sensor_id, location_id, seen, quantity)
    after = None
    if query.cursor is not None:
        raw = decode_cursor(query.cursor)
        if len(raw) != _KEY.size:
            raise BadCursor
        key, at_ms, sequence = _KEY.unpack(raw)
        after = (uuid.UUID(bytes=key), at_ms, sequence)
        if after[0] not in {stream.sensor.id for stream in streams}:
            raise BadCursor
    pieces = await service.pieces_between(
        db, store, streams, from_ms=between.from_ms, to_ms=between.to_ms, limit=query.limit + 1, after=after
    )
    rows = [(row, sequence) for piece in pieces for row, sequence in _told(piece)]
    kept = rows[: query.limit]
    more = None
    if len(rows) > query.limit:
        last, sequence = kept[-1]
        more = encode_cursor(_KEY.pack(last.sensor_id.bytes, clock.to_ms(last.recorded_at), sequence))
    return Page([row for row, _ in kept], query.limit, more)


@router.get("/readings/latest", response_model=list[LatestRead], dependencies=[require("telemetry:read")])
async def list_latest(db: Db, seen: VisiblePlaces, location_id: uuid.UUID | None = None) -> Response:
    """The last value of every sensor, or of those in a place and inside it, and whether the next one is overdue."""
    return _json(answers.latest(await service.latest(db, seen=seen, location_id=location_id)))


@router.get("/readings/aggregate", response_model=AggregateRead, dependencies=[require("telemetry:read")])
async def aggregate_readings(
    db: Db,
    seen: VisiblePlaces,
    store: Store,
    between: Between,
    sensor_id: Sensors = None,
    location_id: uuid.UUID | None = None,
    quantity: str | None = None,
    bucket: str = "auto",
    points: Annotated[int, Query(ge=10, le=2_000)] = 750,
    zone: Annotated[str | None, Query(max_length=64)] = None,
    above: Limit = None,
    below: Limit = None,
    mkt: bool = False,
) -> Response:
    """Count, min, mean and max of sensors over time, in lists; where there is no reading there is none.

    Buckets are whole: the first begins at or before `since`, the last ends at or behind `until`. `hour`, `day`, `15m`,
    `6h`, or `auto`, the narrowest of which at most `points` are needed. Hours and days are those of `zone`, or of the
    zone that most of the sensors are in. With `above` or `below`, how many seconds values lay beyond; with `mkt`, mean
    kinetic temperatures.
    """
    streams = await _streams(db, sensor_id, location_id, seen, quantity)
    span_ms = between.to_ms - between.from_ms
    asked = Asked(
        buckets.for_chart(span_ms, points) if bucket == "auto" else buckets.parse(bucket),
        _zone(zone, streams),
        between.from_ms,
        between.to_ms,
        above,
        below,
        mkt,
    )
    return _json(answers.aggregate(asked, await aggregates.aggregate(db, store, streams, asked)))


@router.get("/readings/compare", response_model=list[PlaceComparisonRead], dependencies=[require("telemetry:read")])
async def compare_places(
    db: Db,
    seen: VisiblePlaces,
    store: Store,
    between: Between,
    location_id: Annotated[list[uuid.UUID], Query(min_length=1, max_length=_MOST_PLACES)],
    quantity: str = "temperature",
) -> list[PlaceComparisonRead]:
    """Places side by side over [since, until), each with all that lies in it."""
    compared = await service.compare(
        db,
        store,
        location_id,
        seen=seen,
        quantity=quantity,
        from_ms=between.from_ms,
        to_ms=between.to_ms,
    )
    return [
        PlaceComparisonRead(
            location_id=row.location.id,
            code=row.location.code,
            name=row.location.name,
            sensors=row.sensors,
            count=row.count,
            minimum=row.minimum,
            mean=row.mean,
            maximum=row.maximum,
            mkt_c=row.mkt_c,
            temperature_min_c=row.location.temperature_min_c,
            temperature_max_c=row.location.temperature_max_c,
            in_range_share=row.in_range_share,
            gap_share=row.gap_share,
        )
        for row in compared
    ]


@router.get(
    "/readings/export",
    response_model=None,
    response_class=Response,
    responses=_FILES,
    dependencies=[require("telemetry:read")],
)
async def export_readings(
    request: Request,
    db: Db,
    principal: CurrentPrincipal,
    seen: VisiblePlaces,
    store: Store,
    between: Between,
    sensor_id: Sensors = None,
    location_id: uuid.UUID | None = None,
    quantity: str | None = None,
    zone: Annotated[str | None, Query(max_length=64)] = None,
    format: exports.Format = "csv",
) -> Response:
    """Readings in [since, until) as a file, sensor by sensor, times with their offset from UTC.

    CSV and Parquet of any length; a sheet holds 250,000 readings.
    """
    streams = await _streams(db, sensor_id, location_id, seen, quantity)
    ids = [stream.sensor.id for stream in streams]
    exports.check_format(format, await aggregates.about(db, ids, between.from_ms, between.to_ms))
    database: Database = request.app.state.database
    export = exports.Export(
        database,
        principal.scope,
        store,
        streams,
        between.from_ms,
        between.to_ms,
        _zone(zone, streams),
        await exports.place_codes(db, streams),
    )
    content: AsyncIterator[str] | AsyncIterator[bytes] = (
        exports.as_csv(export) if format == "csv" else await exports.as_file(export, format)
    )
    headers = {"Content-Disposition": f'attachment; filename="readings.{format}"'}
    return StreamingResponse(content, media_type=exports.MEDIA_TYPES[format], headers=headers)


async def _streams(
    db: AsyncSession,
    sensor_ids: Sequence[uuid.UUID] | None,
    location_id: uuid.UUID | None,
    seen: Visible,
    quantity: str | None,
) -> list[Stream]:
    if bool(sensor_ids) == (location_id is not None):
        raise Invalid("name sensors by sensor_id, or a place by location_id: one of the two", field="sensor_id")
    if location_id is not None:
        return await streams_in(db, location_id, seen=seen, quantity=quantity)
    return await streams_of(db, sensor_ids or [], seen=seen, quantity=quantity)


def _zone(named: str | None, streams: Sequence[Stream]) -> str:
    """The zone that was asked for, or most streams are in."""
    if named is None:
        return max(Counter(stream.zone for stream in streams).items(), key=lambda item: item[1], default=("UTC", 0))[0]
    try:
        ZoneInfo(named)
    except (KeyError, ValueError, OSError):
        raise Invalid("must be a name of the IANA time zone database, such as Asia/Kolkata", field="zone") from None
    return named


def _told(piece: service.Piece) -> list[tuple[ReadingRead, int]]:
    """Each reading, and its sequence."""
    sensor, readings = piece.stream.sensor, piece.readings
    values = sensor.correct(readings.times_ms, readings.values)
    return [
        (
            ReadingRead(
                sensor_id=sensor.id,
                location_id=sensor.place_at(at_ms),
                recorded_at=clock.from_ms(at_ms),
                value=round(value, service.PLACES),
                raw_value=raw,
                quality=QUALITIES[quality],
            ),
            sequence,
        )
        for at_ms, value, raw, quality, sequence in zip(
            readings.times_ms.tolist(),
            values.tolist(),
            readings.values.tolist(),
            readings.qualities.tolist(),
            readings.sequences.tolist(),
            strict=True,
        )
    ]


def _json(body: bytes) -> Response:
    return Response(body, media_type="application/json")
