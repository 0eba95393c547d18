"""Whole nodes on loopback, as small as they can be: identity, call path and the ANP room, served by a real HTTP server."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn

from moothall.calls.path import CallPath
from moothall.calls.ports import CallFacts
from moothall.calls.reply import Reply
from moothall.calls.request_ids import fresh
from moothall.calls.target import Target
from moothall.calls.terms import Terms as CallTerms
from moothall.capability.registry import Registry
from moothall.clock import SystemClock
from moothall.identity.agent import AgentIdentity, new_identity
from moothall.identity.allowed import Allowed
from moothall.identity.apikeys import ApiKeys
from moothall.identity.assembly import Ground as GateGround
from moothall.identity.assembly import assemble
from moothall.identity.document import DidDocument
from moothall.identity.egress import Egress
from moothall.identity.principal import OWNER, Principal
from moothall.identity.resolver import Resolver
from moothall.identity.session import SignedSession
from moothall.identity.site import Site
from moothall.identity.standing import Standings
from moothall.identity.verifier import Verifier
from moothall.policy.engine import PolicyEngine
from moothall.protocols.anp.assembly import AnpRoom, Ground
from moothall.protocols.anp.hosted import HostedAgent, Owner
from moothall.protocols.anp.negotiating import Holds
from moothall.protocols.anp.terms import Terms
from moothall.protocols.house import REQUEST_ID, STREAMS
from moothall.server.language import accepted
from moothall.settings import Settings
from moothall.storage.store import Store
from tests.protocols.anp.desk import OpenStreams
from tests.protocols.anp.hall import WHEN

Wrap = Callable[[Any], Any]
"""Puts something around a node's application, to look at requests or to answer them."""


@dataclass(frozen=True)
class Tls:
    """Files of a server's certificate, and the authority that others must trust."""

    chain: Path
    key: Path
    authority: Path


