"""The gateway's time: whatever is done to the wall clock, it goes on; what was wrong is repaired once."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.timeline import TOLERANCE_MS, Anchor, Timeline
from tests.gateway.running import NOW_MS, HandClock

DAY_MS = 24 * 3600 * 1000


class Watched:
    """A timeline on a clock that is set by hand, and all that it tells."""

    def __init__(
        self,
        clock: HandClock,
        last: Anchor | None = None,
        floor_ms: int = 0,
        *,
        boot_id: str = "boot-1",
        is_synchronised: bool = False,
    ) -> None:
        self.clock = clock
        self.anchors: dict[int, Anchor] = {}
        self.shifts: list[tuple[int, int]] = []
        self.timeline = Timeline(clock, last, floor_ms, boot_id=boot_id, is_synchronised=lambda: is_synchronised)
        self._keep(self.timeline.anchor)
        self.timeline.on_anchor = self._keep
        self.timeline.on_shift = lambda delta_ms, since_ms: self.shifts.append((delta_ms, since_ms))

    def _keep(self, anchor: Anchor) -> None:
        self.anchors[anchor.number] = anchor

    @property
    def last(self) -> Anchor:
        return self.anchors[max(self.anchors)]


def test_time_begins_at_the_systems_wall_clock_and_is_trusted_when_the_network_sets_that() -> None:
    assert Watched(HandClock()).timeline.now_ms() == NOW_MS
    assert not Watched(HandClock()).timeline.is_trusted
    assert Watched(HandClock(), is_synchronised=True).timeline.is_trusted


def test_a_jump_of_the_wall_clock_moves_nothing_and_is_counted() -> None:
    one = Watched(HandClock(), is_synchronised=True)
    for jump_ms in (-3 * DAY_MS, 10 * 365 * DAY_MS):
        before_ms = one.timeline.now_ms()
        one.clock.at_ms += jump_ms
        one.clock.up_s += 1.0
        one.timeline.watch_system_clock()
        assert one.timeline.now_ms() == before_ms + 1000
    assert one.timeline.jumps == 2


def test_a_box_without_a_battery_never_begins_before_what_it_has_seen() -> None:
    clock = HandClock(NOW_MS - 14 * DAY_MS)
    one = Watched(clock, Anchor(4, "boot-0", NOW_MS - DAY_MS, 0, confirmed=True), NOW_MS, is_synchronised=True)
    assert one.timeline.now_ms() == NOW_MS
    assert not one.timeline.is_trusted  # the kernel says that it is synchronised, but its time cannot be true
    assert one.last.number == 5


def test_the_cloud_confirms_a_time_that_is_right_as_far_as_can_be_told() -> None:
    one = Watched(HandClock())
    one.timeline.heard_from_cloud(NOW_MS + 1900, 0.1)
    assert (one.timeline.is_trusted, one.shifts, one.last.confirmed) == (True, [], True)


def test_a_wrong_time_is_put_right_once_and_what_was_stored_under_it_is_repaired() -> None:
    one = Watched(HandClock(NOW_MS - 3 * DAY_MS))
    stored_ms = one.timeline.now_ms()
    one.clock.pass_by(60)
    one.timeline.heard_from_cloud(NOW_MS + 60_000 - 500, 1.0)  # it took half a second to come back
    assert one.timeline.now_ms() == NOW_MS + 60_000
    assert one.anchors[1].repaired(stored_ms) == NOW_MS
    assert one.anchors[1].repaired(stored_ms - 1) == stored_ms - 1  # of an earlier anchor: it was right
    assert one.shifts == [(3 * DAY_MS, stored_ms)]
    assert (one.last.number, one.last.repair_ms, one.last.confirmed) == (2, 0, True)
    one.timeline.heard_from_cloud(NOW_MS - 5 * DAY_MS, 0.1)  # a cloud that has lost its mind moves nothing any more
    assert one.timeline.now_ms() == NOW_MS + 60_000


def test_a_restart_of_the_process_goes_on_where_it_was_and_one_of_the_box_begins_anew() -> None:
    one = Watched(HandClock(NOW_MS - 3 * DAY_MS))
    one.timeline.heard_from_cloud(NOW_MS, 0.0)
    one.clock.pass_by(10)
    again = Watched(one.clock, one.last, NOW_MS)
    assert (again.timeline.now_ms(), again.timeline.is_trusted, again.last) == (NOW_MS + 10_000, True, one.last)
    started = Watched(HandClock(NOW_MS, up_s=5.0), one.last, NOW_MS, boot_id="boot-2")
    assert (started.last.number, started.timeline.is_trusted) == (one.last.number + 1, False)


def test_a_power_cut_in_the_middle_of_a_repair_repairs_no_row_twice() -> None:
    one = Watched(HandClock(NOW_MS - 3 * DAY_MS))
    one.timeline.heard_from_cloud(NOW_MS, 0.0)
    only_half = one.anchors[1]
    again = Watched(one.clock, only_half, NOW_MS)
    assert again.timeline.now_ms() == NOW_MS
    assert again.last.number == 2
    assert again.last.repaired(again.timeline.now_ms()) == NOW_MS


def test_a_quartz_that_drifts_is_slewed_too_slowly_to_change_an_order() -> None:
    one = Watched(HandClock())
    one.timeline.heard_from_cloud(NOW_MS, 0.0)
    told = [one.timeline.now_ms()]
    for second in range(1, 61):
        one.clock.pass_by(1)
        one.timeline.heard_from_cloud(NOW_MS + second * 1000 - 1500, 0.0)
        told.append(one.timeline.now_ms())
    assert told == sorted(told)
    assert abs(told[-1] - (NOW_MS + 60_000 - 1500)) < 50
    assert one.shifts == []


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("pass"), st.floats(0, 3600)),
            st.tuples(st.just("jump"), st.integers(-10 * 365 * DAY_MS, 10 * 365 * DAY_MS)),
            st.tuples(st.just("hear"), st.integers(-TOLERANCE_MS, TOLERANCE_MS)),
        ),
        max_size=30,
    )
)
def test_after_the_first_word_of_the_cloud_time_never_goes_back_and_stays_near_the_truth(
    steps: list[tuple[str, float]],
) -> None:
    clock = HandClock(NOW_MS - DAY_MS)
    one = Watched(clock)
    one.timeline.heard_from_cloud(NOW_MS, 0.0)
    started_s, before_ms = clock.up_s, one.timeline.now_ms()
    for what, amount in steps:
        true_ms = NOW_MS + round((clock.up_s - started_s) * 1000)
        match what:
            case "pass":
                clock.pass_by(amount)
            case "jump":
                clock.at_ms += int(amount)
                one.timeline.watch_system_clock()
            case "hear":
                one.timeline.heard_from_cloud(true_ms + int(amount), 0.0)
        now_ms = one.timeline.now_ms()
        assert now_ms >= before_ms
        assert abs(now_ms - (NOW_MS + (clock.up_s - started_s) * 1000)) <= TOLERANCE_MS + 2
        before_ms = now_ms
