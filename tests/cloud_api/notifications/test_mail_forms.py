"""Whatever people are called, and whatever the settings say: what needs no outbox to be seen."""

import asyncio
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cloud_api.kernel.settings import Settings
from cloud_api.notifications.mail import MailFolder, MailRefused, PostOffice, SmtpServer, open_post_office
from tests.cloud_api.notifications.outgoing import TOKEN, make_mail
from tests.platform_under_test import Letterbox

FROM = "Coldfleet <mail@cold.example>"
HEADERS = {
    "from",
    "to",
    "subject",
    "date",
    "message-id",
    "auto-submitted",
    "content-language",
    "x-coldfleet-mail",
    "mime-version",
    "content-type",
}


@given(name=st.text(), organization=st.text(), to=st.one_of(st.emails(), st.text()))
@example(name="\ud800", organization="\x85", to="a@b")
@example(name="=?utf-8?q?=0D=0ABcc=3A_x=40y.example?=", organization=",;:<>", to='"a b"@c.example')
@settings(max_examples=150, deadline=None)
def test_whatever_people_are_called_a_mail_has_its_own_headers_only(name: str, organization: str, to: str) -> None:
    letterbox = Letterbox()
    event = replace(make_mail("invitation"), name=name, organization=organization, to=to)
    try:
        asyncio.run(PostOffice(letterbox, FROM, "https://cold.example").send(event, token=TOKEN, message_id="1"))
    except MailRefused:
        return
    [mail] = letterbox.mails
    read = message_from_bytes(mail.as_bytes(), policy=policy.SMTPUTF8)
    assert isinstance(read, EmailMessage)
    assert {header.lower() for header in read} == HEADERS
    assert len(read.keys()) == len(HEADERS)
    assert len(read["To"].addresses) == 1
    assert [part.get_content_type() for part in read.iter_parts()] == ["text/plain", "text/html"]


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:25",
        "http://host",
        "smtp://",
        "smtp://me:secret-word@",
        "smtp://me:secret-word/more@host",
        "smtp://me:25/secret-word@host",
        "smtp://me:25#secret-word@host",
        "smtp://[secret-word",
        "smtp://host:port",
    ],
)
def test_a_server_that_cannot_be_named_is_refused_without_telling_its_password(url: str) -> None:
    with pytest.raises(ValueError, match="COLDFLEET_SMTP_URL") as refusal:
        SmtpServer(url, mail_from=FROM)
    assert "secret-word" not in str(refusal.value)


def test_the_settings_choose_the_way_out(tmp_path: Path) -> None:
    by_hand = Settings(mail_folder=tmp_path, mail_from=FROM, public_url="https://cold.example", _env_file=None)
    assert isinstance(open_post_office(by_hand).outlet, MailFolder)
    by_server = by_hand.model_copy(
        update={"smtp_url": Settings(smtp_url="smtps://mail.example", _env_file=None).smtp_url}
    )
    assert isinstance(open_post_office(by_server).outlet, SmtpServer)
    assert open_post_office(by_server).mail_from == FROM
    with pytest.raises(ValueError, match="COLDFLEET_MAIL_FROM"):
        open_post_office(by_hand.model_copy(update={"mail_from": "Coldfleet"}))
