"""Events of a negotiation, as a stream sends them, to render without a node."""

from __future__ import annotations

from typing import Any

IDS = {"demand_id": "d-0000cafe", "channel_id": "collab-0000cafe"}
NAMES = {"user_agent_hall": "青砖小馆", "user_agent_mei": "Mei", "user_agent_hu": "胡同"}


def event(seq: int, kind: str, **payload: Any) -> dict[str, Any]:
    return {
        "event_id": f"evt-0000cafe-{seq}",
        "event_type": f"towow.{kind}",
        "timestamp": f"2026-11-21T10:00:{seq:02}.500Z",
        "payload": {**IDS, **payload},
    }


def assignment(agent_id: str, role: str, price: float, *conditions: dict[str, str]) -> dict[str, Any]:
    return {
        "agent_id": agent_id,
        "display_name": NAMES[agent_id],
        "role": role,
        "price": price,
        "currency": "CNY",
        "conditions": list(conditions),
    }


PLAN = {
    "summary": "两个人",
    "assignments": [
        assignment("user_agent_hall", "场地提供", 3200, {"text": "需要投影", "status": "met"}),
        assignment("user_agent_mei", "演讲嘉宾", 0, {"text": "周末", "status": "open"}),
    ],
    "timeline": {"start_date": "2026-12-05", "milestones": []},
    "cost": {"total": 3200, "currency": "CNY", "budget": 5000.5},
}

START = [
    event(0, "demand.submitted", raw_input="在北京办一场聚会", requester_id="anonymous"),
    event(
        1, "demand.understood", surface_demand="办一场聚会", capability_tags=["场地提供", "演讲嘉宾"], confidence="high",
        uncertainties=["没有说明日期"],
    ),
    event(
        2, "filter.completed", candidates_count=3,
        candidates=[{"agent_id": name, "display_name": told, "reason": "会"} for name, told in NAMES.items()],
    ),
    event(3, "channel.created", participants_count=3),
    event(4, "demand.broadcast", recipients_count=3, deadline_at="2026-11-21T10:05:00.000Z"),
    event(5, "offer.submitted", agent_id="user_agent_hall", display_name="青砖小馆", decision="conditional", contribution="有场地"),
    event(6, "offer.submitted", agent_id="user_agent_mei", display_name="Mei", decision="participate", contribution="a talk"),
    event(7, "offer.submitted", agent_id="user_agent_hu", display_name="胡同", decision="decline", contribution="", decline_reason="没空"),
    event(8, "aggregation.started", offers_count=3),
    event(9, "proposal.distributed", proposal=PLAN, round=1, max_rounds=3, deadline_at="2026-11-21T10:02:00.000Z"),
    event(10, "proposal.feedback", agent_id="user_agent_hall", display_name="青砖小馆", feedback_type="accept", reasoning="好", by_default=True),
    event(11, "proposal.feedback", agent_id="user_agent_mei", display_name="Mei", feedback_type="negotiate", reasoning="", adjustment_request="later"),
    event(12, "negotiation.bargain", agent_id="user_agent_mei", display_name="Mei", bargain_type="date", content="later", round=1),
    event(13, "feedback.evaluated", accepts=1, rejects=0, negotiates=1, accept_rate=0.5, round=1),
]  # fmt: skip

AGREED = [
    *START,
    event(14, "negotiation.round_started", round=2, max_rounds=3),
    event(15, "proposal.distributed", proposal=PLAN, round=2, max_rounds=3),
    event(16, "proposal.feedback", agent_id="user_agent_mei", display_name="Mei", feedback_type="accept", reasoning="fine"),
    event(17, "gap.identified", gaps=[{"gap_type": "摄影", "importance": 70, "reason": "缺"}]),
    event(18, "subnet.triggered", parent_channel_id="collab-0000cafe", parent_demand_id="d-0000cafe",
          sub_demand_id="d-0000beef", sub_channel_id="collab-0000beef", gap_type="摄影"),
    event(19, "subnet.completed", sub_demand_id="d-0000beef", sub_channel_id="collab-0000beef", outcome="failed"),
    event(20, "proposal.finalized", final_proposal=PLAN, participants_count=2, rounds_taken=2, consensus="partial",
          unconfirmed=["user_agent_hall"], gaps=[{"gap_type": "摄影"}], suggestions=["再找一位摄影师"]),
]  # fmt: skip

FAILED = [
    *START,
    event(14, "agent.withdrawn", agent_id="user_agent_hall", display_name="青砖小馆", reason="另有安排"),
    event(15, "substitute.invited", agent_id="user_agent_old", display_name="老窑", reason="也有场地", round=2),
    event(16, "negotiation.failed", reason="core_role_lost", message="核心角色退出", code="E005", last_proposal=PLAN,
          suggestions=["换一天"], compromise={"summary": "只剩讲者", "assignments": [assignment("user_agent_mei", "演讲嘉宾", 0)]}),
]  # fmt: skip
