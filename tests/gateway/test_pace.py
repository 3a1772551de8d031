"""Back-off, sizes and pace: pure, so that whole fleets fit in a test."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.backoff import Backoff
from gateway.uplink.pace import BatchSize, Pace

FLEET = 1_000


def test_the_delay_grows_to_five_minutes_and_is_jittered() -> None:
    backoff = Backoff()
    delays = [backoff.next_delay_s() for _ in range(60)]
    assert all(0 <= delay <= min(300, 2**n) for n, delay in enumerate(delays))
    assert len(set(delays)) > 50
    backoff.reset()
    assert backoff.next_delay_s() <= 1


@settings(deadline=None, max_examples=10)
@given(failures=st.integers(6, 20), asked_s=st.sampled_from([0.0, 5.0, 60.0, 300.0]))
def test_a_fleet_does_not_come_back_at_once(failures: int, asked_s: float) -> None:
    """No second has more than a tenth of it, also when the cloud has told all of them the same."""
    moments: Counter[int] = Counter()
    for _ in range(FLEET):
        backoff = Backoff()
        for _ in range(failures):
            backoff.next_delay_s()
        moments[int(backoff.next_delay_s(asked_s))] += 1
    assert max(moments.values()) < FLEET / 10
    assert min(moments) >= asked_s


def test_a_cloud_that_asks_for_an_hour_of_peace_with_its_first_no_gets_it_from_all_but_not_until_one_moment() -> None:
    moments = Counter(int(Backoff().next_delay_s(300.0)) for _ in range(FLEET))
    assert min(moments) >= 300
    assert len(moments) > 100


def test_a_quick_cloud_is_not_waited_for() -> None:
    pace, now_s, rows = Pace(), 0.0, 0
    while now_s < 2.0:
        now_s += pace.delay_s(now_s)
        pace.spend(2_000, now_s)
        now_s += 0.03
        pace.answered(2_000, 0.03, now_s)
        rows += 2_000
    assert rows > 55_000, "half a second to find out, then 66,000 rows/s, all there is"
    assert pace.delay_s(now_s) == 0


def test_the_backlog_gives_way_when_live_answers_become_slow() -> None:
    pace, now_s = Pace(), 0.0
    for _ in range(20):
        now_s += pace.delay_s(now_s)
        pace.spend(2_000, now_s)
        now_s += 0.05
        pace.answered(2_000, 0.05, now_s)
        pace.live_answered(0.02, now_s)
    before = pace.rows_per_s
    for _ in range(16):
        now_s += 2.0
        pace.live_answered(1.5, now_s)
    assert pace.rows_per_s < before / 1000
    assert pace.delay_s(now_s) > 0
    slowest = pace.rows_per_s
    for _ in range(10):
        now_s += pace.delay_s(now_s)
        pace.spend(2_000, now_s)
        pace.answered(2_000, 0.05, now_s)
    assert pace.rows_per_s > slowest * 10, "and comes back"


def test_several_signs_of_one_queue_count_once() -> None:
    pace = Pace()
    pace.live_answered(0.01, 0.0)
    before = pace.rows_per_s
    for _ in range(5):
        pace.live_answered(2.0, 0.1)
    assert pace.rows_per_s == before / 2


def test_a_satellites_delay_is_no_queue() -> None:
    pace, size = Pace(), BatchSize(2_000)
    for n in range(300):
        assert n < 10 or size.rows == 2_000
        pace.answered(2_000, 1.8 + n % 3 / 10, n * 2.0)
        size.taken(2_000, 10_000, 1.8 + n % 3 / 10)
    assert pace.rows_per_s > 100_000
    assert size.rows == 2_000


@given(bytes_per_s=st.floats(1_000, 10_000_000))
def test_a_slow_line_is_not_blocked_for_long_by_one_batch(bytes_per_s: float) -> None:
    size = BatchSize(2_000)
    for _ in range(40):
        rows = size.rows
        size.taken(rows, rows * 5, 0.05 + rows * 5 / bytes_per_s)
    assert size.rows * 5 / bytes_per_s < 2.6


def test_a_timeout_makes_batches_smaller_and_success_makes_them_grow_again() -> None:
    size = BatchSize(2_000)
    for _ in range(20):
        size.unanswered(size.rows)
    assert size.rows == 50
    for _ in range(6):
        size.taken(size.rows, 500, 0.1)
    assert size.rows == 2_000


def test_batches_of_large_rows_are_shorter() -> None:
    size = BatchSize(2_000)
    for _ in range(8):
        size.taken(size.rows, size.rows * 300, 0.1)
    assert 500 < size.rows < 1_000


@pytest.mark.parametrize("rows", [2_000, 7, 2, 1])
def test_what_is_too_large_stays_too_large(rows: int) -> None:
    size = BatchSize(2_000)
    size.too_large(rows)
    for _ in range(20):
        size.taken(size.rows, 10, 0.01)
    assert size.rows == max(1, rows // 2)
