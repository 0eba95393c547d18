"""What ANP tells of agents: a domain's list, page by page, and each agent's description with its interfaces.

An agent counts under its DID only, and only where its DID document names the very description: so nobody can list what
is another's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from moothall.calls.target import Target
from moothall.capability.spec import JsonObject
from moothall.directory.finding.reading import Document, Reading, Room, joined
from moothall.directory.listing import Listing, Standing
from moothall.errors import InvalidInput, Told, UpstreamInvalid
from moothall.protocols.anp.acquaintances import Acquaintances
from moothall.protocols.anp.addresses import DISCOVERY
from moothall.protocols.anp.fetched import Answered
from moothall.protocols.anp.negotiating import HOUSE_METHODS
from moothall.protocols.anp.reach import origin_of
from moothall.protocols.anp.remote import RemoteAgent, RemoteMethod, text
from moothall.protocols.anp.remote import Room as SchemaRoom
from moothall.protocols.anp.sessions import Resolves

_MOST_PAGES: Final = 100
_MOST_AGENTS: Final = 10_000


class AnpLists:
    """Reads the lists of domains."""

    kind: Final = "anp.list"
    well_known: Final[tuple[str, ...]] = (DISCOVERY,)

    def claims(self, url: str) -> bool:
        """None: such lists are documents."""
        del url
        return False

    def knows(self, value: JsonObject) -> bool:
        """Whether it is a page of such a list."""
        return value.get("@type") == "CollectionPage"

    async def read(self, document: Document, room: Room) -> Reading:
        """The agents of a list, all its pages; raises as `Discoverer.read`."""
        page, found, visited = document, dict[str, None](), {document.url}
        for _ in range(_MOST_PAGES):
            found |= dict.fromkeys(_items(page))
            following = text(page.value.get("next"))
            url = joined(page.uri, following) if following else ""
            if not url or url in visited or urlsplit(url)[:2] != urlsplit(page.uri)[:2] or len(found) >= _MOST_AGENTS:
                break
            visited.add(url)
            page = await room.get(url)
        return Reading(self.kind, links=tuple(found)[:_MOST_AGENTS])


class AnpDescriptions:
    """Reads the descriptions of agents.

    Args:
        resolver: finds the documents of the DIDs that they name.
        own: whether a DID is of this node, which knows its agents better.
    """

    kind: Final = "anp"
    well_known: Final[tuple[str, ...]] = ()

    def __init__(self, resolver: Resolves, own: Callable[[str], bool]) -> None:
        self._resolver = resolver
        self._own = own

    def claims(self, url: str) -> bool:
        """None: descriptions are documents."""
        del url
        return False

    def knows(self, value: JsonObject) -> bool:
        """Whether it is a description."""
        return value.get("type") == "AgentDescription"

    async def read(self, document: Document, room: Room) -> Reading:
        """The agent and what it can do; raises as `Discoverer.read`."""
        agent = await Acquaintances(_Documents(document, room), self._resolver).at(document.url, "")
        if not agent.did or not agent.confirmed:
            raise UpstreamInvalid("nobody vouches for it", told=Told("finding.unconfirmed"))
        if agent.proof == "invalid":
            raise UpstreamInvalid("the proof does not hold", told=Told("anp.remote_unsigned_for"))
        if self._own(agent.did):
            return Reading(self.kind)
        return Reading(self.kind, tuple(_listings(agent, text(_owner(document.value).get("name")))))


class _Documents:
    """The documents of one agent: the description that is there already, and those that it names."""

    def __init__(self, first: Document, room: Room) -> None:
        self._first = first
        self._room = room

    async def get(self, url: str, agent: str, *, fresh: bool = False, signed: bool = False) -> Answered:
        """A document, as everybody is shown it."""
        del agent, fresh, signed
        if url == self._first.url:
            return self._first
        try:
            return await self._room.get(url)
        except InvalidInput as error:  # an interface at an address that may not be called
            raise UpstreamInvalid("an address that may not be called", told=error.told) from error


def _items(page: Document) -> Iterable[str]:
    items: Any = page.value.get("items", [])
    for each in items if isinstance(items, list) else []:
        where = text(each.get("@id")) if isinstance(each, dict) else ""
        if where and (url := joined(page.uri, where)):
            yield url


def _listings(agent: RemoteAgent, owner: str) -> Iterable[Listing]:
    name = agent.name.replace(".", "-") or agent.did.rpartition(":")[2]
    yield Listing(
        target=agent.did,
        kind="agent",
        way="anp",
        name=name,
        description=agent.description,
        agent=agent.did,
        owner=owner,
        public=True,
    )
    schemas = SchemaRoom()
    for method in agent.methods.values():
        if method.name not in HOUSE_METHODS:
            yield _capability(agent, name, owner, method, schemas)


def _capability(agent: RemoteAgent, name: str, owner: str, method: RemoteMethod, schemas: SchemaRoom) -> Listing:
    described, raw = method.described(schemas), method.raw
    elsewhere = not _answers(agent, method)
    standing: Standing = "refused" if elsewhere else "listed"
    says = _object(raw.get("x-annotations"))
    return Listing(
        target=str(Target("did", agent.did, method.name)),
        way="anp",
        name=f"{name}.{method.name}",
        description=described["description"],
        tags=tuple(_tags(raw.get("tags"))),
        agent=agent.did,
        owner=owner,
        version=text(raw.get("x-version")),
        input_schema=described["input_schema"],
        output_schema=described["output_schema"],
        read_only=says.get("readOnlyHint") is True,
        idempotent=says.get("idempotentHint") is True,
        destructive=says.get("destructiveHint") is True,
        streams=raw.get("x-stream") is True,
        public=True,
        standing=standing,
        why="anp.remote_route" if elsewhere else "",
    )


def _answers(agent: RemoteAgent, method: RemoteMethod) -> bool:
    """Whether calls of a method go to an origin that the agent answers for."""
    return origin_of(method.url) in agent.answers_at


def _tags(listed: object) -> Iterable[str]:
    for each in listed if isinstance(listed, list) else []:
        found = text(each.get("name")) if isinstance(each, dict) else text(each)
        if found:
            yield found


def _owner(description: Mapping[str, Any]) -> Mapping[str, Any]:
    return _object(description.get("owner"))


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
