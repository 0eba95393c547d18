"""The scripted model: it answers every prompt of the product, and of those who talk in words, as a good model would.

It knows what the words of users and the names of servers mean, as a model does by reading; which of them are meant it
takes from the prompt alone. Its tests come from the meaning of the names, computed here; its code is a text that only
the sandbox runs. So a mistake in either shows at the gate, or as a wrong answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from benchmarks.economics.ledger import Ledger
from benchmarks.economics.terms import Json, Pair, form
from benchmarks.economics.workload import Workload
from benchmarks.economics.writing import requester_half
from moothall.codegen.schemas.validation import compiled
from moothall.llm.base import BaseLLM
from moothall.negotiation.protocol import document as documents

_PURPOSE: Final = re.compile(r"Prompt (\w+)\n")
_PART: Final = re.compile(r'<data name="(\w+)">\n(.*?)\n</data>', re.DOTALL)
_SAID: Final = re.compile(r"(?:^|; |: )([A-Za-z][A-Za-z_ ,]*) = (.*?)(?=; [A-Za-z][A-Za-z_ ,]* = |\.?$)")

CARELESS: Final = 5
"""One in so many servers gets a wrong first draft."""


class Actor(BaseLLM):
    """A double of a model. Every call goes into the ledger."""

    def __init__(self, workload: Workload, ledger: Ledger) -> None:
        self._ledger = ledger
        self._pairs = workload.pairs
        self._words = {
            (pair.task.name, word): given.name
            for pair in workload.pairs
            for given in pair.task.given
            for word in given.words
        }
        self._answers: dict[str, Callable[[Json], str]] = {
            "ask": self._ask,
            "use": self._use,
            "tell": self._tell,
            "take": self._take,
            "protocol_evaluate": self._evaluate,
            "protocol_cases": lambda _: json.dumps({"cases": []}),  # what is true only the server knows
            "protocol_judge_cases": lambda _: json.dumps({"status": "accepted"}),
            "code_write": self._code,
            "code_cases": self._cases,
        }

    @property
    def model(self) -> str:
        return "scripted"

    async def async_generate_response(self, system_prompt: str, user_prompt: str) -> str:
        """The answer; KeyError for a prompt that it does not know."""
        prompt = f"{system_prompt}\n\n{user_prompt}"
        found = _PURPOSE.search(prompt)
        purpose = found[1] if found else "nothing that it knows"
        answer = self._answers[purpose](_parts(user_prompt))
        self._ledger.enter(purpose, prompt, answer)
        return answer

    # In words

    def _ask(self, parts: Json) -> str:
        said = "; ".join(f"{parts['words'][name]} = {json.dumps(value)}" for name, value in parts["values"].items())
        return f"{parts['wish']} What I have: {said}"

    def _use(self, parts: Json) -> str:
        pair = self._meant(parts["schema"])
        said = {self._words[pair.task.name, word]: value for word, value in _said(parts["message"])}
        return json.dumps(pair.asked(said))

    def _tell(self, parts: Json) -> str:
        return "This is what I found: " + "; ".join(
            f"{name} = {json.dumps(each)}" for name, each in parts["value"].items()
        )

    def _take(self, parts: Json) -> str:
        said = dict(_said(parts["answer"]))
        pair = next(each for each in self._pairs if set(each.output["properties"]) == set(said))
        return json.dumps(pair.told(said))

    # Of protocols

    def _evaluate(self, parts: Json) -> str:
        """A requester's judgement: whether its form fills the request, and the response its answer."""
        proposal = documents.read(parts["proposal"])
        pair = self._meant(proposal.request)
        fits = parts["role"] == "requester" and parts["input"] == form(pair.task.given)
        answered = set(pair.output["properties"]) <= set(proposal.response["properties"])
        if fits and answered:
            return json.dumps({"status": "accepted"})
        return json.dumps({"status": "rejected", "reason": "this is about something else"})

    # Of code

    def _code(self, parts: Json) -> str:
        """For some servers the first draft takes every response for a good one; the gate has to see it."""
        request = _request(parts)
        pair = self._meant(request)
        careless = "previous" not in parts and self._pairs.index(pair) % CARELESS == 0
        return f"```python\n{requester_half(pair, list(request['properties']), careless=careless)}```"

    def _cases(self, parts: Json) -> str:
        pair = self._meant(_request(parts))
        asked = [*parts.get("inputs", ()), *parts.get("unfit", ())]
        return _json(
            {"cases": [{"name": str(number), **_case(pair, parts, each)} for number, each in enumerate(asked)]}
        )

    def _meant(self, schema: Json) -> Pair:
        """The server's tool that has its names in a schema."""
        names = set(schema["properties"])
        return next(each for each in self._pairs if set(each.input["properties"]) <= names)


def _case(pair: Pair, parts: Json, asked: Json) -> Json:
    """A test: what the names mean, worked out here."""
    name, arguments = asked["function"], asked["arguments"]
    function = next(each for each in parts["functions"] if each["name"] == name)
    case = {"function": name, "arguments": arguments}
    (value,) = arguments.values()
    if not compiled(function["parameters"]).accepts(arguments) or (name == "parse" and value["code"] != 200):
        return {**case, "raises": "ValueError"}
    return {**case, "expected": _requested(pair, parts, value) if name == "build" else pair.told(value)}


def _requested(pair: Pair, parts: Json, value: Json) -> Json:
    """The request: what the server takes, and what of the form the protocol has as it is."""
    whole = {**value, **pair.asked(value)}
    return {name: whole[name] for name in _request(parts)["properties"]}


def _request(parts: Json) -> Json:
    """The schema of the request that is wanted."""
    found: Json = next(each for each in parts["functions"] if each["name"] == "build")["returns"]
    return found


def _json(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _parts(prompt: str) -> Json:
    return {name: _read(text) for name, text in _PART.findall(prompt)}


def _read(text: str) -> Any:  # noqa: ANN401 - JSON
    try:
        return json.loads(text)
    except ValueError:
        return text


def _said(sentence: str) -> Iterator[tuple[str, Any]]:
    _, _, rest = sentence.partition(": ")
    for word, value in _SAID.findall(f": {rest}"):
        yield word, json.loads(value)
