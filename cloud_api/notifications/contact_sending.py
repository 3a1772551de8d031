"""Messages to people outside leave: an outbox effect, and the loop that forgets them in time.

Each try is written down before it is made. When an earlier one did not come to its end, Twilio is asked first what it
has taken; a mail's `Message-ID` is the message's, so a repeat is recognised.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from prometheus_client import Counter
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.configuration import definitions
from cloud_api.configuration import service as configuration
from cloud_api.kernel import clock
from cloud_api.kernel.db import Database
from cloud_api.kernel.loops import keep_looking
from cloud_api.kernel.tenancy import OrganizationScope, SystemScope
from cloud_api.notifications.audience import Reader
from cloud_api.notifications.contacts import ERASED
from cloud_api.notifications.events import ContactMessageDue
from cloud_api.notifications.mail import MailRefused, MailUnavailable, PostOffice
from cloud_api.notifications.models import ContactMessage, Pacing
from cloud_api.notifications.sms import SmsRefused, SmsUnavailable, TwilioSms

log = structlog.get_logger(__name__)

CONTACT_MESSAGES = Counter(
    "coldfleet_contact_messages_total", "Messages to people outside, by what became of them", ["channel", "outcome"]
)
#: how long Twilio may keep what does not expire before: an hour later it says nothing that is still true
_SMS_WAIT_S = 3_600
_POLL_S = 3_600.0
#: no matter is told again after so long
_PACED = timedelta(days=90)


class Undeliverable(Exception):
    """It will never be taken; says why."""


@dataclass(frozen=True)
class _Due:
    """What has to be sent to whom."""

    message_id: uuid.UUID
    channel: str
    to: Reader
    title: str
    body: str
    wait_s: int
    #: the machine's own time of an earlier try that may have succeeded
    tried_at: datetime | None


async def send_contact_message(
    office: PostOffice,
    sms: TwilioSms | None,
    database: Database,
    organization_id: uuid.UUID,
    event: ContactMessageDue,
) -> None:
    """Send a message to somebody outside, unless that is done, or it is worth nothing any more.

    Raises:
        MailUnavailable: when a mail has to be tried again.
        SmsUnavailable: when an SMS has to be tried again.
        WrongKey: when no known key opens its secret.
    """
    scope = OrganizationScope(organization_id)
    async with database.unit_of_work(scope) as db:
        due = await _begin(db, event.message_id)
    if due is None:
        return
    status = "sent"
    try:
        detail = await (_mail(office, due) if due.channel == "mail" else _text(sms, database, scope, due))
    except Undeliverable as reason:
        status, detail = "refused", str(reason)
        log.error("contact_message_refused", channel=due.channel, message_id=str(due.message_id), reason=detail)
    except (MailUnavailable, SmsUnavailable) as reason:
        async with database.unit_of_work(scope) as db:
            (await _row(db, due.message_id)).detail = str(reason)[:500]
        CONTACT_MESSAGES.labels(due.channel, "retried").inc()
        raise
    async with database.unit_of_work(scope) as db:
        _settle(await _row(db, due.message_id), status, detail)


async def _mail(office: PostOffice, due: _Due) -> str:
    try:
        await office.send_message(due.title, due.body, to=due.to, message_id=due.message_id.hex)
    except MailRefused as refusal:
        raise Undeliverable(str(refusal)) from None
    return due.message_id.hex


async def _text(sms: TwilioSms | None, database: Database, scope: OrganizationScope, due: _Due) -> str:
    if sms is None:
        raise Undeliverable("no Twilio account: set COLDFLEET_TWILIO_ACCOUNT_SID and its others")
    if due.tried_at is not None:
        taken = await sms.find(due.to.phone, due.body, since=due.tried_at)
        if ours := await _nobody_elses(database, scope, taken):
            return ours[0]
    try:
        return await sms.send(due.to.phone, due.body, wait_s=due.wait_s)
    except SmsRefused as refusal:
        raise Undeliverable(str(refusal)) from None


async def _nobody_elses(database: Database, scope: OrganizationScope, taken: Sequence[str]) -> Sequence[str]:
    """Those of these messages that no other of ours became: a repeat has the same words."""
    if not taken:
        return []
    async with database.unit_of_work(scope, read_only=True) as db:
        others = set(await db.scalars(select(ContactMessage.detail).where(ContactMessage.detail.in_(taken))))
    return [message for message in taken if message not in others]


async def _begin(db: AsyncSession, message_id: uuid.UUID) -> _Due | None:
    """Write down that it is tried; None when there is nothing to try."""
    row = await _row(db, message_id)
    if row.status != "waiting":
        return None
    if not row.recipient:
        _settle(row, "refused", "its person was forgotten before it left")
        return None
    left_s = _SMS_WAIT_S
    if row.expires_at is not None:
        left_s = min(left_s, int((row.expires_at - clock.now()).total_seconds()))
        if left_s <= 0:
            _settle(row, "expired", "it was worth nothing any more when it could have left")
            return None
    phone, email = (row.recipient, "") if row.channel == "sms" else ("", row.recipient)
    due = _Due(
        message_id=row.id,
        channel=row.channel,
        to=Reader(row.name, email, phone, row.locale),
        title=row.title,
        body=row.sealed_body or row.body,
        wait_s=left_s,
        tried_at=row.tried_at,
    )
    row.attempts += 1
    row.tried_at = row.tried_at or clock.machine_now()
    return due


def _settle(row: ContactMessage, status: str, detail: str) -> None:
    row.status, row.detail, row.settled_at = status, detail[:500], clock.now()
    row.sealed_body = None
    CONTACT_MESSAGES.labels(row.channel, status).inc()


async def _row(db: AsyncSession, message_id: uuid.UUID) -> ContactMessage:
    its = select(ContactMessage).where(ContactMessage.id == message_id)
    return (await db.scalars(its.with_for_update())).one()


async def forget_old(database: Database, now: datetime) -> int:
    """Make unreadable whom each organisation told longer ago than it keeps that. Returns how many messages."""
    async with database.unit_of_work(SystemScope("find whose messages are old"), read_only=True) as db:
        named = select(ContactMessage.organization_id).where(ContactMessage.recipient != "").distinct()
        organization_ids = set(await db.scalars(named))
        paced = select(Pacing.organization_id).where(Pacing.told_at < now - _PACED).distinct()
        organization_ids |= set(await db.scalars(paced))
    forgotten = 0
    for organization_id in sorted(organization_ids):
        async with database.unit_of_work(OrganizationScope(organization_id)) as db:
            keeps = timedelta(days=await configuration.value(db, definitions.CONTACT_MESSAGE_DAYS))
            old = update(ContactMessage).where(ContactMessage.recipient != "", ContactMessage.created_at < now - keeps)
            gone = await db.scalars(old.values(**ERASED).returning(ContactMessage.id))
            forgotten += len(gone.all())
            await db.execute(delete(Pacing).where(Pacing.told_at < now - _PACED))
    return forgotten


class ContactExpiry:
    """Forgets old messages to people outside. Any number may run beside each other."""

    def __init__(self, database: Database, *, poll_s: float = _POLL_S) -> None:
        self._database = database
        self._poll_s = poll_s

    async def run(self) -> None:
        """Look until cancelled; a database that does not answer is asked again."""
        await keep_looking(
            lambda: forget_old(self._database, clock.now()), every_s=self._poll_s, failure="contact_expiry_failed"
        )
