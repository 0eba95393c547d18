"""Questions to MCP clients in both eras, and what they are told while a call is under way."""

from __future__ import annotations

import json
from typing import Any

import pytest
from mcp_types import (
    CreateMessageResult,
    ElicitResult,
    ListRootsResult,
    Root,
    SetLevelRequest,
    TextContent,
)
from mcp_types import EmptyResult as Empty
from pydantic import BaseModel

from moothall import prompt, resource
from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.capability.questions import Form, Question, Roots, Sampling
from tests.protocols.mcp.hall import ANNA, BEN, MODERN, Hall, hall

CAPABLE = "io.modelcontextprotocol/clientCapabilities"
LEVEL = "io.modelcontextprotocol/logLevel"
NAME = {"type": "object", "properties": {"name": {"type": "string", "maxLength": 10}}, "required": ["name"]}
ANSWERS: dict[str, Any] = {
    "who": {"action": "accept", "content": {"name": "Ada"}},
    "text": {"role": "assistant", "content": {"type": "text", "text": "Hello"}, "model": "m"},
    "folders": {"roots": [{"uri": "file:///a"}]},
}
EVERYTHING: dict[str, Question] = {
    "who": Form("Who are you?", NAME),
    "text": Sampling(
        messages=[{"role": "user", "content": {"type": "text", "text": "Greet"}}], max_tokens=9, system="Be kind"
    ),
    "folders": Roots(),
}


class Person(BaseModel):
    name: str
    age: int = 1


@capability(access="public")
async def everything(context: CallContext) -> dict[str, Any]:
    """Ask for everything at once."""
    return dict(await context.ask(EVERYTHING))


@capability(access="public")
async def twice(context: CallContext, greeting: str = "Hello") -> str:
    """Ask for one thing after another."""
    first = await context.ask({"first": Form("First?", NAME)})
    second = await context.ask({"second": Form("Second?", NAME)})
    return f"{greeting} {first['first']['content']['name']} {second['second']['content']['name']}"


@capability(access="public")
async def form(context: CallContext) -> str:
    """Ask a person."""
    person = await context.elicit("Who are you?", Person)
    return "nobody" if person is None else f"{person.name} {person.age}"


@capability(access="public")
async def ill_made(context: CallContext) -> str:
    """Ask for what is no form."""
    await context.ask({"bad": Form("Who?", {"type": "nothing"})})
    return ""


@capability(access="public")
async def talk(context: CallContext) -> str:
    """Tell much."""
    for level in ("debug", "info", "error"):
        await context.log(level, {"at": level}, "talk")  # type: ignore[arg-type]
    return "told"


@prompt(access="public")
async def asking_prompt(context: CallContext) -> str:
    """Ask first."""
    return str((await context.ask({"who": EVERYTHING["who"]}))["who"]["content"]["name"])


@resource("people://me", access="public")
async def asking_resource(context: CallContext) -> str:
    """Ask first."""
    return str((await context.ask({"who": EVERYTHING["who"]}))["who"]["content"]["name"])


ABLE = {"elicitation": {}, "sampling": {}, "roots": {}}


async def call(
    open_: Hall, tool: str, arguments: dict[str, Any] | None = None, able: Any = ABLE, who: str = "", **more: Any
) -> dict[str, Any]:
    params = {"name": tool, "arguments": arguments or {}, "_meta": {CAPABLE: able}, **more}
    return dict((await open_.modern("tools/call", params, who=who)).json())


async def test_a_call_without_a_session_ends_with_the_questions_and_goes_on_with_the_answers() -> None:
    async with hall(everything) as open_:
        asked = (await call(open_, "everything"))["result"]
        answered = await call(open_, "everything", inputResponses=ANSWERS, requestState=asked["requestState"])
    assert asked["resultType"] == "input_required"
    requests = asked["inputRequests"]
    assert {name: request["method"] for name, request in requests.items()} == {
        "who": "elicitation/create",
        "text": "sampling/createMessage",
        "folders": "roots/list",
    }
    assert requests["who"]["params"]["requestedSchema"] == NAME
    assert (requests["text"]["params"]["maxTokens"], requests["text"]["params"]["systemPrompt"]) == (9, "Be kind")
    assert answered["result"]["structuredContent"] == ANSWERS


