"""For whom the agents of a node sign: a stranger's documents do not decide it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from moothall.clock import SystemClock
from moothall.errors import InvalidInput, MoothallError, UpstreamInvalid
from moothall.identity.agent import AgentIdentity, new_identity
from moothall.identity.description_proof import sign_description
from moothall.identity.did import Did
from moothall.identity.document import DidDocument
from moothall.identity.egress import Fetched
from moothall.protocols.anp.acquaintances import Acquaintances
from moothall.protocols.anp.fetched import FetchedDocuments
from moothall.protocols.anp.reach import home_of, origin_of
from moothall.protocols.anp.remote import RemoteAgent
from tests.protocols.anp.hall import WHEN

HOME, HOST, BANK, OURS = (f"https://{name}.example" for name in ("mallory", "pages", "bank", "ours"))


class World:
    """Addresses with JSON behind them; what is closed opens to signed requests only."""

    def __init__(self) -> None:
        self.documents: dict[str, Any] = {}
        self.closed: set[str] = set()
        self.signed: list[str] = []
        self.resolved: dict[str, DidDocument] = {}

    async def request(self, _method: str, url: str, **_: Any) -> Fetched:
        return self._answer(url, 401 if url in self.closed else 200)

    def session(self, _agent: str) -> Any:
        world = self

        class Session:
            async def request(self, _method: str, url: str, **_: Any) -> Fetched:
                world.signed.append(url)
                return world._answer(url, 200)

        return Session()

    async def resolve(self, did: str, /, *, refresh: bool = False) -> DidDocument:
        if did not in self.resolved:
            raise InvalidInput("no such DID")
        return self.resolved[did]

    def _answer(self, url: str, status: int) -> Fetched:
        known = url in self.documents
        body = json.dumps(self.documents.get(url)).encode()
        return Fetched(status if known or status != 200 else 404, httpx.Headers(), body, url)

    def mallory(self, url: str = f"{HOME}/ad.json") -> AgentIdentity:
        made = new_identity("mallory", "mallory.example", ["agents", "m"], created=WHEN, description_url=url).identity
        self.resolved[made.did.text] = made.document
        return made

    def describe(
        self,
        identity: AgentIdentity,
        url: str,
        interface: str,
        rpc: str,
        *,
        signed: bool = True,
        did: str | None = None,
    ) -> None:
        """Put a description at an address, with an interface whose calls go to `rpc`."""
        ad: Mapping[str, Any] = {
            "type": "AgentDescription",
            "name": "m",
            "did": identity.did.text if did is None else did,
            "interfaces": [{"protocol": "openrpc", "url": interface}],
        }
        domain = url.split("/")[2]
        if signed:
            ad = sign_description(ad, identity.signer, domain=domain, challenge="c", created=WHEN)
        self.documents[url] = ad
        method = {"name": "pay", "params": [], "servers": [{"url": rpc}]}
        self.documents[interface] = {"openrpc": "1.3.2", "methods": [method]}


@pytest.fixture
def world() -> World:
    return World()


@asynccontextmanager
async def reading(world: World) -> AsyncIterator[Acquaintances]:
    documents = FetchedDocuments(world, world.session, SystemClock())  # type: ignore[arg-type]
    yield Acquaintances(documents, world, OURS)
    await documents.aclose()


async def refused(world: World, did: str) -> str:
    """Call, and be refused; why."""
    async with reading(world) as others:
        with pytest.raises(UpstreamInvalid) as raised:
            await others.operation(did, "pay", "alice")
    assert raised.value.told is not None
    return raised.value.told.why


async def called(world: World, did: str) -> str:
    async with reading(world) as others:
        return (await others.operation(did, "pay", "alice")).url


async def met(world: World, url: str) -> RemoteAgent:
    async with reading(world) as others:
        return await others.at(url, "alice")


async def test_at_its_own_domain_an_agent_may_ask_who_reads_and_calls(world: World) -> None:
    mallory = world.mallory()
    for signed in (True, False):
        world.describe(mallory, f"{HOME}/ad.json", f"{HOME}/if.json", f"{HOME}/rpc", signed=signed)
        world.closed = {f"{HOME}/ad.json", f"{HOME}/if.json"}
        assert await called(world, mallory.did.text) == f"{HOME}/rpc"
    assert set(world.signed) == world.closed


@pytest.mark.parametrize("rpc", [f"{BANK}/agents/bank/rpc", f"{HOME}:8443/rpc", "http://pages.example/rpc"])
async def test_calls_that_would_go_to_somebody_else_are_refused(world: World, rpc: str) -> None:
    mallory = world.mallory()
    world.describe(mallory, f"{HOME}/ad.json", f"{HOME}/if.json", rpc)
    assert await refused(world, mallory.did.text) == "anp.remote_route"


async def test_a_signed_description_may_have_its_interface_elsewhere_but_gets_no_signature_there(world: World) -> None:
    mallory = world.mallory()
    world.describe(mallory, f"{HOME}/ad.json", f"{BANK}/if.json", f"{HOME}/rpc")
    assert await called(world, mallory.did.text) == f"{HOME}/rpc"
    world.closed = {f"{BANK}/if.json"}
    async with reading(world) as others:
        with pytest.raises(MoothallError):
            await others.operation(mallory.did.text, "pay", "alice")
    assert world.signed == []


@pytest.mark.parametrize(("interface", "rpc"), [(f"{BANK}/if.json", f"{HOME}/rpc"), (f"{HOME}/if.json", f"{BANK}/rpc")])
async def test_a_description_without_proof_names_no_other_place(world: World, interface: str, rpc: str) -> None:
    mallory = world.mallory()
    world.describe(mallory, f"{HOME}/ad.json", interface, rpc, signed=False)
    assert await refused(world, mallory.did.text) == "anp.remote_elsewhere"
    with pytest.raises(UpstreamInvalid):
        await met(world, f"{HOME}/ad.json")


@pytest.mark.parametrize("signed", [True, False])
async def test_the_place_of_a_description_is_trusted_where_did_and_description_name_each_other(
    world: World, signed: bool
) -> None:
    mallory = world.mallory(f"{HOST}/m/ad.json")
    world.describe(mallory, f"{HOST}/m/ad.json", f"{HOST}/m/if.json", f"{HOST}/m/rpc", signed=signed)
    world.closed = {f"{HOST}/m/if.json"}
    assert await called(world, mallory.did.text) == f"{HOST}/m/rpc"
    assert world.signed == [f"{HOST}/m/if.json"]


async def test_a_did_document_alone_makes_nobody_sign_for_the_place_that_it_names(world: World) -> None:
    mallory = world.mallory(f"{BANK}/pay?to=mallory")
    world.closed = {f"{BANK}/pay?to=mallory"}
    async with reading(world) as others:
        with pytest.raises(MoothallError):
            await others.of(mallory.did.text, "alice")
    world.describe(mallory, f"{BANK}/pay?to=mallory", f"{BANK}/if.json", f"{BANK}/rpc", signed=False, did="")
    world.closed = set()
    assert await refused(world, mallory.did.text) == "anp.remote_route"
    assert world.signed == []


async def test_what_is_found_by_its_address_is_signed_for_only_where_its_did_confirms_it(world: World) -> None:
    mallory = world.mallory()
    world.describe(mallory, f"{HOME}/ad.json", f"{HOME}/if.json", f"{HOME}/rpc")
    world.describe(mallory, f"{HOST}/ad.json", f"{HOST}/if.json", f"{HOST}/rpc", signed=False)
    world.closed = {f"{HOME}/if.json", f"{HOST}/if.json"}
    assert (await met(world, f"{HOME}/ad.json")).confirmed
    assert world.signed == [f"{HOME}/if.json"]
    with pytest.raises(MoothallError):
        await met(world, f"{HOST}/ad.json")
    world.closed = {f"{HOME}/ad.json"}
    with pytest.raises(MoothallError):
        await met(world, f"{HOME}/ad.json")
    assert world.signed == [f"{HOME}/if.json"]


async def test_nothing_is_signed_for_this_very_node(world: World) -> None:
    mallory = world.mallory(f"{OURS}/ad.json")
    world.describe(mallory, f"{OURS}/ad.json", f"{OURS}/if.json", f"{OURS}/agents/node/rpc")
    assert await refused(world, mallory.did.text) == "anp.remote_route"
    ours = new_identity("x", "ours.example", ["x"], created=WHEN, description_url=f"{OURS}/ad.json").identity
    world.resolved[ours.did.text] = ours.document
    world.describe(ours, f"{OURS}/ad.json", f"{OURS}/if.json", f"{OURS}/agents/node/rpc")
    assert await refused(world, ours.did.text) == "anp.remote_route"
    assert world.signed == []


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Hall.Example/x", ("https", "hall.example", 443)),
        ("http://hall.example:8080", ("http", "hall.example", 8080)),
        ("https://a@hall.example/", ("https", "hall.example", 443)),
        ("ftp://hall.example/", None),
        ("https:///x", None),
        ("https://[::1", None),
        ("", None),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, origin: object) -> None:
    assert origin_of(url) == origin


def test_a_did_answers_for_its_domain_with_its_port() -> None:
    assert home_of(Did.at("Hall.example:8443")) == {("https", "hall.example", 8443), ("http", "hall.example", 8443)}
    assert home_of(Did.at("hall.example")) == {("https", "hall.example", 443), ("http", "hall.example", 80)}
