"""The built-in policies once more, in plain Python, to compare the engine with; it shares no code with it."""

from __future__ import annotations

from moothall.capability.entry import Entry
from moothall.identity.principal import Principal
from moothall.people.facts import Collaboration, PartyFacts

LOOK = {"read", "query"}
TIERS = {"basic": 0, "admin": 2}
WIDE = {"team", "department", "enterprise"}


def _holds(p: Principal, spec: object) -> bool:
    asked = set(spec.permissions)  # type: ignore[attr-defined]
    return bool(asked) and ("*" in p.permissions or asked <= p.permissions)


def decide(  # noqa: PLR0911 - each refusal is a line
    p: Principal, mine: PartyFacts, theirs: PartyFacts, entry: Entry, agreed: tuple[Collaboration, ...]
) -> str:
    """``allow``, ``deny`` or ``approve``; without delegations and the operator's own policies."""
    spec, action = entry.spec, entry.spec.acts
    public = spec.access == "public" or not spec.auth
    operator = p.verified and p.kind in {"owner", "admin"} and p.id == p.kind
    acts = p.verified and p.owner and not operator and not mine.person
    same = p.verified and mine.person != "" and mine.person == theirs.person
    own = same or (theirs.person == "" and (acts or operator))
    names = {mine.id, f"user:{mine.person}"} if mine.person else {mine.id}
    teammate = any(action in theirs.inside.get(team, ()) for team in mine.teams & theirs.teams)
    units = mine.teams | mine.departments | mine.organisations | mine.above
    lower = 2 if p.kind == "user" else TIERS.get(mine.role, 1)
    holds = _holds(p, spec)

    if mine.status != "active" or (theirs.status != "active" and not operator):
        return "deny"
    if not p.verified and not public and not (p.kind == "local" and holds):
        return "deny"
    if not (public or operator) and spec.binding == "request" and p.binding != "request":
        return "deny"
    if not (public or operator) and p.binding == "header" and not spec.annotations.read_only:
        return "deny"
    if same and not operator and p.kind != "user" and mine.environment != theirs.environment:
        return "deny"
    if same and not operator and lower < TIERS.get(theirs.role, 1):
        return "deny"
    if not operator and (mine.role == "audit" or (p.verified and names & theirs.blocked)):
        return "deny"

    open_to = not spec.permissions
    rights = [
        public,
        operator,
        acts and own,
        holds,
        open_to and spec.access == "authenticated" and p.kind in {"did", "user", "owner", "admin"},
        p.verified and mine.id == theirs.id,
        open_to and same and p.kind == "user" and action != "audit",
        open_to and same and spec.access == "personal" and action != "audit",
        open_to and same and spec.access in WIDE and action in LOOK,
        open_to and p.verified and teammate and spec.access in WIDE,
        open_to and action in LOOK and spec.access in {"department", "enterprise"} and units & theirs.departments,
        open_to and action in LOOK and spec.access == "enterprise" and units & theirs.organisations,
        open_to and spec.access in WIDE and any(
            one.guest in mine.teams and one.host in theirs.teams and action in one.actions
            and (not one.capabilities or entry.id in one.capabilities)
            for one in agreed
        ),
    ]  # fmt: skip
    if not any(rights):
        return "deny"
    return "approve" if spec.approval and not operator and not (acts and own) else "allow"
