"""Where an agent elsewhere is talked to over frames: its description says so, and only near its own address counts."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from moothall.errors import ServiceNotFoundError, Told, UpstreamInvalid
from moothall.protocols.anp.fetched import FetchedDocuments
from moothall.protocols.anp.meta_interface import FRAMES_PROFILE
from moothall.protocols.anp.reach import home_of, origin_of
from moothall.protocols.anp.remote import text
from moothall.protocols.anp.sessions import Resolves

_SPOKEN: Final = {"ws": "http", "wss": "https"}
_MOST_INTERFACES: Final = 50


class FramesPlaces:
    """Finds the addresses; raises as the methods of `Acquaintances`."""

    def __init__(self, documents: FetchedDocuments, resolver: Resolves) -> None:
        self._documents, self._resolver = documents, resolver

    async def find(self, did: str, reader: str) -> str:
        """The address (``ws`` or ``wss``) for a DID; ``reader`` is the agent of this node that asks.

        Raises:
            ServiceNotFoundError: the agent does not negotiate over frames.
            UpstreamInvalid: its description sends us to somebody else.
            InvalidInput, UpstreamError, CallTimeout, Overloaded: its documents cannot be had.
        """
        document = await self._resolver.resolve(did)
        url = document.description_url
        if not url:
            raise UpstreamInvalid("no description is named", told=Told("anp.remote_no_description"))
        home = home_of(document.did)
        asking = reader if origin_of(url) in home else ""
        answer = await self._documents.get(url, asking)
        if text(answer.value.get("did")) not in {"", did}:
            raise UpstreamInvalid("another agent's description", told=Told("anp.remote_other_did"))
        found = _frames_url(answer.value.get("interfaces"))
        if not found:
            raise ServiceNotFoundError("it does not negotiate over frames", told=Told("agreeing.no_frames"))
        parts = urlsplit(found)
        plain = urlunsplit(parts._replace(scheme=_SPOKEN[parts.scheme]))
        if origin_of(plain) not in {*home, origin_of(url)}:
            raise UpstreamInvalid("the connection goes to another origin", told=Told("anp.remote_route"))
        return found


def _frames_url(interfaces: Any) -> str:  # noqa: ANN401 - JSON of any shape
    listed = interfaces if isinstance(interfaces, list) else []
    for each in listed[:_MOST_INTERFACES]:
        if isinstance(each, dict) and each.get("profile") == FRAMES_PROFILE:
            url = text(each.get("url"))
            if urlsplit(url).scheme in _SPOKEN:
                return url
    return ""
