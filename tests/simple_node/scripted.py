"""What a model says to Alice and Bob of the examples, as a script for `fake_llm`: she on Azure, he at OpenRouter.

It says what a model would that reads the prompts, and calculates what tests expect by code that is not the one it hands
in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from tests.support.fake_llm import Asked

COURSES: Mapping[str, list[dict[str, Any]]] = {
    "u-1001": [{"title": "Signals and systems", "year": 2021}, {"title": "Numerical methods", "year": 2022}],
    "u-1002": [{"title": "History of bridges", "year": 2020}],
}
"""What Bob's example holds."""

_COURSE = {
    "type": "object",
    "properties": {"title": {"type": "string"}, "year": {"type": "integer"}},
    "required": ["title", "year"],
}
PROPOSAL = {
    "requirements": "Completed courses of a user, with the degree.",
    "request_schema": {
        "type": "object",
        "properties": {"user_id": {"type": "string", "minLength": 1, "maxLength": 20}},
        "required": ["user_id"],
        "additionalProperties": False,
    },
    "response_schema": {
        "type": "object",
        "properties": {
            "code": {"type": "integer"},
            "courses": {"type": "array", "items": _COURSE},
            "degree": {"type": "string"},
        },
        "required": ["code", "courses", "degree"],
    },
}
"""Asks for a degree, which Bob does not know: he changes that."""

WEATHER = {
    "requirements": "Forecast the weather of a city.",
    "request_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    "response_schema": {
        "type": "object",
        "properties": {"code": {"type": "integer"}, "sky": {"type": "string"}},
        "required": ["code", "sky"],
    },
}
"""Asks for what Bob cannot do."""

REASON = "there is no weather here"

INTERFACE = """\
def interface() -> InterfaceResult:
    return call("requester", {"request": {"user_id": "u-1001"}})
"""
CALLBACK = f"""\
COURSES: dict[str, Any] = {dict(COURSES)!r}


def callback(request: Request) -> Response:
    if not isinstance(request, dict) or list(request.keys()) != ["user_id"]:
        raise ValueError("user_id is missing")
    user_id = request["user_id"]
    if not isinstance(user_id, str) or len(user_id) < 1 or len(user_id) > 20:
        raise ValueError("user_id is no id")
    found = COURSES.get(user_id, [])
    return {{"code": 200, "courses": found, "total": len(found)}}
"""
PROMPT = re.compile(r"Prompt (\w+)")


def kind(asked: Asked) -> str:
    """The name of a prompt."""
    found = PROMPT.search(f"{asked.system}\n{asked.user}")
    assert found, asked.user
    return found[1]


def answer(asked: Asked, **other: Any) -> str:
    """The answer to a prompt; ``other`` replaces some, by the prompt's name."""
    name, requester = kind(asked), asked.api == "azure"
    if name == "code_write":
        usual: Any = f"```python\n{INTERFACE if requester else CALLBACK}```\n"
    elif name == "code_cases":
        usual = {"cases": _interface_cases() if requester else _callback_cases(asked.data)}
    else:
        nobody = {"user_id": "u-0"}
        usual = {
            "protocol_propose": {"protocol": PROPOSAL},
            "protocol_evaluate": {"status": "accepted"} if requester else {"status": "rejected", "reason": REASON},
            "protocol_cases": {"cases": [{"name": "nobody", "request": nobody, "expected": _courses(nobody)}]},
            "protocol_judge_cases": {"status": "accepted"},
        }[name]
    return _text(other.get(name, usual))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _courses(request: Mapping[str, Any]) -> dict[str, Any]:
    found = COURSES.get(request["user_id"], [])
    return {"code": 200, "courses": found, "total": len(found)}


def _interface_cases() -> list[dict[str, Any]]:
    request = {"user_id": "u-1001"}
    called = {"target": "requester", "parameters": {"request": request}, "reply": _courses(request)}
    case = {"name": "asks", "function": "interface", "arguments": {}, "expected": _courses(request), "calls": [called]}
    return [case]


def _callback_cases(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    known = [{"request": {"user_id": user}} for user in COURSES]
    good = [each["arguments"] for each in data["inputs"]] + known
    bad = [each["arguments"] for each in data["unfit"]]
    return [
        *(_case(f"good {n}", each, expected=_courses(each["request"])) for n, each in enumerate(good)),
        *(_case(f"bad {n}", each, raises="ValueError") for n, each in enumerate(bad)),
    ]


def _case(name: str, arguments: dict[str, Any], **outcome: Any) -> dict[str, Any]:
    return {"name": name, "function": "callback", "arguments": arguments, **outcome}
