"""One loop that brings rows to the cloud: its lanes in turn, one batch under way.

A lane has a back-off of its own, so that a cloud that fails over tag reads still gets the readings. What a lane's
failures say about its rows and what about the cloud is told apart here:

- no answer, a server that is down, nonsense, an answer that cannot be true: wait, and send the same again.
- 413: half as many, for good.
- 400, 422: something in the batch. It is halved until one row is refused alone. That row is *suspected*, and becomes a
  dead letter when the cloud takes another one: the one just before it, or at once the one behind it. Three in a row
  that are refused alone are the cloud's fault: they wait, and the first is tried until it is taken.
- 401, 403, 404, 426 and whatever else it says no with: wait, and tell the operator.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from gateway.backoff import Backoff
from gateway.clock import Clock
from gateway.contract import BatchAnswer, Lane
from gateway.credentials import Credentials
from gateway.spool.outgoing import Outgoing
from gateway.spool.writer import Spool
from gateway.uplink.cloud import Cloud, CloudError, CloudRefused, Delivered
from gateway.uplink.pace import BatchSize
from gateway.uplink.settlement import Implausible, Settlement, behind, settle

_log = logging.getLogger(__name__)

#: refusals that are about the batch's content: bad request, too large, unprocessable
_ABOUT_CONTENT = (400, 413, 422)
_ADVICE = {
    401: "the cloud does not know this gateway's secret: draw a new claim code for it there, and claim it again",
    403: "the gateway is blocked: release it in the cloud",
    404: "check cloud.url",
    426: "the cloud wants a newer gateway: update it",
}
#: rows in a row, each refused alone
_MOST_SUSPECTS = 3
#: an alarm does not wait for the end of a back-off, but it does not hammer either
_HURRY_S = 1.0
#: sequences of a spool file that was given up: nobody knows how many there were
_ANY_SEQUENCE = 2**63


@dataclass
class Desk:
    """What all couriers work with."""

    spool: Spool
    cloud: Cloud
    clock: Clock
    credentials: Credentials
    #: told each good answer: versions of the configuration, commands
    on_answer: Callable[[BatchAnswer], None]


@dataclass
class LaneState:
    """What a courier knows of one of its lanes. Times are the clock's monotonic seconds."""

    name: Lane
    size: BatchSize
    #: rows wait this long for company
    company_s: float
    backoff: Backoff = field(default_factory=Backoff)
    #: when the rows that wait have waited long enough; None: none do
    due_s: float | None = None
    #: nothing is sent before
    resume_s: float = 0.0
    tried_s: float = float("-inf")
    #: why the last try has failed, in words
    trouble: str = ""
    #: the failure was one of the cloud or the network, not of what is sent
    is_away: bool = False
    #: rows at the front that were refused alone: sequence -> reason
    suspects: dict[int, str] = field(default_factory=dict)
    suspects_epoch: str = ""
    #: the last sequence of the batch that was refused and is being halved
    halved_through: int = 0
    #: ... of which the cloud has taken other rows since
    has_proof: bool = False
    #: so many rows wait and all are suspects: to be tried again, from the start, when there are more
    stuck_rows: int = 0
    #: only the first row is tried, until it is taken
    is_refused_all: bool = False

    def is_ready(self, waiting: int, now_s: float) -> bool:
        """Whether to send of the rows that wait."""
        if not waiting:
            self.due_s = None
            return False
        if self.due_s is None:
            self.due_s = now_s + self.company_s
        if 0 < self.stuck_rows < waiting:
            self.stuck_rows, self.resume_s = 0, now_s
        return now_s >= self.resume_s and (now_s >= self.due_s or waiting >= self.size.rows)

    def unsuspected(self, batch: Outgoing) -> Outgoing | None:
        """The batch without the suspects at its front; None when nothing else is in it."""
        if self.suspects and batch.epoch != self.suspects_epoch:
            self.suspects.clear()
        return behind(batch, max(self.suspects)) if self.suspects else batch


