"""The address by which whoever waits for an order sees it come.

Nothing of the order stands in it: it is random, and found by its hash. The token itself is kept sealed, so that each
message tells the same address. It ends some hours after the order did (`TRACKING_LINK_HOURS`).
"""

import hashlib
import secrets
import uuid
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.configuration import service as configuration
from cloud_api.configuration.definitions import TRACKING_LINK_HOURS
from cloud_api.identity.organizations import service as organizations
from cloud_api.kernel import clock
from cloud_api.kernel.db import Database, insert_missing
from cloud_api.kernel.errors import NotFound
from cloud_api.kernel.settings import Settings
from cloud_api.kernel.tenancy import OrganizationScope, SystemScope
from cloud_api.logistics.tracking.errors import LinkUnknown
from cloud_api.logistics.tracking.models import TrackingLink
from cloud_api.orders.book.models import CustomerOrder

#: an order that never ends is not to be followed for ever
_LONGEST_WAIT = timedelta(days=14)
_TOKEN_BYTES = 18
_LONGEST_TOKEN = 64
_public_url = str(Settings.model_fields["public_url"].default)


def use(public_url: str) -> None:
    """Where people reach this platform: `main` says it from the settings."""
    global _public_url
    _public_url = public_url.rstrip("/")


async def link_for(db: AsyncSession, order_id: uuid.UUID) -> str:
    """The absolute address of the page on which an order is followed; the same however often it is asked for.

    Raises:
        NotFound: when there is no such order.
    """
    its = select(TrackingLink).where(TrackingLink.order_id == order_id)
    link = (await db.scalars(its)).one_or_none()
    if link is None:
        if await db.scalar(select(CustomerOrder.id).where(CustomerOrder.id == order_id)) is None:
            raise NotFound(f"no order with id {order_id}", field="order_id")
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        made = {"token_sha256": _hash(token), "token": token, "created_at": clock.now()}
        await insert_missing(db, TrackingLink, {"order_id": order_id, **made})
        link = (await db.scalars(its)).one()
    return f"{_public_url}/t/{link.token}"


async def followed(database: Database, token: str) -> tuple[OrganizationScope, uuid.UUID]:
    """Whose order an address shows, and which.

    Raises:
        LinkUnknown: when it is none of ours.
    """
    found = None
    if len(token) <= _LONGEST_TOKEN:
        async with database.unit_of_work(SystemScope("find whose tracking link this is"), read_only=True) as db:
            its = select(TrackingLink.organization_id, TrackingLink.order_id)
            found = (await db.execute(its.where(TrackingLink.token_sha256 == _hash(token)))).one_or_none()
    if found is None:
        raise unknown()
    return OrganizationScope(found.organization_id), found.order_id


async def check_time(db: AsyncSession, order: CustomerOrder, ended_at: datetime | None) -> None:
    """Whether an order may still be followed.

    Raises:
        LinkUnknown: when it ended too long ago.
    """
    if ended_at is None:
        window_ends_at = await organizations.instant(db, order.delivery_date, order.window_until)
        ends_at = window_ends_at + _LONGEST_WAIT
    else:
        ends_at = ended_at + timedelta(hours=await configuration.value(db, TRACKING_LINK_HOURS))
    if clock.now() > ends_at:
        raise unknown()


def unknown() -> LinkUnknown:
    """The answer to what we do not know, and to what is over: the same."""
    return LinkUnknown("this address is not known, or its time is over: ask the store that sent it to you")


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
