"""The connector ``auto:``: a target in words, and capabilities whose work another one does (rows CAL-02, DEC-14).

The call that is chosen is made as the caller of the call under way, through the same call path: the policy decides
again, its time and its hops are what is left. What was chosen stands in the metadata of the reply.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any, Final

from pydantic_core import to_jsonable_python

from moothall.calls.call import LOCAL, Call, running
from moothall.calls.elsewhere import AGENT as ELSEWHERE
from moothall.calls.inner import facts_within, got, value_of, values_of
from moothall.calls.ports import CallFacts, Outgoing
from moothall.calls.reply import Reply
from moothall.calls.streaming import closing
from moothall.calls.target import Target
from moothall.canonical import dumps
from moothall.capability.spec import JsonObject
from moothall.directory.intent.asking import FAILED, no_model
from moothall.directory.intent.choosing import plain
from moothall.directory.intent.discovering import door_to
from moothall.directory.intent.intents import Intents
from moothall.directory.intent.request import Chosen, Request, provenance_of
from moothall.directory.listing import Listing
from moothall.directory.searching import LONGEST
from moothall.errors import MoothallError, ServiceNotFoundError, Told, Unavailable, UsageError
from moothall.telemetry import logger

SCHEME: Final = "auto"
_log = logger("intent")


class AutoConnector:
    """Calls what a request in words means.

    Args:
        intents: finds out what that is.
    """

    def __init__(self, intents: Intents) -> None:
        self._intents = intents

    @property
    def schemes(self) -> tuple[str, ...]:
        """See `Connector`."""
        return (SCHEME,)

    async def call(self, outgoing: Outgoing) -> Any:  # noqa: ANN401 - JSON of any shape
        """Choose, call, and return the value.

        Raises:
            Ambiguous, ConfirmationRequired, ValidationError, ServiceNotFoundError: nothing was called.
            Unavailable: a capability is to understand words, and there is no model; nothing does its work.
            MoothallError: as what was called.
        """
        call = _under_way()
        request = self._request(call, outgoing)
        chosen = await self._chosen(call, request)

        async def made(listing: Listing, arguments: Mapping[str, Any]) -> Reply[Any]:
            return await call.gateway.call(Target.parse(listing.target), arguments, _facts(call, listing, outgoing))

        reply, listing = await self._intents.call(request, chosen, made)
        _note(call, chosen, listing)
        value = value_of(reply, call)
        if call.entry.agent == ELSEWHERE:
            return value
        return await self._formed(call, request, to_jsonable_python(value))

    async def stream(self, outgoing: Outgoing) -> AsyncIterator[Any]:
        """Choose, call, and yield the values; another provider is not asked.

        Raises:
            as `call`.
        """
        call = _under_way()
        request = self._request(call, outgoing)
        chosen = await self._chosen(call, request)
        listing = self._intents.confirm(request, chosen)[0]
        try:
            admitted = await call.gateway.admit(Target.parse(listing.target), _facts(call, listing, outgoing))
        except MoothallError as error:
            got(error, call)
            raise
        _note(call, chosen, listing)
        async with closing(values_of(call.gateway, admitted, chosen.arguments, call)) as values:
            async for value in values:
                yield value if call.entry.agent == ELSEWHERE else to_jsonable_python(value)

    async def describe(self, target: Target, agent: str) -> JsonObject:
        """Words name nobody who could be described.

        Raises:
            UsageError: always.
        """
        raise UsageError("a request in words is searched for or called", why=f"{agent}: {target.scheme}")

    def _request(self, call: Call, outgoing: Outgoing) -> Request:
        spec, given = call.entry.spec, dict(outgoing.params)
        principal, confirmed = call.facts.principal, call.facts.confirmed
        if call.entry.agent == ELSEWHERE:
            return Request(text=outgoing.target.address, principal=principal, given=given, confirmed=confirmed)
        if spec.ai_enhanced and self._intents.ground.model is None:
            raise no_model()
        about = spec.remote.get("prompt") or spec.description or spec.name
        said = [value for value in given.values() if isinstance(value, str)]
        return Request(
            text=" ".join([about.rstrip("."), *said])[:LONGEST],
            principal=principal,
            given=given,
            confirmed=confirmed,
            without=frozenset({f"{LOCAL}:{call.entry.id}"}),
            model=spec.ai_enhanced,
            spoken=about,  # what the caller gives as arguments is data: no name in it is one that was agreed to
        )

    async def _chosen(self, call: Call, request: Request) -> Chosen:
        try:
            return await self._intents.choose(request)
        except ServiceNotFoundError as error:
            if call.entry.agent == ELSEWHERE:
                raise
            raise Unavailable("nothing does the work of it now", told=Told("intent.nobody")) from error

    async def _formed(self, call: Call, request: Request, value: object) -> object:
        """The value as the capability gives it: one that understands words also answers in words (row SOA-11)."""
        model = self._intents.ground.model
        kind = (call.entry.output_schema or {}).get("type")
        if not call.entry.spec.ai_enhanced or model is None or kind not in {"object", "string"}:
            return value
        try:
            answer = await model.answer(request.text, value)
        except FAILED as error:  # the call was made: who hears of a failure would have it made again
            _log.warning("the answer to a request is not put into words, the model fails: %s", error.code)
            call.degrade()
            answer = dumps(value).decode() if kind == "string" else ""
        return answer if kind == "string" else {"answer": answer, "data": value}


def _under_way() -> Call:
    call = running.get()
    if call is None:
        raise UsageError("words are called through the call path")
    return call


def _facts(call: Call, listing: Listing, outgoing: Outgoing) -> CallFacts:
    """What is known of the call that is chosen: it was not named by its caller, which it is made for."""
    principal = call.facts.principal
    facts = facts_within(call, principal, timeout=outgoing.timeout, key=outgoing.idempotency_key)
    door = door_to(principal, listing, call.gateway.snapshot)
    agent = call.facts.agent if call.entry.agent == ELSEWHERE else call.entry.agent  # words themselves sign nothing
    return replace(facts, door=door, agent=agent, inside=True, report=call.report, partner=call.partner)


def _note(call: Call, chosen: Chosen, listing: Listing) -> None:
    call.chosen = {
        "target": plain(listing.target),
        "arguments": dict(chosen.arguments),
        "provenance": provenance_of(listing),
        "by": chosen.by,
    }
