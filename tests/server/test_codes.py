"""The nine codes of the specification, each provoked once over HTTP, with its status and its Chinese text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.server.door import DEMAND, SUBMIT, Door, opened, read_only, served
from tests.support.demand import SILENT, Script, profile, running
from tests.support.fake_llm import HANG, fake_llm

ZH = {"Accept-Language": "zh-CN"}
TEXTS = {
    "E001": "需求格式错误",
    "E002": "需求 ID 不存在",
    "E003": "LLM 服务不可用",
    "E004": "LLM 调用超时",
    "E005": "无候选人匹配",
    "E006": "协商超时",
    "E007": "Channel 不存在",
    "E008": "Agent 不存在",
    "E009": "事件推送失败",
}
pytestmark = pytest.mark.requirement("NEG-FAIL-01")


def check(answer: httpx.Response, status: int, code: str) -> None:
    """An error of that code, with its text and something to do about it."""
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["message"]) == (status, code, TEXTS[code])
    assert error["hint"]


async def after(door: Door, demand_id: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The last event of a demand, and the demand as it is read then."""
    events = await door.stream(demand_id)
    answer = await door.client.get(f"/api/v1/demand/{demand_id}")
    assert answer.status_code == 200
    return events[-1]["payload"], answer.json()


async def test_what_is_no_demand_or_does_not_exist(door: Door) -> None:
    admin = {**ZH, "X-Admin-Key": door.node.owner_token}
    check(await door.client.post(SUBMIT, json={"raw_input": " "}, headers=ZH), 400, "E001")
    check(await door.client.get("/api/v1/demand/d-00000000", headers=ZH), 404, "E002")
    check(await door.client.get("/api/v1/channels/collab-00000000", headers=ZH), 404, "E007")
    check(await door.client.get("/api/v1/admin/agents/user_agent_nobody", headers=admin), 404, "E008")


@pytest.mark.parametrize(("script", "status", "code"), [(500, 503, "E003"), (HANG, 504, "E004")])
async def test_a_model_that_fails_where_nothing_may_stand_in(
    tmp_path: Path, script: Any, status: int, code: str
) -> None:
    async with fake_llm() as llm:
        llm.script["understand"] = script
        settings = llm.settings(llm_strict=True, llm_timeout=0.5 if script is HANG else 60)
        async with served(tmp_path, settings=settings) as door:
            check(await door.client.post(SUBMIT, json={"raw_input": DEMAND}, headers=ZH), status, code)
            page = (await door.client.get("/api/v1/demand")).json()["demands"]
        llm.release()
    assert [item["error"]["code"] for item in page] == [code]


@pytest.mark.parametrize(("script", "code"), [(500, "E003"), (HANG, "E004")])
async def test_elsewhere_the_demand_goes_on_and_tells_the_failure(tmp_path: Path, script: Any, code: str) -> None:
    async with fake_llm() as llm:
        llm.script["aggregate"] = script
        settings = llm.settings(llm_timeout=60, llm_timeout_p4=0.3 if script is HANG else 60)
        async with served(tmp_path, settings=settings) as door:
            demand_id = await door.submit()
            events = await door.stream(demand_id)
            _, seen = await after(door, demand_id)
        llm.release()
    plans = [event["payload"] for event in events if event["event_type"] == "towow.proposal.distributed"]
    assert plans[0]["degraded"] is True
    assert plans[0]["error"] == {"code": code, "message": TEXTS[code]}
    assert seen["status"] == "completed"
    assert seen["error"] == {"code": code, "message": TEXTS[code]}
    assert {"prompt": "aggregate", "code": code, "count": 1} in seen["degraded_steps"]
    assert seen["usage"]["by_prompt"]["understand"]["requests"] == 1


async def test_nobody_fits(tmp_path: Path) -> None:
    async with served(tmp_path, agents=False) as door:
        end, seen = await after(door, await door.submit())
    assert end["code"] == "E005"
    assert seen["error"] == {"code": "E005", "message": TEXTS["E005"]}


@pytest.mark.requirement("NEG-FAIL-13")
async def test_nobody_answers(tmp_path: Path) -> None:
    scripts = {"hall": Script(offer="later"), "speaker": Script(offer=SILENT)}
    pool = [profile("hall", "场地提供"), profile("speaker", "演讲嘉宾")]
    async with running(tmp_path, pool, scripts, response_timeout=1) as node, opened(node) as door:
        end, seen = await after(door, await door.submit())
    assert end["code"] == "E006"
    assert seen["error"] == {"code": "E006", "message": TEXTS["E006"]}


async def test_the_store_takes_no_event(door: Door) -> None:
    async with read_only(door.node):
        check(await door.client.post(SUBMIT, json={"raw_input": DEMAND}, headers=ZH), 500, "E009")
