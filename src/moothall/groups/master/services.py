"""The services that a node's master agent knows of, in the store (rows MCA-02, MCA-06, MCA-09).

A service is one capability of one agent, and has an id of its own, by which rights to it are given: its agent's DID and
its name. What somebody registers of another node is data: who may use it is said by the permission group alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, Literal

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy.engine import Connection

from moothall.capability.service_registry import ServiceInfo
from moothall.clock import Clock
from moothall.directory.finding.taming import tamed
from moothall.directory.listing import Listing
from moothall.errors import InvalidInput, Overloaded, PayloadTooLarge, Told
from moothall.people.rows import insert_new
from moothall.storage.finding import registered_service
from moothall.storage.store import Store
from moothall.telemetry import logger

NET: Final = "net"
"""Among the abilities of a service: others may call it."""

MOST: Final = 1_000
"""Services of one agent."""
MOST_OF_ALL: Final = 20_000
MOST_BYTES: Final = 64 * 1024
"""Of the description of one."""
PAGE: Final = 1_000

State = Literal["listed", "gone"]
Origin = Literal["registered", "found"]

_log = logger("groups")


class Service(BaseModel):
    """A service (what spec B §1.6a calls ``service_info``).

    Attributes:
        id: ``DID#NAME``.
        agent_id: the DID of its agent.
        name, description, parameters, tags: as its agent describes it.
        action: of the policy; empty: nobody here knows.
        origin: whether its agent registered it, with proof, or it was found where its agent lists it.
        state: ``gone``: its agent does not answer, or offers it no more; it comes back when that does.
        seen_at: when it was known to be there last.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    agent_id: str
    name: str
    description: str = ""
    parameters: dict[str, Any] = Field(default_factory=dict)
    tags: tuple[str, ...] = ()
    action: str = ""
    origin: Origin = "registered"
    state: State = "listed"
    seen_at: datetime


def service_id(agent_id: str, name: str) -> str:
    """The id of a service."""
    return f"{agent_id}#{name}"


def offered(infos: Iterable[Mapping[str, Any]]) -> list[ServiceInfo]:
    """What others may call of what an agent offers; nothing of what only its own process can.

    Raises:
        InvalidInput: something in it has no name, or another form.
    """
    found: list[ServiceInfo] = []
    for info in infos:
        try:
            whole = _Info.model_validate(dict(info))
        except ValidationError as error:
            raise InvalidInput("not the description of a service", told=Told("master.service")) from error
        if NET in whole.capabilities:
            found.append(
                ServiceInfo(
                    name=whole.name,
                    description=whole.description,
                    parameters=whole.parameters,
                    tags=whole.tags,
                    capabilities=whole.capabilities,
                )
            )
    if len(found) > MOST:
        raise InvalidInput("too many services of one agent", told=Told("master.services_most", {"most": MOST}))
    return found


def harmless(agent_id: str, info: ServiceInfo) -> ServiceInfo:
    """What a stranger says of its service, without anything that is more than a description.

    Raises:
        InvalidInput: it cannot be made harmless.
    """
    listing = tamed(
        Listing(
            target=service_id(agent_id, info["name"]),
            way="anp",
            name=info["name"],
            description=info["description"],
            tags=tuple(info["tags"]),
            agent=agent_id,
            input_schema=info["parameters"],
        )
    )
    if listing.standing != "listed" or listing.name != info["name"]:
        raise InvalidInput("not the description of a service", told=Told("master.service"))
    made: ServiceInfo = {**info, "description": listing.description, "tags": list(listing.tags)}
    return {**made, "parameters": dict(listing.input_schema)}


class _Info(BaseModel):
    name: str = Field(min_length=1, max_length=200, pattern=r"^[^\x00#]+$")
    description: str = Field(default="", max_length=4_096)
    parameters: dict[str, Any] = Field(default_factory=dict)
    tags: list[str] = Field(default=[], max_length=64)
    capabilities: list[str] = Field(default=[], max_length=64)


