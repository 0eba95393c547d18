"""People on a real store, with a node's own agents and identities of strangers."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from moothall.audit.record import AuditRecord
from moothall.errors import Unavailable, UpstreamError
from moothall.identity.agent import AgentIdentity, new_identity
from moothall.identity.document import DidDocument
from moothall.identity.keys import Algorithm, Signer
from moothall.identity.principal import OWNER, Principal
from moothall.people.control import Control
from moothall.people.house import People
from moothall.people.proof import prove
from moothall.people.store import PeopleStore
from moothall.storage.revisions import Revisions
from moothall.storage.store import Store
from tests.support.clock import ManualClock

NODE = "https://node.example"


def person(name: str) -> Principal:
    return Principal(id=f"user:{name}", kind="user", binding="token")


def agent(did: str) -> Principal:
    return Principal(id=did, kind="did", binding="request")


@dataclass(slots=True)
class Nonces:
    """Each once."""

    used: set[tuple[str, str]] = field(default_factory=set)

    async def use(self, key: str, nonce: str, expires: int) -> bool:
        del expires
        if (key, nonce) in self.used:
            return False
        self.used.add((key, nonce))
        return True


@dataclass(slots=True)
class World:
    """Who exists: identities whose documents can be had, and those whose keys this node has."""

    identities: dict[str, AgentIdentity] = field(default_factory=dict)
    own: dict[str, str] = field(default_factory=dict)

    def made(self, name: str, *, domain: str = "agents.example", algorithm: Algorithm = "Ed25519") -> AgentIdentity:
        path = ("user", *name.split(":"))
        made = new_identity(name, domain, path, created=ManualClock().now(), algorithm=algorithm).identity
        self.identities[made.did.text] = made
        return made

    def hosted(self, name: str, *, domain: str = "node.example") -> str:
        did = self.made(name, domain=domain).did.text
        self.own[name] = did
        return did

    async def resolve(self, did: str, /, *, refresh: bool = False) -> DidDocument:
        del refresh
        if did not in self.identities:
            raise UpstreamError("there is no DID document")
        return self.identities[did].document

    def is_own(self, did: str) -> bool:
        return did in self.own.values()

    def did(self, name: str) -> str | None:
        return self.own.get(name)

    def signer(self, did: str) -> Signer | None:
        found = self.identities.get(did)
        return found.signer if found and self.is_own(did) else None


@dataclass(slots=True)
class Records:
    """The audit records that were handed in; `full`: there is room for no more, `failing`: there was before."""

    kept: list[AuditRecord] = field(default_factory=list)
    full: bool = False
    failing: bool = False

    def check(self) -> None:
        if self.full:
            raise Unavailable("nothing more can be put on record now")

    def put(self, record: AuditRecord) -> None:
        if self.full or self.failing:
            raise Unavailable("nothing more can be put on record now")
        self.kept.append(record)

    async def settle(self, record: AuditRecord) -> None:
        self.kept.append(record)


@dataclass(slots=True)
class House:
    """One process of a node."""

    people: People
    storage: Store
    revisions: Revisions
    clock: ManualClock
    world: World
    records: Records
    changes: list[tuple[frozenset[str] | None, int]] = field(default_factory=list)

    @classmethod
    async def open(cls, url: str, data: Path, stack: AsyncExitStack, world: World | None = None) -> House:
        storage = await Store.open(data, url)
        stack.push_async_callback(storage.close)
        revisions, clock, records, around = Revisions(storage), ManualClock(), Records(), world or World()
        store = PeopleStore(storage, revisions, clock, records)
        control = Control(audience=NODE, documents=around, own=around, nonces=Nonces(), clock=clock)
        house = cls(People.of(store, control), storage, revisions, clock, around, records)
        store.on_change(lambda ids, number: house.changes.append((ids, number)))
        return house

    def proof(self, identity: AgentIdentity, name: str, *, audience: str = NODE) -> str:
        return prove(identity.signer, identity.did.text, name, audience, self.clock.now().timestamp())

    async def register(self, name: str, identity: AgentIdentity, role: str = "default", **options: str) -> None:
        proof = self.proof(identity, name)
        await self.people.identities.register_user_agent(
            name, identity.did.text, role, proof=proof, by=person(name), **options
        )


__all__ = ["NODE", "OWNER", "House", "World", "agent", "person"]
