"""Mails leave by SMTP or into the folder, once, with what they carry in nobody else's hands."""

import asyncio
import re
import stat
from collections.abc import AsyncIterator
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path
from urllib.parse import quote

import pytest
import pytest_asyncio

from cloud_api.identity.events import MailDue
from cloud_api.kernel import clock
from cloud_api.kernel.vault import Vault
from cloud_api.notifications.mail import (
    MailFolder,
    MailRefused,
    MailUnavailable,
    PostOffice,
    SmtpServer,
)
from tests.cloud_api.notifications.outgoing import (
    TOKEN,
    counted,
    deliver,
    deliver_again,
    deliveries,
    emit,
    logged,
    make_mail,
)
from tests.cloud_api.notifications.smtp_inbox import (
    PASSWORD,
    USERNAME,
    Certificate,
    Inbox,
    make_certificate,
    smtp_inbox,
)
from tests.cloud_api.notifications.test_mail_forms import HEADERS
from tests.factories.grounds import IN_ONE_LOOP
from tests.platform_under_test import Letterbox, Platform

pytestmark = IN_ONE_LOOP

FROM = "Coldfleet <mail@cold.example>"
WHO = f"{quote(USERNAME, safe='')}:{quote(PASSWORD, safe='')}@"


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest_asyncio.fixture(loop_scope="session")
async def inbox() -> AsyncIterator[Inbox]:
    """A server that asks nobody who they are."""
    async with smtp_inbox() as opened:
        yield opened


def office(server: SmtpServer | MailFolder | Letterbox) -> PostOffice:
    return PostOffice(server, FROM, "https://cold.example")


def server(inbox: Inbox, *, who: str = "", scheme: str = "smtp", certificate: Certificate | None = None) -> SmtpServer:
    tls = certificate.client if certificate else None
    return SmtpServer(f"{scheme}://{who}127.0.0.1:{inbox.port}", mail_from=FROM, tls=tls)


async def test_a_mail_in_development_is_found_in_the_folder(sending: Platform, tmp_path: Path) -> None:
    sending.office = office(MailFolder(tmp_path / "var" / "mail"))
    await deliver(sending, make_mail())
    assert await deliver(sending, make_mail("password_changed")) == [("done", "")] * 2
    first, second = sorted((tmp_path / "var" / "mail").iterdir())
    assert [re.sub(r"^\d{8}T\d{6}\.\d{6}Z-(\w+)-[0-9a-f]{32}\.eml$", r"\1", file.name) for file in (first, second)] == [
        "reset_password",
        "password_changed",
    ]
    mail = message_from_bytes(first.read_bytes(), policy=policy.default)
    assert (mail["To"], mail["From"], mail["Subject"]) == (
        "Asha <asha@farm.example>",
        FROM,
        "Reset your password",
    )
    for kind in ("plain", "html"):
        part = mail.get_body((kind,))
        assert part is not None
        assert part.get_content().count(TOKEN) == 2
        assert f"https://cold.example/console/reset-password#token={TOKEN}" in part.get_content()


async def test_a_kept_mail_is_for_its_owners_eyes_and_a_repeat_is_kept_once(sending: Platform, tmp_path: Path) -> None:
    sending.office = office(MailFolder(tmp_path / "mail"))
    await deliver(sending, make_mail("invitation"))
    await deliver_again(sending)
    [file] = (tmp_path / "mail").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "mail").stat().st_mode) == 0o700


async def test_a_folder_that_cannot_be_written_lets_the_mail_wait(sending: Platform, tmp_path: Path) -> None:
    (tmp_path / "mail").touch()
    sending.office = office(MailFolder(tmp_path / "mail"))
    [(state, reason)] = await deliver(sending, make_mail())
    assert (state, "MailUnavailable" in reason, "mail" in reason) == ("pending", True, True)


async def test_a_mail_leaves_by_starttls_for_who_signs_in(sending: Platform, certificate: Certificate) -> None:
    async with smtp_inbox(certificate.server) as inbox:
        sending.office = office(server(inbox, who=WHO, certificate=certificate))
        sent = counted("coldfleet_mails_total", kind="verify_email", outcome="sent")
        assert await deliver(sending, make_mail("verify_email")) == [("done", "")]
    [taken] = inbox.taken
    assert (taken.sender, taken.receivers) == ("mail@cold.example", ["asha@farm.example"])
    assert (taken.encrypted, taken.authenticated, inbox.logins) == (True, True, 1)
    assert taken.mail.get_content_type() == "multipart/alternative"
    assert taken.mail["Auto-Submitted"] == "auto-generated"
    assert TOKEN.encode() in taken.raw
    assert counted("coldfleet_mails_total", kind="verify_email", outcome="sent") == sent + 1


