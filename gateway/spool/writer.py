"""The durable queue: what is committed here has been promised to the sensor.

`Spool` is the only writer of its file. What arrives is collected in a `Group` on the event loop, and all that arrived
during one commit goes to disk with the next (group commit), on a thread, with `synchronous=FULL`. Whoever waits is told
after the COMMIT, in the order of submission.

Memory is a cache of the disk. When a commit fails, the group and all that was collected meanwhile are refused, and what
the pipeline remembered of them is thrown away and read again: the sensors, not acknowledged, send them again.

Each commit costs a memory card some pages. Small groups are therefore rationed: while there is an allowance they are
committed at once; without it they wait a moment for company. Alarms never wait.
"""

import asyncio
import contextlib
import logging
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import msgspec

from gateway.contract import Gap, Lane
from gateway.spool import backlog, retention, salvage
from gateway.spool.backlog import Backlog
from gateway.spool.blocks import Block
from gateway.spool.group import Group, Job, Remembered
from gateway.spool.outgoing import Assembly, Outgoing, letters_of
from gateway.spool.store import TABLES, SeriesKey, Store, open_reader, open_store
from gateway.timeline import Anchor

_log = logging.getLogger(__name__)

T = TypeVar("T")
#: a group of this many messages is worth a commit at any time
_COMPANY = 8
#: smaller groups: so many commits a second in the long run, so many at once
_COMMITS_PER_S = 2.0
_COMMITS_AT_ONCE = 20.0
#: of messages whose sender waits for us to send the next
_AWAITED_AT_ONCE = 2000.0
#: what the cloud has settled is forgotten with the next group, or after this long
_FORGET_AFTER_S = 2.0
#: how many commits may pass between two looks at the quota
_LOOK_EVERY = 64
#: how often thinning is tried before a group is given up
_ROUNDS = 20
_NEWEST = "newest_ms"


class Counters(msgspec.Struct):
    """Since the process started."""

    commits: int = 0
    failures: int = 0
    salvages: int = 0


