"""What rows say that decisions are made by, although somebody may have broken one of them. Pure, but for the log.

The database is the operator's, so a row is believed; one that says nothing that has a meaning costs only whose it is:
who is told of it has fewer rights, and nobody else loses any.
"""

from __future__ import annotations

from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from moothall.people.agents import MOST_CLEARANCE
from moothall.people.facts import LEAST_TRUST, MOST_TRUST, Collaboration
from moothall.people.profile import PersonPolicy
from moothall.people.team_rules import ExternalPolicies, InternalPolicies, ProjectPolicies, TeamRules
from moothall.telemetry import logger

_NOTHING: Final = TeamRules(
    internal=InternalPolicies(actions=frozenset()),
    external=ExternalPolicies(actions=frozenset()),
    collaboration=ProjectPolicies(actions=frozenset()),
)
_STATUSES: Final = frozenset({"active", "suspended", "revoked"})
_NAMES: Final = TypeAdapter(frozenset[str])

_log = logger("people")


def sound_agent(row: Any) -> bool:  # noqa: ANN401 - a row of `person_agent`
    """Whether the row of an agent can be used; else it is suspended."""
    texts = isinstance(row.role, str) and isinstance(row.environment, str)
    if texts and row.status in _STATUSES and _whole(row.clearance, 0, MOST_CLEARANCE):
        return True
    _log.error("the agent %s is suspended: its row in the store is broken", row.did)
    return False


def person_policy(row: Any) -> PersonPolicy | None:  # noqa: ANN401 - a row of `person`
    """What a person lets its agents do; None: the row cannot be used, and the person and its agents are suspended."""
    try:
        policy = PersonPolicy.model_validate_json(row.policy)
    except ValidationError:
        policy = None
    if policy is not None and _whole(row.trust, LEAST_TRUST, MOST_TRUST):
        return policy
    _log.error("the person %s and its agents are suspended: its row in the store is broken", row.id)
    return None


def trust_level(level: object) -> int:
    """How far a person trusts somebody; the least where it cannot be said."""
    return level if isinstance(level, int) and _whole(level, LEAST_TRUST, MOST_TRUST) else LEAST_TRUST


def team_rules(team: str, config: str) -> TeamRules:
    """What a team allows; nothing where it cannot be said."""
    try:
        return TeamRules.model_validate_json(config)
    except ValidationError:
        _log.error("the team %s allows nothing: its row in the store is broken", team)
        return _NOTHING


def agreed(row: Any) -> Collaboration | None:  # noqa: ANN401 - a row of `collaboration`
    """What two teams agreed on; None where it cannot be said."""
    actions, capabilities = _named(row.actions), _named(row.capabilities)
    if actions is None or capabilities is None or not isinstance(row.expires, int | None):
        _log.error("the agreement %s counts no longer: its row in the store is broken", row.id)
        return None
    return Collaboration(
        id=row.id,
        host=row.host,
        guest=row.guest,
        actions=actions,
        capabilities=capabilities,
        project=row.project,
        expires=row.expires,
    )


def _named(text: str) -> frozenset[str] | None:
    try:
        return _NAMES.validate_json(text)
    except ValidationError:
        return None


def _whole(number: object, least: int, most: int) -> bool:
    return isinstance(number, int) and least <= number <= most
