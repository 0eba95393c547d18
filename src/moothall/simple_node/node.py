"""A node that does one thing: negotiate protocols with other such nodes over frames, and talk over them (spec A).

It is a whole `Node` behind the names of the specification: a real DID whose document is served, the guarded way out,
the sandbox and the gate.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from moothall.clock import Clock, SystemClock
from moothall.errors import Conflict, InternalError, InvalidInput, MoothallError, Told, UsageError
from moothall.hosting.frames import Spoken
from moothall.identity.keystore import DEFAULT_AGENT, Keystore
from moothall.identity.office import Place
from moothall.llm.base import BaseLLM
from moothall.negotiation.protocol.limits import Limits
from moothall.negotiation.protocol.meta import CapabilityCallback, MetaProtocol
from moothall.negotiation.protocol.meta_terms import Seal, Terms
from moothall.negotiation.protocol.needs import Need
from moothall.negotiation.protocol.provider_session import NewSession, provided
from moothall.negotiation.protocol.recalling import Recollection
from moothall.negotiation.protocol.requester_session import RequesterSession, negotiated
from moothall.negotiation.protocol.signed_talk import keys_in
from moothall.negotiation.protocol.wire.hello import MetaProtocolOffer, destination_hello, read_hello, source_hello
from moothall.negotiation.protocol.workshop import Codegen, Workshop
from moothall.node import Node
from moothall.protocols.frames.door import Visit
from moothall.protocols.frames.feeding import Talks
from moothall.protocols.frames.link import Link
from moothall.server.admission import is_loopback
from moothall.server.run import Address, bind, serve_on
from moothall.settings import Settings
from moothall.simple_node.did_info import DidInfo
from moothall.telemetry import logger

FOLDER: Final = "node"
"""Where the node's own files are, in the directory of the generated code."""

_EVERYWHERE: Final = "0.0.0.0"  # noqa: S104 - a node with a public name is there for others
_log = logger("simple_node")


