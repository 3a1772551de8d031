"""The judge in memory: what it tells, what it keeps, and what it forgets."""

import logging
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from gateway import rules
from gateway.alarms.judging import Judge
from gateway.contract import AlarmEvent, GatewayConfig, LimitConfig, PauseConfig, Quality, WatchConfig
from gateway.rules import StateDict
from tests.gateway.judged import written

ROOM, DOOR = ("z2m:room", "temperature"), ("z2m:door", "contact")
NOON_MS = 1_768_471_950_000
MINUTE_MS = 60_000

WARM = LimitConfig("too-warm", *ROOM, "high", 8.0, 7.0, 600.0, offset=0.5)
LATCHED = LimitConfig("much-too-warm", *ROOM, "high", 12.0, 10.0, 0.0, latched=True)
OPEN = LimitConfig("door-open", *DOOR, "high", 0.5, 0.5, 120.0, holds=True)
SILENT = WatchConfig("no-news", *ROOM, "silent", 1800.0)
RISE = WatchConfig("compressor", *ROOM, "rising", 1800.0, 3.0)


def config(*told: LimitConfig | WatchConfig, pauses: Sequence[PauseConfig] = ()) -> GatewayConfig:
    limits = [one for one in told if isinstance(one, LimitConfig)]
    return GatewayConfig(1, limits, watches=[one for one in told if isinstance(one, WatchConfig)], pauses=list(pauses))


def judge_all(judge: Judge, values: Sequence[float], start_ms: int = NOON_MS) -> list[AlarmEvent]:
    """A value a minute."""
    return [
        alarm
        for minute, value in enumerate(values)
        for alarm in judge.judge(*ROOM, value, start_ms + minute * MINUTE_MS)
    ]


def test_a_series_without_rules_is_not_judged() -> None:
    judge = Judge(config(WARM))
    assert judge.judge("z2m:room", "humidity", 99.0, NOON_MS) == ()
    assert judge.changed() == []


def test_an_alarm_names_its_incident_and_calibrates_the_value() -> None:
    judge = Judge(config(WARM))
    raised, cleared = judge_all(judge, [4, *[7.8] * 11, 6.0])
    started_ms = NOON_MS + MINUTE_MS
    incident = rules.incident_key(*ROOM, "too-warm", started_ms)
    assert raised == AlarmEvent(
        0, *ROOM, "too-warm", "high", "raised", incident, 8.3, started_ms, NOON_MS + 11 * MINUTE_MS
    )
    assert cleared == msgspec.structs.replace(
        raised, event="cleared", value=6.5, recorded_at_ms=NOON_MS + 12 * MINUTE_MS
    )


def test_active_alarms_are_told_with_their_worst_value() -> None:
    judge = Judge(config(LATCHED, WARM))
    judge_all(judge, [13, 15, 4])
    (alarm,) = judge.active()
    assert (alarm.rule, alarm.kind, alarm.started_at_ms, alarm.peak) == ("much-too-warm", "high", NOON_MS, 15)
    (cleared,) = judge.reset("much-too-warm", NOON_MS + 5 * MINUTE_MS)
    assert (cleared.event, cleared.value) == ("cleared", 4)
    assert judge.active() == []


def test_a_reset_of_what_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="rule x is not known here"):
        Judge(config(WARM)).reset("x", NOON_MS)


@pytest.mark.parametrize(
    ("value", "quality"), [(99.0, "bad"), (float("nan"), "good"), (float("inf"), "good"), (float("-inf"), "good")]
)
def test_what_is_bad_or_no_number_is_neither_judged_nor_heard(value: float, quality: Quality) -> None:
    judge = Judge(config(LATCHED, SILENT, RISE))
    judge.tick(NOON_MS)
    for minute in range(30):
        assert judge.judge(*ROOM, value, NOON_MS + minute * MINUTE_MS, quality) == ()
    (silent,) = judge.tick(NOON_MS + 30 * MINUTE_MS)
    assert silent.kind == "silent"


def test_two_finite_numbers_with_an_infinite_sum_are_not_judged() -> None:
    judge = Judge(config(msgspec.structs.replace(LATCHED, offset=1.7e308)))
    assert judge.judge(*ROOM, 1.7e308, NOON_MS) == ()


def test_limits_are_those_of_corrected_values_and_changes_those_of_a_corrected_scale() -> None:
    limit = msgspec.structs.replace(WARM, duration_s=0.0, gain=2.0, offset=-1.0)
    judge = Judge(config(limit, msgspec.structs.replace(RISE, gain=2.0)))
    assert judge_all(judge, [4.5]) == []  # 8.0, which is not above 8.0
    raised = judge_all(judge, [4.75, 6.25], NOON_MS + MINUTE_MS)
    assert [(alarm.rule, alarm.value) for alarm in raised] == [("too-warm", 8.5), ("compressor", 3.5)]


def test_a_suspect_reading_is_judged() -> None:
    assert Judge(config(LATCHED)).judge(*ROOM, 99.0, NOON_MS, "suspect") != ()


