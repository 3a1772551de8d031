"""What mails say: everything in every language, and nothing that a name could smuggle in."""

import html
from datetime import UTC, datetime, timedelta, timezone
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.identity.events import MailKind
from cloud_api.notifications import letters
from cloud_api.notifications.letters import LANGUAGES, LONGEST_NAME, PATHS, WORDS, Language, Letter, one_line, write

KINDS: tuple[MailKind, ...] = get_args(MailKind)
UNTIL = datetime(2026, 11, 21, 17, 30, tzinfo=timezone(timedelta(hours=5, minutes=30)))
ADDRESS = "https://cold.example"


def letter(kind: MailKind = "reset_password", language: Language = "en", **given: str) -> Letter:
    token = "T0-k_en" if kind in PATHS else ""
    values = {"name": "Asha", "organization": "Hill Farm", "public_url": ADDRESS, **given}
    return write(kind, **values, token=token, until=UNTIL, language=language)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_mail_is_written_in_every_language(kind: MailKind, language: Language) -> None:
    written = letter(kind, language)
    for text in (written.plain, written.html):
        assert "Asha" in text
        assert "Hill Farm" in text
        assert "{" not in text.replace("{font", "")
    assert written.subject
    assert f'<html lang="{language}">' in written.html
    assert ("2026-11-21 12:00 UTC" in written.plain) == bool(WORDS[kind, language].until)
    assert (f"{ADDRESS}{PATHS.get(kind)}#token=T0-k_en" in written.plain) == (kind in PATHS)


def test_hindi_is_hindi() -> None:
    english = {WORDS[kind, "en"].subject for kind in KINDS}
    for kind in KINDS:
        written = letter(kind, "hi")
        assert written.subject not in english
        assert any("\u0900" <= character <= "\u097f" for character in written.subject)


def test_the_token_stands_in_the_link_and_in_plain_words() -> None:
    written = letter(public_url="https://cold.example/")
    assert written.plain.split("\n\n")[2:4] == [
        "Choose a new password:\nhttps://cold.example/console/reset-password#token=T0-k_en",
        "Or enter this code where Coldfleet asks for it:\nT0-k_en",
    ]
    link = "https://cold.example/console/reset-password#token=T0-k_en"
    assert f'<a href="{link}">Choose a new password</a>' in written.html
    assert "<code>T0-k_en</code>" in written.html


def test_a_token_cannot_leave_its_place_in_the_link() -> None:
    written = write("invitation", name="", organization="F", public_url=ADDRESS, token='a"><b>&c=d#e /f')
    assert "token=a%22%3E%3Cb%3E%26c%3Dd%23e%20%2Ff" in written.plain
    assert "<b>" not in written.html


def test_who_has_no_name_yet_is_greeted_without_one() -> None:
    assert letter("invitation", name=" ").plain.startswith("Hello,\n")


def test_a_name_is_escaped_and_its_braces_mean_nothing() -> None:
    written = letter(name="<b>{until}</b>", organization='"{name}" & <i>Co</i>')
    assert "Hello <b>{until}</b>," in written.plain
    assert "<p>Hello &lt;b&gt;{until}&lt;/b&gt;,</p>" in written.html
    assert "&quot;{name}&quot; &amp; &lt;i&gt;Co&lt;/i&gt;" in written.html
    assert "<i>" not in written.html


def test_a_name_is_one_line_and_no_message_of_its_own() -> None:
    assert one_line("Asha\r\nBcc: all@farm.example\x00\x1b[31m\u202etxt.exe\u2028x") == (
        "Asha Bcc: all@farm.example[31mtxt.exe x"
    )
    assert one_line("क्\u200dष") == "क्\u200dष"  # the joiner is part of how it is written
    assert one_line("x" * (LONGEST_NAME + 1)) == "x" * (LONGEST_NAME - 1) + "…"
    assert one_line("x" * LONGEST_NAME) == "x" * LONGEST_NAME


@given(name=st.text(), organization=st.text(), kind=st.sampled_from(KINDS), language=st.sampled_from(LANGUAGES))
def test_no_name_breaks_out_of_its_line(name: str, organization: str, kind: MailKind, language: Language) -> None:
    plain = letter(kind, language, name="N", organization="O")
    written = letter(kind, language, name=name, organization=organization)
    assert len(written.subject.splitlines()) == 1
    assert len(written.plain.splitlines()) == len(plain.plain.splitlines())
    assert written.html.count("<") == plain.html.count("<")
    assert len(letters.one_line(html.unescape(name))) <= LONGEST_NAME


def test_an_instant_is_told_in_utc() -> None:
    assert (
        "until 2026-01-02 03:04 UTC"
        in write(
            "verify_email",
            name="",
            organization="F",
            public_url=ADDRESS,
            token="t",
            until=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
        ).plain
    )


def test_who_reads_hindi_is_written_to_in_hindi_and_everybody_else_in_english() -> None:
    told = {locale: letters.language_of(locale) for locale in ("hi", "hi-IN", "HI-in", "en-GB", "mr-IN", "hil", "")}
    assert told == {"hi": "hi", "hi-IN": "hi", "HI-in": "hi", "en-GB": "en", "mr-IN": "en", "hil": "en", "": "en"}