async def test_a_mail_leaves_by_tls_from_the_first_byte(sending: Platform, certificate: Certificate) -> None:
    async with smtp_inbox(certificate.server, implicit_tls=True) as inbox:
        sending.office = office(server(inbox, scheme="smtps", certificate=certificate))
        assert await deliver(sending, make_mail()) == [("done", "")]
    assert [taken.encrypted for taken in inbox.taken] == [True]


async def test_a_password_never_travels_in_the_clear(sending: Platform) -> None:
    async with smtp_inbox(careless=True) as inbox:
        sending.office = office(server(inbox, who=WHO))
        [(state, reason)] = await deliver(sending, make_mail())
    assert (state, inbox.offered, inbox.logins) == ("pending", [], 0)
    assert reason.startswith("MailUnavailable: 127.0.0.1")


async def test_a_server_that_nobody_vouches_for_gets_no_password(sending: Platform, certificate: Certificate) -> None:
    async with smtp_inbox(certificate.server) as inbox:
        sending.office = office(server(inbox, who=WHO))
        [(state, _)] = await deliver(sending, make_mail())
    assert (state, inbox.offered, inbox.logins) == ("pending", [], 0)


async def test_a_wrong_password_lets_the_mail_wait_and_is_not_told(sending: Platform, certificate: Certificate) -> None:
    async with smtp_inbox(certificate.server) as inbox:
        sending.office = office(server(inbox, who="me:not-the-one@", certificate=certificate))
        [(state, reason)] = await deliver(sending, make_mail())
        assert (state, "SMTPAuthenticationError 535 5.7.8" in reason) == ("pending", True)
        assert "not-the-one" not in reason
        sending.office = office(server(inbox, who=WHO, certificate=certificate))
        assert await deliver_again(sending) == [("done", "")]
    assert len(inbox.taken) == 1


@pytest.mark.parametrize("command", ["to_receivers", "to_data"])
async def test_a_full_mailbox_is_tried_again_and_the_repeat_can_be_recognised(
    sending: Platform, inbox: Inbox, command: str
) -> None:
    sending.office = office(server(inbox))
    getattr(inbox, command).append("452 4.2.2 Mailbox full, said to asha@farm.example")
    [(state, reason)] = await deliver(sending, make_mail())
    assert (state, inbox.taken) == ("pending", [])
    assert re.fullmatch(r"MailUnavailable: \w+ 452 4\.2\.2", reason)
    assert await deliver_again(sending) == [("done", "")]
    assert len(inbox.taken) == 1
    assert len({offered.mail["Message-ID"] for offered in inbox.offered}) == 1


@pytest.mark.parametrize("command", ["to_receivers", "to_data"])
async def test_a_mailbox_that_does_not_exist_is_written_to_once(
    sending: Platform, inbox: Inbox, command: str, caplog: pytest.LogCaptureFixture
) -> None:
    sending.office = office(server(inbox))
    refused = counted("coldfleet_mails_total", kind="invitation", outcome="refused")
    getattr(inbox, command).append("550 5.1.1 No such mailbox: asha@farm.example")
    assert await deliver(sending, make_mail("invitation")) == [("done", "")]
    await sending.deliver()
    assert inbox.taken == []
    assert counted("coldfleet_mails_total", kind="invitation", outcome="refused") == refused + 1
    assert "550 5.1.1" in logged(caplog)
    assert "asha@" not in logged(caplog)


async def test_a_server_that_is_away_costs_nobody_a_mail(sending: Platform, inbox: Inbox) -> None:
    async with smtp_inbox() as gone:
        pass
    sending.office = office(server(gone))
    [(state, reason)] = await deliver(sending, make_mail())
    assert (state, f"127.0.0.1:{gone.port}" in reason) == ("pending", True)
    sending.office = office(server(inbox))
    assert await deliver_again(sending) == [("done", "")]
    assert len(inbox.taken) == 1


async def test_a_server_that_says_nothing_is_not_waited_for(sending: Platform) -> None:
    hung_up = asyncio.Event()

    async def keep_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        hung_up.set()
        writer.close()

    async with await asyncio.start_server(keep_silent, "127.0.0.1", 0) as silent:
        port = silent.sockets[0].getsockname()[1]
        sending.office = office(SmtpServer(f"smtp://127.0.0.1:{port}", mail_from=FROM, timeout_s=0.05))
        [(state, reason)] = await deliver(sending, make_mail())
        assert state == "pending"
        assert "MailUnavailable" in reason
        async with asyncio.timeout(20):
            await hung_up.wait()


async def test_a_link_that_works_no_more_is_not_sent(sending: Platform, caplog: pytest.LogCaptureFixture) -> None:
    expired = counted("coldfleet_mails_total", kind="reset_password", outcome="expired")
    await emit(sending, make_mail())
    later = clock.now() + timedelta(hours=1)
    clock.use(lambda: later)
    await sending.deliver()
    assert await deliveries(sending) == [("done", "")]
    assert sending.letterbox.mails == []
    assert counted("coldfleet_mails_total", kind="reset_password", outcome="expired") == expired + 1
    assert "mail_expired" in logged(caplog)


