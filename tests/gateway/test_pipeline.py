import asyncio
import json
import math
from functools import partial

import pytest
from msgspec.structs import replace

from gateway import decoders, rules
from gateway.contract import AlarmEvent, GatewayConfig, Reading
from gateway.decoders.decoded import Decode, Decoded, Measurement, Sighting
from gateway.pipeline import Message, Outcome, Pipeline
from gateway.spool import Spool, Store
from tests.gateway.running import NOW_MS, high_limit, measurement, tag_read, weighing

DAY_MS = 24 * 3600 * 1000


def pipeline_on(spool: Spool, told: list[Outcome] | None = None, *, decoder: Decode = decoders.decode) -> Pipeline:
    committed = [] if told is None else told
    return Pipeline(spool, max_pending=100, max_dead_letters=10, on_committed=committed.append, decoder=decoder)


def message(payload: object, *, at_ms: int = NOW_MS) -> Message:
    return Message("zigbee2mqtt/room", payload if isinstance(payload, bytes) else json.dumps(payload).encode(), at_ms)


async def readings(spool: Spool) -> list[Reading]:
    rows = await spool.submit(lambda store: store.batch("readings", 1000))
    return [row for row in rows if isinstance(row, Reading)]


async def alarms(spool: Spool) -> list[AlarmEvent]:
    rows = await spool.submit(lambda store: store.batch("alarms", 1000))
    return [row for row in rows if isinstance(row, AlarmEvent)]


async def letters(spool: Spool) -> list[tuple[str, bytes, str]]:
    query = "SELECT topic, payload, reason FROM dead_letters ORDER BY id"
    return await spool.submit(lambda store: store.connection.execute(query).fetchall())


async def test_a_message_becomes_rows_in_order(spool: Spool) -> None:
    told: list[Outcome] = []
    await pipeline_on(spool, told).submit([message({"temperature": -18.4, "humidity": 60}), message({"battery": 97})])
    assert [(row.sequence, row.quantity, row.value) for row in await readings(spool)] == [
        (1, "temperature", -18.4),
        (2, "humidity", 60.0),
        (3, "battery", 97.0),
    ]
    assert told == [Outcome(rows=3)]


async def test_an_unreadable_message_becomes_a_dead_letter_with_its_bytes(spool: Spool) -> None:
    outcome = await pipeline_on(spool).submit([message(b"{\xff"), message({"temperature": 4})])
    assert outcome == Outcome(rows=1, dead_letters=1)
    ((topic, payload, reason),) = await letters(spool)
    assert (topic, payload) == ("zigbee2mqtt/room", b"{\xff")
    assert reason.startswith("not JSON")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
async def test_what_is_no_finite_number_is_never_a_reading(spool: Spool, value: float) -> None:
    def decode(topic: str, payload: bytes, received_at_ms: int) -> Decoded:
        return Decoded((measurement(value), measurement(4.0)))

    await pipeline_on(spool, decoder=decode).submit([message(b"raw")])
    assert [row.value for row in await readings(spool)] == [4.0]
    assert [payload for _, payload, _ in await letters(spool)] == [b"raw"]


async def test_an_impossible_value_is_kept_and_marked(spool: Spool) -> None:
    await pipeline_on(spool).submit([message({"temperature": 850.0, "humidity": 100, "battery": -1})])
    assert [(row.quantity, row.quality) for row in await readings(spool)] == [
        ("temperature", "suspect"),
        ("humidity", "good"),
        ("battery", "suspect"),
    ]


async def test_a_repeat_that_the_sensor_numbers_is_dropped_also_after_a_restart(spool: Spool) -> None:
    def decode(topic: str, payload: bytes, received_at_ms: int) -> Decoded:
        return Decoded((measurement(float(payload)),), ("half of it is broken",), identity=f"tag:{payload.decode()}")

    await pipeline_on(spool, decoder=decode).submit([message(b"1"), message(b"2"), message(b"1")])
    await pipeline_on(spool, decoder=decode).submit([message(b"2"), message(b"3")])
    assert [row.value for row in await readings(spool)] == [1, 2, 3]
    assert len(await letters(spool)) == 3


