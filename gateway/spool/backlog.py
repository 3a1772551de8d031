"""Which rows wait for the cloud: cursors and counts, in memory, told to the disk with the next commit.

A lane's rows lie between its cursor and its end. `readings` begins after `split`, `backlog` ends there. Holes are
sequences in between that no longer wait: settled while they still were `readings`, thinned, dropped, or spoilt.
"""

from collections.abc import Mapping

import msgspec

from gateway.contract import Lane
from gateway.spool.blocks import pack_readings, unpack_readings
from gateway.spool.store import LANES, Store

_SPLIT = "split"
_HOLES = "holes"


def table_of(lane: Lane) -> Lane:
    """Where a lane's rows lie."""
    return "readings" if lane == "backlog" else lane


class Backlog:
    """All lanes. Changed on the event loop; what a transaction is to write is taken along as a snapshot."""

    def __init__(self, store: Store) -> None:
        self._acked: dict[Lane, int] = {lane: store.acked_through(lane) for lane in LANES}
        self._split = store.number(_SPLIT)
        self._holes = [(first, last) for first, last in msgspec.json.decode(store.meta(_HOLES) or "[]")]
        self._last: dict[Lane, int] = {}
        self._unforgotten: set[Lane] = set()
        self.committed(store.last)

    @property
    def split(self) -> int:
        """The last sequence of the backlog."""
        return self._split

    def committed(self, last: Mapping[Lane, int]) -> None:
        """The tables end here now."""
        self._last = dict(last)

    def range_of(self, lane: Lane) -> tuple[int, int]:
        """(after, through): where a lane's waiting rows lie, as far as they have been told to be on disk."""
        after = max(self._acked[lane], self._split) if lane == "readings" else self._acked[lane]
        return after, self.last_sequence(lane)

    def last_sequence(self, lane: Lane) -> int:
        """The highest sequence ever given; of the backlog its end."""
        return self._split if lane == "backlog" else self._last[lane]

    def waiting(self, lane: Lane) -> int:
        """How many rows wait."""
        after, _ = self.range_of(lane)
        last = self.last_sequence(lane)
        holes = 0
        if table_of(lane) == "readings":
            holes = sum(max(0, min(last, end) - max(after, first - 1)) for first, end in self._holes)
        return max(0, last - after - holes)

    def settle(self, lane: Lane, through: int) -> None:
        """The cloud has settled a lane's rows up to `through`."""
        if through > self._acked[lane]:
            self._acked[lane] = through
            self._unforgotten.add(lane)

    def unforgotten(self) -> dict[Lane, int]:
        """What the disk does not know yet: lane -> settled through."""
        return {lane: self._acked[lane] for lane in self._unforgotten}

    def forgotten(self, told: Mapping[Lane, int]) -> None:
        """The disk knows this much now."""
        self._unforgotten -= {lane for lane, through in told.items() if through == self._acked[lane]}

    def was_split(self, at: int, settled: int) -> None:
        """The disk has moved what waited up to `at`; up to `settled` nothing waited any more."""
        self._holes = self.holes_with((self._split + 1, settled))
        self._split = at

    def holes_with(self, *more: tuple[int, int]) -> list[tuple[int, int]]:
        """The holes, and some more."""
        return _with([*self._holes, *more], self._acked["backlog"])

    def dug(self, holes: list[tuple[int, int]]) -> None:
        """The disk has these holes now."""
        self._holes = holes

    def cursors(self) -> dict[Lane, int]:
        """Of each lane, and of the split under its name."""
        return dict(self._acked)


def forget(store: Store, settled: Mapping[Lane, int], split: int) -> None:
    """Delete what the cloud has settled."""
    for lane, through in settled.items():
        store.delete(table_of(lane), split if lane == "readings" else 0, through)
        store.save_acked(lane, through)


def move(store: Store, settled: int, split: int, holes: list[tuple[int, int]]) -> int:
    """Make what waits in `readings` backlog; returns the new split.

    Args:
        settled: the last sequence of `readings` that the cloud has settled.
        split: the old one.
    """
    at = max(store.last["readings"], split)
    store.delete("readings", split, settled)
    for block in list(store.blocks("readings", settled, settled)):  # at most one: it began before and ends after
        rest = unpack_readings(block).cut(settled + 1 - block.first, block.rows)
        store.replace("readings", block, [pack_readings(settled + 1, block.anchor, rest)])
    store.save_meta(_SPLIT, str(at))
    save_holes(store, holes)
    return at


def save_holes(store: Store, holes: list[tuple[int, int]]) -> None:
    """Keep them."""
    store.save_meta(_HOLES, msgspec.json.encode(holes).decode())


def _with(holes: list[tuple[int, int]], done: int) -> list[tuple[int, int]]:
    """Ranges that do not overlap, in order, joined where they touch; those at or below `done` are no holes any more."""
    joined: list[tuple[int, int]] = []
    for first, last in sorted(holes):
        if last < first or last <= done:
            continue
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return joined
