"""The public event types of a demand negotiation and the payload keys each always has (spec C §4.6).

A client that knows only :data:`SPEC_EVENT_TYPES` works; the additional types and keys only add detail.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

SPEC_EVENT_TYPES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "towow.demand.understood": ("demand_id", "surface_demand", "capability_tags", "confidence"),
        "towow.filter.completed": ("demand_id", "channel_id", "candidates_count", "candidates"),
        "towow.channel.created": ("channel_id", "demand_id", "participants_count"),
        "towow.demand.broadcast": ("channel_id", "demand_id", "recipients_count"),
        "towow.offer.submitted": ("channel_id", "demand_id", "agent_id", "display_name", "decision", "contribution"),
        "towow.aggregation.started": ("channel_id", "demand_id", "offers_count"),
        "towow.proposal.distributed": ("channel_id", "demand_id", "proposal", "round"),
        "towow.proposal.feedback": ("channel_id", "demand_id", "agent_id", "feedback_type", "reasoning"),
        "towow.feedback.evaluated": ("channel_id", "accepts", "rejects", "negotiates", "accept_rate", "round"),
        "towow.negotiation.round_started": ("channel_id", "demand_id", "round", "max_rounds"),
        "towow.proposal.finalized": (
            "channel_id",
            "demand_id",
            "final_proposal",
            "participants_count",
            "rounds_taken",
        ),
        "towow.negotiation.failed": ("channel_id", "demand_id", "reason"),
        "towow.agent.withdrawn": ("channel_id", "demand_id", "agent_id", "display_name", "reason"),
        "towow.gap.identified": ("channel_id", "demand_id", "gaps"),
        "towow.subnet.triggered": (
            "parent_channel_id",
            "parent_demand_id",
            "sub_demand_id",
            "sub_channel_id",
            "gap_type",
        ),
    }
)
"""The 15 types of the specification."""

ADDITIONAL_EVENT_TYPES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "towow.demand.submitted": ("demand_id", "channel_id", "raw_input", "requester_id"),
        "towow.demand.confirmed": ("demand_id", "channel_id", "understanding", "edited", "source"),
        "towow.negotiation.bargain": ("agent_id", "display_name", "bargain_type", "content", "round"),
        "towow.substitute.invited": ("channel_id", "demand_id", "agent_id", "display_name", "reason", "round"),
        "towow.substitute.answered": (
            "channel_id",
            "demand_id",
            "agent_id",
            "display_name",
            "feedback_type",
            "reasoning",
            "round",
        ),
        "towow.subnet.completed": ("channel_id", "demand_id", "sub_demand_id", "sub_channel_id", "outcome"),
    }
)
"""Types beyond the specification (row NEG-EVENT-17)."""

EVENT_TYPES: Mapping[str, tuple[str, ...]] = MappingProxyType({**SPEC_EVENT_TYPES, **ADDITIONAL_EVENT_TYPES})
"""All public types."""

TERMINAL_EVENT_TYPES = frozenset({"towow.proposal.finalized", "towow.negotiation.failed"})
"""The two that end a run."""
