"""What roles of an organisation may do (row POL-06). Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from moothall.capability.spec import Action
from moothall.policy.named.cedar import actions, capability, policy, text
from moothall.policy.named.named_policy import Name, NamedPolicy, Pattern, Table
from moothall.policy.named.role_hierarchy import RoleHierarchy
from moothall.policy.sources import PolicyConfig, PolicySource, ResourceRule


class RoleRight(Table):
    """One right of a role.

    Attributes:
        role: whoever has it, or one that inherits it, in an organisation of the agent called.
        actions: what it may do.
        capabilities: patterns of ids.
    """

    role: Name
    actions: Annotated[frozenset[Action], Field(min_length=1)]
    capabilities: Annotated[tuple[Pattern, ...], Field(min_length=1)]


class RoleBasedAccessPolicy(RoleHierarchy, NamedPolicy):
    """Roles have rights at capabilities of their own organisation, and inherit those of other roles.

    Who has which role in which organisation is said with the members of its units (``people.toml``, or the API).

    Example::

        [roles.inherits]
        manager = ["staff"]

        [[roles.may]]
        role = "staff"
        actions = ["read", "query"]
        capabilities = ["docs.*"]
    """

    may: tuple[RoleRight, ...] = ()

    def config(self) -> PolicyConfig:
        """One permit for each right, with a trait of the same name for its capabilities, and the hierarchy."""
        return PolicyConfig(
            sources=(PolicySource("enterprise", "roles", "\n".join(self._permits())),) if self.may else (),
            resources=tuple(
                ResourceRule(capabilities=ids, traits=frozenset({name}))
                for name, right in self._rights()
                for ids in right.capabilities
            ),
            roles=dict(self.inherits),
        )

    def _rights(self) -> Iterator[tuple[str, RoleRight]]:
        """The rights by their ids. Two sets of rights that are joined never share a trait: ids are unique."""
        for number, right in enumerate(self.may, 1):
            yield f"role:{right.role}:{number}", right

    def _permits(self) -> Iterator[str]:
        for name, right in self._rights():
            head = f"principal, {actions(right.actions)}, {capability(name)}"
            when = f"context.duties.contains({text(right.role)})"
            yield policy(name, "permit", head, when, reason=f"the role {right.role} may")
