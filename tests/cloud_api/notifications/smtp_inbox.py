"""A real SMTP server in the test's own event loop, which keeps what it takes and refuses what it is told to."""

import asyncio
import datetime
import ipaddress
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USERNAME, PASSWORD = "postmaster@farm.example", "p:ss/wörd@1"


@dataclass(frozen=True)
class Taken:
    """A mail as it came in."""

    sender: str
    receivers: list[str]
    raw: bytes
    encrypted: bool
    authenticated: bool

    @property
    def mail(self) -> EmailMessage:
        """Parsed."""
        parsed = message_from_bytes(self.raw, policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        return parsed


@dataclass
class Inbox:
    """What the server's handler does: keep, or answer as told."""

    port: int = 0
    #: how often somebody gave a password
    logins: int = 0
    taken: list[Taken] = field(default_factory=list)
    #: all that was offered after DATA, taken or not
    offered: list[Taken] = field(default_factory=list)
    #: answers to the next commands, instead of taking what they bring
    to_receivers: list[str] = field(default_factory=list)
    to_data: list[str] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.to_receivers:
            return self.to_receivers.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        assert server.transport is not None
        mail = Taken(
            envelope.mail_from or "",
            list(envelope.rcpt_tos),
            envelope.content,
            server.transport.get_extra_info("sslcontext") is not None,
            bool(session.authenticated),
        )
        self.offered.append(mail)
        if self.to_data:
            return self.to_data.pop(0)
        self.taken.append(mail)
        return "250 OK"


def _authenticate(server: SMTP, _session: Session, _envelope: Envelope, mechanism: str, given: object) -> AuthResult:
    assert isinstance(given, LoginPassword), mechanism
    assert isinstance(server.event_handler, Inbox)
    server.event_handler.logins += 1
    known = (given.login, given.password) == (USERNAME.encode(), PASSWORD.encode())
    return AuthResult(success=known, handled=False)


@asynccontextmanager
async def smtp_inbox(
    certificate: ssl.SSLContext | None = None,
    *,
    implicit_tls: bool = False,
    smtputf8: bool = False,
    careless: bool = False,
) -> AsyncIterator[Inbox]:
    """Serve on a free port: with a certificate it offers STARTTLS and takes mail from those only who signed in.

    A `careless` one asks for passwords in the clear.
    """
    inbox = Inbox()
    loop = asyncio.get_running_loop()
    protocols: list[SMTP] = []

    def connected() -> SMTP:
        wants_tls = certificate is not None and not implicit_tls
        protocol = SMTP(
            inbox,
            hostname="mail.farm.example",
            loop=loop,
            enable_SMTPUTF8=smtputf8,
            tls_context=certificate if wants_tls else None,
            require_starttls=wants_tls,
            authenticator=_authenticate if wants_tls or careless else None,
            auth_require_tls=not careless,
            auth_required=wants_tls,
        )
        protocols.append(protocol)
        return protocol

    server = await loop.create_server(connected, "127.0.0.1", 0, ssl=certificate if implicit_tls else None)
    inbox.port = server.sockets[0].getsockname()[1]
    try:
        yield inbox
    finally:
        server.close()
        for protocol in protocols:
            if protocol.transport is not None:
                protocol.transport.close()
        await server.wait_closed()


@dataclass(frozen=True)
class Certificate:
    """A certificate for 127.0.0.1: the server's side, and the side that trusts it."""

    server: ssl.SSLContext
    client: ssl.SSLContext


def make_certificate(folder: Path) -> Certificate:
    """A certificate of this test's own, which nobody else trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = signed.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / "server.pem"
    file.write_bytes(secret + pem)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    return Certificate(server, ssl.create_default_context(cadata=pem.decode()))
