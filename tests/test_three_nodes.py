"""Three nodes as programs on one machine: found, called over each protocol, one negotiation, and one of them killed."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.demand import profile
from tests.support.program import ENVIRONMENT, MOOT, Served, ran, serving

EXAMPLES = Path(__file__).parents[1] / "examples"
DEMAND = "我想在北京办一场50人的AI主题聚会，预算20000元，需要场地、嘉宾和摄影"
pytestmark = pytest.mark.timeout(240)  # processes begin with seconds of imports, on a machine that others use

THIRD = '''
"""A node with a photographer who thinks about the first plan until somebody looks, and with something to call."""

import os
from typing import ClassVar

import anyio

from moothall import Agent, DemandAgent, Node, PlanReview, ReviewReply, capability
from tests.support.demand import profile


class Camera(DemandAgent):
    async def review(self, request: PlanReview) -> ReviewReply:
        await anyio.to_thread.run_sync(lambda: open(os.environ["PIPE"], "w").close())
        return await anyio.sleep_forever()


@capability(access="public", idempotent=True, read_only=True)
def lighthouse(harbour: str) -> str:
    """Tell the colour of the lighthouse of a harbour.

    Args:
        harbour: its name.
    """
    return f"{harbour}: green"


node = Node()
node.add(Camera("camera", profile("camera", "摄影", price=1000)), Agent("port", lighthouse))
'''


@dataclass
class Town:
    """The three nodes: the first one asks; it alone is spoken to as its owner."""

    folder: Path
    first: Served
    second: Served
    third: Served

    def owner(self, *words: str) -> Any:
        """What a command of the first node's owner prints."""
        done = ran(*words, "--data", str(self.first.data), "--json", cwd=self.folder)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def call(self, what: str, **given: Any) -> Any:
        (value,) = self.owner("call", what, json.dumps(given))
        return value


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("town")
    (folder / "third.py").write_text(THIRD, encoding="utf-8")
    os.mkfifo(folder / "pipe")
    shared = {"MOOTHALL_EGRESS_ALLOW": "http://localhost", "PIPE": str(folder / "pipe"), "PYTHONPATH": str(Path.cwd())}
    with ExitStack() as stack, ThreadPoolExecutor() as pool:
        others = [
            serving(EXAMPLES / "participant.py", cwd=folder, data="second", **shared),
            serving(folder / "third.py", cwd=folder, data="third", **shared),
        ]
        second, third = pool.map(stack.enter_context, others)
        for node in (second, third):
            node.url = node.url.replace("127.0.0.1", "localhost")  # the name in their DIDs
        (folder / "moothall.toml").write_text(f'[mcp.third]\nurl = "{third.url}/mcp"\n', encoding="utf-8")
        first = stack.enter_context(serving(cwd=folder, data="first", **shared))
        yield Town(folder, first, second, third)


def test_a_node_finds_what_others_offer_and_calls_it_over_every_protocol(town: Town) -> None:
    port, hall, camera = town.third.did("port"), town.second.did("hall"), town.third.did("camera")

    def found(*words: str) -> set[str]:
        return {row["target"] for row in town.owner("search", *words)}

    assert f"{port}#lighthouse" not in found("lighthouse", "harbour")
    for other in (town.second, town.third):
        (report,) = town.owner("crawl", other.url)
        assert other.did() in report["listed"]
    assert f"{port}#lighthouse" in found("lighthouse", "harbour")
    assert hall in found("场地提供")
    for words, agent in (("摄影", camera), ("场地", hall)):
        assert agent in {one["target"] for one in town.owner("participants", "find", words)}
    for door, target in {
        "anp": f"{port}#lighthouse",
        "a2a": f"a2a:{town.third.url}/agents/port#lighthouse",
        "mcp": "mcp:third.port_lighthouse",
        "http": f"{town.third.url}/api/v1/capabilities/port.lighthouse",
    }.items():
        assert town.call(target, harbour="Ystad") == "Ystad: green"
        *_, last = (line for line in town.third.log.splitlines() if "port.lighthouse by" in line)
        assert f"at {door}: ok" in last


@pytest.mark.requirement("SOA-05", "SOA-08")
def test_a_demand_is_answered_by_agents_of_all_three_and_ends_rightly_when_one_node_is_killed(town: Town) -> None:
    own = profile("speaker", "演讲嘉宾", price=2000)
    town.call("local:agents.new", profile=own.private())
    (hall,) = town.owner("participants", "add", town.second.did("hall"))
    (camera,) = town.owner("participants", "add", f"a2a:{town.third.url}/agents/camera")
    with subprocess.Popen(
        [*MOOT, "demand", DEMAND, "--json", "--data", str(town.first.data)],
        cwd=town.folder, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True,
    ) as asking:  # fmt: skip
        with (town.folder / "pipe").open(encoding="utf-8"):  # until the photographer looks at the plan
            town.third.kill()
        out, _ = asking.communicate(timeout=60)
    assert asking.returncode == 0
    events = [json.loads(line) for line in out.splitlines()]
    kinds = [event.get("event_type", "") for event in events]
    offers = {event["payload"]["agent_id"] for event in events if event.get("event_type") == "towow.offer.submitted"}
    assert offers == {own.agent_id, hall["agent_id"], camera["agent_id"]}
    assert [kind for kind in kinds if kind in {"towow.proposal.finalized", "towow.negotiation.failed"}] == [
        "towow.proposal.finalized"
    ]
    final = next(event["payload"] for event in events if event.get("event_type") == "towow.proposal.finalized")
    assert final["consensus"] == "partial"
    assert final["unconfirmed"] == [camera["agent_id"]]
    assert town.call(f"{town.second.did('hall')}#demand.profile")["user_name"] == "青社大厅"
    listed = {row["agent_id"] for row in town.owner("participants", "list")}
    assert listed == {hall["agent_id"], camera["agent_id"]}
    (view,) = town.owner("services", "overview")
    health = {row["endpoint"]: row for row in view["endpoints"]}
    assert health[town.second.did("hall")]["errors"] == 0
    assert any(row["errors"] for name, row in health.items() if name == town.third.url.removeprefix("http://"))
    done = ran("call", f"{town.third.did('port')}#lighthouse", "harbour=Ystad", "--data", "first", cwd=town.folder)
    assert done.returncode != 0
    assert "green" not in done.stdout
