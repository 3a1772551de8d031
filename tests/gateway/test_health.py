"""What the cloud hears of a gateway's health, and who learns from its answers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.clock import Clock
from gateway.config import CloudSettings
from gateway.contract import AlarmEvent, HeartbeatAnswer, SourceState
from gateway.credentials import Credentials, open_credentials
from gateway.upkeep.health import (
    BytesWritten,
    ClockState,
    Hardware,
    Health,
    Organs,
    SpoolState,
    longest_silent,
    percentile,
    show_alarms,
)
from gateway.upkeep.provisioning import provision
from gateway.uplink.cloud import Cloud
from tests.gateway.cloud_double import CLAIM_CODE, CloudDouble
from tests.gateway.running import NOW_MS, in_background
from tests.services.waiting import until

#: a thousand times as fast as the world
FAST = Clock(1000.0)
SPOOL = SpoolState(
    epoch="ab" * 16,
    waiting={"alarms": 1, "readings": 20, "backlog": 300},
    oldest_unsent_ms=NOW_MS - 5000,
    dead_letters=7,
    dead_letter_reasons={"'[red]' is no JSON": 3},
    used_bytes=12_000_000,
    quota_bytes=1_000_000_000,
    rows_thinned=40,
    rows_dropped=2,
)


@dataclass
class Body:
    """Organs as a running gateway has them."""

    folder: Path
    heard: Mapping[str, int] = field(default_factory=dict)
    answers: list[HeartbeatAnswer] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def organs(self) -> Organs:
        async def spool() -> SpoolState:
            return SPOOL

        return Organs(
            data_dir=self.folder,
            now_ms=lambda: NOW_MS,
            spool=spool,
            commit_ms=lambda: [1.0] * 98 + [9.0, 40.0],
            clock=lambda: ClockState("b007", True, 2, -1500),
            sources=lambda: [SourceState("listener", 3, 1000, ["one was refused"])],
            last_heard=lambda: self.heard,
            config_version=lambda: 4,
            interval_s=lambda: 60.0,
            warnings=lambda: self.warnings,
            answered=self.answers.append,
        )


async def provisioned(cloud: Cloud, folder: Path) -> Credentials:
    credentials = open_credentials(folder)
    await provision(credentials, cloud, FAST, CLAIM_CODE, lambda: None)
    return credentials


async def test_a_heartbeat_says_how_the_gateway_is(cloud: CloudDouble, tmp_path: Path) -> None:
    body = Body(tmp_path, heard={"z2m:b": NOW_MS - 90, "z2m:a": NOW_MS - 9000}, warnings=["configuration 5 refused"])
    client = Cloud(CloudSettings(cloud.url))
    board = board_of(tmp_path, temperature="48312", throttled="50005", written=123_456)
    credentials = await provisioned(client, tmp_path)
    async with in_background(Health(client, FAST, credentials, body.organs(), board).run()):
        await until(lambda: bool(body.answers), what="the cloud has answered")
    beat = cloud.heartbeats[0]
    assert (beat.epoch, beat.recorded_at_ms, beat.config_version) == (SPOOL.epoch, NOW_MS, 4)
    assert (beat.waiting, beat.backlog_rows, beat.oldest_unsent_ms) == (dict(SPOOL.waiting), 321, NOW_MS - 5000)
    assert (beat.dead_letters, beat.dead_letter_reasons) == (7, {"'[red]' is no JSON": 3})
    assert (beat.boot_id, beat.clock, beat.clock_jumps, beat.clock_ahead_ms) == ("b007", "trusted", 2, -1500)
    assert (beat.commit_p99_ms, beat.bytes_written_a_day) == (9.0, 123_456)
    assert (beat.spool_used_mb, beat.spool_quota_mb, beat.rows_thinned, beat.rows_dropped) == (12, 1000, 40, 2)
    assert beat.sources == [SourceState("listener", 3, 1000, ["one was refused"])]
    assert [sensor.sensor for sensor in beat.sensors] == ["z2m:a", "z2m:b"]
    assert beat.temperature_c == 48.312
    assert "the power supply is too weak: replace it, or its cable" in beat.warnings
    assert beat.warnings[-1] == "configuration 5 refused"
    assert body.answers[0].config_version == cloud.config.version
    await client.close()


async def test_a_beat_that_fails_is_followed_by_the_next(cloud: CloudDouble, tmp_path: Path) -> None:
    body = Body(tmp_path)
    client = Cloud(CloudSettings(cloud.url))
    credentials = await provisioned(client, tmp_path)
    cloud.fail(["busy", "cut_after", "nonsense", "half"])
    async with in_background(Health(client, FAST, credentials, body.organs()).run()):
        await until(lambda: bool(body.answers), what="the cloud has answered")
    await client.close()


async def test_a_disk_that_cannot_be_looked_at_does_not_end_the_gateway(
    cloud: CloudDouble, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    client = Cloud(CloudSettings(cloud.url))
    credentials = await provisioned(client, tmp_path)
    organs = replace(Body(tmp_path).organs(), data_dir=tmp_path / "gone")
    async with in_background(Health(client, FAST, credentials, organs).run()):
        await until(lambda: caplog.text.count("heartbeat: ") >= 2, what="it goes on")
    assert cloud.heartbeats == []
    await client.close()


def board_of(folder: Path, *, temperature: str, throttled: str, written: int) -> Hardware:
    """A board as the kernel shows it, with a wireless chip's sensor before the processor's."""
    zones = folder / "sys/class/thermal"
    for number, (kind, told) in enumerate([("wifi_thermal", "99000"), ("cpu-thermal", temperature)]):
        zone = zones / f"thermal_zone{number}"
        zone.mkdir(parents=True)
        (zone / "type").write_text(kind + "\n")
        (zone / "temp").write_text(told + "\n")
    firmware = folder / "sys/devices/platform/soc/soc:firmware"
    firmware.mkdir(parents=True)
    (firmware / "get_throttled").write_text(throttled + "\n")
    (folder / "proc/self").mkdir(parents=True)
    (folder / "proc/self/io").write_text(f"rchar: 5\nwrite_bytes: {written}\ncancelled_write_bytes: 9\n")
    return Hardware(folder / "sys", folder / "proc")


@pytest.mark.parametrize(
    ("throttled", "complaints"),
    [
        ("0", []),
        ("1", ["power"]),
        ("50000", ["power", "heat"]),
        ("80008", ["heat"]),
        ("20002", []),
        ("what", []),
    ],
)
def test_a_weak_power_supply_and_heat_are_told_apart(tmp_path: Path, throttled: str, complaints: list[str]) -> None:
    found = board_of(tmp_path, temperature="41000", throttled=throttled, written=0).complaints()
    assert [word for word in ("power", "heat") if any(word in complaint for complaint in found)] == complaints


def test_a_box_that_tells_nothing_is_not_guessed_at(tmp_path: Path) -> None:
    box = Hardware(tmp_path / "sys", tmp_path / "proc")
    assert (box.temperature_c(), box.complaints(), box.bytes_written()) == (None, [], 0)


def test_the_kernel_says_what_this_process_has_written(tmp_path: Path) -> None:
    before = Hardware().bytes_written()
    with (tmp_path / "file").open("wb") as file:
        file.write(b"x" * 1_000_000)
    assert Hardware().bytes_written() >= before
    assert before >= 0


def test_bytes_written_are_those_of_the_last_day() -> None:
    written = BytesWritten(0.0)
    hour = 3600.0
    assert [written.a_day(number * hour, number * 100) for number in (1, 10, 23)] == [100, 1000, 2300]
    for number in range(24, 73):
        told = written.a_day(number * hour, number * 100)
    assert told == 2400


@given(st.lists(st.floats(0, 1e6), min_size=1))
def test_the_99th_percentile_is_a_value_that_99_in_100_do_not_exceed(values: list[float]) -> None:
    told = percentile(values, 0.99)
    assert told in values
    assert sum(value <= told for value in values) >= 0.99 * len(values)


def test_no_commits_have_no_latency() -> None:
    assert percentile([], 0.99) == 0.0


def test_of_many_sensors_those_that_are_silent_longest_are_named() -> None:
    heard = {f"z2m:{number}": number for number in range(500, 0, -1)}
    told = longest_silent(heard)
    assert [state.last_heard_ms for state in told] == list(range(1, 101))


def test_the_alarms_of_now_stand_in_a_file_beside_the_spool(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    event = AlarmEvent(0, "z2m:room", "temperature", "limit-1", "high", "raised", "key", 9.0, NOW_MS, NOW_MS)
    show_alarms(tmp_path, [event], [event])
    (told,) = json.loads((tmp_path / "alarms.json").read_bytes())
    assert told["sensor"] == "z2m:room"
    assert "ALARM raised: z2m:room temperature 9.0 by limit limit-1" in caplog.text
    show_alarms(tmp_path, [], [])
    assert json.loads((tmp_path / "alarms.json").read_bytes()) == []


def test_an_alarm_that_cannot_be_written_down_is_told_all_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    event = AlarmEvent(0, "z2m:room", "temperature", "limit-1", "high", "raised", "key", 9.0, NOW_MS, NOW_MS)
    show_alarms(tmp_path / "gone", [event], [event])
    assert "ALARM raised" in caplog.text
    assert "cannot be written" in caplog.text
