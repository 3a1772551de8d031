"""What comes again under an old sequence says what is stored, or is kept as a conflict: never believed, never lost."""

import json
import uuid
from typing import Any

import pytest
from sqlalchemy import select

from cloud_api.kernel import clock
from cloud_api.telemetry.models import SensorSeries
from cloud_api.telemetry.stores.sealing import seal_day
from tests.factories.batches import (
    EIGHT_OCLOCK_MS,
    Row,
    make_batch,
    make_epoch,
    make_reading,
    make_series,
    post,
    send,
    send_columns,
    stored_rows,
)
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.stores import ColdStore
from tests.platform_under_test import Platform, Tenant

pytestmark = IN_ONE_LOOP

MINUTE_MS = 60_000
NOW_MS = clock.now_ms() - 60 * MINUTE_MS


async def letters(tenant: Tenant) -> list[tuple[str, int]]:
    rows = await tenant.get("/api/v1/telemetry/dead-letters")
    return sorted((row["code"], json.loads(row["raw"])["sequence"]) for row in rows)


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("value", {"value": 9.0}),
        ("value", {"value": 0.0}),
        ("value", {"quality": "suspect"}),
        ("sequence", {"recorded_at_ms": NOW_MS + 2 * MINUTE_MS}),
        ("sequence", {"quantity": "humidity", "unit": "%"}),
        ("sequence", {"sensor": "z2m:never-heard-of"}),
    ],
)
async def test_a_replay_with_another_content_is_a_conflict_and_what_was_stored_stands(
    farm: Platform, store: ColdStore, field: str, change: Row
) -> None:
    rows = make_series([4.0, 5.0, 6.0], start_ms=NOW_MS)
    await send(farm, store, rows)
    altered = [rows[0], {**rows[1], **change}, rows[2]]
    for resend in (send, send):  # an answer may be lost: the second time is no other conflict
        answer = await resend(farm, store, altered)
        assert (answer["acked_through"], answer["accepted"], answer["duplicates"]) == (3, 0, 2)
        [refusal] = answer["refused"]
        assert (refusal["row"], refusal["sequence"], refusal["code"], refusal["field"]) == (1, 2, "CONFLICT", field)
    assert await letters(store.tenant) == [("CONFLICT", 2)]
    assert [value for _, _, value in await stored_rows(farm, store)] == [4.0, 5.0, 6.0]
    [lane] = await store.tenant.get("/api/v1/telemetry/stats")
    assert (lane["accepted"], lane["duplicates"], lane["refused"]) == (3, 4, 2)


async def test_two_different_forgeries_of_one_row_are_both_kept(farm: Platform, store: ColdStore) -> None:
    await send(farm, store, make_series([4.0]))
    for value in (9.0, 10.0, 9.0):
        await send(farm, store, make_series([value]))
    assert await letters(store.tenant) == [("CONFLICT", 1), ("CONFLICT", 1)]


async def test_columns_and_objects_of_the_same_rows_are_no_conflict(farm: Platform, store: ColdStore) -> None:
    rows = [make_reading(1, 4.0), make_reading(2, 71.5, quantity="humidity", unit="%"), make_reading(3, 5.0)]
    await send(farm, store, rows)
    answer = await send_columns(farm, store, rows)
    assert (answer["duplicates"], answer["refused"]) == (3, [])
    altered = await send_columns(farm, store, [rows[0], {**rows[1], "value": 71.6}, rows[2]])
    assert [(one["row"], one["code"]) for one in altered["refused"]] == [(1, "CONFLICT")]


async def test_what_was_refused_and_comes_again_is_no_conflict(farm: Platform, store: ColdStore) -> None:
    rows = [make_reading(1), {**make_reading(2), "value": None}, make_reading(3, unit="%"), make_reading(4)]
    first = await send(farm, store, rows)
    assert [refusal["code"] for refusal in first["refused"]] == ["INVALID_ROW", "WRONG_UNIT"]
    for again in (rows, [*rows[:1], make_reading(2, 4.0), *rows[2:]]):
        answer = await send(farm, store, again)
        assert (answer["duplicates"], answer["refused"]) == (4, [])
    assert [code for code, _ in await letters(store.tenant)] == ["INVALID_ROW", "WRONG_UNIT"]


