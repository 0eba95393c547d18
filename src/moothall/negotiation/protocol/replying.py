"""The results of a selection, as they are told. Pure."""

from __future__ import annotations

from moothall.errors import NegotiationExpired, Told
from moothall.messages import text
from moothall.negotiation.protocol.agreed_terms import plain_numbers
from moothall.negotiation.protocol.bodies import Execution, NegotiationReply, Schemas, Selected
from moothall.negotiation.protocol.selection import Chosen, Unclear


def reply_of(negotiation: str, chosen: Chosen, until: str) -> NegotiationReply:
    """The accepted result of a choice, without its digest; it holds until ``until`` (RFC 3339)."""
    offer, interface = chosen.offer, chosen.interface
    return NegotiationReply(
        negotiation_id=negotiation,
        status="accepted",
        selected=Selected(
            capability=offer.name,
            interface=interface.id,
            protocol=interface.protocol,
            profile=interface.profile,
            security_profile=chosen.security_profile,
            content_type=chosen.content_type,
            url=interface.url,
        ),
        execution=Execution(mode=chosen.mode, requires_human_authorization=chosen.human, timeout_ms=chosen.timeout_ms),
        schemas=Schemas(request_schema=plain_numbers(offer.request), response_schema=plain_numbers(offer.response)),
        valid_until=until,
        alternatives=chosen.alternatives,
    )


def expired() -> NegotiationExpired:
    """The error of an agreement whose time is over."""
    return NegotiationExpired("it does not hold any more", told=Told("agreeing.front_expired"))


def asking_back(negotiation: str, unclear: Unclear) -> NegotiationReply:
    """The result where there is something to be decided first."""
    return NegotiationReply(
        negotiation_id=negotiation,
        status="needs_more_information",
        reason=unclear.reason,
        alternatives=unclear.alternatives,
    )


def refused_by_person(negotiation: str) -> NegotiationReply:
    """The result where a person said no."""
    reason = text("agreeing.front_refused", "en")
    return NegotiationReply(negotiation_id=negotiation, status="rejected", reason=reason)
