"""The whole way: an identity is made, its document served and resolved, and a request that it signs has a caller."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme

from moothall.errors import InvalidInput, MoothallError, Unauthenticated, UpstreamError
from moothall.identity.agent import new_identity
from moothall.identity.allowed import Allowed
from moothall.identity.did import Did
from moothall.identity.egress import Egress
from moothall.identity.keys import PrivateKey, Signer
from moothall.identity.resolver import Resolver
from moothall.messages import explain
from tests.identity.documents.made import made_of
from tests.identity.net.far_side import Asked, Authority, FarSide, Names, far_side, reply
from tests.identity.wire.gate import Gate, Party, close_gate, open_gate, signed
from tests.support.clock import ManualClock

LOOPBACK = ("127.0.0.1",)


class World:
    """A host that serves documents, a resolver that asks it, and a gate that asks the resolver."""

    def __init__(self, host: FarSide, resolver: Resolver, gate: Gate, served: dict[str, bytes]) -> None:
        self.host, self.resolver, self.gate, self._served = host, resolver, gate, served

    def publish(self, did: Did, document: dict[str, Any]) -> None:
        self._served[f"/{'/'.join(did.path) or '.well-known'}/did.json"] = json.dumps(document).encode()

    def made(self, algorithm: Any, name: str = "node.example") -> Party:
        """A key-bound identity at the host, published."""
        new = new_identity("alice", f"{name}:{self.host.port}", ("agents", "alice"), created=self.gate.clock.now(), algorithm=algorithm)  # fmt: skip
        party = Party(new.identity.signer, dict(new.identity.document.raw))
        self.publish(new.identity.did, party.document)
        return party

    def legacy(self) -> Party:
        """An identity whose DID does not contain the fingerprint of its key, published."""
        did = Did.at(f"node.example:{self.host.port}", ("user", "alice"))
        who = made_of(did, PrivateKey.generate("secp256k1"))
        self.publish(did, who.bare)
        return Party(Signer(who.signer.keyid, who.signer.key), who.bare)


WorldOf = Callable[..., AbstractAsyncContextManager[World]]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    ca = trustme.CA()
    file = tmp_path_factory.mktemp("authority") / "ca.pem"
    ca.cert_pem.write_to_path(str(file))
    return Authority(ca, file)


@pytest.fixture
def world(tmp_path: Path, authority: Authority) -> WorldOf:
    """Make a world: whether it allows older DIDs, whether its host speaks TLS, what may be called."""

    @asynccontextmanager
    async def opened(
        *, allow_legacy: bool = False, tls: bool = True, allowed: str = "node.example"
    ) -> AsyncIterator[World]:
        served: dict[str, bytes] = {}
        context: ssl.SSLContext | None = authority.server("node.example", "localhost") if tls else None
        clock = ManualClock()

        async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
            body = served.get(asked.line.split(" ")[1])
            await (reply(body) if body else reply(status="404 Not Found"))(asked, writer)

        async with far_side(answer, context) as host:
            names = Names(node_example=LOOPBACK, localhost=LOOPBACK)
            egress = Egress(Allowed.parsed(allowed), ca=authority.file, lookup=names)
            resolver = Resolver(egress, {}.get, clock, allow_legacy=allow_legacy)
            gate = await open_gate(tmp_path / "node", resolver.resolve, clock=clock)  # type: ignore[arg-type]
            yield World(host, resolver, gate, served)
            await close_gate(gate)
            await resolver.aclose()
            await egress.aclose()

    return opened


@pytest.mark.requirement("WIRE-DID-03", "WIRE-DID-04")
@pytest.mark.parametrize(("algorithm", "kind"), [("Ed25519", "e1"), ("secp256k1", "k1")])
async def test_a_key_bound_identity_is_made_resolved_and_authenticates(
    world: WorldOf, algorithm: str, kind: str
) -> None:
    async with world() as here:
        alice = here.made(algorithm)
        document = await here.resolver.resolve(alice.did)
        assert document.did.kind == kind
        caller = await here.gate.house.verifier.verify(signed(alice, here.gate.now))
        assert (caller.id, caller.key, caller.kind, caller.binding) == (alice.did, alice.signer.keyid, "did", "request")
        assert caller.key_bound
        thief = Party(Signer(alice.signer.keyid, PrivateKey.generate(algorithm)), alice.document)  # type: ignore[arg-type]
        with pytest.raises(Unauthenticated) as caught:
            await here.gate.house.verifier.verify(signed(thief, here.gate.now))
        assert caught.value.reason == "invalid_signature"


@pytest.mark.requirement("WIRE-DID-03", "WIRE-DID-04")
@pytest.mark.parametrize("algorithm", ["Ed25519", "secp256k1"])
async def test_a_document_with_another_key_gives_no_caller(world: WorldOf, algorithm: str) -> None:
    async with world() as here:
        alice = here.made(algorithm)
        did = Did.parse(alice.did)
        forged = made_of(did, PrivateKey.generate(algorithm))  # type: ignore[arg-type]
        here.publish(did, forged.document)
        with pytest.raises(MoothallError):
            await here.resolver.resolve(alice.did)
        with pytest.raises(Unauthenticated) as caught:
            await here.gate.house.verifier.verify(signed(Party(forged.signer, forged.document), here.gate.now))
        assert caught.value.reason == "invalid_did"


@pytest.mark.requirement("WIRE-DID-05")
async def test_a_path_without_a_fingerprint_is_not_resolved_unless_allowed(world: WorldOf) -> None:
    async with world() as here:
        alice = here.legacy()
        with pytest.raises(InvalidInput) as refused:
            await here.resolver.resolve(alice.did)
        assert "allow_legacy_did" in explain(refused.value, "en").why
        with pytest.raises(Unauthenticated) as caught:
            await here.gate.house.verifier.verify(signed(alice, here.gate.now))
        assert caught.value.reason == "invalid_did"
        assert here.host.hits == 0


@pytest.mark.requirement("WIRE-DID-05")
async def test_where_it_is_allowed_it_works_and_its_caller_is_marked_as_not_bound(world: WorldOf) -> None:
    async with world(allow_legacy=True) as here:
        alice = here.legacy()
        assert not (await here.resolver.resolve(alice.did)).key_bound
        caller = await here.gate.house.verifier.verify(signed(alice, here.gate.now))
        assert (caller.id, caller.verified, caller.key_bound) == (alice.did, True, False)


@pytest.mark.requirement("WIRE-DID-02")
@pytest.mark.parametrize("allowed", ["node.example", "localhost", "localhost,http://localhost:9"])
async def test_nothing_is_fetched_over_http_from_a_host_that_was_not_listed_so(
    authority: Authority, allowed: str
) -> None:
    heard: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(1))
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    names = Names(node_example=LOOPBACK, localhost=LOOPBACK)
    egress = Egress(Allowed.parsed(allowed), ca=authority.file, lookup=names)
    resolver = Resolver(egress, {}.get, ManualClock())
    with pytest.raises(UpstreamError):
        await resolver.resolve(f"did:wba:{allowed.split(',', maxsplit=1)[0]}%3A{port}")
    assert set(heard) == {b"\x16"}  # the first byte of TLS
    await resolver.aclose()
    await egress.aclose()
    server.close()
    await server.wait_closed()


@pytest.mark.requirement("WIRE-DID-02")
async def test_a_host_on_loopback_that_was_listed_with_http_is_asked_over_http(world: WorldOf) -> None:
    async with world(tls=False, allowed="http://localhost") as here:
        alice = here.made("Ed25519", "localhost")
        assert (await here.resolver.resolve(alice.did)).did.text == alice.did
        assert len(here.host.asked) == 1
