"""What the fake model says when a test scripts nothing: valid drafts made of the request's own data.

One function per prompt, each from the parts that the prompt shows. The world they make is agreeable: who is asked
takes part, the plan takes one provider for each need, everybody accepts, nothing is missing.
"""

from __future__ import annotations

from typing import Any

Data = dict[str, Any]


def default_reply(kind: str, data: Data) -> Data:
    """The reply to one kind of prompt; one of a kind it does not know is answered by ``{"value": kind}``."""
    reply = _REPLIES.get(kind)
    return {"value": kind} if reply is None else reply(data)


def _understand(data: Data) -> Data:
    return {
        "surface_demand": str(data["raw_input"])[:120],
        "deep_understanding": {"motivation": "", "likely_preferences": [], "emotional_context": ""},
        "capability_tags": [],
        "context": {},
        "uncertainties": [],
        "confidence": "high",
    }


def _filter(data: Data) -> Data:
    wanted = _tags(data["demand"])
    picked = [
        {
            "agent_id": profile["agent_id"],
            "display_name": profile.get("display_name", ""),
            "reason": "、".join(profile["tags"]),
            "match_type": "explicit",
            "confidence": 0.9,
        }
        for profile in data["all_agent_profiles"]
        if wanted & set(profile["tags"])
    ]
    return {
        "analysis": "picked by tags",
        "definitely_related": picked,
        "possibly_related": [],
        "total_candidates": len(picked),
    }


def _respond(data: Data) -> Data:
    tags = data["agent_profile"]["tags"]
    return {
        "decision": "participate",
        "contribution": "、".join(tags),
        "conditions": [],
        "reasoning": "fits",
        "decline_reason": "",
        "confidence": 80,
    }


def _review(_: Data) -> Data:
    return {"feedback_type": "accept", "reasoning": "fine", "proposed_changes": {}}


def _tags(demand: Data) -> set[str]:
    return {*demand.get("capability_tags", []), *(item["tag"] for item in demand.get("requirements", []))}


_REPLIES = {
    "understand": _understand,
    "filter": _filter,
    "respond": _respond,
    "review": _review,
}
