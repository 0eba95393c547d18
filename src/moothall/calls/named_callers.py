"""The parts of the unified caller, each for one kind of target (spec B §2.1); they add how it is named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moothall.calls.call import LOCAL
from moothall.calls.caller import UnifiedCaller
from moothall.calls.requests import NOTHING, joined
from moothall.errors import Told, ValidationError
from moothall.identity.principal import Principal


class LocalMethodCaller:
    """Calls capabilities of this node by their names, without ``local:``."""

    def __init__(self, sdk: object = None, principal: Principal | None = None) -> None:
        self._caller = UnifiedCaller(sdk, principal)

    async def call(self, name: str, params: Mapping[str, Any] = NOTHING, /, **named: object) -> Any:  # noqa: ANN401
        """Call ``[AGENT.]NAME[@VERSION]`` and return its value. Raises as `UnifiedCaller.call`."""
        return await self._caller.call(f"{LOCAL}:{name}", joined(params, named))


class RemoteAgentCaller:
    """Calls operations of agents elsewhere by their DIDs."""

    def __init__(self, sdk: object = None, principal: Principal | None = None, agent: str = "") -> None:
        self._caller = UnifiedCaller(sdk, principal, agent)

    async def call(self, did: str, method: str = "", params: Mapping[str, Any] = NOTHING, /, **named: object) -> Any:  # noqa: ANN401
        """Call an operation and return its value; without one, the agent's description.

        Raises:
            ValidationError: it is no DID.
            MoothallError: as `UnifiedCaller.call`.
        """
        if not did.startswith("did:"):
            raise ValidationError("not a DID", told=Told("calls.not_a_did"))
        return await self._caller.call({"target": did, "method": method, "parameters": joined(params, named)})


class MCPServiceCaller:
    """Calls tools of the MCP servers that the settings name."""

    def __init__(self, sdk: object = None, principal: Principal | None = None) -> None:
        self._caller = UnifiedCaller(sdk, principal)

    async def call(self, server: str, tool: str = "", params: Mapping[str, Any] = NOTHING, /, **named: object) -> Any:  # noqa: ANN401
        """Call a tool and return its value; without one, what the server has. Raises as `UnifiedCaller.call`."""
        return await self._caller.call({"target": f"mcp:{server}", "method": tool, "parameters": joined(params, named)})


class A2AServiceCaller:
    """Calls skills of A2A agents, by an alias of the settings or by their URL."""

    def __init__(self, sdk: object = None, principal: Principal | None = None, agent: str = "") -> None:
        self._caller = UnifiedCaller(sdk, principal, agent)

    async def call(
        self, endpoint: str, skill: str = "", params: Mapping[str, Any] = NOTHING, /, **named: object
    ) -> Any:  # noqa: ANN401
        """Call a skill and return its value. Raises as `UnifiedCaller.call`."""
        return await self._caller.call(
            {"target": f"a2a:{endpoint}", "method": skill, "parameters": joined(params, named)}
        )
