"""The access tokens that servers gave us: each for the scheme, host and port it came from (row WIRE-TOKEN-05). Pure."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from moothall.identity.auth_params import Token
from moothall.identity.destination import Origin

_MOST: Final = 1000
_LONGEST: Final = 3600.0
_MARGIN: Final = 30.0
"""Seconds before its end from which a token is not used any more: it must still count when it arrives."""


class HeldTokens:
    """Tokens by origin; nothing that prints it shows one."""

    def __init__(self) -> None:
        self._tokens: OrderedDict[Origin, tuple[str, float]] = OrderedDict()

    def get(self, origin: Origin, now: float) -> str:
        """The token for an origin at a time (monotonic seconds); empty for none that counts."""
        token, until = self._tokens.get(origin, ("", 0.0))
        if until <= now:
            self._tokens.pop(origin, None)
            return ""
        self._tokens.move_to_end(origin)
        return token

    def keep(self, origin: Origin, token: Token, now: float) -> None:
        """Remember what an origin gave; the least recently used goes first."""
        self._tokens[origin] = token.text, now + min(token.seconds, _LONGEST) - _MARGIN
        self._tokens.move_to_end(origin)
        if len(self._tokens) > _MOST:
            self._tokens.popitem(last=False)

    def drop(self, origin: Origin) -> None:
        """Forget the token of an origin, which does not accept it."""
        self._tokens.pop(origin, None)

    def __repr__(self) -> str:
        """How many there are."""
        return f"HeldTokens({len(self._tokens)})"
