"""Whom the policy suspends: refused at every address that asks who calls, also on what is open already."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from moothall import Node, capability
from moothall.errors import PermissionDeniedError
from moothall.identity.middleware import AuthMiddleware
from moothall.identity.request import HttpRequest
from tests.server.door import DEMAND, SUBMIT, Door, Gate, served, stream_of

ALICE, BOB = "alice-key-0123456789", "bob-key-0123456789ab"
KEYS = f"alice:{ALICE},bob:{BOB}"
PROPOSED = "towow.proposal.distributed"


def by(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@capability(access="public")
def hello() -> str:
    """Greet anybody."""
    return "hello"


class Suspensions:
    """The list in ``moothall.toml`` of a node that runs."""

    def __init__(self, data: Path) -> None:
        self._file = data / "moothall.toml"
        self.node: Node | None = None
        self.say("nobody")

    def say(self, *names: str) -> None:
        """Write the list, as a file that was changed at a moment of its own."""
        self._file.write_text(f"suspended = {list(names)!r}\n")
        last = self._file.stat().st_mtime_ns
        os.utime(self._file, ns=(last, last + 1_000_000_000))
        if self.node:
            self.node.host.suspended("")  # the first look; the next one takes what is still there


@pytest.fixture
def suspensions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Suspensions:
    """The file of the node of this test, which looks at it whenever it asks."""
    monkeypatch.setattr("moothall.watched.EVERY", 0.0)
    return Suspensions(tmp_path)


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
async def door(tmp_path: Path, suspensions: Suspensions, gate: Gate) -> AsyncIterator[Door]:
    async with served(tmp_path, participants=gate.behind, settings={"api_keys": KEYS}, heartbeat=0.05) as opened:
        opened.node.include(hello)
        suspensions.node = opened.node
        yield opened
        gate.opened.set()


async def submitted(door: Door) -> dict[str, Any]:
    answer = await door.client.post(SUBMIT, json={"raw_input": DEMAND}, headers=by(ALICE))
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def addresses(demand: dict[str, Any]) -> list[tuple[str, str]]:
    """One address of every kind that asks who calls."""
    events = f"/api/v1/events/negotiations/{demand['demand_id']}"
    return [
        ("POST", SUBMIT),
        ("GET", "/api/v1/demand"),
        ("GET", f"/api/v1/demand/{demand['demand_id']}"),
        ("GET", f"/api/v1/channels/{demand['channel_id']}"),
        ("GET", f"{events}/recent"),
        ("HEAD", f"{events}/stream"),
        ("GET", f"/api/v1/events/stream?channel_id={demand['channel_id']}"),
        ("GET", f"/api/v1/channels/{demand['channel_id']}/invitation"),
        ("GET", "/api/v1/admin/agents"),
        ("GET", "/metrics"),
        ("GET", "/api/v1/capabilities"),
        ("POST", "/api/v1/capabilities/node.hello"),
    ]


@pytest.mark.requirement("AUT-01")
async def test_a_suspended_identity_is_refused_everywhere_until_it_is_not(door: Door, suspensions: Suspensions) -> None:
    demand = await submitted(door)
    suspensions.say("user:alice")
    for method, path in addresses(demand):
        answer = await door.client.request(
            method, path, headers=by(ALICE), json={"raw_input": "x"} if method == "POST" else None
        )
        assert answer.status_code == 403, path
        assert 'error="forbidden_did"' in answer.headers["www-authenticate"], path
    async with httpx.AsyncClient(transport=httpx.ASGITransport(door.node.app()), base_url=door.node.url) as other:
        assert (await other.post("/agents/node/rpc", json={}, headers=by(ALICE))).status_code == 403
    assert (await door.client.get("/api/v1/demand", headers=by(BOB))).status_code == 200
    suspensions.say()
    seen = await door.client.get(f"/api/v1/demand/{demand['demand_id']}", headers=by(ALICE))
    assert seen.status_code == 200


@pytest.mark.requirement("AUT-01")
async def test_who_calls_is_known_of_a_suspended_identity_too_and_the_policy_alone_refuses_it(
    door: Door, suspensions: Suspensions
) -> None:
    verifier = door.node.host.office.verifier
    shown = HttpRequest("GET", "/", [(b"authorization", f"Bearer {ALICE}".encode())])
    suspensions.say("user:alice")
    assert (await AuthMiddleware(verifier).verify_identity(shown)).caller_did == "user:alice"
    with pytest.raises(PermissionDeniedError) as caught:
        await verifier.verify(shown)
    assert caught.value.reason == "forbidden_did"
    suspensions.say()
    assert (await verifier.verify(shown)).id == "user:alice"


async def test_the_stream_token_of_a_suspended_identity_opens_nothing(door: Door, suspensions: Suspensions) -> None:
    demand = await submitted(door)
    recent = f"/api/v1/events/negotiations/{demand['demand_id']}/recent?token={demand['stream_token']}"
    assert (await door.client.get(recent)).status_code == 200
    suspensions.say("user:alice")
    assert (await door.client.get(recent)).status_code == 403
    assert (await door.client.get(recent, headers=by(BOB))).status_code == 403


@pytest.mark.parametrize("way", ["key", "token"])
async def test_a_stream_that_is_open_ends_before_anything_else_is_sent(
    door: Door, suspensions: Suspensions, gate: Gate, way: str
) -> None:
    demand = await submitted(door)
    request = {"headers": by(ALICE)} if way == "key" else {"params": {"token": demand["stream_token"]}}
    got: list[Any] = []
    async for _, event in door.events(demand["demand_id"], **request):
        got.append(event["event_type"])
        if event["event_type"] == PROPOSED:
            suspensions.say("user:alice")
            gate.opened.set()
    assert got[-1] == PROPOSED
    assert (await door.client.get(stream_of(demand["demand_id"]), **request)).status_code == 403
