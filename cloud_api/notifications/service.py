"""The verbs of notifications."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.people import service as people
from cloud_api.kernel import clock, outbox
from cloud_api.kernel.db import announce
from cloud_api.kernel.errors import Detail, Invalid, NotFound
from cloud_api.notifications import audience, preferences
from cloud_api.notifications.events import NotificationMailDue, NotificationSmsDue, NotificationWritten
from cloud_api.notifications.models import Notification, NotificationDelivery
from cloud_api.notifications.preferences import Wish
from cloud_api.notifications.schemas import Channel

#: what may make a sound, and so waits for the end of quiet hours
AUDIBLE = ("push", "sms")


async def notify(
    db: AsyncSession,
    *,
    title: str,
    message: str,
    severity: str,
    category: str,
    subject: str,
    permission: str | None = None,
    user_ids: Collection[uuid.UUID] | None = None,
    channels: Collection[Channel] = ("in_app", "push"),
    urgent: bool = False,
    silent: bool = False,
    collapse_key: str = "",
    data: Mapping[str, str] | None = None,
) -> Sequence[Notification]:
    """Tell `user_ids`, or else everybody in the organisation who holds `permission`. All of it leaves after the commit.

    Whoever has muted all of the channels is not told. What may make a sound waits for the end of its person's quiet
    hours, unless it is `urgent` or `silent`. That nobody is told of a place who may not see it is the caller's to know.

    Args:
        collapse_key: of one matter: the newest takes the place of what was told before, on the phone and in the list.
        data: what the app gets beside the text.

    Returns:
        What was written, one for each person who is told.
    """
    if user_ids is None:
        if permission is None:
            raise ValueError("whom? Give user_ids or permission")
        user_ids = await people.users_with_permission(db, permission)
    wishes = await preferences.wishes_of(db, user_ids)
    notifications = []
    for user_id in user_ids:
        wish = wishes.get(user_id, Wish())
        chosen = wish.channels(category, channels)
        if not chosen:
            continue
        waits = not urgent and not silent and any(channel in AUDIBLE for channel in chosen)
        notifications.append(
            Notification(
                user_id=user_id,
                title=title,
                message=message,
                severity=severity,
                category=category,
                subject=subject,
                channels=chosen,
                is_listed="in_app" in chosen,
                urgent=urgent,
                silent=silent,
                collapse_key=collapse_key,
                data=dict(data or {}),
                created_at=clock.now(),
                held_until=wish.quiet_until if waits else None,
            )
        )
    await _write(db, notifications, collapse_key)
    return notifications


async def send(
    db: AsyncSession,
    *,
    user_ids: Collection[uuid.UUID],
    roles: Collection[str],
    title: str,
    message: str,
    severity: str,
    category: str,
    channels: Collection[Channel],
) -> Sequence[uuid.UUID]:
    """Somebody writes to people by name and by role. Returns who was told.

    Raises:
        Invalid: naming who is not there, and roles that do not exist.
    """
    here = await audience.active(db, user_ids)
    wrong = [
        Detail(f"user_ids.{place}", f"nobody active here has the id {user_id}")
        for place, user_id in enumerate(user_ids)
        if user_id not in here
    ]
    unknown = await audience.unknown_roles(db, roles)
    wrong += [Detail("roles", f"there is no role {name!r}") for name in unknown]
    if wrong:
        raise Invalid("; ".join(detail.message for detail in wrong[:3]), details=wrong)
    told = await notify(
        db,
        user_ids=list(dict.fromkeys([*here, *await audience.holders_of(db, roles)])),
        title=title,
        message=message,
        severity=severity,
        category=category,
        subject="",
        channels=channels,
    )
    return [notification.user_id for notification in told]


async def release_held(db: AsyncSession, notification: Notification) -> None:
    """The quiet hours of its person are over: what waited for it goes out, unless something newer has taken its place.

    `notification` is locked by the caller.
    """
    notification.held_until = None
    if not notification.is_superseded:
        for channel in AUDIBLE:
            _send_on(db, notification, channel)


async def told_of(db: AsyncSession, collapse_key: str) -> Mapping[tuple[Channel, ...], Sequence[uuid.UUID]]:
    """Who was told of a matter, by the channels on which they were."""
    rows = await db.execute(
        select(Notification.user_id, Notification.channels)
        .where(Notification.collapse_key == collapse_key)
        .order_by(Notification.id)
    )
    reached = defaultdict[uuid.UUID, set[str]](set)
    for user_id, channels in rows:
        reached[user_id].update(channels)
    by_channels = defaultdict[tuple[Channel, ...], list[uuid.UUID]](list)
    for user_id, reached_on in reached.items():
        known: tuple[Channel, ...] = ("in_app", "push", "mail", "sms")
        by_channels[tuple(channel for channel in known if channel in reached_on)].append(user_id)
    return by_channels


async def get_notification(db: AsyncSession, notification_id: uuid.UUID, *, user_id: uuid.UUID) -> Notification:
    """One of a person's own.

    Raises:
        NotFound: when they have none of this id.
    """
    notification = await db.get(Notification, notification_id)
    if notification is None or notification.user_id != user_id or not notification.is_listed:
        raise NotFound(f"you have no notification with id {notification_id}")
    return notification


async def delete_notification(db: AsyncSession, notification_id: uuid.UUID, *, user_id: uuid.UUID) -> None:
    """Take one out of a person's list. What is on its way goes on: it was sent.

    Raises:
        NotFound: when they have none of this id.
    """
    (await get_notification(db, notification_id, user_id=user_id)).is_listed = False
    announce_list(db, user_id)


async def mark_read(db: AsyncSession, notification_id: uuid.UUID, *, user_id: uuid.UUID) -> Notification:
    """A person has seen one of their own.

    Raises:
        NotFound: when they have none of this id.
    """
    notification = await get_notification(db, notification_id, user_id=user_id)
    notification.is_read = True
    announce_list(db, user_id)
    return notification


def announce_list(db: AsyncSession, user_id: uuid.UUID) -> None:
    """Wake who watches a person's list."""
    scope = db.sync_session.info["scope"]
    announce(db, topic(scope.organization_id, user_id))


