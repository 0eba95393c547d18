"""Which version of the protocol a request speaks, and which extensions its client knows (1.0 §3.2.6, §3.6). Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Literal
from urllib.parse import parse_qs

from moothall.protocols.a2a.failures import VersionNotSupported

Version = Literal["1.0", "0.3"]

VERSIONS: Final[tuple[Version, ...]] = ("1.0", "0.3")

CAPABILITIES: Final = "urn:moothall:a2a:capabilities:v1"
"""The extension in which a card has the JSON Schemas of its skills."""

_HEADER: Final = b"a2a-version"
_EXTENSIONS: Final = (b"a2a-extensions", b"x-a2a-extensions")
"""The header, and what it was called in 0.3."""

_PATCH: Final = re.compile(r"(\d{1,4}\.\d{1,4})(?:\.\d{1,6})?", re.ASCII)
_MOST_EXTENSIONS: Final = 50


def version_of(headers: Sequence[tuple[bytes, bytes]], query: bytes) -> Version | None:
    """The version of a request; None where it names none, which means 0.3.

    Raises:
        VersionNotSupported: another one, or two of them.
    """
    named = {value.strip().decode("latin-1") for name, value in headers if name == _HEADER}
    if not named and b"a2a-version" in query.lower():
        pairs = parse_qs(query.decode("latin-1"))
        named = {value for name, values in pairs.items() if name.lower() == "a2a-version" for value in values}
    named.discard("")
    if not named:
        return None
    match = _PATCH.fullmatch(next(iter(named))) if len(named) == 1 else None
    for version in VERSIONS:
        if match is not None and match[1] == version:
            return version
    raise VersionNotSupported("wire.version", {"versions": ", ".join(VERSIONS)})


def extensions_of(headers: Sequence[tuple[bytes, bytes]]) -> frozenset[str]:
    """The extensions that the client knows."""
    values = [value for name, value in headers if name in _EXTENSIONS]
    if not values:
        return frozenset()
    named = [part.strip().decode("latin-1") for part in b",".join(values).split(b",")[:_MOST_EXTENSIONS]]
    return frozenset(filter(None, named))
