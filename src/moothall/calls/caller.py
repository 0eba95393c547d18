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
from moothall.calls.hub import Hub, current_hub, gateway_of
from moothall.calls.inner import facts_within, got, value_of, values_of
from moothall.calls.ports import CallFacts
from moothall.calls.proxy import client
from moothall.calls.reply import Reply
from moothall.calls.request_ids import fresh
from moothall.calls.requests import NOTHING, Request, in_words, what_is_called
from moothall.calls.streaming import closing
from moothall.errors import InvalidInput, MoothallError, Told, UpstreamInvalid
from moothall.identity.principal import OWNER, Principal

T = TypeVar("T")
P = TypeVar("P")


class UnifiedCaller:
    """Calls targets in the name of one principal: the owner of the node, unless another is given.

    Without a node it calls in the current context (`hub`), for the caller of the capability that runs there.

    Arguments stand in a mapping, as keywords, or in both, but each only once. Those of a call that is made inside a
    capability count as calls of that one: cycles end at the hop limit.

    Args:
        sdk: a started node, its host or its call path; None: the hub of the current context.
        principal: who calls.
        agent: the agent in whose name calls leave the node; empty: the default agent.

    Raises:
        UsageError: no node is given, and there is no current hub; or it is none.
    """

    def __init__(self, sdk: object = None, principal: Principal | None = None, agent: str = "") -> None:
        hub = current_hub() if sdk is None else sdk
        if isinstance(hub, Hub):
            self._gateway, self._confirmed = hub.gateway, hub.confirmed
            self._principal, self._agent = principal or hub.principal, agent or hub.agent
        else:
            self._gateway, self._confirmed = gateway_of(hub), ()
            self._principal, self._agent = principal or OWNER, agent

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
        confirmed: str = ...,
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
        confirmed: str = ...,
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
        confirmed: str = "",
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
            confirmed: of a request in words (``auto:``), the target whose effects are agreed to, as
                ``details["target"]`` of a `ConfirmationRequired` names it; ``*``: whatever it leads to.
            named: the arguments.

        Raises:
            ApprovalPending: somebody has to approve it; ``details`` say under which id, and until when.
            Ambiguous: words fit several capabilities; nothing was called.
            ConfirmationRequired: words led to one that changes something; nothing was called.
            MoothallError: why it failed.
        """
        where, given = what_is_called(target, params, method, named)
        facts = self._facts(timeout, idempotency_key, approval, purpose, confirmed)
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
        confirmed: str = "",
        **named: object,
    ) -> Reply[Any]:
        """The same, with everything that is known of the call; failures are in the reply."""
        facts = self._facts(timeout, idempotency_key, approval, purpose, confirmed)
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

    async def stream(  # noqa: PLR0913 - as `call`
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
        confirmed: str = "",
        **named: object,
    ) -> AsyncIterator[Any]:
        """Call a target and yield its values; of one that gives a single value that one.

        Raises:
            MoothallError: why it failed, after the values that came before.
        """
        where, given = what_is_called(target, params, method, named)
        outer = running.get()
        try:
            admitted = await self._gateway.admit(where, self._facts(timeout, None, approval, purpose, confirmed))
        except MoothallError as error:
            got(error, outer)
            raise
        async with closing(values_of(self._gateway, admitted, given, outer)) as values:
            async for value in values:
                yield value if returns is None else _converted(value, returns)

    async def intelligent_call(self, description: str, /, *, confirmed: str = "", **params: object) -> Any:  # noqa: ANN401
        """Call what does what the words say, and return its value: the same as ``call("auto:…")`` (row CAL-10).

        Raises:
            MoothallError: as `call`.
        """
        return await self.call(in_words(description), params, confirmed=confirmed)

    def proxy(self, protocol: type[P], target: str) -> P:
        """A client with the methods of a Protocol class: each calls the operation of its name at the target.

        What a method is annotated to return is what it gives; one that returns an ``AsyncIterator`` streams.

        Raises:
            UsageError: the class has a method that is not asynchronous.
        """
        return client(self, protocol, target)

    def _facts(
        self, timeout: float | None, idempotency_key: str | None, approval: str, purpose: str, confirmed: str
    ) -> CallFacts:
        outer = running.get()
        agreed = (*self._confirmed, confirmed) if confirmed else self._confirmed
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
                confirmed=agreed,
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
            confirmed=agreed,
        )


async def unified_caller(target: Request, method: str = "", /, **params: object) -> Any:  # noqa: ANN401
    """Call a target in the current context and return its value (row CAL-09).

    It is called for the caller of the capability that runs here, else as `using` says. Arguments are
    keywords only; one that is named like a keyword of `UnifiedCaller.call` is an argument here.

    Raises:
        UsageError: there is no current hub.
        MoothallError: as `UnifiedCaller.call`.
    """
    return await UnifiedCaller().call(target, params, method)


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
