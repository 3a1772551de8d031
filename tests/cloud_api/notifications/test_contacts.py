"""Whoever opens the door is told by SMS and mail: once, in their language, and nothing of it is forgotten or kept too
long.
"""

import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import select, text

from cloud_api.kernel import clock
from cloud_api.kernel.outbox import OutboxEvent
from cloud_api.kernel.tenancy import SystemScope
from cloud_api.notifications import contacts, pacing
from cloud_api.notifications.contact_sending import forget_old
from cloud_api.notifications.contacts import Contact
from cloud_api.notifications.models import ContactMessage
from cloud_api.notifications.sms import TwilioSms
from device_sims.twilio import MAGIC_SENDER, TwilioDouble
from tests.cloud_api.notifications.outgoing import counted, deliver_again, deliveries, logged
from tests.factories.farms import make_farm, make_person
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.scopes import make_keeper
from tests.factories.stores import ColdStore, make_warehouse
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

MESSAGES = "/api/v1/notifications/contact-messages"
PHONE, EMAIL, CODE = "+919812345678", "asha@kitchen.example", "493817"
ASHA = Contact("Asha Patil", PHONE, EMAIL, "en-IN")
VALUES = {"order": "ORD-1", "amount": "INR 425.00"}


@pytest.fixture
def twilio() -> Iterator[TwilioDouble]:
    with TwilioDouble() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def telling(sending: Platform, twilio: TwilioDouble) -> AsyncIterator[Platform]:
    """The platform with a Twilio account that is the double."""
    sending.sms = sms = TwilioSms(twilio.account_sid, twilio.auth_token, MAGIC_SENDER, url=twilio.url)
    yield sending
    sms.close()


async def tell(farm: Platform, contact: Contact = ASHA, **more: Any) -> Sequence[ContactMessage]:
    said: dict[str, Any] = {"template": "payment.refunded", "values": VALUES, "subject": "order:1"}
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        return await contacts.tell(db, contact, **{**said, **more})


async def tell_code(farm: Platform, *, lives_s: float = 300, contact: Contact = ASHA) -> None:
    said = {"template": "delivery.otp", "values": {"order": "ORD-1", "code": CODE, "minutes": "5"}}
    expires_at = clock.now() + timedelta(seconds=lives_s)
    await tell(farm, contact, **said, channels=("sms",), secret=True, expires_at=expires_at)


async def rows(farm: Platform) -> list[tuple[str, str, int]]:
    """(channel, status, attempts)"""
    async with farm.database.unit_of_work(farm.tenant.organization, read_only=True) as db:
        found = await db.scalars(select(ContactMessage).order_by(ContactMessage.id))
        return [(row.channel, row.status, row.attempts) for row in found]


async def at_rest(farm: Platform) -> str:
    """Everything that the database has of this organisation's messages and events, as it stands there."""
    ours = {"organization_id": farm.tenant.organization.organization_id}
    key = str(ours["organization_id"])
    async with farm.database.unit_of_work(SystemScope("test"), read_only=True) as db:
        kept = (await db.execute(text("SELECT * FROM contact_messages"))).all()
        mine = [row for row in kept if uuid.UUID(str(row.organization_id)) == uuid.UUID(key)]
        events = await db.scalars(select(OutboxEvent).filter_by(**ours))
        return f"{mine}{[event.payload for event in events]}"


async def test_a_customer_is_told_by_sms_and_by_mail(telling: Platform, twilio: TwilioDouble) -> None:
    await tell(telling)
    await telling.deliver()
    [message] = twilio.messages(PHONE)
    assert "INR 425.00 of your order ORD-1 are on their way back to you" in message.body
    [mail] = telling.letterbox.mails
    assert mail["To"].addresses[0].addr_spec == EMAIL
    assert mail["Subject"] == "INR 425.00 of your order ORD-1 are refunded"
    plain = mail.get_body(("plain",))
    assert plain is not None
    assert plain.get_content().startswith("Hello Asha Patil,")
    assert await rows(telling) == [("sms", "sent", 1), ("mail", "sent", 1)]


async def test_a_mail_leads_to_where_the_order_is_followed(telling: Platform) -> None:
    link = "https://coldfleet.example/t/abc"
    values = {"order": "ORD-1", "eta_from": "10:15", "eta_until": "10:40", "link": link}
    await tell(telling, replace(ASHA, phone="", locale="hi-IN"), template="stop.next", values=values)
    await telling.deliver()
    [mail] = telling.letterbox.mails
    assert (mail["Content-Language"], "अगला पड़ाव" in mail["Subject"]) == ("hi", True)
    html = mail.get_body(("html",))
    assert html is not None
    assert f'<a href="{link}">{link}</a>' in html.get_content()


