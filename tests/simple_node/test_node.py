"""The node of spec A: how it starts, what is there while it runs, and that nothing of it is left (META-ALICE-03, 06, 11)."""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from moothall.errors import Conflict, InvalidInput, SessionEnded, UsageError
from moothall.identity.did import Did
from moothall.identity.document import DidDocument
from moothall.server.run import AddressInUse, bind
from moothall.simple_node.node import SimpleNegotiationNode
from tests.simple_node.pair import Provider, children, connected, simple, two

SECONDS = 2.0
"""In which a node that is stopped has gone (row META-ALICE-11)."""


def port_of(node: SimpleNegotiationNode) -> int:
    return int(node.url.rpartition(":")[2])


async def got(url: str) -> Any:
    async with httpx.AsyncClient(trust_env=False) as client:
        return (await client.get(url)).raise_for_status().json()


@pytest.mark.requirement("META-ALICE-06", "META-BOB-05")
async def test_it_takes_connections_when_run_returns_and_the_loop_goes_on(tmp_path: Path) -> None:
    async with simple(tmp_path) as node:
        assert (await got(f"{node.url}/health"))["status"]


@pytest.mark.requirement("META-ALICE-06", "META-BOB-05")
async def test_a_port_in_use_raises_and_nothing_is_left(tmp_path: Path) -> None:
    before = asyncio.all_tasks()
    with bind("localhost", 0) as taken:
        node = SimpleNegotiationNode("localhost", None, taken.getsockname()[1], "/ws", tmp_path)
        with pytest.raises(AddressInUse):
            await node.run()
    await node.stop()
    assert asyncio.all_tasks() <= before


@pytest.mark.requirement("META-ALICE-03")
async def test_two_nodes_in_one_process_talk_at_their_ports_and_paths(tmp_path: Path) -> None:
    provider = Provider()
    async with two(tmp_path, provider) as (alice, bob):
        assert port_of(alice) != port_of(bob)
        description = await got(f"{bob.url}/agents/node/ad.json")
        found = [each["url"] for each in description["interfaces"] if each.get("binding") == "websocket-frames"]
        assert found == [f"ws://localhost:{port_of(bob)}/ws"]
        session = await connected(alice, bob)
        assert (await session.requester_instance.call({"user_id": "u-2"}))["titles"] == ["Bridges", "Tunnels"]


@pytest.mark.requirement("META-BOB-04")
async def test_the_did_document_is_served_at_its_url_with_a_proof_that_verifies(tmp_path: Path) -> None:
    async with simple(tmp_path) as node:
        did = Did.parse(node.did)
        served = await got(f"{node.url}/{'/'.join(did.path)}/did.json")
        document = DidDocument.load(did, served)
        assert document.did == did
        with pytest.raises(InvalidInput):
            DidDocument.load(did, served | {"alsoKnownAs": ["did:example:somebody"]})


@pytest.mark.requirement("META-ALICE-11", "META-BOB-06")
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
async def test_what_is_stopped_leaves_no_task_no_socket_and_no_process_and_its_peer_hears_of_it(
    tmp_path: Path,
) -> None:
    tasks, processes = asyncio.all_tasks(), children()
    async with simple(tmp_path / "alice") as alice:
        alone = asyncio.all_tasks()
        bob = simple(tmp_path / "bob", Provider())
        await bob.run()
        port = port_of(bob)
        session = await connected(alice, bob)
        began = time.monotonic()
        await bob.stop()
        assert time.monotonic() - began < SECONDS
        await bob.stop()
        with pytest.raises(SessionEnded):
            await session.requester_instance.send_request({"user_id": "u-1"})
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("localhost", port))
        await session.close()
        assert asyncio.all_tasks() <= alone
        began = time.monotonic()
    assert time.monotonic() - began < SECONDS
    assert asyncio.all_tasks() <= tasks
    assert children() <= processes


async def test_it_can_be_stopped_before_it_ran_and_run_again_after_it_stopped(tmp_path: Path) -> None:
    node = simple(tmp_path)
    await node.stop()
    node = simple(tmp_path)
    did = node.did
    await node.run()
    with pytest.raises(Conflict):
        await node.run()
    with pytest.raises(UsageError):
        node.generate_did_document()
    await node.stop()
    assert node.did == did
    with pytest.raises(UsageError):
        _ = node.url
