"""What was agreed at the front door: its digest, where it is kept, and how it is read back. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from moothall.canonical import canonical, sha256
from moothall.clock import parse_rfc3339
from moothall.errors import InvalidInput, Told, ValidationError
from moothall.events.model import Event
from moothall.negotiation.protocol.bodies import NegotiateBody, NegotiateMeta, NegotiationReply
from moothall.negotiation.protocol.needs import JsonObject

SELECTED_KIND: Final = "protocol.selected"
"""The kind of runs that hold the outcome of a selection."""

PROVIDE_KIND: Final = "protocol.provide"
"""The kind of runs in which an agent of this node drafts a protocol that another one asked for."""

REQUEST_KIND: Final = "protocol.request"
"""The kind of runs in which an agent of this node asks another one for a protocol."""

AGREED: Final = "protocol.agreed"
"""The type, and `AGREED_KEY` the key, of the event with what was agreed."""

AGREED_KEY: Final = "agreed"

_DIGITS: Final = 32
_SAFE: Final = 2**53 - 1


def negotiation_of(meta: NegotiateMeta, body: NegotiateBody) -> str:
    """The id of the negotiation that a request belongs to; one without is a negotiation of its own."""
    return body.negotiation_id or meta.operation_id


def run_of(agent: str, sender: str, negotiation: str) -> str:
    """The run of a negotiation, told from the DIDs of both sides and its id: nobody reaches another one's."""
    seed = canonical([agent, sender, negotiation])
    return f"pn-{hashlib.sha256(seed).hexdigest()[:_DIGITS]}"


def request_digest(body: JsonObject) -> str:
    """What tells requests of one negotiation apart.

    Raises:
        ValidationError: the body has no canonical form.
    """
    try:
        return sha256(canonical(body))
    except InvalidInput as error:
        told = Told("agreeing.front_body", {"where": "body"})
        raise ValidationError("the body has no canonical form", told=told) from error


def terms_digest(reply: JsonObject, *, agent: str, sender: str) -> str:
    """``sha256:…`` over everything that was agreed and between whom (row WIRE-NEGO-09), alike on both sides.

    Args:
        reply: the accepted result as it travels; what it says of its digest and of messages is left out.
        agent: the DID of who was asked.
        sender: the DID of who asked.
    """
    names = ("negotiationId", "selected", "execution", "schemas", "validUntil")
    return sha256(canonical([agent, sender, {name: reply[name] for name in names if name in reply}]))


def sealed(reply: NegotiationReply, *, agent: str, sender: str) -> NegotiationReply:
    """An accepted result with its digest."""
    digest = terms_digest(reply.wire(), agent=agent, sender=sender)
    return reply.model_copy(update={"negotiation_digest": digest})


def plain_numbers(schema: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    """A schema without bounds that no canonical form has, those beyond ±(2^53 - 1): it says less, and nothing else."""
    if isinstance(schema, dict):
        return {key: plain_numbers(value) for key, value in schema.items() if not _beyond(value)}
    if isinstance(schema, list):
        return [plain_numbers(value) for value in schema]
    return schema


def _beyond(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) > _SAFE


@dataclass(frozen=True, slots=True)
class Agreed:
    """What a run holds of an agreement.

    Attributes:
        request: `request_digest` of what was asked; empty for drafted ones.
        reply: the result as it was sent.
    """

    request: str
    reply: JsonObject

    @classmethod
    def of(cls, event: Event) -> Agreed:
        """Read it from its event."""
        return cls(str(event.payload["request"]), event.payload["reply"])

    @property
    def digest(self) -> str:
        """Over the terms."""
        return str(self.reply.get("negotiationDigest", ""))

    @property
    def capability(self) -> str:
        """What is called."""
        return str(self.reply.get("selected", {}).get("capability", ""))

    def holds(self, now: datetime) -> bool:
        """Whether it is valid still."""
        return now <= parse_rfc3339(str(self.reply["validUntil"]))
