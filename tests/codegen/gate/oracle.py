"""What a module does, as Python itself runs it: apart from the sandbox and the gate, for sources that tests wrote."""

from __future__ import annotations
import __future__

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import CodeType
from typing import Any

from moothall.codegen.cases import same_json
from moothall.codegen.module import JsonObject
from moothall.codegen.schemas.samples import samples
from tests.codegen.gate.modules import Good

MANY = 40
_PLAIN = __future__.annotations.compiler_flag


@dataclass(frozen=True)
class Seen:
    """What came of a call: the value, or the name of the error; and what it called itself."""

    value: Any
    error: str
    calls: list[Any]

    def same(self, other: Seen) -> bool:
        alike = self.error == other.error and same_json(self.calls, other.calls)
        return alike and same_json(self.value, other.value)


def inputs(good: Good) -> list[tuple[str, JsonObject]]:
    """Many arguments that fit the schemas, other ones than the gate looks at, and those of the tests."""
    found = [
        (function.name, each)
        for function in good.module.manifest.functions
        for each in samples(function.parameters, MANY, seed=99)
    ]
    return found + [(case.function, case.arguments) for case in good.module.cases if not case.raises]


class Oracle:
    """Says of other sources whether they do something else than a good module."""

    def __init__(self, good: Good) -> None:
        self._inputs = inputs(good)
        self._replies = {callee.target: samples(callee.returns, 5, seed=7) for callee in good.callees}
        self._before = list(self._behaviour(good.module.source))

    def differs(self, source: str) -> bool:
        """Whether it does something else for any of the inputs."""
        return any(not one.same(other) for one, other in zip(self._before, self._behaviour(source), strict=True))

    def _behaviour(self, source: str) -> Iterator[Seen]:
        """What a source does, its calls answered, and refused."""
        code = compile(source, "module", "exec", flags=_PLAIN, dont_inherit=True)
        for name, arguments in self._inputs:
            for refusing in (False, True) if self._replies else (False,):
                yield self._one(code, name, arguments, refusing=refusing)

    def _one(self, code: CodeType, name: str, arguments: JsonObject, *, refusing: bool) -> Seen:
        calls: list[Any] = []

        def call(target: str, parameters: Mapping[str, Any]) -> Any:
            calls.append([target, copy.deepcopy(parameters)])
            if refusing or target not in self._replies:
                raise RuntimeError("the call failed")
            replies = self._replies[target]
            return copy.deepcopy(replies[len(repr(parameters)) % len(replies)])

        names: dict[str, Any] = {"call": call}
        try:
            exec(code, names)  # noqa: S102 - modules of our own, with one mistake
            return Seen(names[name](**copy.deepcopy(arguments)), "", calls)
        except Exception as error:  # noqa: BLE001 - whatever a broken module raises is what it does
            return Seen(None, type(error).__name__, calls)
