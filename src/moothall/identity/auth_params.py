"""What a server says about authentication: the nonce of its challenge and the token that it gives (RFC 9110 §11). Pure.

Both come from a stranger and go into our next request, so what could break out of a header is taken for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

_LONGEST: Final = 8192
_PARAMETER: Final = re.compile(r"\s*([A-Za-z0-9_-]+)\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s,\"]+))\s*(,|$)")
_DIDWBA: Final = re.compile(r"(?:^|,)\s*DIDWba\s+", re.IGNORECASE)
_ESCAPED: Final = re.compile(r"\\(.)")
_NONCE: Final = re.compile(r"[!#-\[\]-~]{1,256}")
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*")
_SECONDS: Final = re.compile(r"[0-9]{1,9}")
_UNSAID: Final = 300.0


class Token(NamedTuple):
    """An access token and the seconds that it counts."""

    text: str
    seconds: float


def challenge_nonce(values: Iterable[str]) -> str:
    """The nonce that the ``WWW-Authenticate`` headers of a 401 ask to be signed with; empty for none."""
    for value in values:
        scheme = _DIDWBA.search(value[:_LONGEST])
        nonce = _parameters(value[scheme.end() : _LONGEST]).get("nonce", "") if scheme else ""
        if _NONCE.fullmatch(nonce):
            return nonce
    return ""


def access_token(value: str) -> Token | None:
    """The bearer token in an ``Authentication-Info`` header, if there is one that can be sent."""
    said = _parameters(value[:_LONGEST])
    token, kind, life = said.get("access_token", ""), said.get("token_type", "bearer"), said.get("expires_in", "")
    if kind.lower() != "bearer" or not _TOKEN.fullmatch(token):
        return None
    return Token(token, float(life) if _SECONDS.fullmatch(life) else _UNSAID)


def _parameters(text: str) -> dict[str, str]:
    """``name=value`` and ``name="value"``, up to where the next scheme begins; the first of a name counts."""
    found: dict[str, str] = {}
    at = 0
    while match := _PARAMETER.match(text, at):
        name, quoted, bare, _ = match.groups()
        found.setdefault(name.lower(), _ESCAPED.sub(r"\1", quoted) if bare is None else bare)
        if match.end() == at or match.end() == len(text):
            break
        at = match.end()
    return found
