"""The room of one look around: documents through the guarded way out, counted, conditional where they were known.

Addresses were written by strangers: https and public places only (but for what the operator listed), redirects within
one origin, with look-ups of their own, so that those that hang take none from the node's calls.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from moothall.canonical import strict_json
from moothall.directory.finding.limits import LONGEST_URL, Limits
from moothall.directory.finding.places import host_of
from moothall.directory.finding.reading import Document, Tag
from moothall.errors import InvalidInput, PermissionDeniedError, Told, UpstreamError, UpstreamInvalid, ValidationError
from moothall.identity.egress import Egress, Fetched
from moothall.identity.limited_body import Caps

_ACCEPT: Final = "application/json, application/ld+json, application/ai-catalog+json, application/a2a+json"
_GONE: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
_REDIRECTS: Final = 3
_TOO_LONG: Final = "egress.long"
"""What the way out says of an answer with more bytes than it may have."""


class NoRoom(UpstreamInvalid):
    """The look around has asked for as much as it may."""


class Missing(UpstreamError):
    """There is no such document any more, as its server says."""


@dataclass(slots=True)
class Spent:
    """What a look around has used."""

    documents: int = 0
    bytes: int = 0


class Fetching:
    """Fetches what one place consists of.

    Args:
        egress: the way out.
        limits: what the whole look around may take.
        spent: what it has taken, shared by all its places.
        place: the place, and the one that led to it; empty: somebody of this node named it.
        known: tags of the documents as they were last time.

    Attributes:
        tags: of what was fetched.
    """

    def __init__(
        self, egress: Egress, limits: Limits, spent: Spent, place: tuple[str, str], known: Mapping[str, Tag]
    ) -> None:
        self._egress, self._limits, self._spent = egress, limits, spent
        self._place, self._parent = place
        self._known = known
        self._first: dict[str, Fetched] = {}
        self.tags: dict[str, Tag] = {}

    async def unchanged(self, url: str) -> bool:
        """Whether a place says that none of its documents has changed; what it answered instead is kept for `get`.

        Raises:
            MoothallError: as `get`.
        """
        if not self._known.get(url):
            return False
        for each, tag in self._known.items():
            answer = await self._ask(each, tag)
            if answer.status != HTTPStatus.NOT_MODIFIED:
                self._first[each] = answer
                return False
        return True

    async def get(self, url: str) -> Document:
        """A document; see `Room.get`."""
        answer = self._first.pop(url, None) or await self._ask(url, Tag())
        if answer.status in _GONE:
            raise Missing("there is no such document", told=Told("remote.status", {"status": answer.status}))
        if answer.status != HTTPStatus.OK:
            raise UpstreamError("there is no such document", told=Told("remote.status", {"status": answer.status}))
        try:
            value = await asyncio.to_thread(strict_json, answer.body)
        except ValidationError as error:
            raise UpstreamInvalid("the document is not JSON", told=Told("finding.json")) from error
        if not isinstance(value, dict):
            raise UpstreamInvalid("the document is not JSON", told=Told("finding.json"))
        self.tags[url] = Tag(answer.headers.get("etag", "")[:200], answer.headers.get("last-modified", "")[:50])
        return Document(url, answer.uri, value)

    async def _ask(self, url: str, tag: Tag) -> Fetched:
        if len(url) > LONGEST_URL:
            raise InvalidInput("an address that is too long", told=Told("egress.form", hint="egress.hint"))
        self._check_link(url, self._parent if url == self._place else self._place)
        limits, spent = self._limits, self._spent
        if spent.documents >= limits.documents:
            raise NoRoom("no more documents", told=Told("finding.documents", {"most": limits.documents}))
        room = min(limits.each, limits.bytes - spent.bytes)
        if room <= 0:
            raise _spent_bytes(limits)
        spent.documents += 1
        caps = Caps(
            most_bytes=room,
            head_seconds=limits.waiting,
            idle_seconds=limits.waiting,
            redirects=_REDIRECTS,
            same_origin=True,
            for_strangers=True,
        )
        try:
            answer = await self._egress.request("GET", url, headers=_headers(tag), seconds=limits.waiting, caps=caps)
        except UpstreamInvalid as error:
            if error.told is None or error.told.why != _TOO_LONG:
                raise
            spent.bytes += room  # as much may have come
            if room < limits.each:
                raise _spent_bytes(limits) from error
            raise
        spent.bytes += len(answer.body)
        return answer

    def _check_link(self, url: str, by: str) -> None:
        """Refuse a link to a host that is reached by the operator's leave alone: strangers do not point at it.

        Raises:
            InvalidInput: nothing may be sent there at all.
            PermissionDeniedError: it leads there from somewhere else.
        """
        origin = self._egress.destination(url).origin
        private = self._egress.allowed.may_be_private(origin.host, origin.port)
        if by and private and host_of(by) != host_of(url):
            raise PermissionDeniedError("a link to a host of the operator's own", told=Told("finding.private"))


def _spent_bytes(limits: Limits) -> NoRoom:
    return NoRoom("no more bytes", told=Told("finding.bytes", {"most": limits.bytes}))


def _headers(tag: Tag) -> dict[str, str]:
    headers = {"accept": _ACCEPT}
    if tag.etag:
        headers["if-none-match"] = tag.etag
    elif tag.modified:
        headers["if-modified-since"] = tag.modified
    return headers
