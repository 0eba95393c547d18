"""The methods ``anp.*`` of every agent of a node: capabilities of the node's own agent, asked about the addressed one.

The code that a node shares is had at each of its agents in the same way.

A later call may quote what was agreed, beside its arguments::

    "params": {"meta": {"negotiation_id": "…", "negotiation_digest": "sha256:…"}, "body": {arguments}}
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from moothall.calls.ports import Admitted, Params
from moothall.calls.target import Target
from moothall.capability.entry import Entry
from moothall.codegen.sharing import FIND, GET
from moothall.errors import NegotiationRejected, Told, UsageError, ValidationError
from moothall.identity.keystore import DEFAULT_AGENT
from moothall.identity.principal import Principal
from moothall.negotiation.protocol.asked import Quote
from moothall.negotiation.protocol.bodies import METHODS, NEGOTIATE

HOUSE: Final = DEFAULT_AGENT
"""The agent whose capabilities answer for all."""

NEGOTIATES: Final = f"{HOUSE}.{NEGOTIATE}"
"""The id of the capability that negotiates; a node that has it advertises it for each of its agents."""

HOUSE_METHODS: Final = frozenset({*METHODS, FIND, GET})
"""What is answered for every agent of a node by the node's own: negotiations, and the code that it shares."""

_LONGEST: Final = 512
_ID, _DIGEST = "negotiation_id", "negotiation_digest"

Holds = Callable[[Principal, str, str, Quote], Awaitable[None]]
"""Holds a call of an agent's capability against what it quotes; raises as `NegotiationDesk.check`."""


def target_of(agent: str, method: str) -> Target:
    """What a method of an agent is called on the call path.

    Raises:
        ValidationError: no capability can be called so.
    """
    return Target.parse(f"local:{HOUSE}.{method}" if method in HOUSE_METHODS else f"local:{agent}.{method}")


def belongs(entry: Entry, agent: str, method: str) -> bool:
    """Whether the capability that was found is the method of this agent, and of no other."""
    return entry.agent == (HOUSE if method in HOUSE_METHODS else agent)


def arguments(agent: str, method: str, params: Params) -> Params:
    """The arguments of one of the methods ``anp.*``, with whom they are addressed to.

    Raises:
        UsageError: they are not given by name.
    """
    if not isinstance(params, Mapping):
        raise UsageError("arguments by position", told=Told("anp.rpc_named"))
    given = {name: params[name] for name in ("meta", "body", "auth") if name in params} if method == NEGOTIATE else {}
    return {**given, "agent": agent}


def quoted(params: Params, entry: Entry) -> tuple[Params, Quote | None]:
    """The arguments of a call, and what it quotes, if anything.

    Raises:
        ValidationError: the quotation has another form.
    """
    head = params.get("meta") if isinstance(params, Mapping) else None
    if not isinstance(params, Mapping) or not isinstance(head, Mapping) or _DIGEST not in head:
        return params, None
    if "meta" in entry.input_schema.get("properties", ()):
        return params, None
    negotiation, digest = head.get(_ID), head[_DIGEST]
    if not _short(negotiation) or not _short(digest):
        raise ValidationError("a quotation has another form", told=Told("agreeing.front_body", {"where": "meta"}))
    rest = {name: value for name, value in params.items() if name != "meta"}
    return rest, Quote(negotiation=str(negotiation), digest=str(digest))


async def held(admitted: Admitted, params: Params, holds: Holds | None) -> Params:
    """The arguments of a call, once it was held against what it quotes.

    Raises:
        NegotiationRejected: it quotes what was not agreed; `NegotiationExpired`: or does not hold any more.
        ValidationError: as `quoted`.
    """
    entry = admitted.entry
    rest, quote = quoted(params, entry)
    if quote is not None:
        if holds is None:
            raise NegotiationRejected("nothing is agreed here", told=Told("agreeing.front_other"))
        await holds(admitted.facts.principal, entry.agent, entry.spec.name, quote)
        inside = rest.get("body") if isinstance(rest, Mapping) else None
        if isinstance(inside, Mapping) and "body" not in entry.input_schema.get("properties", ()):
            return inside
    return rest


def quoting(reply: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The ``params`` of a call that quotes an accepted result."""
    head = {_ID: reply["negotiationId"], _DIGEST: reply["negotiationDigest"]}
    return {"meta": head, "body": dict(given)}


def _short(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST
