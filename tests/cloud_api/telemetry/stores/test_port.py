"""What every store promises: here in SQL, whatever form the readings are kept in."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloud_api.kernel.db import Database
from cloud_api.telemetry.stores.pieces import DAY_MS
from cloud_api.telemetry.stores.port import Readings
from cloud_api.telemetry.stores.sql import SqlStore
from tests.cloud_api.kernel.rows import add_organization
from tests.cloud_api.telemetry.stores.kept import SQL, Kept
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.streams import Stream, cut, make_stream, readings_of, rows_of

pytestmark = IN_ONE_LOOP

BEGIN_MS = 20_000 * DAY_MS
HOUR_MS = 3_600_000


@pytest.fixture(params=SQL, ids=lambda way: way[0])
def kept(request: pytest.FixtureRequest) -> Kept:
    """Each form of it in SQL."""
    name, how = request.param
    return Kept(name, SqlStore(), how)


def three_days(*, every_ms: int = HOUR_MS) -> Readings:
    """From noon on, across two midnights; values fall from 9 by a hundredth each."""
    times_ms = range(BEGIN_MS + DAY_MS // 2, BEGIN_MS + 3 * DAY_MS, every_ms)
    return readings_of(times_ms, [9 - index / 100 for index in range(len(times_ms))])


async def test_what_was_added_is_read_in_the_order_of_time(kept: Kept, stream: Stream) -> None:
    expected = three_days()
    await kept.keep(stream, expected)
    assert rows_of(await stream.read(kept.store)) == rows_of(expected)


async def test_a_period_has_its_begin_and_not_its_end(kept: Kept, stream: Stream) -> None:
    whole = three_days()
    await kept.keep(stream, whole)
    begin_ms, end_ms = int(whole.times_ms[3]), int(whole.times_ms[40])
    found = await stream.read(kept.store, begin_ms, end_ms)
    assert rows_of(found) == rows_of(cut(whole, slice(3, 40)))
    assert len(await stream.read(kept.store, end_ms, begin_ms)) == 0
    assert rows_of(await stream.read(kept.store, -(1 << 62), 1 << 62)) == rows_of(whole)


@pytest.mark.parametrize("limit", [1, 17, 60])
async def test_pages_lead_through_all_of_it(kept: Kept, stream: Stream, limit: int) -> None:
    whole = three_days()
    # several readings of one moment, so that a page ends between them
    whole = readings_of((whole.times_ms // (3 * HOUR_MS) * (3 * HOUR_MS)).tolist(), whole.values.tolist())
    await kept.keep(stream, whole)
    pages, after = [], None
    async with stream.database.unit_of_work(stream.scope, read_only=True) as db:
        while True:
            page = await kept.store.read(
                db, stream.sensor_id, from_ms=BEGIN_MS, to_ms=BEGIN_MS + 3 * DAY_MS, limit=limit, after=after
            )
            pages += rows_of(page)
            if len(page) < limit:
                break
            after = (int(page.times_ms[-1]), int(page.sequences[-1]))
    assert pages == rows_of(whole)


async def test_several_sensors_are_read_at_once_and_each_has_its_own(kept: Kept, stream: Stream) -> None:
    other, silent = [await make_stream(stream.database, stream.scope) for _ in range(2)]
    ours, theirs = three_days(), three_days(every_ms=2 * HOUR_MS)
    await kept.keep(stream, ours)
    await kept.keep(other, theirs)
    async with stream.database.unit_of_work(stream.scope, read_only=True) as db:
        asked = [stream.sensor_id, other.sensor_id, silent.sensor_id]
        found = await kept.store.read_many(db, asked, from_ms=BEGIN_MS + DAY_MS, to_ms=BEGIN_MS + 2 * DAY_MS)
        nobody = await kept.store.read_many(db, [], from_ms=0, to_ms=BEGIN_MS)
    assert {sensor_id: rows_of(readings) for sensor_id, readings in found.items()} == {
        stream.sensor_id: rows_of(cut(ours, slice(12, 36))),
        other.sensor_id: rows_of(cut(theirs, slice(6, 18))),
    }
    assert nobody == {}


async def test_the_newest_within_bounds_is_found_and_bad_ones_do_not_count(kept: Kept, stream: Stream) -> None:
    whole = three_days()  # from 9.00 down to 8.41
    qualities = [2 if index >= 50 else 0 for index in range(len(whole))]
    await kept.keep(stream, readings_of(whole.times_ms.tolist(), whole.values.tolist(), qualities=qualities))

    async def newest(before_ms: int, **bounds: float) -> int | None:
        async with stream.database.unit_of_work(stream.scope, read_only=True) as db:
            at = await kept.store.newest_before(db, stream.sensor_id, before_ms=before_ms, **bounds)
        return None if at is None else int(np.searchsorted(whole.times_ms, at))

    end_ms = BEGIN_MS + 3 * DAY_MS
    assert await newest(end_ms) == 49
    assert await newest(int(whole.times_ms[30])) == 29
    assert await newest(end_ms, at_least=8.8) == 20
    assert await newest(int(whole.times_ms[10]), at_least=8.95) == 5
    assert await newest(end_ms, at_most=8.6) == 49
    assert await newest(end_ms, at_most=8.5) is None
    assert await newest(int(whole.times_ms[0])) is None


async def test_another_organisation_finds_nothing(kept: Kept, stream: Stream) -> None:
    await kept.keep(stream, three_days())
    stranger = await add_organization(stream.database)
    async with stream.database.unit_of_work(stranger, read_only=True) as db:
        assert len(await kept.store.read(db, stream.sensor_id, from_ms=0, to_ms=1 << 45)) == 0
        assert await kept.store.read_many(db, [stream.sensor_id], from_ms=0, to_ms=1 << 45) == {}
        assert await kept.store.newest_before(db, stream.sensor_id, before_ms=1 << 45) is None


async def test_values_come_back_bit_by_bit(kept: Kept, stream: Stream) -> None:
    # but for the sign of zero, which SQLite does not keep
    values = [0.0, 0.1 + 0.2, 4.1, 1e-300, -273.15, 1.7976931348623157e308, 21.0]
    expected = readings_of([BEGIN_MS + 1000 * index for index in range(len(values))], values)
    await kept.keep(stream, expected)
    assert rows_of(await stream.read(kept.store)) == rows_of(expected)


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_whatever_came_in_whatever_order_is_there_once(kept: Kept, ground: Database, data: st.DataObject) -> None:
    stream = await make_stream(ground, await add_organization(ground))
    times = st.integers(0, 3 * DAY_MS // HOUR_MS).map(lambda hour: BEGIN_MS + hour * HOUR_MS)
    values = st.floats(-100, 100).map(lambda value: value + 0.0)
    drawn = data.draw(st.lists(st.tuples(times, values), min_size=1, max_size=30))
    arrived = readings_of([at_ms for at_ms, _ in drawn], [value for _, value in drawn])
    pieces = data.draw(st.integers(1, len(arrived)))
    for piece in np.array_split(np.arange(len(arrived)), pieces):
        await kept.keep(stream, cut(arrived, slice(int(piece[0]), int(piece[-1]) + 1)))
    assert rows_of(await stream.read(kept.store)) == sorted(rows_of(arrived))
