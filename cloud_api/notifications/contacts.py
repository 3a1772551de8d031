"""Telling people outside: whoever opens the door, by SMS and mail.

What they are told is rendered from a template at once, in their language, and written down; it leaves after the
commit (`contact_sending`), and its row says what became of it. A secret stands sealed until then and is gone
afterwards.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.organizations.models import Organization
from cloud_api.kernel import clock, outbox
from cloud_api.notifications import templates
from cloud_api.notifications.events import ContactMessageDue
from cloud_api.notifications.models import ContactMessage
from cloud_api.notifications.pacing import take_turn
from cloud_api.notifications.schemas import ContactMessageRead

ContactChannel = Literal["sms", "mail"]
A_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Contact:
    """Somebody outside, as far as they can be reached."""

    #: as they are greeted; empty: nobody knows
    name: str = ""
    #: E.164; empty: none
    phone: str = ""
    email: str = ""
    #: BCP 47; empty: the organisation's
    locale: str = ""

    def address(self, channel: ContactChannel) -> str:
        """Where they are reached on a channel; empty: they are not."""
        return self.phone if channel == "sms" else self.email


async def tell(
    db: AsyncSession,
    contact: Contact,
    *,
    template: str,
    values: Mapping[str, str],
    subject: str,
    channels: Collection[ContactChannel] = ("sms", "mail"),
    collapse_key: str = "",
    at_most_every: timedelta = A_MINUTE,
    secret: bool = False,
    expires_at: datetime | None = None,
    warehouse_id: UUID | None = None,
) -> Sequence[ContactMessage]:
    """Tell somebody outside of a `subject` (`order:<id>`), on each of the channels on which they are reached.

    Args:
        template: a key of `wording.KINDS`, of those for customers.
        values: what stands in it, all that the kind names; `company` and `name` are known.
        collapse_key: of one matter, of which they are told at most once in `at_most_every`; empty: each telling is one.
        secret: it is kept sealed, and only until it is sent.
        expires_at: it is not sent any more from then on.
        warehouse_id: whose people may read that they were told; None: everybody's.

    Returns:
        One message for each channel; none when they are not reached, or were told a moment ago.

    Raises:
        UnknownTemplate: when there is no such kind.
        ValueError: when the kind is not for customers, or a value is missing.
    """
    reached = [channel for channel in dict.fromkeys(channels) if contact.address(channel)]
    if not reached:
        return []
    if collapse_key and not await take_turn(db, f"contact:{collapse_key}", at_most_every=at_most_every):
        return []
    words = await _words(db, contact, template, values, reached)
    messages = [
        ContactMessage(
            channel=channel,
            recipient=contact.address(channel),
            name=contact.name,
            template=template,
            locale=said.locale,
            subject=subject,
            warehouse_id=warehouse_id,
            title=said.subject,
            body="" if secret else said.body,
            sealed_body=said.body if secret else None,
            collapse_key=collapse_key,
            created_at=clock.now(),
            expires_at=expires_at,
        )
        for channel, said in words.items()
    ]
    db.add_all(messages)
    await db.flush()
    for message in messages:
        outbox.emit(db, ContactMessageDue(message.id))
    return messages


async def _words(
    db: AsyncSession,
    contact: Contact,
    template: str,
    values: Mapping[str, str],
    channels: Sequence[ContactChannel],
) -> Mapping[ContactChannel, templates.Rendered]:
    """What they are told on each of these channels."""
    company = await db.scalar(select(Organization.name))
    known = {"company": company or "Coldfleet", "name": contact.name, **values}
    return {channel: await templates.render(db, template, contact.locale, channel, known) for channel in channels}


async def forget(db: AsyncSession, addresses: Collection[str]) -> None:
    """Make unreadable who was told under these numbers and addresses, and what; that something was told stays."""
    wanted = [address for address in addresses if address]
    if wanted:
        await db.execute(update(ContactMessage).where(ContactMessage.recipient.in_(wanted)).values(**ERASED))


#: what is left of a message whose person is to be forgotten; what has not left does not leave any more
ERASED: Mapping[str, object] = {"recipient": "", "name": "", "title": "", "body": "", "sealed_body": None}


def read(message: ContactMessage) -> ContactMessageRead:
    """As staff may see it."""
    shown = ContactMessageRead.model_fields.keys() - {"recipient", "is_secret"}
    return ContactMessageRead(
        **{name: getattr(message, name) for name in shown},
        recipient=masked(message.recipient),
        is_secret=bool(message.recipient) and not message.body,
    )


def masked(address: str) -> str:
    """A number or an address of mail of which nobody can tell whose it is, and its owner can."""
    name, at, host = address.partition("@")
    if at:
        return f"{name[:1]}***@{host}"
    return f"{address[:3]}***{address[-2:]}" if len(address) > 7 else "***" * bool(address)
