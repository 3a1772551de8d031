"""Codes reach phones through Twilio's own library, or are told as not sent; never in the logs."""

import asyncio
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from pydantic import SecretStr

from cloud_api.kernel import clock
from cloud_api.kernel.settings import Settings
from cloud_api.logistics.dispatch.planner import Planner
from cloud_api.main import open_dispatcher
from cloud_api.notifications.sms import SmsRefused, SmsUnavailable, TwilioSms
from cloud_api.realtime.hub import Hub
from device_sims.twilio import MAGIC_SENDER, TwilioDouble
from tests.cloud_api.notifications.outgoing import (
    CODE,
    counted,
    deliver,
    deliver_again,
    deliveries,
    emit,
    logged,
    make_code,
)
from tests.factories.grounds import IN_ONE_LOOP
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

PHONE = "+919812345678"
#: numbers that Twilio's documentation gives for refusals: invalid, unsubscribed, no mobile
REFUSED = {"+15005550001": 21211, "+15005550004": 21610, "+15005550009": 21614, "98-12": 21211}


@pytest.fixture
def twilio() -> Iterator[TwilioDouble]:
    with TwilioDouble() as running:
        yield running


@pytest.fixture
def texting(sending: Platform, twilio: TwilioDouble) -> Iterator[Platform]:
    """The platform with an account at the double."""
    sending.sms = sms = TwilioSms(twilio.account_sid, twilio.auth_token, MAGIC_SENDER, url=twilio.url)
    yield sending
    sms.close()


def outcome(name: str) -> float:
    return counted("coldfleet_sms_codes_total", outcome=name)


async def test_a_code_reaches_the_phone_and_stands_first(texting: Platform, twilio: TwilioDouble) -> None:
    sent = outcome("sent")
    assert await deliver(texting, make_code(PHONE, lives_s=299)) == [("done", "")]
    [message] = twilio.messages()
    assert (message.to, message.sender, message.segments) == (PHONE, MAGIC_SENDER, 1)
    assert re.fullmatch(rf"{CODE} is your Coldfleet code\. It works for 4 min\. .+", message.body)
    assert 0 < message.validity_period_s <= 299
    assert outcome("sent") == sent + 1


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_moment_of_refusal_costs_nobody_a_code(texting: Platform, twilio: TwilioDouble, status: int) -> None:
    twilio.fail_next(1, status)
    [(state, reason)] = await deliver(texting, make_code())
    assert (state, twilio.messages()) == ("pending", [])
    assert re.fullmatch(rf"SmsUnavailable: Twilio {status} 20\d{{3}}", reason)
    assert await deliver_again(texting) == [("done", "")]
    assert len(twilio.messages()) == 1


async def test_a_full_queue_is_waited_for(sending: Platform, twilio: TwilioDouble) -> None:
    sending.sms = TwilioSms(twilio.account_sid, twilio.auth_token, "+15005550008", url=twilio.url)
    [(state, reason)] = await deliver(sending, make_code())
    assert (state, "21611" in reason) == ("pending", True)
    sending.sms.close()


@pytest.mark.parametrize(("number", "code"), REFUSED.items())
async def test_a_number_that_takes_no_code_is_tried_once(
    texting: Platform, twilio: TwilioDouble, caplog: pytest.LogCaptureFixture, number: str, code: int
) -> None:
    refused = outcome("refused")
    assert await deliver(texting, make_code(number)) == [("done", "")]
    assert (twilio.messages(), outcome("refused")) == ([], refused + 1)
    assert f"Twilio 400 {code}" in logged(caplog)
    assert number not in logged(caplog)


async def test_a_refused_account_is_told_to_the_operator_and_not_tried_again(
    sending: Platform, twilio: TwilioDouble, caplog: pytest.LogCaptureFixture
) -> None:
    sending.sms = TwilioSms(twilio.account_sid, "not-the-token", MAGIC_SENDER, url=twilio.url)
    assert await deliver(sending, make_code()) == [("done", "")]
    assert "Twilio 401 20003" in logged(caplog)
    assert "not-the-token" not in logged(caplog)
    sending.sms.close()


async def test_without_an_account_a_code_is_told_as_not_sent(
    sending: Platform, caplog: pytest.LogCaptureFixture
) -> None:
    unconfigured = outcome("unconfigured")
    assert await deliver(sending, make_code()) == [("done", "")]
    assert outcome("unconfigured") == unconfigured + 1
    assert "COLDFLEET_TWILIO_ACCOUNT_SID" in logged(caplog)


