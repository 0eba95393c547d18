"""The answer, made of what was found. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from moothall.policy.decision import FAILED, INSUFFICIENT, NOBODY_ALLOWS, PermissionResult
from moothall.policy.order import Settled
from moothall.policy.parties import Party
from moothall.policy.policies import PolicySet
from moothall.policy.relation import Relation
from moothall.policy.resources import Called

BROKEN = "a policy could not be evaluated"
DELEGATED = "delegation rule matched"


@dataclass(frozen=True, slots=True)
class Standing:
    """Somebody who takes part in a call, and how it stands to what is called."""

    party: Party
    relation: Relation


def in_order(policies: PolicySet, names: Iterable[str]) -> list[str]:
    """Ids of policies as they speak: those after delegations last, the others layer by layer, as they are written."""
    return sorted(names, key=policies.ranks.__getitem__)


def denied(policies: PolicySet, names: Sequence[str], errors: Sequence[str]) -> PermissionResult:
    """A denial by these policies, or by none."""
    if errors:
        return PermissionResult("deny", BROKEN, FAILED, (FAILED,), policies.revision)
    if not names:
        return PermissionResult("deny", INSUFFICIENT, NOBODY_ALLOWS, (NOBODY_ALLOWS,), policies.revision)
    first = in_order(policies, names)[0]
    reason = policies.policies[first].reason or f"refused by {first}"
    return PermissionResult("deny", reason, first, tuple(sorted(names)), policies.revision)


def granted(
    policies: PolicySet, settled: Settled, standing: Sequence[Standing], action: str, called: Called
) -> PermissionResult:
    """A right, now or once the call is approved; ``standing``: of the caller, then of who lent it, in order."""
    finding, options = settled.finding, called.options
    names = in_order(policies, finding.verdict.policies)
    asked = in_order(policies, settled.lifted) if settled.approve else []
    first = (asked or names)[0]
    reason = policies.policies[first].reason or f"allowed by {first}"
    chain = finding.chain
    if chain is not None and not settled.approve:
        reason = DELEGATED
    return PermissionResult(
        effect="approve" if settled.approve else "allow",
        reason=reason,
        policy=first,
        policies=tuple(sorted({*names, *asked})),
        revision=policies.revision,
        redact=frozenset[str]().union(*(hidden(one.party, called, one.relation) for one in standing)),
        on_behalf_of=chain.root if chain is not None else "",
        grants=tuple(link.id for link in chain.links) if chain is not None else (),
        lenders=chain.parties[:-1] if chain is not None else (),
        quota=0 if options is None or _unlimited(standing[0]) else options.quota,
        charged=chain.root if chain is not None and not _unlimited(standing[1]) else "",
        sensitive=settled.approve or _sensitive(policies, action, called),
        workflow=options.workflow if options is not None and settled.approve else "",
    )


def hidden(party: Party, called: Called, relation: Relation) -> frozenset[str]:
    """Fields that a party is not shown: private ones of somebody else, and those above its clearance."""
    options = called.options
    if options is None or relation.self:
        return frozenset()
    private = frozenset[str]() if relation.own else options.private
    whole = party.operator or (relation.own and (party.acts or party.kind == "user"))
    above = party.facts.clearance < options.classification and not whole
    return private | options.redact if above else private


def _unlimited(who: Standing) -> bool:
    """Whether no calls of it are counted: it is the operator, or calls its own person's agent."""
    return who.party.operator or (who.party.acts and who.relation.own)


def _sensitive(policies: PolicySet, action: str, called: Called) -> bool:
    options = called.options
    return options is not None and policies.config.sensitive.covers(
        called.capability, action, options.classification, personal_data=options.personal_data
    )
