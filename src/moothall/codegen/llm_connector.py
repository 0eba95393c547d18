"""The connector ``llm:``: capabilities whose work a model's code does, or a model's plan (rows DEC-13, GEN-13)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final, Protocol

from moothall.calls.call import running
from moothall.calls.elsewhere import AGENT as ELSEWHERE
from moothall.calls.ports import Outgoing
from moothall.calls.target import Target
from moothall.capability.context import CallContext
from moothall.capability.entry import Entry
from moothall.capability.spec import JsonObject
from moothall.codegen.services.exact import exact_arguments
from moothall.codegen.services.offering import FORGE
from moothall.errors import ServiceNotFoundError, Told, Unavailable

SCHEME: Final = "llm"


class Answers(Protocol):
    """Does the work of a capability, for the caller of the context."""

    async def __call__(self, entry: Entry, arguments: Mapping[str, Any], ctx: CallContext, /) -> Any:  # noqa: ANN401
        """The value, as JSON."""
        ...


class LLMConnector:
    """Calls of source ``llm``: by the code that was generated for them, or by a plan that is made for each call.

    ``llm:NAME`` as a target is the service of that name.

    Args:
        generated: runs generated code.
        planned: plans.
        about: what is known of a service, by its id; None where there is none.
    """

    def __init__(self, generated: Answers, planned: Answers, about: About) -> None:
        self._generated = generated
        self._planned = planned
        self._about = about

    @property
    def schemes(self) -> tuple[str, ...]:
        """See `Connector`."""
        return (SCHEME,)

    async def call(self, outgoing: Outgoing) -> Any:  # noqa: ANN401 - JSON of any shape
        """Do the work with the rights of whoever called the capability.

        Raises:
            Unavailable: no capability runs here that could be meant.
            MoothallError: as what does the work.
        """
        call = running.get()
        if call is None:
            raise Unavailable("a model works for a capability only", told=Told("codegen.service.nobody_calls"))
        entry = call.entry
        if entry.agent == ELSEWHERE:
            return await call.context.call(f"local:{FORGE}.{outgoing.target.address}", outgoing.params)
        work = self._generated if entry.spec.generated else self._planned
        return await work(entry, exact_arguments(outgoing.params, call.arguments), call.context)

    async def stream(self, outgoing: Outgoing) -> AsyncIterator[Any]:
        """The one value."""
        yield await self.call(outgoing)

    async def describe(self, target: Target, agent: str) -> JsonObject:
        """What is known of a service.

        Raises:
            ServiceNotFoundError: there is none of this name.
        """
        del agent
        described = self._about(f"{FORGE}.{target.address}")
        if described is None:
            raise ServiceNotFoundError("there is no such service", told=Told("codegen.service.none"))
        return described


class About(Protocol):
    """Describes a capability by its id."""

    def __call__(self, capability: str, /) -> JsonObject | None:
        """What is known of it; None where there is none."""
        ...
