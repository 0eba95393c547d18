"""Other agents: from a DID, or from the address of a description, to what they can do (rows WIRE-AD-03, 06, CAL-04)."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from moothall.capability.spec import JsonObject
from moothall.errors import MoothallError, ServiceNotFoundError, Told, UpstreamInvalid
from moothall.identity.description_proof import check_description
from moothall.identity.document import DidDocument
from moothall.protocols.anp.fetched import FetchedDocuments
from moothall.protocols.anp.remote import RemoteAgent, RemoteMethod, links, methods, text
from moothall.protocols.anp.sessions import Resolves
from moothall.telemetry import logger

_NAMED: Final = 20
"""Operations that an error lists."""

_log = logger("anp")


class Acquaintances:
    """Reads other agents' documents; what was fetched is kept by ``documents`` and ``resolver``."""

    def __init__(self, documents: FetchedDocuments, resolver: Resolves) -> None:
        self._documents = documents
        self._resolver = resolver

    async def of(self, did: str, reader: str, *, fresh: bool = False) -> RemoteAgent:
        """The agent with this DID; ``reader`` is the agent of this node that asks.

        Raises:
            InvalidInput: it is no DID that may be used.
            UpstreamError, UpstreamInvalid, CallTimeout, Overloaded: its documents cannot be had, or make no sense.
        """
        document = await self._resolver.resolve(did)
        if not document.description_url:
            raise UpstreamInvalid("no description is named", told=Told("anp.remote_no_description"))
        agent = await self._read(document.description_url, reader, document, fresh=fresh)
        if agent.did not in {"", did}:
            raise UpstreamInvalid("another agent's description", told=Told("anp.remote_other_did"))
        return agent

    async def at(self, url: str, reader: str, *, fresh: bool = False) -> RemoteAgent:
        """The agent whose description is at an address; raises as `of`."""
        return await self._read(url, reader, None, fresh=fresh)

    async def operation(self, did: str, name: str, reader: str) -> RemoteMethod:
        """One of an agent's methods.

        Raises:
            ServiceNotFoundError: it has none of this name; its interface was asked for anew before that.
            UpstreamInvalid: the proof on its description does not hold.
            MoothallError: as `of`.
        """
        agent = await self.of(did, reader)
        if name not in agent.methods:
            agent = await self.of(did, reader, fresh=True)
        if agent.proof == "invalid":
            raise UpstreamInvalid("the proof does not hold", told=Told("anp.remote_unsigned_for"))
        if name not in agent.methods:
            names = ", ".join(sorted(agent.methods)[:_NAMED])
            raise ServiceNotFoundError("no such operation", told=Told("anp.remote_no_operation", {"names": names}))
        return agent.methods[name]

    async def _read(self, url: str, reader: str, document: DidDocument | None, *, fresh: bool) -> RemoteAgent:
        answer = await self._documents.get(url, reader, fresh=fresh)
        description, did = answer.value, text(answer.value.get("did"))
        found: dict[str, RemoteMethod] = {}
        for link in links(description, answer.uri):
            content, place = link.content, link.url
            if content is None:
                linked = await self._documents.get(link.url, reader, fresh=fresh)
                content, place = linked.value, linked.uri
            found |= methods(content, place, human=link.human)
        if document is None:
            document = await self._document(did)
        return RemoteAgent(
            did,
            url,
            text(description.get("name")),
            text(description.get("description")),
            check_description(description, document, domains=_domains(answer.uri)),
            document is not None and document.did.text == did and document.description_url == url,
            found,
        )

    async def _document(self, did: str) -> DidDocument | None:
        """The document of a DID that a description names; None where there is none to be had."""
        try:
            return await self._resolver.resolve(did)
        except MoothallError as error:
            _log.info("the DID that a description names was not resolved: %s", error)
            return None


def _domains(uri: str) -> frozenset[str]:
    """The names of the place where a description was found."""
    place = urlsplit(uri)
    return frozenset({place.netloc, place.hostname or place.netloc})


def presented(description: JsonObject, interface: JsonObject, document: DidDocument) -> RemoteAgent:
    """An agent of this node as others see it."""
    url = text(description.get("url"))
    return RemoteAgent(
        document.did.text,
        url,
        text(description.get("name")),
        text(description.get("description")),
        check_description(description, document, domains=_domains(url)),
        document.description_url == url,
        methods(interface, url, human=False),
    )
