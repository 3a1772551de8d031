"""Writing readings: the fastest way each database has, in the caller's own transaction.

Every row is new by construction (the lane's cursor is locked and past it), so that no write can conflict. On
PostgreSQL the transaction takes the ingest role for the length of the COPY: nobody else may write here.
"""

from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from cloud_api.kernel.db import once_committed
from cloud_api.telemetry.models import readings
from cloud_api.telemetry.stores.copying import driver_of, packed
from cloud_api.telemetry.stores.port import NewReadings

INGEST_ROLE = "coldfleet_ingest"
_COLUMNS = ("series", "recorded_at_ms", "sequence", "value", "quality")
_INSERT = f"INSERT INTO {readings.name} ({', '.join(_COLUMNS)}) VALUES (?, ?, ?, ?, ?)"  # noqa: S608 - our own names

#: databases -> months, as the millisecond they begin, that are known to have their part of `readings`
_months: dict[str, set[int]] = {}


async def append_rows(db: AsyncSession, new: NewReadings) -> None:
    """Add `new`, none of which may be there."""
    if not len(new):
        return
    connection = await db.connection()
    if connection.dialect.name != "postgresql":
        columns = (new.series, new.times_ms, new.sequences, new.values, new.qualities)
        await connection.exec_driver_sql(_INSERT, list(zip(*(column.tolist() for column in columns), strict=True)))
        return
    await _make_months(db, connection, new)
    driver = await driver_of(connection)
    await driver.execute(f"SET LOCAL ROLE {INGEST_ROLE}")
    await driver.copy_to_table(readings.name, source=packed(_columns(new)), columns=_COLUMNS, format="binary")
    await driver.execute("RESET ROLE")


def _columns(new: NewReadings) -> dict[str, npt.NDArray[np.generic]]:
    series, qualities = new.series.astype(np.int32), new.qualities.astype(np.int16)
    columns = (series, new.times_ms, new.sequences, new.values, qualities)
    return dict(zip(_COLUMNS, columns, strict=True))


async def _make_months(db: AsyncSession, connection: AsyncConnection, new: NewReadings) -> None:
    """Make the months of these readings, if any is the first of its own. They are there when this is committed."""
    known = _months.setdefault(str(connection.engine.url), set())
    wanted = _months_between(int(new.times_ms.min()), int(new.times_ms.max()))
    if len(wanted) > 1:
        edges = np.array(wanted, np.int64)
        wanted = edges[np.unique(np.searchsorted(edges, new.times_ms, side="right") - 1)].tolist()
    missing = [month_ms for month_ms in wanted if month_ms not in known]
    if not missing:
        return
    driver = await driver_of(connection)
    await driver.execute("SELECT make_readings_month(month_ms) FROM unnest($1::bigint[]) month_ms", missing)
    once_committed(db, lambda: known.update(missing))


def forget_months() -> bool:
    """Look again which months there are: one of them may have been dropped. Returns whether any was known."""
    known = bool(_months)
    _months.clear()
    return known


def _months_between(first_ms: int, last_ms: int) -> list[int]:
    month = datetime.fromtimestamp(first_ms / 1000, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    months = []
    while (begins_ms := round(month.timestamp() * 1000)) <= last_ms:
        months.append(begins_ms)
        month = (month + timedelta(days=32)).replace(day=1)
    return months