class Spool:
    """The one writer. Use `open_spool`; `run()` must be running for anything to be written."""

    def __init__(self, folder: Path, store: Store, *, max_mb: int, max_dead_letters: int, linger_s: float) -> None:
        self.folder = folder
        self.counters = Counters()
        self.commit_ms: deque[float] = deque(maxlen=1000)
        self.room = retention.Room(folder, max_mb * 1024 * 1024)
        #: told how many rows each lane has gained
        self.on_committed: Callable[[Mapping[Lane, int]], None] = lambda _: None
        #: told after a failed commit, before anything else is taken
        self.on_lost: Callable[[Remembered], None] = lambda _: None
        #: set when there is a file to be salvaged
        self.spoilt = asyncio.Event()
        self._max_mb = max_mb
        self._max_dead_letters = max_dead_letters
        self._linger_s = linger_s
        self._work = asyncio.Event()
        self._company = asyncio.Event()
        self._tokens = _COMMITS_AT_ONCE
        self._patience = _AWAITED_AT_ONCE
        self._tokens_at_s = time.monotonic()
        self._thread = ThreadPoolExecutor(1, "spool")
        self._reading = ThreadPoolExecutor(1, "spool-reader")
        self._failed: sqlite3.Error | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._adopt(store)
        self.group = Group(max(self.anchors, default=0))

    def _adopt(self, store: Store) -> None:
        self._store = store
        self._reader = open_reader(self.folder)
        #: 32 hexadecimal digits, drawn when the file was created
        self.epoch = store.meta("epoch") or ""
        self.backlog = Backlog(store)
        self.series = store.series()
        self.anchors = {anchor.number: anchor for anchor in store.anchors()}
        self._has_salvaged = bool(store.salvaged(1))
        self._salvaged_pieces = 0
        if salvage.spoilt_files(self.folder):
            self.spoilt.set()

    # what the pipeline needs

    @property
    def failed(self) -> sqlite3.Error | None:
        """Why nothing can be taken just now; None when all is well."""
        return self._failed

    def remembered(self) -> Remembered:
        """What the disk has; to be asked before `run`."""
        return Remembered.of(self._store)

    def newest_ms(self) -> int:
        """A time that this gateway has given to a row, as new as can be told; 0 before the first."""
        return self._store.number(_NEWEST)

    def keep_anchor(self, anchor: Anchor) -> None:
        """The timeline has begun an anchor, or has repaired or confirmed one."""
        self.anchors[anchor.number] = anchor
        if anchor.number > self.group.anchor:
            self.group.turn(anchor.number)
        self._later(lambda store: store.save_anchor(anchor))

    def keep_time(self, now_ms: int) -> None:
        """So late it is: after a restart the time begins no earlier."""
        self._later(lambda store: store.save_meta(_NEWEST, str(now_ms)))

    def number_of(self, key: SeriesKey) -> int:
        """A number for a series that has none yet."""
        number = len(self.series)
        self.series.append(key)
        self.group.series.append((number, key))
        return number

    def wake(self, *, is_urgent: bool = False, is_awaited: bool = False) -> None:
        """The group has something to write; what is urgent does not wait for company.

        Nor does, for a while, what is awaited: a sensor that sends its memory one message at a time has no company.
        """
        self._work.set()
        if is_awaited and self._patience >= 1:
            self._patience -= 1
            self._company.set()
        if is_urgent or self.group.messages >= _COMPANY:
            self._company.set()

    # what everybody else needs

    def submit(self, work: Callable[[Store], T]) -> "asyncio.Future[T]":
        """Run `work` in the next transaction; the future has its result once that is committed.

        It may be run twice (when a neighbour in its transaction fails), so it must do nothing but use the store and
        return. The future raises sqlite3.Error when the disk does not take it.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self.group.jobs.append(Job(work, future))  # type: ignore[arg-type]  # lists are invariant, jobs are not mixed up
        self._work.set()
        self._company.set()
        return future

    def waiting(self, lane: Lane) -> int:
        """How many rows of a lane the cloud has not settled; what was salvaged counts as one of the backlog."""
        return self.backlog.waiting(lane) + (lane == "backlog" and self._has_salvaged)

    def last_sequence(self, lane: Lane) -> int:
        """The highest sequence ever given in a lane; 0 before the first."""
        return self.backlog.last_sequence(lane)

    async def next_batch(self, lane: Lane, limit: int) -> Outgoing | None:
        """The oldest rows of a lane that wait, at most `limit`; before the backlog, what was salvaged.

        Raises:
            sqlite3.Error: the file cannot be read just now.
        """
        loop = asyncio.get_running_loop()
        while True:
            try:
                if lane == "backlog" and self._has_salvaged:
                    pieces = self._salvaged_pieces
                    salvaged = await loop.run_in_executor(self._reading, self._assemble_salvaged, limit)
                    if salvaged is not None:
                        return salvaged
                    self._has_salvaged = pieces != self._salvaged_pieces  # more may have come meanwhile
                after, through = self.backlog.range_of(lane)
                return await loop.run_in_executor(self._reading, self._assemble, lane, after, through, limit)
            except msgspec.DecodeError as error:
                _log.error("spool: %s", error)
                await self._bury_unreadable(lane)
            except sqlite3.DatabaseError as error:
                if salvage.is_spoilt(error):
                    self._failed = error
                    self.submit(lambda _: None).add_done_callback(lambda done: done.exception())
                raise

    async def acknowledge(self, batch: Outgoing, through: int, refused: Mapping[int, str]) -> None:
        """The cloud has settled the batch's rows up to `through`: forget them, but keep the refused as dead letters.

        `refused` is sequence -> reason. The rows leave the disk with the next group; until then they may be sent
        again after a power cut, and the cloud knows them.
        """
        letters = [letter for letter in letters_of(batch, refused) if letter[0] <= through]
        if letters:
            buried = [letter for _, letter in letters]
            await self.submit(lambda store: store.add_dead_letters(buried, self._max_dead_letters))
        if batch.epoch != self.epoch:
            await self.submit(lambda store: store.delete_salvaged(batch.epoch, batch.lane, through))
            return
        self.backlog.settle(batch.lane, through)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_FORGET_AFTER_S, self._forget)

    async def split(self) -> None:
        """What waits in `readings` moves to `backlog`, where it keeps its sequences."""
        settled, split = self.backlog.range_of("readings")[0], self.backlog.split
        holes = self.backlog.holes_with((split + 1, settled))
        at = await self.submit(lambda store: backlog.move(store, settled, split, holes))
        self.backlog.was_split(at, settled)
        await asyncio.to_thread(salvage.keep_split, self.folder, salvage.Split(self.epoch, at))

    async def add_salvaged(self, rows: Sequence[tuple[str, Lane, Block]], gaps: Sequence[Gap]) -> None:
        """Keep what was read out of a spoilt file, and say what could not be."""
        anchor = self.group.anchor

        def add(store: Store) -> None:
            for epoch, lane, block in rows:
                store.add_salvaged(epoch, lane, block)
            if gaps:
                store.append_events("gaps", anchor, gaps)

        await self.submit(add)
        self._has_salvaged = True
        self._salvaged_pieces += 1
        self.on_committed({"backlog": len(rows)})

    async def run(self) -> None:
        """Commit for ever."""
        loop = asyncio.get_running_loop()
        while True:
            await self._work.wait()
            await self._wait_for_company()
            self._work.clear()
            self._company.clear()
            group, self.group = self.group, Group(self.group.anchor)
            settled = self.backlog.unforgotten()
            await loop.run_in_executor(self._thread, self._commit, group, settled)
            if group.error is None:
                self.backlog.forgotten(settled)
                self._committed(group)
            else:
                await self._recover(group, group.error)

    def close(self) -> None:
        """Let the commit that is under way end, forget what was settled, close the file."""
        if self._timer is not None:
            self._timer.cancel()
        self._thread.shutdown()
        self._reading.shutdown()
        last = Group(self.group.anchor)
        self._commit(last, self.backlog.unforgotten())
        if last.error is not None:  # what is not forgotten is sent again, and known to the cloud
            _log.warning("spool: the last acknowledgements were not kept: %s", last.error)
        self._reader.connection.close()
        self._store.connection.close()

    # on the event loop

    async def _wait_for_company(self) -> None:
        now_s = time.monotonic()
        earned = (now_s - self._tokens_at_s) * _COMMITS_PER_S
        self._tokens = min(_COMMITS_AT_ONCE, self._tokens + earned)
        self._patience = min(_AWAITED_AT_ONCE, self._patience + earned)
        self._tokens_at_s = now_s
        if self._company.is_set():
            return
        if self._tokens < 1:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._linger_s):
                    await self._company.wait()
        self._tokens = max(0.0, self._tokens - 1)

    def _later(self, work: Callable[[Store], None]) -> None:
        """Like `submit`, for those who need not know when; a failure is retried."""

        def again(done: "asyncio.Future[None]") -> None:
            if not done.cancelled() and done.exception() is not None:
                asyncio.get_running_loop().call_later(_FORGET_AFTER_S, self._later, work)

        self.submit(work).add_done_callback(again)

    def _forget(self) -> None:
        self._timer = None
        self._work.set()  # whatever is committed next forgets what was settled

    def _committed(self, group: Group) -> None:
        before = {lane: self.backlog.last_sequence(lane) for lane in TABLES}
        self.backlog.committed(self._store.last)
        for job in group.jobs:
            job.settle()
        for settled in group.settled:
            settled(None)
        gained = {lane: self.backlog.last_sequence(lane) - last for lane, last in before.items()}
        if any(gained.values()):
            self.on_committed({lane: rows for lane, rows in gained.items() if rows})

    async def _recover(self, group: Group, error: sqlite3.Error) -> None:
        """Refuse what was built on what is lost, and begin again from what the disk has."""
        self.counters.failures += 1
        self._failed = error
        if salvage.is_spoilt(error):
            _log.error("spool: %s: the file is moved aside, and what can be read is brought in again", error)
        else:
            _log.error("spool: the disk takes nothing (%s): free disk space or raise spool.max_mb", error)
        loop = asyncio.get_running_loop()
        if salvage.is_spoilt(error):
            self.counters.salvages += 1
            store = await loop.run_in_executor(self._thread, self._start_anew)
            known = self.anchors
            self._adopt(store)
            for number, anchor in known.items():
                if self.anchors.get(number) != anchor:
                    self.keep_anchor(anchor)
        remembered = await loop.run_in_executor(self._thread, Remembered.of, self._store)
        meanwhile, self.group = self.group, Group(max(self.anchors, default=0))
        self.group.jobs = meanwhile.jobs
        for settled in (*group.settled, *meanwhile.settled):
            settled(error)
        for job in group.jobs:
            job.settle()
        self.series = remembered.series
        self.on_lost(remembered)
        self._failed = None
        if self.group.jobs:
            self._work.set()

    async def _bury_unreadable(self, lane: Lane) -> None:
        """Make gaps of the lane's blocks that cannot be read; of what was salvaged, forget them."""
        after, through = self.backlog.range_of(lane)
        anchor, epoch = self.group.anchor, self.epoch
        await self.submit(lambda store: salvage.bury(store, lane, after, through, anchor, epoch))

    # on the threads

    def _assemble(self, lane: Lane, after: int, through: int, limit: int) -> Outgoing | None:
        assembly = Assembly(lane, self.epoch, after, limit)
        for block in self._reader.blocks(backlog.table_of(lane), after, through):
            assembly.add(block, self.anchors.get(block.anchor))
            if assembly.is_full:
                break
        return assembly.finish(self.series)

    def _assemble_salvaged(self, limit: int) -> Outgoing | None:
        found = self._reader.salvaged(limit)
        if not found:
            return None
        epoch, lane, _ = found[0]
        assembly = Assembly(lane, epoch, 0, limit)
        for other_epoch, other_lane, block in found:
            if (other_epoch, other_lane) != (epoch, lane) or assembly.is_full:
                break
            assembly.add(block, self.anchors.get(block.anchor))
        return assembly.finish(self.series)

    def _commit(self, group: Group, settled: Mapping[Lane, int]) -> None:
        began_s = time.perf_counter()
        try:
            if self._failed is not None:
                raise self._failed
            self._transaction(group, group.jobs, settled)
        except sqlite3.Error as error:
            if salvage.is_spoilt(error):
                group.error = error
                for job in group.jobs:
                    job.error = error
                return
            if not self._make_room(group, settled, error):
                group.error = error
                self._do_alone(group.jobs)
                return
        self.counters.commits += 1
        self.commit_ms.append((time.perf_counter() - began_s) * 1000)
        if self.counters.commits % _LOOK_EVERY == 0:
            self._keep_room()

    def _transaction(self, group: Group, jobs: Sequence[Job[object]], settled: Mapping[Lane, int]) -> None:
        store, kept = self._store, dict(self._store.last)
        connection = store.connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            group.write(store, self._max_dead_letters)
            backlog.forget(store, settled, self.backlog.split)
            for job in jobs:
                job.result = job.work(store)
            connection.execute("COMMIT")
            kept = store.last
        finally:
            store.last = kept
            if connection.in_transaction:  # a full disk has rolled it back already
                connection.execute("ROLLBACK")

    def _do_alone(self, jobs: Sequence[Job[object]]) -> None:
        """One at a time: on a full disk rows cannot be added, but what was settled can still be deleted."""
        for job in jobs:
            try:
                self._transaction(Group(0), [job], {})
            except sqlite3.Error as error:
                job.error = error

    def _make_room(self, group: Group, settled: Mapping[Lane, int], error: sqlite3.Error) -> bool:
        """Thin and drop until the group can be written; whether it could."""
        if not retention.is_full(error):
            return False
        self.room.give_up_ballast(self._store.used_bytes())
        for _ in range(_ROUNDS):
            try:
                self._transaction(group, group.jobs, settled)
            except sqlite3.Error as again:
                if not retention.is_full(again) or not self._thin():
                    return False
            else:
                return True
        return False

    def _keep_room(self) -> None:
        """Look at the quota, and thin when it is nearly used up."""
        try:
            used_bytes = self._store.used_bytes()
            for _ in range(_ROUNDS):
                if not self.room.is_short(used_bytes) or not self._thin():
                    break
                used_bytes = self._store.used_bytes()
                if not self.room.is_very_short(used_bytes):
                    break
            self.room.restore()
            self._store.connection.execute("PRAGMA incremental_vacuum(64)")
        except sqlite3.Error as error:
            _log.warning("spool: room could not be made: %s", error)

    def _thin(self) -> bool:
        """Whether anything could be thinned or dropped; in a transaction of its own."""
        store, last = self._store, dict(self._store.last)
        connection = store.connection
        ranges = [self.backlog.range_of("backlog"), self.backlog.range_of("readings")]
        try:
            connection.execute("BEGIN IMMEDIATE")
            holes = retention.thin(store, ranges, self.series, self.epoch)
            dropped = 0 if holes else retention.drop(store, self.backlog.range_of("summaries")[0], self.epoch)
            if holes:
                dug = self.backlog.holes_with(*holes)
                backlog.save_holes(store, dug)
            connection.execute("COMMIT")
        except (sqlite3.Error, msgspec.DecodeError) as error:
            store.last = last
            _log.warning("spool: old readings could not be thinned: %s", error)
            return False
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        if holes:
            self.backlog.dug(dug)
        return bool(holes or dropped)

    def _start_anew(self) -> Store:
        """Put a new file in the place of the spoilt one, with all that it still tells beside its rows."""
        last = {str(table): self.backlog.last_sequence(table) for table in TABLES}
        salvage.keep_split(self.folder, salvage.Split(self.epoch, self.backlog.split, last))
        for old in (self._reader, self._store):
            with contextlib.suppress(sqlite3.Error):
                old.connection.close()
        return salvage.replace_spoilt(self.folder, max_mb=self._max_mb)


def open_spool(folder: Path, *, max_mb: int, max_dead_letters: int = 10_000, linger_s: float = 0.25) -> Spool:
    """Open the spool of a data folder, creating both when they are missing; a spoilt file is moved aside.

    Args:
        max_mb: how large its file may become.
        max_dead_letters: how many of the sensors' unreadable messages are kept.
        linger_s: how long a small group may wait for company.

    Raises:
        SpoolError: says what to do.
    """
    limits = {"max_mb": max_mb, "max_dead_letters": max_dead_letters}
    store = None
    try:
        store = open_store(folder, max_mb=max_mb)
        spool = Spool(folder, store, **limits, linger_s=linger_s)
        spool.remembered()
    except sqlite3.DatabaseError as error:
        _log.error("spool: %s: the file is moved aside, and what can be read is brought in again", error)
        if store is not None:
            store.connection.close()
        spool = Spool(folder, salvage.replace_spoilt(folder, max_mb=max_mb), **limits, linger_s=linger_s)
    return spool
