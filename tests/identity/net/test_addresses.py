"""Which addresses are public, which may be listed, and how a host may be written."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from moothall.identity.addresses import is_host, is_loopback_host, is_private, is_public, parse

NEVER = """
0.0.0.0 169.254.169.254 169.254.0.1 224.0.0.1 239.1.1.1 240.0.0.1 255.255.255.255 168.63.129.16
:: fe80::1 ff02::1 ::ffff:127.0.0.1 ::ffff:169.254.169.254 ::ffff:10.0.0.1 ::ffff:8.8.8.8 ::ffff:0:127.0.0.1 ::127.0.0.1
64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b::808:808 64:ff9b:1::1 2002:7f00:1:: 2001:0:4136:e378:8000:63bf:3fff:fdd2
fd00:ec2::254
""".split()
NEIGHBOURS = "127.0.0.1 127.1.2.3 ::1 10.0.0.1 10.255.255.255 172.16.0.1 172.31.9.9 192.168.1.1 100.64.0.1 100.127.0.1 fd00::1".split()
RESERVED = "198.18.0.1 192.0.2.1 198.51.100.7 203.0.113.1 192.0.0.8 192.88.99.1 2001:db8::1 100::1 fec0::1 3fff::1 5f00::1".split()
PUBLIC = "8.8.8.8 1.1.1.1 93.184.216.34 2606:4700::1111 2a00:1450::1".split()


@pytest.mark.requirement("WIRE-NET-01")
@pytest.mark.parametrize("address", [*NEVER, *NEIGHBOURS, *RESERVED])
def test_what_is_not_everybodys_is_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_everybodys_is_public_and_not_private(address: str) -> None:
    assert is_public(ip_address(address))
    assert not is_private(ip_address(address))


@pytest.mark.parametrize("address", NEIGHBOURS)
def test_a_neighbour_may_be_listed(address: str) -> None:
    assert is_private(ip_address(address))


@pytest.mark.requirement("WIRE-NET-01")
@pytest.mark.parametrize("address", NEVER)
def test_link_local_multicast_and_carried_addresses_are_no_neighbours(address: str) -> None:
    assert not is_private(ip_address(address))


@pytest.mark.requirement("WIRE-NET-01")
@pytest.mark.parametrize(
    "host",
    [
        *"2130706433 0x7f.1 0x7f000001 0177.0.0.1 127.1 127.0.1 0 1 1.2.3 1.2.3.4.5 256.1.1.1 a.0x1 a.1 127.0.0.1.".split(),
        *"localhost. LOCALHOST Example.com a..b .a -a a- a_.- a%2eb a@b a:1 [::1] fe80::1%eth0 ::1%lo".split(),
        *[
            "",
            " ",
            "a b",
            "a\n",
            "１２７.0.0.1",
            "127。0。0。1",
            "ⓛocalhost",
            "bücher.example",
            "a" * 64,
            "a." * 127 + "aa",
        ],
    ],
)
def test_a_host_that_resolvers_read_differently_is_none(host: str) -> None:
    assert not is_host(host)


@pytest.mark.parametrize(
    "host",
    ["a", "localhost", "node-1.example.com", "_x.example", "xn--bcher-kva.example", "1a.example", "8.8.8.8", "::1"],
)
def test_plain_names_and_addresses_are_hosts(host: str) -> None:
    assert is_host(host)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        *((host, True) for host in ("localhost", "a.localhost", "127.9.9.9", "::1")),
        *((host, False) for host in ("notlocalhost", "localhost.example", "10.0.0.1", "::ffff:127.0.0.1")),
    ],
)
def test_hosts_that_can_only_mean_this_machine(host: str, loopback: bool) -> None:
    assert is_loopback_host(host) is loopback


def test_an_address_with_a_zone_is_no_answer() -> None:
    assert parse("fe80::1%eth0") is None
    assert parse("not an address") is None
