"""The services of an agent are listed, once it is proved that the agent wants it (row MCA-06)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from moothall.capability.agents import Agent
from moothall.errors import InvalidInput, Told
from moothall.groups.master.ground import MasterGround, ServiceRegistry
from moothall.groups.master.here import action_of, services_of
from moothall.groups.master.proof import refused
from moothall.groups.master.services import Service, harmless, offered, service_id
from moothall.identity.principal import Principal


class Described(Protocol):
    """An agent with services, such as an `ANPUser`."""

    @property
    def id(self) -> str:
        """Its DID."""
        ...

    def get_registered_services(self) -> Iterable[Mapping[str, Any]]:
        """What it offers."""
        ...


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody says of an agent's services; to be proved."""

    id: str
    services: Iterable[Mapping[str, Any]]

    def get_registered_services(self) -> Iterable[Mapping[str, Any]]:
        """What it offers."""
        return self.services


async def enroll(
    ground: MasterGround, registry: ServiceRegistry, agent: Described, proof: str, by: Principal
) -> tuple[Service, ...]:
    """List what an agent offers others, and forget what it offered before and offers no more.

    An agent object without services of its own stands for the hosted agent of its DID.

    Raises:
        PermissionDeniedError: it is not proved that the agent wants it.
        InvalidInput, PayloadTooLarge: a description has no such form, or is too long.
    """
    if isinstance(agent, Agent) and by.operator and not proof:
        try:
            await be_hosted(ground, agent)
        except InvalidInput as error:
            raise refused("keys") from error
    did = ground.agents().get(agent.name, "") if isinstance(agent, Agent) and not agent.did else agent.id
    name = ground.name_of(did)
    infos: list[Mapping[str, Any]] = list(agent.get_registered_services())
    if name and not infos and isinstance(agent, Agent):
        infos = [info for info, _ in services_of(ground, name)]
    await ground.control.check(did, infos, proof, by)
    shown = [info if name else harmless(did, info) for info in offered(infos)]
    listed = [await registry.add_service(did, info, action=action_of(ground, name, info["name"])) for info in shown]
    await registry.keep_only(did, [service_id(did, service.name) for service in listed])
    return tuple(listed)


async def be_hosted(ground: MasterGround, agent: Agent) -> None:
    """Host an agent that is not hosted yet.

    Raises:
        InvalidInput: the node hosts another one of its name, or has no keys of its DID.
    """
    hosted = ground.agents().get(agent.name, "")
    if not hosted:
        await ground.host(agent)
    elif agent.did and agent.did != hosted:
        raise InvalidInput("the node hosts another agent of that name", told=Told("master.name_taken"))
