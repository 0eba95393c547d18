"""Which requests may enter at all (row NEG-API-29). Pure.

A node on loopback has no password, so every page a browser shows could try to drive it. Three things stop that: the
name in ``Host`` must be one the node really has (a rebound DNS name is not), a request that changes something must not
come from another origin, and a body must declare itself as JSON (a form or a ``text/plain`` body needs no pre-flight).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

from moothall.errors import HostRefused, OriginRefused, UnsupportedMediaType

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing."""

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([0-9]{1,5}))?", re.IGNORECASE)
_JSON = re.compile(r"application/(?:[a-z0-9.!#$&^_-]+\+)?json\s*(?:;.*)?", re.IGNORECASE)
_OWN_SITE = frozenset({"same-origin", "none"})


def host_name(value: str) -> str | None:
    """The name in a ``Host`` header, lower case, without port and brackets; None when it is no host at all."""
    match = _HOST.fullmatch(value)
    return match[1].strip("[]").rstrip(".").lower() if match else None


def is_loopback(name: str) -> bool:
    """Whether ``name`` can only mean this machine."""
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _names_everything(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_unspecified
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Admission:
    """The names and origins of this node; ``names`` and ``origins`` are beyond loopback.

    ``listed`` are the origins of other sites whose pages may use this node (row NEG-API-24).
    """

    names: frozenset[str] = field(default=frozenset())
    origins: frozenset[str] = field(default=frozenset())
    listed: frozenset[str] = field(default=frozenset())

    @classmethod
    def of(cls, *, bound: str, public_url: str, listed: frozenset[str] = frozenset()) -> Self:
        """Admit the bound host and the public address; a wildcard address is no name."""
        public = urlsplit(public_url)
        names = {bound.strip("[]").lower()} | ({public.hostname} if public.hostname else set())
        origins = {f"{public.scheme}://{public.netloc}".lower()} if public.netloc else set()
        return cls(frozenset(name for name in names if not _names_everything(name)), frozenset(origins), listed)

    def check(self, method: str, headers: Mapping[str, Sequence[str]], *, has_body: bool) -> None:
        """Let the request in or refuse it; ``headers`` maps lower-case names to all their values.

        Raises:
            HostRefused: the request was meant for another name.
            OriginRefused: a page of another origin sent it.
            UnsupportedMediaType: its body is not declared as JSON.
        """
        host = self._host(headers.get("host", ()))
        self._origin(method, headers, host)
        if has_body and not any(_JSON.fullmatch(value) for value in headers.get("content-type", ())):
            raise UnsupportedMediaType(f"Content-Type: {', '.join(headers.get('content-type', ())) or '-'}")

    def _host(self, values: Sequence[str]) -> str:
        name = host_name(values[0]) if len(values) == 1 else None
        if name is None or not (is_loopback(name) or name in self.names):
            raise HostRefused(f"Host: {', '.join(values) or '-'}")
        return values[0].lower()

    def _origin(self, method: str, headers: Mapping[str, Sequence[str]], host: str) -> None:
        origins = headers.get("origin", ())
        sites = headers.get("sec-fetch-site", ())
        modes = headers.get("sec-fetch-mode", ())
        if len(origins) == 1 and origins[0].lower() in self.listed:
            return
        known = self.origins | {f"http://{host}", f"https://{host}"}
        foreign = any(origin.lower() not in known for origin in origins)
        if method in SAFE_METHODS:
            # A link from elsewhere may be followed; a page elsewhere may not load from here (it could hold streams).
            foreign = "cross-site" in sites and "navigate" not in modes and not (origins and not foreign)
        else:
            foreign = foreign or any(site not in _OWN_SITE for site in sites)
        if foreign:
            raise OriginRefused(f"Origin: {', '.join(origins) or '-'}; Sec-Fetch-Site: {', '.join(sites) or '-'}")
