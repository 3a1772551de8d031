"""Whatever a lane sends, in whatever slices and however often: what is stored is what the cursor lets in, once."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from cloud_api.kernel import clock
from tests.factories.batches import make_epoch, make_reading, make_series, send, stored_rows
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.properties import FEW
from tests.factories.stores import ColdStore
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

#: (sequence, whether it can be read)
Wanted = tuple[int, bool]
batches = st.lists(
    st.lists(st.tuples(st.integers(1, 24), st.sampled_from([True, True, True, False])), min_size=1, max_size=8),
    min_size=1,
    max_size=6,
)


@dataclass
class Model:
    """What a lane should come to, in the plainest words."""

    acked_through: int = 0
    stored: set[int] = field(default_factory=set)
    #: refused when they came first
    unread: set[int] = field(default_factory=set)

    def take(self, batch: list[Wanted]) -> tuple[int, int, int, int]:
        settled, accepted, duplicates, refused = set[int](), 0, 0, 0
        for sequence, readable in batch:
            if sequence <= self.acked_through or sequence in settled:
                passed_over = readable and sequence not in self.stored | self.unread
                duplicates += not passed_over
                refused += passed_over
                continue
            settled.add(sequence)
            accepted += readable
            refused += not readable
            (self.stored if readable else self.unread).add(sequence)
        self.acked_through = max(settled, default=self.acked_through)
        return self.acked_through, accepted, duplicates, refused


@FEW
@given(sent=batches)
async def test_each_row_above_the_cursor_is_stored_once_and_the_counts_are_true(
    farm: Platform, store: ColdStore, sent: list[list[Wanted]]
) -> None:
    model, epoch, now_ms = Model(), make_epoch(), clock.now_ms()
    for batch in sent:
        rows = [make_reading(sequence, float(sequence) if readable else None, now_ms) for sequence, readable in batch]  # type: ignore[arg-type]
        answer = await send(farm, store, rows, epoch=epoch)
        counted = (answer["acked_through"], answer["accepted"], answer["duplicates"], len(answer["refused"]))
        assert counted == model.take(batch)
    stored = await stored_rows(farm, store, epoch=epoch)
    assert [(sequence, value) for sequence, _, value in stored] == [(s, float(s)) for s in sorted(model.stored)]


@FEW
@given(cuts=st.lists(st.integers(0, 30), max_size=5), replays=st.lists(st.integers(0, 30), max_size=4))
async def test_a_spool_that_goes_back_and_sends_again_loses_and_doubles_nothing(
    farm: Platform, store: ColdStore, cuts: list[int], replays: list[int]
) -> None:
    epoch = make_epoch()
    rows = make_series(map(float, range(1, 31)))
    sent = 0
    for upto in [*sorted(cuts), 30]:
        start = min([sent, *replays[:1]])
        replays = replays[1:]
        if rows[start:upto]:
            answer = await send(farm, store, rows[start:upto], epoch=epoch)
            assert (answer["acked_through"], answer["accepted"]) == (max(sent, upto), max(0, upto - sent))
        sent = max(sent, upto)
    assert [sequence for sequence, _, _ in await stored_rows(farm, store, epoch=epoch)] == list(range(1, 31))
