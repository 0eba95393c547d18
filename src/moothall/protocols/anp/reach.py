"""Where the agents of this node show who they are: at the origins that a verified DID answers for, nowhere else. Pure.

Documents of strangers name addresses. Were each of them asked with a signature, a stranger could make our agents send
signed requests to whomever it likes, in their names.
"""

from __future__ import annotations

from typing import Final

import httpx

from moothall.identity.destination import Origin
from moothall.identity.did import Did

_PORTS: Final = {"http": 80, "https": 443}


def origin_of(url: str) -> Origin | None:
    """Scheme, host and port of an address; None where nothing can be sent there."""
    try:
        read = httpx.URL(url)
    except httpx.InvalidURL:
        return None
    if read.scheme not in _PORTS or not read.raw_host:
        return None
    return Origin(read.scheme, read.raw_host.decode("ascii"), read.port or _PORTS[read.scheme])


def home_of(did: Did) -> frozenset[Origin]:
    """The origins of a DID's domain; whether http is spoken there decides the way out."""
    return frozenset(Origin(scheme, did.host, did.port or port) for scheme, port in _PORTS.items())
