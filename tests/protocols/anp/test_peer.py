"""The published package `anp` visits an agent of a node, and the node calls an agent made of it, over TLS.

The package runs in processes of its own, with its own resolver and its own trust in certificates; nothing is replaced.
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
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme

from moothall.errors import ServiceNotFoundError, UpstreamError, ValidationError
from moothall.identity.did import Did
from moothall.node import Node
from moothall.server.run import Address, Tls, bind, serve_on
from moothall.settings import Settings
from tests.identity.net.far_side import Asked, far_side, reply
from tests.protocols.anp import hall

pytestmark = pytest.mark.skipif(importlib.util.find_spec("anp") is None, reason="the peer is not for this Python")

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Certificates:
    """An authority of the test and a certificate for localhost, as files."""

    ca: trustme.CA
    authority: Path
    tls: Tls

    @property
    def environment(self) -> dict[str, str]:
        """What makes the peer trust the authority; nothing else of ours reaches it."""
        return {"PATH": os.environ["PATH"], "SSL_CERT_FILE": str(self.authority), "PYTHONDONTWRITEBYTECODE": "1"}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    folder, ca = tmp_path_factory.mktemp("tls"), trustme.CA()
    leaf = ca.issue_cert("localhost")
    authority, chain, key = folder / "ca.pem", folder / "chain.pem", folder / "key.pem"
    ca.cert_pem.write_to_path(str(authority))
    leaf.cert_chain_pems[0].write_to_path(str(chain))
    leaf.private_key_pem.write_to_path(str(key))
    return Certificates(ca, authority, Tls(chain, key, authority))


@asynccontextmanager
async def served(data: Path, certificates: Certificates) -> AsyncIterator[Node]:
    """A whole node that speaks https."""
    listener = bind("127.0.0.1", 0)
    settings = Settings(data=data, demo_agents=False, egress_allow="localhost", egress_ca=str(certificates.authority))
    node = Node(settings)
    node.listen_on(listener.getsockname()[1], secure=True)
    node.include(hall.add, hall.count, hall.transfer)
    async with node:
        listening: asyncio.Future[Address] = asyncio.get_running_loop().create_future()
        stop = asyncio.Event()
        serving = asyncio.create_task(
            serve_on(
                listener, node.app(), host="127.0.0.1", on_ready=listening.set_result, stop=stop, tls=certificates.tls
            )
        )
        await listening
        try:
            yield node
        finally:
            stop.set()
            await serving


@pytest.fixture
async def node(tmp_path: Path, certificates: Certificates) -> AsyncIterator[Node]:
    async with served(tmp_path / "node", certificates) as started:
        yield started


@pytest.fixture(scope="module")
def peer(certificates: Certificates) -> Iterator[str]:
    """The DID of an agent made of the peer."""
    command = [sys.executable, HERE / "peer_agent.py", certificates.tls.chain, certificates.tls.key]
    with subprocess.Popen(
        command, env=certificates.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["did"]
        process.terminate()


@pytest.mark.requirement("WIRE-DOC-06", "WIRE-AD-01", "WIRE-RPC-04")
async def test_a_running_node_serves_the_documents_of_its_agents(node: Node, certificates: Certificates) -> None:
    identity = node.host.office.agent("node")
    assert identity is not None
    trusted = ssl.create_default_context(cafile=str(certificates.authority))
    async with httpx.AsyncClient(verify=trusted, trust_env=False) as client:
        got = await client.get(Did.parse(identity.did.text).document_url())
        assert (got.status_code, got.headers["content-type"]) == (200, "application/json")
        assert got.json()["id"] == identity.did.text
        page = await client.get(f"{node.url}/.well-known/agent-descriptions")
        assert [item["@id"] for item in page.json()["items"]] == [f"{node.url}/agents/node/ad.json"]
        assert (await client.get(page.json()["items"][0]["@id"])).json()["did"] == identity.did.text
        refused = await client.post(f"{node.url}/agents/node/rpc", json={})
        assert (refused.status_code, refused.json()["error"]["data"]["challenge"]["error"]) == (401, "invalid_request")


@pytest.mark.requirement("WIRE-AD-01", "WIRE-RPC-01", "WIRE-RPC-02")
async def test_the_peer_resolves_reads_and_calls_our_agent(
    node: Node, certificates: Certificates, tmp_path: Path
) -> None:
    documents: list[bytes] = []

    async def document(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await reply(documents[0])(asked, writer)

    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificates.ca.issue_cert("localhost").configure_cert(tls)
    identity = node.host.office.agent("node")
    assert identity is not None
    whom: dict[str, Any] = {
        "did": identity.did.text,
        "ad": f"{node.url}/agents/node/ad.json",
        "tool": "add",
        "method": "add",
        "arguments": {"a": 20, "b": 22},
    }
    async with far_side(document, tls) as host:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(HERE / "peer_visitor.py"),
            str(tmp_path),
            str(host.port),
            env=certificates.environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        await process.stdout.readline()
        documents.append((tmp_path / "did.json").read_bytes())
        said, complaints = await process.communicate(json.dumps(whom).encode() + b"\n")
    assert process.returncode == 0, complaints.decode()[-2000:]
    told = json.loads(said.splitlines()[-1])
    assert (told["document"], told["description"]) == (identity.did.text, identity.did.text)
    assert {"add", "count", "transfer"} <= set(told["tools"])
    assert {"add", "count", "transfer"} <= set(told["methods"])
    assert told["results"] == [42, 42]
    assert "-32602" in told["refused"]


@pytest.mark.requirement("CAL-04", "DEC-15")
async def test_our_node_resolves_reads_and_calls_an_agent_of_the_peer(node: Node, peer: str) -> None:
    told = await node.call(peer)
    assert (told["name"], told["proof"]) == ("Peer", "unsigned")
    assert {each["name"] for each in told["operations"]} == {"multiply", "whoami", "fail"}
    assert await node.call(f"{peer}#multiply", a=6, b=7) == {"product": 42}
    identity = node.host.office.agent("node")
    assert identity is not None
    assert await node.call(f"{peer}#whoami") == {"did": identity.did.text}


async def test_errors_of_the_peer_become_ours(node: Node, peer: str) -> None:
    with pytest.raises(ServiceNotFoundError):
        await node.call(f"{peer}#nothing")
    with pytest.raises(ValidationError):
        await node.call(f"{peer}#multiply", a=6)
    with pytest.raises(UpstreamError) as raised:
        await node.call(f"{peer}#fail")
    assert "inside the peer" not in str(raised.value)
