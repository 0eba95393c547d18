"""A node with a master agent, a permission group and service agents; and identities that it has keys of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from moothall import ANPUser, Node, Settings, capability
from moothall.calls.ports import CallFacts
from moothall.calls.reply import Reply
from moothall.calls.target import Target
from moothall.canonical import dumps
from moothall.clock import SystemClock
from moothall.groups.master.agent import MasterControlAgent
from moothall.groups.master.rules import ServiceRule
from moothall.groups.model import GroupPolicy
from moothall.identity import identity_files
from moothall.identity.agent import AgentIdentity, NewIdentity
from moothall.identity.creation import KEY, new_document
from moothall.identity.did import Did
from moothall.identity.document import DidDocument
from moothall.identity.keys import PrivateKey, Signer
from moothall.identity.keystore import Keystore
from moothall.identity.principal import OWNER, Principal

GROUP = "permission_control_group"


class Weather:
    """Two services for others, and one that is not."""

    capability_defaults: ClassVar[Mapping[str, Any]] = {"access": "authenticated"}

    @capability(action="read", read_only=True)
    async def forecast(self, city: str) -> str:
        """Tell the weather."""
        return f"sunny in {city}"

    @capability(action="read", read_only=True)
    async def history(self, city: str) -> str:
        """Tell how it was."""
        return f"it rained in {city}"

    @capability(expose_to="local")
    async def secret(self) -> str:
        """For this process."""
        return "secret"

    @capability(access="owner")
    async def owners(self) -> str:
        """For the owner."""
        return "the owner's"


def did(name: str) -> str:
    return f"did:wba:agents.example:{name}"


def caller(name: str) -> Principal:
    return Principal(id=did(name), kind="did", binding="request")


def settings(data: Path, **given: Any) -> Settings:
    return Settings(data=data, demo_agents=False, **given)


def legacy_keys(data: Path, agent: str, text: str) -> AgentIdentity:
    """Keys of a DID without a fingerprint, as somebody brings them along from elsewhere."""
    wanted, key = Did.parse(text), PrivateKey.generate("Ed25519")
    document = new_document(wanted, key, created=SystemClock().now())
    loaded = DidDocument.load(wanted, document, allow_legacy=True)
    made = AgentIdentity(agent, wanted, loaded, dumps(document), Signer(f"{wanted}#{KEY}", key))
    identity_files.write(Keystore.open(data).folder(agent, wanted.domain), NewIdentity(made, {KEY: key.pem()}))
    return made


def weather() -> ANPUser:
    return ANPUser("weather", Weather(), description="Knows the weather")


async def rule(node: Node, *rules: ServiceRule, group: str = GROUP) -> None:
    await node.host.grouping.groups.change(group, policy=GroupPolicy(services=rules), by=OWNER)


async def member(node: Node, name: str, role: str = "", group: str = GROUP) -> None:
    await node.host.grouping.groups.add(group, did(name), role, by=OWNER)
    await node.host.grouping.groups.join(group, by=caller(name))


async def called(node: Node, target: str, who: Principal, door: str = "http", **params: Any) -> Reply[Any]:
    return await node.host.path.call(Target.parse(target), params, CallFacts(door=door, principal=who))


__all__ = ["GROUP", "OWNER", "MasterControlAgent", "ServiceRule"]