def test_late_history_never_raises() -> None:
    judge = Judge(config(LATCHED, RISE))
    judge.judge(*ROOM, 4.0, NOON_MS)
    assert judge_all(judge, [99.0] * 30, NOON_MS - 30 * MINUTE_MS) == []


def test_a_sensor_that_sends_its_history_is_not_silent() -> None:
    judge = Judge(config(SILENT))
    judge.tick(NOON_MS)
    assert [alarm.event for alarm in judge.tick(NOON_MS + 1_800_000)] == ["raised"]
    now_ms = NOON_MS + 36_000_000
    judge.tick(now_ms)
    heard = [alarm for minute in range(20) for alarm in judge.judge(*ROOM, 4.0, NOON_MS + minute * MINUTE_MS)]
    assert [(alarm.event, alarm.value, alarm.recorded_at_ms) for alarm in heard] == [("cleared", 36_000.0, now_ms)]
    assert judge.tick(now_ms + 1_799_000) == ()


def test_a_sensor_whose_clock_is_an_hour_behind_is_heard() -> None:
    judge = Judge(config(SILENT))
    for minute in range(240):
        assert judge.tick(NOON_MS + minute * MINUTE_MS) == ()
        judge.judge(*ROOM, 4.0, NOON_MS + (minute - 60) * MINUTE_MS)


def test_nobody_was_heard_in_the_future_once_the_clock_is_repaired() -> None:
    judge, ahead_ms = Judge(config(SILENT)), 315_360_000_000
    judge.tick(NOON_MS + ahead_ms)
    judge.shift(-ahead_ms, NOON_MS + ahead_ms)
    judge.judge(*ROOM, 4.0, NOON_MS + MINUTE_MS)
    (silent,) = judge.tick(NOON_MS + 31 * MINUTE_MS)
    assert silent.started_at_ms == NOON_MS + MINUTE_MS


def test_a_restart_is_not_taken_for_silence() -> None:
    judge = Judge(config(SILENT))
    judge.tick(NOON_MS)
    judge.judge(*ROOM, 4.0, NOON_MS)
    disk = written(judge)
    later_ms = NOON_MS + 86_400_000
    after = Judge(config(SILENT))
    after.load(disk.items())
    assert after.tick(later_ms) == ()
    (silent,) = after.tick(later_ms + 1_800_000)
    assert silent.started_at_ms == later_ms


def test_a_silence_survives_a_restart() -> None:
    judge = Judge(config(SILENT))
    judge.tick(NOON_MS)
    (raised,) = judge.tick(NOON_MS + 1_800_000)
    after = Judge(config(SILENT))
    after.load(written(judge).items())
    assert [alarm.rule for alarm in after.active()] == ["no-news"]
    after.tick(NOON_MS + 7_200_000)
    (cleared,) = after.judge(*ROOM, 4.0, NOON_MS + 7_200_000)
    assert cleared.incident == raised.incident


def test_a_door_left_open_over_a_restart_is_told_at_the_first_tick() -> None:
    judge = Judge(config(OPEN))
    judge.judge(*DOOR, 1.0, NOON_MS)
    after = Judge(config(OPEN))
    after.load(written(judge).items())
    (raised,) = after.tick(NOON_MS + 3_600_000)
    assert (raised.started_at_ms, raised.value) == (NOON_MS, 1.0)


def test_readings_that_change_nothing_are_not_worth_a_page_on_the_disk() -> None:
    judge = Judge(config(WARM, LATCHED, SILENT))
    judge_all(judge, [4.0])
    assert {key[2] for key, _ in judge.changed()} == {"too-warm", "much-too-warm"}  # so that late history is known
    judge_all(judge, [4.0, 4.1] * 29 + [4.0], NOON_MS + MINUTE_MS)
    assert judge.changed() == []
    judge_all(judge, [4.0], NOON_MS + 60 * MINUTE_MS)
    assert [state and state["last_at_ms"] for _, state in judge.changed()] == [NOON_MS + 60 * MINUTE_MS] * 2


def test_every_step_of_a_breach_is_saved() -> None:
    judge = Judge(config(WARM))
    judge_all(judge, [4.0])
    judge.changed()
    kept = []
    for minute, value in enumerate([9.0, 8.5, 10.0, 9.0, 4.0], start=1):
        judge_all(judge, [value], NOON_MS + minute * MINUTE_MS)
        kept.append([(state and state["phase"], state and state["peak"]) for _, state in judge.changed()])
    assert kept == [[("pending", 9.5)], [], [("pending", 10.5)], [], [("clear", None)]]


def test_a_group_that_the_disk_refused_is_judged_again() -> None:
    judge = Judge(config(WARM, LATCHED))
    judge_all(judge, [4.0, 9.0])
    disk = written(judge)
    (lost,) = judge_all(judge, [13.0, 4.0], NOON_MS + 2 * MINUTE_MS)
    judge.changed()
    judge.load(disk.items())
    assert judge.active() == []
    assert judge_all(judge, [13.0, 4.0], NOON_MS + 2 * MINUTE_MS) == [lost]


