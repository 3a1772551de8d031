"""What people are told by mail and SMS: sent once, tried again while it may help, and written down either way."""

import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import select

from cloud_api.identity.people.models import User
from cloud_api.kernel.tenancy import SystemScope
from cloud_api.notifications import service
from cloud_api.notifications.deliveries import LONGEST_SMS, sms_text
from cloud_api.notifications.models import Notification, NotificationDelivery
from cloud_api.notifications.sms import TwilioSms
from device_sims.twilio import MAGIC_SENDER, TwilioDouble
from tests.cloud_api.notifications.outgoing import deliver_again, deliveries
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.scopes import id_of
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

PHONE = "+919812345678"


@pytest.fixture
def twilio() -> Iterator[TwilioDouble]:
    with TwilioDouble() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def texting(sending: Platform, twilio: TwilioDouble) -> AsyncIterator[Platform]:
    """The platform with a Twilio account that is the double; the administrator has a phone number."""
    sending.sms = sms = TwilioSms(twilio.account_sid, twilio.auth_token, MAGIC_SENDER, url=twilio.url)
    await give_phone(sending, PHONE)
    yield sending
    sms.close()


async def give_phone(farm: Platform, number: str) -> None:
    me = uuid.UUID(await id_of(farm.tenant))
    async with farm.database.unit_of_work(SystemScope("test")) as db:
        (await db.get_one(User, me)).phone = number


async def tell(farm: Platform, *channels: str, **more: Any) -> Notification:
    words = {"title": "Cold room 1: temperature above 8 °C", "message": "9.5 °C since 10:00 UTC"}
    about: dict[str, Any] = {"severity": "error", "category": "quality", "subject": "x", "urgent": True}
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        [one] = await service.notify(db, permission="alerts:ack", **{**about, "channels": channels, **words, **more})
        return one


async def rows(farm: Platform) -> list[tuple[str, str, int]]:
    """(channel, status, attempts) of everything that was to leave by mail or SMS."""
    async with farm.database.unit_of_work(farm.tenant.organization, read_only=True) as db:
        found = await db.scalars(select(NotificationDelivery).order_by(NotificationDelivery.id))
        return [(row.channel, row.status, row.attempts) for row in found]


async def reason(farm: Platform) -> str:
    async with farm.database.unit_of_work(farm.tenant.organization, read_only=True) as db:
        return (await db.scalars(select(NotificationDelivery))).one().detail


async def test_mail_and_sms_say_what_the_app_says(texting: Platform, twilio: TwilioDouble) -> None:
    await tell(texting, "mail", "sms", "in_app")
    await texting.deliver()
    [mail] = texting.letterbox.mails
    assert mail["Subject"] == "Cold room 1: temperature above 8 °C"
    assert mail["To"].addresses[0].addr_spec.startswith(texting.tenant.username)
    plain = mail.get_body(("plain",))
    assert plain is not None
    assert "9.5 °C since 10:00 UTC" in plain.get_content()
    [message] = twilio.messages(PHONE)
    assert message.body == "Cold room 1: temperature above 8 C. 9.5 C since 10:00 UTC"
    assert message.segments == 1
    assert sorted(await rows(texting)) == [("mail", "sent", 1), ("sms", "sent", 1)]


async def test_what_is_done_is_not_done_again(texting: Platform, twilio: TwilioDouble) -> None:
    await tell(texting, "mail", "sms")
    await texting.deliver()
    await deliver_again(texting)
    assert (len(texting.letterbox.mails), len(twilio.messages())) == (1, 1)


async def test_what_was_not_taken_is_tried_again(texting: Platform, twilio: TwilioDouble) -> None:
    await tell(texting, "sms")
    twilio.fail_next(1, 503)
    await texting.deliver()
    assert await rows(texting) == [("sms", "trying", 1)]
    assert "503" in await reason(texting)
    assert (await deliveries(texting))[0][0] == "pending"
    await deliver_again(texting)
    assert await rows(texting) == [("sms", "sent", 2)]
    assert len(twilio.messages()) == 1


async def test_a_try_that_was_broken_off_after_it_was_taken_brings_no_second_sms(
    texting: Platform, twilio: TwilioDouble
) -> None:
    await tell(texting, "sms")
    await texting.deliver()
    async with texting.database.unit_of_work(texting.tenant.organization) as db:
        row = (await db.scalars(select(NotificationDelivery))).one()
        row.status, row.detail, row.settled_at = "trying", "", None
    await deliver_again(texting)
    assert len(twilio.messages()) == 1
    assert await rows(texting) == [("sms", "sent", 2)]
    assert await reason(texting) == twilio.messages()[0].sid


async def test_a_repeat_of_the_same_words_is_a_message_of_its_own(texting: Platform, twilio: TwilioDouble) -> None:
    await tell(texting, "sms")
    await texting.deliver()
    await tell(texting, "sms")
    twilio.fail_next(1, 503)
    await texting.deliver()
    await deliver_again(texting)
    assert len(twilio.messages(PHONE)) == 2
    assert await rows(texting) == [("sms", "sent", 1), ("sms", "sent", 2)]


@pytest.mark.parametrize(
    ("number", "why"), [("", "phone number"), ("+15005550009", "21614"), ("+15005550004", "21610")]
)
async def test_a_phone_that_takes_no_sms_is_refused_for_good(
    texting: Platform, twilio: TwilioDouble, number: str, why: str
) -> None:
    await give_phone(texting, number)
    await tell(texting, "sms")
    await texting.deliver()
    assert await rows(texting) == [("sms", "refused", 1)]
    assert why in await reason(texting)
    assert [state for state, _ in await deliveries(texting)] == ["done"]


async def test_without_an_account_it_is_refused_and_says_what_to_set(sending: Platform) -> None:
    await give_phone(sending, PHONE)
    await tell(sending, "sms")
    await sending.deliver()
    assert "COLDFLEET_TWILIO_ACCOUNT_SID" in await reason(sending)


async def test_what_was_overtaken_before_it_left_leaves_no_more(texting: Platform, twilio: TwilioDouble) -> None:
    for title in ("Warm", "Over: Warm"):
        await tell(texting, "sms", "mail", title=title, collapse_key="alert:7")
    await texting.deliver()
    assert [message.body[:4] for message in twilio.messages()] == ["Over"]
    assert [mail["Subject"] for mail in texting.letterbox.mails] == ["Over: Warm"]


async def test_a_mail_has_the_same_identity_at_each_try(texting: Platform) -> None:
    told = await tell(texting, "mail")
    await texting.deliver()
    [mail] = texting.letterbox.mails
    assert mail["Message-ID"].startswith(f"<{told.id.hex}@")


async def test_names_from_people_do_no_harm_in_a_mail(texting: Platform) -> None:
    await tell(texting, "mail", title="<b>Room\n1</b>", message="<script>")
    await texting.deliver()
    [mail] = texting.letterbox.mails
    assert mail["Subject"] == "<b>Room 1</b>"
    html = mail.get_body(("html",))
    assert html is not None
    assert "<script>" not in html.get_content()
    assert "&lt;script&gt;" in html.get_content()


async def test_an_sms_is_short_and_in_plain_letters() -> None:
    for message in ("", "x" * 1000, "°" * 1000):
        text = sms_text("Cold room 1: above 8 °C", message)
        assert len(text) <= LONGEST_SMS
        assert "°" not in text
