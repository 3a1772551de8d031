"""What our mails say: a table by kind and language, and the plain text and HTML made of it.

Names come from people. They are put into one line without control characters, cut to a bearable length, and escaped for
HTML; braces in them mean nothing, because only the table's own texts are templates.
"""

import html
import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, get_args
from urllib.parse import quote

from cloud_api.identity.events import MailKind

Language = Literal["en", "hi"]
LANGUAGES: tuple[Language, ...] = get_args(Language)


def language_of(locale: str) -> Language:
    """The language of ours that reads best to somebody of this locale (BCP 47)."""
    spoken = locale.partition("-")[0].lower()
    return next((language for language in LANGUAGES if language == spoken), "en")


#: a longer name is somebody's message to the reader, not a name
LONGEST_NAME = 80
#: in escaped HTML
_ADDRESS = re.compile(r"https?://[^\s<>]+")
#: they reverse what is read; the joiners that Devanagari needs are none of them
_BIDIRECTIONAL = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

#: where the link of a mail leads, below the public address; the token follows after a #, which browsers keep to
#: themselves
PATHS: dict[MailKind, str] = {
    "verify_email": "/console/verify-email",
    "reset_password": "/console/reset-password",
    "invitation": "/console/invitation",
}


@dataclass(frozen=True)
class Words:
    """One kind of mail in one language; `{organization}` and `{until}` are filled in."""

    subject: str
    opening: str
    closing: str
    #: what the link does
    action: str = ""
    #: said when the event names an instant
    until: str = ""


@dataclass(frozen=True)
class Frame:
    """What stands around the words of every mail in one language."""

    greeting: str
    #: when nobody knows the reader's name
    greeting_without_name: str
    #: leads to the token in plain words
    code: str


@dataclass(frozen=True)
class Letter:
    """A mail's content, ready to be put into an envelope."""

    subject: str
    plain: str
    html: str


FRAMES: dict[Language, Frame] = {
    "en": Frame("Hello {name},", "Hello,", "Or enter this code where Coldfleet asks for it:"),
    "hi": Frame("नमस्ते {name},", "नमस्ते,", "या जहाँ Coldfleet पूछे, वहाँ यह कोड लिखें:"),
}

WORDS: dict[tuple[MailKind, Language], Words] = {
    ("verify_email", "en"): Words(
        subject="Confirm your e-mail address",
        opening="Please confirm that this address belongs to your Coldfleet account at {organization}.",
        action="Confirm the address",
        until="This works until {until}.",
        closing="If you did not sign up, ignore this mail: nothing happens without your confirmation.",
    ),
    ("reset_password", "en"): Words(
        subject="Reset your password",
        opening="Somebody asked to reset the password of your Coldfleet account at {organization}.",
        action="Choose a new password",
        until="This works once, until {until}.",
        closing="If it was not you, ignore this mail: your password stays as it is.",
    ),
    ("invitation", "en"): Words(
        subject="{organization} invites you to Coldfleet",
        opening="You are invited to work with {organization} on Coldfleet.",
        action="Accept the invitation",
        until="The invitation is open until {until}.",
        closing="If you do not know {organization}, ignore this mail.",
    ),
    ("password_changed", "en"): Words(
        subject="Your password was changed",
        opening="The password of your Coldfleet account at {organization} was changed.",
        closing="If it was not you, reset your password at once and tell your administrator.",
    ),
    ("account_locked", "en"): Words(
        subject="Your account is locked for now",
        opening="Your Coldfleet account at {organization} was locked after several failed attempts to sign in.",
        until="It opens by itself at {until}.",
        closing="If these attempts were not yours, tell your administrator.",
    ),
    ("verify_email", "hi"): Words(
        subject="अपना ईमेल पता सत्यापित करें",
        opening="कृपया पुष्टि करें कि यह पता {organization} में आपके Coldfleet खाते का है।",
        action="पता सत्यापित करें",
        until="यह {until} तक मान्य है।",
        closing="यदि आपने पंजीकरण नहीं किया है, तो इस ईमेल पर ध्यान न दें: आपकी पुष्टि के बिना कुछ नहीं होगा।",
    ),
    ("reset_password", "hi"): Words(
        subject="अपना पासवर्ड रीसेट करें",
        opening="किसी ने {organization} में आपके Coldfleet खाते का पासवर्ड रीसेट करने का अनुरोध किया है।",
        action="नया पासवर्ड चुनें",
        until="यह केवल एक बार, {until} तक मान्य है।",
        closing="यदि यह आप नहीं थे, तो इस ईमेल पर ध्यान न दें: आपका पासवर्ड नहीं बदलेगा।",
    ),
    ("invitation", "hi"): Words(
        subject="{organization} आपको Coldfleet पर आमंत्रित करता है",
        opening="आपको Coldfleet पर {organization} के साथ काम करने के लिए आमंत्रित किया गया है।",
        action="आमंत्रण स्वीकार करें",
        until="यह आमंत्रण {until} तक मान्य है।",
        closing="यदि आप {organization} को नहीं जानते, तो इस ईमेल पर ध्यान न दें।",
    ),
    ("password_changed", "hi"): Words(
        subject="आपका पासवर्ड बदल दिया गया है",
        opening="{organization} में आपके Coldfleet खाते का पासवर्ड बदल दिया गया है।",
        closing="यदि यह आपने नहीं किया, तो तुरंत पासवर्ड रीसेट करें और अपने व्यवस्थापक को बताएँ।",
    ),
    ("account_locked", "hi"): Words(
        subject="आपका खाता अभी के लिए लॉक है",
        opening="साइन इन के कई असफल प्रयासों के बाद {organization} में आपका Coldfleet खाता लॉक कर दिया गया है।",
        until="यह {until} पर अपने आप खुल जाएगा।",
        closing="यदि ये प्रयास आपके नहीं थे, तो अपने व्यवस्थापक को बताएँ।",
    ),
}

