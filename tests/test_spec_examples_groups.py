"""Spec B §8: one person's agents, what they may do to each other, and their groups, at a node."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from moothall import ANPUser, ApprovalStep, ApprovalWorkflow, Node, PermissionResult, Settings, UserProfile, capability
from moothall.calls.hub import using
from moothall.errors import PermissionDeniedError, ServiceNotFoundError
from moothall.groups.agent_groups import AgentGroupManager
from moothall.groups.channel import InternalCommunicationChannel
from moothall.groups.coordinator import CommunicationHub, GroupCoordinator, ResourceAllocator, TaskScheduler
from moothall.groups.group import AgentGroup
from moothall.groups.links.broker import CommunicationBroker
from moothall.groups.links.communication import GroupRegistry, InterGroupPolicies
from moothall.groups.model import GroupPolicy
from moothall.groups.secondary.authorization import GroupSecondaryAuthorization
from moothall.groups.secondary.model import SecondaryAuthorizationConfig
from moothall.identity.principal import OWNER, Principal
from moothall.people.proof import prove
from tests.doors.doubles import lead_to, serving
from tests.groups.master.quarters import legacy_keys
from tests.support.printed import printed

pytestmark = pytest.mark.asyncio(loop_scope="module")

ZHANG, OTHERS = "zhang_san", ("8.4b", "8.4c")
MINE = re.findall(r"did:wba:\S+", printed("8.4a"))
BY_ROLE = {did.rpartition(":")[2]: did for did in MINE}


@dataclass
class Home:
    """Zhang San's four agents at a node of their own, and what they heard."""

    node: Node
    heard: list[Any] = field(default_factory=list)

    def principal(self, role: str) -> Principal:
        return self.node.host.authority.engine.principal(BY_ROLE[role])

    async def group(self) -> AgentGroup:
        with using(self.node):
            return await AgentGroupManager().create_user_agent_group(ZHANG, MINE)


def helper(role: str, home: Home) -> ANPUser:
    @capability(name=f"report_{role}", access="authenticated", read_only=True)
    async def report() -> str:
        """Say how it is."""
        return f"{role}: well"

    agent = ANPUser(role, report)

    @agent.register_group_event_handler
    async def hear(group_id: str, event_type: str, event_data: dict[str, Any]) -> None:
        """Take note."""
        home.heard.append((role, event_data["sender"], event_data["content"]))

    return agent


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def home(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Home]:
    data = tmp_path_factory.mktemp("home")
    for role, did in BY_ROLE.items():
        legacy_keys(data, role, did)
    web = ", ".join(f"http://{where}.company.com" for where in ("dev", "staging", "prod"))
    node = Node(
        Settings(
            data=data, demo_agents=False, allow_legacy_did=True, public_url="http://example.com",
            egress_allow=f"{web}, http://company.com",
        )
    )  # fmt: skip
    made = Home(node)
    node.add(*(helper(role, made) for role in BY_ROLE))
    async with node:
        identities = node.host.authority.people.identities
        for role, did in BY_ROLE.items():
            await identities.register_user_agent(ZHANG, did, role)
        yield made


async def test_8_1_the_group_of_a_user(home: Home) -> None:
    group = await home.group()
    assert group.group_id == "user_zhang_san_agents"
    assert (sorted(group.members), group.group_type, group.status) == (sorted(MINE), "personal_multi_agent", "active")
    assert group.owner == "user:zhang_san"
    assert datetime.now(UTC) - group.created_at < timedelta(minutes=5)
    assert isinstance(group.internal_channel, InternalCommunicationChannel)
    assert isinstance(group.coordinator, GroupCoordinator)
    with using(home.node):
        manager = AgentGroupManager()
        assert (await manager.user_groups.get(ZHANG)).keys() == {group.group_id}
        assert await manager.group_policies.get(group.group_id) == manager.create_personal_group_policy(ZHANG, MINE)
        assert await manager.inter_group_relations.get(group.group_id) == []
    alone = AgentGroup("g", "user:zhang_san", MINE, "personal_multi_agent")
    assert (alone.group_id, alone.members, alone.group_type, alone.status) == ("g", MINE, group.group_type, "active")


