"""Addresses and ranges as people write them."""

from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.kernel.addresses import is_within, neighbourhood, parse_address, parse_networks
from cloud_api.kernel.errors import Invalid


@pytest.mark.parametrize(
    ("ranges", "inside", "outside"),
    [
        ("10.0.0.0/8", ["10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3"], ["11.0.0.0", "::a00:1", "2001:db8::1"]),
        ("203.0.113.7", ["203.0.113.7"], ["203.0.113.8"]),
        ("2001:db8::/32", ["2001:db8::1", "2001:DB8:ffff::"], ["2001:db9::1", "10.0.0.1"]),
        ("::ffff:10.0.0.0/104", ["10.9.9.9", "::ffff:10.9.9.9"], ["11.0.0.1"]),
        ("::1", ["::1", "0:0:0:0:0:0:0:1"], ["127.0.0.1"]),
        (" 10.0.0.0/8 ,, 192.0.2.0/24 ", ["10.1.1.1", "192.0.2.200"], ["192.0.3.1"]),
        ("0.0.0.0/0", ["1.2.3.4"], ["2001:db8::1"]),
        ("fe80::/10", ["fe80::1%eth0"], ["fec0::1"]),
        ("", [], ["10.0.0.1"]),
    ],
)
def test_a_range_holds_what_lies_in_it(ranges: str, inside: list[str], outside: list[str]) -> None:
    networks = parse_networks(ranges, field="ip_ranges")
    assert [address for address in inside if not is_within(address, networks)] == []
    assert [address for address in outside if is_within(address, networks)] == []
    assert parse_networks(ranges.split(","), field="ip_ranges") == networks


@pytest.mark.parametrize(
    "wrong", ["10.0.0.0/33", "10.0.0", "010.0.0.1", "office", "10.0.0.0/-1", "2001:db8::/129", "10.0.0.0/8/8", "1"]
)
def test_what_is_no_range_is_named_with_its_field(wrong: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_networks(["192.0.2.0/24", wrong], field="ip_ranges")
    assert [detail.field for detail in refused.value.details] == ["ip_ranges"]
    assert repr(wrong) in refused.value.message


@pytest.mark.parametrize(
    ("wrong", "meant"), [("10.0.0.1/8", "10.0.0.0/8"), ("2001:db8::1/32", "2001:db8::/32"), ("1.2.3.4/0", "0.0.0.0/0")]
)
def test_a_range_that_may_mean_two_things_is_refused_with_both(wrong: str, meant: str) -> None:
    with pytest.raises(Invalid, match=f"write {meant}, or {wrong.partition('/')[0]} for one address"):
        parse_networks(wrong, field="ip_ranges")


@pytest.mark.parametrize("nothing", ["", "localhost", "10.0.0.1:80", "[::1]", "1.2.3.4/32", "testclient", "@socket"])
def test_what_is_no_address_lies_in_no_range(nothing: str) -> None:
    assert parse_address(nothing) is None
    assert not is_within(nothing, parse_networks("0.0.0.0/0,::/0", field="x"))
    assert neighbourhood(nothing) == nothing


def test_one_subscriber_is_one_neighbourhood() -> None:
    assert neighbourhood("2001:db8:1:2:3:4:5:6") == neighbourhood("2001:db8:1:2::") == "2001:db8:1:2::/64"
    assert neighbourhood("2001:db8:1:3::") != "2001:db8:1:2::/64"
    assert neighbourhood("::ffff:203.0.113.7") == neighbourhood("203.0.113.7") == "203.0.113.7"


@given(st.ip_addresses(v=4), st.integers(0, 32))
def test_an_ipv4_range_holds_its_addresses_however_either_is_written(address: IPv4Address, length: int) -> None:
    network = ip_network((address, length), strict=False)
    mapped = f"::ffff:{network.network_address}/{96 + length}"
    for written in (str(network), mapped):
        networks = parse_networks(written, field="x")
        assert is_within(str(address), networks)
        assert is_within(f"::ffff:{address}", networks)


@given(st.ip_addresses(v=6), st.integers(0, 95))
def test_an_ipv6_range_holds_its_addresses(address: IPv6Address, length: int) -> None:
    networks = parse_networks(str(ip_network((address, length), strict=False)), field="x")
    assert is_within(address.exploded, networks) is (address.ipv4_mapped is None)


@given(st.text(max_size=30))
def test_no_text_whatever_brings_the_reader_down(text: str) -> None:
    neighbourhood(text)
    is_within(text, parse_networks("10.0.0.0/8", field="x"))
    with suppress(Invalid):
        parse_networks(text, field="x")