@pytest.mark.parametrize(
    ("last_seen", "recorded_at_ms", "source"),
    [
        (NOW_MS - 30 * DAY_MS, NOW_MS - 30 * DAY_MS, "device"),
        (NOW_MS + 300_000, NOW_MS + 300_000, "device"),
        (NOW_MS - 30 * DAY_MS - 1, NOW_MS, "gateway"),
        (NOW_MS + 300_001, NOW_MS, "gateway"),
        ("1970-01-01T00:00:07Z", NOW_MS, "gateway"),
        (10**30, NOW_MS, "gateway"),
    ],
)
async def test_a_devices_time_is_believed_when_it_can_be_true(
    spool: Spool, last_seen: object, recorded_at_ms: int, source: str
) -> None:
    await pipeline_on(spool).submit([message({"temperature": 4, "last_seen": last_seen})])
    (row,) = await readings(spool)
    assert (row.recorded_at_ms, row.time_source) == (recorded_at_ms, source)
    assert row.quality == ("good" if source == "device" else "suspect")


async def test_tag_reads_and_weights_take_the_same_way(spool: Spool) -> None:
    def decode(topic: str, payload: bytes, received_at_ms: int) -> Decoded:
        future = NOW_MS + DAY_MS
        seen = (Sighting(tag_read(1)), Sighting(tag_read(1)), Sighting(tag_read(2, at_ms=future)))
        bad = replace(weighing(None, at_ms=future), time_source="device")
        return Decoded(problems=("cut",), sightings=seen, weighings=(weighing(), weighing(), bad))

    told: list[Outcome] = []
    await pipeline_on(spool, told, decoder=decode).submit([message(b"raw")])
    assert told == [Outcome(rows=6, dead_letters=1)]
    assert await spool.submit(lambda store: store.batch("tags", 10)) == [
        replace(tag_read(1), sequence=1),
        replace(tag_read(1), sequence=2),
        replace(tag_read(2), sequence=3, time_source="gateway", quality="suspect"),
    ]
    assert await spool.submit(lambda store: store.batch("weights", 10)) == [
        replace(weighing(), sequence=1),
        replace(weighing(), sequence=2),
        replace(weighing(None), sequence=3),
    ]


async def test_a_tag_read_that_its_reader_numbers_is_kept_once_in_whatever_message(spool: Spool) -> None:
    def record(number: int) -> dict[str, object]:
        data = {"idHex": "AB" * 12, "antenna": 1, "eventNum": number}
        return {"data": data, "timestamp": "2026-01-15T10:12:29.500+0000", "type": "INVENTORY"}

    def batch(*numbers: int) -> Message:
        return Message("zebra/gate/d-evt", json.dumps([record(number) for number in numbers]).encode(), NOW_MS)

    await pipeline_on(spool).submit([batch(1, 2), batch(1, 2)])
    await pipeline_on(spool).submit([batch(2, 3)])
    assert len(await spool.submit(lambda store: store.batch("tags", 10))) == 3


async def test_a_repeat_without_a_number_is_another_reading(spool: Spool) -> None:
    await pipeline_on(spool).submit([message({"temperature": 4})] * 2)
    assert len(await readings(spool)) == 2


async def test_an_alarm_is_judged_on_calibrated_values_and_kept_raw(spool: Spool) -> None:
    told: list[Outcome] = []
    pipeline = pipeline_on(spool, told)
    pipeline.apply(GatewayConfig(1, [high_limit(duration_s=60, offset=0.5)]))
    for minute, value in enumerate([7.5, 7.6, 7.8, 6.5]):
        await pipeline.submit([message({"temperature": value}, at_ms=NOW_MS + minute * 60_000)])
    series = ("z2m:room", "temperature", "limit-1")
    incident = rules.incident_key(*series, NOW_MS + 60_000)
    assert await alarms(spool) == [
        AlarmEvent(1, *series, "high", "raised", incident, 7.8 + 0.5, NOW_MS + 60_000, NOW_MS + 120_000),
        AlarmEvent(2, *series, "high", "cleared", incident, 7.0, NOW_MS + 60_000, NOW_MS + 180_000),
    ]
    assert [row.value for row in await readings(spool)] == [7.5, 7.6, 7.8, 6.5]
    assert [(len(outcome.alarms), len(outcome.active)) for outcome in told] == [(0, 0), (0, 0), (1, 1), (1, 0)]


