"""Deleting the history of requests that has been kept for its time."""

from datetime import timedelta

from sqlalchemy import delete

from cloud_api.analytics.load.models import ErrorHour, MinuteUp, RequestHour, SurfaceQuarter
from cloud_api.kernel import clock
from cloud_api.kernel.db import Database
from cloud_api.kernel.loops import keep_looking
from cloud_api.kernel.tenancy import SystemScope

KEPT_DAYS = 90
_POLL_S = 3600.0


class RequestExpiry:
    """Deletes counts of more than ninety days ago. Any number may run beside each other."""

    def __init__(self, database: Database, *, poll_s: float = _POLL_S) -> None:
        self._database = database
        self._poll_s = poll_s

    async def run(self) -> None:
        """Go round until cancelled; a database that does not answer is asked again."""
        await keep_looking(lambda: expire(self._database), every_s=self._poll_s, failure="request_expiry_failed")


async def expire(database: Database) -> None:
    """Delete what is due: an hour's worth, when it is done every hour."""
    before = clock.now() - timedelta(days=KEPT_DAYS)
    async with database.unit_of_work(SystemScope("delete the history of requests that was kept for its time")) as db:
        await db.execute(delete(RequestHour).where(RequestHour.hour < before))
        await db.execute(delete(ErrorHour).where(ErrorHour.hour < before))
        await db.execute(delete(SurfaceQuarter).where(SurfaceQuarter.begins_at < before))
        await db.execute(delete(MinuteUp).where(MinuteUp.minute < before))
