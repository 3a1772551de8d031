"""What is written into a ledger stands: on PostgreSQL the application has no right to change it."""

import asyncpg
import pytest

LEDGERS = ("stock_movements", "vehicle_positions", "rfid_reads", "weights", "item_activities")


@pytest.mark.parametrize("change", ["UPDATE {table} SET id = id", "DELETE FROM {table}"])
@pytest.mark.parametrize("table", LEDGERS)
async def test_the_application_cannot_rewrite_a_ledger(postgres_url: str, table: str, change: str) -> None:
    connection = await asyncpg.connect(postgres_url.replace("+asyncpg", ""))
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match=table):
            await connection.execute(change.format(table=table))
    finally:
        await connection.close()