async def test_who_is_not_reached_is_not_told(telling: Platform) -> None:
    assert await tell(telling, Contact("Asha")) == []
    assert await tell(telling, replace(ASHA, phone=""), channels=("sms",)) == []
    assert [one.channel for one in await tell(telling, replace(ASHA, phone=""))] == ["mail"]


async def test_what_is_done_is_not_done_again(telling: Platform, twilio: TwilioDouble) -> None:
    await tell(telling)
    await telling.deliver()
    await deliver_again(telling)
    assert (len(telling.letterbox.mails), len(twilio.messages())) == (1, 1)


async def test_what_was_not_taken_is_tried_again(telling: Platform, twilio: TwilioDouble) -> None:
    await tell(telling, channels=("sms",))
    twilio.fail_next(1, 503)
    await telling.deliver()
    assert await rows(telling) == [("sms", "waiting", 1)]
    [read] = await telling.tenant.get(MESSAGES)
    assert "503" in read["detail"]
    await deliver_again(telling)
    assert (await rows(telling), len(twilio.messages())) == ([("sms", "sent", 2)], 1)


async def test_a_try_that_was_broken_off_after_it_was_taken_brings_no_second_sms(
    telling: Platform, twilio: TwilioDouble
) -> None:
    await tell(telling, channels=("sms",))
    await telling.deliver()
    async with telling.database.unit_of_work(telling.tenant.organization) as db:
        row = (await db.scalars(select(ContactMessage))).one()
        row.status, row.detail, row.settled_at = "waiting", "", None
    await deliver_again(telling)
    assert (await rows(telling), len(twilio.messages())) == ([("sms", "sent", 2)], 1)


@pytest.mark.parametrize(("number", "why"), [("+15005550009", "21614"), ("+15005550004", "21610")])
async def test_a_phone_that_takes_no_sms_is_refused_for_good(telling: Platform, number: str, why: str) -> None:
    before = counted("coldfleet_contact_messages_total", channel="sms", outcome="refused")
    await tell(telling, replace(ASHA, phone=number), channels=("sms",))
    await telling.deliver()
    assert await rows(telling) == [("sms", "refused", 1)]
    [read] = await telling.tenant.get(MESSAGES, status="refused")
    assert why in read["detail"]
    assert [state for state, _ in await deliveries(telling)] == ["done"]
    assert counted("coldfleet_contact_messages_total", channel="sms", outcome="refused") == before + 1


async def test_an_address_that_is_none_is_refused_for_good(telling: Platform) -> None:
    await tell(telling, Contact("Asha", "", "asha@kitchen@example"))
    await telling.deliver()
    assert await rows(telling) == [("mail", "refused", 1)]


async def test_a_code_stands_nowhere_in_clear_and_is_gone_once_it_is_sent(
    telling: Platform, twilio: TwilioDouble, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "aiosqlite")
    await tell_code(telling)
    assert CODE not in await at_rest(telling)
    twilio.fail_next(1, 503)
    await telling.deliver()
    await deliver_again(telling)
    [message] = twilio.messages(PHONE)
    assert message.body.startswith(CODE)
    assert CODE not in await at_rest(telling)
    async with telling.database.unit_of_work(telling.tenant.organization, read_only=True) as db:
        assert (await db.scalars(select(ContactMessage))).one().sealed_body is None
    [read] = await telling.tenant.get(MESSAGES)
    assert (read["is_secret"], read["body"], read["status"]) == (True, "", "sent")
    assert CODE not in logged(caplog)


async def test_a_code_that_comes_too_late_is_not_sent(telling: Platform, twilio: TwilioDouble) -> None:
    await tell_code(telling, lives_s=60)
    twilio.fail_next(1, 503)
    await telling.deliver()
    later = clock.now() + timedelta(seconds=60)
    clock.use(lambda: later)
    await deliver_again(telling)
    assert (await rows(telling), twilio.messages()) == ([("sms", "expired", 1)], [])
    assert CODE not in await at_rest(telling)
    async with telling.database.unit_of_work(telling.tenant.organization, read_only=True) as db:
        assert (await db.scalars(select(ContactMessage))).one().sealed_body is None


async def test_an_sms_may_wait_at_twilio_no_longer_than_its_code_works(telling: Platform, twilio: TwilioDouble) -> None:
    await tell_code(telling, lives_s=90)
    await telling.deliver()
    assert 0 < twilio.messages()[0].validity_period_s <= 90


async def test_of_one_matter_there_is_no_storm(telling: Platform) -> None:
    now = clock.now()
    told = []
    for after_s in (0, 1, 299, 300, 310, 601):
        clock.use(lambda at=now + timedelta(seconds=after_s): at)  # type: ignore[misc]
        if await tell(telling, collapse_key="eta:1", at_most_every=timedelta(minutes=5)):
            told.append(after_s)
    assert told == [0, 300, 601]
    assert await tell(telling, collapse_key="eta:2", at_most_every=timedelta(minutes=5))


