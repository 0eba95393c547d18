"""What has to be approved, and what the call path and the approvals say to each other. Pure."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

from moothall.canonical import digest
from moothall.capability.spec import JsonObject
from moothall.identity.principal import Principal

Failure = Literal["", "not_made", "outdated", "unknown"]
"""Of an approved call: empty: none; it was never made, for lack of somebody who could, or since the rules ask for other
steps by now; or the node gave up without knowing whether it was made."""

Status = Literal["pending", "approved", "rejected", "expired", "cancelled"]
"""``approved`` and what follows it are ends of the deciding; how the approved call went is told apart."""

DEFAULT_WORKFLOW: Final = "default"
"""The steps that are taken where nothing names others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A call that somebody wants to make, whole: its approval is for this and nothing else.

    Attributes:
        principal: who makes it, as the verifier found.
        target: ``AGENT.NAME@VERSION`` of the capability.
        action: of the policy.
        arguments: validated, in their wire form; shown to the approvers.
        digest: SHA-256 over principal, target and arguments (`digest_of`).
        door, request_id: of the request.
        purpose: what its caller says that it is for; the call is decided anew before it is made.
        policy: the policy that asks for an approval; empty: a rule of the approvals does.
        workflow: name of the workflow whose steps are taken; empty: the default one.
        inside: whether a capability makes it in the name of its caller (`CallFacts.inside`).
        on_behalf_of: whose right it uses; empty: its own.
        lenders: all who lent it that right, one after the other; the first is ``on_behalf_of``.
    """

    principal: Principal
    target: str
    action: str
    arguments: JsonObject
    digest: str
    door: str = ""
    request_id: str = ""
    purpose: str = ""
    policy: str = ""
    workflow: str = ""
    inside: bool = False
    on_behalf_of: str = ""
    lenders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far a workflow is.

    Attributes:
        id: ``ap-`` and 16 hex digits.
        status: see `Status`.
        executed: whether the approved call has ended.
        outcome: its sealed reply, where it has; only the call path can open it. Empty: the answer was not kept.
        reason: why it was rejected or cancelled, in the words of who did it.
        expires: when it expires, Unix seconds.
        counted: whether the decision that was just handed in counts already; False: it is on record, and its turn comes
            as soon as the process that drives the workflow takes it.
        failed: whether the node gave the approved call up: it has no outcome then, and will have none.
    """

    id: str
    requester: str
    digest: str
    status: Status
    executed: bool = False
    outcome: str = ""
    reason: str = ""
    expires: int = 0
    counted: bool = True
    failed: Failure = ""

    @property
    def waits(self) -> bool:
        """Whether the call still waits for its decision, or to be made."""
        made = self.executed or self.failed
        return self.status == "pending" or (self.status == "approved" and not made)


Ruling = Callable[[str, str, Callable[[], JsonObject]], str | None]
"""The workflow of the first rule that asks for an approval of a call, told by its capability, its action and what gives
its arguments; None where none does."""


class Approvals(Protocol):
    """What the call path needs of the approvals."""

    @property
    def ruling(self) -> Ruling:
        """The rules as they hold now: a call is judged by those of the moment at which it was let in (SEC-04)."""
        ...

    async def ask(self, ask: Ask) -> Standing:
        """The open workflow of this very call, begun now if there is none.

        Raises:
            Unauthenticated: the requester proves no identity, so that nobody could say whose call it is.
            RateLimited: the requester has as many open as it may.
            Overloaded: all requesters together have.
            PayloadTooLarge: the arguments cannot be kept.
            Forbidden: nobody can approve it: no approver is configured but the requester itself.
            InternalError: its workflow is not set up as it has to be.
            StorageError: it cannot be written down.
        """
        ...

    async def standing(self, workflow: str) -> Standing | None:
        """How far one is; None where there is none of that id."""
        ...

    async def ended(self, workflow: str, until: float) -> Standing:
        """The same, as soon as it is decided and executed, or at ``until`` (monotonic seconds) as it is then.

        Raises:
            ServiceNotFoundError: there is none of that id.
        """
        ...


Execute = Callable[[str, Ask], Awaitable[str]]
"""Makes the call of an approved workflow, by its id, once however often it is asked to; its sealed outcome.

An error of the call is an outcome like any other. It raises only where nothing is known yet; it is asked again then,
also where this node has no such capability (Unavailable): it may have it later, and another node may have it now.
"""


def digest_of(principal: str, target: str, arguments: Any) -> str:  # noqa: ANN401 - JSON of any shape
    """What an approval is bound to: the caller, the capability with its version, and what tells its arguments apart.

    Raises:
        InvalidInput: the arguments have no canonical JSON form.
    """
    return digest([principal, target, arguments])
