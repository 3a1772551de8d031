"""Passages are the same in whatever order, and in however many portions, their reads come."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from cloud_api.inventory.sightings.portals.spans import Span, groups, joined

MIDNIGHT = datetime(2026, 1, 31, tzinfo=UTC)
WINDOW = timedelta(seconds=30)

reads = st.builds(
    lambda second, antenna, told: Span(
        MIDNIGHT + timedelta(seconds=second), MIDNIGHT + timedelta(seconds=second), 1, antenna, antenna, told
    ),
    st.integers(0, 600),
    st.sampled_from([None, 1, 2]),
    st.sampled_from(["unknown", "in", "out"]),
)


def passages(portions: Sequence[Sequence[Span]]) -> list[Span]:
    """What is known when one portion came after the other."""
    known: list[Span] = []
    for portion in portions:
        known = [joined(group) for group in groups([*known, *portion], WINDOW)]
    return known


@given(st.lists(reads, max_size=30), st.randoms(use_true_random=False), st.lists(st.integers(0, 30), max_size=5))
def test_shuffled_and_divided_reads_make_the_same_passages(seen: list[Span], random: Random, cuts: list[int]) -> None:
    in_order = passages([sorted(seen, key=lambda read: read.began_at)])
    shuffled = list(seen)
    random.shuffle(shuffled)
    ends = [0, *sorted(min(cut, len(seen)) for cut in cuts), len(seen)]
    portions = [shuffled[begin:end] for begin, end in pairwise(ends)]

    assert passages(portions) == in_order
    assert sum(passage.reads for passage in in_order) == len(seen)
    for earlier, later in pairwise(in_order):
        assert later.began_at - earlier.ended_at > WINDOW


@given(st.lists(reads, min_size=1, max_size=30))
def test_within_a_passage_no_read_is_further_from_the_next_than_the_window(seen: list[Span]) -> None:
    for group in groups(seen, WINDOW):
        times = sorted(read.began_at for read in group)
        assert all(later - earlier <= WINDOW for earlier, later in pairwise(times))


def test_the_antennas_that_saw_a_tag_first_and_last_are_kept() -> None:
    def at(second: int, antenna: int) -> Span:
        instant = MIDNIGHT + timedelta(seconds=second)
        return Span(instant, instant, 1, antenna, antenna)

    whole = joined([at(5, 2), at(1, 1), at(3, 1)])
    assert (whole.first_antenna, whole.last_antenna, whole.reads) == (1, 2, 3)
    assert joined([at(1, 2), at(1, 1)]) == joined([at(1, 1), at(1, 2)])
