"""On PostgreSQL only the ingest role may add readings, and it may do nothing else."""

import asyncpg
import pytest
from sqlalchemy import make_url

from tests.factories.batches import make_series, send, stored_rows
from tests.factories.farms import open_farm_alone, plant_store

ROW = "INSERT INTO readings (series, recorded_at_ms, sequence, value, quality) VALUES (1, 2, 3, 4, 0)"


async def test_readings_are_written_by_the_ingest_role_alone(postgres_url: str) -> None:
    async with open_farm_alone(postgres_url) as platform:
        store = await plant_store(platform)
        await send(platform, store, make_series([4.0, 5.0]))
        assert len(await stored_rows(platform, store)) == 2
    dsn = make_url(postgres_url).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("SELECT make_readings_month(2)")
        for forbidden in (ROW, "SELECT * FROM readings", "UPDATE readings SET value = 0", "DELETE FROM readings"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(forbidden)
        await connection.execute("SET ROLE coldfleet_ingest")
        await connection.execute(ROW)
        for forbidden in ("SELECT * FROM readings", "UPDATE readings SET value = 0", "SELECT * FROM sensor_series"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(forbidden)
        await connection.execute("RESET ROLE")
        assert await connection.fetch("SELECT * FROM sensor_readings") == []
    finally:
        await connection.close()
