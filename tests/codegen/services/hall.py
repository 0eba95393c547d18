"""Nodes with a forge: the model is a script, the sandbox and the gate are the real ones where a test does not say otherwise."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from moothall import Agent, Node, Settings
from moothall.approvals.desk import Place
from moothall.calls.ports import CallFacts
from moothall.calls.target import Target
from moothall.clock import Clock
from moothall.codegen.forge import Forge
from moothall.codegen.module import Case, Module
from moothall.codegen.report import STAGES, Report, StageReport
from moothall.codegen.task import Callee, Judge
from moothall.hosting import agreeing
from moothall.identity.principal import OWNER_BY_TOKEN, Principal
from moothall.llm.base import BaseLLM
from moothall.llm.scripted import ScriptedLLM

STRANGER = Principal(id="did:wba:elsewhere.example:agents:eve:e1_x", kind="did", binding="request")
DOUBLE = "def double(value: int) -> int:\n    return value * 2\n"


class Passing:
    """A gate that lets everything through: for tests of what comes after it."""

    revision = "open"

    async def judge(
        self, module: Module, callees: Sequence[Callee] = (), hidden: Sequence[Case] = (), **_: object
    ) -> Report:
        return Report(stages=tuple(StageReport(stage=stage, passed=True) for stage in STAGES))


@dataclass
class Smith:
    """What the model says of one service.

    Attributes:
        interface: what it designs.
        code: what it writes, one after another; the last one again and again.
        oracle: what is right for arguments: the value, and the calls that lead to it; a ValueError where they are wrong.
        may_call: what it wants to call.
    """

    interface: str
    code: list[str]
    oracle: Callable[[Mapping[str, Any]], tuple[Any, list[dict[str, Any]]]]
    may_call: Sequence[str] = ()
    instruction: str = "Exactly as its docstring says."
    seen: list[str] = field(default_factory=list)

    def llm(self) -> ScriptedLLM:
        """The model."""
        return ScriptedLLM([self.speak])

    def speak(self, system: str, user: str) -> str | None:
        text = f"{system}\n{user}"
        if "You design the interface" in text:
            self.seen.append("interface")
            said = {"interface": self.interface, "instruction": self.instruction, "may_call": list(self.may_call)}
            return json.dumps(said)
        if "write tests for a Python module" in text:
            self.seen.append("cases")
            given = [*_part(user, "inputs"), *_part(user, "unfit")]
            return json.dumps({"cases": [self._case(each) for each in given]})
        if "write one Python module" in text:
            self.seen.append("code")
            return f"```python\n{self.code.pop(0) if len(self.code) > 1 else self.code[0]}```"
        if "look again at tests" in text:
            self.seen.append("review")
            return json.dumps({"cases": _part(user, "disputed")})
        return None

    def _case(self, given: Mapping[str, Any]) -> dict[str, Any]:
        case = {"name": json.dumps(given["arguments"]), **given}
        try:
            expected, calls = self.oracle(given["arguments"])
        except (KeyError, TypeError, ValueError):
            return {**case, "raises": "ValueError"}
        return {**case, "expected": expected, "calls": calls}


def _part(user: str, name: str) -> list[Any]:
    found = re.search(rf'<data name="{name}">\n(.*?)\n</data>', user, re.DOTALL)
    return json.loads(found[1]) if found else []


@dataclass
class Site:
    """A started node with its forge."""

    node: Node

    @property
    def forge(self) -> Forge:
        return self.node.host.agreeing.forge

    async def call(self, target: str, principal: Principal | None = None, /, **named: Any) -> Any:
        caller = self.node.caller() if principal is None else self.node.caller(principal=principal)
        return await caller.call(target, named)

    async def remote(self, target: str, **named: Any) -> Any:
        """Call as a stranger at a door of the network."""
        facts = CallFacts(door="anp", principal=STRANGER)
        reply = await self.node.host.path.call(Target.parse(target), named, facts)
        if reply.error is not None:
            raise reply.error
        return reply.data

    async def approve(self, approval: str, decision: str = "approved") -> None:
        """Decide as the owner, and wait until what was approved is made."""
        desk = self.node.host.authority.desk
        await desk.decide(OWNER_BY_TOKEN, approval, decision, "", Place())
        await desk.ended(approval, self.node.clock.monotonic() + 30)

    async def registered(self, code: str, *, version: str = "", name: str = "", may_call: Sequence[str] = ()) -> Any:
        """A service of this code, which nobody published."""
        made = self.forge.code
        decorated = made.add_capability_decorator(code, version=version, name=name, may_call=may_call)
        return await made.execute_and_register(decorated)

    async def published(self, code: str, *, version: str = "", name: str = "", share: float = 0.0) -> Any:
        """The same, and the owner approves that others see it."""
        waiting = await self.forge.code.publish_to_network(
            await self.registered(code, version=version, name=name), share
        )
        if waiting.approval_id:
            await self.approve(waiting.approval_id)
        return waiting

    async def seen_by(self, principal: Principal = STRANGER) -> set[str]:
        """What of the generated services somebody on the network sees."""
        entries = await self.node.host.path.visible(principal, "anp")
        return {entry.id for entry in entries if entry.spec.source == "llm"}


@asynccontextmanager
async def forged(
    data: Path,
    *agents: Agent,
    llm: BaseLLM | None = None,
    judge: Judge | None = None,
    clock: Clock | None = None,
    **settings: Any,
) -> AsyncIterator[Site]:
    """A node with a forge; ``judge`` stands in for its gate."""
    given = Settings(data=data, demo_agents=False, sandbox_workers=1, **settings)
    node = Node(given, clock=clock, text_model=llm)
    node.add(*agents)
    with pytest.MonkeyPatch.context() as patch:
        if judge is not None:
            patch.setattr(agreeing, "Gate", lambda _sandbox: judge)
        await node.start()
    try:
        yield Site(node)
    finally:
        await node.stop()
