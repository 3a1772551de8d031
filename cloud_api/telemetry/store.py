"""Writing readings: the fastest way each database has, in the caller's own transaction.

Every row is new by construction (the lane's cursor is locked and past it), so that no write can conflict. On
PostgreSQL the transaction takes the ingest role for the length of the COPY: nobody else may write here.
"""

from collections.abc import Sequence

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.telemetry.models import readings

#: (series, recorded_at_ms, sequence, value, quality)
ReadingRow = tuple[int, int, int, float, int]

INGEST_ROLE = "coldfleet_ingest"
_COLUMNS = ("series", "recorded_at_ms", "sequence", "value", "quality")


async def append_readings(db: AsyncSession, rows: Sequence[ReadingRow]) -> None:
    """Add `rows`, none of which may be there."""
    if not rows:
        return
    connection = await db.connection()
    if connection.dialect.name != "postgresql":
        await connection.execute(insert(readings), [dict(zip(_COLUMNS, row, strict=True)) for row in rows])
        return
    driver = (await connection.get_raw_connection()).driver_connection
    await connection.exec_driver_sql(f"SET LOCAL ROLE {INGEST_ROLE}")
    await driver.copy_records_to_table(readings.name, records=rows, columns=_COLUMNS)  # type: ignore[union-attr]
    await connection.exec_driver_sql("RESET ROLE")
