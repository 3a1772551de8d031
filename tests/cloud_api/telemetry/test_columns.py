"""Readings that come as columns: the same rows, checks and refusals as those that come as objects."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.kernel import clock
from cloud_api.telemetry.intake.reading_rows import SEQUENCES
from tests.factories.batches import (
    EIGHT_OCLOCK_MS,
    Row,
    make_batch,
    make_column_batch,
    make_epoch,
    make_reading,
    make_series,
    post,
    send,
    send_columns,
    stored_rows,
)
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.properties import FEW
from tests.factories.stores import ColdStore
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

DAY_MS = 24 * 3600 * 1000


def counts(answer: Row) -> tuple[int, int, int, int]:
    return answer["acked_through"], answer["accepted"], answer["duplicates"], len(answer["refused"])


async def test_columns_are_stored_like_objects_and_once(farm: Platform, store: ColdStore) -> None:
    rows = [
        make_reading(3, 4.0, EIGHT_OCLOCK_MS),
        make_reading(4, 71.0, EIGHT_OCLOCK_MS, quantity="humidity", unit="%"),
        make_reading(9, -3.5, EIGHT_OCLOCK_MS - 60_000, quality="suspect", time_source="device"),
    ]
    assert counts(await send_columns(farm, store, rows)) == (9, 3, 0, 0)
    assert counts(await send_columns(farm, store, rows)) == (9, 0, 3, 0)
    assert await stored_rows(farm, store) == [
        (3, EIGHT_OCLOCK_MS, 4.0),
        (4, EIGHT_OCLOCK_MS, 71.0),
        (9, EIGHT_OCLOCK_MS - 60_000, -3.5),
    ]
    sensors = {row["quantity"]: row["unit"] for row in await store.tenant.get("/api/v1/edge/sensors")}
    assert sensors == {"temperature": "Cel", "humidity": "%"}
    span = {"since": "2026-01-31T07:00:00Z", "until": "2026-01-31T09:00:00Z"}
    told = await store.tenant.get("/api/v1/telemetry/readings", sensor_id=store.sensor_id, **span)
    assert [(row["value"], row["quality"]) for row in told] == [(-3.5, "suspect"), (4.0, "good")]


async def test_both_versions_settle_one_lane(farm: Platform, store: ColdStore) -> None:
    assert counts(await send(farm, store, make_series([4.0, 5.0]))) == (2, 2, 0, 0)
    assert counts(await send_columns(farm, store, make_series([4.0, 5.0, 6.0]))) == (3, 1, 2, 0)
    assert [value for _, _, value in await stored_rows(farm, store)] == [4.0, 5.0, 6.0]


BAD: list[tuple[str, Row]] = [
    ("value", {"value": None}),
    ("recorded_at_ms", {"recorded_at_ms": -1}),
    ("sensor", {"sensor": ""}),
    ("sensor", {"sensor": "z2m:\0"}),
    ("quantity", {"quantity": "t" * 65}),
    ("unit", {"unit": ""}),
]


async def test_a_bad_row_is_named_and_its_neighbours_are_stored(farm: Platform, store: ColdStore) -> None:
    bad = [*BAD, ("recorded_at_ms", {"recorded_at_ms": clock.now_ms() + 2 * DAY_MS})]
    rows = []
    for index, (_, change) in enumerate(bad):
        rows += [make_reading(2 * index + 1), {**make_reading(2 * index + 2), **change}]
    answer = await send_columns(farm, store, rows)
    assert [(refusal["row"], refusal["sequence"], refusal["field"]) for refusal in answer["refused"]] == [
        (2 * index + 1, 2 * index + 2, field) for index, (field, _) in enumerate(bad)
    ]
    assert [refusal["code"] for refusal in answer["refused"]] == ["INVALID_ROW"] * len(BAD) + ["TIME_AHEAD"]
    assert (answer["acked_through"], answer["accepted"]) == (len(rows), len(bad))
    letters = await store.tenant.get("/api/v1/telemetry/dead-letters")
    assert sorted(json.loads(letter["raw"])["sequence"] for letter in letters) == [
        2 * index + 2 for index in range(len(bad))
    ]


@pytest.mark.parametrize(
    ("field", "changed"),
    [
        ("rows", {"rows": [0, 1]}),
        ("rows", {"rows": [0, -1]}),
        ("flags", {"flags": [0, 3]}),
        ("flags", {"flags": [0, 8]}),
        ("flags", {"flags": [0, -1]}),
        ("recorded_at_ms", {"times_ms": [EIGHT_OCLOCK_MS, 2**63]}),
        ("recorded_at_ms", {"times_ms": [EIGHT_OCLOCK_MS, -(2**63)]}),
    ],
)
async def test_what_columns_alone_can_get_wrong_refuses_its_row(
    farm: Platform, store: ColdStore, field: str, changed: Row
) -> None:
    batch = make_column_batch(make_series([4.0, 5.0]), epoch=make_epoch(), **changed)
    answer = (await post(farm, store, batch)).json()["data"]
    assert counts(answer) == (2, 1, 0, 1)
    assert (answer["refused"][0]["row"], answer["refused"][0]["field"]) == (1, field)


async def test_a_sequence_outside_of_the_lane_carries_no_cursor_away(farm: Platform, store: ColdStore) -> None:
    batch = make_column_batch(make_series([4.0, 5.0, 6.0]), sequences=[[0, 2], [SEQUENCES, 1]])
    answer = (await post(farm, store, batch)).json()["data"]
    assert counts(answer) == (1, 1, 0, 2)
    assert [(refusal["row"], refusal["sequence"]) for refusal in answer["refused"]] == [(0, None), (2, None)]


@pytest.mark.parametrize(
    ("field", "changed"),
    [
        ("columns.values", {"values": [4.0]}),
        ("columns.times_ms", {"times_ms": [EIGHT_OCLOCK_MS]}),
        ("columns.flags", {"flags": [0]}),
        ("columns.sequences", {"sequences": [[1, 3]]}),
        ("columns.sequences", {"sequences": [[1, 2**60]]}),
        ("columns.sequences", {"sequences": []}),
        ("columns.sequences", {"sequences": [[2, 1], [1, 1]]}),
        ("columns.sequences", {"sequences": [[1, 1], [1, 1]]}),
        ("columns.sequences", {"sequences": [[1, 3], [5, -1]]}),
        ("columns.values[1]", {"values": [4.0, "cold"]}),
        ("columns.series[0]", {"series": [["z2m:a", "temperature"]]}),
        ("columns", {"surplus": 1}),
        ("columns", {"rows": [], "values": [], "times_ms": [], "sequences": []}),
    ],
)
async def test_columns_that_contradict_themselves_leave_nothing(
    farm: Platform, store: ColdStore, field: str, changed: Row
) -> None:
    answer = await post(farm, store, make_column_batch(make_series([4.0, 5.0]), **changed))
    assert (answer.status_code, answer.json()["error"]["details"][0]["field"]) == (422, field)
    assert await store.tenant.get("/api/v1/telemetry/stats") == []


async def test_columns_and_objects_do_not_mix_and_other_lanes_have_none(farm: Platform, store: ColdStore) -> None:
    rows = make_series([4.0, 5.0])
    columns = make_column_batch(rows)["columns"]
    wrong: list[tuple[str, Row]] = [
        ("columns", make_batch(rows, columns=columns)),
        ("columns", {**make_column_batch(rows), "lane": "alarms"}),
        ("columns", make_column_batch(make_series([4.0] * 2001, every_s=1))),
        ("readings", {"version": 2, "epoch": make_epoch(), "lane": "backlog"}),
    ]
    for field, batch in wrong:
        answer = await post(farm, store, batch)
        assert (answer.status_code, answer.json()["error"]["details"][0]["field"]) == (422, field)
    assert counts(await send_columns(farm, store, make_series([4.0] * 2000, every_s=1))) == (2000, 2000, 0, 0)


values = st.one_of(st.floats(-60, 60), st.just(None))
moments = st.integers(EIGHT_OCLOCK_MS - DAY_MS, EIGHT_OCLOCK_MS)
series = st.sampled_from([("z2m:a", "temperature", "Cel"), ("z2m:b", "humidity", "%"), ("", "temperature", "Cel")])
said = st.fixed_dictionaries(
    {"quality": st.sampled_from(["good", "suspect", "bad"]), "time_source": st.sampled_from(["device", "gateway"])}
)


@FEW
@given(told=st.lists(st.tuples(values, moments, series, said, st.integers(1, 3)), min_size=1, max_size=20))
async def test_whatever_comes_it_is_the_same_as_columns_and_as_objects(
    farm: Platform, store: ColdStore, told: list[tuple[Any, int, tuple[str, str, str], Row, int]]
) -> None:
    rows, sequence = list[Row](), 0
    for value, at_ms, (sensor, quantity, unit), words, step in told:
        sequence += step
        rows.append(make_reading(sequence, value, at_ms, sensor=sensor, quantity=quantity, unit=unit, **words))
    one, other = make_epoch(), make_epoch()
    answers = [await send(farm, store, rows, epoch=one), await send_columns(farm, store, rows, epoch=other)]
    as_objects, as_columns = [
        {
            "counts": counts(answer),
            # of several things wrong with a row either may be the one that is named
            "refused": [(refusal["row"], refusal["sequence"], refusal["code"]) for refusal in answer["refused"]],
        }
        for answer in answers
    ]
    assert as_columns == as_objects
    assert await stored_rows(farm, store, epoch=other) == await stored_rows(farm, store, epoch=one)


async def test_a_number_beyond_all_numbers_leaves_nothing(farm: Platform, store: ColdStore) -> None:
    body = json.dumps(make_column_batch(make_series([4.0, 5.0]))).replace("5.0]", "1e999]").encode()
    assert (await post(farm, store, body)).status_code == 422
    assert await store.tenant.get("/api/v1/telemetry/stats") == []
