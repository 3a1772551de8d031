"""Directories: somebody is searched for, then their password is tried as their own (LDAP simple bind, RFC 4513).

`ldap3` blocks, so each visit goes to a thread of this module's own. It connects to an address that the outbound judge
has seen, speaks TLS to the name that was asked for, follows no referral, and never sends an empty password: that is an
anonymous bind, which succeeds (RFC 4513, section 5.1.2).
"""

import asyncio
import secrets
import socket
import ssl
import threading
import uuid
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

from cloud_api.identity.federation.assertion import Assertion
from cloud_api.identity.federation.errors import ProviderUnavailable
from cloud_api.identity.federation.models import IdentityProvider
from cloud_api.kernel.outbound import Destination, OutboundPolicy, OutboundRefused, check_url

with warnings.catch_warnings():
    # ldap3 2.9.1, its last, imports two names from pyasn1 that were given others
    warnings.filterwarnings("ignore", "(tag|type)Map is deprecated", DeprecationWarning)
    import ldap3
    from ldap3.core.exceptions import LDAPException, LDAPInvalidDnError, LDAPInvalidFilterError, LDAPSASLPrepError
    from ldap3.operation.search import parse_filter
    from ldap3.utils.conv import escape_filter_chars
    from ldap3.utils.dn import parse_dn

T = TypeVar("T")

SCHEMES = ("ldaps", "ldap")
_LOGIN = "{login}"
_STEP_TIMEOUT_S = 5
#: whatever each step takes: an answer that comes byte by byte keeps no thread
_WHOLE_TIMEOUT_S = 20.0
_SUCCESS, _SIZE_LIMIT_EXCEEDED = 0, 4
#: results of a bind that say nothing about the password: busy, unavailable, and what is wrong with our request
_NOT_ABOUT_THE_PASSWORD = frozenset({1, 2, 3, 7, 8, 10, 11, 12, 13, 51, 52, 80})
#: never given to another entry: RFC 4530, Active Directory
_ENTRY_UUID, _OBJECT_GUID = "entryUUID", "objectGUID"
_NAMES = ("uid", "sAMAccountName", "displayName", "cn", "mail", "memberOf")
_GROUPS_AT_MOST = 1_000

#: visits queue here rather than starve the rest
_threads = ThreadPoolExecutor(8, thread_name_prefix="ldap")


@dataclass(frozen=True, kw_only=True)
class Entry(Assertion):
    """Somebody in a directory, not yet proved."""

    dn: str


def checked_dn(text: str) -> str:
    """The distinguished name.

    Raises:
        ValueError: when it is none.
    """
    try:
        if text:
            parse_dn(text)
    except LDAPInvalidDnError:
        raise ValueError("must be a distinguished name, such as ou=people,dc=farm,dc=example") from None
    return text


def checked_filter(text: str) -> str:
    """The filter that finds somebody by their login.

    Raises:
        ValueError: when it is no filter (RFC 4515), or does not say where the login goes.
    """
    try:
        parse_filter(text.replace(_LOGIN, "login"), None, False, False, None, False)
    except LDAPInvalidFilterError:
        raise ValueError("must be a search filter, such as (uid={login})") from None
    if _LOGIN not in text:
        raise ValueError("must say where the login goes: {login}")
    return text


def filter_for(user_filter: str, login: str) -> str:
    """The filter that finds `login`, whatever signs it is made of."""
    return user_filter.replace(_LOGIN, escape_filter_chars(login))


def canonical(dn: str) -> str:
    """A distinguished name so written that two writings of one compare equal; as it is when it is none."""
    try:
        return "".join(f"{name}={value}{by}" for name, value, by in parse_dn(dn, strip=True)).lower()
    except LDAPInvalidDnError:
        return dn.lower()


async def look_up(provider: IdentityProvider, login: str, policy: OutboundPolicy) -> Entry | None:
    """Who is called `login`; None when nobody or more than one is.

    Raises:
        ProviderUnavailable: when the directory does not answer, or does not let us search.
    """
    return await _visit(provider, policy, lambda destination: _look_up(provider, destination, login))


async def password_is_right(
    provider: IdentityProvider, entry: Entry | None, password: str, policy: OutboundPolicy
) -> bool:
    """Whether the directory lets `entry` in with `password`; it is asked about nobody's all the same.

    Raises:
        ProviderUnavailable: when the directory does not answer.
    """
    if not password:
        return False
    dn = entry.dn if entry else _nobody(provider)
    matches = await _visit(provider, policy, lambda destination: _lets_in(provider, destination, dn, password))
    return matches and entry is not None


def _nobody(provider: IdentityProvider) -> str:
    """A distinguished name that no entry has."""
    return f"cn={secrets.token_hex(16)},{provider.base_dn}"


async def _visit(provider: IdentityProvider, policy: OutboundPolicy, work: Callable[[Destination], T]) -> T:
    encrypted = provider.url.startswith("ldaps://") or provider.start_tls
    try:
        if not encrypted and not policy.plain_http:
            raise ProviderUnavailable("a directory without TLS is for development only")
        destination = await check_url(provider.url, policy, schemes=SCHEMES)
        return await asyncio.get_running_loop().run_in_executor(_threads, work, destination)
    except (LDAPException, OSError, OutboundRefused) as error:
        raise ProviderUnavailable(f"{provider.url}: {type(error).__name__} {error}"[:200]) from error


