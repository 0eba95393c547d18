"""What a team lets its members, other teams and joint projects do (rows TEA-02 to TEA-05). Pure.

These are data that decide: the first part reaches the policy with the facts of every member (`PartyFacts.inside`), the
other two bound what the team agrees to, when it agrees and at every call after it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from moothall.capability.spec import Action
from moothall.errors import InvalidInput, Told
from moothall.people.facts import Collaboration

DAY: Final = 86_400
LONGEST: Final = 3650 * DAY
"""Seconds that what teams agree on may last at most, where it has an end."""

_INSIDE: Final[frozenset[Action]] = frozenset({"read", "query", "notify", "schedule", "write"})
_OUTSIDE: Final[frozenset[Action]] = frozenset({"read", "query"})
_TOGETHER: Final[frozenset[Action]] = frozenset({"read", "query", "notify", "schedule", "write"})


class _Rules(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class InternalPolicies(_Rules):
    """What members may do to each other's agents."""

    actions: frozenset[Action] = _INSIDE


class ExternalPolicies(_Rules):
    """What the team may grant another one for good; nothing is granted before both have agreed."""

    actions: frozenset[Action] = _OUTSIDE


class ProjectPolicies(_Rules):
    """What the team may grant for a joint project, and for how many seconds at most."""

    actions: frozenset[Action] = _TOGETHER
    longest: int = Field(365 * DAY, ge=60, le=LONGEST)


class TeamRules(_Rules):
    """All three."""

    internal: InternalPolicies = InternalPolicies()
    external: ExternalPolicies = ExternalPolicies()
    collaboration: ProjectPolicies = ProjectPolicies()

    def check(self, actions: Iterable[str], *, project: bool, seconds: int | None) -> None:
        """A team with these rules may agree to give another one these actions, for `seconds` (None: for good).

        Raises:
            InvalidInput: it gives none, or it may not: a project has to end, and within what the team allows.
        """
        asked = frozenset(actions)
        excess = asked - self._most(project=project)
        if not asked or excess:
            values = {"actions": ", ".join(sorted(excess)) or "-"}
            raise InvalidInput("the team does not give these actions", told=Told("people.team_actions", values))
        if project and (seconds is None or not 0 < seconds <= self.collaboration.longest):
            values = {"most": str(self.collaboration.longest)}
            raise InvalidInput("the project has no end that the team allows", told=Told("people.team_end", values))

    def narrowed(self, agreed: Collaboration) -> Collaboration | None:
        """What is left of an agreement under the rules as they are now; None: nothing."""
        actions = agreed.actions & self._most(project=bool(agreed.project))
        if not actions:
            return None
        return Collaboration(
            id=agreed.id,
            host=agreed.host,
            guest=agreed.guest,
            actions=actions,
            capabilities=agreed.capabilities,
            project=agreed.project,
            expires=agreed.expires,
        )

    def _most(self, *, project: bool) -> frozenset[Action]:
        return self.collaboration.actions if project else self.external.actions
