"""Who decides: the approvers of a workflow's steps, made of what the operator wrote, without the requester (SEC-07).

Whoever lent the requester its right counts as the requester, too: else somebody who may not approve a call of its own
would let another identity make it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from moothall.approvals.asking import Ask
from moothall.approvals.machine import Step, invalid_approver
from moothall.approvals.parties import Parties
from moothall.approvals.plan import GROUP, OPERATOR, StepPlan
from moothall.errors import Forbidden, Told
from moothall.identity.principal import Principal


def approver_of(principal: Principal) -> str:
    """As whom somebody decides: every key of the operator is one approver."""
    return OPERATOR if principal.operator else principal.id


async def steps_for(ask: Ask, name: str, plan: Sequence[StepPlan], parties: Parties) -> tuple[Step, ...]:
    """The steps of a workflow of that name, groups as they are now, without whoever asks and all agents of its person.

    Raises:
        Forbidden: nobody is left to pass a step.
    """
    entries = {entry for step in plan for entry in _entries(step)}
    groups = {entry: sorted(await parties.members(entry)) for entry in entries if entry.startswith(GROUP)}
    asking = _asking(ask)
    persons = await parties.persons(
        {*asking, *entries.difference(groups), *(one for all_ in groups.values() for one in all_)}
    )
    pool = _Pool(asking, persons, groups)
    steps = tuple(step for one in plan if (step := _step(one, pool)) is not None)
    if len(steps) < len(plan):
        told = Told("approvals.nobody_left", {"workflow": name}, "approvals.nobody_left_hint")
        raise Forbidden("nobody is left who could approve the call", told=told, details={"workflow": name})
    return steps


async def person_of(ask: Ask, step: Step, principal: Principal, parties: Parties) -> str:
    """The person of somebody who may decide in a step as far as its identity goes; empty where nobody knows.

    Raises:
        PermissionDeniedError: it proves no identity, or is who asks or another agent of its person, or belongs no more
            to the group that made it an approver.
    """
    requester, approver, asking = ask.principal, approver_of(principal), _asking(ask)
    persons = await parties.persons({approver, *asking})
    own = requester.owner and not persons.get(approver_of(requester))
    both_the_nodes = own and principal.owner and not principal.operator
    if not principal.verified or both_the_nodes or _Pool(asking, persons, {}).is_own(approver):
        raise invalid_approver()
    through = [group for name, group in step.through if name == approver]
    if through and not await parties.belongs(approver, through):
        raise invalid_approver()
    return persons.get(approver, "")


def _asking(ask: Ask) -> frozenset[str]:
    """Whose call it is: the requester's, and that of all whose right it uses."""
    return frozenset({approver_of(ask.principal), *ask.lenders})


class _Pool:
    """Who asks, whose agents everybody is, and who belongs to which group."""

    def __init__(
        self, asking: Collection[str], persons: Mapping[str, str], groups: Mapping[str, Sequence[str]]
    ) -> None:
        self.persons = persons
        self._asking = asking
        self._groups = groups

    def is_own(self, approver: str) -> bool:
        """Whether somebody is among those who ask, or belongs to the person of one of them."""
        person = self.persons.get(approver, "")
        return approver in self._asking or (
            person != "" and any(self.persons.get(one) == person for one in self._asking)
        )

    def shared(self, approvers: Sequence[str]) -> tuple[tuple[str, str], ...]:
        """Those of them that are agents of one person, each with that."""
        known = {one: person for one in approvers if (person := self.persons.get(one))}
        count = Counter(known.values())
        return tuple((one, person) for one, person in known.items() if count[person] > 1)

    def resolved(self, entries: Sequence[str]) -> tuple[list[str], list[tuple[str, str]]]:
        """Everybody whom these entries stand for but the requester; and who of them by way of a group alone."""
        found: dict[str, None] = {}
        through: list[tuple[str, str]] = []
        for entry in entries:
            for name in self._groups.get(entry, [entry]):
                if self.is_own(name):
                    continue
                found[name] = None
                if name not in entries:
                    through.append((name, entry))
        return list(found), through


def _step(plan: StepPlan, pool: _Pool) -> Step | None:
    """The step; None where too few are left to pass it."""
    approvers, through = pool.resolved(plan.approvers)
    escalation = plan.escalation
    added, more = pool.resolved([escalation.approver]) if escalation else ([], [])
    people = {pool.persons.get(one) or one for one in approvers}
    needed = {"any": 1, "all": len(people), "quorum": plan.quorum or 1}[plan.type]
    if not 1 <= needed <= len(people):
        return None
    return Step(
        approval_type=plan.type,
        approvers=tuple(approvers),
        needed=needed,
        escalate_after=escalation.after if escalation and added else 0,
        escalate_to=tuple(added),
        persons=pool.shared([*approvers, *added]),
        through=(*through, *(pair for pair in more if pair[0] not in approvers)),
    )


def _entries(step: StepPlan) -> Sequence[str]:
    return [*step.approvers, step.escalation.approver] if step.escalation else step.approvers
