"""One thing that was decided or done, and where it is handed in. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Kind = Literal["call", "decision", "people", "grant", "approval", "policy", "system"]
"""``call``: how a call ended; ``decision``: a call that was let in or refused; the others: a change of that room."""


@dataclass(slots=True, kw_only=True)
class AuditRecord:  # not frozen: one or two are made for every call; nobody changes it
    """What is written down: who, for whom, what, with which right; never an argument, a value or a secret.

    Attributes:
        kind: what room it comes from.
        action: what was done: an action of the policy (``read``) for decisions, a verb of the room (``revoke``) else.
        actor: who did it: the id of a principal.
        subject: for whom, where that is not the actor: the root of a delegation, the requester of an approval.
        resource: to what: a capability's id, a grant's, a person's.
        effect: ``allow``, ``deny``, ``approve``; the outcome (``ok``, an error's code) of a call; else empty.
        reason: why, in a few words.
        policies: ids of the policies that decided.
        revision: of the policies.
        door, request_id: of the call.
        digest: of the arguments, where the record is bound to them.
        grants: ids of the delegations that gave the right.
        details: anything else, JSON.
    """

    kind: Kind
    action: str
    actor: str
    subject: str = ""
    resource: str = ""
    effect: str = ""
    reason: str = ""
    policies: tuple[str, ...] = ()
    revision: str = ""
    door: str = ""
    request_id: str = ""
    digest: str = ""
    grants: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)


class Recorder(Protocol):
    """Where records are handed in."""

    def check(self) -> None:
        """Ask, before something is done that has to be on record, whether more can be handed in now.

        Raises:
            Unavailable: as `put`.
        """
        ...

    def put(self, record: AuditRecord) -> None:
        """Hand one in; it is written soon, in order.

        Raises:
            Unavailable: the store has been down for so long that no more can be held.
        """
        ...

    async def settle(self, record: AuditRecord) -> None:
        """Hand one in and wait until it is written: for what must not happen unrecorded.

        Raises:
            StorageError: it cannot be written now.
        """
        ...


class NoRecorder:
    """Keeps nothing: for call paths without a node."""

    def check(self) -> None:
        """Let everything be done."""

    def put(self, record: AuditRecord) -> None:
        """Forget it."""

    async def settle(self, record: AuditRecord) -> None:
        """Forget it."""
