"""Mails: an outbox effect that writes them, and the two ways they leave: by SMTP, or into a folder.

What a server says before it has seen the mail (no connection, no TLS, a refused password) concerns our settings: the
mail waits in the outbox, and is parked there in the end. What it says to the mail itself is final when it is a 5xx. An
effect may happen twice: the `Message-ID` comes from the event, so a repeat is recognised.

Neither tokens nor addresses nor the servers' own words are logged: of an answer we keep its codes.
"""

import asyncio
import hashlib
import os
import re
import ssl
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import Protocol
from urllib.parse import SplitResult, unquote, urlsplit

import aiosmtplib
import msgspec
import structlog
from aiosmtplib.errors import SMTPException, SMTPNotSupported, SMTPRecipientsRefused, SMTPResponseException
from prometheus_client import Counter

from cloud_api.identity.events import MailDue
from cloud_api.kernel import clock, vault
from cloud_api.kernel.db import Database
from cloud_api.kernel.settings import Settings
from cloud_api.notifications import audience, letters

log = structlog.get_logger(__name__)

MAILS = Counter("coldfleet_mails_total", "Mails, by what became of them", ["kind", "outcome"])

#: a round of the outbox waits for its effects
TIMEOUT_S = 10.0
_KIND = "X-Coldfleet-Mail"
#: RFC 3463: class, subject, detail
_ENHANCED = re.compile(r"^[245]\.\d{1,3}\.\d{1,3}\b")
#: nothing that means something in a header; what is left is for the servers to judge
_ADDRESS = re.compile(r"([^\s()<>\[\]:;@\\,\"]+)@([^\s()<>\[\]:;@\\,\"]+)")
#: RFC 5321's limit of a path
_LONGEST_ADDRESS = 254


class MailUnavailable(Exception):
    """The mail cannot leave for now: it is tried again."""


class MailRefused(Exception):
    """The mail will never be taken."""


class Outlet(Protocol):
    """A way for mails to leave."""

    async def send(self, mail: EmailMessage) -> None:
        """Let one mail leave.

        Raises:
            MailUnavailable: when another try may succeed.
            MailRefused: when none will.
        """


