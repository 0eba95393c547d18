"""Why a decision is as it is: everybody who was asked about, what the policies said, and what is lacking."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from moothall.canonical import digest
from moothall.capability.spec import JsonObject
from moothall.policy.decision import NOBODY_ALLOWS, PermissionResult
from moothall.policy.hearing import Asked
from moothall.policy.policies import PolicySet


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """A policy that decided: what it says of itself, and where it stands."""

    id: str
    layer: str
    effect: str
    reason: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """One question on the way.

    Attributes:
        step: ``direct``, or ``root`` and ``link`` for those of a delegation.
        approved: whether it was asked as if somebody had approved the call.
        slice: digest of the facts that it was asked with.
    """

    party: str
    step: str
    approved: bool
    allowed: bool
    policies: tuple[str, ...]
    errors: tuple[str, ...]
    slice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A decision with its reasons.

    Attributes:
        key: the same as in the audit record.
        lacking: what the caller would have to bring: ``needs_approval``, ``needs_purpose``, …
    """

    result: PermissionResult
    key: str
    policies: tuple[Spoken, ...]
    steps: tuple[Looked, ...]
    lacking: tuple[str, ...]

    def written(self) -> JsonObject:
        """As JSON."""
        return {
            "effect": self.result.effect,
            "reason": self.result.reason,
            "policies": [
                {"id": one.id, "layer": one.layer, "effect": one.effect, "reason": one.reason, "source": one.source}
                for one in self.policies
            ],
            "lacking": list(self.lacking),
            "on_behalf_of": self.result.on_behalf_of,
            "grants": list(self.result.grants),
            "redact": sorted(self.result.redact),
            "revision": self.result.revision,
            "decision": self.key,
            "steps": [
                {
                    "party": one.party,
                    "step": one.step,
                    "approved": one.approved,
                    "allowed": one.allowed,
                    "policies": list(one.policies),
                    "errors": list(one.errors),
                    "slice": one.slice,
                }
                for one in self.steps
            ],
        }


def explained(
    policies: PolicySet, result: PermissionResult, trace: Sequence[Asked], *, principal: str, action: str, resource: str
) -> Explanation:
    """Put an explanation together from what was asked on the way."""
    return Explanation(
        result=result,
        key=result.key(principal, action, resource),
        policies=tuple(_spoken(policies, result.policies)),
        steps=tuple(
            Looked(
                party=asked.party,
                step=asked.step,
                approved=asked.approved,
                allowed=asked.verdict.allowed,
                policies=asked.verdict.policies,
                errors=asked.verdict.errors,
                slice=digest(asked.slice),
            )
            for asked in trace
        ),
        lacking=_lacking(policies, result),
    )


def _spoken(policies: PolicySet, names: Iterable[str]) -> Iterable[Spoken]:
    """Those of the set; of policies in Python there is nothing to tell but their names."""
    for name in names:
        known = policies.policies.get(name)
        if known is not None:
            yield Spoken(id=name, layer=known.layer, effect=known.effect, reason=known.reason, source=known.source)
        elif name != NOBODY_ALLOWS:
            yield Spoken(id=name, layer="custom", effect="forbid", reason="", source="")


def _lacking(policies: PolicySet, result: PermissionResult) -> tuple[str, ...]:
    if result.allowed:
        return ()
    wanted = {policies.policies[name].needs for name in result.policies if name in policies.policies} - {""}
    if result.effect == "approve":
        wanted.add("approval")
    return tuple(f"needs_{name}" for name in sorted(wanted))