class UnifiedServiceRegistry:
    """The services of all agents, by their ids; every process of one database knows the same."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    async def add_service(
        self, agent_id: str, info: Mapping[str, Any], *, action: str = "", origin: Origin = "registered"
    ) -> Service:
        """List a service of an agent; the same again changes nothing but when it was seen.

        What its agent has registered stays as that said, wherever else it is found.

        Raises:
            PayloadTooLarge: its description is too long.
            Overloaded: there are too many.
            StorageError: the store failed.
        """
        service = self._service(agent_id, info, action, origin)
        return await self._store.write(lambda connection: _put(connection, service))

    async def keep_only(self, agent_id: str, ids: Iterable[str], *, origin: Origin = "registered") -> None:
        """Forget the services of an agent that it offers no more: all of that origin but these.

        Raises:
            StorageError: the store failed.
        """
        kept = set(ids)

        def keep(connection: Connection) -> None:
            for known in _of_agent(connection, agent_id):
                if known.origin == origin and known.id not in kept:
                    connection.execute(sa.delete(registered_service).where(registered_service.c.id == known.id))

        await self._store.write(keep)

    async def get_service(self, service_id: str) -> Service | None:
        """A service that is there; None where there is none of that id, or its agent is gone.

        Raises:
            StorageError: the store cannot say.
        """
        found = await self._store.glance(lambda connection: _get(connection, service_id))
        return found if found is not None and found.state == "listed" else None

    async def services(self, *, agent_id: str = "", after: str = "", gone: bool = False) -> list[Service]:
        """Services by their ids, a thousand at a time; with ``gone`` those that are not there now as well.

        Raises:
            StorageError: the store cannot say.
        """
        table = registered_service.c
        where = [table.id > after, *([table.agent == agent_id] if agent_id else [])]
        where += [] if gone else [table.state == "listed"]
        query = sa.select(registered_service).where(*where).order_by(table.id).limit(PAGE)
        rows = await self._store.read(lambda connection: connection.execute(query).all())
        return [service for row in rows if (service := _made(row)) is not None]

    async def agents(self) -> dict[str, datetime]:
        """The agents that have any service, gone or not, and when each was seen last.

        Raises:
            StorageError: the store cannot say.
        """
        table = registered_service.c
        query = sa.select(table.agent, sa.func.max(table.seen_at)).group_by(table.agent)
        rows = await self._store.read(lambda connection: connection.execute(query).all())
        return {row[0]: row[1] for row in rows}

    async def mark(self, agent_id: str, *, alive: bool) -> bool:
        """Note whether an agent answers: its services are there, or gone until it does; whether that is news.

        Raises:
            StorageError: the store failed.
        """
        table, now = registered_service.c, self._clock.now()
        state = "listed" if alive else "gone"
        values = {"state": state, **({"seen_at": now} if alive else {})}

        def mark(connection: Connection) -> bool:
            differs = sa.select(table.id).where(table.agent == agent_id, table.state != state).limit(1)
            news = connection.execute(differs).first() is not None
            if news or alive:
                connection.execute(sa.update(registered_service).where(table.agent == agent_id).values(**values))
            return news

        return await self._store.write(mark)

    async def remove(self, agent_id: str) -> int:
        """Forget an agent and its services; how many there were.

        Raises:
            StorageError: the store failed.
        """
        wanted = sa.delete(registered_service).where(registered_service.c.agent == agent_id)
        return await self._store.write(lambda connection: connection.execute(wanted).rowcount)

    def _service(self, agent_id: str, info: Mapping[str, Any], action: str, origin: Origin) -> Service:
        service = Service(
            id=service_id(agent_id, str(info["name"])),
            agent_id=agent_id,
            name=str(info["name"]),
            description=str(info.get("description", "")),
            parameters=dict(info.get("parameters", {})),
            tags=tuple(info.get("tags", ())),
            action=action,
            origin=origin,
            seen_at=self._clock.now(),
        )
        if len(_document(service).encode()) > MOST_BYTES:
            raise PayloadTooLarge("the description of a service is too long", told=Told("master.service_long"))
        return service


_OUTSIDE: Final = {"id", "agent_id", "state", "seen_at"}


def _document(service: Service) -> str:
    return service.model_dump_json(exclude=_OUTSIDE)


def _put(connection: Connection, service: Service) -> Service:
    known = _get(connection, service.id)
    if known is not None and known.origin == "registered" and service.origin == "found":
        return known
    values = {"agent": service.agent_id, "document": _document(service), "state": "listed", "seen_at": service.seen_at}
    if known is None:
        _check_room(connection)
    if not insert_new(connection, registered_service, id=service.id, created_at=service.seen_at, **values):
        connection.execute(sa.update(registered_service).where(registered_service.c.id == service.id).values(**values))
    return service


def _check_room(connection: Connection) -> None:
    few = sa.select(registered_service.c.id).limit(MOST_OF_ALL).subquery()
    if connection.execute(sa.select(sa.func.count()).select_from(few)).scalar_one() >= MOST_OF_ALL:
        raise Overloaded("too many services are registered", told=Told("master.services_full"))


def _get(connection: Connection, service_id: str) -> Service | None:
    row = connection.execute(sa.select(registered_service).where(registered_service.c.id == service_id)).one_or_none()
    return None if row is None else _made(row)


def _of_agent(connection: Connection, agent_id: str) -> list[Service]:
    query = sa.select(registered_service).where(registered_service.c.agent == agent_id)
    return [service for row in connection.execute(query).all() if (service := _made(row)) is not None]


def _made(row: Any) -> Service | None:  # noqa: ANN401 - a row of the table
    try:
        document = _Document.model_validate_json(row.document)
    except ValidationError:
        _log.error("the service %s is not listed: its row in the store is broken", row.id)
        return None
    return Service(id=row.id, agent_id=row.agent, state=row.state, seen_at=row.seen_at, **document.model_dump())


class _Document(BaseModel):
    name: str
    description: str
    parameters: dict[str, Any]
    tags: tuple[str, ...]
    action: str
    origin: Origin
