"""The identity room of a node, put together: its agents' identities, the way out, the resolver and the verifier."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final, Self
from urllib.parse import urlsplit

from moothall.clock import Clock
from moothall.errors import InternalError, InvalidInput, Told
from moothall.identity.agent import AgentIdentity
from moothall.identity.apikeys import ApiKeys
from moothall.identity.assembly import Gatehouse, Ground, assemble
from moothall.identity.did import Did
from moothall.identity.document import DidDocument
from moothall.identity.egress import Egress
from moothall.identity.keys import Signer
from moothall.identity.keystore import Keystore
from moothall.identity.resolver import Resolver
from moothall.identity.session import SignedSession
from moothall.identity.site import Origin, Site
from moothall.identity.standing import Decided, Standings
from moothall.identity.verification import Rules
from moothall.identity.verifier import Verifier
from moothall.settings import Settings
from moothall.storage.store import Store

LOCALHOST: Final = "localhost"
_LOOPBACK: Final = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node is.

    Attributes:
        url: its public address, without a slash at the end.
        others: addresses of the same node on this machine; none where it has a public one. A proxy on this machine
            passes on what strangers send, so that a request comes from loopback says nothing of who sent it.
    """

    url: str
    others: tuple[str, ...] = ()

    @classmethod
    def of(cls, settings: Settings, port: int, *, secure: bool) -> Self:
        """The place that the settings describe, for a node that listens on ``port``."""
        scheme = "https" if secure else "http"
        near = () if settings.public_url else tuple(f"{scheme}://{host}:{port}" for host in _LOOPBACK)
        bound = settings.host.strip("[]").lower()
        name = LOCALHOST if _is_address(bound) else bound
        return cls((settings.public_url or f"{scheme}://{name}:{port}").rstrip("/"), near)

    @property
    def domain(self) -> str:
        """Host and port as DIDs name them; those of an address without a name are this machine's."""
        parts = urlsplit(self.url)
        host = parts.hostname or LOCALHOST
        host = LOCALHOST if _is_address(host) else host
        origin = Origin.of(self.url)
        return host if ":" not in origin.authority.rpartition("]")[2] else f"{host}:{parts.port}"


class IdentityOffice:
    """Knows who the agents of this node are, and finds out who others are."""

    def __init__(self, settings: Settings, place: Place, clock: Clock) -> None:
        """Use `open`."""
        self.place = place
        self.egress = Egress.of(settings)
        self.resolver = Resolver(self.egress, self._own, clock, allow_legacy=settings.allow_legacy_did)
        self._clock = clock
        self._allow_legacy = settings.allow_legacy_did
        self._keystore = Keystore.open(settings.data, clock)
        self._agents: dict[str, AgentIdentity] = {}
        self._by_did: dict[str, AgentIdentity] = {}
        self._sessions: dict[str, SignedSession] = {}
        self._gatehouse: Gatehouse | None = None

    @classmethod
    async def open(
        cls,
        settings: Settings,
        store: Store,
        place: Place,
        clock: Clock,
        keys: ApiKeys,
        decided: Decided,
    ) -> Self:
        """Open the office of a node; ``decided`` is what its policy says about identities.

        Raises:
            SettingsError: a setting does not fit.
            StorageError: a key cannot be read or written.
            InternalError: outgoing requests are not guarded on this machine.
        """
        office = cls(settings, place, clock)
        await office.egress.self_check()
        office._gatehouse = await assemble(
            Ground(
                store=store,
                data=settings.data,
                clock=clock,
                site=Site(place.url, *place.others),
                resolve=office.resolver.resolve,
                known=office.resolver.known,
                standing=Standings.of(decided, office.is_own),
                keys=keys,
                rules=Rules(),
                allow_didwba_header=settings.allow_didwba_header,
            )
        )
        return office

    @property
    def gatehouse(self) -> Gatehouse:
        """The verifier with its surroundings.

        Raises:
            InternalError: the office was not opened by `open`.
        """
        if self._gatehouse is None:
            raise InternalError("the office is not open")
        return self._gatehouse

    @property
    def verifier(self) -> Verifier:
        """Who finds out who sent a request."""
        return self.gatehouse.verifier

    def admit(self, agents: Iterable[str] | Mapping[str, str]) -> None:
        """Have identities for these agents, making those that are missing; some have DIDs already, by their names.

        Raises:
            InvalidInput: a name is none for an agent; or there are no keys here of a DID that is named, or it has no
                fingerprint of its key and those do not count here.
            StorageError: an identity cannot be read or written.
        """
        dids = agents if isinstance(agents, Mapping) else {}
        for agent in agents:
            if agent not in self._agents:
                url = f"{self.place.url}/agents/{agent}/ad.json"
                domain = self._domain_of(agent, dids.get(agent, ""))
                found = self._keystore.ensure(agent, domain, description_url=url)
                self._agents[agent] = self._by_did[found.did.text] = found

    def _domain_of(self, agent: str, did: str) -> str:
        """Where an agent's identity is from: of one that has a DID already, that very identity has to be here."""
        if not did:
            return self.place.domain
        wanted = Did.parse(did)
        wanted.check_allowed(allow_legacy=self._allow_legacy)
        found = self._keystore.load(agent, wanted.domain)
        if found is None or found.did != wanted:
            raise InvalidInput("there are no keys of this DID", told=Told("identity.no_keys", {"did": did}))
        return wanted.domain

    def agent(self, name: str) -> AgentIdentity | None:
        """The identity of an agent of this node."""
        return self._agents.get(name)

    def did(self, agent: str) -> str | None:
        """The DID of an agent of this node, by its name, also of one that it has keys of and does not host now.

        Raises:
            StorageError: the keys of an agent that is not hosted cannot be read.
        """
        found = self._agents.get(agent) or self._keystore.load(agent, self.place.domain)
        return found.did.text if found else None

    def signer(self, did: str) -> Signer | None:
        """The key of an agent of this node, by its DID."""
        found = self._by_did.get(did)
        return found.signer if found else None

    def is_own(self, did: str) -> bool:
        """Whether a DID is that of an agent of this node."""
        return did in self._by_did

    def session(self, agent: str) -> SignedSession:
        """The client that signs as an agent.

        Raises:
            InternalError: no such agent was admitted.
        """
        found = self._sessions.get(agent)
        if found is None:
            identity = self._agents.get(agent)
            if identity is None:
                raise InternalError(f"the agent {agent} has no identity")
            found = self._sessions[agent] = SignedSession(self.egress, identity, self._clock)
        return found

    async def close(self) -> None:
        """Let go of what is open, all of it whatever fails; the store is closed after it."""
        try:
            await self.resolver.aclose()
        finally:
            try:
                await self.egress.aclose()
            finally:
                if self._gatehouse is not None:
                    await self._gatehouse.close()

    def _own(self, did: str) -> DidDocument | None:
        found = self._by_did.get(did)
        return found.document if found else None


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