class Courier:
    """Sends the rows of its lanes. `run` must be running."""

    def __init__(
        self,
        desk: Desk,
        lanes: Sequence[LaneState],
        *,
        before: Callable[[], Awaitable[None]],
        after: Callable[[Outgoing, Delivered], Awaitable[None]],
        lost: Callable[[Outgoing], None],
    ) -> None:
        """Wire it.

        Args:
            before: returns when the next batch may be made.
            after: is told of each batch that was taken, after its rows were acknowledged.
            lost: is told of each batch of which it is unknown whether the cloud has taken it.
        """
        self.lanes = lanes
        #: clear while the cloud does not take what this courier brings
        self.well = asyncio.Event()
        self.well.set()
        #: how long the last outage was
        self.outage_s = 0.0
        self._away_since_s = 0.0
        self._desk = desk
        self._before = before
        self._after = after
        self._lost = lost
        self._turn = list(lanes)
        self._news = asyncio.Event()

    @property
    def warnings(self) -> list[str]:
        """What the operator should look into."""
        return [f"{lane.name}: {lane.trouble}" for lane in self.lanes if lane.trouble]

    def wake(self) -> None:
        """There are new rows."""
        self._news.set()

    def hurry(self) -> None:
        """There are new rows that do not wait for the end of a back-off."""
        for lane in self.lanes:
            lane.resume_s = min(lane.resume_s, lane.tried_s + _HURRY_S)
        self._news.set()

    async def run(self) -> None:
        """Send for ever."""
        while True:
            self._news.clear()
            now_s = self._desk.clock.monotonic_s()
            ready = [lane for lane in self._turn if lane.is_ready(self._desk.spool.waiting(lane.name), now_s)]
            if ready:
                # Each lane has its turn: a flood of one does not hold up the others.
                self._turn.remove(ready[0])
                self._turn.append(ready[0])
                try:
                    await self._serve(ready[0])
                except sqlite3.Error as error:  # what was settled is sent again, and known to the cloud
                    self._rest(ready[0], f"the spool cannot be used: {error}")
                continue
            self._turn = list(self.lanes)
            moments_s = [max(lane.due_s, lane.resume_s) for lane in self.lanes if lane.due_s is not None]
            if moments_s:
                await self._desk.clock.wait(self._news, max(0.0, min(moments_s) - now_s))
            else:
                self.well.set()  # nothing waits here: nobody need make way for it
                await self._news.wait()

    async def _serve(self, lane: LaneState) -> None:
        await self._before()
        lane.tried_s = self._desk.clock.monotonic_s()
        wanted = lane.size.rows + len(lane.suspects)
        whole = await self._desk.spool.next_batch(lane.name, wanted)
        if whole is None:
            lane.due_s = None
            return
        batch = lane.unsuspected(whole)
        if batch is None:
            lane.stuck_rows = self._desk.spool.waiting(lane.name)
            self._rest(lane, f"the cloud refuses what is there: {list(lane.suspects.values())[-1]}")
            lane.suspects.clear()  # by then the cloud may be well again
            return
        try:
            delivered = await self._deliver(batch)
            is_own = batch.epoch == self._desk.spool.epoch
            last_given = self._desk.spool.last_sequence(lane.name) if is_own else _ANY_SEQUENCE
            settlement = settle(batch, delivered.answer, last_given)
        except CloudRefused as refusal:
            await self._refused(lane, batch, refusal)
        except (CloudError, Implausible) as failure:
            lane.size.unanswered(batch.rows)
            self._lost(batch)
            self._failed(lane, failure)
        else:
            lane.due_s = lane.tried_s if whole.rows == wanted else None
            await self._taken(lane, whole, batch, delivered, settlement)

    async def _deliver(self, batch: Outgoing) -> Delivered:
        credentials, cloud = self._desk.credentials, self._desk.cloud
        credential = credentials.current()
        try:
            delivered = await cloud.upload(credential, batch)
        except CloudRefused as refusal:
            if refusal.status != 401 or not credentials.doubted(credential):
                raise
            credential = credentials.current()
            delivered = await cloud.upload(credential, batch)
        try:
            await credentials.proved(credential)
        except OSError as error:  # the old secret is kept for longer
            _log.warning("uplink: the credential could not be saved: %s", error)
        return delivered

    # what came of it

    async def _taken(
        self, lane: LaneState, whole: Outgoing, batch: Outgoing, delivered: Delivered, settlement: Settlement
    ) -> None:
        now_s = self._desk.clock.monotonic_s()
        if lane.is_away:
            for other in self.lanes:  # the cloud is back for them, too
                other.resume_s = min(other.resume_s, now_s) if other.is_away else other.resume_s
        if not self.well.is_set():
            self.outage_s = now_s - self._away_since_s
            self.well.set()
        lane.backoff.reset()
        lane.is_away, lane.is_refused_all, lane.trouble, lane.resume_s = False, False, "", 0.0
        lane.size.taken(batch.rows, delivered.sent_bytes, delivered.took_s)
        refused = {**lane.suspects, **settlement.refused}
        lane.suspects.clear()
        lane.stuck_rows = 0
        lane.has_proof = batch.last < lane.halved_through
        if refused:
            _log.warning("uplink: %d of %d %s refused by the cloud: %s", len(refused), whole.rows, lane.name, refused)
        await self._desk.spool.acknowledge(whole, settlement.through, refused)
        self._desk.on_answer(delivered.answer)
        await self._after(batch, delivered)

    async def _refused(self, lane: LaneState, batch: Outgoing, refusal: CloudRefused) -> None:
        if refusal.status not in _ABOUT_CONTENT:
            self._failed(lane, refusal)
            return
        lane.due_s = lane.tried_s
        if batch.rows == 1:
            await self._suspect(lane, batch, str(refusal))
            return
        if refusal.status == 413:
            lane.size.too_large(batch.rows)
        else:
            lane.size.narrow(batch.rows)
        lane.halved_through, lane.has_proof = batch.last, False

    async def _suspect(self, lane: LaneState, batch: Outgoing, reason: str) -> None:
        if lane.has_proof and batch.last <= lane.halved_through:
            lane.has_proof = False
            _log.error("uplink: %s %d becomes a dead letter: %s", lane.name, batch.first, reason)
            await self._desk.spool.acknowledge(batch, batch.last, {batch.first: reason})
            return
        lane.suspects_epoch = batch.epoch
        lane.suspects[batch.first] = reason
        lane.is_refused_all = lane.is_refused_all or len(lane.suspects) == _MOST_SUSPECTS
        if lane.is_refused_all:
            lane.suspects.clear()
            self._rest(lane, f"the cloud refuses everything, nothing is sent until it does not: {reason}")

    def _failed(self, lane: LaneState, failure: CloudError | Implausible) -> None:
        lane.is_away = True
        if self.well.is_set():
            self.well.clear()
            self._away_since_s = self._desk.clock.monotonic_s()
        advice = _ADVICE.get(failure.status, "") if isinstance(failure, CloudRefused) else ""
        at_least_s = failure.retry_after_s if isinstance(failure, CloudError) else 0.0
        self._rest(lane, f"{failure}{advice and f' ({advice})'}", at_least_s)

    def _rest(self, lane: LaneState, trouble: str, at_least_s: float = 0.0) -> None:
        delay_s = lane.backoff.next_delay_s(at_least_s)
        lane.resume_s = self._desk.clock.monotonic_s() + delay_s
        lane.trouble = trouble
        _log.warning("uplink: %s: %s; again in %.0f s", lane.name, trouble, delay_s)