async def test_8_2_a_task_of_the_group_and_messages_inside_it(home: Home) -> None:
    group = await home.group()
    done = await group.coordinator.coordinate_task({"description": "report work; report health"})
    assert sorted(done["results"].values()) == ["health: well", "work: well"]
    work, health = BY_ROLE["work"], BY_ROLE["health"]
    await group.coordinator.handle_inter_agent_communication(work, health, {"text": "hello"})
    assert home.heard == [("health", work, {"text": "hello"})]
    with pytest.raises(PermissionError, match=r"^Communication not allowed outside group$"):
        await group.coordinator.handle_inter_agent_communication("did:wba:elsewhere.com:eve", health, {})
    await group.set_policy(GroupPolicy.model_validate({"rules": [{"sender": "work", "receiver": "health"}]}))
    with pytest.raises(PermissionError, match=r"^Communication blocked by group policy$"):
        await group.coordinator.handle_inter_agent_communication(work, health, {"text": "again"})
    await group.set_policy(GroupPolicy())
    assert len(home.heard) == 1
    parts = GroupCoordinator(group)
    assert isinstance(parts.task_scheduler, TaskScheduler)
    assert isinstance(parts.resource_allocator, ResourceAllocator)
    assert isinstance(parts.communication_hub, CommunicationHub)


async def test_8_3_secondary_authorization(home: Home) -> None:
    group = await home.group()
    with using(home.node):
        secondary = GroupSecondaryAuthorization(group)
        config = await secondary.setup_secondary_authorization()
        assert isinstance(config, SecondaryAuthorizationConfig)
        assert config.primary_agent == BY_ROLE["personal"]
        assert config.approval_workflows == secondary.approval_workflows
        assert config.delegation_chains == secondary.authorization_chains
        assert secondary.delegation_rules == ()
        allowed = await secondary.authorize_cross_agent_action(BY_ROLE["personal"], BY_ROLE["work"], "read")
        assert isinstance(allowed, PermissionResult)
        assert allowed.allowed
        denied = await secondary.authorize_cross_agent_action(BY_ROLE["work"], BY_ROLE["finance"], "read")
        assert (denied.allowed, denied.effect) == (False, "deny")
        assert PermissionResult.DENIED("No sufficient authorization").reason == "No sufficient authorization"


async def test_8_3_the_approval_workflow_runs_as_printed() -> None:
    workflow = ApprovalWorkflow("w-1")
    assert (workflow.steps, workflow.current_step, workflow.status) == ([], 0, "pending")
    await workflow.add_approval_step("user:boss", "any")
    await workflow.add_approval_step(approver="user:chief", approval_type="all")
    assert workflow.steps[0] == ApprovalStep(approver="user:boss", approval_type="any", status="pending")
    with pytest.raises(PermissionError, match=r"^Invalid approver$"):
        await workflow.process_approval("user:chief", "approved")
    assert await workflow.process_approval("user:boss", "approved") == "pending"
    assert (workflow.current_step, workflow.steps[0].status) == (1, "completed")
    assert await workflow.process_approval("user:chief", "approved", reason="fits") == "approved"
    assert (workflow.steps[1].decision, workflow.steps[1].reason) == ("approved", "fits")
    assert workflow.steps[1].decided_at is not None
    refused = ApprovalWorkflow("w-2")
    await refused.add_approval_step("user:boss", "any")
    assert await refused.process_approval("user:boss", "rejected", "no") == refused.status == "rejected"


