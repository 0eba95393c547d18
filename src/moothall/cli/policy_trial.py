"""Trying cases with the policies of a folder: the engine of the node decides, with facts that were made up."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from moothall.approvals.rules import Rules
from moothall.capability.entry import Entry
from moothall.cli.policy_cases import Case
from moothall.clock import SystemClock
from moothall.errors import InternalError
from moothall.identity.principal import Principal
from moothall.people.facts import Collaboration, PartyFacts
from moothall.policy.decision import PermissionResult
from moothall.policy.engine import PolicyEngine
from moothall.policy.policies import PolicySet
from moothall.policy.ports import FixedRules, Sources
from moothall.policy.store import FixedPolicies
from moothall.storage.revisions import Revisions


@dataclass(frozen=True, slots=True)
class Tried:
    """A case and what came of it."""

    case: Case
    result: PermissionResult

    @property
    def passed(self) -> bool:
        """Whether it is as expected."""
        named = self.case.policy
        return self.result.effect == self.case.expect and (not named or named in self.result.policies)


class _Still(Revisions):
    """Nothing ever changes."""

    def __init__(self) -> None:
        """There is no store behind it."""

    @property
    def known(self) -> Mapping[str, int]:
        return {}

    async def current(self) -> Mapping[str, int]:
        return {}


class _People:
    """Facts as the case has them."""

    def __init__(self, *facts: PartyFacts) -> None:
        self._facts = {one.id: one for one in facts}

    async def facts(self, ids: Iterable[str]) -> Mapping[str, PartyFacts]:
        return {name: self._facts.get(name) or PartyFacts(id=name) for name in ids}

    async def collaborations(self, teams: Collection[str]) -> tuple[Collaboration, ...]:
        del teams
        return ()


class _At(SystemClock):
    """A clock that stands still."""

    def __init__(self, when: datetime) -> None:
        self._when = when

    def now(self) -> datetime:
        return self._when


async def tried(cases: Sequence[Case], policies: PolicySet, rules: Rules) -> list[Tried]:
    """Decide every case; ``rules`` of approvals speak as they do at a call."""
    return [Tried(case, await _decided(case, policies, rules)) for case in cases]


async def _decided(case: Case, policies: PolicySet, rules: Rules) -> PermissionResult:
    caller, called = case.caller, case.capability
    agents = {called.agent: case.provider.id} | ({" ": caller.id} if caller.hosted else {})
    sources = Sources(
        settings=FixedRules({caller.id: caller.permissions}, [caller.id] if caller.suspended else []),
        people=_People(case.provider.known(case.provider.id), caller.known(caller.id)),
        revisions=_Still(),
        agents=lambda: agents,
    )
    clock = SystemClock() if case.at is None else _At(case.at)
    engine = PolicyEngine(FixedPolicies(policies), sources, clock=clock)
    entry = _entry(case)
    action = case.action or entry.spec.acts
    result = await engine.check(_principal(case, engine), action, entry, purpose=case.purpose)
    if result.effect == "allow" and rules.rule(entry.id, action, lambda: case.arguments) is not None:
        return replace(result, effect="approve")
    return result


def _principal(case: Case, engine: PolicyEngine) -> Principal:
    """Who calls, as if it had proved who it is, by such a proof."""
    caller = case.caller
    known = engine.principal(caller.id)
    return known if caller.binding == "request" else replace(known, binding=caller.binding)


def _entry(case: Case) -> Entry:
    return Entry(
        spec=case.capability.spec(),
        agent=case.capability.agent,
        input_schema={},
        bind=_never,
        invoke=_never,
        iterate=_never,
        wire=_never,
        encode=_never,
        decode=_never,
    )


def _never(*_: object) -> Any:  # noqa: ANN401 - it stands for functions of any result
    raise InternalError("a made-up capability was called")