async def test_answers_of_earlier_rounds_are_kept_for_later_ones() -> None:
    async with hall(twice) as open_:
        one = (await call(open_, "twice"))["result"]
        given = {"first": ANSWERS["who"], "unknown": {"action": "decline"}}
        two = (await call(open_, "twice", inputResponses=given, requestState=one["requestState"]))["result"]
        assert (list(one["inputRequests"]), list(two["inputRequests"])) == (["first"], ["second"])
        given = {"second": {"action": "accept", "content": {"name": "Bob"}}}
        done = await call(open_, "twice", inputResponses=given, requestState=two["requestState"])
    assert done["result"]["content"][0]["text"] == '"Hello Ada Bob"'


async def test_what_was_answered_cannot_be_read_changed_or_used_for_another_call() -> None:
    async with hall(twice, everything) as open_:
        one = (await call(open_, "twice", who=ANNA))["result"]
        given = {"first": ANSWERS["who"]}
        state = (await call(open_, "twice", who=ANNA, inputResponses=given, requestState=one["requestState"]))[
            "result"
        ]["requestState"]
        assert "Ada" not in state
        again: dict[str, Any] = {"inputResponses": {"second": ANSWERS["who"]}}
        refused = [
            await call(open_, "twice", who=ANNA, requestState=f"{state}x", **again),
            await call(open_, "twice", who=BEN, requestState=state, **again),
            await call(open_, "twice", {"greeting": "Bye"}, who=ANNA, requestState=state, **again),
            await call(open_, "everything", who=ANNA, requestState=state, **again),
        ]
        assert [answer["error"]["code"] for answer in refused] == [-32602] * 4
        done = await call(open_, "twice", who=ANNA, requestState=state, **again)
    assert "Ada Ada" in done["result"]["content"][0]["text"]


@pytest.mark.parametrize(
    "answer",
    [{"action": "accept", "content": {"name": "far too long a name"}}, {"action": "accept"}, {"roots": []}],
    ids=["too-long", "nothing", "of-another-question"],
)
async def test_an_answer_is_checked_against_its_question(answer: dict[str, Any]) -> None:
    async with hall(everything) as open_:
        done = (await call(open_, "everything", inputResponses={**ANSWERS, "who": answer}))["result"]
    assert done["isError"]
    assert json.loads(done["content"][0]["text"])["error"]["code"] == "VALIDATION_ERROR"


async def test_a_client_is_not_asked_what_it_has_not_announced() -> None:
    async with hall(everything, form) as open_:
        nothing = (await call(open_, "everything", able={}))["error"]
        some = (await call(open_, "everything", able={"sampling": {}, "elicitation": {"url": {}}}))["error"]
        forms = await call(open_, "form", able={"elicitation": {"form": {}}})
    assert nothing["code"] == -32021
    assert nothing["data"]["requiredCapabilities"] == {"elicitation": {"form": {}}, "sampling": {}, "roots": {}}
    assert some["data"]["requiredCapabilities"] == {"elicitation": {"form": {}}, "roots": {}}
    assert forms["result"]["resultType"] == "input_required"


@pytest.mark.parametrize(
    ("method", "params"),
    [("prompts/get", {"name": "asking_prompt"}), ("resources/read", {"uri": "people://me"})],
    ids=["prompt", "resource"],
)
async def test_prompts_and_resources_ask_as_tools_do(method: str, params: dict[str, Any]) -> None:
    params = {**params, "_meta": {CAPABLE: ABLE}}
    async with hall(asking_prompt, asking_resource) as open_:
        asked = (await open_.modern(method, params)).json()["result"]
        given = {"inputResponses": {"who": ANSWERS["who"]}, "requestState": asked["requestState"]}
        done = (await open_.modern(method, {**params, **given})).json()["result"]
        lacking = (await open_.modern(method, {**params, "_meta": {}})).json()["error"]
    assert list(asked["inputRequests"]) == ["who"]
    assert "Ada" in json.dumps(done)
    assert lacking["code"] == -32021


