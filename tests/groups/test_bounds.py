"""What one caller can bring about in groups is bounded, and strangers learn nothing."""

from __future__ import annotations

from typing import Any

import pytest

from moothall import CallContext, Node, capability
from moothall.errors import Conflict, InvalidInput, MoothallError, PermissionDeniedError
from moothall.groups import rows
from moothall.groups.channel import JOIN, InternalCommunicationChannel
from moothall.groups.model import MOST_MEMBERS, GroupPolicy, Rule
from moothall.identity.principal import ANONYMOUS, Principal
from moothall.settings import Settings
from moothall.storage.grouped import agent_group
from tests.groups.house import GroupHouse, agent, did, person

ANN = did("ann")


async def test_members_and_groups_of_an_owner_are_bounded(house: GroupHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidInput):
        await house.groups.create("big", [did(str(place)) for place in range(MOST_MEMBERS + 1)], by=agent(ANN))
    monkeypatch.setattr(rows, "MOST_MEMBERS", 2)
    monkeypatch.setattr(rows, "MOST_OWNED", 2)
    monkeypatch.setattr(rows, "MOST_JOINED", 1)
    await house.groups.create("one", [did("ben")], by=agent(ANN))
    with pytest.raises(Conflict):
        await house.groups.add("one", did("cid"), by=agent(ANN))
    with pytest.raises(Conflict):  # ann would be in two
        await house.groups.create("two", by=agent(ANN))
    await house.groups.create("three", by=person("zoe"))
    await house.groups.create("four", by=person("zoe"))
    with pytest.raises(Conflict):
        await house.groups.create("five", by=person("zoe"))
    assert await house.groups.store.get("two") is None
    assert await house.groups.store.get("five") is None


async def test_a_policy_that_was_broken_in_the_store_allows_nothing(house: GroupHouse) -> None:
    await house.groups.create("club", by=agent(ANN))
    broken = agent_group.update().values(policy='{"messages": 3}')
    await house.house.storage.write(lambda connection: connection.execute(broken))
    known = await house.groups.store.get("club")
    assert known is not None
    assert not known.policy.allows((ANN, "member"), (did("ben"), "member"))
    assert known.policy.join == "invitation"


async def test_an_unknown_group_looks_like_one_that_is_closed(tmp_path: Any) -> None:
    async with Node(Settings(data=tmp_path, demo_agents=False)) as node:
        await node.call("local:groups.create", group="club", title="secret")
        calls = {
            "show": {},
            "join": {},
            "leave": {},
            "send": {"content": "x"},
            "history": {},
            "add": {"member": did("ben")},
            "remove": {"member": did("ben")},
            "policy": {"title": "x"},
            "transfer": {"owner": ANN},
            "dissolve": {},
            "task": {"task": {"description": "x"}},
            "tasks": {},
        }
        for who in (agent(ANN), person("ann")):
            for name, given in calls.items():
                told = [await refused(node, who, name, group=group, **given) for group in ("club", "no-club")]
                assert told[0] == told[1] == ("PERMISSION_DENIED", "无群组访问权限"), name
            assert await node.caller(principal=who).call("local:groups.list") == []
        for name, given in calls.items():
            assert (await refused(node, ANONYMOUS, name, group="club", **given))[0] == "UNAUTHENTICATED"


async def refused(node: Node, who: Principal, name: str, **given: Any) -> tuple[str, str]:
    with pytest.raises(MoothallError) as error:
        await node.caller(principal=who).call(f"local:groups.{name}", given)
    return error.value.envelope_code, error.value.message


async def test_no_capability_changes_groups_in_the_name_of_its_caller(tmp_path: Any) -> None:
    @capability(name="grab", access="authenticated")
    async def grabbing(ctx: CallContext) -> Any:
        """Do something with the rights of whoever calls."""
        return await ctx.call("local:groups.dissolve", group="club")

    node = Node(Settings(data=tmp_path, demo_agents=False))
    node.include(grabbing)
    async with node:
        await node.call("local:groups.create", group="club")
        with pytest.raises(MoothallError):
            await node.call("local:grab")
        assert (await node.call("local:groups.show", group="club")).status == "active"


def test_a_policy_has_a_most_of_rules() -> None:
    with pytest.raises(ValueError, match="at most 100"):
        GroupPolicy(rules=(Rule(),) * 101)


async def test_a_member_who_came_later_does_not_read_what_was_said_before(house: GroupHouse) -> None:
    await house.groups.create("club", [did("ben")], by=agent(ANN))
    channel = InternalCommunicationChannel("club", house.log, house.topics)
    seen = await house.groups.store.seen("club", [ANN])
    assert seen is not None
    await channel.say(seen.members[ANN], "before", "1")
    await house.house.clock.advance(1)
    await house.groups.join("club", by=agent(did("ben")))
    await channel.say(seen.members[ANN], "after", "2")
    now = await house.groups.store.seen("club", [did("ben")])
    assert now is not None
    page = await channel.page(now.group, now.members[did("ben")], after=-1, limit=10)
    assert [event.payload.get("content", event.type) for event in page.events] == [JOIN, "after"]
    with pytest.raises(PermissionDeniedError):
        await house.groups.join("other", by=agent(ANN))
