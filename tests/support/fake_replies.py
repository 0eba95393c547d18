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


def _aggregate(data: Data) -> Data:
    """One provider for each need, or as many as it takes; the day is left to the node."""
    chosen: list[Data] = []
    for need in data["demand"]["requirements"]:
        chosen += _providers(need, data["offers"], chosen)
    return _plan(chosen, [need["tag"] for need in data["demand"]["requirements"]])


def _providers(need: Data, offers: list[Data], chosen: list[Data]) -> list[Data]:
    """Assignments that cover a need beyond those that already do."""
    found: list[Data] = []
    lacking = need["count"] - sum(item["tag"] == need["tag"] for item in chosen)
    for offer in offers:
        roles = sum(item["agent_id"] == offer["agent_id"] for item in (*chosen, *found))
        term = next((item for item in offer["terms"] if item["tag"] == need["tag"]), None)
        held = any((item["agent_id"], item["tag"]) == (offer["agent_id"], need["tag"]) for item in chosen)
        if term is None or held or lacking <= 0 or roles >= offer["max_roles"]:
            continue
        lacking -= term["quantity"]
        found.append(_assignment(offer, term["tag"]))
    return found


def _assignment(offer: Data, tag: str) -> Data:
    return {
        "agent_id": offer["agent_id"],
        "display_name": offer["display_name"],
        "role": tag,
        "tag": tag,
        "responsibility": f"{tag}: {offer['display_name']}",
        "dependencies": [],
    }


def _plan(chosen: list[Data], needed: list[str]) -> Data:
    return {
        "summary": f"{len(chosen)} roles",
        "objective": "as asked",
        "assignments": chosen,
        "timeline": {"start_date": "", "milestones": []},
        "rationale": "one provider for each need",
        "gaps": [tag for tag in needed if tag not in {item["tag"] for item in chosen}],
        "confidence": "high",
    }


def _adjust(data: Data) -> Data:
    """The plan without those who left, others in their place; a price that the budget allows is granted."""
    kept = [item for item in data["current_proposal"]["assignments"] if item["agent_id"] not in data["withdrawn"]]
    roles = [{**_assignment(item, item["tag"]), "price": item["price"]} for item in kept]
    answers: dict[str, list[Data]] = {"requests_addressed": [], "requests_declined": []}
    budget = data["demand"]["constraints"].get("budget")
    for request in data["requests"]:
        mine = [item for item in roles if item["agent_id"] == request["agent_id"]]
        if request["field"] == "price" and len(mine) == 1 and _affordable(roles, mine[0], request["wanted"], budget):
            mine[0]["price"] = request["wanted"]
            kind = "requests_addressed"
        else:
            kind = "requests_declined"
        answers[kind].append(
            {"agent_id": request["agent_id"], "field": request["field"], "reason": "as far as it goes"}
        )
    for need in data["demand"]["requirements"]:
        roles += _providers(need, data["offers"], roles)
    plan = _plan(roles, [need["tag"] for need in data["demand"]["requirements"]])
    changed = [{**entry, "reason": "asked for"} for entry in answers["requests_addressed"]]
    return {**plan, "adjustment_summary": {"round": data["round"], "changes_made": changed, **answers}}


def _affordable(roles: list[Data], mine: Data, wanted: Any, budget: float | None) -> bool:
    if not isinstance(wanted, int | float) or wanted == mine["price"]:
        return False
    return budget is None or sum(item["price"] for item in roles) - mine["price"] + wanted <= budget


def _gaps(data: Data) -> Data:
    missing = [item["tag"] for item in data["coverage"] if item["provided"] < item["needed"]]
    return {
        "is_complete": not missing,
        "analysis": "compared tag by tag",
        "gaps": [
            {"gap_type": tag, "importance": 80, "reason": "nobody does it", "suggested_capability_tags": [tag]}
            for tag in missing
        ],
    }


def _recurse(data: Data) -> Data:
    figures, limits = data["figures"], data["limits"]
    worth = figures["gaps_worth_a_search"]
    first = bool(worth) and figures["gain"] >= limits["min_gain"]
    share, benefit = figures["cost_share"], figures["gain_by_cost"]
    third = share is not None and share <= limits["max_cost_share"]
    third = third and (benefit is None or benefit > limits["min_benefit"])
    go = first and figures["budget_allows"] and third and data["depth"] == 0
    tags = [gap["suggested_capability_tags"] for gap in data["gaps"] if gap["gap_type"] in worth]
    return {
        "should_recurse": go,
        "condition_1_met": first,
        "condition_1_analysis": "the gain",
        "condition_2_met": figures["budget_allows"],
        "condition_2_analysis": "the budget",
        "condition_3_met": third,
        "condition_3_analysis": "the cost",
        "sub_demands": [{"description": tag[0], "capability_tags": tag, "priority": "high"} for tag in tags]
        if go
        else [],
    }


def _compromise(data: Data) -> Data:
    return {
        "summary": "what is left of it",
        "type": "compromise",
        "assignments": data["available_resources"],
        "compromises": [],
        "unresolved": [gap["gap_type"] for gap in data["gaps"]],
        "suggestions": ["ask again with another date"],
        "confidence": "low",
    }


def _tags(demand: Data) -> set[str]:
    return {*demand.get("capability_tags", []), *(item["tag"] for item in demand.get("requirements", []))}


_REPLIES = {
    "understand": _understand,
    "filter": _filter,
    "respond": _respond,
    "aggregate": _aggregate,
    "review": _review,
    "adjust": _adjust,
    "gaps": _gaps,
    "recurse": _recurse,
    "compromise": _compromise,
}
