"""The outermost layer of the MCP server: what fails inside leaves as an error of the protocol, without its text."""

from __future__ import annotations

from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.shared.exceptions import MCPError
from pydantic import ValidationError

from moothall.errors import MoothallError
from moothall.protocols.mcp.failures import internal, protocol_error
from moothall.protocols.mcp.visits import visit_of
from moothall.telemetry import logger

_log = logger("mcp")


async def faults(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """Pass a message on.

    Raises:
        MCPError: it was refused, or failed.
        ValidationError: its parameters do not have the protocol's form; the SDK tells nobody its text.
    """
    try:
        return await call_next(ctx)
    except (MCPError, ValidationError):
        raise
    except MoothallError as error:
        raise protocol_error(error, visit_of(ctx).lang) from error
    except Exception as error:
        _log.exception("%s of the MCP server failed", ctx.method)
        raise internal(visit_of(ctx).lang) from error
