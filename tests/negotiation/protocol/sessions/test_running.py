"""Generated halves: classes made by the host, whose code runs in the sandbox and is checked on its way in and out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from moothall.codegen.module import Module, Provenance
from moothall.errors import SandboxFault, UpstreamError, UpstreamInvalid, ValidationError
from moothall.negotiation.protocol import document as documents
from moothall.negotiation.protocol.bases import ProviderBase, RequesterBase
from moothall.negotiation.protocol.generating import ModuleMaker, ProtocolCodeGenerator
from moothall.negotiation.protocol.halves import half_cases, half_task
from moothall.negotiation.protocol.module_files import read_module
from moothall.negotiation.protocol.running import (
    GeneratedProvider,
    GeneratedRequester,
    Half,
    provider_class,
    requester_class,
)
from moothall.negotiation.protocol.workshop import Workshop
from tests.negotiation.protocol.sessions.joined import NEED, case, protocol
from tests.negotiation.protocol.sessions.pairs import BUGGY, HANDLE, answers, listed, plant

DOCUMENT = documents.read(protocol())
GOOD = {"code": 200, "schools": ["Wuhan University"]}


@pytest.fixture
async def workshop() -> AsyncIterator[Workshop]:
    async with Workshop() as made:
        yield made


def requester_of(tmp_path: Path, workshop: Workshop, source: str = "") -> GeneratedRequester:
    module = read_module(plant(tmp_path, "requester", source)).halves["requester"]
    return requester_class(Half(DOCUMENT, module, workshop.sandbox))()


def provider_of(tmp_path: Path, workshop: Workshop, source: str = "") -> GeneratedProvider:
    module = read_module(plant(tmp_path, "provider", source)).halves["provider"]
    return provider_class(Half(DOCUMENT, module, workshop.sandbox))()


def answering(requester: GeneratedRequester, response: Any) -> list[bytes]:
    sent: list[bytes] = []

    async def send(data: bytes) -> None:
        sent.append(data)
        for future in list(requester._waiting.values()):
            future.set_result(response)

    requester.set_send_callback(send)
    return sent


@pytest.mark.requirement("META-GEN-03")
async def test_the_classes_of_a_module_derive_from_the_bases(tmp_path: Path, workshop: Workshop) -> None:
    assert isinstance(requester_of(tmp_path, workshop), RequesterBase)
    assert isinstance(provider_of(tmp_path, workshop), ProviderBase)


async def test_what_the_user_has_becomes_a_request_and_the_response_the_result(
    tmp_path: Path, workshop: Workshop
) -> None:
    requester = requester_of(tmp_path, workshop)
    answering(requester, GOOD)
    assert await requester.call({"user_id": "u1"}) == {"schools": ["Wuhan University"]}
    with pytest.raises(SandboxFault):
        await requester.call({"user": "u1"})


async def test_a_request_that_was_not_agreed_is_not_sent(tmp_path: Path, workshop: Workshop) -> None:
    requester = requester_of(tmp_path, workshop)
    sent = answering(requester, GOOD)
    with pytest.raises(ValidationError):
        await requester.send_request({"user_id": 7})
    assert sent == []


@pytest.mark.requirement("META-ALICE-10")
@pytest.mark.parametrize("response", [{}, {"code": "200"}, {"code": 200}, {"code": 200, "schools": [1]}], ids=repr)
async def test_a_response_that_was_not_agreed_raises(tmp_path: Path, workshop: Workshop, response: Any) -> None:
    requester = requester_of(tmp_path, workshop)
    answering(requester, response)
    with pytest.raises(UpstreamInvalid):
        await requester.send_request({"user_id": "u1"})


async def test_an_error_code_is_a_response_and_no_result(tmp_path: Path, workshop: Workshop) -> None:
    requester = requester_of(tmp_path, workshop)
    answering(requester, {"code": 404, "message": "nobody"})
    assert (await requester.send_request({"user_id": "u1"}))["code"] == 404
    with pytest.raises(UpstreamError) as raised:
        await requester.call({"user_id": "u1"})
    assert raised.value.details["code"] == 404


@pytest.mark.requirement("META-BOB-09")
async def test_requests_reach_the_callback_only_in_the_agreed_form(tmp_path: Path, workshop: Workshop) -> None:
    asked: list[Any] = []

    async def callback(request: dict[str, Any]) -> dict[str, Any]:
        asked.append(request)
        return await answers(request)

    provider = provider_of(tmp_path, workshop)
    provider.set_protocol_callback(callback)
    assert (await provider.respond({"user": "u1"}))["code"] == 400
    assert asked == []
    assert await provider.respond({"user_id": "u1"}) == GOOD
    assert asked == [{"user_id": "u1"}]


@pytest.mark.requirement("META-BOB-09")
@pytest.mark.parametrize(
    "reply", [{}, {"code": 200}, {"code": 200, "schools": "none"}, {"schools": []}, None], ids=repr
)
async def test_a_reply_that_does_not_fit_becomes_code_500(tmp_path: Path, workshop: Workshop, reply: Any) -> None:
    async def callback(request: dict[str, Any]) -> Any:
        return reply

    provider = provider_of(tmp_path, workshop)
    provider.set_protocol_callback(callback)
    assert (await provider.respond({"user_id": "u1"}))["code"] == 500


@pytest.mark.requirement("META-BOB-08", "META-BOB-09")
async def test_a_callback_may_be_generated_code_and_runs_in_the_sandbox(tmp_path: Path, workshop: Workshop) -> None:
    provider = provider_of(tmp_path, workshop)
    provider.set_protocol_callback(
        "def callback(request: dict) -> dict:\n    return {'code': 200, 'schools': [request['user_id']]}\n"
    )
    assert await provider.respond({"user_id": "u7"}) == {"code": 200, "schools": ["u7"]}


HOSTILE = {
    "socket": "import socket\n    socket.create_connection(('127.0.0.1', 1))",
    "file": "open('/etc/passwd').read()",
    "loop": "while True:\n        pass",
    "memory": "x = 'a' * 1_000_000_000\n    y = [x + str(n) for n in range(10)]",
}


@pytest.mark.requirement("META-GEN-04")
@pytest.mark.parametrize("deed", HOSTILE)
async def test_hostile_code_fails_inside_the_sandbox_and_the_node_stays_responsive(
    tmp_path: Path, workshop: Workshop, deed: str
) -> None:
    provider = provider_of(tmp_path, workshop)
    provider.set_protocol_callback(
        f"def callback(request):\n    {HOSTILE[deed]}\n    return {{'code': 200, 'schools': []}}\n"
    )
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.ensure_future(others())
    assert (await provider.respond({"user_id": "u1"}))["code"] == 500
    other.cancel()
    assert turns > 1
    provider.set_protocol_callback(answers)
    assert (await provider.respond({"user_id": "u1"}))["code"] == 200


async def test_generated_code_reaches_nothing_but_the_callback(tmp_path: Path, workshop: Workshop) -> None:
    provider = provider_of(
        tmp_path, workshop, "def handle(request):\n    return call('local:secrets', {'request': {}})\n"
    )
    provider.set_protocol_callback(answers)
    assert (await provider.respond({"user_id": "u1"}))["code"] == 500


# Tasks and cases


def test_the_providers_case_answers_through_the_callback() -> None:
    task = half_task("provider", DOCUMENT, cases=[case("known", "u1", "Wuhan University")])
    (made,) = task.cases
    assert (made.function, made.expected) == ("handle", GOOD)
    assert [called.reply for called in made.calls] == [GOOD]
    assert task.protocol == DOCUMENT.digest


def test_the_requesters_cases_are_what_can_be_told_without_its_code() -> None:
    task = half_task("requester", DOCUMENT, NEED, [case("known", "u1", "Wuhan University")])
    assert [(made.function, made.expected) for made in task.cases] == [
        ("build", {"user_id": "u1"}),
        ("parse", {"schools": ["Wuhan University"]}),
    ]


def test_a_case_with_an_error_code_asks_nothing_of_the_requesters_result() -> None:
    task = half_task("requester", DOCUMENT, NEED)
    bad = {"name": "nobody", "request": {"user_id": "x"}, "expected": {"code": 404}}
    assert [made.function for made in half_cases("requester", task.functions, [bad])] == ["build"]


# Making code


@pytest.mark.requirement("META-GEN-05", "META-PROTO-17")
@pytest.mark.parametrize("role", ["requester", "provider"])
async def test_code_is_made_from_the_schemas_without_any_model(tmp_path: Path, workshop: Workshop, role: Any) -> None:
    maker = ProtocolCodeGenerator(None, tmp_path, workshop=workshop, need=NEED, codegen="schema")
    good, path = await maker.generate(protocol(), role, [case("known", "u1", "Wuhan University")])
    assert good, maker.reason
    assert path is not None
    files = read_module(path)
    module: Module = files.halves[role]
    assert files.document == protocol()
    assert module.manifest.provenance.writer == "template"
    again, there = await maker.generate(protocol(), role)
    assert (again, there) == (True, path)
    assert read_module(path).halves[role] == module


@pytest.mark.requirement("META-PROTO-17")
@pytest.mark.parametrize("text", ["", "# Requirements\nnothing else", "x" * 70_000], ids=["empty", "half", "long"])
async def test_a_protocol_that_cannot_be_read_leaves_no_half_module(
    tmp_path: Path, workshop: Workshop, text: str
) -> None:
    maker = ProtocolCodeGenerator(None, tmp_path, workshop=workshop)
    assert await maker.generate(text, "provider") == (False, None)
    assert maker.reason
    assert listed(tmp_path) == []


async def test_a_half_that_fails_the_agreed_cases_is_made_anew(tmp_path: Path, workshop: Workshop) -> None:
    path = plant(tmp_path, "provider", BUGGY)
    maker = ModuleMaker(workshop=workshop, llm=None, root=tmp_path / "bob", role="provider")
    module = read_module(path).halves["provider"]
    cases = [case("both", "u2", "Fudan University", "Tongji University")]
    assert len(await maker.failures(DOCUMENT, module, cases)) == 1
    fresh = await maker.half(DOCUMENT, cases)
    assert fresh.source != module.source
    assert await maker.failures(DOCUMENT, fresh, cases) == ()
    assert read_module(path).halves["provider"] == fresh


async def test_a_half_that_was_changed_on_disk_is_not_used(tmp_path: Path, workshop: Workshop) -> None:
    path = plant(tmp_path, "provider", HANDLE)
    (path / "provider.py").write_text(BUGGY, encoding="utf-8")
    maker = ModuleMaker(workshop=workshop, llm=None, root=tmp_path / "bob", role="provider")
    assert await maker.kept(DOCUMENT) is None


def test_the_writer_of_a_planted_half_is_a_person(tmp_path: Path) -> None:
    module = read_module(plant(tmp_path, "provider")).halves["provider"]
    assert module.manifest.provenance == Provenance(writer="person")
