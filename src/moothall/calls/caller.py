"""Calling by name: the same for what is in this process and what is elsewhere (rows CAL-03, CAL-07, CAL-08)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar, overload

from pydantic import TypeAdapter
from pydantic import ValidationError as Misfit
from pydantic_core import to_jsonable_python

from moothall.calls.call import LOCAL, running
from moothall.calls.inner import facts_within, got, value_of, values_of
from moothall.calls.ports import CallFacts, Gateway
from moothall.calls.proxy import client
from moothall.calls.reply import Reply
from moothall.calls.request_ids import fresh
from moothall.calls.requests import NOTHING, Request, joined, what_is_called
from moothall.calls.streaming import closing
from moothall.errors import InvalidInput, MoothallError, Told, UpstreamInvalid, ValidationError
from moothall.identity.principal import OWNER, Principal

T = TypeVar("T")
P = TypeVar("P")


class UnifiedCaller:
    """Calls targets in the name of one principal: the owner of the node, unless another is given.

    Arguments stand in a mapping, as keywords, or in both, but each only once. Those of a call that is made inside a
    capability count as calls of that one: cycles end at the hop limit.

    Args:
        gateway: the call path of a node.
        principal: who calls.
        agent: the agent in whose name calls leave the node; empty: the default agent.
    """

    def __init__(self, gateway: Gateway, principal: Principal = OWNER, agent: str = "") -> None:
        self._gateway = gateway
        self._principal = principal
        self._agent = agent

    @overload
    async def call(
        self,
        target: Request,
        params: Mapping[str, Any] | str = ...,
        /,
        method: str = ...,
        *,
        returns: type[T],
        timeout: float | None = ...,  # noqa: ASYNC109
        idempotency_key: str | None = ...,
        approval: str = ...,
        purpose: str = ...,
        **named: object,
    ) -> T: ...

    @overload
    async def call(
        self,
        target: Request,
        params: Mapping[str, Any] | str = ...,
        /,
        method: str = ...,
        *,
        returns: None = ...,
        timeout: float | None = ...,  # noqa: ASYNC109
        idempotency_key: str | None = ...,
        approval: str = ...,
        purpose: str = ...,
        **named: object,
    ) -> Any: ...  # noqa: ANN401

    async def call(  # noqa: PLR0913 - most have a default, and are given by their names
        self,
        target: Request,
        params: Mapping[str, Any] | str = NOTHING,
        /,
        method: str = "",
        *,
        returns: object = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the call path keeps it
        idempotency_key: str | None = None,
        approval: str = "",
        purpose: str = "",
        **named: object,
    ) -> Any:
        """Call a target and return its value.

        Args:
            target: ``local:NAME``, ``did:…#OPERATION``, …, or all of the request as a mapping.
            params: the arguments, for those named as one of the following; a text here is the method.
            method: the operation, where the target does not name it.
            returns: the type of the value; it is converted, and None leaves it as it comes.
            timeout: seconds.
            idempotency_key: makes it harmless to repeat the call.
            approval: the id of the approval that this very call was given, ``details["approval_id"]`` of an
                `ApprovalPending`: its value is what the call gave when it was approved, which is waited for.
            purpose: what it is for, where a policy asks.
            named: the arguments.

        Raises:
            ApprovalPending: somebody has to approve it; ``details`` say under which id, and until when.
            MoothallError: why it failed.
        """
        where, given = what_is_called(target, params, method, named)
        facts = self._facts(timeout, idempotency_key, approval, purpose)
        value = value_of(await self._gateway.call(where, given, facts), running.get())
        return value if returns is None else _converted(value, returns)

    async def try_call(  # noqa: PLR0913 - as `call`
        self,
        target: Request,
        params: Mapping[str, Any] | str = NOTHING,
        /,
        method: str = "",
        *,
        returns: object = None,
        timeout: float | None = None,  # noqa: ASYNC109
        idempotency_key: str | None = None,
        approval: str = "",
        purpose: str = "",
        **named: object,
    ) -> Reply[Any]:
        """The same, with everything that is known of the call; failures are in the reply."""
        facts = self._facts(timeout, idempotency_key, approval, purpose)
        try:
            where, given = what_is_called(target, params, method, named)
        except InvalidInput as error:
            return Reply(request_id=facts.request_id, timestamp=datetime.now(UTC), error=error)
        reply = await self._gateway.call(where, given, facts)
        if reply.error is not None:
            got(reply.error, running.get())
        if returns is None or reply.error is not None:
            return reply
        try:
            return replace(reply, data=_converted(reply.data, returns))
        except UpstreamInvalid as error:
            return replace(reply, data=None, error=error)

    async def stream(
        self,
        target: Request,
        params: Mapping[str, Any] | str = NOTHING,
        /,
        method: str = "",
        *,
        returns: object = None,
        timeout: float | None = None,  # noqa: ASYNC109
        approval: str = "",
        purpose: str = "",
        **named: object,
    ) -> AsyncIterator[Any]:
        """Call a target and yield its values; of one that gives a single value that one.

        Raises:
            MoothallError: why it failed, after the values that came before.
        """
        where, given = what_is_called(target, params, method, named)
        outer = running.get()
        try:
            admitted = await self._gateway.admit(where, self._facts(timeout, None, approval, purpose))
        except MoothallError as error:
            got(error, outer)
            raise
        async with closing(values_of(self._gateway, admitted, given, outer)) as values:
            async for value in values:
                yield value if returns is None else _converted(value, returns)

    def proxy(self, protocol: type[P], target: str) -> P:
        """A client with the methods of a Protocol class: each calls the operation of its name at the target.

        What a method is annotated to return is what it gives; one that returns an ``AsyncIterator`` streams.

        Raises:
            UsageError: the class has a method that is not asynchronous.
        """
        return client(self, protocol, target)

    def _facts(self, timeout: float | None, idempotency_key: str | None, approval: str, purpose: str) -> CallFacts:
        outer = running.get()
        if outer is not None:
            agent = self._agent or self._gateway.snapshot.default_agent
            return facts_within(
                outer,
                self._principal,
                timeout=timeout,
                agent=agent,
                key=idempotency_key,
                approval=approval,
                purpose=purpose,
            )
        return CallFacts(
            door=LOCAL,
            principal=self._principal,
            request_id=fresh(),
            timeout=timeout,
            idempotency_key=idempotency_key,
            agent=self._agent,
            approval=approval,
            purpose=purpose,
        )


class LocalMethodCaller:
    """Calls capabilities of this node by their names, without ``local:``."""

    def __init__(self, gateway: Gateway, principal: Principal = OWNER) -> None:
        self._caller = UnifiedCaller(gateway, principal)

    async def call(self, name: str, params: Mapping[str, Any] = NOTHING, /, **named: object) -> Any:  # noqa: ANN401
        """Call ``[AGENT.]NAME[@VERSION]`` and return its value. Raises as `UnifiedCaller.call`."""
        return await self._caller.call(f"{LOCAL}:{name}", joined(params, named))


class RemoteAgentCaller:
    """Calls operations of agents elsewhere by their DIDs."""

    def __init__(self, gateway: Gateway, principal: Principal = OWNER, agent: str = "") -> None:
        self._caller = UnifiedCaller(gateway, principal, agent)

    async def call(self, did: str, method: str = "", params: Mapping[str, Any] = NOTHING, /, **named: object) -> Any:  # noqa: ANN401
        """Call an operation and return its value; without one, the agent's description.

        Raises:
            ValidationError: it is no DID.
            MoothallError: as `UnifiedCaller.call`.
        """
        if not did.startswith("did:"):
            raise ValidationError("not a DID", told=Told("calls.not_a_did"))
        return await self._caller.call({"target": did, "method": method, "parameters": joined(params, named)})


def _converted(value: Any, wanted: Any) -> Any:  # noqa: ANN401
    """The value as another type: a model of this process is read as the JSON that would come from elsewhere."""
    adapter = _adapter(wanted)
    try:
        return adapter.validate_python(value)
    except Misfit:
        plain = to_jsonable_python(value, fallback=repr)
    try:
        return adapter.validate_python(plain)
    except Misfit as error:
        where = ".".join(str(part) for part in error.errors(include_input=False, include_url=False)[0]["loc"])
        told = Told("calls.unexpected", {"where": where or "-"})
        raise UpstreamInvalid("the value is not of the type that was asked for", told=told) from None


@lru_cache(maxsize=256)
def _adapter(wanted: Any) -> TypeAdapter[Any]:  # noqa: ANN401
    return TypeAdapter(wanted)
