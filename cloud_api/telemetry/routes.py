"""`/api/v1/telemetry`."""

import struct
import uuid
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy import select

from cloud_api.devices import queries as device_queries
from cloud_api.devices.sensors.service import get_sensor
from cloud_api.kernel import clock, wire
from cloud_api.kernel.errors import Forbidden, Invalid
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.json_types import Instant
from cloud_api.kernel.paging import BadCursor, Page, PageQuery, decode_cursor, encode_cursor, page
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.places.visibility import VisiblePlaces
from cloud_api.telemetry import ingest, queries
from cloud_api.telemetry.models import DeadLetter, LaneCursor, ReadingGap, ReadingSummary, SensorSeries
from cloud_api.telemetry.queries import Span
from cloud_api.telemetry.schemas import DeadLetterRead, GapRead, LaneRead, LatestRead, ReadingRead, SummaryRead
from gateway.contract import Batch, BatchAnswer

router = APIRouter(prefix="/telemetry", tags=["telemetry"], route_class=ApiRoute)

_KEY = struct.Struct(">qq")


@router.post(
    "/readings",
    dependencies=[require("telemetry:ingest")],
    **wire.documented(body=Batch, answer=BatchAnswer),
)
async def take_in_readings(request: Request, db: Db, principal: CurrentPrincipal) -> Response:
    """A gateway's next batch: each row is stored, recognised as a duplicate, or refused by name."""
    if principal.kind != "gateway":
        raise Forbidden("readings come from gateways: sign in with a gateway's credential")
    body = await wire.read_body(request)
    return wire.answer(await ingest.take_in(db, gateway_id=principal.id, body=body, judges=request.app.state.judges))


@router.get("/readings", response_model=list[ReadingRead], dependencies=[require("telemetry:read")])
async def list_readings(
    db: Db,
    seen: VisiblePlaces,
    query: Annotated[PageQuery, Depends()],
    sensor_id: uuid.UUID,
    since: datetime,
    until: datetime,
) -> Page[ReadingRead]:
    """A sensor's readings in [since, until), oldest first, calibrated."""
    for name, instant in (("since", since), ("until", until)):
        if instant.tzinfo is None:
            raise Invalid("give the time with its zone, as in 2026-01-31T08:00:00Z", field=name)
    sensor = await get_sensor(db, sensor_id, seen=seen)
    after = None
    if query.cursor is not None:
        raw = decode_cursor(query.cursor)
        if len(raw) != _KEY.size:
            raise BadCursor
        after = _KEY.unpack(raw)
    rows = await queries.readings_between(
        db, sensor, from_ms=clock.to_ms(since), to_ms=clock.to_ms(until), limit=query.limit + 1, after=after
    )
    kept = rows[: query.limit]
    more = encode_cursor(_KEY.pack(kept[-1].recorded_at_ms, kept[-1].sequence)) if len(rows) > query.limit else None
    items = [
        ReadingRead(
            sensor_id=row.sensor_id, recorded_at=clock.from_ms(row.recorded_at_ms), value=row.value, quality=row.quality
        )
        for row in kept
    ]
    return Page(items, query.limit, more)


@router.get("/readings/latest", response_model=list[LatestRead], dependencies=[require("telemetry:read")])
async def list_latest(db: Db, seen: VisiblePlaces, location_id: uuid.UUID | None = None) -> list[LatestRead]:
    """The last value of every sensor, or of those in one place."""
    rows = await db.execute(queries.last_values(seen))
    now_ms = clock.now_ms()
    return [
        LatestRead(
            sensor_id=sensor.id,
            location_id=sensor.location_id,
            code=sensor.code,
            quantity=sensor.quantity,
            unit=sensor.unit,
            value=_value(series) + sensor.offset,
            quality=series.last_quality or "good",
            recorded_at=clock.from_ms(series.last_recorded_at_ms or 0),
            age_s=(now_ms - (series.last_recorded_at_ms or 0)) / 1000,
        )
        for sensor, series in rows
        if location_id is None or sensor.location_id == location_id
    ]


