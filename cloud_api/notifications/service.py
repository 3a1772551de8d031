"""The verbs of notifications."""

import uuid
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.people import service as people
from cloud_api.kernel import clock, outbox
from cloud_api.kernel.errors import NotFound
from cloud_api.kernel.registers import flush_unique
from cloud_api.notifications.events import NotificationWritten
from cloud_api.notifications.models import Notification, Phone


async def notify(
    db: AsyncSession, *, permission: str, title: str, message: str, severity: str, category: str, subject: str
) -> Sequence[Notification]:
    """Tell everybody in the organisation who holds `permission`. Pushes leave after the commit."""
    notifications = [
        Notification(
            user_id=user_id,
            title=title,
            message=message,
            severity=severity,
            category=category,
            subject=subject,
            created_at=clock.now(),
        )
        for user_id in await people.users_with_permission(db, permission)
    ]
    db.add_all(notifications)
    await db.flush()
    for notification in notifications:
        outbox.emit(db, NotificationWritten(notification.id))
    return notifications


async def register_phone(db: AsyncSession, *, user_id: uuid.UUID, platform: str, registration: str) -> Phone:
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
    phone.registered_at = clock.now()
    await flush_unique(db, "this phone is registered elsewhere: sign out there first", field="registration")
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
    phone = await db.get(Phone, phone_id)
    if phone is None or phone.user_id != user_id:
        raise NotFound(f"you have no phone with id {phone_id}")
    phone.is_active = False
