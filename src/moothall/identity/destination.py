"""Where an outgoing request goes: a URL read once, by the parser that also sends it, and refused where it is not fit.

Any port of a public address may be called: DIDs carry ports, nodes listen where they can, and with https alone there is
nothing to be said to a service of another kind but a TLS greeting whose only free text is a checked host name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, NamedTuple

import httpx

from moothall.errors import InvalidInput, Told
from moothall.identity.addresses import is_host, parse
from moothall.identity.allowed import Allowed

_LONGEST: Final = 8192
_PORTS: Final = {"http": 80, "https": 443}
_MOST_PORT: Final = 65535
_UNFIT: Final = re.compile(r"[^\x21-\x7e]|[\\^`{|}\"<>]")
"""What no URL may contain as it stands; parsers differ over it, and a full-width stop makes an address of a name."""


class Origin(NamedTuple):
    """Scheme, host and port: what credentials belong to."""

    scheme: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Destination:
    """A URL that may be asked for; its host is still to be looked up.

    Attributes:
        url: as it will be sent.
        origin: whom it is sent to.
        uri: the target URI (RFC 9421 §2.2.2), as the receiver can put it together from what it reads.
    """

    url: httpx.URL
    origin: Origin
    uri: str


def refused(why: str) -> InvalidInput:
    """The error for an address that nothing may be sent to; it repeats nothing of the address."""
    return InvalidInput("egress refused", told=Told(f"egress.{why}", hint="egress.hint"))


def destination(url: str | httpx.URL, allowed: Allowed, base: httpx.URL | None = None) -> Destination:
    """Read a URL, or a reference relative to ``base`` (row WIRE-NET-01).

    Raises:
        InvalidInput: it is not https (or http where that is listed), names nobody, carries a password, or its host is
            written in a way that resolvers read differently.
    """
    if isinstance(url, str):
        if len(url) > _LONGEST or _UNFIT.search(url):
            raise refused("form")
        try:
            url = base.join(url) if base else httpx.URL(url)
        except httpx.InvalidURL as error:
            raise refused("form") from error
    host = url.raw_host.decode("ascii")
    if url.scheme not in _PORTS:
        raise refused("scheme")
    port = _PORTS[url.scheme] if url.port is None else url.port
    if url.userinfo or not 0 < port <= _MOST_PORT or not is_host(host):
        raise refused("form")
    host = str(parse(host) or host)
    if url.scheme == "http" and not allowed.speaks_http(host, port):
        raise refused("scheme")
    uri = f"{url.scheme}://{url.netloc.decode('ascii')}{url.raw_path.decode('ascii')}"
    return Destination(url, Origin(url.scheme, host, port), uri)