async def test_a_pending_breach_survives_a_restart(spool: Spool) -> None:
    config = GatewayConfig(1, [high_limit(duration_s=60)])
    for minute in range(2):
        pipeline = pipeline_on(spool)
        pipeline.apply(config)
        await pipeline.submit([message({"temperature": 9}, at_ms=NOW_MS + minute * 60_000)])
    assert [(alarm.event, alarm.started_at_ms) for alarm in await alarms(spool)] == [("raised", NOW_MS)]


async def test_bad_readings_are_stored_and_not_judged(spool: Spool) -> None:
    def decode(topic: str, payload: bytes, received_at_ms: int) -> Decoded:
        return Decoded((Measurement("z2m:room", "temperature", 99.0, "Cel", NOW_MS, "gateway", "bad"),))

    pipeline = pipeline_on(spool, decoder=decode)
    pipeline.apply(GatewayConfig(1, [high_limit()]))
    await pipeline.submit([message(b"")])
    assert (len(await readings(spool)), await alarms(spool)) == (1, [])


async def test_an_absurd_value_blocks_nobody(spool: Spool) -> None:
    pipeline = pipeline_on(spool)
    pipeline.apply(GatewayConfig(1, [high_limit(offset=1.7e308)]))
    await pipeline.submit([message({"temperature": 1.7e308}), message({"humidity": 60})])
    assert [(row.value, row.quality) for row in await readings(spool)] == [(1.7e308, "suspect"), (60.0, "good")]


async def test_a_configuration_that_contradicts_itself_changes_nothing(spool: Spool) -> None:
    pipeline = pipeline_on(spool)
    pipeline.apply(GatewayConfig(1, [high_limit()]))
    for broken in (high_limit(set_at=1.0, clear_at=2.0), high_limit(offset=math.nan)):
        with pytest.raises(ValueError, match="limit limit-1"):
            pipeline.apply(GatewayConfig(2, [broken]))
    await pipeline.submit([message({"temperature": 9})])
    assert len(await alarms(spool)) == 1


async def test_a_limit_speaks_of_one_series_only(spool: Spool) -> None:
    pipeline = pipeline_on(spool)
    pipeline.apply(GatewayConfig(1, [high_limit()]))
    await pipeline.submit([message({"humidity": 60}), Message("zigbee2mqtt/hall", b'{"temperature": 20}', NOW_MS)])
    assert await alarms(spool) == []


async def test_sources_are_told_to_stop_and_called_back(spool: Spool) -> None:
    pipeline = pipeline_on(spool)
    room = asyncio.Event()
    futures = [pipeline.submit([message({"temperature": 4})] * 50) for _ in range(2)]
    assert pipeline.is_full
    pipeline.when_room(room.set)
    await asyncio.wait_for(room.wait(), 10)
    await asyncio.gather(*futures)
    assert not pipeline.is_full


async def test_dead_letters_are_bounded(spool: Spool) -> None:
    await pipeline_on(spool).submit([message(b"?")] * 25)
    assert len(await letters(spool)) == 10
    assert await spool.submit(Store.dead_letters) == 25


async def test_the_rows_and_the_alarms_state_are_one_transaction(spool: Spool) -> None:
    """A commit that fails takes the state of the limits back with the rows, so that the repeat raises the alarm."""
    pipeline = pipeline_on(spool)
    pipeline.apply(GatewayConfig(1, [high_limit()]))
    await spool.submit(partial(_forbid_alarms, forbid=True))
    with pytest.raises(Exception, match="forbidden"):
        await pipeline.submit([message({"temperature": 9})])
    assert await readings(spool) == []
    await spool.submit(partial(_forbid_alarms, forbid=False))
    await pipeline.submit([message({"temperature": 9})])
    assert [alarm.event for alarm in await alarms(spool)] == ["raised"]


def _forbid_alarms(store: Store, *, forbid: bool) -> None:
    if forbid:
        store.connection.execute(
            "CREATE TRIGGER guard BEFORE INSERT ON alarms BEGIN SELECT raise(ABORT, 'forbidden'); END"
        )
    else:
        store.connection.execute("DROP TRIGGER guard")