class _Tls(ldap3.Tls):  # type: ignore[misc]  # has no types
    """TLS by the standard library's rules: certificate and host name are checked while shaking hands."""

    def __init__(self, host: str, ca_certificates: str) -> None:
        super().__init__(validate=ssl.CERT_REQUIRED)
        self._host = host
        self._context = ssl.create_default_context(cadata=ca_certificates or None)

    def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:
        connection.socket = self._context.wrap_socket(connection.socket, server_hostname=self._host)


@contextmanager
def _connected(provider: IdentityProvider, destination: Destination, dn: str, password: str) -> Iterator[Any]:
    """A connection that has not bound yet; the next address is tried when one takes no connection."""
    tls = _Tls(destination.host.strip("[]"), provider.ca_certificates)
    use_ssl = urlsplit(provider.url).scheme == "ldaps"
    *others, last = destination.addresses
    for address in (*others, last):
        server = ldap3.Server(
            address,
            destination.port,
            use_ssl=use_ssl,
            tls=tls,
            get_info=ldap3.NONE,
            connect_timeout=_STEP_TIMEOUT_S,
            allowed_referral_hosts=[],
        )
        connection = ldap3.Connection(
            server,
            user=dn or None,
            password=password or None,
            authentication=ldap3.SIMPLE if dn else ldap3.ANONYMOUS,
            auto_referrals=False,
            read_only=True,
            check_names=False,
            auto_escape=False,
            receive_timeout=_STEP_TIMEOUT_S,
        )
        watchdog = threading.Timer(_WHOLE_TIMEOUT_S, _cut_off, (connection,))
        watchdog.start()
        try:
            try:
                connection.open(read_server_info=False)
            except LDAPException:
                if address == last:
                    raise
                continue
            if provider.start_tls and not use_ssl:
                connection.start_tls(read_server_info=False)
            yield connection
            return
        finally:
            watchdog.cancel()
            _hang_up(connection)


def _cut_off(connection: Any) -> None:
    with suppress(AttributeError, OSError):  # not connected yet, or no longer
        connection.socket.shutdown(socket.SHUT_RDWR)


def _hang_up(connection: Any) -> None:
    with suppress(LDAPException, OSError):
        connection.unbind()
    if connection.socket is not None:
        connection.socket.close()


def _look_up(provider: IdentityProvider, destination: Destination, login: str) -> Entry | None:
    with _connected(provider, destination, provider.bind_dn, provider.secret or "") as connection:
        if not connection.bind(read_server_info=False):
            raise ProviderUnavailable(f"{provider.url} does not let us search: {connection.result['description']}")
        wanted = filter_for(provider.user_filter, login)
        found = _search(connection, provider.base_dn, wanted, [_ENTRY_UUID, _OBJECT_GUID, *_NAMES], at_most=2)
        # nobody's groups are asked for too: the directory's answer takes as long as for somebody
        dn, raw = found[0] if len(found) == 1 else (_nobody(provider), None)
        member = escape_filter_chars(dn)
        listed = _search(
            connection,
            provider.base_dn,
            f"(|(member={member})(uniqueMember={member}))",
            [ldap3.NO_ATTRIBUTES],
            at_most=_GROUPS_AT_MOST,
        )
        return _entry(provider, dn, raw, [group for group, _ in listed]) if raw is not None else None


def _search(
    connection: Any, base_dn: str, wanted: str, attributes: Sequence[str], *, at_most: int
) -> list[tuple[str, Mapping[str, list[bytes]]]]:
    """(distinguished name, raw attributes) of what fits."""
    connection.search(
        base_dn,
        wanted,
        attributes=attributes,
        size_limit=at_most,
        time_limit=_STEP_TIMEOUT_S,
        get_operational_attributes=False,
    )
    if connection.result["result"] not in {_SUCCESS, _SIZE_LIMIT_EXCEEDED}:
        raise ProviderUnavailable(f"a search in the directory ended with {connection.result['description']}")
    return [(row["dn"], row["raw_attributes"]) for row in connection.response or () if row["type"] == "searchResEntry"]


def _entry(provider: IdentityProvider, dn: str, raw: Mapping[str, list[bytes]], listed: Sequence[str]) -> Entry:
    def first(*names: str) -> str:
        values = (value.decode(errors="replace") for name in names for value in raw.get(name) or ())
        return next(values, "").strip()

    guid = next(iter(raw.get(_OBJECT_GUID) or ()), b"")
    subject = first(_ENTRY_UUID) or (str(uuid.UUID(bytes_le=guid)) if len(guid) == 16 else "")
    if not subject:
        raise ProviderUnavailable(f"{provider.url} shows neither {_ENTRY_UUID} nor {_OBJECT_GUID}")
    named = [value.decode(errors="replace") for value in raw.get("memberOf") or ()]
    return Entry(
        dn=dn,
        subject=subject,
        email=first("mail").lower(),
        username=first("uid", "sAMAccountName"),
        full_name=first("displayName", "cn"),
        groups=frozenset(map(canonical, (*named, *listed))),
    )


def _lets_in(provider: IdentityProvider, destination: Destination, dn: str, password: str) -> bool:
    with _connected(provider, destination, dn, password) as connection:
        try:
            let_in: bool = connection.bind(read_server_info=False)
        except LDAPSASLPrepError:  # signs that no password has, or none but such as mean nothing (RFC 4013)
            return False
        if not let_in and connection.result["result"] in _NOT_ABOUT_THE_PASSWORD:
            raise ProviderUnavailable(f"{provider.url} answers {connection.result['description']}")
        return let_in
