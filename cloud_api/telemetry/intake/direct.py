"""Readings of programs that are no gateway: they name sensors by their ids, and each request by its Idempotency-Key.

Each gateway has a lane for what comes for its sensors in this way, whose sequences the cloud counts itself. That a
request is not stored twice its key says, claimed in the same transaction.
"""

import math
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated

import msgspec
import numpy as np
from fastapi import Depends, Request
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.devices.models import Sensor
from cloud_api.devices.queries import visible_sensors
from cloud_api.kernel import clock, idempotency, wire
from cloud_api.kernel.errors import AppError, Invalid
from cloud_api.kernel.permissions import CurrentPrincipal
from cloud_api.kernel.unit_of_work import unit_of_work
from cloud_api.places.queries import Visible
from cloud_api.telemetry.intake.ingest import Means, take_in_together
from cloud_api.telemetry.intake.parcels import Parcel
from cloud_api.telemetry.intake.reading_rows import CODES, ReadingRows, Window, problems_of_time
from gateway.contract import MAX_ROWS

#: no gateway's spool has it
_EPOCH = "0" * 32
_LANE = "direct"


class DirectReading(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One measured value of a registered sensor, raw."""

    sensor_id: uuid.UUID
    value: float
    #: as the sensor is registered
    unit: str
    #: with its zone, as in 2026-01-31T08:00:00Z
    recorded_at: datetime


class DirectReadings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /api/v1/telemetry/readings` of programs that are no gateway: at most `MAX_ROWS`."""

    readings: list[DirectReading]


class DirectRefusal(msgspec.Struct, frozen=True):
    """A reading that is not taken."""

    #: index into `readings`
    row: int
    code: str
    field: str
    message: str


class DirectAnswer(msgspec.Struct, frozen=True):
    """What became of the readings: stored, or refused by name."""

    accepted: int
    refused: list[DirectRefusal]


class _Envelope(msgspec.Struct, forbid_unknown_fields=True):
    readings: list[msgspec.Raw]


class KeyMissing(AppError):
    """Without a key nobody could tell a repeat from another request."""

    code = "IDEMPOTENCY_KEY_MISSING"

    def __init__(self) -> None:
        header = idempotency.HEADER
        super().__init__(f"send {header}, another one with each request and the same when you repeat it", field=header)


async def _direct_unit_of_work(request: Request, principal: CurrentPrincipal) -> AsyncIterator[AsyncSession | None]:
    """The transaction of a program's request; a gateway's batch is stored in one that others share."""
    if principal.kind == "gateway":
        yield None
        return
    if idempotency.HEADER not in request.headers:
        raise KeyMissing
    async with asynccontextmanager(unit_of_work)(request, principal) as db:
        yield db


DirectDb = Annotated[AsyncSession | None, Depends(_direct_unit_of_work, scope="function")]


async def take_in_direct(db: AsyncSession, body: bytes, *, seen: Visible, window: Window, means: Means) -> DirectAnswer:
    """Store the readings in `body` of sensors to be seen, and show them to the judges.

    Raises:
        Invalid: when the body as a whole cannot be understood; then nothing of it is stored.
    """
    raws = [bytes(raw) for raw in wire.decode(body, _Envelope).readings]
    if not 1 <= len(raws) <= MAX_ROWS:
        raise Invalid(f"send 1 to {MAX_ROWS} readings at a time, not {len(raws)}", field="readings")
    refused: list[DirectRefusal] = []
    readings = {row: one for row, raw in enumerate(raws) if (one := _read(row, raw, window, refused)) is not None}
    sensors = await _sensors(db, {one.sensor_id for one in readings.values()}, seen)
    of_gateways: dict[uuid.UUID, list[int]] = defaultdict(list)
    for row, one in readings.items():
        sensor = sensors.get(one.sensor_id)
        if sensor is None:
            message = f"no sensor with id {one.sensor_id}"
            refused.append(DirectRefusal(row, "UNKNOWN_SENSOR", "sensor_id", message))
        else:
            of_gateways[sensor.gateway_id].append(row)
    rows = sorted(of_gateways.items())
    parcels = [_parcel(gateway_id, its, readings, sensors, raws, window) for gateway_id, its in rows]
    accepted = 0
    for (_, its), answer in zip(rows, await take_in_together(db, parcels, means), strict=True):
        if isinstance(answer, AppError):
            refused += [DirectRefusal(row, "GATEWAY_DECOMMISSIONED", "sensor_id", answer.message) for row in its]
            continue
        accepted += answer.accepted
        refused += [DirectRefusal(its[one.row], one.code, one.field, one.message) for one in answer.refused]
    return DirectAnswer(accepted, sorted(refused, key=lambda refusal: refusal.row))


def _read(row: int, raw: bytes, window: Window, refused: list[DirectRefusal]) -> DirectReading | None:
    try:
        reading = msgspec.json.decode(raw, type=DirectReading)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        name, message = wire.explain(error) if isinstance(error, msgspec.ValidationError) else ("body", str(error))
        refused.append(DirectRefusal(row, "INVALID_ROW", name, message))
        return None
    problems = [(not math.isfinite(reading.value), "value", "must be a finite number")]
    if reading.recorded_at.tzinfo is None:
        problems.append((True, "recorded_at", "give the time with its zone, as in 2026-01-31T08:00:00Z"))
    else:
        problems += problems_of_time("recorded_at", clock.to_ms(reading.recorded_at), window)
    for wrong, name, message in problems:
        if wrong:
            refused.append(DirectRefusal(row, CODES.get(message, "INVALID_ROW"), name, message))
            return None
    return reading


async def _sensors(db: AsyncSession, ids: Collection[uuid.UUID], seen: Visible) -> dict[uuid.UUID, Sensor]:
    its = select(Sensor).where(Sensor.id.in_(ids), visible_sensors(seen))
    return {sensor.id: sensor for sensor in await db.scalars(its)}


def _parcel(
    gateway_id: uuid.UUID,
    rows: list[int],
    readings: Mapping[int, DirectReading],
    sensors: Mapping[uuid.UUID, Sensor],
    raws: list[bytes],
    window: Window,
) -> Parcel:
    """The readings of one gateway's sensors, as if it had sent them."""
    its = [readings[row] for row in rows]
    names: dict[tuple[str, str, str], int] = {}
    which = [
        names.setdefault((sensors[one.sensor_id].code, sensors[one.sensor_id].quantity, one.unit), len(names))
        for one in its
    ]
    columns = ReadingRows(
        list(names),
        which=np.array(which, np.int64),
        sequences=np.zeros(len(its), np.int64),
        times_ms=np.array([clock.to_ms(one.recorded_at) for one in its], np.int64),
        values=np.array([one.value for one in its], np.float64),
        qualities=np.zeros(len(its), np.int8),
    )
    return Parcel(
        gateway_id, _EPOCH, _LANE, b"", window, columns, secret_sha256=None, own_rows=[raws[row] for row in rows]
    )
