"""Where URLs that people give may lead: to the Internet at large, and nowhere near us."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from ipaddress import IPv4Address, ip_address
from pathlib import Path

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.kernel.outbound import OutboundPolicy, OutboundRefused, check_host, check_url, client, is_public
from cloud_api.kernel.settings import Settings
from tests.gateway.certificates import write_certificate

PUBLIC = "93.184.216.34"
PRIVATE = [
    "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",  # noqa: S104
    "::1", "fe80::1", "fd00:ec2::254", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "::7f00:1", "224.0.0.1",
    "255.255.255.255", "ff02::1", "::", "198.18.0.1", "192.0.2.1", "2001:db8::1", "100.100.100.200", "240.0.0.1",
    "64:ff9b:1::1", "2002:a00:1::1",
]  # fmt: skip


def leading_to(*addresses: str) -> OutboundPolicy:
    """Every name leads to these."""

    async def resolver(_host: str, _port: int) -> Sequence[str]:
        return addresses

    return OutboundPolicy(resolver=resolver)


def allowing(*ranges: str, environment: str = "development") -> OutboundPolicy:
    """The settings' policy, with the machine's own resolver."""
    secret = "x" * 40
    own = {"secret_key": secret, "encryption_keys": secret, "audit_key": secret}
    return OutboundPolicy.of(
        Settings(_env_file=None, environment=environment, outbound_allowed=",".join(ranges), **own)  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("address", PRIVATE)
async def test_a_name_that_leads_to_one_of_our_neighbours_is_refused(address: str) -> None:
    with pytest.raises(OutboundRefused) as refused:
        await check_url("https://login.example/authorize", leading_to(address), name="issuer")
    assert refused.value.details[0].field == "issuer"
    assert address not in refused.value.message, "a stranger would learn our network from it"
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", [PUBLIC, "2606:2800:220:1::1", "64:ff9b::5db8:d822", "::ffff:93.184.216.34"])
async def test_a_public_address_is_called(address: str) -> None:
    destination = await check_url("https://login.example:8443/x", leading_to(address))
    assert (destination.host, destination.port) == ("login.example", 8443)
    [known] = destination.addresses
    assert known == (PUBLIC if address.startswith("::ffff:") else address)


async def test_one_neighbour_among_public_addresses_is_enough_to_be_refused() -> None:
    with pytest.raises(OutboundRefused):
        await check_url("https://login.example/", leading_to(PUBLIC, "127.0.0.1"))


@pytest.mark.parametrize(
    "url",
    [
        "http://login.example/",
        "ftp://login.example/",
        "file:///etc/passwd",
        "gopher://login.example/",
        "//login.example/",
        "login.example",
        "",
        "https://",
        "https:///path",
        "https://:443/",
        "https://login.example@127.0.0.1/",
        "https://user:password@login.example/",
        "https://login.example:99999/",
        "https://login.example:port/",
        "https://[::1",
        "https://\x00/",
        "https://" + "x" * 70_000,
    ],
)
async def test_what_is_no_plain_https_url_is_refused(url: str) -> None:
    with pytest.raises(OutboundRefused):
        await check_url(url, leading_to(PUBLIC))


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001", "0", "localhost",
        "LOCALHOST", "localhost.", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:0:0:1]",
        "[fe80::1%25lo]", "①②⑦.⓪.⓪.①", "127。0。0。1", "169.254.169.254", "[::]",
    ],
)  # fmt: skip
async def test_however_an_address_of_ours_is_written_it_is_refused(host: str) -> None:
    with pytest.raises(OutboundRefused):
        await check_url(f"https://{host}/", allowing())


@given(st.ip_addresses(v=4, network="127.0.0.0/8") | st.ip_addresses(v=4, network="10.0.0.0/8"), st.integers(0, 4))
def test_every_notation_of_a_private_address_is_refused(address: IPv4Address, notation: int) -> None:
    first, *rest = address.packed
    tail = int.from_bytes(rest, "big")
    written = [
        str(int(address)), hex(int(address)), f"0{int(address):o}", f"{first}.{tail}", f"[::ffff:{address}]",
    ][notation]  # fmt: skip

    async def refused() -> None:
        with pytest.raises(OutboundRefused):
            await check_url(f"https://{written}/", allowing())

    asyncio.run(refused())


@given(st.ip_addresses())
def test_no_wrapping_makes_a_private_address_public(address: object) -> None:
    given_address = ip_address(str(address))
    if isinstance(given_address, IPv4Address) and not is_public(given_address):
        for wrapped in (f"::ffff:{given_address}", f"64:ff9b::{given_address}", f"::{given_address}"):
            assert not is_public(ip_address(wrapped))


async def test_a_directory_in_an_allowed_range_is_called_and_none_beside_it() -> None:
    policy = allowing("127.0.0.1/32")
    directory = await check_url("ldap://127.0.0.1:1389", policy, schemes=("ldap", "ldaps"))
    assert (directory.port, directory.addresses) == (1389, ("127.0.0.1",))
    assert (await check_host("127.0.0.1", 636, policy)).port == 636
    assert (await check_url("http://127.0.0.1/", policy)).port == 80
    for url, schemes in (
        ("ldap://127.0.0.2", ("ldap",)),
        ("https://127.0.0.1", ("ldap",)),
        ("http://a.example", ("ldap",)),
    ):
        with pytest.raises(OutboundRefused):
            await check_url(url, policy, schemes=schemes)


async def test_outside_development_nothing_travels_unencrypted() -> None:
    with pytest.raises(OutboundRefused, match=r"must begin with https://$"):
        await check_url("http://127.0.0.1/", allowing("127.0.0.1", environment="production"))


async def test_a_name_nobody_knows_is_refused_with_its_field() -> None:
    with pytest.raises(OutboundRefused, match="cannot be found"):
        await check_url("https://nobody.invalid/", allowing())


class Seen:
    """What reached a server."""

    def __init__(self) -> None:
        self.names: list[str | None] = []
        self.heads: list[bytes] = []


@asynccontextmanager
async def serving(answer: bytes, seen: Seen, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server on 127.0.0.1 that gives every request the same answer; its port."""

    async def answer_it(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer_it, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok"


async def test_a_name_that_leads_elsewhere_a_moment_later_gains_nothing() -> None:
    seen, answers = Seen(), iter([[PUBLIC], ["127.0.0.1"], ["127.0.0.1"]])

    async def rebinding(_host: str, _port: int) -> Sequence[str]:
        return next(answers)

    async with serving(OK, seen) as port:
        policy = OutboundPolicy(plain_http=True, resolver=rebinding)
        await check_url(f"http://rebind.example:{port}/", policy)
        async with client(policy) as going_out:
            with pytest.raises(OutboundRefused):
                await going_out.get(f"http://rebind.example:{port}/")
    assert seen.heads == []


async def test_the_connection_goes_to_the_address_that_was_judged_under_the_name_that_was_asked_for(
    tmp_path: Path,
) -> None:
    seen, resolved = Seen(), []
    certificate, key = write_certificate(tmp_path, "login.example")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    server.sni_callback = lambda _socket, name, _context: seen.names.append(name)
    trusting = ssl.create_default_context(cafile=str(certificate))

    async def resolver(host: str, _port: int) -> Sequence[str]:
        resolved.append(host)
        return ["127.0.0.9", "127.0.0.1"]  # at the first nobody listens

    policy = OutboundPolicy(allowed=allowing("127.0.0.0/8").allowed, resolver=resolver)
    async with serving(OK, seen, server) as port, client(policy, verify=trusting) as going_out:
        answer = await going_out.get(f"https://login.example:{port}/keys?x=1")
        assert answer.text == "ok"
        with pytest.raises(httpx2.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await going_out.get(f"https://other.example:{port}/")
    assert resolved == ["login.example", "other.example"]
    assert seen.names == ["login.example", "other.example"]
    [head] = seen.heads
    assert head.startswith(b"GET /keys?x=1 HTTP/1.1\r\n")
    assert f"Host: login.example:{port}\r\n".encode() in head


async def test_a_redirect_is_not_followed_and_one_that_is_meets_the_same_judge() -> None:
    seen = Seen()
    policy = allowing("127.0.0.1")
    redirect = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.2/inside\r\nContent-Length: 0\r\n\r\n"
    async with serving(redirect, seen) as port, client(policy) as going_out:
        answer = await going_out.get(f"http://127.0.0.1:{port}/")
        assert answer.status_code == 302
        with pytest.raises(OutboundRefused):
            await going_out.get(f"http://127.0.0.1:{port}/", follow_redirects=True)
    assert len(seen.heads) == 2


async def test_no_proxy_of_the_environment_stands_between(monkeypatch: pytest.MonkeyPatch) -> None:
    seen, policy = Seen(), allowing("127.0.0.1")
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with serving(OK, seen) as port, client(policy) as going_out:
        assert (await going_out.get(f"http://127.0.0.1:{port}/")).text == "ok"
