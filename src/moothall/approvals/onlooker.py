"""Who may know of a workflow: its requester, the operator, and those who are asked to decide."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from moothall.approvals.deciders import approver_of
from moothall.approvals.machine import Step, Workflow
from moothall.approvals.parties import Parties
from moothall.identity.principal import Principal


@dataclass(frozen=True, slots=True)
class Onlooker:
    """Somebody who looks at workflows; ``groups``: of those that made it an approver, to which it belongs still."""

    principal: Principal
    groups: frozenset[str]

    @classmethod
    async def of(cls, principal: Principal, flows: Iterable[Workflow], parties: Parties) -> Self:
        """Somebody before these workflows.

        Raises:
            StorageError: nobody can say to which groups it belongs.
        """
        named = {group for flow in flows for step in flow.steps for one, group in step.through if one == principal.id}
        return cls(principal, await parties.belongs(principal.id, named) if named else frozenset())

    def concerned(self, flow: Workflow) -> bool:
        """Whether it may know of a workflow; who is asked later is not told before (SEC-09)."""
        if self.principal.operator:
            return True
        known = self.principal.verified or self.principal.kind == "local"
        return known and (self.principal.id == flow.requester or self._asked(flow))

    def knows(self, flow: Workflow) -> bool:
        """Whether it may read who belongs to the groups that decide: the operator, and who is asked itself."""
        return self.principal.operator or (self.principal.verified and self._asked(flow))

    def waited_for(self, flow: Workflow) -> bool:
        """Whether its decision is the next, or one of those."""
        step, name = flow.current, approver_of(self.principal)
        if step is None or step.opened is None:
            return False
        return name in step.deciders and all(vote.approver != name for vote in step.votes)

    def _asked(self, flow: Workflow) -> bool:
        return any(step.opened is not None and self._decides(step) for step in flow.steps)

    def _decides(self, step: Step) -> bool:
        name = self.principal.id
        through = [group for one, group in step.through if one == name]
        return name in step.deciders and (not through or not self.groups.isdisjoint(through))