@dataclass
class House:
    """A node that is served."""

    base: str
    room: AnpRoom
    path: CallPath
    registry: Registry
    agents: dict[str, HostedAgent]
    egress: Egress
    resolver: Resolver
    store: Store
    verifier: Verifier
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Requests that arrived: method and path with query."""

    def did(self, agent: str = "alice") -> str:
        return self.agents[agent].did

    async def reply(self, target: str, params: Any = None, agent: str = "", **facts: Any) -> Reply[Any]:
        """Call as the owner in this process."""
        made = CallFacts(
            door="local", principal=OWNER, request_id=fresh(), agent=agent or next(iter(self.agents)), **facts
        )
        return await self.path.call(Target.parse(target), params or {}, made)

    async def call(self, target: str, params: Any = None, **facts: Any) -> Any:
        reply = await self.reply(target, params, **facts)
        if reply.error is not None:
            raise reply.error
        return reply.data


async def loopback(_host: str, _port: int) -> Sequence[str]:
    return ("127.0.0.1",)


@asynccontextmanager
async def house(
    data: Path,
    agents: Mapping[str, Sequence[Callable[..., Any]]] | Registry,
    *,
    names: Sequence[str] = (),
    tls: Tls | None = None,
    wrap: Wrap = lambda app: app,
    hidden: Sequence[str] = (),
    legacy: bool = False,
    open_documents: bool = True,
    identities: Callable[[str, str], AgentIdentity] | None = None,
    holds: Holds | None = None,
) -> AsyncIterator[House]:
    """A node with these agents, for the time of the block."""
    from tests.protocols.anp import hall

    registry = (
        agents if isinstance(agents, Registry) else hall.registry({name: tuple(each) for name, each in agents.items()})
    )
    with socket.create_server(("127.0.0.1", 0)) as listening:
        base = f"{'https' if tls else 'http'}://localhost:{listening.getsockname()[1]}"
        made = {name: (identities or identity_at)(name, base) for name in (names or registry.snapshot.agents)}
        hosted = {
            name: HostedAgent(
                name=name,
                identity=each,
                description=f"The agent {name}",
                created=WHEN,
                owner=Owner("The moot hall"),
                listed=name not in hidden,
            )
            for name, each in made.items()
        }
        async with _opened(data, registry, hosted, base, tls, legacy, open_documents, holds) as (found, terms):
            app = wrap(_App(found, found.room.door(terms)))
            async with serving(app, listening, tls):
                yield found


def identity_at(agent: str, base: str, *path: str) -> AgentIdentity:
    """A new identity of an agent at a node; with the path that its DID has in place of the usual one."""
    url = f"{base}/agents/{agent}/ad.json"
    domain = base.partition("://")[2]
    return new_identity(agent, domain, path or ("agents", agent), created=WHEN, description_url=url).identity


@asynccontextmanager
async def _opened(
    data: Path,
    registry: Registry,
    hosted: dict[str, HostedAgent],
    base: str,
    tls: Tls | None,
    legacy: bool,
    open_documents: bool,
    holds: Holds | None,
) -> AsyncIterator[tuple[House, Terms]]:
    clock = SystemClock()
    allowed = Allowed.parsed("localhost" if tls else "http://localhost")
    egress = Egress(allowed, ca=tls.authority if tls else None, lookup=loopback)
    documents: dict[str, DidDocument] = {each.did: each.identity.document for each in hosted.values()}
    resolver = Resolver(egress, documents.get, clock, allow_legacy=legacy)
    store = await Store.open(data)
    gatehouse = await assemble(
        GateGround(
            store=store,
            data=data,
            clock=clock,
            site=Site(base),
            resolve=resolver.resolve,
            standing=Standings(own=documents.__contains__),
            keys=ApiKeys.of(Settings(data=data), ""),
        )
    )

    def principal(agent: str) -> Principal:
        return Principal(id=hosted[agent].did, kind="did", binding="request", owner=True)

    sessions = {name: SignedSession(egress, each.identity, clock) for name, each in hosted.items()}
    paths: list[CallPath] = []
    room = AnpRoom(
        Ground(
            snapshot=lambda: registry.snapshot,
            hosted=lambda: hosted,
            base=base,
            gateway=lambda: paths[0],
            principals=principal,
            sessions=sessions.get,
            egress=egress,
            resolver=resolver,
            clock=clock,
            holds=holds,
        )
    )
    terms = CallTerms(agents=principal)
    paths.append(
        CallPath(
            registry,
            PolicyEngine.usual(),
            verifier=gatehouse.verifier,
            connectors=[room.connector],
            store=store,
            terms=terms,
        )
    )
    found = House(base, room, paths[0], registry, hosted, egress, resolver, store, gatehouse.verifier)
    try:
        yield found, _door_terms(gatehouse.verifier, open_documents)
    finally:
        await room.aclose()
        await resolver.aclose()
        await egress.aclose()
        await gatehouse.close()
        await store.close()


def _door_terms(verifier: Any, open_documents: bool) -> Terms:
    return Terms(
        max_body=4 * 1024 * 1024,
        lang="en",
        accepted=accepted,
        welcome=verifier.welcome,
        challenge=verifier.challenger.of,
        open_documents=open_documents,
    )


class _App:
    """The boundary around the door, as far as the door needs it."""

    def __init__(self, of: House, door: Any) -> None:
        self._house, self._door, self._streams = of, door, OpenStreams()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        query = scope["query_string"].decode()
        self._house.asked.append((scope["method"], scope["path"] + (f"?{query}" if query else "")))
        scope[REQUEST_ID], scope[STREAMS] = fresh(), self._streams
        if self._door.claims(scope["path"]):
            await self._door(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})


class _Server(uvicorn.Server):
    """Without signal handlers; says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving(app: Any, listening: socket.socket, tls: Tls | None = None) -> AsyncIterator[None]:
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=1,
        ssl_certfile=tls.chain if tls else None,
        ssl_keyfile=tls.key if tls else None,
    )
    server = _Server(config)
    running = asyncio.ensure_future(server.serve([listening]))
    try:
        await server.ready.wait()
        yield
    finally:
        server.should_exit = True
        await running
