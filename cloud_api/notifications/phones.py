"""Phones that take pushes: registered, refreshed, tried, given up."""

import uuid

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel import clock, outbox
from cloud_api.kernel.errors import Conflict, NotFound
from cloud_api.kernel.registers import flush_unique
from cloud_api.notifications import queries
from cloud_api.notifications.events import NotificationWritten
from cloud_api.notifications.models import Notification, Phone
from cloud_api.notifications.schemas import LastPush, PhoneDetailRead, PhoneRead, PhoneUpdate

_TAKEN = "this phone is registered elsewhere: sign out there first"


class PhoneGivenUp(Conflict):
    """The phone takes no pushes."""

    code = "PHONE_GIVEN_UP"


async def register_phone(
    db: AsyncSession,
    *,
    user_id: uuid.UUID,
    platform: str,
    registration: str,
    app_version: str = "",
    locale: str = "",
) -> Phone:
    """Let a phone take pushes for a person. The same registration again is the same phone, with its present owner.

    Raises:
        AlreadyExists: when the registration belongs to somebody in another organisation.
    """
    phone = (await db.scalars(select(Phone).where(Phone.registration == registration))).one_or_none()
    if phone is None:
        phone = Phone(platform=platform, registration=registration)
        db.add(phone)
    phone.user_id = user_id
    phone.is_active = True
    phone.registered_at = phone.last_seen_at = clock.now()
    phone.app_version, phone.locale = app_version, locale
    await flush_unique(db, _TAKEN, field="registration")
    return phone


async def update_phone(db: AsyncSession, phone_id: uuid.UUID, *, changes: PhoneUpdate, user_id: uuid.UUID) -> Phone:
    """The app has another registration, version or language; from now on the phone takes pushes again.

    Raises:
        NotFound: when the person has no such phone.
        AlreadyExists: when the registration belongs to another phone.
    """
    phone = await get_phone(db, phone_id, user_id=user_id)
    for field in changes.model_fields_set:
        setattr(phone, field, getattr(changes, field))
    phone.is_active, phone.last_seen_at = True, clock.now()
    await flush_unique(db, _TAKEN, field="registration")
    return phone


async def read_phone(db: AsyncSession, phone_id: uuid.UUID, *, user_id: uuid.UUID) -> PhoneDetailRead:
    """One of a person's own, and what became of the last push to it.

    Raises:
        NotFound: when they have no such phone.
    """
    phone = await get_phone(db, phone_id, user_id=user_id)
    last = (await db.scalars(queries.last_push(phone.id))).one_or_none()
    pushed = None if last is None else LastPush.model_validate(last)
    return PhoneDetailRead(**PhoneRead.model_validate(phone).model_dump(), last_push=pushed)


async def try_phone(db: AsyncSession, phone_id: uuid.UUID, *, user_id: uuid.UUID) -> Notification:
    """Push to one phone, by the way that every push goes, whatever its person has muted. It is in no list.

    Raises:
        NotFound: when the person has no such phone.
        PhoneGivenUp: when it takes no pushes.
    """
    phone = await get_phone(db, phone_id, user_id=user_id)
    if not phone.is_active:
        raise PhoneGivenUp("this phone takes no pushes: register it again from the app", field="id")
    trial = Notification(
        user_id=user_id,
        title="Coldfleet",
        message="This is a test. Pushes reach this phone.",
        severity="info",
        category="system",
        subject=f"phone:{phone.id}",
        channels=["push"],
        is_listed=False,
        urgent=True,
        created_at=clock.now(),
    )
    db.add(trial)
    await db.flush()
    outbox.emit(db, NotificationWritten(trial.id, phone.id))
    return trial


async def get_phone(db: AsyncSession, phone_id: uuid.UUID, *, user_id: uuid.UUID) -> Phone:
    """One of a person's own.

    Raises:
        NotFound: when they have no such phone.
    """
    phone = await db.get(Phone, phone_id)
    if phone is None or phone.user_id != user_id:
        raise NotFound(f"you have no phone with id {phone_id}")
    return phone


async def forget_registration(db: AsyncSession, registration: str, *, user_id: uuid.UUID) -> None:
    """Send nothing more to the phone with this registration, if it is this person's."""
    mine = Phone.user_id == user_id
    for phone in await db.scalars(select(Phone).where(Phone.registration == registration, mine)):
        phone.is_active = False


async def unregister_phone(db: AsyncSession, phone_id: uuid.UUID, *, user_id: uuid.UUID) -> None:
    """Send nothing more to a phone.

    Raises:
        NotFound: when the person has no such phone.
    """
    (await get_phone(db, phone_id, user_id=user_id)).is_active = False
