"""Taking in a batch: exact under repeats, row by row.

The lane's cursor is locked first. What is at or below it is a duplicate; everything above is new. Rows, cursor and
whatever the judges conclude commit together.
"""

import uuid
from collections.abc import Mapping, Sequence

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.devices.commands.service import count_waiting
from cloud_api.devices.gateways.service import lock_gateway
from cloud_api.devices.models import Sensor
from cloud_api.devices.sensors.service import MAX_SENSORS_PER_GATEWAY, recognise_sensors
from cloud_api.kernel import clock
from cloud_api.kernel.db import insert_missing
from cloud_api.kernel.metrics import READINGS
from cloud_api.telemetry import store
from cloud_api.telemetry.columns import SEQUENCES
from cloud_api.telemetry.judges import Judge, SeenTag, SeenWeight, StoredBatch, StoredReading
from cloud_api.telemetry.models import (
    QUALITIES,
    DeadLetter,
    LaneCursor,
    ReadingGap,
    ReadingSummary,
    SensorSeries,
    SeriesCounter,
)
from cloud_api.telemetry.rows import Envelope, Row, SortedRows, device_of, open_batch, raw_row, sort_rows, unit_of
from gateway.contract import AlarmEvent, BatchAnswer, Gap, Reading, Refusal, Summary, TagRead, Weighing

#: (code, quantity) -> the sensor
Sensors = Mapping[tuple[str, str], Sensor]


async def take_in(
    db: AsyncSession,
    *,
    gateway_id: uuid.UUID,
    body: bytes,
    judges: Sequence[Judge],
    max_sensors: int = MAX_SENSORS_PER_GATEWAY,
) -> BatchAnswer:
    """Store what is new of the batch in `body`, and show it to the judges.

    Args:
        max_sensors: how many sensors may have registered themselves at one gateway.

    Raises:
        Invalid: when the batch as a whole cannot be understood; then nothing of it is stored.
    """
    batch = open_batch(body)
    gateway = await lock_gateway(db, gateway_id)
    cursor = await _lock_lane(db, gateway_id, batch.epoch, batch.lane)
    rows = sort_rows(batch, cursor.acked_through)
    heard = {device: unit_of(row) for row in rows.fresh.values() if (device := device_of(row)) is not None}
    sensors = await recognise_sensors(db, gateway_id, heard, at_most=max_sensors)
    _refuse_unknown(batch, rows, sensors, max_sensors)
    seen = await _show(db, cursor, gateway_id, list(rows.fresh.values()), sensors)
    _bury(db, gateway_id, rows)
    cursor.acked_through = rows.through
    cursor.accepted += len(rows.fresh)
    cursor.duplicates += rows.duplicates
    cursor.refused += len(rows.refused)
    for judge in judges:
        await judge(db, seen)
    for outcome, count in (
        ("accepted", len(rows.fresh)),
        ("duplicate", rows.duplicates),
        ("refused", len(rows.refused)),
    ):
        READINGS.labels(outcome).inc(count)
    return BatchAnswer(
        acked_through=rows.through,
        accepted=len(rows.fresh),
        duplicates=rows.duplicates,
        refused=[refusal for refusal, _ in rows.refused],
        server_time_ms=clock.now_ms(),
        config_version=gateway.config_version,
        commands_waiting=await count_waiting(db, gateway_id),
    )


async def _lock_lane(db: AsyncSession, gateway_id: uuid.UUID, epoch: str, lane: str) -> LaneCursor:
    """The lane's cursor, locked until the unit of work ends; made when the lane is new."""
    this_lane = (LaneCursor.gateway_id == gateway_id, LaneCursor.epoch == epoch, LaneCursor.lane == lane)
    locked = select(LaneCursor).where(*this_lane).with_for_update()
    cursor = (await db.scalars(locked)).one_or_none()
    if cursor is not None:
        return cursor
    lanes = await db.scalar(select(func.max(LaneCursor.number)).where(LaneCursor.gateway_id == gateway_id))
    new = {"gateway_id": gateway_id, "epoch": epoch, "lane": lane, "number": (lanes or 0) + 1, "acked_through": 0}
    await insert_missing(db, LaneCursor, {**new, "accepted": 0, "duplicates": 0, "refused": 0})
    return (await db.scalars(locked)).one()


