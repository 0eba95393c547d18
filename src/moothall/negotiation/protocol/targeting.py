"""What the provider's half of an agreed protocol calls on a node: one of the agent's capabilities, itself. Pure.

On a node there is no callback: the half makes the capability's arguments of a request, and the response of its value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from moothall.canonical import dumps
from moothall.codegen.module import Case, ScriptedCall
from moothall.codegen.task import Callee, CodingTask
from moothall.errors import InvalidInput
from moothall.negotiation.protocol.document import GOOD, ProtocolDocument
from moothall.negotiation.protocol.halves import half_task
from moothall.negotiation.protocol.needs import JsonObject
from moothall.negotiation.protocol.offers import Offer
from moothall.negotiation.protocol.structured import RESULT, capabilities_in, mapped, served_by

_INSTRUCTION: Final = (
    "Write the provider's half of the agreed protocol. `handle` answers a request: it calls what it needs of the "
    "targets that are given, with arguments made of the request, and makes the response of their values, with code 200."
)


def target_named(agent: str, name: str) -> str:
    """How code calls a capability of an agent of this node."""
    return f"local:{agent}.{name}"


def offered_text(agent: str, offers: Sequence[Offer]) -> str:
    """What an agent can do, for whoever judges a proposal: JSON that `structured.capabilities_in` reads."""
    said = [
        {
            "target": target_named(agent, offer.name),
            "description": offer.description,
            "input": offer.request,
            "output": offer.response,
        }
        for offer in offers
    ]
    return dumps({"capabilities": said}).decode()


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
    served = served_by(document, capabilities_in(offered_text(agent, offers)))
    named = {target_named(agent, offer.name): offer for offer in offers}
    found = named.get(served.target) if served else None
    among = offers if found is None else (found,)
    callees = tuple(
        Callee(target_named(agent, offer.name), offer.request, offer.response, offer.description) for offer in among
    )
    tests = () if found is None else tuple(_case(agent, document, found, case) for case in cases)
    task = half_task("provider", document)
    return replace(
        task, instruction=_INSTRUCTION, callees=callees, cases=tuple(test for test in tests if test is not None)
    )


def _case(agent: str, document: ProtocolDocument, offer: Offer, case: JsonObject) -> Case | None:
    """An agreed case as a test of the half, with what its capability has to be asked and to answer.

    None where the capability's answer cannot be told from the response that is expected.
    """
    request, expected = case["request"], case["expected"]
    if expected.get("code") != GOOD:
        return None
    payload = {name: value for name, value in expected.items() if name not in {"code", "message"}}
    try:
        asking = mapped(document.request, offer.request)
        arguments = asking.apply(request) if asking is not None else None
        reply = _answer(document, offer, payload)
    except (InvalidInput, ValueError):
        return None
    if reply is None or not isinstance(arguments, dict):
        return None
    called = ScriptedCall(target=target_named(agent, offer.name), parameters=arguments, reply=reply)
    name = str(case["name"])[:190]
    return Case(name=name, function="handle", arguments={"request": request}, expected=expected, calls=(called,))


def _answer(document: ProtocolDocument, offer: Offer, payload: JsonObject) -> Any:  # noqa: ANN401 - JSON
    """A value of the capability that gives this payload; None: none is known."""
    if payload.keys() == {RESULT} and offer.response.get("type") != "object":
        return payload[RESULT]
    there, back = mapped(offer.response, document.good), mapped(document.good, offer.response)
    if there is None or back is None:
        return None
    reply = back.apply(payload)
    return reply if there.apply(reply) == payload else None
