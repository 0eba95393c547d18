"""Where this node is for others: the addresses that a signature must name, from the settings alone. Pure.

What a request says of its host is never believed: it only chooses among the addresses that the node was given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from moothall.errors import SettingsError

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origin:
    """One address of the node.

    Attributes:
        url: scheme, authority and, behind a proxy that strips one, a path prefix; no slash at the end.
        scheme: ``http`` or ``https``.
        authority: host and port as ``@authority`` has them: small letters, no default port (RFC 9421 §2.2.3).
        hostname: the host alone, which the older header calls its audience.
        loopback: whether every machine calls itself so.
    """

    url: str
    scheme: str
    authority: str
    hostname: str
    loopback: bool

    @classmethod
    def of(cls, url: str) -> Origin:
        """Read an address.

        Raises:
            SettingsError: it is no http(s) URL with a host.
        """
        try:
            parts = urlsplit(url)
            host, port = (parts.hostname or "").lower(), parts.port
        except ValueError as error:
            raise _unfit() from error
        if parts.scheme not in _DEFAULT_PORTS or not host or parts.query or parts.fragment:
            raise _unfit()
        name = f"[{host}]" if ":" in host else host
        authority = name if port in {None, _DEFAULT_PORTS[parts.scheme]} else f"{name}:{port}"
        url = f"{parts.scheme}://{authority}{parts.path.rstrip('/')}"
        return cls(url, parts.scheme, authority, host, host == "localhost" or _is_loopback(host))


class Site:
    """The addresses of a node; the first is its public one and the audience of its tokens."""

    def __init__(self, *urls: str) -> None:
        """Take the public address first, then others under which the node is reached.

        Raises:
            SettingsError: there is none, or one is no http(s) URL with a host.
        """
        if not urls:
            raise _unfit()
        self.origins: Sequence[Origin] = tuple(map(Origin.of, urls))
        self.public: Origin = self.origins[0]
        self._by_authority = {origin.authority: origin for origin in reversed(self.origins)}

    def addressed(self, host: str, sender: str) -> Origin:
        """The address that a request with this Host header is for; the public one where it names none of ours.

        Addresses of loopback are other nodes' on other machines: besides the public one they count only for a `sender`
        (its network address) on this machine, else what was signed for one node there could be sent on to this one.
        """
        origin = self._by_authority.get(host) or self._by_authority.get(host.lower(), self.public)
        return self.public if origin.loopback and not _is_loopback(sender) else origin

    def __repr__(self) -> str:
        """The addresses."""
        return f"Site({', '.join(origin.url for origin in self.origins)})"


@lru_cache(maxsize=1024)
def _is_loopback(address: str) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return (getattr(found, "ipv4_mapped", None) or found).is_loopback


def _unfit() -> SettingsError:
    return SettingsError(
        "the address of this node does not fit",
        why="it is no http:// or https:// address with a host",
        details={"setting": "public_url"},
    )
