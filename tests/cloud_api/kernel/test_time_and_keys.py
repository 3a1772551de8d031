"""Instants are aware and in UTC wherever they are kept; keys sort by their birth."""

from datetime import UTC, datetime, timedelta, timezone
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.exc import StatementError

from cloud_api.kernel import clock
from cloud_api.kernel.db import Database
from cloud_api.kernel.ids import new_id
from cloud_api.places.models import Warehouse
from tests.cloud_api.kernel.rows import add_organization, warehouse

KOLKATA = timezone(timedelta(hours=5, minutes=30))


async def test_an_instant_comes_back_as_the_same_instant_in_utc(shared_database: Database) -> None:
    scope = await add_organization(shared_database)
    sent = datetime(2026, 3, 1, 4, 15, 30, 123456, tzinfo=KOLKATA)
    async with shared_database.unit_of_work(scope) as db:
        db.add(Warehouse(code="x", name="x", created_at=sent))
    async with shared_database.unit_of_work(scope) as db:
        kept = (await db.scalars(select(Warehouse.created_at))).one()
        assert (kept, kept.utcoffset()) == (sent, timedelta(0))
        assert kept.day == 28
        same = select(Warehouse.code).where(Warehouse.created_at == sent.astimezone(UTC))
        assert (await db.scalars(same)).one() == "x"


async def test_an_instant_without_a_zone_is_refused(shared_database: Database) -> None:
    scope = await add_organization(shared_database)
    naive = datetime(2026, 3, 1, 4, 15)  # noqa: DTZ001 - that is the point

    async def keep() -> None:
        async with shared_database.unit_of_work(scope) as db:
            made = warehouse("x")
            made.created_at = naive
            db.add(made)

    async def ask() -> None:
        async with shared_database.unit_of_work(scope) as db:
            await db.execute(select(Warehouse.id).where(Warehouse.created_at < naive))

    for use in (keep, ask):
        with pytest.raises(StatementError, match="naive datetime refused"):
            await use()


@given(st.integers(min_value=0, max_value=253_402_300_799_999))
def test_a_time_of_the_wire_comes_back_as_it_went(instant_ms: int) -> None:
    instant = clock.from_ms(instant_ms)
    assert instant.utcoffset() == timedelta(0)
    assert clock.to_ms(instant) == instant_ms


@pytest.mark.parametrize("instant_ms", [-1, 253_402_300_800_000, 10**30])
def test_a_time_outside_the_calendar_is_refused(instant_ms: int) -> None:
    with pytest.raises(ValueError, match="no time between 1970 and 9999"):
        clock.from_ms(instant_ms)


def test_a_demonstrations_clock_runs_faster_from_its_origin() -> None:
    origin = datetime.now(UTC) - timedelta(seconds=100)
    read = clock.scaled(origin=origin, speed=60)
    before = datetime.now(UTC)
    shown = read()
    after = datetime.now(UTC)
    assert origin + (before - origin) * 60 <= shown <= origin + (after - origin) * 60
    clock.use(read)
    assert clock.now() > after + timedelta(minutes=90)
    assert clock.machine_now() < after + timedelta(minutes=1)


def test_keys_are_uuids_of_version_seven_that_sort_by_birth() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    keys = []
    for number in range(1000):
        clock.use(partial(at.__add__, timedelta(milliseconds=number)))
        keys.append(new_id())
    assert sorted(keys) == keys
    assert sorted(keys, key=lambda key: key.hex) == keys
    assert {(key.version, key.variant) for key in keys} == {(7, "specified in RFC 4122")}
    assert clock.from_ms(keys[0].int >> 80) == at
    clock.use(lambda: at)
    assert len({new_id() for _ in range(1000)}) == 1000