async def test_a_code_that_works_no_more_is_not_sent(texting: Platform, twilio: TwilioDouble) -> None:
    expired = outcome("expired")
    twilio.fail_next(1, 503)
    assert (await deliver(texting, make_code(lives_s=60)))[0][0] == "pending"
    later = clock.now() + timedelta(seconds=60)
    clock.use(lambda: later)
    assert await deliver_again(texting) == [("done", "")]
    assert (twilio.messages(), outcome("expired")) == ([], expired + 1)


async def test_a_twilio_that_is_away_is_tried_again(sending: Platform, twilio: TwilioDouble) -> None:
    sending.sms = TwilioSms(twilio.account_sid, twilio.auth_token, MAGIC_SENDER, url=twilio.url)
    twilio.stop()
    [(state, reason)] = await deliver(sending, make_code())
    assert (state, reason) == ("pending", "SmsUnavailable: Twilio: ConnectionError")
    sending.sms.close()


async def test_a_twilio_that_says_nothing_is_not_waited_for() -> None:
    hung_up = asyncio.Event()

    async def keep_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        hung_up.set()
        writer.close()

    async with await asyncio.start_server(keep_silent, "127.0.0.1", 0) as silent:
        port = silent.sockets[0].getsockname()[1]
        sms = TwilioSms("AC1", "token", MAGIC_SENDER, url=f"http://127.0.0.1:{port}", timeout_s=0.05)
        with pytest.raises(SmsUnavailable, match="Twilio"):
            await sms.send(PHONE, "123456", wait_s=60)
        async with asyncio.timeout(20):
            await hung_up.wait()
        sms.close()


async def test_a_trial_account_reaches_verified_numbers_only() -> None:
    with TwilioDouble(verified=frozenset({PHONE})) as trial:
        sms = TwilioSms(trial.account_sid, trial.auth_token, MAGIC_SENDER, url=trial.url)
        sid = await sms.send(PHONE, "123456", wait_s=60)
        with pytest.raises(SmsRefused, match="Twilio 400 21608"):
            await sms.send("+919812345679", "123456", wait_s=60)
        sms.close()
    assert [message.sid for message in trial.messages()] == [sid]


@pytest.mark.parametrize("missing", ["twilio_account_sid", "twilio_auth_token", "twilio_from"])
async def test_half_an_account_is_refused_by_name(sending: Platform, missing: str) -> None:
    account = {"twilio_account_sid": "AC1", "twilio_auth_token": "a-secret", "twilio_from": MAGIC_SENDER, missing: ""}
    told = Settings(**account, _env_file=None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=f"COLDFLEET_{missing.upper()}") as refusal:
        async with open_dispatcher(told, sending.database, Planner(sending.database), Hub()):
            pass
    assert "a-secret" not in str(refusal.value)


async def test_the_dispatcher_brings_its_account_and_takes_it_away_again(
    sending: Platform, twilio: TwilioDouble
) -> None:
    told = Settings(
        twilio_account_sid=twilio.account_sid,
        twilio_auth_token=SecretStr(twilio.auth_token),
        twilio_from=MAGIC_SENDER,
        twilio_url=twilio.url,
        _env_file=None,
    )
    await emit(sending, make_code())
    async with open_dispatcher(told, sending.database, Planner(sending.database), Hub()) as dispatcher:
        while await dispatcher.deliver_due():
            pass
    assert [message.to for message in twilio.messages()] == [PHONE]


async def test_neither_code_nor_secret_nor_number_is_logged(
    texting: Platform, twilio: TwilioDouble, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    caplog.set_level("INFO", "aiosqlite")  # tells every statement with its values
    twilio.fail_next(1, 429)
    for number in (PHONE, PHONE, *REFUSED):
        await deliver(texting, make_code(number))
    await deliver(texting, make_code(lives_s=-1))
    texting.sms = None
    await deliver(texting, make_code())
    everything = logged(caplog)
    for event in ("code_sent", "code_refused", "code_expired", "code_not_sent", "outbox_delivery_failed"):
        assert event in everything
    for secret in (CODE, twilio.auth_token, PHONE, *REFUSED):
        assert secret not in everything
    assert all(CODE not in error and PHONE not in error for _, error in await deliveries(texting))