def topic(organization_id: uuid.UUID, user_id: uuid.UUID) -> str:
    """Of a person's list, as live views follow it."""
    return f"notifications:{organization_id}:{user_id}"


async def mark_all_read(db: AsyncSession, *, user_id: uuid.UUID) -> int:
    """A person has read all that they were told. Returns how many were unread."""
    unread = (
        update(Notification)
        .where(Notification.user_id == user_id, Notification.is_read.is_(False))
        .values(is_read=True)
        .returning(Notification.id)
    )
    marked = (await db.scalars(unread)).all()
    if marked:
        announce_list(db, user_id)
    return len(marked)


async def _write(db: AsyncSession, notifications: Sequence[Notification], collapse_key: str) -> None:
    """Put them in the place of what the same people were told of the matter before, and let them leave after the
    commit, on all of their channels but those that wait.
    """
    if collapse_key:
        before = (
            Notification.collapse_key == collapse_key,
            Notification.user_id.in_([notification.user_id for notification in notifications]),
            Notification.is_superseded.is_(False),
        )
        gone = {"is_superseded": True, "is_listed": False, "held_until": None}
        await db.execute(update(Notification).where(*before).values(**gone))
    db.add_all(notifications)
    await db.flush()
    for notification in notifications:
        announce_list(db, notification.user_id)
        for channel in notification.channels:
            if notification.held_until is None or channel not in AUDIBLE:
                _send_on(db, notification, channel)


def _send_on(db: AsyncSession, notification: Notification, channel: str) -> None:
    if channel not in notification.channels:
        return
    if channel == "push":
        outbox.emit(db, NotificationWritten(notification.id))
    elif channel in ("mail", "sms"):
        db.add(NotificationDelivery(notification_id=notification.id, channel=channel))
        due = NotificationMailDue if channel == "mail" else NotificationSmsDue
        outbox.emit(db, due(notification.id))
