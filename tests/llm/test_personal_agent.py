"""The requester's own agent: asked first, trusted no more than a model."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from moothall.errors import SettingsError
from moothall.negotiation.demand.prompts import RESPOND, UNDERSTAND
from moothall.negotiation.demand.questions import UnderstandInput
from moothall.node import Node
from moothall.settings import Settings
from tests.server.door import DEMAND, opened, team
from tests.support.clock import ManualClock
from tests.support.demand import running
from tests.support.fake_llm import HANG, FakeLLM

UNDERSTOOD = {
    "surface_demand": "想在北京办一场AI主题聚会",
    "deep_understanding": {"motivation": "认识同行", "likely_preferences": ["轻松氛围"], "emotional_context": ""},
    "capability_tags": ["场地提供", "演讲嘉宾", "活动策划"],
    "context": {"location": "北京"},
    "uncertainties": ["没有说明日期"],
    "confidence": "high",
}
KEY = "personal-0123456789"


@dataclass
class Service:
    """A double of the service, byte by byte: what it answers and what it was asked."""

    status: int = 200
    body: bytes = json.dumps(UNDERSTOOD, ensure_ascii=False).encode()
    headers: dict[str, str] = field(default_factory=dict)
    hang: bool = False
    asked: list[dict[str, Any]] = field(default_factory=list)
    seen: list[dict[str, str]] = field(default_factory=list)
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        lines = (line.partition(": ") for line in head[1:] if line)
        headers = {name.lower(): value for name, _, value in lines}
        self.seen.append({"request": head[0], **headers})
        self.asked.append(json.loads(await reader.readexactly(int(headers["content-length"]))))
        if self.hang:
            await reader.read()
        own = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
        writer.write(f"HTTP/1.1 {self.status} X\r\n{own}content-length: {len(self.body)}\r\n\r\n".encode() + self.body)
        writer.close()


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    double = Service()
    server = await asyncio.start_server(double.serve, "127.0.0.1", 0)
    double.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/understand"
    yield double
    server.close()
    await server.wait_closed()


def question(user: str = "user_alice") -> UnderstandInput:
    return UnderstandInput(raw_input=DEMAND, user_id=user, user_context={"mood": "curious"})


def node(tmp_path: Path, service: Service, **settings: Any) -> Node:
    """A node whose decisions are asked without starting it."""
    values = {"data": tmp_path, "personal_agent_url": service.url, "personal_agent_key": KEY, **settings}
    return Node(Settings(**values), clock=ManualClock())


@asynccontextmanager
async def door(tmp_path: Path, service: Service, llm: FakeLLM) -> AsyncIterator[Any]:
    settings = llm.settings(personal_agent_url=service.url, personal_agent_key=KEY)
    async with running(tmp_path, team(), **settings) as node, opened(node) as served:
        yield served


@pytest.mark.requirement("NEG-ARCH-23")
async def test_a_submitted_demand_is_understood_by_the_requesters_own_agent(
    tmp_path: Path, service: Service, llm: FakeLLM
) -> None:
    async with door(tmp_path, service, llm) as served:
        context = {"hobby": "摄影"}
        demand_id = await served.submit(user_id="user_alice", user_context=context)
        events = await served.stream(demand_id)
    assert service.asked == [{"raw_input": DEMAND, "user_id": "user_alice", "user_context": context}]
    assert service.seen[0]["authorization"] == f"Bearer {KEY}"
    assert "understand" not in llm.counts
    understood = next(item["payload"] for item in events if item["event_type"] == "towow.demand.understood")
    assert (understood["source"], understood["degraded"]) == ("personal_agent", False)
    assert understood["surface_demand"] == UNDERSTOOD["surface_demand"]


@pytest.mark.requirement("NEG-ARCH-23")
async def test_when_the_own_agent_fails_the_model_understands_the_demand(
    tmp_path: Path, service: Service, llm: FakeLLM
) -> None:
    service.status = 500
    async with door(tmp_path, service, llm) as served:
        events = await served.stream(await served.submit())
    assert (len(service.asked), llm.counts["understand"]) == (1, 1)
    understood = next(item["payload"] for item in events if item["event_type"] == "towow.demand.understood")
    assert (understood["source"], understood["degraded"]) == ("llm", False)


def breaks(**changes: Any) -> Callable[[Service], None]:
    def change(service: Service) -> None:
        for name, value in changes.items():
            setattr(service, name, value)

    return change


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        (breaks(status=500), "E003"),
        (breaks(status=401), "E003"),
        (breaks(status=307, headers={"location": "http://127.0.0.1:1/"}), "E003"),
        (breaks(body=b"<html>"), "DECISION_REFUSED"),
        (breaks(body=b'{"surface_demand": ""}'), "DECISION_REFUSED"),
        (breaks(body=b"\xff\xfe"), "DECISION_REFUSED"),
        (breaks(body=b'{"surface_demand": "' + b"x" * 400_000 + b'"}'), "DECISION_REFUSED"),
        (breaks(headers={"content-encoding": "gzip"}), "DECISION_REFUSED"),
    ],
)
async def test_however_it_fails_the_rules_understand_the_demand_and_nothing_leaks(
    tmp_path: Path, service: Service, broken: Any, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    broken(service)
    found = await node(tmp_path, service, llm_timeout=60.0).decisions.decide(UNDERSTAND, question())
    assert (found.source, found.degraded, found.error, found.value.confidence) == ("fallback", True, code, "low")
    assert len(service.asked) == 1, "no retry, no redirect"
    assert KEY not in caplog.text


async def test_when_it_hangs_the_rules_understand_the_demand(tmp_path: Path, service: Service) -> None:
    service.hang = True
    asking = node(tmp_path, service, llm_timeout=0.3)
    found = await asking.decisions.decide(UNDERSTAND, question())
    assert (found.source, found.error, found.value.confidence) == ("fallback", "E004", "low")
    await asking.decisions.stop()


@pytest.mark.requirement("NEG-API-05")
async def test_when_it_hangs_and_the_model_too_both_share_one_time_limit(
    tmp_path: Path, service: Service, llm: FakeLLM
) -> None:
    service.hang = True
    llm.script["understand"] = HANG
    asking = node(tmp_path, service, **llm.settings(llm_timeout=3.0))
    assert asking.llm is not None
    await asking.llm._model.warm()
    began = asyncio.get_running_loop().time()
    found = await asking.decisions.decide(UNDERSTAND, question())
    took = asyncio.get_running_loop().time() - began
    assert (found.source, found.error, llm.counts) == ("fallback", "E004", {"understand": 1}), "the model is asked, too"
    assert 2.9 < took < 5.8, "less than two whole limits"
    await asking.decisions.stop()


async def test_whatever_goes_wrong_others_stand_in_and_the_log_tells_where(
    tmp_path: Path, service: Service, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> httpx.AsyncClient:
        raise OSError(KEY)

    monkeypatch.setattr("moothall.llm.personal_agent._client", broken)
    found = await node(tmp_path, service).decisions.decide(UNDERSTAND, question())
    assert (found.source, found.error) == ("fallback", "E003")
    assert "OSError at test_personal_agent.py" in caplog.text
    assert KEY not in caplog.text


async def test_one_client_serves_all_demands_until_the_node_stops(
    tmp_path: Path, service: Service, llm: FakeLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[httpx.AsyncClient] = []

    def counted() -> httpx.AsyncClient:
        built.append(httpx.AsyncClient())
        return built[-1]

    monkeypatch.setattr("moothall.llm.personal_agent._client", counted)
    async with door(tmp_path, service, llm) as served:
        await asyncio.gather(*(served.submit() for _ in range(3)))
        await served.submit()
        assert [client.is_closed for client in built] == [False]
    assert [client.is_closed for client in built] == [True]
    assert len(service.asked) == 4


async def test_what_it_sets_for_one_user_does_not_go_along_with_anothers_question(
    tmp_path: Path, service: Service
) -> None:
    service.headers = {"set-cookie": "session=of-alice; Path=/"}
    decisions = node(tmp_path, service).decisions
    for user in ("user_alice", "user_bob", "user_alice"):
        assert (await decisions.decide(UNDERSTAND, question(user))).source == "personal_agent"
    assert [asked["user_id"] for asked in service.asked] == ["user_alice", "user_bob", "user_alice"]
    assert not [head for head in service.seen if "cookie" in head]
    await decisions.stop()


async def test_its_answer_is_wrapped_in_prose_as_little_or_as_much_as_a_models(
    tmp_path: Path, service: Service
) -> None:
    service.body = b"Here you are:\n```json\n" + service.body + b"\n```"
    assert (await node(tmp_path, service).decisions.decide(UNDERSTAND, question())).source == "personal_agent"


async def test_facts_that_it_makes_up_do_not_enter(tmp_path: Path, service: Service) -> None:
    service.body = json.dumps({**UNDERSTOOD, "context": {"location": "上海", "budget": 9999}}).encode()
    found = await node(tmp_path, service).decisions.decide(UNDERSTAND, question())
    assert (found.value.context.location, found.value.context.budget) == ("北京", None)


async def test_only_the_users_that_it_knows_are_sent_to_it(tmp_path: Path, service: Service) -> None:
    decisions = node(tmp_path, service, personal_agent_users="user_alice, user_bob").decisions
    sources = {user: (await decisions.decide(UNDERSTAND, question(user))).source for user in ("user_bob", "user_eve")}
    assert sources == {"user_bob": "personal_agent", "user_eve": "rules"}
    assert [asked["user_id"] for asked in service.asked] == ["user_bob"]


async def test_a_service_out_of_order_is_left_alone_for_a_while(tmp_path: Path, service: Service) -> None:
    service.status = 503
    asking = node(tmp_path, service)
    for _ in range(5):
        await asking.decisions.decide(UNDERSTAND, question())
    assert len(service.asked) == 3
    assert isinstance(asking.clock, ManualClock)
    await asking.clock.advance(30)
    service.status = 200
    assert (await asking.decisions.decide(UNDERSTAND, question())).source == "personal_agent"


def test_other_prompts_are_not_for_it(tmp_path: Path, service: Service) -> None:
    personal = node(tmp_path, service).decisions._advisers[0][1]
    assert personal.takes(UNDERSTAND, question())
    assert not personal.takes(RESPOND, question())


@pytest.mark.parametrize(
    "settings",
    [
        {"personal_agent_url": "ftp://service.example"},
        {"personal_agent_url": "http://me:secret@service.example"},
        {"personal_agent_url": "http://service.example:x"},
        {"personal_agent_url": "https://service.example", "personal_agent_key": "line\nend"},
    ],
)
def test_an_address_or_key_that_is_none_is_told_at_once(tmp_path: Path, settings: dict[str, str]) -> None:
    with pytest.raises(SettingsError):
        Node(Settings(data=tmp_path, **settings))
