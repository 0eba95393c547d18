"""The ways in and out of a node: a connector and a door of each protocol, put together."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final, Protocol

from moothall.calls.ports import Connector, Gateway
from moothall.capability.life import Hook, run_all
from moothall.directory.finding.store import FindingStore
from moothall.hosting.frames import FramesRoom
from moothall.hosting.house import House
from moothall.identity.keystore import DEFAULT_AGENT
from moothall.identity.office import Place
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
from moothall.protocols.catalogue.search_door import SearchDoor
from moothall.protocols.house import HouseTerms, Scope
from moothall.protocols.http.client import HttpConnector
from moothall.protocols.mcp.remote.connector import McpConnector
from moothall.protocols.mcp.remote.servers import servers_of

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


class Edges:
    """The edges of one node.

    Args:
        house: what every room stands on.
        hosted: the agents as their documents show them.
        secret: seals what clients keep for us.
        holds: holds calls against the agreements that they quote.

    Attributes:
        tasks: what A2A clients asked for, and what became of it.
        frames: negotiation over frames.

    Raises:
        SettingsError: a table of the file about what may be called elsewhere does not fit.
    """

    def __init__(self, house: House, hosted: Hosted, secret: bytes, holds: Holds | None = None) -> None:
        self._house, self._hosted, self._secret, self._holds = house, hosted, secret, holds
        office, settings = house.office, house.settings
        own = _authorities(house.place)
        self._http = HttpConnector(office.session, own)
        self._anp = self._anp_room(house)
        self.frames = FramesRoom(office, house.place, self._anp.frames_places, house.clock)
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
                principals=house.principals,
                clock=house.clock,
                own=own,
                found=FindingStore(house.store).usable,
            )
        )
        self.tasks = TaskService(
            gateway=house.path,
            store=house.store,
            egress=office.egress,
            clock=house.clock,
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

    async def visit(self, did: str, agent: str) -> None:
        """Return where an agent elsewhere describes itself to this one now, whatever it said before.

        Raises:
            MoothallError: it does not; see `Acquaintances.of`.
        """
        await self._anp.others.of(did, agent, fresh=True)

    @property
    def mcp(self) -> McpRoom:
        """The MCP server; made when it is first asked for, since importing the SDK takes more than a second."""
        if self._mcp is None:
            self._mcp = self.mcp_room(MCP_NAME, self._house.path)
        return self._mcp

    def mcp_room(self, name: str, gateway: Callable[[], Gateway]) -> McpRoom:
        """A further MCP server of this node, which offers what its gateway shows; who asks for it closes it."""
        from moothall.protocols.mcp.serving import McpRoom  # noqa: PLC0415 - as `mcp`

        house = self._house
        return McpRoom(
            gateway=gateway,
            on_change=house.registry.on_change,
            on_update=house.registry.on_update,
            suspended=house.suspended,
            threads=house.registry.threads,
            secret=self._secret,
            name=name,
            version=version("moothall"),
            sessions=house.settings.mcp_sessions,
        )

    async def start(self) -> None:
        """Take up what an earlier life of this node left behind."""
        await self.tasks.start()

    def doors(self, visitors: Visitors) -> Sequence[Door]:
        """The ways in, beside the plain HTTP that the server opens itself; the first that claims a path has it."""
        house, gateway = self._house, self._house.path()
        settings, terms = house.settings, self.terms(visitors)
        shared = vars(terms) | {"open_documents": settings.public_descriptions}
        cards = Cards(gateway, self._hosted, house.place.url, house.clock, default=DEFAULT_AGENT)
        return (
            CatalogueDoor(gateway, self._published(), CatalogueTerms(**shared, origins=visitors.origins)),
            SearchDoor(gateway, house.place.url, terms),
            self.mcp.door(terms),
            A2aDoor(gateway, self.tasks, cards, A2aTerms(**shared)),
            self._anp.door(AnpTerms(**shared)),
        )

    def terms(self, visitors: Visitors) -> HouseTerms:
        """The terms of every door, for these visitors."""
        verifier = self._house.office.verifier
        return HouseTerms(
            max_body=self._house.settings.max_call_body,
            lang=visitors.lang,
            accepted=visitors.accepted,
            welcome=verifier.welcome,
            challenge=verifier.challenger.of,
        )

    def sockets(self) -> Sequence[Door]:
        """The ways in over WebSocket."""
        return self.frames.doors(self._house.path)

    async def rest(self) -> None:
        """End what is under way for others; while the call path still runs."""
        await run_all([*self._serving(), self.tasks.aclose])

    async def aclose(self) -> None:
        """Let go of what is open, all of it; the first failure is raised at the end."""
        await run_all([self._mcp_out.aclose, self._a2a_out.aclose, self._anp.aclose])

    def _anp_room(self, house: House) -> AnpRoom:
        office = house.office
        return AnpRoom(
            AnpGround(
                snapshot=lambda: house.registry.snapshot,
                hosted=self._hosted,
                base=house.place.url,
                gateway=house.path,
                principals=house.principals,
                sessions=office.session,
                egress=office.egress,
                resolver=office.resolver,
                clock=house.clock,
                frames=self._frames_at,
                holds=self._holds,
            )
        )

    def _frames_at(self, agent: str) -> str:
        """Where an agent is talked to over frames; asked when a document is written, when the room is there."""
        return self.frames.address(agent)

    def _serving(self) -> Sequence[Hook]:
        return () if self._mcp is None else (self._mcp.aclose,)

    def _published(self) -> Published:
        house = self._house
        server = McpServer(
            name=MCP_NAME,
            title="Moothall",
            description=_ABOUT,
            version=version("moothall"),
            protocol_versions=MCP_VERSIONS,
        )
        return Published(
            Shown(
                base=house.place.url,
                operator=self._operator,
                agents=self._listed,
                server=server,
                clock=house.clock,
                searched=True,
            )
        )

    def _operator(self) -> Operator:
        house = self._house
        return Operator(house.place.domain, house.principals(DEFAULT_AGENT).id)

    def _listed(self) -> Sequence[ListedAgent]:
        """The agents that want to be found and offer the network something."""
        newest = self._house.registry.snapshot.newest
        offering = {entry.agent for entry in newest if "net" in entry.spec.exposure and entry.state != "disabled"}
        hosted = sorted(self._hosted().values(), key=lambda agent: agent.name)
        return [
            ListedAgent(agent.name, agent.description) for agent in hosted if agent.listed and agent.name in offering
        ]


def _authorities(place: Place) -> frozenset[str]:
    """What a request to this node has as its host and port."""
    return frozenset(Origin.of(url).authority for url in (place.url, *place.others))
