"""What the provider's half of an agreed protocol calls on a node: one of the agent's capabilities, itself. Pure.

On a node there is no callback: the half makes the capability's arguments of a request, and the response of its value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from moothall.canonical import dumps
from moothall.codegen.module import Case, ScriptedCall
from moothall.codegen.schemas.mapping import Mapping, map_fields
from moothall.codegen.task import Callee, CodingTask
from moothall.errors import InvalidInput
from moothall.negotiation.protocol.bodies import Intent
from moothall.negotiation.protocol.document import GOOD, ProtocolDocument
from moothall.negotiation.protocol.halves import half_task
from moothall.negotiation.protocol.matching import meant
from moothall.negotiation.protocol.needs import JsonObject
from moothall.negotiation.protocol.offers import Offer

_INSTRUCTION: Final = (
    "Write the provider's half of the agreed protocol. `handle` answers a request: it calls what it needs of the "
    "targets that are given, with arguments made of the request, and makes the response of their values, with code 200."
)


@dataclass(frozen=True, slots=True)
class Targeted:
    """A capability to which requests map, and whose value maps to the good response."""

    offer: Offer
    arguments: Mapping
    result: Mapping
    good: JsonObject


def target_named(agent: str, name: str) -> str:
    """How code calls a capability of an agent of this node."""
    return f"local:{agent}.{name}"


def offered_text(agent: str, offers: Sequence[Offer]) -> str:
    """What an agent can do, for whoever judges a proposal: JSON, one object for each capability."""
    said = [
        {
            "target": target_named(agent, offer.name),
            "description": offer.description,
            "input": offer.request,
            "output": offer.response,
        }
        for offer in offers
    ]
    return dumps(said).decode()


def targeted(document: ProtocolDocument, offers: Sequence[Offer]) -> Targeted | None:
    """The capability that a protocol is about, where its schemas tell; of several the one whose words fit best."""
    found = [each for offer in offers if (each := _mapped(document, offer)) is not None]
    if len(found) <= 1:
        return found[0] if found else None
    intent = Intent(description=document.requirements[:16_000])
    best = {offer.name for offer in meant(intent, [each.offer for each in found])}
    return next((each for each in found if each.offer.name in best), found[0])


def provider_task(
    agent: str, document: ProtocolDocument, offers: Sequence[Offer], cases: Sequence[JsonObject]
) -> CodingTask:
    """The task for the provider's half on a node.

    Args:
        agent: whose capabilities they are.
        document: the agreed protocol.
        offers: what the requester may call.
        cases: the agreed test cases.
    """
    found = targeted(document, offers)
    among = offers if found is None else (found.offer,)
    callees = tuple(
        Callee(target_named(agent, offer.name), offer.request, offer.response, offer.description) for offer in among
    )
    tests = () if found is None else tuple(_case(agent, found, case) for case in cases)
    task = half_task("provider", document)
    return replace(
        task, instruction=_INSTRUCTION, callees=callees, cases=tuple(test for test in tests if test is not None)
    )


def _mapped(document: ProtocolDocument, offer: Offer) -> Targeted | None:
    try:
        arguments = map_fields(document.request, offer.request)
        result = map_fields(offer.response, document.good)
    except InvalidInput:
        return None
    if isinstance(arguments, Mapping) and isinstance(result, Mapping):
        return Targeted(offer, arguments, result, document.good)
    return None


def _case(agent: str, found: Targeted, case: JsonObject) -> Case | None:
    """An agreed case as a test of the half, with what its capability has to be asked and to answer.

    None where the capability's answer cannot be told from the response that is expected.
    """
    request, expected = case["request"], case["expected"]
    if expected.get("code") != GOOD:
        return None
    try:
        arguments = found.arguments.apply(request)
        reply = _answer(found, {name: value for name, value in expected.items() if name not in {"code", "message"}})
    except (InvalidInput, ValueError):
        return None
    if reply is None or not isinstance(arguments, dict):
        return None
    called = ScriptedCall(target=target_named(agent, found.offer.name), parameters=arguments, reply=reply)
    name = str(case["name"])[:190]
    return Case(name=name, function="handle", arguments={"request": request}, expected=expected, calls=(called,))


def _answer(found: Targeted, payload: JsonObject) -> Any:  # noqa: ANN401 - JSON
    """A value of the capability that gives this payload; None: none is known."""
    back = map_fields(found.good, found.offer.response)
    if not isinstance(back, Mapping):
        return None
    reply = back.apply(payload)
    return reply if found.result.apply(reply) == payload else None
