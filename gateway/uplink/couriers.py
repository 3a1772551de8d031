"""Drain the spool into the cloud: alarms before all else, live rows before old ones, deleted only when acknowledged.

Three couriers, each with its own back-off and one batch under way, so that nothing waits behind what is slower than it:

    alarms  |  weights, tags, readings  |  gaps, summaries, backlog

**Exactly once.** A row has one sequence in one lane, and the cloud stores rows and cursor of a lane together: what is
at or below the cursor is a duplicate. So within a lane anything may be sent again at any time, by this process or by
the next one, and a request that was given up and reaches the cloud late is harmless: either its rows are duplicates by
then, or they are stored and ours are the duplicates. A row leaves the spool when an answer that fits what was sent
(`gateway.uplink.settlement`) covers it, or when it has become a dead letter; that this is forgotten in a crash costs
duplicates.

What could store a row twice is a change of lanes: a row that the cloud has taken as one of `readings`, unknown to us,
and that we send again in `backlog`, which has a cursor of its own. Readings change lanes in one transaction of the
spool, so a crash leaves each in one lane; and they do so only when the cloud's cursor of `readings` is known to be at
or above all that was ever sent there (`Doubt`). These are the ways in which something may have been sent unknown to us:

- A batch got no answer, or one that makes no sense. It may be stored, or will be when it reaches the cloud late (a
  proxy may hold it for longer than our connection lives). The doubt ends when an answer acknowledges its last row: then
  a late copy of it is all duplicates.
- The process before this one was killed with a batch under way. It was made of the rows behind the cursor as that
  process knew it, which is at or below the cursor as the first good answer tells it to us; it had at most `MAX_ROWS`
  rows. So the doubt ends when so many rows behind that cursor are acknowledged, or all that wait. (An answer beyond
  its batch is good enough to settle the batch, but tells too little to believe the cursor it names.)
- An acknowledgement was not on disk yet. Then its rows still wait in `readings`, are sent there first, and the cloud
  knows them.

While readings change lanes, nothing of `readings` is under way: the same courier does both. Rows that were refused are
in no doubt: the cloud has said that it has not taken them. When a row is refused by name and that answer is lost, it
is a duplicate the second time; then the cloud alone keeps it among its dead letters.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping

from gateway.backoff import uniform_s
from gateway.clock import Clock
from gateway.config import CloudSettings
from gateway.contract import MAX_ROWS, BatchAnswer, Lane
from gateway.credentials import Credentials
from gateway.spool.outgoing import Outgoing
from gateway.spool.writer import Spool
from gateway.uplink.cloud import Cloud, Delivered
from gateway.uplink.courier import Courier, Desk, LaneState
from gateway.uplink.pace import BatchSize, Pace

_log = logging.getLogger(__name__)

#: more full batches than this wait in `readings`: then new ones overtake them
_FEW_BATCHES = 3
#: the spool writes for each split
_SPLIT_EVERY_S = 1.0
#: after an outage the backlog waits up to this part of it, and up to this long, so that a fleet does not start at once
_START_PART, _START_WITHIN_S = 0.1, 60.0


class Doubt:
    """Whether the cloud may have, or may get, readings that we do not know it has."""

    def __init__(self, epoch: str, under_way: int = MAX_ROWS) -> None:
        """`under_way`: so many rows a process before this one may have had under way."""
        self.epoch = epoch
        self._sent_through = 0
        self._is_cursor_known = False
        self._rows_to_go = under_way

    @property
    def is_over(self) -> bool:
        """All that was ever sent of `readings` is at or below the cloud's cursor."""
        return self._is_cursor_known and self._rows_to_go <= 0 and not self._sent_through

    def lost(self, batch: Outgoing) -> None:
        """Nobody knows what became of a batch."""
        self._sent_through = max(self._sent_through, batch.last)

    def taken(self, batch: Outgoing, acked_through: int, left: int) -> None:
        """An answer fits its batch; so many rows are left in `readings`.

        Only one that names the batch's own last row says where the cursor is for certain.
        """
        if acked_through != batch.last:
            return
        if acked_through >= self._sent_through:
            self._sent_through = 0
        if self._is_cursor_known:
            self._rows_to_go -= batch.rows
        self._is_cursor_known = True
        if not left:
            self._rows_to_go = 0