async def test_what_carries_no_token_is_news_however_late(sending: Platform) -> None:
    await deliver(sending, make_mail("account_locked", expires_at=clock.now() - timedelta(hours=1)))
    await deliver(sending, make_mail("password_changed", expires_at=None))
    assert [mail["X-Coldfleet-Mail"] for mail in sending.letterbox.mails] == ["account_locked", "password_changed"]


async def test_two_changes_of_a_password_are_two_mails(sending: Platform) -> None:
    for request_id in ("r-1", "r-2"):
        await emit(sending, make_mail("password_changed", expires_at=None), request_id=request_id)
    await sending.deliver()
    await deliver_again(sending)
    assert len(sending.letterbox.mails) == 4
    assert len({mail["Message-ID"] for mail in sending.letterbox.mails}) == 2


async def test_a_token_under_a_lost_key_waits_for_the_key(sending: Platform) -> None:
    stranger = Vault(["another key, which is as long as it has to be"])
    [(state, reason)] = await deliver(sending, make_mail(sealed_token=stranger.seal(TOKEN)))
    assert (state, "COLDFLEET_ENCRYPTION_KEYS" in reason, sending.letterbox.mails) == ("pending", True, [])


async def test_an_address_beyond_ascii_goes_where_it_is_understood(sending: Platform, inbox: Inbox) -> None:
    mail = make_mail(to="आशा@farm.example")
    sending.office = office(server(inbox))
    assert await deliver(sending, mail) == [("done", "")]
    assert inbox.offered == []
    async with smtp_inbox(smtputf8=True) as modern:
        sending.office = office(server(modern))
        await deliver(sending, mail)
    assert [taken.receivers for taken in modern.taken] == [["आशा@farm.example"]]


@pytest.mark.parametrize(
    "address",
    ["", "asha", "@farm.example", "a@b\r\nBcc: all@farm.example", "a b@farm.example", "a@farm.example, b@c.example"],
)
async def test_what_is_no_address_is_refused_and_troubles_nobody(sending: Platform, inbox: Inbox, address: str) -> None:
    sending.office = office(server(inbox))
    assert await deliver(sending, make_mail(to=address)) == [("done", "")]
    assert inbox.offered == []


async def test_a_name_with_newlines_adds_no_header_and_no_receiver(sending: Platform, inbox: Inbox) -> None:
    sending.office = office(server(inbox))
    name, organization = "Asha\r\nBcc: all@farm.example", 'Hill" <x@y.example>\nSubject: won\r\n\r\n<script>'
    await deliver(sending, make_mail("invitation", name=name, organization=organization))
    [taken] = inbox.taken
    assert taken.receivers == ["asha@farm.example"]
    assert {header.lower() for header in taken.mail} == HEADERS
    assert [address.addr_spec for address in taken.mail["To"].addresses] == ["asha@farm.example"]
    assert taken.mail["Subject"].startswith('Hill" <x@y.example> Subject: won <script> invites')
    assert b"<script>" not in taken.raw.partition(b"text/html")[2]


async def test_neither_token_nor_password_nor_address_is_logged(
    sending: Platform, certificate: Certificate, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    caplog.set_level("INFO", "aiosqlite")  # tells every statement with its values
    async with smtp_inbox(certificate.server) as inbox:
        inbox.to_data += [f"{answer} Refused: {TOKEN} {PASSWORD}" for answer in ("452 4.3.1", "550 5.7.1")]
        good = server(inbox, who=WHO, certificate=certificate)
        bad = server(inbox, who=f"{WHO[:-1]}x@", certificate=certificate)
        for outlet in (good, good, good, bad, server(inbox, who=WHO), MailFolder(tmp_path)):
            sending.office = office(outlet)
            await deliver(sending, make_mail())
    sending.office = office(Letterbox())
    await deliver(sending, make_mail(expires_at=clock.now()))
    everything = logged(caplog)
    for event in ("mail_sent", "mail_kept", "mail_refused", "mail_expired", "outbox_delivery_failed"):
        assert event in everything
    assert len(inbox.taken) == 1
    for secret in (TOKEN, PASSWORD, quote(PASSWORD, safe=""), "asha@farm.example"):
        assert secret not in everything
    assert all(secret not in error for _, error in await deliveries(sending) for secret in (TOKEN, PASSWORD))


async def test_a_mail_that_cannot_leave_says_so_to_its_caller(inbox: Inbox) -> None:
    inbox.to_receivers += ["451 later", "553 never"]
    event: MailDue = make_mail("password_changed")
    with pytest.raises(MailUnavailable, match="451"):
        await office(server(inbox)).send(event, token="", message_id="1")
    with pytest.raises(MailRefused, match="553"):
        await office(server(inbox)).send(event, token="", message_id="1")
