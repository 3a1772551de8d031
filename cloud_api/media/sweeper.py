"""Sweeping away what nobody came back for: uploads in parts, and what a killed process was taking in."""

import asyncio
from pathlib import Path

import structlog
from sqlalchemy import select

from cloud_api.kernel import clock
from cloud_api.kernel.db import DATABASE_FAILURES, Database
from cloud_api.kernel.tenancy import OrganizationScope, SystemScope
from cloud_api.media import uploads
from cloud_api.media.landing import INCOMING
from cloud_api.media.models import MediaUpload

log = structlog.get_logger(__name__)

_PERIOD_S = 600.0
_BATCH = 100


class UploadSweeper:
    """Sweeps from time to time. Any number may run beside each other."""

    def __init__(self, database: Database, folder: Path, *, period_s: float = _PERIOD_S) -> None:
        self._database = database
        self._incoming = folder / INCOMING
        self._period_s = period_s

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            try:
                while await self.sweep() == _BATCH:
                    pass
                await asyncio.to_thread(self.clear_incoming)
            except (*DATABASE_FAILURES, OSError) as error:
                log.warning("upload_sweeper_failed", error=str(error))
            await asyncio.sleep(self._period_s)

    async def sweep(self) -> int:
        """Let go of uploads whose time is over; how many went."""
        async with self._database.unit_of_work(SystemScope("find abandoned uploads"), read_only=True) as db:
            over = select(MediaUpload.id, MediaUpload.organization_id).where(MediaUpload.expires_at < clock.now())
            found = (await db.execute(over.order_by(MediaUpload.expires_at).limit(_BATCH))).all()
        gone = 0
        for upload_id, organization_id in found:
            async with self._database.unit_of_work(OrganizationScope(organization_id)) as db:
                gone += await uploads.abandon(db, upload_id)
        return gone

    def clear_incoming(self) -> None:
        """Delete what arrived a day ago and was never taken further."""
        oldest = (clock.machine_now() - uploads.KEPT_FOR).timestamp()
        for path in self._incoming.glob("*"):
            if path.stat().st_mtime < oldest:
                path.unlink(missing_ok=True)
