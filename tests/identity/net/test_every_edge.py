"""Everything that follows an address of a stranger goes through the one guarded client (row WIRE-NET-01)."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

import httpcore
import httpx
import pytest

from moothall.calls.ports import Outgoing
from moothall.calls.target import Target
from moothall.errors import InvalidInput, MoothallError, UpstreamInvalid
from moothall.identity.agent import new_identity
from moothall.identity.allowed import Allowed
from moothall.identity.egress import Egress
from moothall.identity.resolver import Resolver
from moothall.identity.session import SignedSession
from moothall.protocols.anp.acquaintances import Acquaintances
from moothall.protocols.anp.crawler import Crawler
from moothall.protocols.anp.fetched import FetchedDocuments
from moothall.protocols.http.client import HttpConnector
from tests.identity.net.far_side import Authority, Names, far_side, reply
from tests.support.clock import ManualClock

FORBIDDEN = "127.0.0.1 169.254.169.254 10.0.0.1 10.255.255.254 100.64.0.1 ::ffff:127.0.0.1 ::1 fd00::1 64:ff9b::a9fe:a9fe".split()


@dataclass
class Edges:
    """All that calls out, over one client."""

    egress: Egress
    clock: ManualClock

    async def did(self, host: str) -> None:
        identity = new_identity("bob", host, ("agents", "bob"), created=self.clock.now()).identity
        await Resolver(self.egress, {}.get, self.clock).resolve(identity.did.text)

    async def description(self, host: str) -> None:
        await Acquaintances(self.documents, Resolver(self.egress, {}.get, self.clock)).at(
            f"https://{host}/ad.json", "alice"
        )

    async def interface(self, host: str) -> None:
        await self.documents.get(f"https://{host}/interface.json", "alice")

    async def list_of_agents(self, host: str) -> None:
        await Crawler(self.egress, Acquaintances(self.documents, Resolver(self.egress, {}.get, self.clock))).crawl(host)

    async def endpoint(self, host: str) -> None:
        outgoing = Outgoing(target=Target.parse(f"https://{host}/pay"), params={"a": 1}, agent="alice", timeout=5)
        await HttpConnector(lambda _: self.session).call(outgoing)

    async def push_of_an_sdk(self, host: str) -> None:
        async with httpx.AsyncClient(transport=self.egress.transport, trust_env=False) as sdk:
            await sdk.post(f"https://{host}/push", json={})

    @property
    def session(self) -> SignedSession:
        alice = new_identity("alice", "far.example", ("agents", "alice"), created=self.clock.now()).identity
        return SignedSession(self.egress, alice, self.clock)

    @property
    def documents(self) -> FetchedDocuments:
        return FetchedDocuments(self.egress, lambda _: self.session, self.clock)


Edge = Callable[[Edges, str], Awaitable[None]]
BY_NAME: list[Edge] = [
    Edges.did,
    Edges.description,
    Edges.interface,
    Edges.list_of_agents,
    Edges.endpoint,
    Edges.push_of_an_sdk,
]
BY_ADDRESS = [edge for edge in BY_NAME if edge not in {Edges.did, Edges.list_of_agents}]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that anything connects to; none is really called."""
    found: list[str] = []

    async def connect(_: httpcore.AnyIOBackend, host: str, *__: object, **___: object) -> httpcore.AsyncNetworkStream:
        found.append(host)
        raise httpcore.ConnectError

    monkeypatch.setattr(httpcore.AnyIOBackend, "connect_tcp", connect)
    return found


def edges(authority: Authority, names: Names, allow: str = "") -> Edges:
    return Edges(Egress(Allowed.parsed(allow), ca=authority.file, lookup=names), ManualClock())


@pytest.fixture
async def closing() -> AsyncIterator[list[Egress]]:
    made: list[Egress] = []
    yield made
    for egress in made:
        await egress.aclose()


@pytest.mark.requirement("WIRE-NET-01")
@pytest.mark.parametrize("edge", BY_NAME, ids=lambda edge: edge.__name__)
@pytest.mark.parametrize("address", FORBIDDEN)
async def test_a_name_that_resolves_there_is_refused_without_a_connection(
    authority: Authority, opened: list[str], closing: list[Egress], edge: Edge, address: str
) -> None:
    all_of_them = edges(authority, Names(node_example=(address,)))
    closing.append(all_of_them.egress)
    with pytest.raises((InvalidInput, UpstreamInvalid)) as caught:
        await edge(all_of_them, "node.example:8420")
    assert caught.value.told is not None
    assert caught.value.told.why == "egress.address"
    assert opened == []


@pytest.mark.requirement("WIRE-NET-01")
@pytest.mark.parametrize("edge", BY_ADDRESS, ids=lambda edge: edge.__name__)
@pytest.mark.parametrize("address", FORBIDDEN)
async def test_the_address_itself_is_refused_without_a_connection(
    authority: Authority, opened: list[str], closing: list[Egress], edge: Edge, address: str
) -> None:
    all_of_them = edges(authority, Names())
    closing.append(all_of_them.egress)
    with pytest.raises((InvalidInput, UpstreamInvalid)):
        await edge(all_of_them, f"[{address}]:8420" if ":" in address else f"{address}:8420")
    assert opened == []


@pytest.mark.requirement("WIRE-NET-01")
@pytest.mark.parametrize("edge", BY_NAME, ids=lambda edge: edge.__name__)
async def test_a_listed_host_is_called_and_one_that_moved_meanwhile_is_not(
    authority: Authority, tls: ssl.SSLContext, closing: list[Egress], edge: Edge
) -> None:
    names = Names(node_example=[("127.0.0.1",), ("127.0.0.2",)])
    async with far_side(reply(), tls) as side, far_side(reply(), tls, host="127.0.0.2", port=side.port) as victim:
        all_of_them = edges(authority, names, f"node.example:{side.port}")
        closing.append(all_of_them.egress)
        with suppress(MoothallError):  # an empty object is no document; that it was asked for is what counts
            await edge(all_of_them, f"node.example:{side.port}")
    assert (len(side.asked), victim.hits) == (1, 0)
