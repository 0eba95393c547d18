"""Other agents: from a DID, or from the address of a description, to what they can do (rows WIRE-AD-03, 06, CAL-04).

Documents are asked for without a signature, but for those at origins that the DID in question answers for: its domain,
and the place of the description, where DID document and description name each other. Whoever names another place
must vouch for it, and gets no signature of ours there either way.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from moothall.capability.spec import JsonObject
from moothall.errors import MoothallError, ServiceNotFoundError, Told, UpstreamInvalid
from moothall.identity.description_proof import Verdict, check_description
from moothall.identity.destination import Origin
from moothall.identity.document import DidDocument
from moothall.negotiation.protocol.offers import AGREED_NAMES
from moothall.protocols.anp.fetched import Answered, Documents
from moothall.protocols.anp.meta_interface import negotiation_url
from moothall.protocols.anp.negotiating import HOUSE_METHODS
from moothall.protocols.anp.reach import home_of, origin_of
from moothall.protocols.anp.remote import RemoteAgent, RemoteMethod, links, methods, text
from moothall.protocols.anp.sessions import Resolves
from moothall.telemetry import logger

_NAMED: Final = 20
"""Operations that an error lists."""

_NOWHERE: Final[frozenset[Origin]] = frozenset()
_log = logger("anp")


class Acquaintances:
    """Reads other agents' documents; what was fetched is kept by ``documents`` and ``resolver``.

    Nothing is ever signed for ``base``, the address of this very node.
    """

    def __init__(self, documents: Documents, resolver: Resolves, base: str = "") -> None:
        self._documents = documents
        self._resolver = resolver
        self._own = origin_of(base)

    async def of(self, did: str, reader: str, *, fresh: bool = False, signed: bool = False) -> RemoteAgent:
        """The agent with this DID; ``reader`` is the agent of this node that asks, which it says where ``signed``.

        Raises:
            InvalidInput: it is no DID that may be used.
            UpstreamError, UpstreamInvalid, CallTimeout, Overloaded: its documents cannot be had, or make no sense.
        """
        document = await self._resolver.resolve(did)
        url = document.description_url
        if not url:
            raise UpstreamInvalid("no description is named", told=Told("anp.remote_no_description"))
        asking = reader if origin_of(url) in self._home(document) else ""
        answer = await self._documents.get(url, asking, fresh=fresh, signed=signed)
        if text(answer.value.get("did")) not in {"", did}:
            raise UpstreamInvalid("another agent's description", told=Told("anp.remote_other_did"))
        return await self._read(answer, url, reader, document, fresh=fresh, signed=signed)

    async def at(self, url: str, reader: str, *, fresh: bool = False) -> RemoteAgent:
        """The agent whose description is at an address, which must be readable for everybody; raises as `of`."""
        answer = await self._documents.get(url, "", fresh=fresh)
        document = await self._document(text(answer.value.get("did")))
        return await self._read(answer, url, reader, document, fresh=fresh)

    async def operation(self, did: str, name: str, reader: str) -> RemoteMethod:
        """One of an agent's methods, called where the agent itself answers.

        Raises:
            ServiceNotFoundError: it has none of this name, and nothing says where it would be called; its interface
                was asked for anew before that, and then again by the reader itself.
            UpstreamInvalid: the proof on its description does not hold, or calls are to go to somebody else.
            MoothallError: as `of`.
        """
        agent = await self.of(did, reader)
        if name not in agent.methods and _unlisted(name) and (negotiating := _negotiating(agent, name)) is not None:
            return negotiating
        if name not in agent.methods:
            agent = await self.of(did, reader, fresh=True)
        if name not in agent.methods:
            agent = await self.of(did, reader, fresh=True, signed=True)
        if agent.proof == "invalid":
            raise UpstreamInvalid("the proof does not hold", told=Told("anp.remote_unsigned_for"))
        method = agent.methods.get(name) or _not_shown(agent, name)
        if method is None:
            names = ", ".join(sorted(agent.methods)[:_NAMED])
            raise ServiceNotFoundError("no such operation", told=Told("anp.remote_no_operation", {"names": names}))
        if origin_of(method.url) not in agent.answers_at:
            raise UpstreamInvalid("the calls go to another origin", told=Told("anp.remote_route"))
        return method

    async def _read(
        self,
        answer: Answered,
        url: str,
        reader: str,
        document: DidDocument | None,
        *,
        fresh: bool,
        signed: bool = False,
    ) -> RemoteAgent:
        description, did = answer.value, text(answer.value.get("did"))
        proof = check_description(description, document, domains=_domains(answer.uri))
        confirmed = document is not None and document.description_url == url
        known = _NOWHERE if document is None or not confirmed else self._answers_at(document, did, url, proof)
        near = known | {origin_of(answer.uri)}
        found: dict[str, RemoteMethod] = {}
        for link in links(description, answer.uri):
            content, place = link.content, link.url
            if content is None:
                _check_near(link.url, near, proof)
                asking = reader if origin_of(link.url) in known else ""
                linked = await self._documents.get(link.url, asking, fresh=fresh, signed=signed)
                content, place = linked.value, linked.uri
            found |= methods(content, place, human=link.human)
        for method in found.values():
            _check_near(method.url, near, proof)
        return RemoteAgent(
            did,
            url,
            text(description.get("name")),
            text(description.get("description")),
            proof,
            confirmed and document is not None and document.did.text == did,
            found,
            negotiation_url(description, answer.uri),
            known,
        )

    def _home(self, document: DidDocument) -> frozenset[Origin]:
        return frozenset(origin for origin in home_of(document.did) if origin != self._own)

    def _answers_at(self, document: DidDocument, did: str, url: str, proof: Verdict) -> frozenset[Origin]:
        """The origins at which an agent may learn who asks: its domain's, and that of a description that names it."""
        home, place = self._home(document), origin_of(url)
        mutual = document.did.text == did and proof != "invalid"
        return home | {place} if mutual and place is not None and place != self._own else home

    async def _document(self, did: str) -> DidDocument | None:
        """The document of a DID that a description names; None where there is none to be had."""
        try:
            return await self._resolver.resolve(did)
        except MoothallError as error:
            _log.info("the DID that a description names was not resolved: %s", error)
            return None


