"""Which pages of other origins may use the API (row NEG-API-24). Pure.

Only listed origins get an answer that their browser shows them. There are no cookies, so no credentials are allowed
either: such a page sends a key or a token like every other client.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Self

from moothall.errors import OriginRefused, SettingsError
from moothall.settings import variable

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "DELETE")
REQUEST_HEADERS: Final = (
    "Authorization",
    "Content-Type",
    "Last-Event-ID",
    "X-Participant-Token",
    "X-Admin-Key",
    "Accept-Language",
)
EXPOSED: Final = ("Content-Language", "Retry-After", "WWW-Authenticate", "X-Request-Id")
"""Headers of an answer that a page may read beside the usual ones."""

MAX_AGE: Final = 600
"""Seconds that a browser may remember a pre-flight."""

_ORIGIN = re.compile(r"https?://(?:\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?", re.IGNORECASE)
Answer = list[tuple[bytes, bytes]]


class Cors:
    """The origins of a node's setting, lower case."""

    def __init__(self, origins: Iterable[str]) -> None:
        self.origins = frozenset(origins)

    @classmethod
    def of(cls, listed: str) -> Self:
        """Read a comma list of origins.

        Raises:
            SettingsError: one is no origin; ``*`` is none, since any page could then drive the node.
        """
        origins = [entry.strip().rstrip("/").lower() for entry in listed.split(",") if entry.strip()]
        for number, origin in enumerate(origins, start=1):
            if not _ORIGIN.fullmatch(origin):
                raise SettingsError(
                    "the setting cors_origins does not fit",
                    why=f"entry {number} is no origin",
                    hint=f"set {variable('cors_origins')} to a comma list such as https://app.example.org",
                    details={"setting": "cors_origins", "variable": variable("cors_origins")},
                )
        return cls(origins)

    def origin(self, headers: Mapping[str, Sequence[str]]) -> str | None:
        """The listed origin that a request comes from, as it is written there."""
        given = headers.get("origin", ())
        return given[0] if len(given) == 1 and given[0].lower() in self.origins else None

    def headers(self, origin: str | None) -> Answer:
        """What every answer bears; caches must not give one origin's answer to another."""
        if not self.origins:
            return []
        own = [(b"vary", b"Origin")]
        if origin is not None:
            own += [
                (b"access-control-allow-origin", origin.encode("latin-1")),
                (b"access-control-expose-headers", ", ".join(EXPOSED).encode()),
            ]
        return own

    def preflight(self, method: str, headers: Mapping[str, Sequence[str]]) -> Answer | None:
        """What a browser is told that asks before it sends; None when the request is no such question.

        Raises:
            OriginRefused: a page of an origin that is not listed asks.
        """
        if method != "OPTIONS" or "origin" not in headers or "access-control-request-method" not in headers:
            return None
        if self.origin(headers) is None:
            raise OriginRefused(
                f"Origin: {', '.join(headers['origin'])}", hint=f"list it in {variable('cors_origins')}"
            )
        return [
            (b"access-control-allow-methods", ", ".join(METHODS).encode()),
            (b"access-control-allow-headers", ", ".join(REQUEST_HEADERS).encode()),
            (b"access-control-max-age", str(MAX_AGE).encode()),
        ]