#: the last line of a notification's mail
WHY: dict[Language, str] = {
    "en": "You get this mail because you are among those who are told. Your notification settings can change that.",
    "hi": "आपको यह मेल इसलिए मिला है क्योंकि आप सूचना पाने वालों में हैं। इसे आप अपनी सूचना सेटिंग में बदल सकते हैं।",
}

_PAGE = """\
<!doctype html>
<html lang="{language}">
<head><meta charset="utf-8"><title>{subject}</title></head>
<body style="font-family:sans-serif;line-height:1.5;max-width:36em;margin:2em auto;padding:0 1em">
{paragraphs}
<p style="color:#666">Coldfleet · {public_url}</p>
</body>
</html>
"""


def one_line(text: str, *, longest: int = LONGEST_NAME) -> str:
    """Somebody's text, fit for a header and a sentence: one line, no control characters, at most `longest` long."""
    visible = " ".join(text.split())
    clean = "".join(
        letter
        for letter in visible
        if unicodedata.category(letter) not in {"Cc", "Cs"} and letter not in _BIDIRECTIONAL
    )
    return clean if len(clean) <= longest else clean[: longest - 1] + "…"


def write(
    kind: MailKind,
    *,
    name: str,
    organization: str,
    public_url: str,
    token: str = "",
    until: datetime | None = None,
    language: Language = "en",
) -> Letter:
    """The mail of a kind, to a person of that name; `token` goes into the link and, in plain words, below it."""
    words, frame = WORDS[kind, language], FRAMES[language]
    when = "" if until is None else f"{until.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    filled = {"organization": one_line(organization) or "Coldfleet", "until": when}
    reader = one_line(name)
    greeting = frame.greeting.format(name=reader) if reader else frame.greeting_without_name
    before = [greeting, words.opening.format(**filled)]
    after = [text.format(**filled) for text in (words.until if when else "", words.closing) if text]
    subject, home = words.subject.format(**filled), public_url.rstrip("/")
    link = f"{home}{PATHS[kind]}#token={quote(token, safe='')}" if token else ""
    offered = [f"{words.action}:\n{link}", f"{frame.code}\n{token}"] if token else []
    marked = [_button(words.action, link), _code(frame.code, token)] if token else []
    paragraphs = [*map(_paragraph, before), *marked, *map(_paragraph, after)]
    return Letter(
        subject=subject,
        plain="\n\n".join([*before, *offered, *after, f"Coldfleet · {home}"]) + "\n",
        html=_PAGE.format(
            language=language,
            subject=html.escape(subject),
            paragraphs="\n".join(paragraphs),
            public_url=html.escape(home),
        ),
    )


def notice(title: str, message: str, *, name: str, public_url: str, language: Language = "en") -> Letter:
    """A notification as a mail to a person of that name."""
    frame, reader, home = FRAMES[language], one_line(name), public_url.rstrip("/")
    subject = one_line(title, longest=200) or "Coldfleet"
    greeting = frame.greeting.format(name=reader) if reader else frame.greeting_without_name
    texts = [greeting, title, message, WHY[language]]
    return Letter(
        subject=subject,
        plain="\n\n".join([*texts, f"Coldfleet · {home}"]) + "\n",
        html=_PAGE.format(
            language=language,
            subject=html.escape(subject),
            paragraphs="\n".join(map(_paragraph, texts)),
            public_url=html.escape(home),
        ),
    )


def message(title: str, text: str, *, name: str, public_url: str, language: Language = "en") -> Letter:
    """What somebody outside is told, as a mail to a person of that name; empty lines part its paragraphs."""
    frame, reader, home = FRAMES[language], one_line(name), public_url.rstrip("/")
    subject = one_line(title, longest=200) or "Coldfleet"
    greeting = frame.greeting.format(name=reader) if reader else frame.greeting_without_name
    texts = [greeting, *(part.strip() for part in text.split("\n\n") if part.strip())]
    return Letter(
        subject=subject,
        plain="\n\n".join([*texts, f"Coldfleet · {home}"]) + "\n",
        html=_PAGE.format(
            language=language,
            subject=html.escape(subject),
            paragraphs="\n".join(_linked(_paragraph(part)) for part in texts),
            public_url=html.escape(home),
        ),
    )


def _linked(escaped: str) -> str:
    """With its addresses to be followed; quotes are escaped already."""
    return _ADDRESS.sub(r'<a href="\g<0>">\g<0></a>', escaped)


def _paragraph(text: str) -> str:
    return f"<p>{html.escape(text)}</p>"


def _button(action: str, link: str) -> str:
    return f'<p><a href="{html.escape(link)}">{html.escape(action)}</a></p>'


def _code(lead: str, token: str) -> str:
    return f"<p>{html.escape(lead)}<br><code>{html.escape(token)}</code></p>"