def _unlisted(name: str) -> bool:
    """Whether a method is known without any interface that lists it: those of ``anp.*`` and agreed protocols."""
    return name in HOUSE_METHODS or name.startswith(AGREED_NAMES)


def _negotiating(agent: RemoteAgent, name: str) -> RemoteMethod | None:
    """An unlisted method where the description says that the agent negotiates; None: it does not say so.

    Raises:
        UpstreamInvalid: the proof on the description does not hold, or that is somebody else's place.
    """
    if not agent.negotiates_at:
        return None
    if agent.proof == "invalid":
        raise UpstreamInvalid("the proof does not hold", told=Told("anp.remote_unsigned_for"))
    if origin_of(agent.negotiates_at) not in agent.answers_at:
        raise UpstreamInvalid("the calls go to another origin", told=Told("anp.remote_route"))
    return RemoteMethod(name, agent.negotiates_at, (), by_position=False, human=False, raw={}, schemas={})


def _check_near(url: str, near: frozenset[Origin | None], proof: Verdict) -> None:
    """Refuse an address elsewhere that nobody vouches for.

    Raises:
        UpstreamInvalid: a description without a proof that holds names it.
    """
    if proof != "signed" and origin_of(url) not in near:
        raise UpstreamInvalid("a description without proof names another origin", told=Told("anp.remote_elsewhere"))


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


def _not_shown(agent: RemoteAgent, name: str) -> RemoteMethod | None:
    """A method that the interface does not show to this reader, where all others are called; None: there are none.

    Who may not call something is not shown it: only the agent itself can say which of both it is, and why.
    """
    places = {method.url for method in agent.methods.values()}
    if len(places) != 1:
        return None
    return RemoteMethod(name, places.pop(), (), by_position=False, human=False, raw={}, schemas={})
