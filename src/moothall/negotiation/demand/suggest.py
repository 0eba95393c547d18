"""Advice when nobody in the registry fits (row NEG-FAIL-09): what was understood, what the registry has. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from moothall.directory.concepts import Vocabulary
from moothall.directory.profiles import AgentProfile
from moothall.messages import text
from moothall.negotiation.demand.models import DemandUnderstanding

MOST_NAMED = 5
"""Tags or places named in one piece of advice."""


def no_candidates(demand: DemandUnderstanding, profiles: Sequence[AgentProfile], vocabulary: Vocabulary) -> list[str]:
    """Concrete next steps: name a need, a place that has agents, or bring agents in."""
    lang = demand.lang
    joint = "、" if lang == "zh" else ", "
    wanted = {item.concept for item in demand.requirements}
    advice: list[str] = []
    if not wanted:
        common = Counter(vocabulary.key(tag) for profile in profiles for tag in profile.tags).most_common(MOST_NAMED)
        if common:
            names = joint.join(vocabulary.label(concept, lang) for concept, _ in common)
            advice.append(text("channel.advice.name_a_need", lang, tags=names))
    else:
        able = [item for item in profiles if wanted & {vocabulary.key(tag) for tag in item.tags}]
        places = [place for place, _ in Counter(item.location for item in able).most_common(MOST_NAMED)]
        if places:
            advice.append(text("channel.advice.other_place", lang, places=joint.join(places)))
    advice.append(text("channel.advice.bring_agents", lang))
    return advice
