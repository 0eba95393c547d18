"""What a model makes of a requirement: the interface of a service, which everything else is written from (GEN-01)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, Field, ValidationError

from moothall.codegen.module import Function
from moothall.codegen.report import Report
from moothall.codegen.services.signatures import Signature, signature_of
from moothall.codegen.task import Callee
from moothall.errors import CodeRefused, DecisionRefused
from moothall.llm.base import BaseLLM
from moothall.llm.fencing import fenced
from moothall.llm.prompt_files import prompt_text
from moothall.llm.reading import object_in
from moothall.messages import Lang

_PROMPT: Final = "service_interface"
_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Interface:
    """A service before its code: its function, how it works, and which of the offered targets it may call."""

    function: Function
    instruction: str
    may_call: tuple[str, ...]


class _Answer(BaseModel):
    interface: str = Field("", max_length=20_000)
    instruction: str = Field("", max_length=20_000)
    may_call: tuple[str, ...] = Field((), max_length=100)


class Understanding:
    """Asks a model; what it names beyond what was offered is left out."""

    def __init__(self, llm: BaseLLM, lang: Lang = "en") -> None:
        self._llm = llm
        self._lang: Lang = lang

    async def of(
        self, requirement: str, offered: Sequence[Callee], function: Function | None = None, *, words: bool = False
    ) -> Interface:
        """The interface for a requirement; ``function``: it is there already, and only the rest is asked for.

        With ``words`` it may also name targets in words, which the caller looks at.

        Raises:
            CodeRefused: the model names no function that could be a service.
            ModelUnavailable, ModelTimeout, DecisionRefused, BudgetSpent: as `BaseLLM`.
        """
        material: dict[str, Any] = {"offered": [_shown(each) for each in offered]}
        if function is not None:
            material["function"] = function.model_dump(mode="json")
        asked = f"{requirement.strip()}\n\n{fenced(material)}"
        refusal: CodeRefused | DecisionRefused | None = None
        for _ in range(_TRIES):
            told = f"{asked}\n\n{fenced({'refused': _why(refusal)})}" if refusal else asked
            text = await self._llm.async_generate_response(prompt_text(_PROMPT, self._lang), told)
            try:
                return _interface(_answer(text), offered, function, words=words)
            except (CodeRefused, DecisionRefused) as error:
                refusal = error
        raise refusal or DecisionRefused("the model designs no interface")


def _interface(answer: _Answer, offered: Sequence[Callee], function: Function | None, *, words: bool) -> Interface:
    if function is None:
        designed: Signature = signature_of(answer.interface)
        function = designed.function
    known = [each.target for each in offered]
    named = [target for target in known if target in answer.may_call]
    spoken = [target for target in answer.may_call if words and target.startswith("auto:") and target not in known]
    return Interface(function, answer.instruction, (*spoken, *named))


def _answer(text: str) -> _Answer:
    try:
        return _Answer.model_validate(dict(object_in(text)))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise DecisionRefused(
            "the answer has not the form that was asked for", why=f"{where}: {first['msg']}"
        ) from error


def _why(refusal: CodeRefused | DecisionRefused) -> str:
    report = refusal.details.get("report")
    return Report.model_validate(report).text() if isinstance(report, Mapping) else f"{refusal} {refusal.why}"


def _shown(callee: Callee) -> dict[str, Any]:
    return {
        "target": callee.target,
        "description": callee.description,
        "parameters": callee.parameters,
        "returns": callee.returns,
    }
