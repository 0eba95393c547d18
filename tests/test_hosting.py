"""A node hosts agents: each with an identity of its own, before and while it runs, and again after a restart."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from moothall import (
    Agent,
    CallContext,
    Conflict,
    Node,
    ServiceNotFoundError,
    Settings,
    Source,
    UsageError,
    capability,
    register_source,
)
from moothall.calls.ports import CallFacts, Outgoing
from moothall.calls.reply import Reply
from moothall.calls.target import Target
from moothall.capability.plugins import SOURCES
from moothall.errors import ApprovalPending, PermissionDeniedError, SettingsError, Unauthenticated, ValidationError
from moothall.identity.apikeys import ApiKeys
from moothall.identity.principal import Principal
from moothall.identity.request import HttpRequest
from moothall.identity.signing import sign_request


def settings(data: Path, **given: Any) -> Settings:
    return Settings(data=data, demo_agents=False, **given)


@capability(access="public")
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@capability
def admin_reset() -> None:
    """Start again."""


@capability
async def who(ctx: CallContext) -> str:
    """Tell who calls."""
    return ctx.principal.id


async def test_agents_have_names_capabilities_and_identities_of_their_own(tmp_path: Path) -> None:
    node = Node(settings(tmp_path))
    node.include(add)
    node.add(Agent("first", add), Agent("second", who))
    async with node:
        assert await node.call("local:first.add", a=1, b=2) == 3
        assert await node.call("local:second.who") == "owner"
        identities = [node.host.office.agent(name) for name in ("node", "first", "second")]
        assert len({identity.did.text for identity in identities if identity}) == 3
        with pytest.raises(Conflict):
            node.add(Agent("first"))


async def test_an_agent_that_comes_while_the_node_runs_is_served_and_stays_itself_after_a_restart(
    tmp_path: Path,
) -> None:
    node = Node(settings(tmp_path))
    late = Agent("late")
    async with node:
        node.add(late)
        late.include(add)
        assert await node.call("local:late.add", a=1, b=2) == 3
        before = node.host.office.agent("late")
        async with httpx.AsyncClient(transport=httpx.ASGITransport(node.app()), base_url=node.url) as client:
            assert (await client.get("/agents/late/ad.json")).json()["name"] == "late"
    async with node:
        assert await node.call("local:late.add", a=2, b=2) == 4
        after = node.host.office.agent("late")
    assert before is not None
    assert after is not None
    assert before.did == after.did


async def test_a_node_that_has_started_has_its_address_already(tmp_path: Path) -> None:
    node = Node(settings(tmp_path))
    node.listen_on(4711)
    assert node.url == "http://localhost:4711"
    async with node:
        with pytest.raises(UsageError):
            node.listen_on(4712)


@pytest.mark.requirement("DEC-34", "DEC-25")
async def test_the_start_tells_what_the_network_reaches_and_what_sounds_like_a_mistake(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    node = Node(settings(tmp_path))
    node.include(add, admin_reset)
    logging.getLogger("moothall").propagate = True
    with caplog.at_level(logging.INFO, "moothall.hosting"):
        async with node:
            pass
    told = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert any(level == "INFO" and "node.add@1.0.0" in line and "anybody" in line for level, line in told)
    warned = [line for level, line in told if level == "WARNING"]
    assert any("node.admin_reset" in line for line in warned)
    assert not any("node.add " in line for line in warned)


async def test_agents_that_are_not_to_be_found_are_not_listed_and_can_be_called(tmp_path: Path) -> None:
    node = Node(settings(tmp_path))
    node.add(Agent("open", add), Agent("shy", add, listed=False))
    async with (
        node,
        httpx.AsyncClient(transport=httpx.ASGITransport(node.app()), base_url=node.url) as client,
    ):
        listed = (await client.get("/.well-known/agent-descriptions")).json()["items"]
        assert [item["name"] for item in listed] == ["node", "open"]
        answer = await client.post(
            "/agents/shy/rpc", json={"jsonrpc": "2.0", "id": 1, "method": "add", "params": {"a": 1, "b": 1}}
        )
        assert answer.json()["result"] == 2


class Echo:
    """Answers what it is given."""

    schemes = ("echo",)

    async def call(self, outgoing: Outgoing) -> Any:
        return outgoing.params

    async def stream(self, outgoing: Outgoing) -> AsyncIterator[Any]:
        yield outgoing.params

    async def describe(self, target: Target, agent: str) -> dict[str, Any]:
        return {"target": str(target), "agent": agent}


@pytest.fixture
def plugged() -> Iterator[None]:
    register_source(Source("echo", connect=Echo))
    yield
    SOURCES.remove("echo")


@pytest.mark.usefixtures("plugged")
@pytest.mark.requirement("DEC-49")
async def test_a_source_of_a_plug_in_is_connected_when_the_node_starts(tmp_path: Path) -> None:
    @capability(source="echo")
    async def say(word: str) -> dict[str, str]:
        """Say it."""

    node = Node(settings(tmp_path))
    node.include(say)
    async with node:
        assert await node.call("local:say", word="hello") == {"word": "hello"}
        assert await say("again") == {"word": "again"}


async def test_a_plug_in_without_a_connector_stops_the_start(tmp_path: Path) -> None:
    register_source(Source("broken", connect=object))
    try:
        with pytest.raises(SettingsError, match="broken"):
            await Node(settings(tmp_path)).start()
    finally:
        SOURCES.remove("broken")


def failing(name: str, ran: list[str]) -> Callable[[], None]:
    def hook() -> None:
        ran.append(name)
        raise RuntimeError(name)

    return hook


async def test_a_stop_hook_that_fails_stops_nothing_else_and_is_told_at_the_end(tmp_path: Path) -> None:
    ran: list[str] = []
    first, second = Agent("first"), Agent("second")
    first.on_stop(failing("first", ran))
    second.on_stop(lambda: ran.append("second"))
    node = Node(settings(tmp_path))
    node.add(first, second)
    await node.start()
    with pytest.raises(RuntimeError, match="first"):
        await node.stop()
    assert ran == ["second", "first"]
    async with Node(settings(tmp_path)) as other:
        assert other.ready
    await node.stop()


async def test_every_part_is_closed_although_several_fail_and_the_first_failure_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ran: list[str] = []
    agent = Agent("a")
    agent.on_stop(failing("hook", ran))
    node = Node(settings(tmp_path))
    node.add(agent)
    await node.start()
    close = node.log.close

    async def closes_badly() -> None:
        await close()
        failing("log", ran)()

    monkeypatch.setattr(node.log, "close", closes_badly)
    logging.getLogger("moothall").propagate = True
    with pytest.raises(RuntimeError, match="hook"):
        await node.stop()
    assert ran == ["hook", "log"]
    assert any("log" in str(record.exc_info) for record in caplog.records)
    async with Node(settings(tmp_path)):
        pass


async def test_a_stop_that_is_given_up_still_closes_everything(tmp_path: Path) -> None:
    hanging = asyncio.Event()
    agent = Agent("a")

    @agent.on_stop
    async def hang() -> None:
        hanging.set()
        await asyncio.Event().wait()

    node = Node(settings(tmp_path))
    node.add(agent)
    await node.start()
    stopping = asyncio.create_task(node.stop())
    await hanging.wait()
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping
    async with Node(settings(tmp_path)):
        pass


async def test_a_start_hook_that_fails_is_told_and_leaves_nothing_open(tmp_path: Path) -> None:
    ran: list[str] = []
    agent = Agent("a")
    agent.on_start(failing("start", ran))
    agent.on_stop(failing("stop", ran))
    node = Node(settings(tmp_path))
    node.add(agent)
    with pytest.raises(RuntimeError, match="start"):
        await node.start()
    assert ran == ["start", "stop"]
    async with Node(settings(tmp_path)):
        pass


async def test_an_agent_with_hooks_joins_a_node_that_runs_and_is_called_only_after_them(tmp_path: Path) -> None:
    ran: list[str] = []
    agent, held = Agent("late", add), asyncio.Event()
    agent.on_stop(lambda: ran.append("stop"))

    @agent.on_start
    async def begin() -> None:
        await held.wait()
        ran.append("start")

    node = Node(settings(tmp_path))
    async with node:
        with pytest.raises(UsageError, match="late"):
            node.add(agent)
        joining = asyncio.create_task(node.join(agent))
        await asyncio.sleep(0)
        with pytest.raises(ServiceNotFoundError):
            await node.call("local:late.add", a=1, b=2)
        with pytest.raises(Conflict):
            await node.join(Agent("late"))
        held.set()
        await joining
        assert await node.call("local:late.add", a=1, b=2) == 3
        assert ran == ["start"]
    assert ran == ["start", "stop"]
    async with node:
        assert ran == ["start", "stop", "start"]


async def test_an_agent_that_joins_a_node_before_it_runs_starts_with_it(tmp_path: Path) -> None:
    ran: list[str] = []
    agent = Agent("early")
    agent.on_start(lambda: ran.append("start"))
    node = Node(settings(tmp_path))
    await node.join(agent)
    assert not ran
    async with node:
        assert ran == ["start"]


async def test_an_agent_whose_start_hook_fails_does_not_join(tmp_path: Path) -> None:
    ran: list[str] = []
    agent = Agent("late", add)
    agent.on_start(failing("start", ran))
    agent.on_stop(lambda: ran.append("stop"))
    async with Node(settings(tmp_path)) as node:
        with pytest.raises(RuntimeError, match="start"):
            await node.join(agent)
        assert ran == ["start", "stop"]
        assert "late" not in node.agents
        with pytest.raises(ServiceNotFoundError):
            await node.call("local:late.add", a=1, b=2)
    assert ran == ["start", "stop"]


async def test_an_agent_that_joins_while_the_node_stops_is_stopped_too(tmp_path: Path) -> None:
    ran: list[str] = []
    agent, began, held = Agent("late"), asyncio.Event(), asyncio.Event()
    agent.on_stop(lambda: ran.append("stop"))

    @agent.on_start
    async def begin() -> None:
        began.set()
        await held.wait()

    async with Node(settings(tmp_path)) as node:
        joining = asyncio.create_task(node.join(agent))
        await began.wait()
    held.set()
    with pytest.raises(UsageError):
        await joining
    assert ran == ["stop"]


async def test_what_is_taken_out_while_the_node_runs_is_gone(tmp_path: Path) -> None:
    node = Node(settings(tmp_path))
    node.include(add)
    async with node:
        node.host.capabilities.remove("node.add")
        with pytest.raises(ServiceNotFoundError):
            await node.call("local:add", a=1, b=2)


@pytest.mark.requirement("WIRE-TOKEN-04")
async def test_the_owner_takes_tokens_back_by_name(tmp_path: Path) -> None:
    node = Node(settings(tmp_path))
    async with node:
        agent = node.host.office.agent("node")
        assert agent is not None
        verifier = node.host.office.verifier
        signed = sign_request(agent.signer, "GET", f"{node.url}/", b"", now=int(time.time()))
        headers = [(name.lower().encode(), value.encode()) for name, value in signed.items()]
        principal = await verifier.verify(HttpRequest("GET", "/", [(b"host", b"localhost:8420"), *headers]))
        token = verifier.welcome(principal)[0][1].split('"')[1]
        shown = HttpRequest("GET", "/", [(b"authorization", f"Bearer {token}".encode())])
        assert (await verifier.verify(shown)).id == agent.did.text
        assert await node.call("local:tokens.revoke", did=agent.did.text) == agent.did.text
        with pytest.raises(Unauthenticated):
            await verifier.verify(shown)
        with pytest.raises(ValidationError):
            await node.call("local:tokens.revoke")


class Safe:
    """Opens when it is approved, and remembers for whom."""

    def __init__(self) -> None:
        self.opened_for: list[str] = []

    @capability(access="authenticated")
    async def open(self, ctx: CallContext) -> None:
        """Open it."""
        self.opened_for.append(ctx.principal.id)

    @capability
    async def empty(self, ctx: CallContext) -> None:
        """Take everything out, for the owner."""
        self.opened_for.append(ctx.principal.id)


_KEY, _BEAS = "k" * 16, "b" * 16
_BEA = Principal(id="user:bea", kind="user", binding="token")
_RULE = """
[[approvals.rule]]
name = "the safe"
capability = "node.{name}"
workflow = "bea"
[[approvals.workflow.bea.step]]
type = "any"
approvers = ["user:bea"]
"""
_KEYS = {
    "user": {"api_keys": f"bea:{_BEAS},alice:{_KEY}"},
    "admin": {"api_keys": f"bea:{_BEAS}", "admin_api_key": _KEY},
    "did": {"api_keys": f"bea:{_BEAS}"},
}


@pytest.mark.parametrize("there", [True, False], ids=["there", "gone"])
@pytest.mark.parametrize("kind", ["user", "admin", "did"])
async def test_an_approved_call_is_made_only_if_its_requester_would_still_be_let_in(
    tmp_path: Path, kind: str, there: bool
) -> None:
    safe, name = Safe(), "empty" if kind == "did" else "open"
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy" / "policy.toml").write_text(_RULE.format(name=name), encoding="utf-8")
    node = Node(settings(tmp_path, **_KEYS[kind]))
    node.add(Agent("helper"))
    node.include(safe)
    async with node:
        keys, helper = ApiKeys.of(node.settings, "o" * 16), node.host.hosted["helper"].identity.did.text
        acting = Principal(id=helper, kind="did", binding="request", owner=True)
        asks = {"user": keys.bearer(_KEY), "admin": keys.admin(_KEY), "did": acting}[kind]
        assert asks is not None
        waits = await called(node, name, asks)
        assert isinstance(waits.error, ApprovalPending), waits
    node = Node(settings(tmp_path, **(_KEYS[kind] if there else _KEYS["did"])))
    if there:
        node.add(Agent("helper"))
    node.include(safe)
    async with node:
        approval = waits.error.approval_id
        decided = await called(node, "approvals.decide", _BEA, approval_id=approval, decision="approved")
        assert decided.error is None
        ended = await node.host.path.approved(approval, time.monotonic() + 60)
    assert (ended.error is None, safe.opened_for) == ((True, [asks.id]) if there else (False, []))
    assert there or isinstance(ended.error, PermissionDeniedError)


async def called(node: Node, name: str, who: Principal, **params: Any) -> Reply[Any]:
    return await node.host.path.call(Target.parse(f"local:{name}"), params, CallFacts(door="http", principal=who))
