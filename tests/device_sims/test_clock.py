import pytest

from device_sims.clock import WorldClock


def test_two_processes_with_one_speed_and_origin_read_one_time() -> None:
    first = WorldClock(60.0, 1_000_000, lambda: 1_002_500)
    second = WorldClock(60.0, 1_000_000, lambda: 1_002_500)
    assert first.now_ms() == second.now_ms() == 1_000_000 + 60 * 2_500


def test_at_its_origin_the_world_is_at_real_time() -> None:
    assert WorldClock(3600.0, 1_768_471_950_000, lambda: 1_768_471_950_000).now_ms() == 1_768_471_950_000


def test_an_hour_of_the_world_takes_a_minute_at_speed_sixty() -> None:
    assert WorldClock(60.0, 0).real_seconds(3600) == 60


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan")])
def test_a_world_that_stands_still_or_runs_back_is_refused(speed: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        WorldClock(speed, 0)
