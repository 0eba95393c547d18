"""Telling approvers outside that it is their turn: what is said, and how it is delivered (row SEC-09)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Protocol

from moothall.approvals.asking import Ask
from moothall.approvals.plan import WorkflowPlan
from moothall.approvals.rules import Rules
from moothall.canonical import dumps
from moothall.errors import InternalError
from moothall.events.model import JsonObject, OutboxDraft, OutboxRow
from moothall.telemetry import logger

_log = logger("approvals")

SCHEME: Final = "approval:"
"""What the targets of notices begin with; the name of the workflow follows, never its address, which may be secret."""

ADDRESS: Final = "/api/v1/approvals/{}"
"""Where a node tells how far an approval is."""

Deliver = Callable[[OutboxRow], Awaitable[None]]


class Post(Protocol):
    """Sends a body to an address of the operator's file, through the guarded client, signed by the node's agent."""

    async def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Send it.

        Raises:
            MoothallError: it was not taken; with ``retry_after`` where the receiver said when to come again.
        """
        ...


def planned(name: str, plan: WorkflowPlan) -> JsonObject:
    """What a run keeps of its workflow's webhook; nothing where there is none."""
    return {"workflow": name, "arguments": plan.webhook_arguments} if plan.webhook else {}


def notice(run: str, ask: Ask, kept: JsonObject, turn: JsonObject) -> tuple[OutboxDraft, ...]:
    """The notice of a step whose turn has come, or to which somebody was added; none without a webhook."""
    if not kept:
        return ()
    body = {
        "type": "approval.requested",
        "approval_id": run,
        "location": ADDRESS.format(run),
        "requester": ask.principal.id,
        "target": ask.target,
        "action": ask.action,
        **turn,
        **({"arguments": ask.arguments} if kept["arguments"] else {}),
    }
    return (OutboxDraft(f"notice.{turn['step']}.{turn['asked']}", f"{SCHEME}{kept['workflow']}", body),)


def deliver_notices(rules: Rules, post: Post) -> Deliver:
    """A delivery for the outbox that posts notices to the webhooks as they stand in the operator's file now."""

    async def deliver(row: OutboxRow) -> None:
        name = row.target.removeprefix(SCHEME)
        plan = rules.config.workflow.get(name)
        if plan is None or not plan.webhook:
            _log.info("the notice %s is dropped: workflow %s has no webhook any more", row.idempotency_key, name)
            return
        headers = {"content-type": "application/json", "idempotency-key": row.idempotency_key}
        await post(plan.webhook, dumps(row.payload), headers)

    return deliver


def by_scheme(deliveries: Mapping[str, Deliver]) -> Deliver:
    """One delivery of several, chosen by what a row's target begins with (``run:``, ``approval:``)."""

    async def deliver(row: OutboxRow) -> None:
        scheme = row.target.partition(":")[0] + ":"
        if scheme not in deliveries:
            raise InternalError(f"nothing here delivers to {scheme}")
        await deliveries[scheme](row)

    return deliver
