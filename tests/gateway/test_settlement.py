from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.contract import BatchAnswer, ReadingColumns, Refusal, TagRead
from gateway.spool.outgoing import Outgoing
from gateway.uplink.couriers import Doubt
from gateway.uplink.settlement import Implausible, behind, rows_through, settle
from tests.gateway.running import NOW_MS, tag_read

EPOCH = "ab" * 16


def batch_of(*runs: tuple[int, int]) -> Outgoing:
    """Readings with the sequences of these runs (first, how many); a row's value is its sequence."""
    sequences = [first + n for first, count in runs for n in range(count)]
    times_ms = [NOW_MS, *range(1, len(sequences))]
    series = [("z2m:room", "temperature", "Cel")]
    columns = ReadingColumns(series, [0] * len(sequences), list(runs), times_ms, [float(n) for n in sequences])
    return Outgoing("readings", EPOCH, sequences[0], sequences[-1], len(sequences), NOW_MS, NOW_MS, columns)


def events_of(*sequences: int) -> Outgoing:
    events = [TagRead(n, "zebra:gate", tag_read(n).epc, NOW_MS) for n in sequences]
    return Outgoing("tags", EPOCH, sequences[0], sequences[-1], len(sequences), NOW_MS, NOW_MS, None, events)


def answer(acked: int, accepted: int = 0, duplicates: int = 0, *refused: Refusal) -> BatchAnswer:
    return BatchAnswer(acked, accepted, duplicates, [*refused], NOW_MS, 1)


def refusal(row: int, sequence: int | None = None) -> Refusal:
    return Refusal(row, sequence, "INVALID_ROW", "value", "is too much")


@pytest.mark.parametrize("batch", [batch_of((5, 2), (9, 3)), events_of(5, 6, 9, 10, 11)])
def test_what_is_accounted_for_is_settled(batch: Outgoing) -> None:
    assert settle(batch, answer(11, 5), 20) == (11, {})
    assert settle(batch, answer(11, 2, 3), 20) == (11, {})
    assert settle(batch, answer(9, 3), 20) == (9, {})
    assert settle(batch, answer(8, 2), 20) == (8, {}), "which is a hole in the batch"
    assert settle(batch, answer(17, 0, 5), 20) == (11, {}), "an answer was lost before"
    reason = "INVALID_ROW value: is too much"
    assert settle(batch, answer(11, 3, 0, refusal(0, 5), refusal(2)), 20) == (11, {5: reason, 9: reason})


@pytest.mark.parametrize(
    "wrong",
    [
        answer(4, 5),
        answer(0),
        answer(-1, 5),
        answer(11, 4),
        answer(11, 6),
        answer(11),
        answer(9, 5),
        answer(14, 5),
        answer(14, 1, 4),
        answer(21, 0, 5),
        answer(10**12, 0, 5),
        answer(11, 4, 0, refusal(5)),
        answer(11, 4, 0, refusal(-1)),
        answer(11, 4, 0, refusal(2, 10)),
        answer(9, 2, 0, refusal(4)),
    ],
)
@pytest.mark.parametrize("batch", [batch_of((5, 2), (9, 3)), events_of(5, 6, 9, 10, 11)])
def test_an_answer_that_cannot_be_true_settles_nothing(batch: Outgoing, wrong: BatchAnswer) -> None:
    with pytest.raises(Implausible):
        settle(batch, wrong, 20)


@given(
    runs=st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=1, max_size=5),
    sequence=st.integers(0, 60),
    is_columns=st.booleans(),
)
def test_a_batch_is_cut_between_rows(runs: list[tuple[int, int]], sequence: int, is_columns: bool) -> None:
    """`runs` are (how many are missing before, how many there are)."""
    ends = [*accumulate(gap + count for gap, count in runs)]
    absolute = [(end - count + 1, count) for end, (_, count) in zip(ends, runs, strict=True)]
    sequences = [first + n for first, count in absolute for n in range(count)]
    whole = batch_of(*absolute) if is_columns else events_of(*sequences)
    kept = [n for n in sequences if n > sequence]
    rest = behind(whole, sequence)
    assert rows_through(whole, sequence) == len(sequences) - len(kept)
    assert (rest is None) == (not kept)
    if rest is not None:
        assert [rest.sequence_of(row) for row in range(rest.rows)] == kept
        assert (rest.first, rest.last) == (kept[0], kept[-1])
        if rest.columns is not None and whole.columns is not None:
            assert rest.columns.values == [float(n) for n in kept]
            times_ms = [*accumulate(whole.columns.times_ms)]
            assert [*accumulate(rest.columns.times_ms)] == times_ms[-len(kept) :]
            assert len(rest.columns.rows) == len(kept)


def test_before_the_first_good_answers_all_is_in_doubt() -> None:
    doubt = Doubt(EPOCH, under_way=10)
    assert not doubt.is_over
    doubt.taken(batch_of((1, 10)), 10, left=90)
    assert not doubt.is_over, "the process before may have sent ten rows from there"
    doubt.taken(batch_of((11, 9)), 19, left=81)
    assert not doubt.is_over
    doubt.taken(batch_of((20, 1)), 20, left=80)
    assert doubt.is_over


def test_when_nothing_is_left_nothing_is_in_doubt() -> None:
    doubt = Doubt(EPOCH)
    doubt.taken(batch_of((1, 3)), 3, left=0)
    assert doubt.is_over


def test_a_lost_batch_is_in_doubt_until_its_last_row_is_acknowledged() -> None:
    doubt = Doubt(EPOCH, under_way=0)
    doubt.taken(batch_of((1, 3)), 3, left=9)
    doubt.lost(batch_of((4, 6)))
    doubt.taken(batch_of((4, 3)), 6, left=6)
    assert not doubt.is_over, "a late copy could still bring 7 to 9"
    doubt.taken(batch_of((7, 3)), 9, left=3)
    assert doubt.is_over


def test_an_answer_beyond_its_batch_ends_no_doubt() -> None:
    doubt = Doubt(EPOCH, under_way=0)
    doubt.taken(batch_of((1, 3)), 30, left=9)
    assert not doubt.is_over
    doubt.taken(batch_of((1, 3)), 3, left=9)
    doubt.lost(batch_of((4, 6)))
    doubt.taken(batch_of((4, 3)), 30, left=6)
    assert not doubt.is_over
