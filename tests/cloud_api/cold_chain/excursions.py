"""Excursions, as tests look at them and bring them about."""

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import select

from cloud_api.cold_chain.excursions.models import Excursion
from tests.factories.batches import EIGHT_OCLOCK_MS, SENSOR, Row, make_series, send
from tests.factories.stores import ColdStore, make_rule
from tests.platform_under_test import Platform

MINUTE_MS = 60_000

#: kind, start, raised, end, peak: times in milliseconds after eight o'clock
Breach = tuple[str, int, int, int | None, float]


async def listed(store: ColdStore) -> list[Any]:
    """The organisation's excursions, oldest first."""
    found: list[Any] = await store.tenant.get("/api/v1/excursions", limit=200)
    return found[::-1]


async def the_only(store: ColdStore) -> Any:
    [excursion] = await listed(store)
    return excursion


async def breaches_of(platform: Platform, store: ColdStore, sensor_id: str) -> list[Breach]:
    """What is written down of one sensor, but for what was taken back."""
    async with platform.database.unit_of_work(store.tenant.organization, read_only=True) as db:
        found = await db.scalars(
            select(Excursion).where(Excursion.sensor_id == uuid.UUID(sensor_id), Excursion.retracted_at.is_(None))
        )
        return in_order(
            (
                row.kind,
                _after(row.started_at.timestamp()),
                _after(row.raised_at.timestamp()),
                None if row.ended_at is None else _after(row.ended_at.timestamp()),
                row.peak_value,
            )
            for row in found
        )


def in_order(breaches: Iterable[Breach]) -> list[Breach]:
    """By kind and time, what goes on last."""
    return sorted(breaches, key=lambda breach: (*breach[:3], breach[3] is None, breach[3] or 0, breach[4]))


def _after(timestamp_s: float) -> int:
    return round(timestamp_s * 1000) - EIGHT_OCLOCK_MS


async def make_sensor(store: ColdStore, **fields: Any) -> Any:
    """Another sensor in the store's room, registered by hand."""
    body = {"gateway_id": store.gateway_id, "location_id": store.room_id, "code": SENSOR, "unit": "Cel"}
    return await store.tenant.post("/api/v1/edge/sensors", {**body, "quantity": "temperature", **fields})


def of(sensor: str, rows: Sequence[Row]) -> list[Row]:
    """The same measured by another sensor."""
    return [{**row, "sensor": sensor} for row in rows]


async def judge_at_once(store: ColdStore, **fields: Any) -> Any:
    """A rule that waits for nothing: above 8 °C, until 7 °C."""
    return await make_rule(store, **{"duration_s": 0, **fields})


async def measure(platform: Platform, store: ColdStore, value: float, *, sequence: int) -> None:
    """One temperature, as many minutes after eight as its sequence says."""
    start_ms = EIGHT_OCLOCK_MS + sequence * MINUTE_MS
    await send(platform, store, make_series([value], first_sequence=sequence, start_ms=start_ms))


async def break_the_limit(platform: Platform, store: ColdStore, *, sequence: int = 1, value: float = 9.0) -> Any:
    """One reading beyond an immediate rule: the excursion."""
    await measure(platform, store, value, sequence=sequence)
    return (await listed(store))[-1]


async def mend(platform: Platform, store: ColdStore, *, sequence: int = 2) -> None:
    """One reading that is well again."""
    await measure(platform, store, 4.0, sequence=sequence)