class SmtpServer:
    """A server that takes our mails; one connection each, within `timeout_s`."""

    def __init__(
        self, url: str, *, mail_from: str, tls: ssl.SSLContext | None = None, timeout_s: float = TIMEOUT_S
    ) -> None:
        """With `url` as in the settings. `tls` replaces the machine's own list of authorities.

        Raises:
            ValueError: when `url` names no server.
        """
        server = _split(url)
        self._host, self._implicit_tls = server.hostname, server.scheme == "smtps"
        self._username = unquote(server.username or "") or None
        self._password = unquote(server.password or "") or None
        self._port = server.port or (465 if self._implicit_tls else 587 if self._username else 25)
        self._tls = tls or self._machines_authorities()
        self._sender = parseaddr(mail_from)[1]
        self._timeout_s = timeout_s

    def _machines_authorities(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if not self._implicit_tls and self._username is None:
            # TLS is taken when it is offered; who could forge the certificate could as well have hidden the offer
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    async def send(self, mail: EmailMessage) -> None:
        """Hand one mail over; see `Outlet`."""
        try:
            async with asyncio.timeout(self._timeout_s), self._connection() as client:
                await self._hand_over(client, mail)
        except TimeoutError:
            raise MailUnavailable(f"{self._host}:{self._port} took longer than {self._timeout_s:g} s") from None

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[aiosmtplib.SMTP]:
        client = aiosmtplib.SMTP(
            hostname=self._host,
            port=self._port,
            username=self._username,
            password=self._password,
            use_tls=self._implicit_tls,
            start_tls=self._start_tls(),
            tls_context=self._tls,
            timeout=self._timeout_s,
            # or it would ask the name service who we are, which takes seconds where there is none
            local_hostname=self._sender.rpartition("@")[2],
        )
        try:
            try:
                await client.connect()
            except (SMTPException, OSError) as error:
                raise MailUnavailable(f"{self._host}:{self._port}: {_complaint(error)}") from error
            yield client
        finally:
            client.close()

    def _start_tls(self) -> bool | None:
        """Required before a password travels; else taken when offered."""
        if self._implicit_tls:
            return False
        return True if self._username else None

    async def _hand_over(self, client: aiosmtplib.SMTP, mail: EmailMessage) -> None:
        receiver = mail["To"].addresses[0].addr_spec
        try:
            await client.send_message(mail, sender=self._sender, recipients=[receiver])
        except SMTPNotSupported as error:
            raise MailRefused("the server takes no addresses beyond ASCII") from error
        except (SMTPException, OSError) as error:
            kind = MailRefused if _is_final(error) else MailUnavailable
            raise kind(_complaint(error)) from error
        with suppress(SMTPException):  # it has the mail: how it says goodbye is its own affair
            await client.quit(timeout=1)


def _split(url: str) -> SplitResult:
    """The parts of a server's address; a refusal shows none of them, because one may be a password."""
    try:
        server = urlsplit(url)
        named = server.scheme in {"smtp", "smtps"} and server.hostname and server.port != 0
    except ValueError:
        named = None
    if not named or server.path.strip("/") or server.query or server.fragment:
        raise ValueError(
            "COLDFLEET_SMTP_URL must read smtp://USER:PASSWORD@HOST:PORT or smtps://..., "
            "USER and PASSWORD percent-encoded"
        ) from None
    return server


def _answers(error: BaseException) -> list[SMTPResponseException]:
    if isinstance(error, SMTPRecipientsRefused):
        return list(error.recipients)
    return [error] if isinstance(error, SMTPResponseException) else []


def _is_final(error: BaseException) -> bool:
    answers = _answers(error)
    return bool(answers) and all(answer.code >= 500 for answer in answers)


def _complaint(error: BaseException) -> str:
    """The codes of the server's answer, never its words: they may repeat what is nobody's business."""
    answers = _answers(error)
    if not answers:
        return type(error).__name__
    enhanced = _ENHANCED.match(answers[0].message)
    return f"{type(answers[0]).__name__} {answers[0].code}{' ' + enhanced[0] if enhanced else ''}"


class MailFolder:
    """A folder that keeps mails as files, the newest last: for development, where no server is named."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def send(self, mail: EmailMessage) -> None:
        """Keep one mail; a repeat of it is kept once. See `Outlet`."""
        try:
            path = await asyncio.to_thread(self._keep, mail)
        except OSError as error:
            raise MailUnavailable(f"{self._folder}: {error.strerror}") from error
        log.info("mail_kept", file=str(path))

    def _keep(self, mail: EmailMessage) -> Path:
        """In one move, readable by its owner only: nobody reads half a mail, and no stranger its token."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{mail[_KIND]}-{mail['Message-ID'].strip('<>').partition('@')[0]}.eml"
        for kept in self._folder.glob(f"*-{name}"):
            return kept
        path = self._folder / f"{clock.machine_now():%Y%m%dT%H%M%S.%fZ}-{name}"
        fresh = path.with_suffix(f".{uuid.uuid4().hex}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(mail.as_bytes())
        return fresh.replace(path)


@dataclass(frozen=True)
class PostOffice:
    """Writes mails for this platform and lets them leave."""

    outlet: Outlet
    mail_from: str
    public_url: str

    async def send(self, event: MailDue, *, token: str, message_id: str) -> None:
        """Write the mail that is due, and let it leave.

        Raises:
            MailUnavailable: when another try may succeed.
            MailRefused: when none will.
        """
        language = letters.language_of(event.locale)
        letter = letters.write(
            event.kind,
            name=event.name,
            organization=event.organization,
            public_url=self.public_url,
            token=token,
            until=event.expires_at,
            language=language,
        )
        await self._post(letter, event.kind, _receiver(event.to, event.name), message_id, language)

    async def send_notice(self, title: str, message: str, *, to: audience.Reader, message_id: str) -> None:
        """Write somebody what they are told, and let it leave.

        Raises:
            MailUnavailable: when another try may succeed.
            MailRefused: when none will.
        """
        language = letters.language_of(to.locale)
        letter = letters.notice(title, message, name=to.name, public_url=self.public_url, language=language)
        await self._post(letter, "notification", _receiver(to.email, to.name), message_id, language)

    async def send_message(self, title: str, text: str, *, to: audience.Reader, message_id: str) -> None:
        """Write somebody outside what they are told, and let it leave.

        Raises:
            MailUnavailable: when another try may succeed.
            MailRefused: when none will.
        """
        language = letters.language_of(to.locale)
        letter = letters.message(title, text, name=to.name, public_url=self.public_url, language=language)
        await self._post(letter, "message", _receiver(to.email, to.name), message_id, language)

    async def _post(
        self, letter: letters.Letter, kind: str, receiver: Address, message_id: str, language: letters.Language
    ) -> None:
        # an address beyond ASCII cannot be encoded; it travels as it is, to servers that take it
        form = policy.SMTP if receiver.addr_spec.isascii() else policy.SMTPUTF8
        mail = EmailMessage(policy=form)
        mail["From"] = self.mail_from
        mail["To"] = receiver
        mail["Subject"] = letter.subject
        mail["Date"] = format_datetime(clock.machine_now())
        mail["Message-ID"] = f"<{message_id}@{parseaddr(self.mail_from)[1].rpartition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail[_KIND] = kind
        mail.set_content(letter.plain)
        mail.add_alternative(letter.html, subtype="html")
        mail["Content-Language"] = language
        await self.outlet.send(mail)


def _receiver(to: str, name: str) -> Address:
    address = _ADDRESS.fullmatch(to)
    if address is None or len(to) > _LONGEST_ADDRESS or to != letters.one_line(to, longest=999):
        raise MailRefused("the address is none")
    return Address(letters.one_line(name), username=address[1], domain=address[2])


def open_post_office(settings: Settings) -> PostOffice:
    """As the settings say: by the SMTP server, or, where none is named, into the folder.

    Raises:
        ValueError: when COLDFLEET_SMTP_URL names no server, or COLDFLEET_MAIL_FROM no address.
    """
    if "@" not in parseaddr(settings.mail_from)[1]:
        raise ValueError("COLDFLEET_MAIL_FROM must be an address, as in Coldfleet <mail@example.org>")
    url = settings.smtp_url.get_secret_value()
    outlet: Outlet = SmtpServer(url, mail_from=settings.mail_from) if url else MailFolder(settings.mail_folder)
    return PostOffice(outlet, settings.mail_from, settings.public_url)


async def send_mail(office: PostOffice, _database: Database, organization_id: uuid.UUID, event: MailDue) -> None:
    """Write to somebody, unless what the mail carries works no more.

    Raises:
        MailUnavailable: when it has to be tried again.
        WrongKey: when no known key opens the token.
    """
    if event.sealed_token and event.expires_at is not None and event.expires_at <= clock.now():
        MAILS.labels(event.kind, "expired").inc()
        log.warning("mail_expired", kind=event.kind, expires_at=event.expires_at.isoformat())
        return
    token = vault.current().open(event.sealed_token) if event.sealed_token else ""
    message_id = _identity(organization_id, event)
    try:
        await office.send(event, token=token, message_id=message_id)
    except MailRefused as refusal:
        MAILS.labels(event.kind, "refused").inc()
        log.error("mail_refused", kind=event.kind, message_id=message_id, reason=str(refusal))
        return
    MAILS.labels(event.kind, "sent").inc()
    log.info("mail_sent", kind=event.kind, message_id=message_id)


def _identity(organization_id: uuid.UUID, event: MailDue) -> str:
    """The same for each try of one event. A sealed token is never the same twice; without one the request tells
    two changes of a password apart: the outbox keeps its id with the event.
    """
    request_id = str(structlog.contextvars.get_contextvars().get("request_id", ""))
    parts = (organization_id.bytes, request_id.encode(), msgspec.json.encode(event))
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:32]
