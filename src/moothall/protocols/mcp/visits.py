"""Who a message of the Model Context Protocol comes from, however it came: found out before it was read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

from anyio import CancelScope
from mcp.server.context import ServerRequestContext

from moothall.identity.principal import Principal
from moothall.messages import Lang

UNDECIDING: Final = "x-moothall-undeciding"
"""Header of a client that is a model of its owner's: what a person decides with is neither listed nor called for it."""

VISIT: Final = "moothall.mcp.visit"
"""Key of the ASGI scope, for messages that the SDK's own transport takes in."""


@dataclass(slots=True, kw_only=True)
class Visit:
    """What is known of the sender of a message before the message is read.

    Attributes:
        principal: who it is, from `Gateway.authenticate`.
        request_id: a UUID; empty where a connection has many requests: each call gets its own.
        address: its network address; empty for a process.
        headers: of the request, lower-case names.
        lang: the language it reads errors in.
        deciding: whether it may use what a person decides with (`moothall.capability.deciding`).
        greeting: the last message of its handshake, where the visit is that of a whole connection.
        work: ends what is done for a request of a session.
        done: whether that is done, and was not cancelled.
    """

    principal: Principal
    request_id: str = ""
    address: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    lang: Lang = "en"
    deciding: bool = True
    greeting: ServerRequestContext[Any, Any] | None = None
    work: CancelScope | None = None
    done: bool = False


def visit_of(ctx: ServerRequestContext[Any, Any]) -> Visit:
    """The visit that a message belongs to: our exchange's, the SDK's request's, or the one of a whole connection."""
    request = ctx.request
    if type(request) is Visit:
        return request
    if request is None:
        return cast("Visit", ctx.lifespan_context)
    return cast("Visit", request.scope[VISIT])