async def test_what_is_told_once_is_told_once(telling: Platform) -> None:
    assert await tell(telling, collapse_key="packed:1", at_most_every=pacing.ONCE)
    later = clock.now() + timedelta(days=300)
    clock.use(lambda: later)
    assert await tell(telling, collapse_key="packed:1", at_most_every=pacing.ONCE) == []


async def test_without_a_key_each_telling_is_one(telling: Platform) -> None:
    assert [len(await tell(telling)) for _ in range(2)] == [2, 2]


async def test_who_was_not_reached_is_told_when_somebody_finds_out_how(telling: Platform) -> None:
    assert not await tell(telling, Contact("Asha"), collapse_key="packed:1", at_most_every=pacing.ONCE)
    assert await tell(telling, ASHA, collapse_key="packed:1", at_most_every=pacing.ONCE)


async def test_staff_see_who_was_told_what_without_number_or_address(telling: Platform) -> None:
    await tell(telling)
    await tell(telling, subject="order:2", channels=("mail",))
    await telling.deliver()
    shown = await telling.tenant.get(MESSAGES, subject="order:1")
    assert [(row["channel"], row["recipient"], row["status"]) for row in shown] == [
        ("mail", "a***@kitchen.example", "sent"),
        ("sms", "+91***78", "sent"),
    ]
    assert [row["subject"] for row in await telling.tenant.get(MESSAGES, template="payment.refunded", limit=1)] == [
        "order:2"
    ]
    everything = str(await telling.tenant.get(MESSAGES))
    assert PHONE not in everything
    assert EMAIL not in everything


async def test_whoever_keeps_one_warehouse_sees_what_was_told_about_no_other(
    telling: Platform, store: ColdStore
) -> None:
    elsewhere = await make_warehouse(store.tenant)
    for warehouse_id in (store.warehouse_id, elsewhere):
        await tell(telling, subject=f"of:{warehouse_id}", channels=("sms",), warehouse_id=uuid.UUID(warehouse_id))
    await tell(telling, subject="of:none", channels=("sms",))
    keeper = await make_keeper(telling, store.warehouse_id)
    assert {row["subject"] for row in await keeper.get(MESSAGES)} == {f"of:{store.warehouse_id}", "of:none"}
    assert len(await telling.tenant.get(MESSAGES)) == 3
    assert await (await make_farm(telling)).get(MESSAGES) == []
    viewer = await make_person(telling, telling.tenant, "viewer")
    assert (await viewer.client.get(MESSAGES)).status_code == 403


async def test_it_is_forgotten_whom_a_message_was_sent_to(telling: Platform, twilio: TwilioDouble) -> None:
    await telling.tenant.put("/api/v1/admin/settings/notifications.contact_days", {"value": 30})
    await tell(telling, collapse_key="packed:1")
    await telling.deliver()
    await forget_old(telling.database, clock.now() + timedelta(days=29))
    assert PHONE in await at_rest(telling)
    await forget_old(telling.database, clock.now() + timedelta(days=31))
    left = await at_rest(telling)
    assert PHONE not in left
    assert EMAIL not in left
    assert "Asha" not in left
    shown = await telling.tenant.get(MESSAGES)
    assert [(row["recipient"], row["body"], row["status"], row["is_secret"]) for row in shown] == [
        ("", "", "sent", False)
    ] * 2
    assert len(twilio.messages()) == 1


async def test_who_was_forgotten_before_it_left_is_told_nothing(telling: Platform, twilio: TwilioDouble) -> None:
    await tell(telling)
    async with telling.database.unit_of_work(telling.tenant.organization) as db:
        await contacts.forget(db, [PHONE, EMAIL, ""])
    await telling.deliver()
    assert await rows(telling) == [("sms", "refused", 0), ("mail", "refused", 0)]
    assert (telling.letterbox.mails, twilio.messages()) == ([], [])


async def test_what_people_call_themselves_does_no_harm(telling: Platform, twilio: TwilioDouble) -> None:
    nasty = Contact("<b>Asha</b>\n\u202ePatil", PHONE, EMAIL, "en")
    values = {"order": "ORD-1\r\nBcc: all@farm.example", "amount": "{{ company }}"}
    await tell(telling, nasty, values=values)
    await telling.deliver()
    [mail] = telling.letterbox.mails
    html = mail.get_body(("html",))
    assert html is not None
    assert mail["Bcc"] is None
    assert "<b>" not in html.get_content()
    assert "{{ company }} of your order ORD-1 Bcc" in twilio.messages()[0].body
