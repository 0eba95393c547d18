"""Targets that are no capabilities of this node, as entries: arguments and results are JSON, and unchecked."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

from pydantic_core import PydanticSerializationError, to_jsonable_python

from moothall.calls.compiling import Compiler
from moothall.calls.plan import Plan
from moothall.calls.target import Target
from moothall.calls.terms import Terms
from moothall.capability.context import CallContext
from moothall.capability.entry import Arguments, Entry, Provider
from moothall.capability.spec import CapabilitySpec, JsonObject
from moothall.capability.values import narrow
from moothall.errors import InternalError, Told, ValidationError
from moothall.policy.decision import PermissionResult

AGENT: Final = "elsewhere"
"""Stands for the agent in the ids of such targets: ``elsewhere.did``."""
ALLOWED: Final = PermissionResult.ALLOWED("what is elsewhere decides for itself", "elsewhere")
"""Why they may be called: only the code of this process, and whom that lets, can name them."""

_MOST: Final = 256


class Elsewhere:
    """The plans of the targets that were called last; the figures know them by their scheme alone."""

    def __init__(self, compiler: Compiler, terms: Terms) -> None:
        self._compiler = compiler
        self._terms = terms
        self._plans: OrderedDict[Target, Plan] = OrderedDict()

    def plan(self, target: Target) -> Plan:
        """The plan of a target."""
        plan = self._plans.get(target)
        if plan is None:
            entry = _entry(target.scheme, self._terms)
            plan = self._plans[target] = self._compiler.elsewhere(entry, target, self._terms.default_agent)
            if len(self._plans) > _MOST:
                self._plans.popitem(last=False)
        else:
            self._plans.move_to_end(target)
        return plan

    def forget(self) -> None:
        """Make all plans anew when they are needed."""
        self._plans.clear()


def _entry(scheme: str, terms: Terms) -> Entry:
    return Entry(
        spec=CapabilitySpec(
            name=scheme,
            source=scheme,
            timeout=terms.remote_timeout,
            retry=terms.remote_retry,
            exposure=frozenset({"local"}),
        ),
        agent=AGENT,
        streams=True,  # if the caller wants it so: nothing is known of the other side
        input_schema={"type": "object"},
        providers=(Provider(scheme),),
        bind=_bind,
        invoke=_no_code,
        iterate=_no_values,
        wire=_wire,
        encode=_same,
        decode=_same,
    )


def _bind(params: Mapping[str, Any] | Sequence[Any]) -> Arguments:
    if not isinstance(params, Mapping):
        raise ValidationError("arguments of a call elsewhere have names", told=Told("calls.named_arguments"))
    try:
        return Arguments(named=narrow(to_jsonable_python(dict(params))))
    except (PydanticSerializationError, ValueError) as error:
        raise ValidationError("an argument has no JSON form", told=Told("calls.no_json")) from error


def _wire(arguments: Arguments) -> JsonObject:
    return dict(arguments.named)


def _same(value: Any) -> Any:  # noqa: ANN401
    return value


async def _no_code(arguments: Arguments, context: CallContext) -> Any:  # noqa: ANN401
    del arguments, context
    raise InternalError("the work of such a target is done elsewhere")


async def _no_values(arguments: Arguments, context: CallContext) -> AsyncIterator[Any]:
    yield await _no_code(arguments, context)
