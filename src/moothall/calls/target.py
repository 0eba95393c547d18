"""Names of what can be called: ``scheme:rest``, split at the first colon. Pure.

::

    local:[AGENT.]NAME[@VERSION]
    did:wba:…[#OPERATION]            without an operation: describe the agent
    https://HOST/…                   a plain HTTP endpoint; http:// where egress allows it
    mcp:SERVER.TOOL   a2a:ALIAS-OR-URL[#SKILL]   llm:NAME   auto:TEXT
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Self

from moothall.errors import Told, ValidationError

MOST: Final = 2048
"""Characters of a target."""

_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*")
_LOCAL: Final = re.compile(r"(?P<name>\w(?:[\w.-]*[\w-])?)(?:@(?P<version>[0-9A-Za-z.+-]+))?")
_HASHED: Final = frozenset({"did", "a2a"})
_DOTTED: Final = frozenset({"mcp"})


@dataclass(frozen=True, slots=True)
class Target:
    """A parsed target.

    Attributes:
        scheme: ``local``, ``did``, ``https``, ….
        address: what it names: ``[AGENT.]NAME``, the DID, the URL, the server.
        operation: what is called there; empty for none.
        version: of a local capability; empty: the newest.
    """

    scheme: str
    address: str
    operation: str = ""
    version: str = ""

    @classmethod
    def parse(cls, text: str, method: str = "") -> Self:
        """Read a target; ``method`` is its operation where the text has none (row CAL-07).

        Raises:
            ValidationError: it is none, or names two operations.
        """
        scheme, colon, rest = text.partition(":")
        if not colon or not rest or len(text) > MOST or not _SCHEME.fullmatch(scheme) or not text.isprintable():
            raise _bad("calls.target", "" if colon else "calls.target_hint")
        address, operation, version = rest, "", ""
        if scheme == "local":
            match = _LOCAL.fullmatch(rest)
            if match is None:
                raise _bad("calls.target_local")
            address, version = match["name"], match["version"] or ""
        elif scheme in _HASHED:
            address, _, operation = rest.partition("#")
        elif scheme in _DOTTED:
            address, _, operation = rest.partition(".")
        if scheme in {"did", "http", "https"}:
            address = f"{scheme}:{address}"
        if method and operation and method != operation:
            raise _bad("calls.target_two_methods")
        if method and scheme == "local":
            address, method = f"{address}.{method}", ""
        return cls(scheme, address, operation or method, version)

    def __hash__(self) -> int:
        """Hash what mostly differs: targets are looked up at every call."""
        return hash((self.address, self.operation))

    def __str__(self) -> str:
        """The text that parses to this target."""
        if self.scheme == "local":
            return f"local:{self.address}" + (f"@{self.version}" if self.version else "")
        shown = self.address if self.scheme in {"did", "http", "https"} else f"{self.scheme}:{self.address}"
        if not self.operation or self.scheme in {"http", "https"}:
            return shown
        return f"{shown}{'.' if self.scheme in _DOTTED else '#'}{self.operation}"


def _bad(why: str, hint: str = "") -> ValidationError:
    return ValidationError("not a target", told=Told(why, hint=hint))
