"""Groups under the names of the specification, at a node of their own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC
from typing import Any

import pytest
import pytest_asyncio

from moothall import ANPUser, Node, capability, using
from moothall.errors import Conflict, InvalidInput, PermissionDeniedError, UsageError
from moothall.groups.agent_groups import AgentGroupManager
from moothall.groups.channel import InternalCommunicationChannel
from moothall.groups.coordinator import CommunicationHub, GroupCoordinator, ResourceAllocator, TaskScheduler
from moothall.groups.group import AgentGroup
from moothall.groups.model import GroupPolicy, Rule
from moothall.groups.task_model import Offer, Part
from moothall.identity.principal import OWNER
from moothall.settings import Settings
from tests.people.house import person

pytestmark = pytest.mark.asyncio(loop_scope="module")

STATE: dict[str, Any] = {}
NAMES = ("finance", "health", "travel")


def worker(name: str) -> ANPUser:
    """An agent that says something, doubles numbers, and waits."""

    @capability(name=f"report_{name}", access="authenticated", read_only=True, tags=[name])
    async def report(text: str = "all well") -> str:
        """Say how it is."""
        return f"{name}: {text}"

    @capability(name="double", access="authenticated", idempotent=True)
    async def double(n: int) -> int:
        """Double a number."""
        STATE.setdefault("asked", []).append(name)
        if name in STATE.get("dead", ()):
            raise RuntimeError
        return 2 * n

    @capability(name="pay", access="authenticated")
    async def pay() -> str:
        """Pay."""
        STATE.setdefault("paid", []).append(name)
        raise RuntimeError

    @capability(name=f"wait_{name}", access="authenticated", read_only=True)
    async def wait() -> None:
        """Wait for ever."""
        STATE["waiting"].set()
        await asyncio.Event().wait()

    agent = ANPUser(name, report, double, pay, wait)

    @agent.register_group_event_handler
    async def heard(group_id: str, event_type: str, event_data: dict[str, Any]) -> str:
        """Take note."""
        STATE.setdefault("heard", []).append((name, event_type, event_data["sender"], event_data["content"]))
        return f"{name} has it"

    return agent


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def node(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Node]:
    keys = f"zhang_san:{'k' * 20}"
    made = Node(Settings(data=tmp_path_factory.mktemp("objects"), demo_agents=False, api_keys=keys))
    made.add(*map(worker, NAMES))
    async with made:
        people = made.host.authority.people.identities
        for name in NAMES:
            await people.register_user_agent("zhang_san", did(made, name), name, by=OWNER)
        yield made


@pytest.fixture(autouse=True)
def _fresh() -> None:
    STATE.clear()
    STATE["waiting"] = asyncio.Event()


def did(node: Node, name: str) -> str:
    found = node.host.office.did(name)
    assert found is not None
    return found


def dids(node: Node) -> list[str]:
    return [did(node, name) for name in NAMES]


async def team(node: Node, by: Any = OWNER) -> AgentGroup:
    return await AgentGroupManager(node, by=by).create_user_agent_group("zhang_san", dids(node))


@pytest.mark.requirement("GRP-02", "GRP-03", "GRP-04")
async def test_the_group_of_a_users_agents(node: Node) -> None:
    group = await team(node)
    assert (group.group_id, group.group_type) == ("user_zhang_san_agents", "personal_multi_agent")
    assert (group.owner, group.status, sorted(group.members)) == ("user:zhang_san", "active", sorted(dids(node)))
    assert group.created_at.tzinfo is UTC
    assert isinstance(group.internal_channel, InternalCommunicationChannel)
    assert isinstance(group.coordinator, GroupCoordinator)
    again = await team(node, person("zhang_san"))
    assert (again.revision, again.created_at) == (group.revision, group.created_at)
    manager = AgentGroupManager(node, by=person("zhang_san"))
    with pytest.raises(Conflict):
        await manager.create_user_agent_group("zhang_san", dids(node)[:1])
    for by in (person("li_si"), node.host.authority.engine.principal(dids(node)[0])):
        with pytest.raises(PermissionDeniedError):
            await team(node, by)
    with pytest.raises(PermissionDeniedError) as other:
        await AgentGroupManager(node).create_user_agent_group("li_si", dids(node)[:1])
    assert other.value.http_status == 403


@pytest.mark.requirement("GRP-04", "GRP-08")
async def test_its_policy_is_there_and_is_edited_by_its_owner(node: Node) -> None:
    group = await team(node)
    mine = AgentGroupManager(node, by=person("zhang_san"))
    assert await mine.group_policies.get(group.group_id) == mine.create_personal_group_policy("zhang_san", dids(node))
    barred = GroupPolicy(rules=(Rule(sender="finance", receiver="health"),))
    with pytest.raises(PermissionDeniedError):
        await AgentGroupManager(node, by=person("li_si")).group_policies.set(group.group_id, barred)
    with pytest.raises(PermissionDeniedError):
        await AgentGroupManager(node, by=person("li_si")).group_policies.get(group.group_id)
    await mine.group_policies.set(group.group_id, barred)
    shown = await mine.get_group(group.group_id)
    finance, health, travel = dids(node)
    check = shown.coordinator.check_internal_communication_policy
    assert not await check(finance, health, {})
    assert await check(health, finance, {})
    assert await check(finance, travel, {})
    await shown.set_policy(GroupPolicy())


@pytest.mark.requirement("GRP-01")
async def test_several_groups_of_one_user_are_listed_and_can_be_used(node: Node) -> None:
    first = await team(node)
    manager = AgentGroupManager(node)
    second = await manager.create_group("zhang_san:trips", dids(node)[1:], owner="user:zhang_san")
    with using(node):
        listed = await AgentGroupManager(by=person("zhang_san")).user_groups.get("zhang_san")
    assert listed.keys() == {first.group_id, second.group_id}
    for group in listed.values():
        result = await group.coordinator.coordinate_task({"parts": [{"id": "a", "capability": "report_health"}]})
        assert result["result"] == "health: all well"
    with pytest.raises(PermissionDeniedError):
        await AgentGroupManager(node, by=person("li_si")).user_groups.get("zhang_san")
    assert [name async for name, _ in manager.user_groups] == ["zhang_san"]
    assert await manager.inter_group_relations.get(first.group_id) == []


@pytest.mark.requirement("GRP-03")
async def test_only_the_owner_adds_and_removes_members(node: Node) -> None:
    await AgentGroupManager(node).create_group("crew", dids(node)[:1], owner="user:zhang_san")
    mine = await AgentGroupManager(node, by=person("zhang_san")).get_group("crew")
    await mine.add_member(dids(node)[1], "reader")
    assert mine.roles[dids(node)[1]] == "reader"
    member = node.host.authority.engine.principal(dids(node)[1])
    theirs = await AgentGroupManager(node, by=member).get_group("crew")
    for change in (theirs.add_member(dids(node)[2]), theirs.remove_member(dids(node)[0])):
        with pytest.raises(PermissionDeniedError):
            await change
    await mine.remove_member(dids(node)[1])
    assert mine.members == dids(node)[:1]
    with pytest.raises(PermissionDeniedError):
        await AgentGroupManager(node, by=member).get_group("crew")


@pytest.mark.requirement("GRP-07")
async def test_messages_go_from_member_to_member_and_nowhere_else(node: Node) -> None:
    group = await team(node)
    finance, health, _ = dids(node)
    sent = await group.coordinator.handle_inter_agent_communication(finance, health, {"text": "hello"})
    assert [reply.content for reply in sent.replies] == ["health has it"]  # type: ignore[attr-defined]
    assert STATE["heard"] == [("health", "message", finance, {"text": "hello"})]
    stranger = did(node, "node")
    for sender, receiver in ((stranger, health), (finance, stranger)):
        with pytest.raises(PermissionDeniedError) as refused:
            await group.coordinator.handle_inter_agent_communication(sender, receiver, {})
        assert str(refused.value) == "Communication not allowed outside group"
    await group.set_policy(GroupPolicy(rules=(Rule(sender="finance", receiver="health"),)))
    with pytest.raises(PermissionDeniedError) as blocked:
        await group.coordinator.handle_inter_agent_communication(finance, health, {})
    assert str(blocked.value) == "Communication blocked by group policy"
    await group.set_policy(GroupPolicy())
    as_travel = await AgentGroupManager(node, by=node.host.authority.engine.principal(dids(node)[2])).get_group(
        group.group_id
    )
    with pytest.raises(PermissionDeniedError):  # nobody speaks as another one
        await as_travel.coordinator.handle_inter_agent_communication(finance, health, {})


@pytest.mark.requirement("GRP-06")
async def test_a_task_of_three_agents_gives_a_joined_result_and_five_spans(node: Node) -> None:
    group = await team(node)
    parts = [{"id": name, "capability": f"report_{name}"} for name in NAMES]
    view = await node.call("local:groups.task", group=group.group_id, task={"parts": parts})
    assert view.status == "done"
    assert view.result.result == "finance: all well\n\nhealth: all well\n\ntravel: all well"
    assert view.result.done_by == dict(zip(NAMES, dids(node), strict=True))
    assert [span.stage for span in view.trace] == ["analyze", "match", "assign", "execute", "integrate"]
    assert len({span.span[:35] for span in view.trace}) == 1  # one trace, of the call that gave the task
    assert len({span.span for span in view.trace}) == 5
    words = await group.coordinator.coordinate_task({"description": "say how health is; say how travel is"})
    assert words["status"] == "done"
    assert sorted(words["results"]) == ["1", "2"]


@pytest.mark.requirement("GRP-06")
async def test_what_a_dead_member_had_to_do_another_one_does(node: Node) -> None:
    group = await team(node)
    STATE["dead"] = {"finance", "health"}
    task = {"parts": [{"id": "a", "capability": "double", "params": {"n": 2}}]}
    task["parts"].append({"id": "b", "capability": "double", "params": {"n": {"$result": "a"}}})
    result = await group.coordinator.coordinate_task(task)
    assert (result["status"], result["results"]) == ("done", {"a": 4, "b": 8})
    assert set(result["done_by"].values()) == {did(node, "travel")}


@pytest.mark.requirement("GRP-06")
async def test_what_nobody_does_is_reported_and_nothing_is_done_twice(node: Node) -> None:
    group = await team(node)
    parts = [
        {"id": "paid", "capability": "pay"},
        {"id": "after", "capability": "report_health", "after": ["paid"]},
        {"id": "nobody", "capability": "fly"},
        {"id": "well", "capability": "report_travel"},
    ]
    result = await group.coordinator.coordinate_task({"parts": parts})
    assert result["status"] == "partial"
    assert result["results"] == {"well": "travel: all well"}
    assert result["missing"] == {"paid": "INTERNAL_ERROR", "after": "NOT_DONE", "nobody": "NO_MEMBER"}
    assert len(STATE["paid"]) == 1  # it may have been done: nobody else is asked


async def test_what_words_alone_find_changes_nothing_without_a_confirmation(node: Node) -> None:
    group = await team(node)
    refused = await group.coordinator.coordinate_task({"description": "pay"})
    assert refused["missing"] == {"1": "NO_MEMBER"}
    assert "paid" not in STATE
    await group.coordinator.coordinate_task({"description": "pay", "confirmed": True})
    assert len(STATE["paid"]) == 1


@pytest.mark.requirement("GRP-06")
async def test_a_task_is_cancelled_by_who_gave_it(node: Node) -> None:
    group = await team(node)
    parts = [{"id": "a", "capability": "report_health"}, {"id": "b", "capability": "wait_travel", "after": ["a"]}]
    view = await node.call("local:groups.task", group=group.group_id, task={"parts": parts}, wait=0)
    await STATE["waiting"].wait()
    stranger = node.caller(principal=person("li_si"))
    for name in ("task_status", "task_cancel"):
        with pytest.raises(PermissionDeniedError):
            await stranger.call(f"local:groups.{name}", task_id=view.id)
    assert await node.call("local:groups.task_cancel", task_id=view.id)
    ended = await node.host.grouping.room.tasks.wait(OWNER, view.id, 20)
    assert ended.status == "cancelled"
    assert ended.result is not None
    assert ended.result.results == {"a": "health: all well"}
    assert view.id in {task.id for task in await node.call("local:groups.tasks", group=group.group_id)}


async def test_only_members_and_owners_give_a_group_tasks_and_a_task_makes_sense(node: Node) -> None:
    group = await team(node)
    with pytest.raises(PermissionDeniedError):
        await node.caller(principal=person("li_si")).call("local:groups.task", group=group.group_id, task={})
    circle = [{"id": "a", "text": "x", "after": ["b"]}, {"id": "b", "text": "x", "after": ["a"]}]
    for task in (
        {},
        {"parts": circle},
        {"parts": [{"id": "a"}]},
        {"parts": [{"id": "a", "text": "x", "after": ["z"]}]},
    ):
        with pytest.raises(InvalidInput):
            await group.coordinator.coordinate_task(task)


class Hall:
    """Members at work, as a test has them."""

    async def offers(self) -> Sequence[Offer]:
        return [Offer(member="did:x:a", target="local:a.work", name="a.work")]

    async def present(self, member: str) -> bool:
        return member == "did:x:a"

    async def perform(self, offer: Offer, params: Mapping[str, Any], key: str, seconds: float) -> str:
        return f"{offer.name} by {key}"


@pytest.mark.requirement("GRP-05")
async def test_each_part_of_a_coordinator_can_be_replaced_and_is_called() -> None:
    called: list[str] = []

    class Scheduler(TaskScheduler):
        def schedule(self, parts: Sequence[Part]) -> list[list[str]]:
            called.append("schedule")
            return super().schedule(parts)

    class Allocator(ResourceAllocator):
        def allocate(self, matches: Mapping[str, Sequence[Offer]]) -> Mapping[str, Sequence[Offer]]:
            called.append("allocate")
            return super().allocate(matches)

    class Hub(CommunicationHub):
        async def relay_message(self, sender: str, receiver: str, message: Mapping[str, Any]) -> object:
            called.append("relay")
            return (sender, receiver, message)

    group = AgentGroup("g", "user:zhang_san", ["did:x:a", "did:x:b"], "personal_multi_agent")
    coordinator = GroupCoordinator(
        group, task_scheduler=Scheduler(), resource_allocator=Allocator(), communication_hub=Hub(), crew=Hall()
    )
    result = await coordinator.coordinate_task({"parts": [{"id": "one", "capability": "work"}]})
    assert result["result"] == "a.work by part.one.0"
    assert await coordinator.handle_inter_agent_communication("did:x:a", "did:x:b", {}) == ("did:x:a", "did:x:b", {})
    assert sorted(called) == ["allocate", "relay", "schedule"]
    alone = GroupCoordinator(group)
    assert [type(part) for part in (alone.task_scheduler, alone.resource_allocator, alone.communication_hub)] == [
        TaskScheduler,
        ResourceAllocator,
        CommunicationHub,
    ]
    for wrong in (alone.coordinate_task({"description": "x"}), group.add_member("did:x:c")):
        with pytest.raises(UsageError):
            await wrong