async def test_8_4_the_agents_of_the_three_users_are_registered_and_walls_hold(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    identities = home.node.host.authority.people.identities
    assert [(each.did, each.role) for each in await identities.get_user_agents(ZHANG)] == [
        (did, role) for role, did in BY_ROLE.items()
    ]
    others = {did: legacy_keys(tmp_path, f"a{at}", did) for at, did in enumerate(elsewhere())}

    async def documents(scope: Any, receive: Any, send: Any) -> None:
        host = dict(scope["headers"])[b"host"].decode()
        place = ":".join((host, *scope["path"].strip("/").split("/")[:-1]))
        body = others[f"did:wba:{place}"].body
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async with serving(documents) as url:
        lead_to(monkeypatch, url, *{did.split(":")[2] for did in others})
        for did, identity in others.items():
            user = did.split(":")[4]
            proof = prove(identity.signer, did, user, home.node.url, datetime.now(UTC).timestamp())
            role = did.split(":")[5] if did.count(":") > 4 else "default"
            where = did.split(":")[2].partition(".")[0] if user == "li_si" else ""
            await identities.register_user_agent(user, did, role, environment=where, proof=proof)
    li_si = await identities.get_user_agents("li_si")
    assert [each.environment for each in li_si] == ["dev", "staging", "prod"]
    assert [each.role for each in await identities.get_user_agents("wang_wu")] == ["basic", "admin", "audit"]
    check = home.node.host.authority.between_agents().check_cross_agent_permission
    dev, _, prod = (each.did for each in li_si)
    assert not (await check(dev, prod, "read")).allowed
    basic, admin, audit = (each.did for each in await identities.get_user_agents("wang_wu"))
    assert not (await check(basic, admin, "read")).allowed
    assert not (await check(audit, basic, "read")).allowed
    assert (await check(admin, basic, "write")).allowed


def elsewhere() -> list[str]:
    return [did for section in OTHERS for did in re.findall(r"did:wba:\S+", printed(section))]


async def test_8_5_the_identities_of_a_user(home: Home) -> None:
    identities = home.node.host.authority.people.identities
    again = await identities.register_user_agent(ZHANG, BY_ROLE["work"], "work")
    assert (again.did, again.role, again.status) == (BY_ROLE["work"], "work", "active")
    assert len(await identities.get_user_agents(ZHANG)) == 4
    assert await identities.get_user_agents("nobody") == []
    assert await identities.get_agent_user(BY_ROLE["work"]) == ZHANG
    assert await identities.get_agent_user("did:wba:nobody.com:x") is None
    assert await identities.get_user_primary_agent(ZHANG) == BY_ROLE["personal"]
    profile = UserProfile(user_id=ZHANG)
    assert (profile.display_name, profile.email, profile.phone, profile.preferences) == ("", "", "", {})
    assert (profile.trust_level, profile.verification_status) == (5, "unverified")
    assert profile.created_at.tzinfo is not None


async def test_8_6_permissions_between_agents_and_delegations(home: Home) -> None:
    authority = home.node.host.authority
    manager = authority.between_agents()
    personal, work, finance = (BY_ROLE[role] for role in ("personal", "work", "finance"))
    told = await manager.check_cross_agent_permission(personal, work, "query")
    assert (told.allowed, told.reason) == (True, "same user, role permission granted")
    told = await manager.check_cross_agent_permission(finance, work, "read")
    assert (told.allowed, told.reason) == (False, "cross-agent call not permitted")
    await manager.cross_agent_policies.set(ZHANG, allow_cross_agent_calls=True)
    told = await manager.check_cross_agent_permission(finance, work, "read")
    assert (told.allowed, told.reason) == (True, "user allows cross-agent calls")
    await manager.cross_agent_policies.set(ZHANG, allow_cross_agent_calls=False)
    system = authority.delegations(home.principal("work"))
    soon = datetime.now(UTC) + timedelta(hours=1)
    made = await system.create_delegation(work, finance, ["read"], expires_at=soon)
    assert (made.status, made.expires_at) == ("active", soon.replace(microsecond=made.expires_at.microsecond))
    assert await system.check_delegation_permission(work, finance, "read")
    assert not await system.check_delegation_permission(work, finance, "write")
    assert not await system.check_delegation_permission(finance, work, "read")
    told = await manager.check_cross_agent_permission(finance, work, "read")
    assert (told.allowed, told.reason) == (True, "delegation rule matched")
    with pytest.raises(PermissionDeniedError):
        await authority.delegations(home.principal("finance")).create_delegation(work, finance, ["read"])


async def test_8_7_two_groups_that_speak_with_each_other(home: Home) -> None:
    with using(home.node):
        manager = AgentGroupManager()
        for name, member in (("near", "work"), ("far", "health")):
            await manager.create_group(name, [BY_ROLE[member]], owner="user:zhang_san")
    links = home.node.host.grouping.linking
    speech = links.communication
    assert isinstance(speech.group_registry, GroupRegistry)
    assert isinstance(speech.inter_group_policies, InterGroupPolicies)
    assert isinstance(speech.communication_broker, CommunicationBroker)
    with pytest.raises(ServiceNotFoundError):
        await speech.establish_group_connection("near", "nowhere", "message")
    sender = home.principal("work")
    with pytest.raises(PermissionError):
        await speech.establish_group_connection("near", "far", "message", by=sender)
    with pytest.raises(ConnectionError, match=r"^No connection between groups$"):
        await speech.route_inter_group_message("near", "far", {"content": "hello"}, by=sender)
    connection = await speech.establish_group_connection("near", "far", "message")
    assert (connection.connection_type, {connection.group1, connection.group2}) == ("message", {"near", "far"})
    await links.links.consent(connection.id, by=OWNER)
    home.heard.clear()
    routed = await speech.route_inter_group_message("near", "far", {"content": "hello"}, by=sender)
    assert routed.groups == ("far",)
    assert home.heard == [("health", BY_ROLE["work"], "hello")]
    with pytest.raises(PermissionError):
        await speech.route_inter_group_message("near", "far", {"content": "x"}, by=home.principal("finance"))
