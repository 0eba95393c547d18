"""The ways in and out of a node: a connector and a door of each protocol, put together."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final, Protocol

from moothall.calls.ports import Connector, Gateway
from moothall.capability.life import Hook, run_all
from moothall.capability.registry import Registry
from moothall.clock import Clock
from moothall.hosting.frames import FramesRoom
from moothall.identity.keystore import DEFAULT_AGENT
from moothall.identity.office import IdentityOffice, Place
from moothall.identity.principal import Principal
from moothall.identity.site import Origin
from moothall.messages import Lang
from moothall.protocols.a2a.cards import Cards
from moothall.protocols.a2a.door import A2aDoor
from moothall.protocols.a2a.remote.connector import A2aConnector
from moothall.protocols.a2a.remote.connector import Ground as A2aGround
from moothall.protocols.a2a.service import TaskService
from moothall.protocols.a2a.service import Terms as TaskTerms
from moothall.protocols.a2a.terms import Terms as A2aTerms
from moothall.protocols.anp.assembly import AnpRoom
from moothall.protocols.anp.assembly import Ground as AnpGround
from moothall.protocols.anp.crawler import Crawler
from moothall.protocols.anp.hosted import Hosted
from moothall.protocols.anp.negotiating import Holds
from moothall.protocols.anp.terms import Terms as AnpTerms
from moothall.protocols.catalogue.documents import ListedAgent, McpServer, Operator
from moothall.protocols.catalogue.door import CatalogueDoor
from moothall.protocols.catalogue.door import Terms as CatalogueTerms
from moothall.protocols.catalogue.published import Published, Shown
from moothall.protocols.house import HouseTerms, Scope
from moothall.protocols.http.client import HttpConnector
from moothall.protocols.mcp.remote.connector import McpConnector
from moothall.protocols.mcp.remote.servers import servers_of
from moothall.settings import Settings
from moothall.storage.store import Store

if TYPE_CHECKING:
    from moothall.protocols.mcp.serving import McpRoom

MCP_NAME: Final = "moothall"
MCP_VERSIONS: Final = ("2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")
"""The revisions of MCP that the SDK serves, the newest first; a test holds them against it."""

_ABOUT: Final = "Calls what the agents of this node offer: typed functions, resources and prompts"


class Door(Protocol):
    """A way in: an ASGI application for some paths."""

    def claims(self, path: str) -> bool:
        """Whether a path is this door's."""
        ...

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's own
        """Take a request."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitors:
    """How visitors are met.

    Attributes:
        lang: the language of those who ask for none.
        accepted: reads ``Accept-Language``.
        origins: of the pages of other sites that may read what is for everybody; lower case.
    """

    lang: Lang
    accepted: Callable[[str], Lang | None]
    origins: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeGround:
    """What the edges stand on.

    Attributes:
        hosted: the agents as their documents show them.
        gateway: the call path, which is made after the connectors.
        principals: who an agent of this node is as a caller, by its name.
        suspended: whether the policy refuses an identity by now.
        secret: seals what clients keep for us.
        holds: holds calls against the agreements that they quote.
    """

    settings: Settings
    clock: Clock
    store: Store
    place: Place
    office: IdentityOffice
    registry: Registry
    hosted: Hosted
    gateway: Callable[[], Gateway]
    principals: Callable[[str], Principal]
    suspended: Callable[[str], bool]
    secret: bytes
    holds: Holds | None = None


class Edges:
    """The edges of one node.

    Attributes:
        tasks: what A2A clients asked for, and what became of it.
        frames: negotiation over frames.

    Raises:
        SettingsError: a table of the file about what may be called elsewhere does not fit.
    """

    def __init__(self, ground: EdgeGround) -> None:
        self._ground = ground
        office, settings = ground.office, ground.settings
        own = _authorities(ground.place)
        self._http = HttpConnector(office.session, own)
        self._anp = self._anp_room(ground)
        self.frames = FramesRoom(office, ground.place, self._anp.frames_places, ground.clock)
        self._mcp_out = McpConnector(
            servers_of(settings.mcp), sessions=office.session, egress=office.egress, environ=os.environ
        )
        self._a2a_out = A2aConnector(
            A2aGround(
                aliases=settings.a2a,
                environ=os.environ,
                egress=office.egress,
                sessions=office.session,
                resolver=office.resolver,
                principals=ground.principals,
                clock=ground.clock,
                own=own,
            )
        )
        self.tasks = TaskService(
            gateway=ground.gateway,
            store=ground.store,
            egress=office.egress,
            clock=ground.clock,
            terms=TaskTerms(days=settings.task_days),
        )
        self._mcp: McpRoom | None = None

    @property
    def connectors(self) -> Sequence[Connector]:
        """The ways out."""
        return (self._http, self._anp.connector, self._mcp_out, self._a2a_out)

    @property
    def crawler(self) -> Crawler:
        """Finds the agents of other nodes by their domains."""
        return self._anp.crawler

    @property
    def mcp(self) -> McpRoom:
        """The MCP server; made when it is first asked for, since importing the SDK takes more than a second."""
        if self._mcp is None:
            from moothall.protocols.mcp.serving import McpRoom  # noqa: PLC0415

            ground = self._ground
            self._mcp = McpRoom(
                gateway=ground.gateway,
                on_change=ground.registry.on_change,
                on_update=ground.registry.on_update,
                suspended=ground.suspended,
                threads=ground.registry.threads,
                secret=ground.secret,
                name=MCP_NAME,
                version=version("moothall"),
                sessions=ground.settings.mcp_sessions,
            )
        return self._mcp

    async def start(self) -> None:
        """Take up what an earlier life of this node left behind."""
        await self.tasks.start()

    def doors(self, visitors: Visitors) -> Sequence[Door]:
        """The ways in, beside the plain HTTP that the server opens itself; the first that claims a path has it."""
        ground, gateway = self._ground, self._ground.gateway()
        settings, verifier = ground.settings, ground.office.verifier
        terms = HouseTerms(
            max_body=settings.max_call_body,
            lang=visitors.lang,
            accepted=visitors.accepted,
            welcome=verifier.welcome,
            challenge=verifier.challenger.of,
        )
        shared = vars(terms) | {"open_documents": settings.public_descriptions}
        cards = Cards(gateway, ground.hosted, ground.place.url, ground.clock, default=DEFAULT_AGENT)
        return (
            CatalogueDoor(gateway, self._published(), CatalogueTerms(**shared, origins=visitors.origins)),
            self.mcp.door(terms),
            A2aDoor(gateway, self.tasks, cards, A2aTerms(**shared)),
            self._anp.door(AnpTerms(**shared)),
        )

    def sockets(self) -> Sequence[Door]:
        """The ways in over WebSocket."""
        return self.frames.doors(self._ground.gateway)

    async def rest(self) -> None:
        """End what is under way for others; while the call path still runs."""
        await run_all([*self._serving(), self.tasks.aclose])

    async def aclose(self) -> None:
        """Let go of what is open, all of it; the first failure is raised at the end."""
        await run_all([self._mcp_out.aclose, self._a2a_out.aclose, self._anp.aclose])

    def _anp_room(self, ground: EdgeGround) -> AnpRoom:
        office = ground.office
        return AnpRoom(
            AnpGround(
                snapshot=lambda: ground.registry.snapshot,
                hosted=ground.hosted,
                base=ground.place.url,
                gateway=ground.gateway,
                principals=ground.principals,
                sessions=office.session,
                egress=office.egress,
                resolver=office.resolver,
                clock=ground.clock,
                frames=self._frames_at,
                holds=ground.holds,
            )
        )

    def _frames_at(self, agent: str) -> str:
        """Where an agent is talked to over frames; asked when a document is written, when the room is there."""
        return self.frames.address(agent)

    def _serving(self) -> Sequence[Hook]:
        return () if self._mcp is None else (self._mcp.aclose,)

    def _published(self) -> Published:
        ground = self._ground
        server = McpServer(
            name=MCP_NAME,
            title="Moothall",
            description=_ABOUT,
            version=version("moothall"),
            protocol_versions=MCP_VERSIONS,
        )
        return Published(
            Shown(
                base=ground.place.url,
                operator=self._operator,
                agents=self._listed,
                server=server,
                clock=ground.clock,
            )
        )

    def _operator(self) -> Operator:
        ground = self._ground
        return Operator(ground.place.domain, ground.principals(DEFAULT_AGENT).id)

    def _listed(self) -> Sequence[ListedAgent]:
        """The agents that want to be found and offer the network something."""
        newest = self._ground.registry.snapshot.newest
        offering = {entry.agent for entry in newest if "net" in entry.spec.exposure and entry.state != "disabled"}
        hosted = sorted(self._ground.hosted().values(), key=lambda agent: agent.name)
        return [
            ListedAgent(agent.name, agent.description) for agent in hosted if agent.listed and agent.name in offering
        ]


def _authorities(place: Place) -> frozenset[str]:
    """What a request to this node has as its host and port."""
    return frozenset(Origin.of(url).authority for url in (place.url, *place.others))