@router.get("/summaries", response_model=list[SummaryRead], dependencies=[require("telemetry:read")])
async def list_summaries(
    db: Db,
    seen: VisiblePlaces,
    query: Annotated[PageQuery, Depends()],
    gateway_id: uuid.UUID | None = None,
    sensor_id: uuid.UUID | None = None,
    since: Instant | None = None,
    until: Instant | None = None,
) -> Page[SummaryRead]:
    """What is left of readings that a gateway had to thin out, the last to arrive first, calibrated."""
    found = queries.summaries(seen, _span(since, until), gateway_id=gateway_id, sensor_id=sensor_id)
    rows = await page(db, found, ReadingSummary.id, query)
    offsets = await queries.offsets_of(db, {row.sensor_id for row in rows.items})
    items = [
        SummaryRead(
            id=row.id,
            gateway_id=row.gateway_id,
            sensor_id=row.sensor_id,
            since=clock.from_ms(row.from_ms),
            until=clock.from_ms(row.to_ms),
            count=row.count,
            minimum=row.minimum + offsets[row.sensor_id],
            mean=row.mean + offsets[row.sensor_id],
            maximum=row.maximum + offsets[row.sensor_id],
            time_source=row.time_source,
            quality=row.quality,
        )
        for row in rows.items
    ]
    return Page(items, rows.limit, rows.next_cursor)


@router.get("/gaps", response_model=list[GapRead], dependencies=[require("telemetry:read")])
async def list_gaps(
    db: Db,
    seen: VisiblePlaces,
    query: Annotated[PageQuery, Depends()],
    gateway_id: uuid.UUID | None = None,
    since: Instant | None = None,
    until: Instant | None = None,
) -> Page[GapRead]:
    """What gateways say will never come, and why, the last to be told first."""
    rows = await page(db, queries.gaps(seen, _span(since, until), gateway_id=gateway_id), ReadingGap.id, query)
    items = [
        GapRead(
            id=row.id,
            gateway_id=row.gateway_id,
            epoch=row.epoch,
            lane=row.lane,
            first_sequence=row.first_sequence,
            last_sequence=row.last_sequence,
            rows_gone=row.rows_gone,
            since=clock.from_ms(row.from_ms),
            until=clock.from_ms(row.to_ms),
            reason=row.reason,
        )
        for row in rows.items
    ]
    return Page(items, rows.limit, rows.next_cursor)


@router.get("/dead-letters", response_model=list[DeadLetterRead], dependencies=[require("devices:read")])
async def list_dead_letters(
    db: Db, seen: VisiblePlaces, query: Annotated[PageQuery, Depends()]
) -> Page[DeadLetterRead]:
    """Rows nobody could use, newest first."""
    mine = device_queries.visible_gateways(DeadLetter.gateway_id, seen)
    rows = await page(db, select(DeadLetter).where(mine), DeadLetter.id, query)
    items = [
        DeadLetterRead(
            id=row.id,
            gateway_id=row.gateway_id,
            received_at=row.received_at,
            code=row.code,
            field=row.field,
            message=row.message,
            raw=row.raw.decode("utf-8", "backslashreplace"),
        )
        for row in rows.items
    ]
    return Page(items, rows.limit, rows.next_cursor)


@router.get("/stats", response_model=list[LaneRead], dependencies=[require("devices:read")])
async def list_lanes(db: Db, seen: VisiblePlaces, query: Annotated[PageQuery, Depends()]) -> Page[LaneCursor]:
    """What became of every lane's rows."""
    mine = device_queries.visible_gateways(LaneCursor.gateway_id, seen)
    return await page(db, select(LaneCursor).where(mine), LaneCursor.id, query)


def _span(since: datetime | None, until: datetime | None) -> Span:
    return Span(None if since is None else clock.to_ms(since), None if until is None else clock.to_ms(until))


def _value(series: SensorSeries) -> float:
    return series.last_value if series.last_value is not None else 0.0
