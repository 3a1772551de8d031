"""IP addresses and ranges as people write them: allow-lists, trusted proxies, networks that may be called.

IPv4 that is written as IPv6 (`::ffff:10.0.0.1`) is the IPv4 that it means, in addresses and in ranges alike.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.requests import HTTPConnection

from cloud_api.kernel.errors import Invalid

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_MAPPED_BITS = 96


def client_address(request: HTTPConnection) -> str:
    """The caller's IP address; behind a trusted proxy, the one it tells (`COLDFLEET_TRUSTED_PROXIES`)."""
    return request.client.host if request.client else ""


def parse_address(text: str) -> Address | None:
    """The address, or None when it is none: a host name, a name of a socket, nothing."""
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    return plain(address)


def plain(address: Address) -> Address:
    """The address itself, without IPv6 around an IPv4 and without the interface it was heard on."""
    if isinstance(address, IPv4Address):
        return address
    return address.ipv4_mapped or IPv6Address(int(address))


def parse_networks(ranges: str | Iterable[str], *, field: str) -> tuple[Network, ...]:
    """Ranges such as `10.0.0.0/8` or `2001:db8::1`, in one text by commas or one by one; empty ones are left out.

    Raises:
        Invalid: naming `field` and the range; one with bits beyond its length is refused, for it may mean either.
    """
    listed = ranges.split(",") if isinstance(ranges, str) else ranges
    return tuple(_parse_network(text.strip(), field) for text in listed if text.strip())


def _parse_network(text: str, field: str) -> Network:
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise Invalid(f"{text!r} is no IP address or range: write 203.0.113.7 or 10.0.0.0/8", field=field) from None
    address = text.partition("/")[0]
    if ip_address(address) != network.network_address:
        raise Invalid(
            f"{text!r} has bits beyond its length: write {network}, or {address} for one address", field=field
        )
    if isinstance(network, IPv6Network) and network.prefixlen >= _MAPPED_BITS:
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            return IPv4Network((mapped, network.prefixlen - _MAPPED_BITS))
    return network


def is_within(address: str, networks: Iterable[Network]) -> bool:
    """Whether the address is one, and lies in any of the ranges."""
    parsed = parse_address(address)
    return parsed is not None and any(parsed in network for network in networks)


def neighbourhood(address: str) -> str:
    """What is counted as one caller: an IPv4 address, or the /64 that one IPv6 subscriber has to draw from."""
    parsed = parse_address(address)
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((parsed, 64), strict=False))
    return str(parsed or address)
