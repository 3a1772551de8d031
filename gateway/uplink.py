"""Drain the spool into the cloud: oldest first, alarms before all else, deleted only when acknowledged.

A batch that the cloud refuses as a whole is halved until the one row is found that it cannot take; that row becomes a
dead letter and the others go on.
"""

import asyncio
import logging
from collections.abc import Sequence
from functools import partial

from gateway.backoff import Backoff
from gateway.clock import Clock
from gateway.cloud import Cloud, CloudError, CloudRefused, CloudUnavailable
from gateway.config import CloudSettings
from gateway.contract import BatchAnswer, Lane
from gateway.provisioning import RemoteConfig
from gateway.spool import LANES, Credential, Row, Spool, Store

_log = logging.getLogger(__name__)

#: refusals that are about the batch's content: bad request, too large, unprocessable
_ABOUT_CONTENT = (400, 413, 422)
_ADVICE = {
    401: "the cloud no longer knows this gateway's credential: claim the gateway again with a fresh data_dir",
    403: "the gateway is blocked: release it in the cloud",
    404: "check cloud.url",
}


class Uplink:
    """One loop for all lanes, one batch under way at a time."""

    def __init__(
        self, spool: Spool, cloud: Cloud, clock: Clock, settings: CloudSettings, remote_config: RemoteConfig
    ) -> None:
        self._spool = spool
        self._cloud = cloud
        self._clock = clock
        self._settings = settings
        self._remote_config = remote_config
        self._limits: dict[Lane, int] = dict.fromkeys(LANES, settings.batch_rows)
        self._rows = asyncio.Event()
        self._urgent = asyncio.Event()

    def wake(self, *, urgent: bool) -> None:
        """There are new rows; urgent ones do not wait for company."""
        self._rows.set()
        if urgent:
            self._urgent.set()

    async def run(self, credential: Credential) -> None:
        """Send for ever; a failure of the cloud or the network is waited out."""
        backoff = Backoff()
        while True:
            try:
                await self._drain(credential)
            except CloudError as failure:
                delay_s = backoff.next_delay_s(failure.retry_after_s)
                advice = _ADVICE.get(failure.status, "") if isinstance(failure, CloudRefused) else ""
                _log.warning("uplink: %s; again in %.0f s%s", failure, delay_s, advice and f" ({advice})")
                await self._clock.sleep(delay_s)
                continue
            backoff.reset()
            await self._rows.wait()
            await self._clock.wait(self._urgent, self._settings.upload_interval_s)

    async def _drain(self, credential: Credential) -> None:
        """Alarms first, then the other lanes in turn, each until a batch was not full: more may wait for company."""
        self._rows.clear()
        turn = [lane for lane in LANES if lane != "alarms"]
        while True:
            self._urgent.clear()
            order: tuple[Lane, ...] = ("alarms", *turn)
            lane, rows = await self._spool.submit(partial(Store.next_batch, lanes=order, limits=self._limits))
            if not rows:
                return
            was_full = len(rows) == self._limits[lane]
            is_settled = await self._send(credential, lane, rows)
            if lane in turn:
                turn.remove(lane)
                if was_full or not is_settled:
                    turn.append(lane)

    async def _send(self, credential: Credential, lane: Lane, rows: Sequence[Row]) -> bool:
        """Whether the rows are settled; if not, fewer must be sent."""
        try:
            answer = await self._cloud.upload(credential, self._spool.epoch, lane, rows)
        except CloudRefused as refusal:
            if refusal.status not in _ABOUT_CONTENT:
                raise
            return await self._narrow_down(lane, rows, refusal)
        self._limits[lane] = min(self._settings.batch_rows, self._limits[lane] * 2)
        await self._settle(lane, rows, answer)
        await self._remote_config.seen(answer.config_version, credential)
        return True

    async def _narrow_down(self, lane: Lane, rows: Sequence[Row], refusal: CloudRefused) -> bool:
        if len(rows) > 1:
            self._limits[lane] = len(rows) // 2
            return False
        poison = rows[0].sequence
        _log.error("uplink: %s %d becomes a dead letter: %s", lane, poison, refusal)
        await self._acknowledge(lane, poison, {poison: str(refusal)})
        return False

    async def _settle(self, lane: Lane, rows: Sequence[Row], answer: BatchAnswer) -> None:
        """Forget what the answer covers, never more than was sent with it, and nothing for an impossible answer."""
        if answer.acked_through < rows[0].sequence:
            raise CloudUnavailable(f"the cloud acknowledged nothing of {lane} {rows[0].sequence} and up")
        last = await self._spool.submit(lambda store: store.last_sequence(lane))
        if answer.acked_through > last:
            # To that cloud our rows look like duplicates. Keep them: somebody must look.
            raise CloudUnavailable(
                f"the cloud has {lane} up to {answer.acked_through}, this spool has only ever had {last}: it is an old "
                "copy; move it aside, claim the gateway again, and bring in the copy's rows by hand"
            )
        through = min(answer.acked_through, rows[-1].sequence)
        refused = {
            rows[refusal.row].sequence: f"{refusal.code} {refusal.field}: {refusal.message}"
            for refusal in answer.refused
            if 0 <= refusal.row < len(rows)
        }
        if refused:
            _log.warning("uplink: %d of %d %s refused by the cloud: %s", len(refused), len(rows), lane, refused)
        await self._acknowledge(lane, through, refused)

    async def _acknowledge(self, lane: Lane, through: int, refused: dict[int, str]) -> None:
        at_ms = self._clock.wall_ms()
        await self._spool.submit(lambda store: store.acknowledge(lane, through, refused, at_ms))
