"""Histories of sensors: where one was and how it was corrected, set straight in the database."""

import uuid
from collections.abc import Sequence

from sqlalchemy import delete, update

from cloud_api.devices.models import Sensor, SensorCalibration, SensorPlacement
from cloud_api.devices.sensors.known import EVER
from cloud_api.kernel import clock
from cloud_api.telemetry.models import SensorSeries
from tests.factories.stores import ColdStore
from tests.platform_under_test import Platform


async def put_places(platform: Platform, store: ColdStore, first: str | None, *moves: tuple[int, str | None]) -> None:
    """The store's sensor was at `first`, and from each moment on at the next place."""
    sensor_id = uuid.UUID(store.sensor_id)
    places = [(EVER, first), *moves]
    async with platform.database.unit_of_work(store.tenant.organization) as db:
        await db.execute(delete(SensorPlacement).where(SensorPlacement.sensor_id == sensor_id))
        db.add_all(
            SensorPlacement(sensor_id=sensor_id, from_ms=from_ms, location_id=place and uuid.UUID(place))
            for from_ms, place in places
        )
        last = places[-1][1]
        await db.execute(update(Sensor).where(Sensor.id == sensor_id).values(location_id=last and uuid.UUID(last)))


async def put_calibrations(
    platform: Platform, store: ColdStore, corrections: Sequence[tuple[int, float, float]]
) -> None:
    """The store's sensor is corrected by (gain, offset) from each moment on; before the first by the first."""
    sensor_id = uuid.UUID(store.sensor_id)
    async with platform.database.unit_of_work(store.tenant.organization) as db:
        await db.execute(delete(SensorCalibration).where(SensorCalibration.sensor_id == sensor_id))
        db.add_all(
            SensorCalibration(sensor_id=sensor_id, from_ms=from_ms, gain=gain, offset=offset, recorded_at=clock.now())
            for from_ms, gain, offset in corrections
        )
        _, gain, offset = corrections[-1]
        await db.execute(update(Sensor).where(Sensor.id == sensor_id).values(gain=gain, offset=offset))


async def put_interval(platform: Platform, store: ColdStore, interval_s: int | None) -> None:
    """Somebody said how often the store's sensor should be heard; None: nobody, and nobody knows."""
    sensor_id = uuid.UUID(store.sensor_id)
    async with platform.database.unit_of_work(store.tenant.organization) as db:
        await db.execute(update(Sensor).where(Sensor.id == sensor_id).values(interval_s=interval_s))
        if interval_s is None:
            its = update(SensorSeries).where(SensorSeries.sensor_id == sensor_id)
            await db.execute(its.values(cadence_ms=None))
