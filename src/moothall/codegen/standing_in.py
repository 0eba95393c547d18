"""What stands in for the host while generated code is tested: answers that fit the schemas of what is called."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

from moothall.canonical import canonical, sha256
from moothall.codegen.sandbox.port import Departure, JsonValue, Refusal, fault
from moothall.codegen.schemas.samples import samples
from moothall.codegen.schemas.validation import compiled
from moothall.codegen.task import Callee
from moothall.errors import InvalidInput

_ANSWERS = 8
"""Samples of a callee's answers."""


class StandIn:
    """Answers the calls of one run; the same call gets the same answer in every run.

    Attributes:
        made: the calls: digests of their targets and parameters, which may be large.
        wrong: what is wrong with a call; empty: nothing.
        unknown: whether something was called that the manifest allows and nobody described.
    """

    def __init__(self, answers: Answers, *, refusing: bool = False) -> None:
        self._answers = answers
        self._refusing = refusing
        self.made: list[str] = []
        self.wrong = ""
        self.unknown = False

    async def call(self, target: str, parameters: Mapping[str, JsonValue]) -> JsonValue:
        """What ``call`` does."""
        self.made.append(_digest([target, dict(parameters)]))
        if not self._answers.allows(target):
            self.wrong = self.wrong or f"it calls {target[:100]!r}, which its manifest does not list"
            raise Departure(fault("calls"))
        callee = self._answers.callee(target)
        if callee is None:
            self.unknown = True
            raise Departure(fault("calls"))
        if problems := compiled(callee.parameters).problems(dict(parameters)):
            self.wrong = self.wrong or f"its call of {target[:100]!r} does not fit: {'; '.join(problems[:3])}"
            raise Departure(fault("calls"))
        if self._refusing:
            raise Refusal("the call failed")
        return self._answers.answer(callee, parameters)


class Answers:
    """What is called, and what it gives."""

    def __init__(self, may_call: Sequence[str], callees: Sequence[Callee]) -> None:
        self._may_call = frozenset(may_call)
        self._callees = {callee.target: callee for callee in callees}
        self._given = {callee.target: samples(callee.returns, _ANSWERS) for callee in callees}

    def allows(self, target: str) -> bool:
        """Whether the manifest lists it."""
        return target in self._may_call

    def callee(self, target: str) -> Callee | None:
        """What is known of it, where answers that fit can be made."""
        return self._callees.get(target) if self._given.get(target) else None

    def answer(self, callee: Callee, parameters: Mapping[str, JsonValue]) -> JsonValue:
        """One of the samples of what it gives, chosen by the parameters."""
        given = self._given[callee.target]
        chosen = hashlib.sha256(json.dumps(parameters, sort_keys=True).encode()).digest()
        return given[int.from_bytes(chosen[:4], "big") % len(given)]


def _digest(value: JsonValue) -> str:
    """What is the same for the same JSON, 1 and 1.0 included."""
    try:
        return sha256(canonical(value))
    except InvalidInput:  # a number beyond those that JSON is sure of
        return sha256(json.dumps(value, sort_keys=True).encode())
