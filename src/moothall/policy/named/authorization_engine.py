"""The engine as spec B §7.1 draws it: three checks and their combination (rows POL-02, POL-03).

The decision itself is made by the one engine of the node; each check tells the part of it that its own policies have,
so that a reader of the specification finds them. Nothing is allowed here that the engine does not allow.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from moothall.identity.principal import Principal
from moothall.policy.decision import FAILED, PermissionResult, Subject
from moothall.policy.named.checks import Checks, nothing_there
from moothall.policy.ports import Policies
from moothall.policy.resources import Resource
from moothall.policy.result import denied
from moothall.telemetry import logger

_log = logger("policy")

Caller = Subject | Principal
"""Who calls: as the verifier made it, or as the engine knows it; never a text that a request holds."""


@dataclass(frozen=True, slots=True)
class Context:
    """What of a request policies may ask for; the time is the engine's own."""

    purpose: str = ""


class ContextAnalyzer:
    """Takes out of the context of a request what policies may ask for."""

    def analyze(self, context: Mapping[str, Any] | None) -> Context:
        """What is there; anything that a caller could make up counts for nothing but its ``purpose``.

        Raises:
            TypeError: the purpose is no text.
        """
        purpose = (context or {}).get("purpose", "")
        if not isinstance(purpose, str):
            message = "the purpose of a call is a text"
            raise TypeError(message)
        return Context(purpose)


class RuleEngine:
    """Evaluates the rules: the node's engine."""

    def __init__(self, engine: Checks) -> None:
        self._engine = engine

    async def evaluate(self, caller: Caller, action: str, resource: Resource, context: Context) -> PermissionResult:
        """The whole decision.

        Raises:
            StorageError: the store cannot say.
        """
        return await self._engine.check(caller, action, resource, purpose=context.purpose)


class AuthorizationEngine:
    """Decides in three checks.

    Args:
        policy_store: where the policies come from.
        rule_engine: evaluates them.
        context_analyzer: reads the context of requests.
    """

    def __init__(self, policy_store: Policies, rule_engine: RuleEngine, context_analyzer: ContextAnalyzer) -> None:
        self.policy_store = policy_store
        self.rule_engine = rule_engine
        self.context_analyzer = context_analyzer

    async def authorize(
        self, caller: Caller, resource: Resource, action: str, context: Mapping[str, Any] | None = None
    ) -> PermissionResult:
        """Decide, once: any denial wins, silence is a denial, and so is a check that fails (row POL-03)."""
        try:
            decided = await self._decided(caller, resource, action, context)
            return self.combine_results([self._basic(decided), self._context(decided), self._dynamic(decided)])
        except Exception:  # noqa: BLE001 - whatever goes wrong in a check, it must not become a right
            _log.exception("a check failed; it is a denial")
            return denied(self.policy_store.policies, (), (FAILED,))

    async def check_basic_permissions(
        self, caller: Caller, resource: Resource, action: str, context: Mapping[str, Any] | None = None
    ) -> PermissionResult | None:
        """What policies say that ask who calls what; None: nothing."""
        return self._basic(await self._decided(caller, resource, action, context))

    async def check_context_permissions(
        self, caller: Caller, resource: Resource, action: str, context: Mapping[str, Any] | None = None
    ) -> PermissionResult | None:
        """What policies say that ask for time or purpose; None: nothing."""
        return self._context(await self._decided(caller, resource, action, context))

    async def check_dynamic_policies(
        self, caller: Caller, resource: Resource, action: str, context: Mapping[str, Any] | None = None
    ) -> PermissionResult | None:
        """What policies in Python say, which only narrow; None: nothing."""
        return self._dynamic(await self._decided(caller, resource, action, context))

    def combine_results(self, results: Iterable[PermissionResult | None]) -> PermissionResult:
        """Any denial wins, then whoever asks for an approval, then a right; silence of all is a denial."""
        spoken = [result for result in results if result is not None]
        for effect in ("deny", "approve", "allow"):
            for result in spoken:
                if result.effect == effect:
                    return result
        return nothing_there(self.policy_store.policies)

    def _basic(self, decided: PermissionResult) -> PermissionResult | None:
        """The decision, where policies that ask who calls what have a part in it."""
        spoken = self._volatile(decided)
        failed = not spoken and decided.policy == FAILED  # an evaluation that failed is told once
        return decided if False in spoken or failed else None

    def _context(self, decided: PermissionResult) -> PermissionResult | None:
        """The decision, where policies that ask for time or purpose have a part in it."""
        return decided if True in self._volatile(decided) else None

    def _dynamic(self, decided: PermissionResult) -> PermissionResult | None:
        """The decision, where policies in Python have a part in it."""
        narrowing = {policy.name for policy in self.policy_store.policies.config.narrowing}
        return decided if narrowing.intersection(decided.policies) else None

    def _volatile(self, decided: PermissionResult) -> set[bool]:
        """Of the policies that decided, whether there are such that read what changes from call to call, and others."""
        known = self.policy_store.policies.policies
        return {known[name].volatile for name in decided.policies if name in known}

    async def _decided(
        self, caller: Caller, resource: Resource, action: str, context: Mapping[str, Any] | None
    ) -> PermissionResult:
        return await self.rule_engine.evaluate(caller, action, resource, self.context_analyzer.analyze(context))
