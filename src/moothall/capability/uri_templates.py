"""URI templates of level 1 (RFC 6570 §1.2): ``{name}`` stands for one piece of a URI. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, unquote

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_LITERAL: Final = re.compile(r"(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*")
_VARIABLE: Final = re.compile(r"\{([^{}]*)\}")
_PIECE: Final = re.compile(r"(?:[A-Za-z0-9._~-]|%[0-9A-Fa-f]{2})+")


@dataclass(frozen=True, slots=True)
class UriTemplate:
    """A template that was read.

    Attributes:
        text: as it was written.
        variables: the names in it, in their order; none: it is a URI.
    """

    text: str
    variables: tuple[str, ...]
    _literals: tuple[str, ...] = field(repr=False)

    def match(self, uri: str) -> dict[str, str] | None:
        """What the variables are in a URI, decoded; None where the URI is none of this template.

        Each variable is as short as what follows it allows, so that a URI is read in one go, whatever it is.
        A decoded value may hold any character, ``/`` too: never make a file name of it without a check.
        """
        pieces = self._pieces(uri)
        if pieces is None or not all(_PIECE.fullmatch(piece) for piece in pieces):
            return None
        try:
            values = [unquote(piece, errors="strict") for piece in pieces]
        except UnicodeDecodeError:
            return None
        return dict(zip(self.variables, values, strict=True))

    def expand(self, values: dict[str, str]) -> str:
        """The URI in which the variables have these values."""
        return _VARIABLE.sub(lambda found: quote(values[found[1]], safe="~"), self.text)

    def _pieces(self, uri: str) -> list[str] | None:
        """What stands between the literals; None where they do not stand in the URI in their order."""
        if not self.variables:
            return [] if uri == self.text else None
        first, *between, last = self._literals
        end = len(uri) - len(last)
        if not (uri.startswith(first) and uri.endswith(last)):
            return None
        pieces, start = [], len(first)
        for literal in between:
            place = _place(uri, literal, start + 1, end)
            if place < 0:
                return None
            pieces.append(uri[start:place])
            start = place + len(literal)
        return [*pieces, uri[start:end]]


def _place(uri: str, literal: str, start: int, end: int) -> int:
    """Where a literal stands first, not within an escape such as ``%2D``; negative: nowhere."""
    place = uri.find(literal, start, end)
    while place >= 0 and "%" in uri[max(place - 2, start - 1) : place]:
        place = uri.find(literal, place + 1, end)
    return place


def read_template(text: str) -> UriTemplate:
    """Read a template.

    Raises:
        ValueError: it is no absolute URI with variables like ``{name}``, names one twice, or sets two side by side.
    """
    if not _SCHEME.match(text):
        raise ValueError("must begin with a scheme, such as 'notes://today'")
    variables = tuple(_VARIABLE.findall(text))
    literals = tuple(_VARIABLE.split(text)[::2])
    if not all(_LITERAL.fullmatch(literal) for literal in literals):
        raise ValueError("must consist of the characters of a URI and of variables such as {name}")
    if not all(name.isidentifier() for name in variables):
        raise ValueError("must have plain variables such as {name}; level 1 of RFC 6570 knows no others")
    if len(set(variables)) < len(variables):
        raise ValueError("must name each variable once")
    if not all(literals[1:-1]):
        raise ValueError("must have something between two variables")
    return UriTemplate(text, variables, literals)
