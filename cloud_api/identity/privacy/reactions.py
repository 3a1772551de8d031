"""Copies of personal data are put together after the request for them is committed."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.privacy import service
from cloud_api.identity.privacy.events import PersonalDataWanted
from cloud_api.identity.privacy.holders import Holder
from cloud_api.kernel.outbox import Subscription, reaction


def reactions(holders: Sequence[Holder]) -> list[Subscription]:
    """With everybody who holds personal data."""

    async def build(db: AsyncSession, event: PersonalDataWanted) -> None:
        await service.build_export(db, event.export_id, holders)

    return [reaction(PersonalDataWanted, "privacy.build_export", build)]
