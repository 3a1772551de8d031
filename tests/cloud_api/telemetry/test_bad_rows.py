"""A bad row is refused by name, kept with its bytes, and holds up none of its neighbours."""

import itertools
import json
from collections.abc import Iterator

import pytest

from cloud_api.kernel import clock
from cloud_api.telemetry.intake.reading_rows import SEQUENCES
from tests.factories.batches import (
    EIGHT_OCLOCK_MS,
    EPOCH,
    Row,
    make_alarm,
    make_epoch,
    make_reading,
    post,
    send,
    send_columns,
    stored_rows,
)
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.stores import ColdStore
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

MINUTE_MS = 60 * 1000
DAY_MS = 24 * 60 * MINUTE_MS


def raw_batch(rows: list[bytes], *, lane: str = "readings") -> bytes:
    return f'{{"version":1,"epoch":"{EPOCH}","lane":"{lane}","{lane}":['.encode() + b",".join(rows) + b"]}"


def without(name: str, row: Row) -> Row:
    return {key: value for key, value in row.items() if key != name}


def raw(place: object, **change: object) -> bytes:
    return json.dumps({**make_reading(1), "sequence": place, **change}).encode()


def bad_rows(sequences: Iterator[int]) -> Iterator[tuple[bytes, str, int | None]]:
    """(row, the field to be named, the sequence to be named)."""
    for field, change in (
        ("value", {"value": "cold"}),
        ("value", {"value": "NaN"}),
        ("value", {"value": "Infinity"}),
        ("value", {"value": None}),
        ("recorded_at_ms", {"recorded_at_ms": -1}),
        ("recorded_at_ms", {"recorded_at_ms": 2**70}),
        ("recorded_at_ms", {"recorded_at_ms": clock.now_ms() + 2 * DAY_MS}),
        ("recorded_at_ms", {"recorded_at_ms": "yesterday"}),
        ("surplus", {"surplus": 1}),
        ("quality", {"quality": "excellent"}),
        ("sensor", {"sensor": ""}),
        ("sensor", {"sensor": "z2m:\0"}),
        ("quantity", {"quantity": "t" * 65}),
        ("unit", {"unit": ""}),
        ("unit", {"unit": "C\0"}),
    ):
        sequence = next(sequences)
        yield raw(sequence, **change), field, sequence
    for place in (-5, 0, SEQUENCES, 2**80, 2.5, "two", None):
        yield raw(place), "sequence", None
    for field in ("value", "unit"):
        sequence = next(sequences)
        yield json.dumps(without(field, make_reading(sequence))).encode(), field, sequence
    yield json.dumps(without("sequence", make_reading(1))).encode(), "sequence", None
    for before, after, field in ((b'"value": 4.0', b'"value": 1e999', "value"), (b"cold-room", b"\xff", "body")):
        sequence = next(sequences)
        yield raw(sequence).replace(before, after), field, sequence
    for row in (b"5", b"null", b"[1,2]"):
        yield row, "body", None


async def test_bad_rows_are_refused_by_name_and_their_neighbours_are_stored(farm: Platform, store: ColdStore) -> None:
    sequences = itertools.count(1)
    bad = list(bad_rows(sequences))
    rows = [raw(next(sequences))]
    for row, _, _ in bad:
        rows += [row, raw(next(sequences))]
    answer = (await post(farm, store, raw_batch(rows))).json()["data"]
    assert [(refusal["row"], refusal["field"], refusal["sequence"]) for refusal in answer["refused"]] == [
        (2 * index + 1, field, sequence) for index, (_, field, sequence) in enumerate(bad)
    ]
    assert all(refusal["message"] for refusal in answer["refused"])
    assert [refusal["code"] for refusal in answer["refused"] if refusal["code"] != "INVALID_ROW"] == ["TIME_AHEAD"] * 2
    assert (answer["accepted"], answer["duplicates"]) == (len(bad) + 1, 0)
    assert len(await stored_rows(farm, store)) == len(bad) + 1
    letters = await store.tenant.get("/api/v1/telemetry/dead-letters")
    assert {letter["gateway_id"] for letter in letters} == {store.gateway_id}
    kept = sorted((letter["field"], letter["raw"]) for letter in letters)
    assert kept == sorted((field, row.decode("utf-8", "backslashreplace")) for row, field, _ in bad)