def test_what_was_heard_has_been_heard_whatever_the_disk_says() -> None:
    judge = Judge(config(SILENT))
    judge.tick(NOON_MS)
    judge.judge(*ROOM, 4.0, NOON_MS + MINUTE_MS)
    judge.load([])
    (silent,) = judge.tick(NOON_MS + 31 * MINUTE_MS)
    assert silent.started_at_ms == NOON_MS + MINUTE_MS


def test_a_state_that_cannot_be_read_begins_anew(caplog: pytest.LogCaptureFixture) -> None:
    judge, key = Judge(config(WARM)), (*ROOM, "too-warm")
    broken: Any = {"phase": "melted", "started_at_ms": None, "peak": None, "last_at_ms": 5}
    with caplog.at_level(logging.WARNING):
        judge.load([(key, broken)])
    assert "z2m:room/temperature/too-warm" in caplog.text
    assert len(judge_all(judge, [9.0] * 11)) == 1


def test_a_state_of_a_rule_that_is_gone_is_deleted() -> None:
    judge = Judge(config(LATCHED))
    gone: StateDict = {"phase": "clear", "started_at_ms": None, "peak": None, "last_at_ms": 5}
    judge.load([((*ROOM, "too-warm"), gone)])
    assert judge.changed() == [((*ROOM, "too-warm"), None)]


def test_a_new_configuration_leaves_what_stays_where_it_stands() -> None:
    judge = Judge(config(WARM, LATCHED, SILENT))
    judge_all(judge, [13.0])
    disk = written(judge)
    judge.apply(config(msgspec.structs.replace(WARM, duration_s=60.0), SILENT))
    assert judge.active() == []
    written(judge, disk)
    assert set(disk) == {(*ROOM, "too-warm")}
    (raised,) = judge_all(judge, [9.0], NOON_MS + MINUTE_MS)
    assert raised.started_at_ms == NOON_MS


def test_a_rule_that_becomes_another_kind_begins_anew() -> None:
    judge = Judge(config(LATCHED))
    judge_all(judge, [13.0])
    judge.apply(config(msgspec.structs.replace(LATCHED, kind="low", set_at=0.0, clear_at=1.0)))
    assert judge.active() == []
    assert [state for _, state in judge.changed()] == [None]


def test_an_alarm_that_waits_for_its_reset_ends_when_its_rule_is_latched_no_more() -> None:
    judge = Judge(config(LATCHED))
    judge_all(judge, [13.0, 4.0])
    judge.apply(config(msgspec.structs.replace(LATCHED, latched=False)))
    assert [alarm.event for alarm in judge_all(judge, [4.0], NOON_MS + 2 * MINUTE_MS)] == ["cleared"]


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (config(msgspec.structs.replace(WARM, clear_at=9.0)), "limit too-warm: clear_at"),
        (config(msgspec.structs.replace(WARM, offset=float("nan"))), "limit too-warm: offset"),
        (config(msgspec.structs.replace(WARM, gain=0.0)), "limit too-warm: gain"),
        (config(msgspec.structs.replace(WARM, gain=float("nan"))), "limit too-warm: gain"),
        (config(msgspec.structs.replace(RISE, gain=-1.0)), "watch compressor: gain"),
        (config(msgspec.structs.replace(RISE, change=0.0)), "watch compressor: change"),
        (config(pauses=[PauseConfig(*ROOM, [], 0, 0.0)]), "pause: duration_s"),
        (config(WARM, msgspec.structs.replace(SILENT, rule="too-warm")), "rule too-warm: z2m:room has it twice"),
    ],
)
def test_a_configuration_that_contradicts_itself_changes_nothing(wrong: GatewayConfig, complaint: str) -> None:
    judge = Judge(config(LATCHED))
    with pytest.raises(ValueError, match=complaint):
        judge.apply(wrong)
    assert len(judge_all(judge, [13.0])) == 1


def test_a_pause_holds_for_the_rules_it_names() -> None:
    judge = Judge(config(LATCHED, RISE, pauses=[PauseConfig(*ROOM, ["compressor"], NOON_MS, 600.0)]))
    assert [alarm.rule for alarm in judge_all(judge, [4.0, 13.0])] == ["much-too-warm"]
    judge = Judge(config(LATCHED, RISE, pauses=[PauseConfig(*ROOM, [], NOON_MS, 600.0)]))
    assert judge_all(judge, [4.0, 13.0]) == []


def test_a_door_left_open_over_a_pause_is_told_after_it() -> None:
    judge = Judge(config(OPEN, pauses=[PauseConfig(*DOOR, [], NOON_MS, 600.0)]))
    judge.judge(*DOOR, 1.0, NOON_MS + 1000)
    ticks = [alarm for second in range(2, 721) for alarm in judge.tick(NOON_MS + second * 1000)]
    assert [(alarm.started_at_ms, alarm.recorded_at_ms) for alarm in ticks] == [(NOON_MS + 600_000, NOON_MS + 720_000)]
