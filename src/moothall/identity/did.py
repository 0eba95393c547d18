"""Identifiers of the method did:wba, and the URLs they stand for (rows WIRE-DID-01, 02, 05). Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Literal, NoReturn, Self

from moothall.errors import InvalidInput, Told

DidKind = Literal["e1", "k1", "bare", "legacy"]
"""What a DID says of its key: its last segment holds the fingerprint of an Ed25519 (``e1``) or secp256k1 (``k1``) key,
it has no path (``bare``), or it has one without a fingerprint (``legacy``)."""

LONGEST: Final = 1024
"""Bytes of a DID, and of a DID URL."""

_PREFIX: Final = "did:wba:"
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*", re.ASCII)
_LONGEST_HOST: Final = 253
_NUMBER: Final = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*", re.ASCII)
_PORT: Final = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)
_LAST_PORT: Final = 65535
_SEGMENT: Final = re.compile(r"[A-Za-z0-9._-]+", re.ASCII)
_BINDING: Final = re.compile(r"(e1|k1)_([A-Za-z0-9_-]{43})", re.ASCII)
_FRAGMENT: Final = re.compile(r"[A-Za-z0-9._~:@!$&'()*+,;=/?-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Did:
    """A did:wba identifier; two are the same only byte for byte.

    Attributes:
        text: the identifier itself.
        host: the domain name, in small letters.
        port: None where none is named.
        path: the segments after the domain.
        kind: what it says of its key.
        fingerprint: the 43 characters after ``e1_`` or ``k1_``; empty for other kinds.
    """

    text: str
    host: str = field(compare=False)
    port: int | None = field(compare=False)
    path: tuple[str, ...] = field(compare=False)
    kind: DidKind = field(compare=False)
    fingerprint: str = field(compare=False)

    @classmethod
    def parse(cls, text: str) -> Did:
        """Read an identifier.

        Raises:
            InvalidInput: it is none, or one of those that row WIRE-DID-01 refuses.
        """
        if len(text) > LONGEST:
            _refuse("did_long", most=LONGEST)
        return _parsed(text)

    @classmethod
    def at(cls, domain: str, path: Sequence[str] = ()) -> Did:
        """The identifier of a domain (``host`` or ``host:port``) and a path.

        Raises:
            InvalidInput: as `parse`.
        """
        host, colon, port = domain.partition(":")
        if ":" in port:
            _refuse("did_ip")
        return cls.parse(":".join([f"{_PREFIX}{host}{'%3A' if colon else ''}{port}", *path]))

    def __str__(self) -> str:
        """The identifier, byte for byte as it was read."""
        return self.text

    @property
    def key_bound(self) -> bool:
        """Whether it contains the fingerprint of its key."""
        return bool(self.fingerprint)

    @property
    def domain(self) -> str:
        """``host`` or ``host:port``, as a URL has it."""
        return self.host if self.port is None else f"{self.host}:{self.port}"

    def document_url(self, *, insecure: bool = False) -> str:
        """Where its document is (row WIRE-DID-02); `insecure` is for a host on loopback that speaks http."""
        path = "/".join(self.path) or ".well-known"
        return f"{'http' if insecure else 'https'}://{self.domain}/{path}/did.json"

    def check_allowed(self, *, allow_legacy: bool) -> None:
        """Refuse a path without a fingerprint unless those are allowed (row WIRE-DID-05).

        Raises:
            InvalidInput: it is such a one, and they are not.
        """
        if self.kind == "legacy" and not allow_legacy:
            _refuse("did_legacy")


@dataclass(frozen=True, slots=True)
class DidUrl:
    """A part of a DID's document, mostly a key: the identifier and what stands after ``#``."""

    did: Did
    fragment: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``did:wba:…#fragment``.

        Raises:
            InvalidInput: there is no such DID or no fragment, or it is longer than 1 KiB.
        """
        did, hash_sign, fragment = text.partition("#")
        if len(text) > LONGEST:
            _refuse("did_long", most=LONGEST)
        if not hash_sign or not _FRAGMENT.fullmatch(fragment):
            _refuse("did_fragment")
        return cls(Did.parse(did), fragment)

    def __str__(self) -> str:
        """The URL, byte for byte as it was read."""
        return f"{self.did.text}#{self.fragment}"


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Did:
    if not text.startswith(_PREFIX):
        _refuse("did_method")
    domain, *path = text[len(_PREFIX) :].split(":")
    host, port = _host_and_port(domain, path)
    for segment in path:
        if not _SEGMENT.fullmatch(segment) or segment in {".", ".."}:
            _refuse("did_segment")
    kind, fingerprint = _binding(path)
    return Did(text, host, port, tuple(path), kind, fingerprint)


def _host_and_port(domain: str, path: Sequence[str]) -> tuple[str, int | None]:
    host, percent, escaped = domain.partition("%")
    if path and not percent and _PORT.fullmatch(path[0]):
        _refuse("did_port_colon")
    if not _HOST.fullmatch(host) or len(host) > _LONGEST_HOST:
        _refuse("did_host")
    if _NUMBER.fullmatch(host.rpartition(".")[2]):  # what a URL would read as an IPv4 address, 127.1 as well
        _refuse("did_ip")
    if not percent:
        return host.lower(), None
    port = escaped[2:]
    if not escaped.startswith("3A") or not _PORT.fullmatch(port) or int(port) > _LAST_PORT:
        _refuse("did_port")
    return host.lower(), int(port)


def _binding(path: Sequence[str]) -> tuple[DidKind, str]:
    if not path:
        return "bare", ""
    if not path[-1].startswith(("e1_", "k1_")):
        return "legacy", ""
    bound = _BINDING.fullmatch(path[-1])
    if bound is None or len(path) == 1:
        _refuse("did_fingerprint")
    return ("e1" if bound[1] == "e1" else "k1"), bound[2]


def _refuse(why: str, **values: object) -> NoReturn:
    raise InvalidInput("not a did:wba identifier that can be used", told=Told(f"identity.{why}", values))
