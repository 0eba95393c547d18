"""Secondary authorization of a group, as spec B §8.3 draws it (rows SEC-01 to SEC-03).

Rights are found by the one engine of the node, in its order: hard denial, direct right, delegation, right of a team,
approval, denial. A group adds two things: what its primary agent delegates to members, and which actions between
members have to be approved although there is a right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final, Protocol

from sqlalchemy.engine import Connection

from moothall.approvals.asking import Ask, digest_of
from moothall.capability.entry import Entry
from moothall.errors import InvalidInput, Told
from moothall.grants.giving import Made, Terms
from moothall.groups.membership import Within
from moothall.groups.model import Group, Member, no_access
from moothall.groups.secondary.ground import SecondaryGround, current_ground
from moothall.groups.secondary.model import DelegationRule, Secondary, SecondaryAuthorizationConfig, read
from moothall.identity.principal import OWNER, Principal
from moothall.people.parties import person_named
from moothall.policy.decision import PermissionResult
from moothall.policy.named.checks import nothing_there
from moothall.policy.resources import AgentResource

POLICY: Final = "group-approval"
"""Stands for the policy of a group that asks for an approval."""
LEADING: Final = ("primary", "admin", "personal")
"""Roles in a group by which one of its members stands for it, the more exact first."""


@dataclass(frozen=True, slots=True)
class GroupDecision(PermissionResult):
    """The answer; ``approval_id``: of the approval that the call waits for, where one was begun."""

    approval_id: str = ""


class Kept(Protocol):
    """A group, such as an `AgentGroup`."""

    @property
    def group_id(self) -> str:
        """Its id."""
        ...


class GroupSecondaryAuthorization:
    """What agents of one group may do to each other.

    Args:
        group: the group.
        ground: the node; the one of the context by default.
        by: who sets up and reads; it has to rule the group. The node's own process unless given.
    """

    def __init__(self, group: Kept, *, ground: SecondaryGround | None = None, by: Principal = OWNER) -> None:
        self.group = group
        self._ground, self._by = ground, by
        self._kept, self._revision = Secondary(), 0

    @property
    def authorization_chains(self) -> Mapping[str, tuple[str, ...]]:
        """Ids of the delegations that the primary agent gave by the rules, by their holders, as they were read last."""
        return self._kept.chains

    @property
    def delegation_rules(self) -> tuple[DelegationRule, ...]:
        """What the primary agent delegates to members, as it was read last."""
        return self._kept.rules

    @property
    def approval_workflows(self) -> Mapping[str, str]:
        """The workflow of each action that has to be approved, as they were read last."""
        return self._kept.asks

    async def refresh(self) -> None:
        """Read what the group keeps.

        Raises:
            PermissionDeniedError: there is no such group.
            InvalidInput: what it keeps makes no sense.
            StorageError: the store cannot say.
        """
        group = await self._group()
        self._kept, self._revision = read(group.secondary), group.revision

    async def set_delegation_rules(self, rules: Iterable[DelegationRule]) -> None:
        """Say what the primary agent delegates; it does once it is set up again. Raises as `Groups.change`."""
        await self.refresh()
        await self._keep(self._kept.model_copy(update={"rules": tuple(rules)}), self._revision)

    async def set_approval_workflows(self, workflows: Mapping[str, str] | None) -> None:
        """Say which actions have to be approved, and by whom; None: as usual.

        Raises:
            InternalError: the operator has written down no workflow of that name.
            PermissionDeniedError, Conflict: as `Groups.change`.
        """
        await self.refresh()
        for name in (workflows or {}).values():
            self._stands.desk.rules.workflow(name)
        await self._keep(self._kept.model_copy(update={"workflows": workflows}), self._revision)

    async def setup_secondary_authorization(self) -> SecondaryAuthorizationConfig:
        """Choose the primary agent, delegate by the rules, and say what has to be approved (row SEC-02).

        Delegations that it gave before are taken back where no rule asks for them any more.

        Raises:
            PermissionDeniedError: the caller does not rule the group, or a right that is to be delegated is not there.
            InvalidInput: nobody in the group can be its primary agent.
            Conflict: the group was changed meanwhile.
        """
        await self.refresh()
        primary = await self.get_primary_agent()
        await self.set_primary_authorization(primary)
        return SecondaryAuthorizationConfig(
            primary_agent=primary,
            delegation_chains=await self.create_delegation_chains(),
            approval_workflows=await self.create_approval_workflows(),
        )

    async def get_primary_agent(self) -> str:
        """The member that stands for the group: its owner, its owner's primary agent, or who has a leading role.

        Raises:
            InvalidInput: it has no members.
        """
        group, members = await self._group(), await self._members()
        person = person_named(group.owner)
        chosen = await self._stands.primary(person) if person else group.owner
        if chosen in members:
            return str(chosen)
        for role in LEADING:
            if found := sorted(did for did, member in members.items() if member.role == role):
                return found[0]
        if not members:
            raise InvalidInput("the group has no members", told=Told("master.no_primary"))
        return min(members.values(), key=lambda member: (member.joined_at, member.member)).member

    async def set_primary_authorization(self, primary_agent: str) -> None:
        """Let an agent of the group be the one that delegates. Raises as `Groups.change`."""
        kept, revision = self._kept, self._revision
        if primary_agent not in await self._members():
            raise InvalidInput("it is no member", told=Told("master.no_primary"))
        await self._keep(kept.model_copy(update={"primary": primary_agent}), revision)

    async def create_delegation_chains(self) -> Mapping[str, tuple[str, ...]]:
        """Give the delegations that the rules ask for, and take back those that were given before: both or neither.

        Raises:
            PermissionDeniedError: the primary agent lacks such a right, or this node has no key of it.
            Conflict: the group was changed meanwhile; nothing was given or taken back.
            MoothallError: as `Grants.create`.
        """
        kept, revision = self._kept, self._revision
        members = await self._members()
        chains: dict[str, tuple[str, ...]] = {}
        given: list[Made] = []
        for did in sorted(members.keys() - {kept.primary}):
            wanted = [rule for rule in kept.rules if rule.names(did, members[did].role)]
            made = [await self._prepared(kept.primary, rule, did) for rule in wanted]
            chains[did] = tuple(one.chain.links[-1].id for one in made)
            given += made
        taken = [grant for ids in kept.chains.values() for grant in ids]

        def exchange(connection: Connection) -> Callable[[], None]:
            return self._stands.grants.exchange(connection, self._by, give=given, take=taken)

        await self._keep(kept.model_copy(update={"chains": chains}), revision, exchange)
        return chains

    async def create_approval_workflows(self) -> Mapping[str, str]:
        """The workflows that hold, each of which the operator has written down.

        Raises:
            InternalError: one is not there.
        """
        for name in self._kept.asks.values():
            self._stands.desk.rules.workflow(name)
        return dict(self._kept.asks)

    async def authorize_cross_agent_action(
        self, requester: str | Principal, target: str, action: str, arguments: Mapping[str, Any] | None = None
    ) -> GroupDecision:
        """Whether a member may do something to another one's agent or capability (row SEC-03).

        Where that has to be approved, the effect is ``approve``; of a call of a capability with its arguments the
        approval is begun, and the node makes the call once it has it.

        Args:
            requester: as the verifier made it; the process itself may name a DID.
            target: a member's DID, or a capability ``AGENT.NAME`` of one.
            action: of the policy.
            arguments: of the call, where it is to be made.

        Raises:
            StorageError: the store cannot say.
            MoothallError: the approval cannot be asked for (`ApprovalDesk.ask`).
        """
        await self.refresh()
        result = await self.check_basic_permission(requester, target, action)
        if not result.allowed and result.effect != "approve":
            delegated = await self.check_delegation_permission(requester, target, action)
            result = delegated if delegated.effect != "deny" else result
        workflow = self._kept.workflow(action)
        if result.allowed and workflow:
            result = replace(result, effect="approve", reason="the group asks for an approval", workflow=workflow)
            result = replace(result, policy=POLICY, policies=tuple(sorted({*result.policies, POLICY})))
        return await self._asked(requester, target, action, result, arguments)

    async def check_basic_permission(self, requester: str | Principal, target: str, action: str) -> PermissionResult:
        """What holds without any delegation: a hard denial, the requester's own right, or none."""
        result = await self._check(requester, target, action)
        return nothing_there(self._stands.engine.policies) if result.on_behalf_of else result

    async def check_delegation_permission(
        self, requester: str | Principal, target: str, action: str
    ) -> PermissionResult:
        """The right that a delegation gives; a denial where none does."""
        result = await self._check(requester, target, action)
        return result if result.on_behalf_of else nothing_there(self._stands.engine.policies)

    def requires_approval(self, action: str, capability: str = "*") -> bool:
        """Whether the group or the operator asks for an approval of such an action (row SEC-04)."""
        return bool(self._kept.workflow(action)) or self._stands.desk.rules.requires_approval(action, capability)

    async def _asked(
        self,
        requester: str | Principal,
        target: str,
        action: str,
        result: PermissionResult,
        arguments: Mapping[str, Any] | None,
    ) -> GroupDecision:
        given = {name: getattr(result, name) for name in PermissionResult.__dataclass_fields__}
        entry = self._entry(target)
        if result.effect != "approve" or entry is None or arguments is None:
            return GroupDecision(**given)
        who, called = self._principal(requester), entry.key
        ask = Ask(
            principal=who,
            target=called,
            action=action,
            arguments=dict(arguments),
            digest=digest_of(who.id, called, dict(arguments)),
            policy=result.policy,
            workflow=result.workflow,
            on_behalf_of=result.on_behalf_of,
            lenders=result.lenders,
        )
        return GroupDecision(**given, approval_id=(await self._stands.desk.ask(ask)).id)

    async def _check(self, requester: str | Principal, target: str, action: str) -> PermissionResult:
        """The decision of the node, where both are in the group; else that of nobody."""
        entry, engine = self._entry(target), self._stands.engine
        provider = target if entry is None else self._stands.agents().get(entry.agent, "")
        members = await self._members()
        if self._principal(requester).id not in members or provider not in members:
            return nothing_there(engine.policies)
        if entry is not None and action != entry.spec.acts:
            return nothing_there(engine.policies)
        return await engine.check(requester, action, entry or AgentResource(id=provider))

    async def _prepared(self, delegator: str, rule: DelegationRule, delegate: str) -> Made:
        now = self._stands.groups.store.clock.now()
        terms = Terms(
            delegator=delegator,
            delegate=delegate,
            actions=frozenset(rule.actions),
            capabilities=frozenset(rule.capabilities),
            expires_at=now + timedelta(seconds=rule.seconds),
        )
        return await self._stands.grants.prepare(self._by, terms)

    async def _keep(self, kept: Secondary, revision: int, within: Within | None = None) -> None:
        """Write it over what was read at a revision; two who set up at once would each forget what the other gave."""
        groups, stored = self._stands.groups, kept.model_dump(mode="json")
        group = await groups.change(
            self.group.group_id, secondary=stored, revision=revision, within=within, by=self._by
        )
        self._kept, self._revision = kept, group.revision

    async def _group(self) -> Group:
        group = await self._stands.groups.store.get(self.group.group_id)
        if group is None or not group.active:
            raise no_access()
        return group

    async def _members(self) -> Mapping[str, Member]:
        found = await self._stands.groups.store.members(self.group.group_id)
        return {member.member: member for member in found}

    def _entry(self, target: str) -> Entry | None:
        return None if target.startswith("did:") else self._stands.find(target)

    def _principal(self, requester: str | Principal) -> Principal:
        return self._stands.callers(requester) if isinstance(requester, str) else requester

    @property
    def _stands(self) -> SecondaryGround:
        if self._ground is None:
            self._ground = current_ground()
        return self._ground
