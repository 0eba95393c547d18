"""A capability that a model carries out: it plans call after call, and hears what came of each (row GEN-13).

The calls are made with the rights of whoever called; what needs an approval needs it also where the owner of the node
called, who could do it without one. A step that waits for an approval ends the call with that; the
caller repeats it when it was approved, and the plan goes on where it stood: what was done is not done again. That is
remembered for a day, as long as this process lives, of callers who prove who they are. A step that was under way when
its caller left, or had no time any more, is made under the same key again, so that it is done once.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import PydanticSerializationError, to_jsonable_python

from moothall.approvals.asking import Ask, digest_of
from moothall.calls.call import LOCAL, Call, running
from moothall.calls.fingerprint import fingerprint
from moothall.calls.inner import facts_within, own, value_of
from moothall.calls.ports import Gateway
from moothall.calls.request_ids import fresh
from moothall.calls.target import Target
from moothall.canonical import digest
from moothall.capability.context import CallContext
from moothall.capability.entry import Entry
from moothall.capability.spec import JsonObject
from moothall.codegen.services.publication import Approvals
from moothall.codegen.services.wording import house_of
from moothall.codegen.services.writing import no_model
from moothall.errors import (
    ApprovalPending,
    CallTimeout,
    DecisionRefused,
    InputRequired,
    MoothallError,
    StorageError,
    Told,
    UpstreamInvalid,
)
from moothall.identity.keystore import DEFAULT_AGENT
from moothall.identity.principal import Principal
from moothall.llm.base import BaseLLM
from moothall.llm.budget import BudgetedLLM
from moothall.llm.fencing import fenced
from moothall.llm.prompt_files import prompt_text
from moothall.llm.reading import object_in
from moothall.messages import Lang

MOST_STEPS: Final = 16
"""Calls of one plan."""

MOST_ASKED: Final = 24
"""Times that the model is asked for one plan, however often its caller comes again."""

MOST_TOKENS: Final = 400_000
"""Tokens of a model that one plan may take."""

KEPT: Final = 86_400.0
"""Seconds for which a plan that waits is remembered, as long as an approval usually may take."""

_MOST_OFFERED: Final = 60
_MOST_KEPT: Final = 1_000
_MOST_EACH: Final = 50
"""Of them, those of one caller: nobody takes the places of all others."""

_PROMPT: Final = "orchestrate"
_LEAVES: Final = (ApprovalPending, InputRequired, CallTimeout, StorageError)


class _Move(BaseModel):
    """What the model wants next; exactly one of the three."""

    model_config = ConfigDict(extra="ignore")

    call: str = ""
    arguments: dict[str, Any] = {}
    result: Any = None
    give_up: str = ""


@dataclass(slots=True)
class _Plan:
    """A plan under way: whose it is, the key of its calls, what was done, and which call waits for an approval.

    It is gone on with ``until`` then (monotonic seconds). ``approval`` is the one that was asked for here, for the call
    that waits; ``asked`` and ``tokens`` is what the plan has taken of the model.
    """

    caller: str
    key: str
    asked: int = 0
    tokens: int = 0
    steps: list[JsonObject] = field(default_factory=list)
    waiting: tuple[str, JsonObject] | None = None
    approval: str = ""
    until: float = 0.0


class Orchestrator:
    """Carries out capabilities of source ``llm`` that have no body.

    Args:
        llm: the model; None: there is none.
        gateway: the call path, which may be made after this.
        approvals: takes asks.
        requester: the node's own agent, for whom its owner decides.
        monotonic: seconds.
        lang: of the prompt.
    """

    def __init__(
        self,
        llm: BaseLLM | None,
        gateway: Callable[[], Gateway],
        approvals: Approvals,
        requester: Callable[[], Principal],
        monotonic: Callable[[], float],
        lang: Lang = "en",
    ) -> None:
        self._llm = llm
        self._approvals = approvals
        self._requester = requester
        self._gateway = gateway
        self._monotonic = monotonic
        self._lang: Lang = lang
        self._plans: OrderedDict[str, _Plan] = OrderedDict()

    async def run(self, entry: Entry, arguments: Mapping[str, Any], ctx: CallContext) -> Any:  # noqa: ANN401 - JSON
        """Carry out one call.

        Raises:
            Unavailable: there is no model.
            ApprovalPending: a step waits for one; the same call goes on when it was given.
            DecisionRefused: the model gave up, or came to no end.
            ModelUnavailable, ModelTimeout, BudgetSpent: as `BaseLLM`.
        """
        if self._llm is None:
            raise no_model()
        call = running.get()
        if call is None:
            raise no_model()
        name = digest([ctx.principal.id, entry.key, dict(arguments)])
        plan = self._taken(name) or _Plan(ctx.principal.id, fresh())
        llm = BudgetedLLM(self._llm, MOST_ASKED, MOST_TOKENS, calls=plan.asked, tokens=plan.tokens)
        try:
            return await self._carried_out(plan, llm, entry, arguments, call)
        except (*_LEAVES, asyncio.CancelledError):
            plan.asked, plan.tokens = llm.calls, llm.tokens
            if _proved(call):
                self._keep(name, plan)
            raise

    async def _carried_out(
        self, plan: _Plan, llm: BaseLLM, entry: Entry, arguments: Mapping[str, Any], call: Call
    ) -> Any:  # noqa: ANN401 - JSON
        offered = await self._offered(call, entry)
        if plan.waiting is not None:
            await self._step(plan, *plan.waiting, call, offered)
        while len(plan.steps) < MOST_STEPS:
            move = await self._move(llm, entry, arguments, plan.steps, offered)
            if move.call:
                await self._step(plan, move.call, move.arguments, call, offered)
            elif move.give_up:
                raise DecisionRefused("the work cannot be done", told=Told("codegen.service.given_up"))
            else:
                try:
                    entry.decode(move.result)
                except UpstreamInvalid as error:
                    plan.steps.append({"error": {"code": "RESULT", "message": f"the result does not fit: {error.why}"}})
                    continue
                return move.result
        raise DecisionRefused("the plan came to no end", told=Told("codegen.service.no_end"))

    async def _step(
        self, plan: _Plan, target: str, arguments: JsonObject, call: Call, offered: Sequence[Entry]
    ) -> None:
        """Make a call, and write down what came of it."""
        said: JsonObject = {"call": target, "arguments": arguments}
        plan.waiting = target, arguments
        try:
            said["value"] = to_jsonable_python(await self._made(plan, target, arguments, call, offered))
        except _LEAVES:
            raise
        except MoothallError as error:
            said["error"] = {"code": error.code, "message": error.message}
        except (PydanticSerializationError, ValueError):
            said["error"] = {"code": "RESULT", "message": "the value has no JSON form"}
        plan.waiting, plan.approval = None, ""
        plan.steps.append(said)

    async def _made(self, plan: _Plan, target: str, arguments: JsonObject, call: Call, offered: Sequence[Entry]) -> Any:  # noqa: ANN401
        wanted = next((entry for entry in offered if _target(entry) == target), None)
        if wanted is None:
            raise DecisionRefused("this target is not among those that are offered")
        before = sum(step.get("call") == target and step.get("arguments") == arguments for step in plan.steps)
        key = digest([plan.key, target, arguments, before]) if _proved(call) else None
        principal = call.facts.principal
        if principal.owner and wanted.spec.approval:
            principal = self._requester()
            plan.approval = plan.approval or await self._asked(wanted, arguments, call, principal)
        left = call.deadline - self._monotonic()
        facts = facts_within(call, principal, timeout=left, key=key, approval=plan.approval)
        facts.unapproved |= principal.owner and not wanted.spec.approval  # words that it leads to have no approval
        try:
            return value_of(await self._gateway().call(Target.parse(target), arguments, facts), call)
        except ApprovalPending as error:
            raise own(error) if plan.approval else error  # noqa: B904 - it is the same; the owner hears which it is

    async def _asked(self, entry: Entry, arguments: JsonObject, call: Call, requester: Principal) -> str:
        """Ask the owner for the approval of a call; its id.

        The owner may make every call of its node without one. But this one the owner has not made up: a model did, and
        it has read what others wrote. So it is made by the node's own agent.
        """
        bound = entry.bind(arguments)
        asked = await self._approvals.ask(
            Ask(
                principal=requester,
                target=entry.key,
                action=entry.spec.acts,
                arguments=entry.wire(bound),
                digest=digest_of(requester.id, entry.key, fingerprint(entry, bound)),
                door=LOCAL,
                request_id=fresh(),
                policy="house.approval",
                purpose=call.facts.purpose,
                inside=True,
            )
        )
        return asked.id

    async def _offered(self, call: Call, entry: Entry) -> Sequence[Entry]:
        """What the caller may call, but for this capability and those by which the node itself is run."""
        seen = await self._gateway().visible(call.facts.principal, LOCAL if call.facts.principal.owner else "anp")
        own = {entry.id, *house_of(self._gateway())}
        found = [
            each
            for each in sorted(seen, key=lambda each: each.id)
            if each.id not in own and not (each.agent == DEFAULT_AGENT and "." in each.spec.name)
        ]
        return found[:_MOST_OFFERED]

    async def _move(
        self,
        llm: BaseLLM,
        entry: Entry,
        arguments: Mapping[str, Any],
        steps: Sequence[JsonObject],
        offered: Sequence[Entry],
    ) -> _Move:
        material: dict[str, Any] = {
            "arguments": dict(arguments),
            "offered": [_shown(each) for each in offered],
            "steps": list(steps),
            "result": entry.output_schema or {},
        }
        asked = f"{entry.spec.description}\n\n{fenced(material)}"
        for _ in range(2):
            text = await llm.async_generate_response(prompt_text(_PROMPT, self._lang), asked)
            try:
                return _read(text)
            except (DecisionRefused, ValidationError):
                asked = f"{asked}\n\n{fenced({'refused': 'the last answer was no JSON object of these three forms'})}"
        raise DecisionRefused("the model gives no step", told=Told("codegen.service.no_end"))

    def _taken(self, name: str) -> _Plan | None:
        """The plan that this call goes on with, unless it is too old."""
        plan = self._plans.pop(name, None)
        return plan if plan is not None and self._monotonic() < plan.until else None

    def _keep(self, name: str, plan: _Plan) -> None:
        plan.until = self._monotonic() + KEPT
        self._plans[name] = plan
        own = [each for each, kept in self._plans.items() if kept.caller == plan.caller]
        if len(own) > _MOST_EACH:
            del self._plans[own[0]]
        if len(self._plans) > _MOST_KEPT:
            self._plans.popitem(last=False)


def _proved(call: Call) -> bool:
    """Whether the caller is one whom nobody else can pass for: a plan, and the keys of its calls, are its own."""
    principal = call.facts.principal
    return principal.verified or principal.kind == "local"


def _read(text: str) -> _Move:
    found = dict(object_in(text))
    move = _Move.model_validate(found)
    if sum(name in found for name in ("call", "result", "give_up")) != 1:
        raise DecisionRefused("the answer is none of the three")
    return move


def _target(entry: Entry) -> str:
    return f"local:{entry.id}"


def _shown(entry: Entry) -> JsonObject:
    return {
        "target": _target(entry),
        "description": entry.spec.description,
        "parameters": entry.input_schema,
        "approval": entry.spec.approval,
    }