async def test_a_sequence_twice_in_one_batch_is_a_conflict_when_it_says_two_things(
    farm: Platform, store: ColdStore
) -> None:
    row = make_reading(1, 4.0, EIGHT_OCLOCK_MS)
    answer = await send(farm, store, [row, row, {**row, "value": 5.0}])
    assert (answer["accepted"], answer["duplicates"]) == (1, 1)
    assert [(refusal["row"], refusal["code"]) for refusal in answer["refused"]] == [(2, "CONFLICT")]


async def test_old_rows_that_retention_may_have_taken_are_duplicates(farm: Platform, store: ColdStore) -> None:
    long_ago = make_series([4.0], start_ms=EIGHT_OCLOCK_MS - 200 * 24 * 60 * MINUTE_MS)
    await send(farm, store, [make_reading(5)])
    answer = await send(farm, store, long_ago)
    assert (answer["duplicates"], answer["refused"]) == (1, [])


async def test_rows_of_a_sealed_day_are_compared_too(farm: Platform, store: ColdStore) -> None:
    rows = make_series([4.0, 5.0, 6.0])
    await send(farm, store, rows)
    async with farm.database.unit_of_work(store.tenant.organization) as db:
        [number] = await db.scalars(
            select(SensorSeries.number).where(SensorSeries.sensor_id == uuid.UUID(store.sensor_id))
        )
        assert await seal_day(db, number, EIGHT_OCLOCK_MS - 8 * 60 * MINUTE_MS) == 3
    assert await stored_rows(farm, store) == []
    answer = await send(farm, store, [rows[0], {**rows[1], "value": 9.0}, rows[2]])
    assert answer["duplicates"] == 2
    assert [(one["row"], one["code"], one["field"]) for one in answer["refused"]] == [(1, "CONFLICT", "value")]


async def test_another_unit_than_registered_is_refused_by_both_their_names(farm: Platform, store: ColdStore) -> None:
    rows = [make_reading(1, 4.0), make_reading(2, 39.2, unit="[degF]"), make_reading(3, 5.0)]
    for number, send_them in enumerate((send, send_columns)):
        answer = await send_them(farm, store, rows, epoch=make_epoch())
        [refusal] = answer["refused"]
        assert (answer["accepted"], refusal["row"], refusal["code"], refusal["field"]) == (2, 1, "WRONG_UNIT", "unit")
        assert "'[degF]'" in refusal["message"], number
        assert "'Cel'" in refusal["message"]
    [sensor] = await store.tenant.get("/api/v1/edge/sensors")
    assert sensor["unit"] == "Cel"


async def test_of_a_new_sensor_the_first_unit_counts(farm: Platform, store: ColdStore) -> None:
    new: Any = {"sensor": "z2m:new", "quantity": "pressure"}
    rows = [make_reading(1, 1013.0, unit="hPa", **new), make_reading(2, 101.3, unit="kPa", **new)]
    answer = await send(farm, store, rows)
    assert (answer["accepted"], [one["code"] for one in answer["refused"]]) == (1, ["WRONG_UNIT"])


async def test_a_whole_batch_without_a_believable_row_is_answered_row_by_row(farm: Platform, store: ColdStore) -> None:
    batch = make_batch([make_reading(1, at_ms=EIGHT_OCLOCK_MS * 3), make_reading(2, sensor="")])
    answer = (await post(farm, store, batch)).json()["data"]
    assert [(one["sequence"], one["code"]) for one in answer["refused"]] == [(1, "TIME_AHEAD"), (2, "INVALID_ROW")]
