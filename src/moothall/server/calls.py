"""How a route asks the node: through the one call path, as the caller that the boundary found."""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request

from moothall.calls.ports import CallFacts, Gateway
from moothall.calls.target import Target
from moothall.capability.snapshot import DEFAULT_AGENT
from moothall.identity.principal import Principal
from moothall.server.visible import caller_of

OWN_VERSION: Final = "1.0.0"
"""The version of the node's own capabilities; another one of the same name is somebody else's."""


class RouteCalls:
    """Calls the node's own capabilities in this process: the answer is the value itself, not its JSON.

    They are addressed by agent, name and version, which nothing else can have.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def __call__(self, request: Request, name: str, /, **arguments: object) -> Any:  # noqa: ANN401
        """Call a capability as whoever sent the request.

        Raises:
            MoothallError: what the capability raised, the very object, or why it may not be called.
        """
        return await self.as_caller(caller_of(request), request, name, **arguments)

    async def as_caller(self, caller: Principal, request: Request, name: str, /, **arguments: object) -> Any:  # noqa: ANN401
        """The same as somebody whom the route itself found to call."""
        facts = CallFacts(door="local", principal=caller, request_id=request.state.request_id)
        target = Target("local", f"{DEFAULT_AGENT}.{name}", version=OWN_VERSION)
        reply = await self._gateway.call(target, arguments, facts)
        if reply.error is not None:
            raise reply.error
        return reply.data
