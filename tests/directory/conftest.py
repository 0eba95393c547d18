"""Invented agents for the tests of the directory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from moothall.directory.concepts import load_vocabulary
from moothall.directory.index import RegistrySnapshot
from moothall.directory.places import load_gazetteer
from moothall.directory.profiles import AgentProfile

SUMMARY = (
    "我们在本地做了八年活动服务，从十几个人的小型分享会到三百人的行业论坛都有完整的执行经验。团队五个人，各管一摊，现场反应快，"
    "报价写得清楚，不临时加价。我们重视提前沟通，会在活动前一周给出详细清单，活动后三天内交付全部材料。平时也喜欢参加各种社区聚会，"
    "认识不少志同道合的朋友，愿意把好的资源介绍给合适的人。如果时间合适，我们也愿意支持公益项目，只收取成本。请提前告诉我们人数、"
    "日期和预算，方便我们提前安排人手。"
)

Row = dict[str, Any]
MakeRow = Callable[..., Row]
MakeAgent = Callable[..., AgentProfile]
MakePool = Callable[..., RegistrySnapshot]


@pytest.fixture
def make_row() -> MakeRow:
    """A valid row of a profiles file: `make_row("anna", offers=[{...}], location=...)`."""

    def make(name: str = "anna", *, offers: list[Row] | None = None, calendar: Row | None = None, **fields: Any) -> Row:
        offers = offers if offers is not None else [{"tag": "场地提供", "title": "会议室", "price": 3000}]
        capabilities: Row = {"offers": offers}
        if calendar is not None:
            capabilities["calendar"] = calendar
        return {
            "agent_id": f"user_agent_{name}",
            "user_name": name.title(),
            "profile_summary": SUMMARY,
            "location": "北京",
            "tags": list(dict.fromkeys(offer["tag"] for offer in offers)) or ["场地提供"],
            "capabilities": capabilities,
            "interests": ["AI"],
            "availability": "周末",
            **fields,
        }

    return make


@pytest.fixture
def make_agent(make_row: MakeRow) -> MakeAgent:
    """A valid profile; with `tag=` and offer fields it has that one offer."""

    def make(name: str = "anna", tag: str | None = None, *, fields: Row | None = None, **offer: Any) -> AgentProfile:
        offers = [{"tag": tag, "title": tag, "price": 1000, **offer}] if tag else None
        return AgentProfile.model_validate(make_row(name, offers=offers, **(fields or {})))

    return make


@pytest.fixture
def make_pool() -> MakePool:
    """A snapshot of the profiles given."""

    def make(*profiles: AgentProfile) -> RegistrySnapshot:
        return RegistrySnapshot(profiles, load_vocabulary(), load_gazetteer())

    return make
