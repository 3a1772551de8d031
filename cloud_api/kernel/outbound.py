"""The way out to addresses that people give us: identity providers, directories, webhooks.

Whoever may type a URL could otherwise let this server ask its own neighbours: its database, the cloud's metadata, a
printer. So a host is resolved here, everything it resolves to has to be a public address (or in a range of
`COLDFLEET_OUTBOUND_ALLOWED`), and the connection goes to the very address that was judged: a name that leads elsewhere
a moment later (DNS rebinding) gains nothing. How an address is written (`0x7f.1`, `2130706433`, `[::ffff:7f00:1]`)
does not matter, for what is judged is what the resolver made of it. A redirect is not followed; if a caller follows
one, the same judge sees it.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, IPv6Network

import httpx2

from cloud_api.kernel.addresses import Address, Network, parse_address, parse_networks, plain
from cloud_api.kernel.errors import Invalid
from cloud_api.kernel.settings import Settings

#: (host, port) -> every address it has now, as text
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]

_RESOLVE_TIMEOUT_S = 5.0
_DEFAULT_PORTS = {"https": 443, "http": 80, "ldaps": 636, "ldap": 389}
#: a translator on the way finds an IPv4 address in the last 32 bits: RFC 6052
_NAT64 = IPv6Network("64:ff9b::/96")


class OutboundRefused(Invalid):
    """An address that we do not call for anybody."""

    code = "URL_REFUSED"


async def resolve(host: str, port: int) -> Sequence[str]:
    """What the machine's resolver says.

    Raises:
        OSError: when it knows no such host, or does not answer in time.
    """
    async with asyncio.timeout(_RESOLVE_TIMEOUT_S):
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


@dataclass(frozen=True)
class OutboundPolicy:
    """Where we may be sent."""

    #: HTTP without encryption: in development only
    plain_http: bool = False
    #: ranges that are not public, and allowed all the same
    allowed: tuple[Network, ...] = ()
    resolver: Resolver = field(default=resolve, repr=False)

    @classmethod
    def of(cls, settings: Settings) -> "OutboundPolicy":
        """What the settings say."""
        return cls(
            plain_http=settings.environment == "development",
            allowed=parse_networks(settings.outbound_allowed, field="outbound_allowed"),
        )

    def allows(self, address: Address) -> bool:
        """Whether this address may be called."""
        return is_public(address) or any(plain(address) in network for network in self.allowed)


@dataclass(frozen=True)
class Destination:
    """A host that was judged, and the addresses to connect to instead of resolving it again."""

    host: str
    port: int
    addresses: tuple[str, ...]


def is_public(address: Address) -> bool:
    """Whether it belongs to the Internet at large, and is no wrapping of one that does not."""
    address = plain(address)
    if isinstance(address, IPv6Address):
        inner = _carried_ipv4(address)
        if inner is not None:
            return is_public(inner)
    odd = address.is_multicast or address.is_reserved or address.is_unspecified or address.is_loopback
    return address.is_global and not odd and not address.is_link_local


def _carried_ipv4(address: IPv6Address) -> IPv4Address | None:
    return IPv4Address(int(address) & 0xFFFF_FFFF) if address in _NAT64 else address.sixtofour


async def check_host(host: str, port: int, policy: OutboundPolicy, *, name: str = "host") -> Destination:
    """Resolve a host and judge everything it resolves to.

    Args:
        name: the field that the host came in, for the error.

    Raises:
        OutboundRefused: when it is unknown, or any of its addresses may not be called. Which address that was is not
            said: a stranger would learn our network from it.
    """
    try:
        found = [parse_address(text) for text in await policy.resolver(host, port)]
    except (OSError, UnicodeError):
        found = []
    addresses = [address for address in found if address is not None]
    if not addresses or len(addresses) != len(found):
        raise OutboundRefused(f"{host!r} cannot be found", field=name)
    if not all(policy.allows(address) for address in addresses):
        raise OutboundRefused(f"{host!r} does not lead to a public address", field=name)
    return Destination(host, port, tuple(map(str, addresses)))


async def check_url(
    url: str, policy: OutboundPolicy, *, name: str = "url", schemes: Sequence[str] = ("https",)
) -> Destination:
    """Judge a URL that somebody gave: when it is saved, so that they hear of it; `client` judges again at each use.

    Args:
        name: the field that the URL came in, for the error.
        schemes: what it may begin with; `http` is added where the policy allows it beside `https`.

    Raises:
        OutboundRefused: saying what is wrong with it.
    """
    try:
        parsed = httpx2.URL(url)
        port = parsed.port
    except (httpx2.InvalidURL, UnicodeError):
        raise OutboundRefused("this is no URL", field=name) from None
    allowed = [*schemes, *(("http",) if policy.plain_http and "https" in schemes else ())]
    if parsed.scheme not in allowed:
        raise OutboundRefused(
            f"the URL must begin with {' or '.join(f'{scheme}://' for scheme in allowed)}", field=name
        )
    if parsed.userinfo:
        raise OutboundRefused("a URL with a user name or a password in it is refused", field=name)
    port = port or _DEFAULT_PORTS[parsed.scheme]
    if not parsed.host or port > 65_535:
        raise OutboundRefused("the URL names no host, or a port that there is not", field=name)
    return await check_host(parsed.host, port, policy, name=name)


class GuardedTransport(httpx2.AsyncHTTPTransport):
    """Connects to an address that was judged, while `Host` and TLS still speak of the name that was asked for."""

    def __init__(self, policy: OutboundPolicy, *, verify: ssl.SSLContext | bool = True) -> None:
        # No connection is kept: it is known by its address, and TLS has checked it for one name only.
        super().__init__(verify=verify, trust_env=False, limits=httpx2.Limits(max_keepalive_connections=0))
        self._policy = policy

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Judge, then send; the next address is tried when one takes no connection.

        Raises:
            OutboundRefused: when it may not be called.
        """
        destination = await check_url(str(request.url), self._policy)
        *others, last = destination.addresses
        for address in others:
            try:
                return await super().handle_async_request(_pinned(request, address))
            except (httpx2.ConnectError, httpx2.ConnectTimeout):
                continue
        return await super().handle_async_request(_pinned(request, last))


def _pinned(request: httpx2.Request, address: str) -> httpx2.Request:
    return httpx2.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": request.url.host},
    )


def client(
    policy: OutboundPolicy, *, timeout_s: float = 10.0, verify: ssl.SSLContext | bool = True
) -> httpx2.AsyncClient:
    """An HTTP client that goes nowhere else: no proxy of the environment, no redirect, no kept connection."""
    return httpx2.AsyncClient(
        transport=GuardedTransport(policy, verify=verify), timeout=timeout_s, follow_redirects=False, trust_env=False
    )
