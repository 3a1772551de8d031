"""What goes to disk in one commit, and who waits for it."""

import asyncio
import sqlite3
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from gateway.contract import Lane
from gateway.rules import StateDict
from gateway.spool.blocks import Columns, Event, empty
from gateway.spool.store import DeadLetter, RuleKey, SeriesKey, Store

T = TypeVar("T")
Settled = Callable[[sqlite3.Error | None], None]

#: a sensor repeats a message within minutes; this many identities are remembered
MAX_IDENTITIES = 32_768


class Group:
    """What goes to disk in one commit."""

    def __init__(self, anchor: int) -> None:
        self.anchor = anchor
        self.readings = empty()
        self.events: dict[Lane, list[Event]] = {}
        #: packed when the timeline began a new anchor in the middle of the group
        self.earlier: list[tuple[int, Columns, dict[Lane, list[Event]]]] = []
        #: those that are new, with their numbers
        self.series: list[tuple[int, SeriesKey]] = []
        self.identities: list[int] = []
        self.known: dict[str, str] = {}
        self.states: list[tuple[RuleKey, StateDict | None]] = []
        self.dead_letters: list[DeadLetter] = []
        self.settled: list[Settled] = []
        self.messages = 0
        self.jobs: list[Job[object]] = []
        #: why it was not committed
        self.error: sqlite3.Error | None = None

    def turn(self, anchor: int) -> None:
        """Rows from here on are of another anchor."""
        self.earlier.append((self.anchor, self.readings, self.events))
        self.anchor, self.readings, self.events = anchor, empty(), {}

    def parts(self) -> list[tuple[int, Columns, dict[Lane, list[Event]]]]:
        """(anchor, readings, other rows), in order."""
        return [*self.earlier, (self.anchor, self.readings, self.events)]

    def write(self, store: Store, max_dead_letters: int) -> None:
        """All but the jobs, in the transaction of the caller."""
        if self.series:
            store.add_series(self.series)
        for anchor, readings, events in self.parts():
            if readings.series:
                store.append_readings(anchor, readings)
            for lane, rows in events.items():
                store.append_events(lane, anchor, rows)
        if self.states:
            store.save_alarm_states(self.states)
        if self.identities:
            store.add_identities(self.identities, MAX_IDENTITIES)
        if self.known:
            store.add_known(self.known)
        if self.dead_letters:
            store.add_dead_letters(self.dead_letters, max_dead_letters)


class Job(Generic[T]):
    """Something slow to do in the transaction, and who waits for it."""

    def __init__(self, work: Callable[[Store], T], future: "asyncio.Future[T]") -> None:
        self.work = work
        self.future = future
        self.result: T
        self.error: sqlite3.Error | None = None

    def settle(self) -> None:
        if self.future.done():
            return
        if self.error:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class Remembered(NamedTuple):
    """What the pipeline keeps in memory, as the disk has it."""

    series: list[SeriesKey]
    states: dict[RuleKey, StateDict]
    identities: list[int]
    known: dict[str, str]

    @classmethod
    def of(cls, store: Store) -> "Remembered":
        """Read it."""
        return cls(store.series(), store.alarm_states(), store.identities(), store.known())
