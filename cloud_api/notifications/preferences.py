"""What each person wants to be told, on which channel, and when not."""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel import clock
from cloud_api.kernel.db import insert_missing
from cloud_api.notifications import audience, rota
from cloud_api.notifications.models import CATEGORIES, CHANNELS, NotificationSettings
from cloud_api.notifications.schemas import QuietHoursRead, SettingsChange, SettingsRead


@dataclass(frozen=True)
class Wish:
    """What one person wants."""

    muted: frozenset[str] = frozenset()
    #: until when nothing may make a sound; None: it may
    quiet_until: datetime | None = None

    def channels(self, category: str, wanted: Collection[str]) -> list[str]:
        """Those of the channels on which this category may come."""
        return [channel for channel in CHANNELS if channel in wanted and f"{category}:{channel}" not in self.muted]


async def wishes_of(db: AsyncSession, user_ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, Wish]:
    """What these people want at this moment; who never said is not among them."""
    rows = (await db.scalars(select(NotificationSettings).where(NotificationSettings.user_id.in_(user_ids)))).all()
    if not rows:
        return {}
    usual = await audience.zone_of_organization(db)
    return {row.user_id: Wish(frozenset(row.muted), _quiet_until(row, usual)) for row in rows}


async def read_settings(db: AsyncSession, user_id: uuid.UUID) -> SettingsRead:
    """What somebody has said, the whole table."""
    its = select(NotificationSettings).where(NotificationSettings.user_id == user_id)
    row = (await db.scalars(its)).one_or_none()
    muted = set() if row is None else set(row.muted)
    quiet = None
    if row is not None and row.quiet_from is not None and row.quiet_until is not None:
        quiet = QuietHoursRead(from_time=row.quiet_from, until_time=row.quiet_until)
    return SettingsRead.model_validate(
        {
            "channels": {
                category: {channel: f"{category}:{channel}" not in muted for channel in CHANNELS}
                for category in CATEGORIES
            },
            "quiet_hours": quiet,
            "timezone": "" if row is None else row.timezone,
        }
    )


async def change_settings(db: AsyncSession, user_id: uuid.UUID, *, changes: SettingsChange) -> SettingsRead:
    """Change what is sent; the rest of the table stays as it was."""
    await insert_missing(db, NotificationSettings, {"user_id": user_id, "muted": [], "updated_at": clock.now()})
    its = select(NotificationSettings).where(NotificationSettings.user_id == user_id).with_for_update()
    row = (await db.scalars(its)).one()
    muted = set(row.muted)
    for category, channels in changes.channels.items():
        for channel, wanted in channels.items():
            (muted.discard if wanted else muted.add)(f"{category}:{channel}")
    row.muted, row.updated_at = sorted(muted), clock.now()
    if "quiet_hours" in changes.model_fields_set:
        quiet = changes.quiet_hours
        row.quiet_from = None if quiet is None else quiet.from_time
        row.quiet_until = None if quiet is None else quiet.until_time
    if "timezone" in changes.model_fields_set:
        row.timezone = changes.timezone
    await db.flush()
    return await read_settings(db, user_id)


def _quiet_until(row: NotificationSettings, usual: ZoneInfo) -> datetime | None:
    if row.quiet_from is None or row.quiet_until is None:
        return None
    zone = ZoneInfo(row.timezone) if row.timezone else usual
    return rota.end_of_quiet(row.quiet_from, row.quiet_until, clock.now(), zone)
