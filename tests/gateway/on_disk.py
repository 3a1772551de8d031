"""What the sources' messages have become."""

from gateway.clock import Clock
from gateway.pipeline import Pipeline
from gateway.spool.blocks import unpack_readings
from gateway.spool.store import Store
from gateway.spool.writer import Spool
from gateway.timeline import Timeline
from tests.services.waiting import until


def pipeline_into(spool: Spool, *, max_pending: int = 1000) -> Pipeline:
    return Pipeline(spool, Timeline(Clock(), None, 0), max_pending=max_pending)


async def readings(spool: Spool) -> list[tuple[str, str, float]]:
    """(sensor, quantity, value) of all readings that are on disk, in order."""

    def read(store: Store) -> list[tuple[str, str, float]]:
        series = store.series()
        found: list[tuple[str, str, float]] = []
        for block in store.blocks("readings", 0, 1 << 60):
            rows = unpack_readings(block)
            found += [(*series[number][:2], value) for number, value in zip(rows.series, rows.values, strict=True)]
        return found

    return await spool.submit(read)


async def values(spool: Spool) -> list[float]:
    return [value for _, _, value in await readings(spool)]


async def letters(spool: Spool) -> list[tuple[str, int, str]]:
    """(topic, bytes kept, reason) of the dead letters."""
    query = "SELECT topic, length(payload), reason FROM dead_letters ORDER BY id"
    return await spool.submit(lambda store: store.connection.execute(query).fetchall())


async def arrived(spool: Spool, count: int) -> None:
    """Wait for that many readings."""

    async def has_count() -> bool:
        return len(await values(spool)) >= count

    await until(has_count, what=f"{count} readings are on disk")


async def let_the_disk_refuse(spool: Spool) -> None:
    trigger = "CREATE TRIGGER full BEFORE INSERT ON readings BEGIN SELECT raise(ABORT, 'disk is full'); END"
    await spool.submit(lambda store: store.connection.execute(trigger))


async def let_the_disk_recover(spool: Spool) -> None:
    await spool.submit(lambda store: store.connection.execute("DROP TRIGGER full"))