class SimpleNegotiationNode:
    """A node of spec A.

    Args:
        host_domain: the name under which others find it; ``localhost`` for this machine alone.
        llm: judges and writes, and is closed with the node; None: the deterministic engine.
        host_port: where it listens; 0: at any free port, which its DID then names.
        host_ws_path: where it takes connections, such as ``/ws``.
        protocol_code_path: the directory of the generated code; the node's own files are in it, too.
        new_provider_session_callback: is given every session in which this side provides; None: it only asks.
        get_capability_info_callback: what this side can do for a requirement, its input and its output, in words.
        settings: of the node underneath, in place of those that follow from the arguments.
        limits: of negotiations.
        codegen: ``schema``: code is made from schemas alone, never by a model.
    """

    def __init__(  # noqa: PLR0913 - the specification's
        self,
        host_domain: str,
        llm: BaseLLM | None,
        host_port: str | int,
        host_ws_path: str,
        protocol_code_path: str | Path,
        new_provider_session_callback: NewSession | None = None,
        get_capability_info_callback: CapabilityCallback | None = None,
        *,
        settings: Settings | None = None,
        limits: Limits | None = None,
        codegen: Codegen = "auto",
        clock: Clock | None = None,
    ) -> None:
        self._root = Path(protocol_code_path)
        self._llm, self._path = llm, host_ws_path
        self._on_session, self._on_capability = new_provider_session_callback, get_capability_info_callback
        self._settings = settings or _settings(host_domain, int(host_port), self._root / FOLDER)
        self._limits, self._codegen, self._clock = limits or Limits(), codegen, clock or SystemClock()
        self._did_info: DidInfo | None = None
        self._listener: socket.socket | None = None
        self._node: Node | None = None
        self._serving: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()
        self._talks = Talks()

    async def __aenter__(self) -> Self:
        await self.run()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def did(self) -> str:
        """Its DID; empty before it has one."""
        return self._did_info.did if self._did_info else ""

    @property
    def url(self) -> str:
        """Where it is, once it runs."""
        return self._running().url

    @property
    def workshop(self) -> Workshop:
        """Where its code is made and run, once it runs."""
        return self._running().host.agreeing.workshop

    def generate_did_document(self) -> DidInfo:
        """Make a DID, a key and a document for this node, and use them.

        Raises:
            AddressInUse: any port would do, and there is none.
            InvalidInput: no DID can name the domain.
            UsageError: the node runs.
        """
        place = self._place()
        made = DidInfo.made(place.domain, f"{place.url}/agents/{DEFAULT_AGENT}/ad.json", self._clock)
        self.set_did_info(made.private_key, made.did, made.did_document)
        return made

    def set_did_info(self, private_key: str, did: str, did_document: str) -> None:
        """Use a DID, before the node runs.

        Raises:
            UsageError: it runs.
            InvalidInput: they do not belong together, or to another address than the node's.
        """
        if self._node is not None:
            raise UsageError("the node runs under another DID")
        info = DidInfo(private_key, did, did_document)
        own = info.identity().did.domain
        if self._settings.port and own != self._place().domain:
            told = Told("agreeing.did_elsewhere", {"domain": own})
            raise InvalidInput("the DID belongs to another address", told=told, details={"domain": own})
        self._did_info = info

    async def run(self) -> None:
        """Start; returns when connections are taken, and serves on in the background.

        Raises:
            AddressInUse: another program listens on the port.
            MoothallError: the node cannot start.
        """
        if self._node is not None:
            raise Conflict("the node runs already")
        info = self._did_info or self.generate_did_document()
        listener, self._listener = self._listening(), None
        try:
            self._node = await self._started(info, listener.getsockname()[1])
        except BaseException:
            listener.close()
            raise
        await self._serve(self._node, listener)

    async def stop(self) -> None:
        """End every session, connection and process; again and again does no harm."""
        node, self._node = self._node, None
        await self._talks.aclose()
        self._stop.set()
        serving, self._serving = self._serving, None
        if serving is not None:
            await asyncio.gather(serving, return_exceptions=True)
        if node is not None:
            await node.stop()
        if self._listener is not None:
            self._listener.close()

    async def connect_to_did_with_negotiation(
        self,
        did: str,
        requirement: str,
        input_description: str = "",
        output_description: str = "",
        *,
        need: Need | None = None,
        used_protocol_hash: str = "",
    ) -> RequesterSession:
        """Connect to another node and agree with it on a protocol.

        Args:
            did: whom to talk to; it has to prove that it is that one.
            requirement: what should be done.
            input_description: what can be given: words, or JSON Schema.
            output_description: what is wanted: words, or JSON Schema.
            need: all of it, where more is known.
            used_protocol_hash: ``sha256:…`` of a protocol that would do, whoever agreed on it, where this side has its
                code; empty: the one that answered this need with that side the last time. If the other side has its
                code, too, nothing is negotiated.

        Raises:
            NegotiationRejected: they do not agree; ``details`` say why.
            CallTimeout, SessionEnded, ProtocolViolation, CodeRefused, BudgetSpent: nothing came of it.
            Unauthenticated, PermissionDeniedError, UpstreamError, ServiceNotFoundError: it cannot be talked to.
        """
        node = self._running()
        wanted = need or Need(
            requirement=requirement, input_description=input_description, output_description=output_description
        )
        kept = Recollection(self._root, did)
        held = used_protocol_hash and await kept.text("requester", used_protocol_hash)
        used = used_protocol_hash if held else await kept.known(wanted)
        offer = MetaProtocolOffer(used_protocol_hash=used)
        connected = await node.host.edges.frames.connect(DEFAULT_AGENT, did, source_hello(self.did, did, offer))
        try:
            answer = read_hello(connected.hello.body).meta_protocol
        except MoothallError:
            await connected.link.close()
            raise
        meta = self._meta(connected.link, did, answer)
        talk = self._talks.begin(connected.link, meta)
        try:
            again = used if answer.selected_protocol == used else ""
            return await talk.during(negotiated(meta, requirement, need=wanted, used_protocol_hash=again))
        except BaseException:
            await talk.aclose()
            raise

    async def _introduce(self, _agent: str, peer: str, hello: Mapping[str, Any]) -> Mapping[str, Any]:
        """What this side says to a visitor: with the protocol to use again, if it has the code for that."""
        used = read_hello(hello).meta_protocol.used_protocol_hash
        again = used if used and await Recollection(self._root, peer).holds(used) else ""
        return destination_hello(self.did, peer, MetaProtocolOffer(selected_protocol=again))

    async def _receive(self, visit: Visit) -> None:
        """Provide to a visitor until either side leaves."""
        if self._on_session is None:
            return
        said = read_hello(visit.hello).meta_protocol
        again = read_hello(visit.answer).meta_protocol.selected_protocol
        meta = self._meta(visit.link, visit.peer, said)
        talk = self._talks.begin(visit.link, meta)
        try:
            await talk.during(provided(meta, self._on_session, used_protocol_hash=again))
            await talk.ended()
        except MoothallError as error:
            _log.warning("a negotiation with %s came to nothing: %s: %s", visit.peer, error.code, error.message)
        finally:
            await talk.aclose()

    def _meta(self, link: Link, peer: str, offer: MetaProtocolOffer) -> MetaProtocol:
        office = self._running().host.office
        identity = office.agent(DEFAULT_AGENT)
        terms = Terms(
            limits=self._limits,
            clock=self._clock,
            own=self.did,
            peer=peer,
            offer=offer,
            seal=Seal(identity.signer, keys_in(office.resolver)) if identity else None,
            codegen=self._codegen,
        )
        return MetaProtocol(link.send, self._on_capability, self._llm, self._root, workshop=self.workshop, terms=terms)

    async def _started(self, info: DidInfo, port: int) -> Node:
        settings = self._settings
        node = Node(settings, clock=self._clock, text_model=self._llm)
        node.listen_on(port, secure=bool(settings.tls_cert))
        info.install(Keystore.open(settings.data, self._clock))
        await node.start()
        spoken = Spoken(reception=self._receive, introduces=self._introduce, path=self._path)
        node.host.edges.frames.spoken = spoken if settings.enable_meta_frames else None
        return node

    async def _serve(self, node: Node, listener: socket.socket) -> None:
        """Return when connections are taken."""
        self._stop, ready = asyncio.Event(), asyncio.Event()

        def on_ready(_: Address) -> None:
            ready.set()

        serving = serve_on(listener, node.app(), host=self._settings.host, on_ready=on_ready, stop=self._stop)
        self._serving = asyncio.create_task(serving, name="simple-node")
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait({self._serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if self._serving.done():
            await self.stop()
            raise InternalError("the server does not start")

    def _listening(self) -> socket.socket:
        """The socket that it takes connections at."""
        if self._listener is None:
            self._listener = bind(self._settings.host, self._settings.port)
        return self._listener

    def _place(self) -> Place:
        """Where others find it; a port that is free is taken for that."""
        port = self._settings.port or self._listening().getsockname()[1]
        return Place.of(self._settings, port, secure=bool(self._settings.tls_cert))

    def _running(self) -> Node:
        if self._node is None:
            raise UsageError("the node does not run; call run() first")
        return self._node


def generate_did_info(node: SimpleNegotiationNode, json_filename: str | Path) -> None:
    """Give a node the DID in a file; one that is made and written there where there is none yet.

    Raises:
        StorageError: the file is damaged, or others could read it; it is left as it is.
        OSError: it cannot be written.
    """
    path = Path(json_filename)
    try:
        kept = DidInfo.read(path)
    except FileNotFoundError:
        node.generate_did_document().write(path)
        return
    node.set_did_info(kept.private_key, kept.did, kept.did_document)


def _settings(domain: str, port: int, data: Path) -> Settings:
    if is_loopback(domain):
        return Settings(
            data=data,
            host=domain,
            port=port,
            demo_agents=False,
            egress_allow="http://localhost",
            enable_meta_frames=True,
        )
    return Settings(
        data=data,
        host=_EVERYWHERE,
        port=port,
        demo_agents=False,
        public_url=f"https://{domain}",
        enable_meta_frames=True,
    )
