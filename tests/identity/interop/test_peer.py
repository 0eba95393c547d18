"""The published package `anp` authenticates at a server of ours, and our agents at a server made of it, over TLS.

The package runs in processes of its own with its own resolver and its own trust in certificates (``SSL_CERT_FILE``);
nothing of it is replaced.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trustme

from moothall.clock import SystemClock
from moothall.identity.agent import AgentIdentity, new_identity
from moothall.identity.allowed import Allowed
from moothall.identity.egress import Egress
from moothall.identity.keys import Algorithm, Signer
from moothall.identity.resolver import Resolver
from moothall.identity.session import SignedSession
from moothall.identity.verification import Rules
from tests.identity.net.far_side import Answer, Asked, FarSide, far_side, reply
from tests.identity.net.gated import gated
from tests.identity.wire.gate import close_gate, open_gate
from tests.support.clock import ManualClock

pytestmark = pytest.mark.skipif(importlib.util.find_spec("anp") is None, reason="the peer is not for this Python")

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Certificates:
    """An authority of the test and a certificate for localhost, as files and as TLS of a server."""

    authority: Path
    chain: Path
    key: Path
    tls: ssl.SSLContext

    @property
    def environment(self) -> dict[str, str]:
        """What makes the peer trust the authority; nothing else of ours reaches it."""
        return {"PATH": os.environ["PATH"], "SSL_CERT_FILE": str(self.authority), "PYTHONDONTWRITEBYTECODE": "1"}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    leaf = authority.issue_cert("localhost")
    files = folder / "ca.pem", folder / "chain.pem", folder / "key.pem"
    authority.cert_pem.write_to_path(str(files[0]))
    leaf.cert_chain_pems[0].write_to_path(str(files[1]))
    leaf.private_key_pem.write_to_path(str(files[2]))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(tls)
    return Certificates(*files, tls)


@dataclass
class Registry:
    """A host of DID documents on localhost."""

    host: FarSide
    documents: dict[str, Answer] = field(default_factory=dict)

    def publish(self, did: str, body: bytes) -> None:
        self.documents["/" + "/".join(did.split(":")[3:]) + "/did.json"] = reply(body)

    @property
    def fetched(self) -> int:
        return len(self.host.asked)


@pytest.fixture
async def registry(certificates: Certificates) -> AsyncIterator[Registry]:
    documents: dict[str, Answer] = {}

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await documents.get(asked.line.split(" ")[1], reply(b"{}", "404 Not Found"))(asked, writer)

    async with far_side(answer, certificates.tls) as host:
        yield Registry(host, documents)


@pytest.fixture
async def egress(certificates: Certificates) -> AsyncIterator[Egress]:
    client = Egress(Allowed.parsed("localhost"), ca=certificates.authority)
    await client.self_check()
    yield client
    await client.aclose()


@pytest.fixture(scope="module")
def theirs(certificates: Certificates) -> Iterator[str]:
    """The address of a server made of the peer."""
    command = [sys.executable, HERE / "peer_server.py", certificates.chain, certificates.key]
    with subprocess.Popen(
        command, env=certificates.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        yield f"https://localhost:{process.stdout.readline().strip()}"
        process.terminate()


class TestOurAgentAtTheirServer:
    def session(self, egress: Egress, registry: Registry, algorithm: Algorithm) -> tuple[AgentIdentity, SignedSession]:
        made = new_identity(
            "alice",
            f"localhost:{registry.host.port}",
            ("agents", "alice"),
            created=datetime.now(UTC),
            algorithm=algorithm,
        ).identity
        registry.publish(made.did.text, made.body)
        return made, SignedSession(egress, made, SystemClock())

    @pytest.mark.requirement("WIRE-SIG-01", "WIRE-DID-03", "WIRE-DID-04")
    @pytest.mark.parametrize("algorithm", ["Ed25519", "secp256k1"])
    async def test_our_signatures_and_their_tokens_are_accepted(
        self, theirs: str, egress: Egress, registry: Registry, algorithm: Algorithm
    ) -> None:
        alice, session = self.session(egress, registry, algorithm)
        first = await session.request("GET", f"{theirs}/info?x=1&y=a+b")
        second = await session.request("GET", f"{theirs}/info")
        third = await session.request("POST", f"{theirs}/rpc", json={"名": "é"})
        told = [json.loads(answer.body) for answer in (first, second, third)]
        assert [entry["did"] for entry in told] == [alice.did.text] * 3
        assert [entry["scheme"] for entry in told] == ["http_signatures", "bearer", "http_signatures"]
        assert told[2]["body"] == '{"名":"é"}'

    async def test_who_is_not_who_they_say_is_refused_there(
        self, theirs: str, egress: Egress, registry: Registry
    ) -> None:
        alice, _ = self.session(egress, registry, "Ed25519")
        _, mallory = self.session(egress, registry, "Ed25519")
        mallory._signer = Signer(alice.signer.keyid, mallory._signer.key)
        assert (await mallory.request("POST", f"{theirs}/rpc", content=b"{}")).status == 401


class TestTheirAgentAtOurServer:
    @pytest.fixture
    async def ours(
        self,
        certificates: Certificates,
        registry: Registry,
        egress: Egress,
        tmp_path: Path,
        request: pytest.FixtureRequest,
    ) -> AsyncIterator[FarSide]:
        """A server that lets in whom our verifier knows, which resolves DIDs over TLS; its rules are the parameter."""
        clock = ManualClock(datetime.now(UTC))
        resolver = Resolver(egress, {}.get, clock)
        rules: dict[str, Any] = getattr(request, "param", {})
        async with AsyncExitStack() as stack:
            stack.push_async_callback(resolver.aclose)
            answer: list[Answer] = []

            async def later(asked: Asked, writer: asyncio.StreamWriter) -> None:
                await answer[0](asked, writer)

            side = await stack.enter_async_context(far_side(later, certificates.tls))
            url = f"https://localhost:{side.port}"
            gate = await open_gate(tmp_path / "node", resolver.resolve, clock=clock, urls=(url,), **rules)  # type: ignore[arg-type]
            stack.push_async_callback(close_gate, gate)
            answer.append(gated(gate.house.verifier))
            yield side

    async def call(
        self,
        certificates: Certificates,
        registry: Registry,
        folder: Path,
        wanted: list[str],
        *,
        profile: str = "e1",
        mode: str = "http_signatures",
    ) -> tuple[str, list[dict[str, Any]]]:
        """Let the peer make an identity, publish it, and call with it; returns its DID and what it was told."""
        made = await self._peer(certificates, "-c", _MAKE, str(folder), str(registry.host.port), profile)
        did = made.strip()
        registry.publish(did, (folder / "did.json").read_bytes())
        files = [str(folder / "did.json"), str(folder / "key.pem")]
        said = await self._peer(certificates, str(HERE / "peer_client.py"), *files, mode, *wanted)
        return did, [json.loads(line) for line in said.splitlines()]

    async def _peer(self, certificates: Certificates, *arguments: str) -> str:
        process = await asyncio.create_subprocess_exec(
            sys.executable, *arguments, env=certificates.environment,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        said, complaints = await process.communicate()
        assert process.returncode == 0, complaints.decode()
        return said.decode()

    @pytest.mark.requirement("WIRE-DID-03", "WIRE-DID-04", "WIRE-DOC-04")
    @pytest.mark.parametrize("profile", ["e1", "k1"])
    async def test_their_signatures_and_our_tokens_are_accepted(
        self, certificates: Certificates, registry: Registry, ours: FarSide, tmp_path: Path, profile: str
    ) -> None:
        wanted = ["GET", ours.url("localhost", "/ad.json?x=1"), "GET", ours.url("localhost", "/ad.json")]
        did, told = await self.call(certificates, registry, tmp_path, wanted, profile=profile)
        assert [entry["status"] for entry in told] == [200, 200]
        assert [json.loads(entry["text"]) for entry in told] == [
            {"id": did, "binding": "request"},
            {"id": did, "binding": "token"},
        ]
        assert [entry["token"] for entry in told] == [False, True]
        assert registry.fetched == 1

    @pytest.mark.requirement("WIRE-SIG-03")
    async def test_a_body_is_covered_by_their_signature(
        self, certificates: Certificates, registry: Registry, ours: FarSide, tmp_path: Path
    ) -> None:
        did, told = await self.call(certificates, registry, tmp_path, ["POST", ours.url("localhost", "/rpc")])
        assert json.loads(told[0]["text"]) == {"id": did, "binding": "request"}
        assert b"add" in ours.asked[0].body

    @pytest.mark.requirement("WIRE-NONCE-02")
    @pytest.mark.parametrize("ours", [{"rules": Rules(demand_nonce=True)}], indirect=True)
    async def test_they_answer_our_challenge_with_its_nonce(
        self, certificates: Certificates, registry: Registry, ours: FarSide, tmp_path: Path
    ) -> None:
        did, told = await self.call(certificates, registry, tmp_path, ["POST", ours.url("localhost", "/rpc")])
        assert json.loads(told[0]["text"]) == {"id": did, "binding": "request"}
        assert len(ours.asked) == 2

    @pytest.mark.parametrize(("ours", "status"), [({"older": True}, 200), ({}, 401)], indirect=["ours"])
    async def test_their_older_header_counts_only_where_it_is_allowed(
        self, certificates: Certificates, registry: Registry, ours: FarSide, tmp_path: Path, status: int
    ) -> None:
        wanted = ["GET", ours.url("localhost", "/ad.json")]
        _, told = await self.call(certificates, registry, tmp_path, wanted, mode="legacy_didwba")
        assert told[0]["status"] == status

    async def test_one_whose_document_is_not_where_the_did_says_is_refused(
        self, certificates: Certificates, registry: Registry, ours: FarSide, tmp_path: Path
    ) -> None:
        registry.publish = lambda _did, _body: None  # type: ignore[method-assign]
        _, told = await self.call(certificates, registry, tmp_path, ["GET", ours.url("localhost", "/")])
        assert told[0]["status"] == 401


_MAKE = """
import json, pathlib, sys
from anp.authentication import create_did_wba_document
folder, port, profile = sys.argv[1:]
document, keys = create_did_wba_document("localhost", int(port), ["user", "bob"], did_profile=profile)
pathlib.Path(folder, "did.json").write_text(json.dumps(document))
pathlib.Path(folder, "key.pem").write_bytes(keys["key-1"][0])
print(document["id"])
"""
