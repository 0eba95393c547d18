"""What the scenarios with a model share: people, scripts of their answers, and the number of calls a run should take."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from moothall.directory.profiles import AgentProfile
from moothall.events.model import Event
from tests.support.demand import SUMMARY, of_type, profile
from tests.support.fake_llm import Asked

DEMAND = "我想在北京办一场AI主题聚会，需要场地和嘉宾"
WITH_PHOTOS = "我想在北京办一场AI主题聚会，需要场地、嘉宾和摄影"
TRIO = (profile("venue", "场地提供"), profile("speaker", "演讲嘉宾"), profile("planner", "活动策划"))
POOL = (
    *(profile(f"venue_{number}", "场地提供", price=1000 + number) for number in range(7)),
    *(profile(f"speaker_{number}", "演讲嘉宾", price=500 + number) for number in range(9)),
    *(profile(f"photo_{number}", "摄影", price=600 + number) for number in range(4)),
    profile("planner", "活动策划"),
)
NO = {"decision": "decline", "decline_reason": "那天有别的安排", "confidence": 60}
YES = {"feedback_type": "accept", "reasoning": "可以"}
LEAVE = {"feedback_type": "withdraw", "reasoning": "临时有事，来不了"}


def talker(name: str, *tags: str, city: str = "北京") -> AgentProfile:
    """An agent whose card says in words alone what it does."""
    return AgentProfile.model_validate(
        {
            "agent_id": f"user_agent_{name}",
            "user_name": name,
            "profile_summary": SUMMARY[:220],
            "location": city,
            "tags": list(tags),
        }
    )


def who(asked: Asked) -> str:
    """The agent that a question of prompt 3 or 5 speaks for, without the prefix of all ids."""
    name = str(asked.data["agent_profile"]["agent_id"])
    return name.removeprefix("user_agent_")


def by_agent(answers: Mapping[str, Any]) -> Callable[[Asked], Any]:
    """Answers by the agent's name; the others answer by default, and so does whoever has a ``None``."""
    return lambda asked: answers.get(who(asked))


def by_round(answers: Mapping[str, Sequence[Any]]) -> Callable[[Asked], Any]:
    """Reviews by the agent's name and the round, the last for all further ones; the others accept."""

    def answer(asked: Asked) -> Any:
        mine = answers.get(who(asked))
        return YES if mine is None else mine[min(int(asked.data["round"]["now"]), len(mine)) - 1]

    return answer


def wants(**changes: Any) -> dict[str, Any]:
    """A review that asks for a change."""
    return {
        "feedback_type": "negotiate",
        "reasoning": "希望调整",
        "proposed_changes": {**changes, "reason": "希望调整"},
    }


def shy_photographers(asked: Asked) -> Any:
    """Photographers decline whatever is more than photography."""
    more = len(asked.data["demand"]["requirements"]) > 1
    return NO if who(asked).startswith("photo") and more else None


def some_photographers(asked: Asked) -> Any:
    """All but the last photographer for the whole demand; for photography alone who is left."""
    picked = asked.default()
    if len(asked.data["demand"]["requirements"]) == 1:
        return picked
    kept = [item for item in picked["definitely_related"] if item["agent_id"] != "user_agent_photo_3"]
    return {**picked, "definitely_related": kept}


def reviewers(events: Sequence[Event]) -> list[int]:
    """How many agents were sent the plan of each round."""
    plans = of_type(events, "proposal.distributed")
    return [len({item["agent_id"] for item in plan["proposal"]["assignments"]}) for plan in plans]


def expected_calls(events: Sequence[Event], *, gaps: bool = False, compromise: bool = False) -> int:
    """``N + R(P + 1) + 3 + gaps + compromise``."""
    asked = len(of_type(events, "filter.completed")[0]["candidates"])
    return asked + sum(count + 1 for count in reviewers(events)) + 3 + gaps + compromise


def expected_calls_below(events: Sequence[Event]) -> int:
    """``2 + N' + R'(P' + 1) - 1`` of a sub-negotiation."""
    asked = len(of_type(events, "filter.completed")[0]["candidates"])
    return 2 + asked + sum(count + 1 for count in reviewers(events)) - 1
