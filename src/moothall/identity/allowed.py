"""`MOOTHALL_EGRESS_ALLOW`: the hosts that may be called although they are not public (row WIRE-NET-01). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple, Self

from moothall.errors import SettingsError
from moothall.identity.addresses import is_host, is_loopback_host, parse

_PLAIN: Final = "http://"
_MOST_PORT: Final = 65535
_HINT: Final = "write host, host:port or, for a host on loopback, http://host:port; an IPv6 address stands in brackets"


class Place(NamedTuple):
    """A host and a port; port 0 stands for every port of the host."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Allowed:
    """The listed places.

    Attributes:
        private: whose address may be private or loopback.
        plain: those that speak http, on loopback only, where their names must lead; they are private ones, too.
    """

    private: frozenset[Place] = frozenset()
    plain: frozenset[Place] = frozenset()

    @classmethod
    def parsed(cls, text: str) -> Self:
        """Read a comma list of ``host``, ``host:port`` and ``http://host[:port]``; no port means all of them.

        Raises:
            SettingsError: an entry is none of these; it is named by its position, since it may hold a password.
        """
        private, plain = set[Place](), set[Place]()
        for number, entry in enumerate(filter(None, map(str.strip, text.split(","))), 1):
            place = _place(entry.removeprefix(_PLAIN))
            if place is None:
                raise _refused(number, "it is no host with or without a port")
            if entry.startswith(_PLAIN):
                if parse(place.host) and not is_loopback_host(place.host):  # where a name leads is seen when it is used
                    raise _refused(number, "http is for hosts on loopback alone: localhost, 127.0.0.1, [::1]")
                plain.add(place)
            private.add(place)
        return cls(frozenset(private), frozenset(plain))

    def may_be_private(self, host: str, port: int) -> bool:
        """Whether the host may have an address that is not public."""
        return not self.private.isdisjoint((Place(host, port), Place(host, 0)))

    def speaks_http(self, host: str, port: int) -> bool:
        """Whether http, without TLS, may be spoken there."""
        return not self.plain.isdisjoint((Place(host, port), Place(host, 0)))


def _place(text: str) -> Place | None:
    text = text.lower()
    host, colon, port = text.rpartition(":") if not text.endswith("]") else (text, "", "")
    if not colon:
        host = text
    if host.startswith("[") != host.endswith("]") or (":" in host) != host.startswith("["):
        return None
    host = host.removeprefix("[").removesuffix("]")
    if not is_host(host) or (colon and not _is_port(port)):
        return None
    address = parse(host)
    return Place(str(address) if address else host, int(port) if colon else 0)


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= len(str(_MOST_PORT)) and 0 < int(text) <= _MOST_PORT


def _refused(number: int, why: str) -> SettingsError:
    return SettingsError(
        f"entry {number} of the setting egress_allow does not fit",
        why=why,
        hint=_HINT,
        details={"setting": "egress_allow", "variable": "MOOTHALL_EGRESS_ALLOW", "entry": number},
    )
