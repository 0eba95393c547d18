"""Departments keep to themselves (row POL-05). Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final

from pydantic import Field

from moothall.policy.named.cedar import NOT_OPERATOR, OWN, entity, policy
from moothall.policy.named.named_policy import DataClass, Flag, Id, NamedPolicy
from moothall.policy.sources import PolicyConfig, PolicySource

_REASON: Final = "the agent called belongs to another department"
_SHARED: Final = "resource.shared && (principal in resource.organisations || principal in resource.above)"
"""The capability is shared, and the caller belongs to the organisation."""
_SHARED_READ: Final = f'{_SHARED} && action in Moothall::Action::"look"'


class DepartmentIsolationPolicy(NamedPolicy):
    """Who does not belong to the department of an agent is refused, whatever else would let it in.

    Left out are capabilities that are public or marked ``shared`` (`[[resource]]`; those may be read by everybody in
    the organisation), agents of the same person, and the operator. Members of a sub-department belong to what contains
    it; members of what contains a department do not belong to it, unless ``parents`` says so.

    Example::

        [isolation]
        parents = ["head-office"]   # or true: every department reaches those inside it
        from_class = "internal"     # data of a lower class is not isolated

    Attributes:
        parents: whether members of a department may read what those inside it offer to their own members; or only the
            members of these departments.
        from_class: the lowest class of data that is isolated.
    """

    parents: Flag | Annotated[tuple[Id, ...], Field(min_length=1)] = False
    from_class: DataClass = 0

    def config(self) -> PolicyConfig:
        """Forbids for capabilities and agents of other departments; permits for parents, where they are let in."""
        return PolicyConfig(sources=(PolicySource("department", "isolation", "\n".join(self._policies())),))

    def _policies(self) -> Iterator[str]:
        away = f"!({OWN}) && {NOT_OPERATOR}"
        above = self._from_above()
        yield policy(
            "isolation",
            "forbid",
            "principal, action, resource is Moothall::Capability",
            f"!resource.departments.isEmpty() && resource.classification >= {self.from_class} && {away}"
            f" && !(principal in resource.departments || resource.public || {above} || ({_SHARED_READ}))",
            reason=_REASON,
        )
        yield policy(
            "isolation:agent",
            "forbid",
            "principal, action, resource is Moothall::Agent",
            f"!resource.departments.isEmpty() && {away} && !(principal in resource.departments || {above})",
            reason=_REASON,
        )
        if self.parents:
            yield policy(
                "isolation:parents",
                "permit",
                'principal, action in Moothall::Action::"look", resource is Moothall::Capability',
                '["department", "enterprise"].contains(resource.access) && resource.permissions.isEmpty()'
                f" && ({above})",
                reason="a member of a department that contains the one called",
            )

    def _from_above(self) -> str:
        """Whether the caller's department contains the agent called, and may reach down to it."""
        if isinstance(self.parents, bool):
            return "resource in principal.departments" if self.parents else "false"
        units = [entity("Unit", name) for name in self.parents]
        return " || ".join(f"(principal.departments.contains({unit}) && resource in {unit})" for unit in units)


SHARED: Final = policy(
    "shared",
    "permit",
    'principal, action in Moothall::Action::"look", resource is Moothall::Capability',
    f"{_SHARED} && resource.permissions.isEmpty()",
    reason="the capability is shared with the whole organisation",
)
"""What is marked as shared may be read in the whole organisation, isolated or not."""
