"""What a gateway sends: rows, batches of them, and the sending."""

import itertools
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

import httpx2
from sqlalchemy import select

from cloud_api.devices.models import Sensor
from cloud_api.kernel import clock
from cloud_api.telemetry.intake.reading_rows import SEQUENCES
from cloud_api.telemetry.models import LaneCursor, SensorReading
from gateway import rules
from gateway.contract import FLAG_BAD, FLAG_DEVICE_TIME, FLAG_SUSPECT
from tests.factories.stores import ColdStore
from tests.platform_under_test import Platform

EPOCH = "0123456789abcdef0123456789abcdef"
SENSOR = "z2m:cold-room-1"
#: 2026-01-31 08:00 UTC: a fixed point for tests that care about instants
EIGHT_OCLOCK_MS = 1_769_846_400_000

Row = dict[str, Any]


def make_epoch() -> str:
    """The epoch of a fresh spool."""
    return uuid.uuid4().hex


def make_reading(sequence: int, value: float = 4.0, at_ms: int | None = None, **fields: Any) -> Row:
    """One temperature; now, unless told otherwise."""
    return {
        "sequence": sequence,
        "sensor": SENSOR,
        "quantity": "temperature",
        "value": value,
        "unit": "Cel",
        "recorded_at_ms": clock.now_ms() if at_ms is None else at_ms,
        **fields,
    }


def make_series(
    values: Iterable[float], *, first_sequence: int = 1, start_ms: int = EIGHT_OCLOCK_MS, every_s: float = 60
) -> list[Row]:
    """A temperature every minute."""
    return [
        make_reading(first_sequence + index, value, start_ms + round(index * every_s * 1000))
        for index, value in enumerate(values)
    ]


def make_columns(rows: Sequence[Row]) -> Row:
    """Readings as columns."""
    names = [(row["sensor"], row["quantity"], row["unit"]) for row in rows]
    series = list(dict.fromkeys(names))
    runs: list[list[int]] = []
    for row in rows:
        if runs and sum(runs[-1]) == row["sequence"]:
            runs[-1][1] += 1
        else:
            runs.append([row["sequence"], 1])
    times_ms = [row["recorded_at_ms"] for row in rows]
    qualities = {"good": 0, "suspect": FLAG_SUSPECT, "bad": FLAG_BAD}
    flags = [
        qualities[row.get("quality", "good")] | FLAG_DEVICE_TIME * (row.get("time_source") == "device") for row in rows
    ]
    return {
        "series": series,
        "rows": [series.index(name) for name in names],
        "sequences": runs,
        "times_ms": times_ms[:1] + [after - before for before, after in itertools.pairwise(times_ms)],
        "values": [row["value"] for row in rows],
        **({"flags": flags} if any(flags) else {}),
    }


def make_summary(sequence: int, **fields: Any) -> Row:
    """What is left of an hour of temperatures."""
    return {
        "sequence": sequence,
        "sensor": SENSOR,
        "quantity": "temperature",
        "unit": "Cel",
        "from_ms": EIGHT_OCLOCK_MS,
        "to_ms": EIGHT_OCLOCK_MS + 3_600_000,
        "count": 60,
        "minimum": 3.0,
        "mean": 4.0,
        "maximum": 5.0,
        **fields,
    }


def make_gap(sequence: int, **fields: Any) -> Row:
    """An hour of readings that were thinned out."""
    return {
        "sequence": sequence,
        "epoch": EPOCH,
        "lane": "readings",
        "first": 1,
        "last": 60,
        "rows": 59,
        "from_ms": EIGHT_OCLOCK_MS,
        "to_ms": EIGHT_OCLOCK_MS + 3_600_000,
        "reason": "thinned",
        **fields,
    }