class Uplink:
    """The couriers, and how they make way for each other."""

    def __init__(
        self,
        spool: Spool,
        cloud: Cloud,
        clock: Clock,
        settings: CloudSettings,
        credentials: Credentials,
        on_answer: Callable[[BatchAnswer], None],
        *,
        under_way: int = MAX_ROWS,
    ) -> None:
        """Wire it.

        Args:
            on_answer: is told each good answer, with what the cloud says beside.
            under_way: the most rows that any process before this one may have sent at once.
        """
        self._spool = spool
        self._clock = clock
        self._settings = settings
        self._under_way = under_way
        self._doubt = Doubt(spool.epoch, under_way)
        self._split_at_s = float("-inf")
        #: of the backlog
        self.pace = Pace()
        desk = Desk(spool, cloud, clock, credentials, on_answer)
        self._alarms = Courier(
            desk, self._lanes("alarms"), before=_at_once, after=self._after_live, lost=lambda batch: None
        )
        self._live = Courier(
            desk,
            self._lanes("weights", "tags", "readings", company_s=settings.upload_interval_s),
            before=_at_once,
            after=self._after_live,
            lost=self._lost_live,
        )
        self._old = Courier(
            desk,
            self._lanes("gaps", "summaries", "backlog"),
            before=self._make_way,
            after=self._after_old,
            lost=lambda batch: None,
        )
        self._couriers = {"alarms": self._alarms, "live": self._live, "backlog": self._old}

    @property
    def warnings(self) -> list[str]:
        """What the operator should look into: why lanes do not get through."""
        return [warning for courier in self._couriers.values() for warning in courier.warnings]

    def committed(self, rows: Mapping[Lane, int]) -> None:
        """So many rows of each lane have come."""
        if rows.get("alarms"):
            self._alarms.hurry()
        if rows.get("readings") or rows.get("tags") or rows.get("weights"):
            self._live.wake()
        if rows.get("gaps") or rows.get("summaries"):
            self._old.wake()

    async def run(self) -> None:
        """Send for ever; a failure of the cloud or the network is waited out.

        The timeline must have heard the cloud before: what is sent cannot be repaired any more.
        """
        async with asyncio.TaskGroup() as loops:
            for name, courier in self._couriers.items():
                loops.create_task(courier.run(), name=f"courier of {name}")

    def _lanes(self, *names: Lane, company_s: float = 0.0) -> list[LaneState]:
        return [LaneState(name, BatchSize(self._settings.batch_rows), company_s) for name in names]

    # live rows

    async def _after_live(self, batch: Outgoing, delivered: Delivered) -> None:
        self.pace.live_answered(delivered.took_s, asyncio.get_running_loop().time())
        doubt = self._doubt_of(batch)
        if doubt is None:
            return
        waiting = self._spool.waiting("readings")
        doubt.taken(batch, delivered.answer.acked_through, waiting)
        now_s = self._clock.monotonic_s()
        is_much = waiting > _FEW_BATCHES * self._live.lanes[-1].size.rows
        if is_much and doubt.is_over and now_s >= self._split_at_s + _SPLIT_EVERY_S:
            self._split_at_s = now_s
            await self._spool.split()
            _log.info("uplink: %d readings make way for new ones", waiting)
            self._old.wake()

    def _lost_live(self, batch: Outgoing) -> None:
        self.pace.start_again()
        doubt = self._doubt_of(batch)
        if doubt is not None:
            doubt.lost(batch)

    def _doubt_of(self, batch: Outgoing) -> Doubt | None:
        """The doubt that a batch adds to or ends; None when its rows never change lanes."""
        epoch = self._spool.epoch
        if batch.lane != "readings" or batch.epoch != epoch:
            return None
        if self._doubt.epoch != epoch:  # the disk had spoilt the file, and there is a new one
            self._doubt = Doubt(epoch, self._under_way)
        return self._doubt

    # the backlog

    async def _make_way(self) -> None:
        """Wait while live rows or alarms do not get through, and as long as the pace says."""
        while not (self._alarms.well.is_set() and self._live.well.is_set()):
            await self._alarms.well.wait()
            await self._live.well.wait()
            outage_s = max(self._alarms.outage_s, self._live.outage_s)
            await self._clock.sleep(uniform_s(0.0, min(_START_WITHIN_S, outage_s * _START_PART)))
        await asyncio.sleep(self.pace.delay_s(asyncio.get_running_loop().time()))

    async def _after_old(self, batch: Outgoing, delivered: Delivered) -> None:
        now_s = asyncio.get_running_loop().time()
        self.pace.spend(batch.rows, now_s - delivered.took_s)
        self.pace.answered(batch.rows, delivered.took_s, now_s)


async def _at_once() -> None:
    """Nothing to wait for."""
