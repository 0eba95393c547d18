"""What the operator can ask of the policies: the capabilities ``policy.*`` of a node."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, Final, Protocol

from pydantic import Field

from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.capability.entry import Entry
from moothall.capability.spec import Action, JsonObject
from moothall.errors import InvalidInput, ServiceNotFoundError, SettingsError, Told
from moothall.identity import did
from moothall.policy.engine import NAMED, PolicyEngine
from moothall.policy.explanation import Explanation, explained
from moothall.policy.hearing import Asked
from moothall.policy.policies import PolicySet
from moothall.policy.resources import AUDIT_LOG, AgentResource, Resource

_LOG: Final = "log:audit"
_LOCAL: Final = "local:"

Who = Annotated[str, Field(min_length=1, max_length=did.LONGEST)]
What = Annotated[str, Field(min_length=1, max_length=did.LONGEST)]
Purpose = Annotated[str, Field(max_length=256)]


class Reloads(Protocol):
    """Where the policies come from; `PolicyStore` fills it."""

    async def reload(self) -> PolicySet:
        """Read the files now; raises SettingsError where they are wrong."""
        ...


class PolicyCapabilities:
    """The capabilities ``policy.*`` of a node, for its operator.

    Args:
        entries: the capabilities of the node as they are now.
    """

    def __init__(self, engine: PolicyEngine, store: Reloads, entries: Callable[[], Iterable[Entry]]) -> None:
        self._engine, self._store, self._entries = engine, store, entries

    @capability(name="policy.check", read_only=True)
    async def check(self, who: Who, resource: What, action: Action | None = None, purpose: Purpose = "") -> JsonObject:
        """Say whether somebody may do something now; nothing is done.

        Args:
            who: a DID, user:NAME or owner, taken as if it had proved that it is it; or anonymous.
            resource: AGENT.NAME of a capability, the DID of an agent, or log:audit.
            action: read, query, …; left out: what the capability does, or read.
            purpose: what it would say that the call is for.

        Raises:
            ServiceNotFoundError: there is no such capability.
            InvalidInput: nobody is called like that.
        """
        found = await self._explain(who, resource, action, purpose)
        return {
            "effect": found.result.effect,
            "reason": found.result.reason,
            "policies": list(found.result.policies),
            "lacking": list(found.lacking),
            "decision": found.key,
        }

    @capability(name="policy.explain", read_only=True)
    async def explain(
        self, who: Who, resource: What, action: Action | None = None, purpose: Purpose = ""
    ) -> JsonObject:
        """Say why somebody may do something now, or may not: every question that was asked, and what is lacking.

        Args:
            who: a DID, user:NAME or owner, taken as if it had proved that it is it; or anonymous.
            resource: AGENT.NAME of a capability, the DID of an agent, or log:audit.
            action: read, query, …; left out: what the capability does, or read.
            purpose: what it would say that the call is for.

        Raises:
            ServiceNotFoundError: there is no such capability.
            InvalidInput: nobody is called like that.
        """
        return (await self._explain(who, resource, action, purpose)).written()

    @capability(name="policy.show", read_only=True)
    async def show(self) -> JsonObject:
        """List the policies that decide now, with their revision."""
        return _shown(self._engine.policies)

    @capability(name="policy.reload", idempotent=True, action="manage", binding="request")
    async def reload(self, ctx: CallContext) -> JsonObject:
        """Read the policy files now; files that are wrong change nothing.

        Raises:
            InvalidInput: they are wrong; it says in which file, and where.
        """
        ctx.firsthand()
        try:
            return _shown(await self._store.reload())
        except SettingsError as error:
            raise InvalidInput(str(error)) from error

    async def _explain(self, who: str, resource: str, action: Action | None, purpose: str) -> Explanation:
        if not (who in NAMED or who.startswith(("did:", "user:"))):  # a name alone would be told of as a stranger
            raise InvalidInput("neither a DID nor user:NAME", told=Told("people.party"))
        found = self._resource(resource)
        name = found.id
        act = action or (found.spec.acts if isinstance(found, Entry) else "read")
        trace: list[Asked] = []
        result = await self._engine.check(who, act, found, purpose=purpose, trace=trace)
        return explained(self._engine.policies, result, trace, principal=who, action=act, resource=name)

    def _resource(self, name: str) -> Resource:
        if name == _LOG:
            return AUDIT_LOG
        if name.startswith("did:"):
            return AgentResource(id=name)
        wanted = name.removeprefix(_LOCAL)
        found = next((entry for entry in self._entries() if wanted in {entry.id, entry.key}), None)
        if found is None:
            raise ServiceNotFoundError("no such capability", told=Told("calls.not_found"))
        return found


def _shown(policies: PolicySet) -> JsonObject:
    return {
        "revision": policies.revision,
        "policies": [
            {"id": one.id, "layer": one.layer, "effect": one.effect, "reason": one.reason, "source": one.source}
            for one in policies.policies.values()
        ],
    }
