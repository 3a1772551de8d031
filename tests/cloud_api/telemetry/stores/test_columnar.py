"""Rows as arrays: to the last bit, and of nobody else's."""

import uuid

import numpy as np
import pytest
from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel.db import Database
from cloud_api.kernel.tenancy import SystemScope
from cloud_api.telemetry.models import ReadingHour, SensorReading, SensorSeries
from cloud_api.telemetry.stores.columnar import Fetched, fetch, fetch_nearly
from tests.factories.batches import make_series, send
from tests.factories.farms import make_farm, open_farm, plant_store
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.stores import ColdStore
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

#: a double that needs all its digits
THIRD = 1.0 / 3.0
_VALUES = (("times_ms", SensorReading.recorded_at_ms, np.int64), ("values", SensorReading.value, np.float64))
_HOURS = (
    ("begins_ms", ReadingHour.begins_ms, np.int64),
    ("count", ReadingHour.count, np.int64),
    ("total", ReadingHour.total, np.float64),
)


async def series_of(db: AsyncSession, store: ColdStore) -> int:
    its = select(SensorSeries.number).where(SensorSeries.sensor_id == uuid.UUID(store.sensor_id))
    return (await db.scalars(its)).one()


def hours_of(numbers: list[int]) -> Select[tuple[int]]:
    return select(ReadingHour.series).where(ReadingHour.series.in_(numbers))


async def readings(db: AsyncSession, *stores: ColdStore) -> Fetched:
    ids = [uuid.UUID(store.sensor_id) for store in stores]
    its = select(SensorReading.sensor_id).where(SensorReading.sensor_id.in_(ids))
    return await fetch(db, its, SensorReading.sensor_id, _VALUES)


async def test_every_bit_of_a_value_arrives(farm: Platform, store: ColdStore) -> None:
    second = await plant_store(farm, store.tenant)
    await send(farm, store, make_series([THIRD, -0.0, 1e-300]))
    await send(farm, second, make_series([2.5]))
    async with farm.database.unit_of_work(store.tenant.organization, read_only=True) as db:
        found = dict((await readings(db, store, second)).by_sensor())
    assert set(found) == {uuid.UUID(store.sensor_id), uuid.UUID(second.sensor_id)}
    mine = found[uuid.UUID(store.sensor_id)]
    order = np.argsort(mine["times_ms"])
    assert mine["values"][order].tolist() == [THIRD, -0.0, 1e-300]
    assert found[uuid.UUID(second.sensor_id)]["values"].tolist() == [2.5]


async def test_hours_arrive_to_fifteen_digits(farm: Platform, store: ColdStore) -> None:
    await send(farm, store, make_series([THIRD, 4.0, 5.0], every_s=3_600))
    async with farm.database.unit_of_work(store.tenant.organization, read_only=True) as db:
        number = await series_of(db, store)
        found = await fetch_nearly(db, hours_of([number]), ReadingHour.series, _HOURS)
        nothing = await fetch_nearly(db, hours_of([0]), ReadingHour.series, _HOURS)
    assert (list(found.keys), len(found), len(nothing)) == ([number], 2, 0)
    assert sorted(found.columns["total"].tolist()) == pytest.approx([THIRD, 4.0], rel=1e-14)
    assert found.columns["count"].tolist() == [1, 1]


async def test_rows_of_another_organisation_are_not_there(farm: Platform, store: ColdStore) -> None:
    await send(farm, store, make_series([4.0, 5.0, 6.0], every_s=3_600))
    stranger = await make_farm(farm)
    async with farm.database.unit_of_work(store.tenant.organization, read_only=True) as db:
        number = await series_of(db, store)
        assert len(await readings(db, store)) == 3
    async with farm.database.unit_of_work(stranger.organization, read_only=True) as db:
        assert len(await readings(db, store)) == 0
        assert len(await fetch(db, hours_of([number]), ReadingHour.series, _HOURS)) == 0
        assert len(await fetch_nearly(db, hours_of([number]), ReadingHour.series, _HOURS)) == 0
    async with farm.database.unit_of_work(SystemScope("test"), read_only=True) as db:
        assert len(await readings(db, store)) == 3


async def test_a_column_of_another_type_than_was_said_is_refused(shared_postgres_url: str) -> None:
    """SQLite's numbers have no width; those of a COPY would be read as others."""
    database = Database(shared_postgres_url)
    try:
        async with open_farm(database) as farm:
            store = await plant_store(farm)
            await send(farm, store, make_series([4.0]))
            async with database.unit_of_work(store.tenant.organization, read_only=True) as db:
                its = select(SensorReading.sensor_id).where(SensorReading.sensor_id == uuid.UUID(store.sensor_id))
                with pytest.raises(TypeError, match="not as wide as was said"):
                    await fetch(db, its, SensorReading.sensor_id, [("values", SensorReading.value, np.float32)])
    finally:
        await database.close()
