"""From a request to a plan that can be shown: every target is chosen and every argument found before anything runs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from moothall.calls.ports import Gateway
from moothall.directory.intent.asking import FAILED, asked
from moothall.directory.intent.choosing import plain
from moothall.directory.intent.discovering import NETWORK, callable_by, door_to
from moothall.directory.intent.intents import Intents
from moothall.directory.intent.request import Request, harmless
from moothall.directory.intent.schemas import fields_of
from moothall.directory.listing import Listing
from moothall.directory.orchestration.plan import MOST_STEPS, RESULT, Plan, Step, Wanted, planned, taken_by, too_many
from moothall.directory.searching import Filters
from moothall.errors import DecisionRefused, Forbidden, MoothallError, ServiceNotFoundError, Told, ValidationError
from moothall.identity.principal import Principal
from moothall.llm.base import BaseLLM
from moothall.llm.prompt_files import prompt_text
from moothall.messages import Lang
from moothall.telemetry import logger

_OFFERED: Final = 24
_AUTO: Final = "auto:"
_NEXT: Final = re.compile(
    r"[，,；;。.]?\s*(?:然后|接着|之后|随后|最后|再(?=[^次])|\b(?:and then|then|after that|afterwards|finally)\b)"
    r"[，,:：]?\s*"
    r"|[；;\n]+|(?:^|(?<=\s))\d+[.)、]\s*",
    re.IGNORECASE,
)
_CAPABILITIES: Final = Filters(kinds=frozenset({"capability"}))
_log = logger("orchestration")


class _Drafted(BaseModel):
    model_config = ConfigDict(extra="ignore")

    steps: list[Wanted] = []


class Planner:
    """Makes plans for callers, of what they may call.

    Args:
        intents: chooses targets.
        llm: drafts plans; None: a request is taken apart by rules.
        lang: of the prompt.
    """

    def __init__(self, intents: Intents, llm: BaseLLM | None = None, lang: Lang = "en") -> None:
        self._intents = intents
        self._llm = llm
        self._lang = lang

    async def plan(self, request: str, principal: Principal, gateway: Gateway) -> Plan:
        """A plan for a request in words.

        Raises:
            ServiceNotFoundError, Ambiguous, ValidationError: a step of it cannot be told; `details` has the ``step``.
        """
        if self._llm is not None:
            try:
                return await self.settle(
                    await self._drafted(self._llm, request, principal), principal, gateway, request
                )
            except (*FAILED, ValidationError, ServiceNotFoundError) as error:
                _log.warning("a request is planned by rules, the model fails: %s", error.code)
        parts = [part.strip() for part in _NEXT.split(request) if part and part.strip()]
        if len(parts) > MOST_STEPS:  # each is searched for, and may cost a model's answer
            raise too_many()
        steps: list[Step] = []
        before: Listing | None = None
        for place, part in enumerate(parts, 1):
            try:
                step, before = await self._next(f"s{place}", part, principal, gateway, steps, before)
            except MoothallError as error:
                raise _at(error, f"s{place}") from None
            steps.append(step)
        return planned(steps, request)

    async def settle(self, wanted: Sequence[Wanted], principal: Principal, gateway: Gateway, request: str = "") -> Plan:
        """A plan of steps that somebody wrote; targets in words are chosen now.

        Raises:
            ServiceNotFoundError, Ambiguous, ValidationError, Forbidden: as `plan`.
        """
        if len(wanted) > MOST_STEPS:
            raise too_many()
        steps = []
        for each in wanted:
            try:
                steps.append(await self._settled(each, principal, gateway))
            except MoothallError as error:
                raise _at(error, each.id) from None
        return planned(steps, request)

    async def _next(
        self,
        name: str,
        part: str,
        principal: Principal,
        gateway: Gateway,
        steps: Sequence[Step],
        before: Listing | None,
    ) -> tuple[Step, Listing]:
        """The step that a part of a request means; what it needs and does not name, the step before may give."""
        request = Request(text=part, principal=principal)
        taken: dict[str, Any] = {}
        try:
            chosen = await self._intents.choose(request)
        except ValidationError as error:
            lacking = error.details.get("missing")
            if not isinstance(lacking, list) or before is None:
                raise
            taken = _results(steps[-1].id, before, [str(each) for each in lacking])
            if len(taken) < len(lacking):
                raise
            chosen = await self._intents.choose(replace(request, later=frozenset(taken)))
        after = (steps[-1].id,) if steps else ()
        listing = chosen.listing
        arguments = {**chosen.arguments, **taken}
        return (
            Step(name, plain(listing.target), arguments, after, _reads(listing, gateway), listing.description),
            listing,
        )

    async def _settled(self, each: Wanted, principal: Principal, gateway: Gateway) -> Step:
        after = tuple(each.after)
        later = {name for name, value in each.arguments.items() if any(taken_by(value))}
        if each.target.startswith(_AUTO):
            given = {name: value for name, value in each.arguments.items() if name not in later}
            words = Request(text=each.target.removeprefix(_AUTO), principal=principal, given=given, later=later)
            chosen = await self._intents.choose(words)
            listing = chosen.listing
            arguments = {**chosen.arguments, **{name: each.arguments[name] for name in later}}
            return Step(each.id, plain(listing.target), arguments, after, _reads(listing, gateway), listing.description)
        ground = self._intents.ground
        found = await ground.discoverer.get(each.target, principal)
        if found is not None and callable_by(principal, found, ()):
            return Step(each.id, each.target, each.arguments, after, _reads(found, gateway), found.description)
        return await self._unlisted(each, principal, gateway)

    async def _unlisted(self, each: Wanted, principal: Principal, gateway: Gateway) -> Step:
        """A step whose target the directory does not show: of this node if the caller may call it, or elsewhere."""
        if each.target.startswith("local:"):
            listing = Listing(target=each.target, name=each.target.removeprefix("local:"))
            seen = await gateway.visible(principal, door_to(principal, listing, gateway.snapshot))
            entry = next((entry for entry in seen if f"local:{entry.id}" == plain(each.target)), None)
            if entry is None:
                raise ServiceNotFoundError("no such capability", told=Told("calls.not_found"))
            reads = entry.spec.annotations.read_only and not entry.spec.approval
            return Step(each.id, each.target, each.arguments, tuple(each.after), reads, entry.spec.description)
        if not (principal.owner or principal.holds((NETWORK,))):
            raise Forbidden("the caller may not call elsewhere through this node", told=Told("calls.denied"))
        return Step(each.id, each.target, each.arguments, tuple(each.after))

    async def _drafted(self, llm: BaseLLM, request: str, principal: Principal) -> list[Wanted]:
        """What a model makes of a request, of what was found for it and nothing else."""
        ground = self._intents.ground
        found = await ground.discoverer.discover(request, principal, _CAPABILITIES, _OFFERED)
        own = ground.own()
        offered = [hit.listing for hit in found.hits if callable_by(principal, hit.listing, own)]
        material = {"request": request, "offered": [_offer(each) for each in offered]}
        drafted = await asked(llm, prompt_text("plan", self._lang), material, _Drafted)
        known = {each.target for each in offered}
        if not drafted.steps or any(step.target not in known for step in drafted.steps):
            raise DecisionRefused("the plan names what was not offered")
        return [each.model_copy(update={"id": each.id or f"s{place}"}) for place, each in enumerate(drafted.steps, 1)]


def _reads(listing: Listing, gateway: Gateway) -> bool:
    """Whether a step changes nothing, and nobody has to approve it: the owner looks at a plan before such a one."""
    entry = gateway.snapshot.find(plain(listing.target).removeprefix("local:")) if listing.local else None
    return harmless(listing) and not (entry is not None and entry.spec.approval)


def _offer(listing: Listing) -> Mapping[str, Any]:
    return {
        "target": listing.target,
        "description": listing.description,
        "parameters": dict(listing.input_schema),
        "result": dict(listing.output_schema),
        "read_only": listing.read_only,
    }


def _results(step: str, before: Listing, lacking: Sequence[str]) -> dict[str, Any]:
    """What a step gives of what is lacking: by name, or as a whole where one thing is lacking and no name fits."""
    fields = {field.name for field in fields_of(before.output_schema)}
    named = {name: {RESULT: step, "at": f"/{name}"} for name in lacking if name in fields}
    if not named and len(lacking) == 1:
        return {lacking[0]: {RESULT: step}}
    return named


def _at(error: MoothallError, step: str) -> MoothallError:
    """The error of a step, which it names."""
    error.details = {**error.details, "step": step}
    return error
