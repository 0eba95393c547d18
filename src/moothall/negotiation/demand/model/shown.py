"""What a model is shown of a demand and of a profile: what it needs to decide, nothing that is somebody's secret.

Reservation values never leave the node: what a provider sees could be kept, and a floor that is known is no floor.
The rules, which do know it, check every answer against it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from moothall.negotiation.demand.rules.phrasing import TEXT_CAP, TITLE_CAP, clean

if TYPE_CHECKING:
    from moothall.directory.profiles import AgentProfile
    from moothall.negotiation.demand.models import DemandUnderstanding, JsonObject

SUMMARY_CAP = 500


def shown_demand(demand: DemandUnderstanding) -> JsonObject:
    """The demand as understood; what was not stated is left out."""
    limits = demand.constraints
    return {
        "surface_demand": demand.surface_demand,
        "deep_understanding": demand.deep_understanding.model_dump(mode="json"),
        "capability_tags": list(demand.capability_tags),
        "requirements": [
            {"tag": item.tag, "count": item.count, "importance": item.importance} for item in demand.requirements
        ],
        "context": demand.context.model_dump(mode="json", exclude_none=True),
        "constraints": limits.model_dump(mode="json", exclude_none=True),
        "uncertainties": list(demand.uncertainties),
    }


def shown_profile(profile: AgentProfile) -> JsonObject:
    """A profile as anybody may see it, its own free keys left out."""
    able = profile.capabilities
    return {
        "agent_id": profile.agent_id,
        "user_name": clean(profile.user_name, TITLE_CAP),
        "location": clean(profile.location, TITLE_CAP),
        "tags": [clean(tag, TITLE_CAP) for tag in profile.tags],
        "profile_summary": clean(profile.profile_summary, SUMMARY_CAP),
        "availability": clean(profile.availability, TEXT_CAP),
        "offers": [offer.model_dump(mode="json", exclude_defaults=True) for offer in able.offers],
        "calendar": able.calendar.model_dump(mode="json", exclude_defaults=True),
        "max_roles": able.max_roles,
    }