async def test_a_form_that_is_none_is_the_capabilitys_fault() -> None:
    async with hall(ill_made) as open_:
        answer = await call(open_, "ill_made")
    assert "INTERNAL_ERROR" in str(answer)
    assert "nothing" not in str(answer)


async def elicit(_context: Any, params: Any) -> ElicitResult:
    return ElicitResult(
        action="accept", content={"name": "Ada", **({"age": 36} if params.message == "Who are you?" else {})}
    )


async def sample(_context: Any, params: Any) -> CreateMessageResult:
    return CreateMessageResult(role="assistant", content=TextContent(type="text", text=params.system_prompt), model="m")


async def roots(_context: Any) -> ListRootsResult:
    return ListRootsResult(roots=[Root(uri="file:///a")])  # type: ignore[arg-type]


CALLBACKS: dict[str, Any] = {
    "elicitation_callback": elicit,
    "sampling_callback": sample,
    "list_roots_callback": roots,
}


@pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")
@pytest.mark.parametrize("mode", ["legacy", MODERN])
async def test_the_sdks_client_is_asked_in_both_eras(mode: str) -> None:
    async with hall(everything, form, sessions=2) as open_, open_.client(mode, **CALLBACKS) as client:
        several = await client.call_tool("everything")
        person = await client.call_tool("form")
    assert several.structured_content is not None
    assert several.structured_content["text"]["content"] == {"type": "text", "text": "Be kind"}
    assert several.structured_content["folders"]["roots"][0]["uri"] == "file:///a"
    assert person.structured_content == {"result": "Ada 36"}


async def decline(_context: Any, _params: Any) -> ElicitResult:
    return ElicitResult(action="decline")


async def misfit(_context: Any, _params: Any) -> ElicitResult:
    return ElicitResult(action="accept", content={"age": "old"})


@pytest.mark.parametrize("mode", ["legacy", MODERN])
async def test_who_declines_is_heard_and_what_does_not_fit_is_refused(mode: str) -> None:
    async with hall(form, sessions=2) as open_:
        async with open_.client(mode, elicitation_callback=decline) as client:
            declined = await client.call_tool("form")
        async with open_.client(mode, elicitation_callback=misfit) as client:
            refused = await client.call_tool("form")
    assert declined.structured_content == {"result": "nobody"}
    assert refused.is_error
    assert "VALIDATION_ERROR" in str(refused.content)


@pytest.mark.parametrize("sessions", [0, 2], ids=["without-sessions", "in-a-session"])
async def test_an_older_client_that_cannot_be_asked_reads_that_more_is_needed(sessions: int) -> None:
    async with hall(form, sessions=sessions) as open_, open_.client("legacy") as client:
        answer = await client.call_tool("form")
    assert answer.is_error
    assert "INPUT_REQUIRED" in str(answer.content)


async def told_of(open_: Hall, mode: str, level: str = "", **meta: Any) -> list[str]:
    """The levels of the messages that reach a client while `talk` runs."""
    heard: list[str] = []

    async def take(params: Any) -> None:
        heard.append(params.level)
        assert (params.logger, params.data) == ("talk", {"at": params.level})

    async with open_.client(mode, logging_callback=take) as client:
        if level:
            request = SetLevelRequest.model_validate({"method": "logging/setLevel", "params": {"level": level}})
            await client.session.send_request(request, Empty)
        await client.call_tool("talk", meta=meta or None)
    return heard


async def test_a_client_hears_messages_from_the_level_on_that_it_wants() -> None:
    async with hall(talk, sessions=4) as open_:
        assert await told_of(open_, "legacy") == ["info", "error"]
        assert await told_of(open_, "legacy", "debug") == ["debug", "info", "error"]
        assert await told_of(open_, "legacy", "error") == ["error"]
        assert await told_of(open_, MODERN) == []
        assert await told_of(open_, MODERN, **{LEVEL: "warning"}) == ["error"]
