"""Groups on a real store, with the log that their messages stand in."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from moothall.events.log import EventLog
from moothall.events.topics import Topics
from moothall.groups.membership import Groups
from moothall.groups.store import GroupStore
from moothall.identity.principal import OWNER
from tests.people.house import House, World, agent, person

HOUSE = "did:wba:node.example:agents:default"


def did(name: str, domain: str = "agents.example") -> str:
    return f"did:wba:{domain}:{name}"


@dataclass(slots=True)
class GroupHouse:
    """One process of a node with groups; several may share a database."""

    house: House
    log: EventLog
    topics: Topics
    groups: Groups

    @classmethod
    async def open(cls, url: str, data: Path, stack: AsyncExitStack, world: World | None = None) -> GroupHouse:
        house = await House.open(url, data, stack, world)
        log = EventLog(house.storage, clock=house.clock, sweep_seconds=0.05)
        await log.start()
        stack.push_async_callback(log.close)
        store = GroupStore(house.storage, house.revisions, house.clock, house.records)
        stack.push_async_callback(store.aclose)
        topics = Topics(log)
        return cls(house, log, topics, Groups(store, house.world, HOUSE, topics))


__all__ = ["HOUSE", "OWNER", "GroupHouse", "agent", "did", "person"]