async def test_a_bad_rows_wild_sequence_does_not_carry_the_cursor_away(farm: Platform, store: ColdStore) -> None:
    batch = raw_batch([raw(1), raw(SEQUENCES + 7), raw(2)])
    assert (await post(farm, store, batch)).json()["data"]["acked_through"] == 2
    assert (await send(farm, store, [make_reading(3)]))["accepted"] == 1


async def test_a_bad_row_at_the_end_is_settled_too(farm: Platform, store: ColdStore) -> None:
    batch = raw_batch([raw(1), raw(2, value=None)])
    first = (await post(farm, store, batch)).json()["data"]
    assert (first["acked_through"], first["accepted"], len(first["refused"])) == (2, 1, 1)
    again = (await post(farm, store, batch)).json()["data"]
    assert (again["acked_through"], again["accepted"], again["duplicates"], again["refused"]) == (2, 0, 2, [])
    assert len(await store.tenant.get("/api/v1/telemetry/dead-letters")) == 1


async def test_a_batch_of_bad_rows_only_is_answered_and_goes_out_of_the_way(farm: Platform, store: ColdStore) -> None:
    answer = (await post(farm, store, raw_batch([raw(sequence, value=None) for sequence in range(1, 6)]))).json()
    assert (answer["data"]["acked_through"], answer["data"]["accepted"]) == (5, 0)
    assert [refusal["sequence"] for refusal in answer["data"]["refused"]] == [1, 2, 3, 4, 5]
    assert (await send(farm, store, [make_reading(6)]))["accepted"] == 1


@pytest.mark.parametrize(
    ("edge_ms", "step_ms", "code"), [(10 * MINUTE_MS, 1, "TIME_AHEAD"), (-400 * DAY_MS, -1, "TIME_TOO_OLD")]
)
async def test_a_clock_may_be_ten_minutes_ahead_or_400_days_behind_and_not_a_millisecond_more(
    farm: Platform, store: ColdStore, request: pytest.FixtureRequest, edge_ms: int, step_ms: int, code: str
) -> None:
    instant, last_ms = clock.from_ms(EIGHT_OCLOCK_MS), EIGHT_OCLOCK_MS + edge_ms
    usual = farm.app.state.settings
    farm.app.state.settings = usual.model_copy(update={"readings_max_age_days": 400})
    request.addfinalizer(lambda: setattr(farm.app.state, "settings", usual))
    clock.use(lambda: instant)
    for lane, send_them in (("readings", send), ("backlog", send_columns)):
        rows = [make_reading(1, at_ms=last_ms), make_reading(2, at_ms=last_ms + step_ms)]
        answer = await send_them(farm, store, rows, lane=lane, epoch=make_epoch())
        [refusal] = answer["refused"]
        assert (answer["accepted"], refusal["field"], refusal["code"]) == (1, "recorded_at_ms", code)
        assert "set the gateway's clock" in refusal["message"]


async def test_a_bad_alarm_is_refused_by_name(farm: Platform, store: ColdStore) -> None:
    wrong: list[tuple[str, dict[str, object]]] = [
        ("started_at_ms", {"started_at_ms": -1}),
        ("started_at_ms", {"started_at_ms": EIGHT_OCLOCK_MS + 1}),
        ("incident", {"incident": "not hexadecimal"}),
        ("event", {"event": "happened"}),
        ("unit", {"unit": "Cel"}),
    ]
    good = make_alarm(9, "raised", rule="nobody's", started_at_ms=EIGHT_OCLOCK_MS, at_ms=EIGHT_OCLOCK_MS)
    rows = [{**good, "sequence": sequence, **change} for sequence, (_, change) in enumerate(wrong, start=1)]
    answer = await send(farm, store, [*rows, good], lane="alarms")
    assert (answer["acked_through"], answer["accepted"]) == (9, 1)
    assert [(refusal["row"], refusal["sequence"], refusal["field"]) for refusal in answer["refused"]] == [
        (row, row + 1, field) for row, (field, _) in enumerate(wrong)
    ]
