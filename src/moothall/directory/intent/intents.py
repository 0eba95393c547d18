"""Calls by intent: find, choose, fill, confirm, call; each step may refuse, and then nothing was called."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final

from pydantic_core import to_jsonable_python

from moothall.calls.failures import is_answer
from moothall.calls.reply import Reply
from moothall.canonical import dumps
from moothall.clock import Clock
from moothall.directory.intent.asking import FAILED, IntentModel
from moothall.directory.intent.balancing import Balancer
from moothall.directory.intent.choosing import FLOOR, Group, named_in, plain
from moothall.directory.intent.denying import wanted
from moothall.directory.intent.discovering import Discovers, callable_by
from moothall.directory.intent.evidence import Evidence, read
from moothall.directory.intent.filling import filled
from moothall.directory.intent.matcher import Matched, Matches
from moothall.directory.intent.request import Chosen, Request, agreed, may_go_on, provenance_of, told_of
from moothall.directory.intent.schemas import fields_of, misfits, missing, takes
from moothall.directory.listing import Listing
from moothall.directory.places import Gazetteer
from moothall.directory.searching import LONGEST, Filters, Hit
from moothall.errors import (
    Ambiguous,
    ConfirmationRequired,
    MoothallError,
    ServiceNotFoundError,
    Told,
    ValidationError,
)
from moothall.telemetry import logger

_LOOKED_AT: Final = 30
"""Hits that are looked at for one request."""

_TOLD: Final = 5
"""Candidates that a caller hears of where a request is ambiguous."""

_SHOWN: Final = 500
"""Characters of the arguments that whoever has to confirm them is told in words; all of them are in the details."""

_CAPABILITIES: Final = Filters(kinds=frozenset({"capability"}))
_log = logger("intent")

Made = Callable[[Listing, Mapping[str, Any]], Awaitable[Reply[Any]]]
"""Calls a provider."""


@dataclass(frozen=True, slots=True)
class IntentGround:
    """What calls by intent stand on.

    Attributes:
        discoverer, matcher: the parts.
        model: finds arguments, where there is one.
        gazetteer: places.
        clock: of the node.
        own: ids of the capabilities by which the node itself is run.
        confirmed: patterns of targets that the operator agrees to once for all.
        balancer: orders equal providers.
        stopped: whether something may not be called although it is listed: its agent was refused.
        away: whether something failed so often that it is left alone now: it is asked after all others.
    """

    discoverer: Discovers
    matcher: Matches
    model: IntentModel | None
    gazetteer: Gazetteer
    clock: Clock
    own: Callable[[], Collection[str]]
    confirmed: Sequence[str] = ()
    balancer: Balancer = field(default_factory=Balancer)
    stopped: Callable[[Listing], bool] = lambda _: False
    away: Callable[[Listing], bool] = lambda _: False


class Intents:
    """Finds out what requests in words mean, and has it called.

    Attributes:
        ground: what it stands on.
    """

    def __init__(self, ground: IntentGround) -> None:
        self.ground = ground

    def read(self, text: str) -> Evidence:
        """What a text names."""
        return read(text[:LONGEST], self.ground.gazetteer, self.today())

    def today(self) -> date:
        """The date here."""
        return self.ground.clock.now().astimezone().date()

    async def matched(self, request: Request, evidence: Evidence) -> Matched:
        """What a request may mean, of what its caller may call."""
        ground = self.ground
        query = evidence.rest or request.text
        asked = wanted(query)
        if not asked:
            return Matched((), None, (), "rules")
        found = await ground.discoverer.discover(query, request.principal, _CAPABILITIES, _LOOKED_AT)
        own = ground.own()
        callable_ = (hit for hit in found.hits if callable_by(request.principal, hit.listing, own))
        hits = [hit for hit in callable_ if not ground.stopped(hit.listing)]
        return await ground.matcher.match(replace(evidence, rest=asked), _fitting(hits, request))

    async def choose(self, request: Request) -> Chosen:
        """What a request means, and its arguments; nothing is called.

        Raises:
            ServiceNotFoundError: nothing that the caller may call does that.
            Ambiguous: several do; ``details["candidates"]`` lists them.
            ValidationError: the request names too little, or what does not fit.
        """
        evidence = self.read(request.text)
        matched = await self.matched(request, evidence)
        naming = wanted(request.naming)
        named = [group for each in matched.groups if (group := _named(each, naming)) is not None]
        group = named[0] if len(named) == 1 else matched.clear
        if group is None and len(matched.rivals) > 1:
            group = _only_fillable(matched.rivals, request, evidence)
        if group is None:
            raise _undecided(matched)
        arguments = await self._arguments(request, evidence, group.leader)
        return Chosen(group, arguments, matched.by)

    async def call(self, request: Request, chosen: Chosen, made: Made) -> tuple[Reply[Any], Listing]:
        """Have it called by a provider, or by the next one where nothing can have happened twice; who answered.

        Raises:
            ConfirmationRequired: it changes something, and the caller has not agreed to that.
        """
        order = self._order(chosen.group, self.confirm(request, chosen))
        for listing in order[:-1]:
            reply = await self._made(listing, chosen, made)
            if reply.error is None or not may_go_on(listing, reply.error):
                return reply, listing
            _log.warning("%s failed (%s), the next provider is asked", listing.target, reply.error.code)
        return await self._made(order[-1], chosen, made), order[-1]

    def confirm(self, request: Request, chosen: Chosen) -> list[Listing]:
        """The providers that may be called without asking first.

        Raises:
            ConfirmationRequired: they change something, and the caller has not agreed to that.
        """
        free = [each for each in chosen.group.providers if agreed(request, each, self.ground.confirmed)]
        if free:
            return free
        listing = chosen.listing
        target = plain(listing.target)
        shown = dumps(to_jsonable_python(dict(chosen.arguments), fallback=str)).decode()[:_SHOWN]
        raise ConfirmationRequired(
            "the request leads to a call that changes something",
            told=Told("intent.confirm", {"target": target, "arguments": shown}),
            details={"target": target, "arguments": dict(chosen.arguments), "provenance": provenance_of(listing)},
        )

    def _order(self, group: Group, free: Sequence[Listing]) -> list[Listing]:
        """The providers in the order in which they are asked."""
        equal = {each.target: each for each in group.providers[: group.equals] if each in free}
        ordered = [equal[target] for target in self.ground.balancer.order(list(equal))]
        order = [*ordered, *(each for each in group.providers[group.equals :] if each in free)]
        return sorted(order, key=self.ground.away)

    async def _made(self, listing: Listing, chosen: Chosen, made: Made) -> Reply[Any]:
        balancer, monotonic = self.ground.balancer, self.ground.clock.monotonic
        begun, failed = monotonic(), True
        balancer.begin(listing.target)
        try:
            reply = await made(listing, chosen.arguments)
            failed = reply.error is not None and not is_answer(reply.error)
        finally:
            balancer.end(listing.target, monotonic() - begun, failed=failed)
        return reply

    async def _arguments(self, request: Request, evidence: Evidence, listing: Listing) -> Mapping[str, Any]:
        schema = listing.input_schema
        given = {name: value for name, value in request.given.items() if takes(schema, (name,))}
        found: dict[str, Any] = {}
        open_ones = [each.name for each in fields_of(schema) if each.name not in given]
        needed = missing(schema, given)
        model = self.ground.model
        if model is not None and open_ones and (needed or not given):
            found = await self._by_model(model, request, schema, given)
        if open_ones and not request.model:
            found = {**filled(schema, evidence, {**given, **found}), **found}
        arguments = {**found, **given}
        if lacking := missing(schema, (*arguments, *request.later)):
            names = ", ".join(lacking)
            raise ValidationError(
                "the request does not name every argument",
                told=Told("intent.missing", {"target": plain(listing.target), "names": names}),
                details={"target": plain(listing.target), "missing": lacking},
            )
        if wrong := [problem for problem in misfits(schema, arguments) if not _is_later(problem, request)]:
            told = Told("intent.misfit", {"target": plain(listing.target), "problems": "; ".join(wrong)})
            raise ValidationError("an argument does not fit", told=told)
        return arguments

    async def _by_model(
        self, model: IntentModel, request: Request, schema: Mapping[str, Any], given: Mapping[str, Any]
    ) -> dict[str, Any]:
        """What a model finds, as far as it fits; the rules do without one that fails."""
        try:
            found = await model.fill(request.text, schema, given, self.today())
        except FAILED as error:
            if request.model:
                raise
            _log.warning("arguments are found by rules, the model fails: %s", error.code)
            return {}
        wrong = {problem.partition(":")[0].partition(".")[0] for problem in misfits(schema, {**found, **given})}
        return {name: value for name, value in found.items() if name not in wrong}


def _named(group: Group, words: str) -> Group | None:
    """Those providers of a group that words name, and nobody else; None where they name none."""
    named = tuple(each for each in group.providers if named_in(words, each))
    return Group(group.fit, named) if named else None


def _is_later(problem: str, request: Request) -> bool:
    name, _, what = problem.partition(": ")
    return what == "missing" and name in request.later


def _fitting(hits: Sequence[Hit], request: Request) -> list[Hit]:
    """Those that take the arguments that are given by name; all, where none does: these are words, then."""
    left = [hit for hit in hits if plain(hit.listing.target) not in request.without]
    fits = [hit for hit in left if takes(hit.listing.input_schema, tuple(request.given))]
    return fits or left


def _only_fillable(rivals: Sequence[Group], request: Request, evidence: Evidence) -> Group | None:
    """The only one of several whose arguments the request names, where there is one."""
    fits = []
    for group in rivals:
        schema = group.leader.input_schema
        given = {name: value for name, value in request.given.items() if takes(schema, (name,))}
        if not missing(schema, {**filled(schema, evidence, given), **given}):
            fits.append(group)
    return fits[0] if len(fits) == 1 else None


def _undecided(matched: Matched) -> MoothallError:
    rivals = matched.rivals
    if not rivals or (matched.by != "llm" and rivals[0].fit < FLOOR):
        return ServiceNotFoundError("nothing here does what the request asks for", told=Told("intent.nothing"))
    candidates = [told_of(group) for group in rivals[:_TOLD]]
    names = ", ".join(each["target"] for each in candidates)
    return Ambiguous(
        "the request fits several capabilities",
        told=Told("intent.ambiguous", {"names": names}),
        details={"candidates": candidates},
    )
