"""Organisations, and the day it is for them."""

import uuid
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.errors import NameTaken
from cloud_api.identity.organizations.models import PLATFORM_SLUG, Organization
from cloud_api.identity.organizations.schemas import Branding
from cloud_api.kernel import clock
from cloud_api.kernel.colours import LEAST_CONTRAST, WHITE, contrast
from cloud_api.kernel.errors import Conflict, Invalid, NotFound


async def create_organization(
    db: AsyncSession, *, name: str, slug: str, currency: str = "INR", timezone: str = "Asia/Kolkata"
) -> Organization:
    """An organisation without anybody in it yet. Needs a system session.

    Raises:
        NameTaken: when another has this short name.
    """
    organization = Organization(name=name, slug=slug, currency=currency, timezone=timezone, created_at=clock.now())
    db.add(organization)
    try:
        await db.flush()
    except IntegrityError as error:
        raise NameTaken(f"the short name {slug!r} is taken: choose another", field="slug") from error
    return organization


async def get_organization(db: AsyncSession, organization_id: uuid.UUID) -> Organization:
    """One organisation; of a session that belongs to one, only that.

    Raises:
        NotFound: when there is none, or none that this session may see.
    """
    found = (await db.scalars(select(Organization).where(Organization.id == organization_id))).one_or_none()
    if found is None:
        raise NotFound(f"no organisation with id {organization_id}")
    return found


async def organization_called(db: AsyncSession, slug: str) -> Organization:
    """The organisation of this short name. Needs a system session.

    Raises:
        NotFound: when there is none.
    """
    found = (await db.scalars(select(Organization).where(Organization.slug == slug))).one_or_none()
    if found is None:
        raise NotFound(f"no organisation is called {slug!r}")
    return found


async def deactivate(db: AsyncSession, organization_id: uuid.UUID) -> Organization:
    """Let nobody of an organisation in any more, neither people nor machines. Its data stays.

    Raises:
        NotFound: when there is no such organisation.
        Conflict: when it is the one that owns the platform.
    """
    organization = await get_organization(db, organization_id)
    if organization.slug == PLATFORM_SLUG:
        raise Conflict("the organisation that owns the platform stays")
    if organization.is_active:
        organization.is_active, organization.deactivated_at = False, clock.now()
    return organization


async def is_active(db: AsyncSession, organization_id: uuid.UUID) -> bool:
    """Whether people and machines of this organisation are let in."""
    found = await db.scalar(select(Organization.is_active).where(Organization.id == organization_id))
    return bool(found)


async def branding_of(db: AsyncSession, name: str) -> Branding:
    """How the organisation of this id or short name looks; Coldfleet's own look when it has none of its own, is closed,
    or is not there: the answer must not tell. Needs a system session.
    """
    try:
        known_by = Organization.id == uuid.UUID(name)
    except ValueError:
        known_by = Organization.slug == name
    found = (await db.scalars(select(Organization).where(known_by, Organization.is_active))).one_or_none()
    return Branding.model_validate(found.branding if found is not None else {})


def check_readable(branding: Branding) -> None:
    """Whether buttons in the first colour can be read: white text on it, and it on white.

    Raises:
        Invalid: when they cannot.
    """
    found = contrast(branding.primary_colour, WHITE)
    if found < LEAST_CONTRAST:
        raise Invalid(
            f"white text on it has a contrast of {found:.1f} to 1, and {LEAST_CONTRAST} are needed: take a darker one",
            field="primary_colour",
        )


async def today(db: AsyncSession) -> date:
    """The calendar day in the organisation's own time zone."""
    return clock.now().astimezone(await zone(db)).date()


async def instant(db: AsyncSession, day: date, at: time) -> datetime:
    """A local time of the organisation's own time zone, as an instant."""
    return datetime.combine(day, at, await zone(db)).astimezone(UTC)


async def zone(db: AsyncSession) -> ZoneInfo:
    """The organisation's own time zone."""
    return ZoneInfo((await own(db)).timezone)


async def own(db: AsyncSession) -> Organization:
    """The organisation that this session works for; it is read once."""
    info = db.sync_session.info
    # held here: a session itself forgets rows that nobody holds
    info["own"] = found = await db.get_one(Organization, info["scope"].organization_id)
    return found
