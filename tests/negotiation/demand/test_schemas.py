"""The shipped schemas, and the samples of the specification against them (row NEG-DATA-12)."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from moothall.events.types import EVENT_TYPES
from moothall.negotiation.demand.payloads import PAYLOADS
from moothall.negotiation.demand.schemas import MODELS, schemas

SHIPPED = json.loads((files("moothall") / "data" / "schemas.json").read_text(encoding="utf-8"))
DEMAND = {
    "surface_demand": "想在北京办一场AI主题聚会",
    "deep_understanding": {
        "motivation": "上个月参加聚会后很兴奋，想当组织者",
        "likely_preferences": ["轻松氛围", "质量优先"],
    },
    "capability_tags": ["场地提供", "演讲嘉宾", "活动策划"],
    "context": {"location": "北京"},
    "confidence": "high",
}
PROFILE = {
    "agent_id": "user_agent_bob",
    "user_name": "Bob",
    "profile_summary": "我有一间可以容纳三十人的会议室，离地铁很近，周末空着，愿意借给做技术分享的朋友们使用。" * 6,
    "location": "北京",
    "tags": ["场地提供"],
    "capabilities": {"会议室": "30人"},
    "interests": ["AI"],
    "availability": "周末",
}
ASSIGNMENT = {
    "agent_id": "user_agent_bob",
    "display_name": "Bob",
    "role": "场地提供者",
    "responsibility": "提供场地，负责茶歇",
    "dependencies": [],
    "notes": "",
}
TIMELINE = {
    "start_date": "2026-02-15",
    "milestones": [{"name": "场地确认", "date": "2026-02-01", "deliverable": "确认单"}],
}
PROPOSAL = {
    "proposal_id": "prop_001",
    "demand_id": "d-abc12345",
    "version": 1,
    "summary": "方案概述",
    "objective": "方案目标",
    "assignments": [ASSIGNMENT],
    "timeline": TIMELINE,
    "rationale": "选择理由",
    "gaps": [],
    "confidence": "high",
    "created_at": "2026-01-22T10:05:00Z",
}
DRAFT = {key: PROPOSAL[key] for key in PROPOSAL if key not in {"proposal_id", "demand_id", "version", "created_at"}}
GAP = {
    "gap_type": "摄影师",
    "importance": 70,
    "reason": "需要记录活动内容",
    "suggested_capability_tags": ["摄影", "活动拍摄"],
}
SUB_DEMAND = {"description": "寻找摄影师", "capability_tags": ["摄影"], "priority": "high"}
IDS = {"channel_id": "collab-abc12345", "demand_id": "d-abc12345"}
CANDIDATE = {
    "agent_id": "user_agent_bob",
    "display_name": "Bob",
    "reason": "选择理由",
    "match_type": "explicit",
    "confidence": 0.9,
}
RESPONSE = {
    "decision": "participate",
    "contribution": "我可以提供30人的会议室...",
    "conditions": [],
    "reasoning": "这个活动正好是我擅长的领域",
    "decline_reason": "",
    "confidence": 80,
}
FEEDBACK = {"feedback_type": "accept", "adjustment_request": "", "reasoning": "方案合理，同意参与"}
SAMPLES: dict[str, Any] = {
    "api.submit.request": {"raw_input": "我想在北京办一场AI主题聚会，需要场地和嘉宾", "user_id": "user_alice"},
    "api.submit.reply": {**IDS, "status": "processing", "understanding": DEMAND},
    "api.stream.frame": {
        "event_id": "evt-abc123",
        "event_type": "towow.offer.submitted",
        "timestamp": "2026-01-22T10:05:00Z",
        "payload": {},
    },
    "message.create_channel": {
        "type": "create_channel",
        **IDS,
        "demand": DEMAND,
        "candidates": [{"agent_id": "user_agent_bob", "reason": "场地资源", "relevance_score": 90}],
    },
    "message.demand_offer": {
        "type": "demand_offer", **IDS, "demand": DEMAND, "round": 1, "filter_reason": "场地资源", "match_score": 90,
    },
    "message.proposal_review": {
        "type": "proposal_review", **IDS, "proposal": PROPOSAL, "round": 1, "max_rounds": 3,
    },
    "message.offer_response": {
        "type": "offer_response",
        "channel_id": "collab-abc12345",
        "agent_id": "user_agent_bob",
        "display_name": "Bob",
        "decision": "participate",
        "contribution": "我可以提供30人的会议室...",
        "conditions": [],
        "reasoning": "这个活动正好是我擅长的领域",
    },
    "message.proposal_feedback": {
        "type": "proposal_feedback",
        "channel_id": "collab-abc12345",
        "agent_id": "user_agent_bob",
        **FEEDBACK,
    },
    "prompt.1.understand.input": {"raw_input": "用户原始输入", "user_id": "用户ID", "user_context": {}},
    "prompt.1.understand.output": {
        "surface_demand": "表面需求",
        "deep_understanding": {
            "motivation": "动机", "likely_preferences": ["偏好列表"], "emotional_context": "情绪上下文",
        },
        "capability_tags": ["能力标签"],
        "context": {"location": "地点", "expected_attendees": 50, "date": "日期", "budget": "预算"},
        "uncertainties": ["不确定点"],
        "confidence": "high",
    },
    "prompt.2.filter.input": {"demand": DEMAND, "all_agent_profiles": [PROFILE]},
    "prompt.2.filter.output": {
        "analysis": "筛选分析过程",
        "definitely_related": [CANDIDATE],
        "possibly_related": [],
        "total_candidates": 15,
    },
    "prompt.3.respond.input": {"agent_profile": PROFILE, "demand": DEMAND, "filter_reason": "被筛选原因"},
    "prompt.3.respond.output": RESPONSE,
    "prompt.4.aggregate.input": {
        "demand": DEMAND,
        "offers": [
            {
                "offer_id": "offer_001",
                "agent_id": "agent_bob",
                "demand_id": "d-abc12345",
                **RESPONSE,
                "submitted_at": "2026-01-22T10:05:00Z",
            }
        ],
    },
    "prompt.4.aggregate.output": DRAFT,
    "prompt.5.review.input": {"agent_profile": PROFILE, "proposal": PROPOSAL, "my_assignment": ASSIGNMENT},
    "prompt.5.review.output": {
        "feedback_type": "accept",
        "reasoning": "评估理由",
        "proposed_changes": {"field": "new_value", "reason": "调整原因"},
    },
    "prompt.6.adjust.input": {"demand": DEMAND, "current_proposal": PROPOSAL, "feedbacks": [], "round": 2},
    "prompt.6.adjust.output": {
        **DRAFT,
        "adjustment_summary": {
            "round": 2, "changes_made": [], "requests_addressed": [], "requests_declined": [],
        },
    },
    "prompt.7.gaps.input": {"demand": DEMAND, "final_proposal": PROPOSAL, "agent_feedbacks": []},
    "prompt.7.gaps.output": {"is_complete": False, "analysis": "分析过程", "gaps": [GAP]},
    "prompt.8.recurse.input": {
        "demand": DEMAND,
        "gaps": [GAP],
        "current_proposal": PROPOSAL,
        "estimated_cost": {"tokens": 5000, "time_seconds": 30},
    },
    "prompt.8.recurse.output": {
        "should_recurse": True,
        "condition_1_met": True,
        "condition_1_analysis": "满足度分析",
        "condition_2_met": True,
        "condition_2_analysis": "利益相关方分析",
        "condition_3_met": True,
        "condition_3_analysis": "成本效益分析",
        "sub_demands": [SUB_DEMAND],
    },
    "prompt.9.compromise.input": {
        "demand": DEMAND, "available_resources": [ASSIGNMENT], "gaps": [GAP], "feedbacks": [],
    },
    "prompt.9.compromise.output": {
        "summary": "妥协方案概述",
        "type": "compromise",
        "assignments": [ASSIGNMENT],
        "compromises": [{"issue": "争议点", "resolution": "妥协方案", "rationale": "理由"}],
        "unresolved": ["无法妥协的问题"],
        "suggestions": ["替代建议"],
        "confidence": "low",
    },
    "data.Demand": {
        "demand_id": "d-abc12345",
        "requester_id": "agent_alice",
        "raw_input": "用户原始输入",
        **{key: DEMAND[key] for key in ("surface_demand", "deep_understanding", "capability_tags", "context")},
        "status": "processing",
        "created_at": "2026-01-22T10:05:00Z",
    },
    "data.Proposal": PROPOSAL,
    "data.Assignment": ASSIGNMENT,
    "data.Timeline": TIMELINE,
    "data.Milestone": TIMELINE["milestones"][0],
    "data.Gap": GAP,
    "data.SubDemand": SUB_DEMAND,
    "data.AgentProfile": PROFILE,
    "event.towow.demand.understood": {
        "demand_id": "d-abc12345", "surface_demand": "表面需求", "capability_tags": ["场地提供"], "confidence": "high",
    },
    "event.towow.filter.completed": {
        **IDS, "candidates_count": 1,
        "candidates": [{"agent_id": "user_agent_bob", "display_name": "Bob", "reason": "场地资源"}],
    },
    "event.towow.channel.created": {**IDS, "participants_count": 1},
    "event.towow.demand.broadcast": {**IDS, "recipients_count": 1},
    "event.towow.offer.submitted": {
        **IDS, "agent_id": "user_agent_bob", "display_name": "Bob", "decision": "participate", "contribution": "会议室",
    },
    "event.towow.aggregation.started": {**IDS, "offers_count": 1},
    "event.towow.proposal.distributed": {**IDS, "proposal": PROPOSAL, "round": 1},
    "event.towow.proposal.feedback": {
        **IDS, "agent_id": "user_agent_bob", "feedback_type": "accept", "reasoning": "方案合理，同意参与",
    },
    "event.towow.feedback.evaluated": {
        "channel_id": "collab-abc12345", "accepts": 1, "rejects": 0, "negotiates": 0, "accept_rate": 1.0, "round": 1,
    },
    "event.towow.negotiation.round_started": {**IDS, "round": 2, "max_rounds": 3},
    "event.towow.proposal.finalized": {
        **IDS, "final_proposal": PROPOSAL, "participants_count": 1, "rounds_taken": 1,
    },
    "event.towow.negotiation.failed": {**IDS, "reason": "no_agreement", "last_proposal": PROPOSAL},
    "event.towow.agent.withdrawn": {
        **IDS, "agent_id": "user_agent_bob", "display_name": "Bob", "reason": "有别的安排",
    },
    "event.towow.gap.identified": {**IDS, "gaps": [GAP]},
    "event.towow.subnet.triggered": {
        "parent_channel_id": "collab-abc12345",
        "parent_demand_id": "d-abc12345",
        "sub_demand_id": "d-def67890",
        "sub_channel_id": "collab-def67890",
        "gap_type": "摄影师",
    },
}  # fmt: skip
ONLY_OURS = {
    "api.demand", "api.demand.steps", "api.channel", "api.confirm.understanding", "api.person.invitation", "api.person.offer",
    "api.person.feedback", "data.DemandUnderstanding", "data.Candidate", "data.Offer", "data.AdjustmentSummary",
    "event.towow.demand.submitted", "event.towow.demand.confirmed", "event.towow.negotiation.bargain", "event.towow.subnet.completed",
    "event.towow.substitute.invited", "event.towow.substitute.answered",
}  # fmt: skip


def validator(name: str) -> jsonschema.Draft202012Validator:
    """The shipped schema of a name."""
    schema = {**SHIPPED["schemas"][name], "$defs": SHIPPED["$defs"]}
    return jsonschema.Draft202012Validator(schema)


def test_the_shipped_schemas_are_those_of_the_code() -> None:
    assert schemas() == SHIPPED


def test_every_public_event_type_has_a_payload_model_with_its_keys() -> None:
    assert set(PAYLOADS) == set(EVENT_TYPES)
    for name, keys in EVENT_TYPES.items():
        assert set(keys) <= set(PAYLOADS[name].model_fields)


@pytest.mark.requirement("NEG-EVENT-17")
def test_every_event_type_is_documented_with_its_keys() -> None:
    document = (Path(__file__).parents[3] / "docs" / "events.md").read_text(encoding="utf-8")
    sections = {part.partition("`")[0]: part for part in document.split("## `")[1:]}
    assert set(sections) == set(EVENT_TYPES)
    for name, model in PAYLOADS.items():
        assert all(f"`{key}`" in sections[name] for key in model.model_fields)


@pytest.mark.requirement("NEG-DATA-12")
def test_every_shipped_schema_has_a_sample_of_the_specification_or_is_ours() -> None:
    assert set(SAMPLES) | ONLY_OURS == set(MODELS)


@pytest.mark.requirement("NEG-DATA-12", "NEG-DATA-03", "NEG-DATA-04", "NEG-DATA-05", "NEG-DATA-06")
@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_a_sample_passes_survives_and_needs_every_required_key(name: str) -> None:
    sample, model, check = SAMPLES[name], MODELS[name], validator(name)
    check.validate(sample)
    assert json.loads(model.model_validate(sample).model_dump_json(exclude_unset=True)) == sample
    required = SHIPPED["$defs"][SHIPPED["schemas"][name]["$ref"].removeprefix("#/$defs/")].get("required", [])
    assert required
    for key in required:
        assert not check.is_valid({other: value for other, value in sample.items() if other != key})
