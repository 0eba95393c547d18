"""Code that calls the requester's end, and code that answers behind the provider's: checked, stored, sandboxed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from moothall.errors import CodeRefused, DecisionRefused, SessionEnded, UpstreamInvalid
from moothall.llm.scripted import ScriptedLLM
from moothall.negotiation.protocol.bases import RequesterBase
from moothall.negotiation.protocol.interfaces import (
    call_interface,
    generate_code_for_protocol_provider_callback,
    generate_code_for_protocol_requester_interface,
)
from moothall.negotiation.protocol.module_files import read_module
from moothall.negotiation.protocol.workshop import Workshop
from tests.negotiation.protocol.sessions.joined import protocol
from tests.negotiation.protocol.sessions.pairs import Pair, listed, plant

INTERFACE = """
def interface() -> InterfaceResult:
    return call("requester", {"request": {"user_id": "u1"}})
"""
INTERFACE_CASES = """{"cases": [{"name": "asks", "function": "interface", "arguments": {}, "expected": {"code": 200},
"calls": [{"target": "requester", "parameters": {"request": {"user_id": "u1"}}, "reply": {"code": 200}}]}]}"""
CALLBACK = """
def callback(request: Request) -> Response:
    user = request.get("user_id") if isinstance(request, dict) else None
    if not isinstance(user, str) or len(user) > 20:
        raise ValueError("user_id is missing")
    return {"code": 200, "schools": ["School of " + user]}
"""
CALLBACK_CASES = """{"cases": [
{"name": "one", "function": "callback", "arguments": {"request": {"user_id": "u1"}},
 "expected": {"code": 200, "schools": ["School of u1"]}},
{"name": "none", "function": "callback", "arguments": {"request": {}}, "raises": "ValueError"},
{"name": "list", "function": "callback", "arguments": {"request": []}, "raises": "ValueError"},
{"name": "number", "function": "callback", "arguments": {"request": {"user_id": 7}}, "raises": "ValueError"},
{"name": "long", "function": "callback", "arguments": {"request": {"user_id": "aaaaabbbbbcccccddddd"}},
 "expected": {"code": 200, "schools": ["School of aaaaabbbbbcccccddddd"]}},
{"name": "longer", "function": "callback", "arguments": {"request": {"user_id": "aaaaabbbbbcccccddddde"}},
 "raises": "ValueError"}]}"""


def writer(code: str, cases: str) -> ScriptedLLM:
    return ScriptedLLM([("You write Python", f"```python\n{code}\n```"), ("", cases)])


@pytest.fixture
async def workshop() -> AsyncIterator[Workshop]:
    async with Workshop() as made:
        yield made


class _Requester(RequesterBase):
    def __init__(self, response: Any) -> None:
        super().__init__()
        self.asked: list[Any] = []
        self.response = response

    async def send_request(self, request: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(request)
        if isinstance(self.response, Exception):
            raise self.response
        found: dict[str, Any] = self.response
        return found


@pytest.mark.requirement("META-ALICE-08", "META-ALICE-10")
async def test_the_interface_is_extracted_checked_stored_and_asks_through_the_requester(
    tmp_path: Path, workshop: Workshop
) -> None:
    llm = writer(INTERFACE, INTERFACE_CASES)
    code = await generate_code_for_protocol_requester_interface(llm, "Ask for user u1.", tmp_path, workshop=workshop)
    assert code.strip() == INTERFACE.strip()
    assert (tmp_path / "requester_interface.py").read_text(encoding="utf-8") == code
    requester = _Requester({"code": 200})
    assert await call_interface(requester, code, workshop) == {"code": 200}
    assert requester.asked == [{"user_id": "u1"}]


@pytest.mark.requirement("META-ALICE-08")
async def test_without_a_model_the_request_itself_is_the_description(tmp_path: Path, workshop: Workshop) -> None:
    code = await generate_code_for_protocol_requester_interface(
        None, '{"user_id": "u2", "深": [true, null, 1.5]}', tmp_path, workshop=workshop
    )
    requester = _Requester({"code": 200})
    await call_interface(requester, code, workshop)
    assert requester.asked == [{"user_id": "u2", "深": [True, None, 1.5]}]


@pytest.mark.requirement("META-ALICE-08", "META-BOB-08")
@pytest.mark.parametrize("said", ["I would rather not.", "```python\nimport os\n\ndef other():\n    pass\n```"])
async def test_unusable_output_raises_after_the_repair_limit_and_stores_nothing(tmp_path: Path, said: str) -> None:
    async with Workshop(repair_rounds=1) as workshop:
        for generate in (
            generate_code_for_protocol_requester_interface,
            generate_code_for_protocol_provider_callback,
        ):
            llm = ScriptedLLM([("", said)])
            with pytest.raises((CodeRefused, DecisionRefused)):
                await generate(llm, "Something", tmp_path, workshop=workshop)
            assert 2 <= llm.calls <= 6
    assert listed(tmp_path) == []


@pytest.mark.requirement("META-BOB-08", "META-BOB-07")
async def test_a_generated_callback_answers_requests_in_the_sandbox(tmp_path: Path, workshop: Workshop) -> None:
    plant(tmp_path, "requester")
    path = plant(tmp_path, "provider")
    llm = writer(CALLBACK, CALLBACK_CASES)
    code = await generate_code_for_protocol_provider_callback(llm, "Schools by name.", path, workshop=workshop)
    assert (path / "interface" / "provider_callback.py").read_text(encoding="utf-8") == code
    assert read_module(path).document == protocol()
    async with Pair(tmp_path, workshop) as pair:
        session, _ = await pair.sessions(callback=code)
        response = await session.requester_instance.send_request({"user_id": "u1"})
        assert response == {"code": 200, "schools": ["School of u1"]}


@pytest.mark.requirement("META-ALICE-10")
async def test_an_interface_that_gives_no_response_raises(workshop: Workshop) -> None:
    with pytest.raises(UpstreamInvalid):
        await call_interface(_Requester({}), "def interface():\n    return {'code': 'fine'}\n", workshop)


async def test_what_ends_the_session_reaches_whoever_called_the_interface(workshop: Workshop) -> None:
    with pytest.raises(SessionEnded):
        await call_interface(_Requester(SessionEnded("over")), INTERFACE.replace("InterfaceResult", "dict"), workshop)
