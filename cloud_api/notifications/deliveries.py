"""Notifications by mail and SMS: outbox effects, each with a row that says what became of it.

Each try is written down before it is made. A mail's `Message-ID` is the notification's, so a repeat is recognised;
Twilio has nothing of the kind: when an earlier try did not come to its end, it is asked first what it has taken.
"""

import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from prometheus_client import Counter
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel import clock
from cloud_api.kernel.db import Database
from cloud_api.kernel.tenancy import OrganizationScope
from cloud_api.notifications import audience
from cloud_api.notifications.events import NotificationMailDue, NotificationSmsDue
from cloud_api.notifications.mail import MailRefused, MailUnavailable, PostOffice
from cloud_api.notifications.models import Notification, NotificationDelivery
from cloud_api.notifications.sms import SmsRefused, SmsUnavailable, TwilioSms

log = structlog.get_logger(__name__)

NOTICES = Counter(
    "coldfleet_notices_total", "Notifications by mail and SMS, by what became of them", ["channel", "outcome"]
)
#: a message of two parts; what is longer stands in the app
LONGEST_SMS = 300
#: how long Twilio may keep it: after that the next telling says it better
_SMS_WAIT_S = 1_800


@dataclass(frozen=True)
class _Due:
    """What has to be sent to whom."""

    notification: Notification
    reader: audience.Reader
    #: the machine's own time of an earlier try that may have succeeded
    tried_at: datetime | None


class Undeliverable(Exception):
    """It will never be taken; says why."""


Attempt = Callable[[_Due], Awaitable[str]]


async def mail_notification(
    office: PostOffice, database: Database, organization_id: uuid.UUID, event: NotificationMailDue
) -> None:
    """Write to a notification's person, unless that is done or something newer has replaced it.

    Raises:
        MailUnavailable: when it has to be tried again.
    """

    async def attempt(due: _Due) -> str:
        told, message_id = due.notification, due.notification.id.hex
        try:
            await office.send_notice(told.title, told.message, to=due.reader, message_id=message_id)
        except MailRefused as refusal:
            raise Undeliverable(str(refusal)) from None
        return message_id

    await _deliver(database, organization_id, event.notification_id, "mail", attempt)


async def text_notification(
    sms: TwilioSms | None, database: Database, organization_id: uuid.UUID, event: NotificationSmsDue
) -> None:
    """Send an SMS to a notification's person, unless that is done or something newer has replaced it.

    Raises:
        SmsUnavailable: when it has to be tried again.
    """

    async def attempt(due: _Due) -> str:
        if sms is None:
            raise Undeliverable("no Twilio account: set COLDFLEET_TWILIO_ACCOUNT_SID and its others")
        if not due.reader.phone:
            raise Undeliverable("nobody knows this person's phone number")
        body = sms_text(due.notification.title, due.notification.message)
        if due.tried_at is not None:
            taken = await sms.find(due.reader.phone, body, since=due.tried_at)
            if ours := await _nobody_elses(database, organization_id, taken):
                return ours[0]
        try:
            return await sms.send(due.reader.phone, body, wait_s=_SMS_WAIT_S)
        except SmsRefused as refusal:
            raise Undeliverable(str(refusal)) from None

    await _deliver(database, organization_id, event.notification_id, "sms", attempt)


def sms_text(title: str, message: str) -> str:
    """What an SMS says. The degree sign alone would cost more than half of its letters."""
    text = f"{title}. {message}".replace("°C", "C").replace("°", "")
    return text if len(text) <= LONGEST_SMS else f"{text[: LONGEST_SMS - 3]}..."


async def _deliver(
    database: Database, organization_id: uuid.UUID, notification_id: uuid.UUID, channel: str, attempt: Attempt
) -> None:
    """Write down the try, make it, and write down what became of it."""
    scope = OrganizationScope(organization_id)
    async with database.unit_of_work(scope) as db:
        due = await _begin(db, notification_id, channel)
    if due is None:
        return
    status = "sent"
    try:
        detail = await attempt(due)
    except Undeliverable as reason:
        status, detail = "refused", str(reason)
        log.error("notice_refused", channel=channel, notification_id=str(notification_id), reason=detail)
    except (MailUnavailable, SmsUnavailable) as reason:
        async with database.unit_of_work(scope) as db:
            (await _row(db, notification_id, channel)).detail = str(reason)[:500]
        NOTICES.labels(channel, "retried").inc()
        raise
    async with database.unit_of_work(scope) as db:
        row = await _row(db, notification_id, channel)
        row.status, row.detail, row.settled_at = status, detail[:500], clock.now()
    NOTICES.labels(channel, status).inc()


async def _nobody_elses(database: Database, organization_id: uuid.UUID, taken: Sequence[str]) -> Sequence[str]:
    """Those of these messages that no other notification became: a repeat has the same words."""
    if not taken:
        return []
    known = select(NotificationDelivery.detail).where(NotificationDelivery.detail.in_(taken))
    async with database.unit_of_work(OrganizationScope(organization_id), read_only=True) as db:
        others = set(await db.scalars(known))
    return [message for message in taken if message not in others]


async def _begin(db: AsyncSession, notification_id: uuid.UUID, channel: str) -> _Due | None:
    """Write down that it is tried; None when there is nothing to try."""
    notification = await db.get(Notification, notification_id)
    if notification is None:
        return None
    row = await _row(db, notification_id, channel)
    if row.status in ("sent", "refused"):
        return None
    reader = await audience.reader(db, notification.user_id)
    if reader is None or notification.is_superseded:
        row.status, row.settled_at = "refused", clock.now()
        row.detail = "its person has left" if reader is None else "something newer has replaced it"
        return None
    due = _Due(notification, reader, row.tried_at)
    row.status, row.attempts = "trying", row.attempts + 1
    row.tried_at = row.tried_at or clock.machine_now()
    return due


async def _row(db: AsyncSession, notification_id: uuid.UUID, channel: str) -> NotificationDelivery:
    its = select(NotificationDelivery).where(
        NotificationDelivery.notification_id == notification_id, NotificationDelivery.channel == channel
    )
    return (await db.scalars(its.with_for_update())).one()