async def _show(
    db: AsyncSession, cursor: LaneCursor, gateway_id: uuid.UUID, fresh: Sequence[Row], sensors: Sensors
) -> StoredBatch:
    """Store the readings and what is said of lost ones, and put together what the judges are shown."""
    base = cursor.number * SEQUENCES
    _keep_account(db, base, gateway_id, fresh, sensors)
    return StoredBatch(
        gateway_id,
        readings=await _store(db, base, [row for row in fresh if isinstance(row, Reading)], sensors),
        alarms=[(sensors[row.sensor, row.quantity], row) for row in fresh if isinstance(row, AlarmEvent)],
        tags=[
            SeenTag(sensors[row.reader, "tag"], base + row.sequence, row) for row in fresh if isinstance(row, TagRead)
        ],
        weights=[
            SeenWeight(sensors[row.scale, "weight"], base + row.sequence, row)
            for row in fresh
            if isinstance(row, Weighing)
        ],
    )


def _keep_account(db: AsyncSession, base: int, gateway_id: uuid.UUID, fresh: Sequence[Row], sensors: Sensors) -> None:
    """Keep what a gateway says of readings that it had no room for."""
    for row in fresh:
        if isinstance(row, Summary):
            summary = ReadingSummary(
                gateway_id=gateway_id,
                sequence=base + row.sequence,
                sensor_id=sensors[row.sensor, row.quantity].id,
                from_ms=row.from_ms,
                to_ms=row.to_ms,
                count=row.count,
                minimum=row.minimum,
                mean=row.mean,
                maximum=row.maximum,
                time_source=row.time_source,
                quality=row.quality,
            )
            db.add(summary)
        elif isinstance(row, Gap):
            gap = ReadingGap(
                gateway_id=gateway_id,
                sequence=base + row.sequence,
                epoch=row.epoch,
                lane=row.lane,
                first_sequence=row.first,
                last_sequence=row.last,
                rows_gone=row.rows,
                from_ms=row.from_ms,
                to_ms=row.to_ms,
                reason=row.reason,
            )
            db.add(gap)


def _refuse_unknown(batch: Envelope, rows: SortedRows, sensors: Sensors, max_sensors: int) -> None:
    """Refuse what belongs to no sensor, because the gateway has as many as it may."""
    message = f"this gateway has {max_sensors} sensors already: retire some"
    for index, row in list(rows.fresh.items()):
        device = device_of(row)
        if device is not None and device not in sensors:
            refusal = Refusal(index, row.sequence, "TOO_MANY_SENSORS", "sensor", message)
            rows.refused.append((refusal, raw_row(batch, index)))
            del rows.fresh[index]


async def _store(db: AsyncSession, base: int, fresh: Sequence[Reading], sensors: Sensors) -> list[StoredReading]:
    """Write the readings and each series' last value, which history never takes back."""
    series = await _series_of(db, {sensors[row.sensor, row.quantity].id for row in fresh})
    rows: list[store.ReadingRow] = []
    stored: list[StoredReading] = []
    for row in fresh:
        sensor = sensors[row.sensor, row.quantity]
        stream = series[sensor.id]
        quality = QUALITIES.index(row.quality)
        rows.append((stream.number, row.recorded_at_ms, base + row.sequence, row.value, quality))
        stored.append(StoredReading(sensor, row.value + sensor.offset, row.recorded_at_ms, row.quality))
        if row.recorded_at_ms >= (stream.last_recorded_at_ms or 0):
            stream.last_recorded_at_ms = row.recorded_at_ms
            stream.last_value = row.value
            stream.last_quality = row.quality
    await db.flush()
    await store.append_readings(db, rows)
    return stored


async def _series_of(db: AsyncSession, sensor_ids: set[uuid.UUID]) -> dict[uuid.UUID, SensorSeries]:
    """Each sensor's series, locked in key order; made when the sensor is new."""
    locked = (
        select(SensorSeries).where(SensorSeries.sensor_id.in_(sensor_ids)).order_by(SensorSeries.id).with_for_update()
    )
    found = {series.sensor_id: series for series in await db.scalars(locked)}
    missing = sorted(sensor_ids - found.keys())
    if missing:
        await insert_missing(db, SeriesCounter, {"id": 1, "last": 0})
        last = await db.scalar(
            update(SeriesCounter)
            .where(SeriesCounter.id == 1)
            .values(last=SeriesCounter.last + len(missing))
            .returning(SeriesCounter.last)
            .execution_options(synchronize_session=False)
        )
        assert last is not None  # noqa: S101 - the row was just made sure of
        for number, sensor_id in enumerate(missing, start=last - len(missing) + 1):
            await insert_missing(db, SensorSeries, {"sensor_id": sensor_id, "number": number})
        found = {series.sensor_id: series for series in await db.scalars(locked)}
    return found


def _bury(db: AsyncSession, gateway_id: uuid.UUID, rows: SortedRows) -> None:
    """Keep the refused rows with their reasons."""
    db.add_all(
        DeadLetter(
            gateway_id=gateway_id,
            received_at=clock.now(),
            code=refusal.code,
            field=refusal.field,
            message=refusal.message,
            raw=raw,
        )
        for refusal, raw in rows.refused
    )
