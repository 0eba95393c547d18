"""Prompts over MCP: listed with their arguments, and put together by their capabilities."""

from __future__ import annotations

from moothall import Agent, prompt
from moothall.capability.content import Message, Text
from moothall.capability.decorators import capability
from tests.protocols.mcp.hall import ANNA, hall


@prompt(access="public")
def review(language: str, lines: int = 10) -> list[Message]:
    """Review a piece of code.

    Args:
        language: what it is written in
    """
    return [Message(content=Text(text=f"Review {lines} lines of {language}."))]


@prompt(access="authenticated")
def private() -> str:
    """What is not for everybody."""
    return "SECRET"


@capability(access="public")
def add(a: int, b: int) -> int:
    return a + b


async def test_prompts_are_listed_with_their_arguments_to_whom_they_are_for() -> None:
    async with hall(review, private, add, agents={"shop": [review]}) as open_:
        listed = (await open_.modern("prompts/list")).json()["result"]["prompts"]
        known = (await open_.modern("prompts/list", who=ANNA)).json()["result"]["prompts"]
    assert [row["name"] for row in listed] == ["review", "shop_review"]
    assert [row["name"] for row in known] == ["private", "review", "shop_review"]
    assert listed[0] == {
        "name": "review",
        "title": "review",
        "description": "Review a piece of code.",
        "arguments": [
            {"name": "language", "description": "what it is written in", "required": True},
            {"name": "lines", "required": False},
        ],
    }


async def test_a_prompt_is_put_together_from_texts() -> None:
    async with hall(review) as open_, open_.client() as client:
        made = await client.get_prompt("review", {"language": "Python", "lines": "3"})
    assert made.description == "Review a piece of code."
    assert [(message.role, message.content.text) for message in made.messages] == [  # type: ignore[union-attr]
        ("user", "Review 3 lines of Python.")
    ]


async def test_arguments_that_do_not_fit_and_unknown_prompts_are_errors_of_the_protocol() -> None:
    async with hall(review, private, add) as open_:
        misfit = (await open_.modern("prompts/get", {"name": "review", "arguments": {"lines": "x"}})).json()["error"]
        forbidden = (await open_.modern("prompts/get", {"name": "private"})).json()["error"]
        tool = (await open_.modern("prompts/get", {"name": "add"})).json()["error"]
        paged = (await open_.modern("prompts/list", {"cursor": "nowhere"})).json()["error"]
    assert (misfit["code"], misfit["data"]["code"]) == (-32602, "VALIDATION_ERROR")
    assert forbidden == {"code": -32602, "message": "Unknown prompt: private", "data": {"code": "NOT_FOUND"}}
    assert tool["message"] == "Unknown prompt: add"
    assert (paged["code"], paged["message"]) == (-32602, "Invalid cursor")


async def test_a_prompt_is_an_ordinary_capability_elsewhere() -> None:
    async with hall(agents={}) as open_:
        Agent("desk", review).join(open_.registry)
        assert open_.path.snapshot.resolve("desk.review").spec.kind == "prompt"