def make_alarm(
    sequence: int,
    event: str,
    *,
    rule: str,
    started_at_ms: int,
    at_ms: int,
    value: float = 9.0,
    sensor: str = SENSOR,
    kind: str = "high",
) -> Row:
    """What the gateway's own judge says of a sensor."""
    return {
        "sequence": sequence,
        "sensor": sensor,
        "quantity": "temperature",
        "rule": rule,
        "kind": kind,
        "event": event,
        "incident": rules.incident_key(sensor, "temperature", rule, started_at_ms),
        "value": value,
        "started_at_ms": started_at_ms,
        "recorded_at_ms": at_ms,
    }


def alarms_at_the_gateway(rule: Any, readings: Iterable[Row]) -> list[Row]:
    """What a gateway says that judges these readings by the rule."""
    limit = rules.Limit(rule["id"], rule["kind"], rule["set_at"], rule["clear_at"], rule["duration_s"])
    state, alarms = rules.State(), list[Row]()
    for reading in readings:
        state, event = rules.judge(limit, state, reading["recorded_at_ms"], reading["value"])
        if event is not None:
            alarm = make_alarm(
                len(alarms) + 1,
                "raised" if isinstance(event, rules.Raised) else "cleared",
                rule=rule["id"],
                started_at_ms=event.started_at_ms,
                at_ms=event.at_ms,
                value=event.value,
                sensor=reading["sensor"],
            )
            alarms.append(alarm)
    return alarms


def make_batch(rows: Sequence[object], *, epoch: str = EPOCH, lane: str = "readings", **fields: object) -> Row:
    """A batch of one lane, its rows as objects."""
    return {"version": 1, "epoch": epoch, "lane": lane, lane: rows, **fields}


def make_column_batch(readings: Sequence[Row], *, epoch: str = EPOCH, lane: str = "readings", **changed: object) -> Row:
    """A batch of readings as columns, some of them changed."""
    return {"version": 2, "epoch": epoch, "lane": lane, "columns": {**make_columns(readings), **changed}}


async def post(platform: Platform, store: ColdStore, batch: object) -> httpx2.Response:
    """What the cloud answers to the store's gateway."""
    async with platform.client(store.gateway_token) as gateway:
        if isinstance(batch, bytes):
            return await gateway.post("/api/v1/telemetry/readings", content=batch)
        return await gateway.post("/api/v1/telemetry/readings", json=batch)


async def send(
    platform: Platform, store: ColdStore, rows: Sequence[object], *, epoch: str = EPOCH, lane: str = "readings"
) -> Any:
    """The `data` of an answer that must be a success."""
    answer = await post(platform, store, make_batch(rows, epoch=epoch, lane=lane))
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def send_columns(
    platform: Platform, store: ColdStore, rows: Sequence[Row], *, epoch: str = EPOCH, lane: str = "readings"
) -> Any:
    """The same of readings as columns."""
    answer = await post(platform, store, make_column_batch(rows, epoch=epoch, lane=lane))
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def stored_rows(
    platform: Platform, store: ColdStore, *, epoch: str = EPOCH, lane: str = "readings"
) -> list[tuple[int, int, float]]:
    """What is stored of a spool's readings: (sequence on the wire, recorded_at_ms, raw value), by sequence."""
    async with platform.database.unit_of_work(store.tenant.organization, read_only=True) as db:
        number = select(LaneCursor.number).where(
            LaneCursor.gateway_id == uuid.UUID(store.gateway_id),
            LaneCursor.epoch == epoch,
            LaneCursor.lane == lane,
        )
        base = ((await db.scalar(number)) or 0) * SEQUENCES
        sensors = select(Sensor.id).where(Sensor.gateway_id == uuid.UUID(store.gateway_id))
        rows = await db.scalars(
            select(SensorReading)
            .where(
                SensorReading.sensor_id.in_(sensors),
                SensorReading.sequence > base,
                SensorReading.sequence < base + SEQUENCES,
            )
            .order_by(SensorReading.sequence)
        )
        return [(row.sequence - base, row.recorded_at_ms, row.value) for row in rows]
