"""The wall clock of the box jumps by days and by years; its monotonic clock goes on."""

import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.faults.site import Site

DAY_S = 86_400


class WrongClock:
    """What Debian's libfaketime shows to a program in place of the time."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.ahead_s(0)

    def ahead_s(self, seconds: int) -> None:
        """Jump; a program that reads while this is written sees the old or the new time."""
        fresh = self._file.with_name(self._file.name + ".new")
        fresh.write_text(f"{seconds:+d}s\n")
        fresh.replace(self._file)

    def environment(self) -> Mapping[str, str]:
        """For the program."""
        libraries = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
        if not libraries:
            pytest.fail("libfaketime is not installed: run make test, or apt-get install faketime", pytrace=False)
        return {
            "LD_PRELOAD": str(libraries[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }


def config() -> dict[str, object]:
    """Alarms for what a wrong clock would make of good readings."""
    series = {"sensor": "z2m:sensor-000", "quantity": "temperature"}
    watches = [
        {"rule": "silent", **series, "kind": "silent", "duration_s": 60.0},
        {"rule": "rising", **series, "kind": "rising", "duration_s": 3600.0, "change": 0.5},
    ]
    limit = {"rule": "high", **series, "kind": "high", "set_at": 8.0, "clear_at": 7.0, "duration_s": 60.0}
    return {"version": 2, "limits": [limit], "watches": watches}


def test_a_clock_that_jumps_three_days_back_and_ten_years_on_moves_nothing(site: Site, tmp_path: Path) -> None:
    clock = WrongClock(tmp_path / "clock")
    site.environment = clock.environment()
    site.cloud.ask("configure", config=config())
    site.start()
    site.send(rate=500)
    for ahead_s in (-3 * DAY_S, 10 * 365 * DAY_S, 0):
        site.wait_for_messages(500)
        clock.ahead_s(ahead_s)
    clock.ahead_s(10 * 365 * DAY_S)
    site.wait_for_messages(500)
    site.kill()  # the next one starts with a wrong clock
    site.start()
    site.wait_for_messages(500)
    seen = site.verdict()
    assert seen["alarms"] == []
    assert seen["heartbeat"]["clock"] == "trusted"


def test_recorded_times_are_right_within_a_second_whatever_the_wall_clock_says(site: Site, tmp_path: Path) -> None:
    clock = WrongClock(tmp_path / "clock")
    clock.ahead_s(-3 * DAY_S)  # a box without a battery wakes up in the past
    site.environment = clock.environment()
    site.start()
    site.send(rate=500)
    site.wait_for_messages(500)
    clock.ahead_s(10 * 365 * DAY_S)
    site.wait_for_messages(500)
    began_s = time.monotonic()
    seen = site.verdict()
    took_ms = (time.monotonic() - began_s) * 1000
    on_the_way_ms = [int(latency) for latency in seen["latencies_ms"]]
    assert min(on_the_way_ms) > -1000
    assert max(on_the_way_ms) < 10_000 + took_ms
