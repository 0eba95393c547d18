"""The documents of the catalogue as bytes, made once for each state of the node."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Final

from moothall.canonical import dumps
from moothall.capability.spec import JsonObject
from moothall.clock import Clock
from moothall.protocols.catalogue.documents import (
    CARD_LEAF,
    CARD_TYPE,
    CATALOGUE,
    CATALOGUE_TYPE,
    ListedAgent,
    McpServer,
    Operator,
    catalogue,
    server_card,
)
from moothall.protocols.headers import date_in

_TAG: Final = 32
"""Hexadecimal digits of an ETag."""


@dataclass(frozen=True, slots=True)
class Document:
    """JSON ready to send; ``etag`` is in quotes, ``changed`` in whole seconds."""

    body: bytes
    media_type: str
    etag: str
    changed: datetime

    @property
    def last_modified(self) -> str:
        """When it changed, as HTTP writes it."""
        return format_datetime(self.changed, usegmt=True)

    def not_newer_than(self, known: str) -> bool:
        """Whether a reader that has it as of a date, as HTTP writes it, has it still."""
        date = date_in(known)
        return date is not None and self.changed <= date


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the catalogue shows.

    Attributes:
        base: the address of the node, ``https://HOST[:PORT]``, without a slash at its end.
        operator: who answers for it, as it is now.
        agents: the agents that offer the network something and want to be listed, as they are now.
        server: the MCP server; None where the node opens none.
        clock: dates what changes.
        searched: whether the node can be searched (`SearchDoor`).
    """

    base: str
    operator: Callable[[], Operator]
    agents: Callable[[], Sequence[ListedAgent]]
    server: McpServer | None
    clock: Clock
    searched: bool = False


class Published:
    """The documents by their paths."""

    def __init__(self, shown: Shown) -> None:
        self._shown = shown
        self._card = "" if shown.server is None else f"{shown.server.path}{CARD_LEAF}"
        self._seen: tuple[Operator, tuple[ListedAgent, ...]] | None = None
        self._documents: Mapping[str, Document] = {}

    def has(self, path: str) -> bool:
        """Whether one of them is at a path."""
        return path == CATALOGUE or (bool(self._card) and path == self._card)

    def at(self, path: str) -> Document:
        """The document at a path that has one."""
        shown = self._shown
        seen = (shown.operator(), tuple(shown.agents()))
        if seen != self._seen:
            listed = catalogue(*seen, shown.server, shown.base, searched=shown.searched)
            made = {CATALOGUE: self._made(CATALOGUE, listed, CATALOGUE_TYPE)}
            if shown.server is not None:
                made[self._card] = self._made(self._card, server_card(shown.server, shown.base), CARD_TYPE)
            self._documents, self._seen = made, seen
        return self._documents[path]

    def _made(self, path: str, value: JsonObject, media_type: str) -> Document:
        """The document; the one before stays, with its date, where nothing in it has changed."""
        body = dumps(value)
        before = self._documents.get(path)
        if before is not None and before.body == body:
            return before
        etag = f'"{hashlib.sha256(body).hexdigest()[:_TAG]}"'
        return Document(body, media_type, etag, self._shown.clock.now().replace(microsecond=0))
