"""Classes for the two ends of one agreed protocol, whose code runs in the sandbox (rows META-GEN-03, 04).

Generated text has no classes: the host makes them. They check every request and response against the agreed schemas,
and ask the generated half for everything else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from moothall.codegen.module import Module
from moothall.codegen.sandbox.port import Departure, HostCall, Refusal, Sandbox, SandboxLimits
from moothall.codegen.task import CALLBACK
from moothall.errors import (
    MoothallError,
    SandboxFault,
    ServiceNotFoundError,
    Told,
    UpstreamError,
    UpstreamInvalid,
    ValidationError,
)
from moothall.negotiation.protocol.bases import (
    GOOD,
    REQUEST_TIMEOUT,
    Callback,
    ProviderBase,
    RequesterBase,
    good_code,
)
from moothall.negotiation.protocol.document import ProtocolDocument
from moothall.negotiation.protocol.needs import JsonObject

_MOST_SAID = 3
"""Misfits that are told to whoever sent what does not fit."""


@dataclass(frozen=True, slots=True)
class Half:
    """One half of a protocol with what runs it.

    Attributes:
        document: the agreed protocol.
        module: the generated code, which passed its gate.
        sandbox: runs it.
        limits: of one run.
    """

    document: ProtocolDocument
    module: Module = field(repr=False)
    sandbox: Sandbox = field(repr=False)
    limits: SandboxLimits = field(default_factory=SandboxLimits)

    async def run(self, function: str, arguments: JsonObject, call: HostCall | None = None) -> Any:  # noqa: ANN401 - JSON
        """Call a function of the generated code.

        Raises:
            SandboxFault: it gave no value.
            MoothallError: what a host call ended the run with.
        """
        image = await self.sandbox.load(self.module.source, self.limits)
        ran = await self.sandbox.run(
            image, function, arguments, call=call, limits=self.limits, patience=REQUEST_TIMEOUT
        )
        return ran.value


class GeneratedRequester(RequesterBase):
    """The requester's end of one protocol."""

    half: ClassVar[Half]

    async def call(self, arguments: JsonObject) -> Any:  # noqa: ANN401 - the result that was wanted, JSON
        """Ask the provider with what the user has, and give the result that was wanted.

        Raises:
            SandboxFault: the generated code can make no request of it, or no result of the response.
            UpstreamError: the provider answered with another code than 200.
            as `send_request`.
        """
        request = await self.half.run("build", {"arguments": arguments})
        if not isinstance(request, dict):
            raise ValidationError("the request is no object")
        response = await self.send_request(request)
        if response["code"] != GOOD:
            code = response["code"]
            raise UpstreamError("the provider cannot answer this", why=f"code {code}", details={"code": code})
        return await self.half.run("parse", {"response": response})

    def check_request(self, request: JsonObject) -> None:
        """Raise ValidationError for a request that does not fit the agreed schema."""
        if problems := self.half.document.request_problems(request):
            why = "; ".join(problems[:_MOST_SAID])
            raise ValidationError("the request does not fit the agreed schema", why=why)

    def check_response(self, response: JsonObject) -> None:
        """Raise UpstreamInvalid for a response that does not fit the agreed schema."""
        if not good_code(response) or self.half.document.response_problems(response):
            raise UpstreamInvalid("the response does not fit the agreed schema", told=Told("agreeing.bad_response"))


class GeneratedProvider(ProviderBase):
    """The provider's end of one protocol."""

    half: ClassVar[Half]

    def set_protocol_callback(self, callback: Callback | str) -> None:
        """Say what answers requests: an async function, or generated code with a function ``callback(request)``."""
        super().set_protocol_callback(self._generated(callback) if isinstance(callback, str) else callback)

    async def answer(self, request: JsonObject) -> JsonObject:
        """What the generated half makes of a request."""
        response: JsonObject = await self.half.run("handle", {"request": request}, self._host_call)
        return response

    def request_problem(self, request: JsonObject) -> str | None:
        """Why a request does not fit the agreed schema."""
        return "; ".join(self.half.document.request_problems(request)[:_MOST_SAID]) or None

    def response_problem(self, response: JsonObject) -> str | None:
        """Why a response does not fit the agreed schema."""
        return "; ".join(self.half.document.response_problems(response)[:_MOST_SAID]) or None

    async def _host_call(self, target: str, parameters: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
        request = parameters.get("request")
        if target != CALLBACK or not isinstance(request, dict):
            refused = "there is no such target"
            raise Refusal(refused)
        if self.half.document.request_problems(request):  # the business code was promised the agreed form
            refused = "the request does not fit the agreed schema"
            raise Refusal(refused)
        if self._callback is None:
            raise Departure(ServiceNotFoundError("nothing answers requests"))
        try:
            return await self._callback(request)
        except MoothallError as error:
            raise Departure(error) from error

    def _generated(self, source: str) -> Callback:
        """Generated business code as a callback; it calls nothing."""
        sandbox, limits = self.half.sandbox, self.half.limits

        async def answer(request: JsonObject) -> JsonObject:
            image = await sandbox.load(source, limits)
            ran = await sandbox.run(image, "callback", {"request": request}, limits=limits, patience=REQUEST_TIMEOUT)
            if not isinstance(ran.value, dict):
                raise SandboxFault("the callback gave no object")
            return ran.value

        return answer


def requester_class(half: Half) -> type[GeneratedRequester]:
    """The class of the requester's end of a protocol."""
    return type("Requester", (GeneratedRequester,), {"half": half})


def provider_class(half: Half) -> type[GeneratedProvider]:
    """The class of the provider's end of a protocol."""
    return type("Provider", (GeneratedProvider,), {"half": half})
