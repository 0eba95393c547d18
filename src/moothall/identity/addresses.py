"""Which network addresses are public, and how a host may be written (row WIRE-NET-01). Pure.

`ipaddress` knows the registry of special blocks. What it calls global and is not, for a guard, are the IPv6 blocks that
carry an IPv4 address inside: a router on the way turns them back, so `2002:7f00:1::` may end at loopback.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

Address = IPv4Address | IPv6Address
Block = IPv4Network | IPv6Network

_CARRIERS: Final[tuple[Block, ...]] = tuple(
    map(
        IPv6Network,
        (
            "::/96",  # IPv4-compatible (RFC 4291 §2.5.5.1); ::1 is in it
            "::ffff:0:0/96",  # IPv4-mapped
            "::ffff:0:0:0/96",  # IPv4-translated (RFC 2765)
            "64:ff9b::/96",  # NAT64 (RFC 6052)
            "64:ff9b:1::/48",  # NAT64 of a site (RFC 8215)
            "2001::/32",  # Teredo
            "2002::/16",  # 6to4
        ),
    )
)
_UNUSED: Final[tuple[Block, ...]] = (
    *map(IPv4Network, ("192.0.0.0/24", "192.88.99.0/24")),  # protocol assignments, relays of 6to4
    *map(IPv6Network, ("100::/64", "fec0::/10", "3fff::/20", "5f00::/16")),  # discard, site-local, documents, SRv6
)
"""Not for everybody, whatever the table of this Python says: those of older versions lack some."""

_METADATA: Final = frozenset(map(ip_address, ("168.63.129.16", "fd00:ec2::254", "fd20:ce::254")))
"""Services of clouds that hand out credentials at addresses which a private network, or even a public one, may hold."""

_LABEL: Final = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME: Final = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")


def is_public(address: Address) -> bool:
    """Whether it is the internet's: not private, loopback, link-local, CGNAT, multicast, reserved, nor a carrier."""
    if address in _METADATA or _within(address, *_CARRIERS, *_UNUSED):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def is_private(address: Address) -> bool:
    """Whether it may be a neighbour's that the operator has listed: on loopback, or of a private or CGNAT block.

    Link-local addresses are none: what answers there (the metadata service of a cloud) is no neighbour.
    """
    if is_loopback(address):
        return True
    if address in _METADATA or _within(address, *_CARRIERS):
        return False
    unfit = address.is_link_local or address.is_multicast or address.is_reserved or address.is_unspecified
    return not unfit and not address.is_global


def is_loopback(address: Address) -> bool:
    """Whether it is loopback itself; newer versions of Python say so of an IPv6 address that carries one, too."""
    return address.is_loopback and not _within(address, *_CARRIERS[1:])


def parse(text: str) -> Address | None:
    """The address in one of the answers of a resolver, or None; one with a zone (`fe80::1%eth0`) is none of ours."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return None if isinstance(address, IPv6Address) and address.scope_id else address


def is_host(text: str) -> bool:
    """Whether a host is written in the one way that every resolver reads alike.

    That is an IPv4 address as four decimal numbers, an IPv6 address (without brackets), or a name in lower-case ASCII
    whose last label is no number. So `127.1`, `2130706433`, `0x7f.1`, `0177.0.0.1` and names with a trailing dot,
    capitals, percent signs or full-width characters are refused before anybody could resolve them.
    """
    if parse(text) is not None:
        return True
    return _NAME.fullmatch(text) is not None and _NUMBER.fullmatch(text.rpartition(".")[2]) is None


def is_loopback_host(text: str) -> bool:
    """Whether a host can only mean this machine (RFC 6761 §6.3): ``localhost``, a name below it, a loopback address."""
    address = parse(text)
    return is_loopback(address) if address else text == "localhost" or text.endswith(".localhost")


def _within(address: Address, *blocks: Block) -> bool:
    return any(address in block for block in blocks)
