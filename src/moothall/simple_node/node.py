"""A node that does one thing: negotiate protocols with other such nodes over frames, and talk over them (spec A).

It is a whole `Node` behind the names of the specification: a real DID whose document is served, the guarded way out,
the sandbox and the gate.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from moothall.clock import Clock, SystemClock
from moothall.errors import Conflict, InternalError, MoothallError, UsageError
from moothall.hosting.frames import Spoken
from moothall.identity.keystore import DEFAULT_AGENT, Keystore
from moothall.identity.office import Place
from moothall.llm.base import BaseLLM
from moothall.negotiation.protocol.limits import Limits
from moothall.negotiation.protocol.meta import CapabilityCallback, MetaProtocol
from moothall.negotiation.protocol.meta_terms import Terms
from moothall.negotiation.protocol.needs import Need
from moothall.negotiation.protocol.provider_session import NewSession, provided
from moothall.negotiation.protocol.recalling import Recollection
from moothall.negotiation.protocol.requester_session import RequesterSession, negotiated
from moothall.negotiation.protocol.wire.hello import MetaProtocolOffer, destination_hello, read_hello, source_hello
from moothall.negotiation.protocol.workshop import Codegen, Workshop
from moothall.node import Node
from moothall.protocols.frames.door import Visit
from moothall.protocols.frames.feeding import feed
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
        llm: judges and writes; None: the deterministic engine.
        host_port: where it listens.
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
        self._node: Node | None = None
        self._workshop: Workshop | None = None
        self._serving: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()
        self._talks: set[asyncio.Task[None]] = set()

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
        if self._workshop is None:
            raise InternalError("the node does not run")
        return self._workshop

    def generate_did_document(self) -> DidInfo:
        """Make a DID, a key and a document for this node, and use them."""
        place = Place.of(self._settings, self._settings.port, secure=bool(self._settings.tls_cert))
        made = DidInfo.made(place.domain, f"{place.url}/agents/{DEFAULT_AGENT}/ad.json", self._clock)
        self.set_did_info(made.private_key, made.did, made.did_document)
        return made

    def set_did_info(self, private_key: str, did: str, did_document: str) -> None:
        """Use a DID, before the node runs.

        Raises:
            UsageError: it runs.
            InvalidInput: they do not belong together.
        """
        if self._node is not None:
            raise UsageError("the node runs under another DID")
        info = DidInfo(private_key, did, did_document)
        info.identity()
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
        settings = self._settings
        listener = bind(settings.host, settings.port)
        try:
            node = Node(settings, clock=self._clock)
            node.listen_on(listener.getsockname()[1], secure=bool(settings.tls_cert))
            info.install(Keystore.open(settings.data, self._clock))
            await node.start()
        except BaseException:
            listener.close()
            raise
        self._node, self._workshop, self._stop = node, Workshop(), asyncio.Event()
        node.host.edges.frames.spoken = Spoken(reception=self._receive, introduces=self._introduce, path=self._path)
        ready = asyncio.Event()

        def on_ready(_: Address) -> None:
            ready.set()

        serving = serve_on(listener, node.app(), host=settings.host, on_ready=on_ready, stop=self._stop)
        self._serving = asyncio.create_task(serving, name="simple-node")
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait({self._serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if self._serving.done():
            await self.stop()

    async def stop(self) -> None:
        """End every session, connection and process; again and again does no harm."""
        node, self._node = self._node, None
        for task in self._talks:
            task.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)
        self._stop.set()
        serving, self._serving = self._serving, None
        if serving is not None:
            await asyncio.gather(serving, return_exceptions=True)
        workshop, self._workshop = self._workshop, None
        if workshop is not None:
            await workshop.aclose()
        if node is not None:
            await node.stop()

    async def connect_to_did_with_negotiation(
        self,
        did: str,
        requirement: str,
        input_description: str = "",
        output_description: str = "",
        *,
        need: Need | None = None,
    ) -> RequesterSession:
        """Connect to another node and agree with it on a protocol.

        Args:
            did: whom to talk to; it has to prove that it is that one.
            requirement: what should be done.
            input_description: what can be given: words, or JSON Schema.
            output_description: what is wanted: words, or JSON Schema.
            need: all of it, where more is known.

        Raises:
            NegotiationRejected: they do not agree; ``details`` say why.
            CallTimeout, SessionEnded, ProtocolViolation, CodeRefused, BudgetSpent: nothing came of it.
            Unauthenticated, PermissionDeniedError, UpstreamError, ServiceNotFoundError: it cannot be talked to.
        """
        node = self._running()
        wanted = need or Need(
            requirement=requirement, input_description=input_description, output_description=output_description
        )
        used = await Recollection(self._root, did).known(wanted)
        offer = MetaProtocolOffer(used_protocol_hash=used)
        talk = await node.host.edges.frames.connect(DEFAULT_AGENT, did, source_hello(self.did, did, offer))
        try:
            answer = read_hello(talk.hello.body).meta_protocol
        except MoothallError:
            await talk.link.close()
            raise
        meta = self._meta(talk.link, did, answer)
        self._keep(feed(talk.link, meta))
        try:
            again = used if answer.selected_protocol == used else ""
            return await negotiated(meta, requirement, need=wanted, used_protocol_hash=again)
        except BaseException:
            await meta.aclose()
            await talk.link.close()
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
        feeding = self._keep(feed(visit.link, meta))
        try:
            await provided(meta, self._on_session, used_protocol_hash=again)
            await asyncio.wait({feeding})
        except MoothallError as error:
            _log.info("a negotiation with %s came to nothing: %s: %s", visit.peer, error.code, error)
        finally:
            feeding.cancel()
            await asyncio.wait({feeding})

    def _meta(self, link: Link, peer: str, offer: MetaProtocolOffer) -> MetaProtocol:
        terms = Terms(
            limits=self._limits, clock=self._clock, own=self.did, peer=peer, offer=offer, codegen=self._codegen
        )
        return MetaProtocol(link.send, self._on_capability, self._llm, self._root, workshop=self._workshop, terms=terms)

    def _keep(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._talks.add(task)
        task.add_done_callback(self._talks.discard)
        return task

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
        return Settings(data=data, host=domain, port=port, demo_agents=False, egress_allow="http://localhost")
    return Settings(data=data, host=_EVERYWHERE, port=port, demo_agents=False, public_url=f"https://{domain}")
