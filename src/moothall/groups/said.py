"""What is said in groups as callers see it, and what is answered to it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from moothall.capability.context import CallContext
from moothall.errors import InvalidInput, MoothallError, PayloadTooLarge, PermissionDeniedError, Told
from moothall.events.model import Event, JsonObject
from moothall.groups.channel import Message, check_size
from moothall.groups.handlers import Answer
from moothall.groups.model import Group

OUTSIDE: Final = "Communication not allowed outside group"
BLOCKED: Final = "Communication blocked by group policy"

_LONGEST_ID: Final = 128


class HandlerReply(BaseModel):
    """What a handler answered; ``error`` is a code where it failed, ``decision`` the key of a refusal by the policy."""

    model_config = ConfigDict(frozen=True)

    agent: str
    handler: str
    content: Any = None
    error: str = ""
    message: str = ""
    decision: str = ""


class Sent(BaseModel):
    """A message that stands in the log, and what was answered to it at once."""

    model_config = ConfigDict(frozen=True)

    id: str
    group: str = ""
    seq: int
    at: str
    replies: list[HandlerReply]


class History(BaseModel):
    """A part of what was said; ``after``: where the next part begins, None: this is all for now."""

    model_config = ConfigDict(frozen=True)

    messages: list[Message]
    after: int | None = None


@dataclass(frozen=True, slots=True)
class Occasion:
    """An event that is given to handlers.

    Attributes:
        kind: ``message``, ``join``, ``leave`` or a type of its sender's.
        vouched: whether it is given to them in the name of their own agents, since its sender is not in the group.
    """

    group: Group
    event: Event
    kind: str
    vouched: bool = False

    @property
    def data(self) -> JsonObject:
        """What handlers are given."""
        return {"content": None, **self.event.payload, "at": self.event.ts}


def outside() -> PermissionDeniedError:
    """What is raised where somebody who is not in the group is written to (row GRP-07)."""
    return PermissionDeniedError(OUTSIDE, told=Told("groups.outside"))


def blocked() -> PermissionDeniedError:
    """What is raised where the policy of the group is against it (rows GRP-07, GRP-08)."""
    return PermissionDeniedError(BLOCKED, told=Told("groups.blocked"))


def new_id(given: str, ctx: CallContext) -> str:
    """The id of a message: as its sender gives it, or the key of the call, or a new one.

    Raises:
        InvalidInput: it is too long.
    """
    found = given or ctx.idempotency_key or secrets.token_hex(12)
    if len(found) > _LONGEST_ID:
        raise InvalidInput("the id of the message is too long", told=Told("groups.long_id", {"most": _LONGEST_ID}))
    return found


def outcome(answer: Answer) -> JsonObject:
    """What a handler answered, as it is kept: a value, or the code of an error and what it says."""
    error: MoothallError | None = answer.error
    if error is None:
        try:
            check_size(answer.value)
        except PayloadTooLarge as long:
            error = long
    if error is not None:
        said: JsonObject = {"content": None, "error": error.envelope_code, "message": error.message}
        decision = error.details.get("decision")
        return {**said, "decision": decision} if isinstance(decision, str) else said
    return {"content": answer.value}


def reply_of(said: JsonObject) -> HandlerReply:
    """What is kept of an answer, told."""
    return HandlerReply(
        agent=str(said.get("sender", "")),
        handler=str(said.get("handler", "")),
        content=said.get("content"),
        error=str(said.get("error", "")),
        message=str(said.get("message", "")),
        decision=str(said.get("decision", "")),
    )
