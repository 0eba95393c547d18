"""How every door takes a request in: as received for the verifier, its body up to a size, and strict JSON in it.

A body that two readers could understand differently is refused (`canonical.strict_json`, row TPL-36).
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from starlette.types import Receive, Scope

from moothall.canonical import MOST_VALUES, strict_json
from moothall.errors import PayloadTooLarge, Told
from moothall.identity.request import HttpRequest
from moothall.protocols.addressed import target_of

MOST_ANSWERED: Final = 1_000_000
"""Values of an answer that this node asked for; of a body that others send it takes `canonical.MOST_VALUES`."""

_AT_ONCE: Final = 64 * 1024
"""Bytes that are read within the event loop; of more it would stand still for a while."""


class ClientLeft(Exception):
    """The client left before its request was complete, or answered; control flow, never an answer."""


async def read_body(receive: Receive, declared: bytes, limit: int) -> bytes:
    """Take a body in; ``declared`` is the request's ``Content-Length``, empty for none.

    Raises:
        PayloadTooLarge: it has more than `limit` bytes; little more than those were read, or none when it says so.
        ClientLeft: the connection ended first.
    """
    if declared.isdigit() and int(declared) > limit:
        raise _too_large(limit)
    message = await receive()
    body: bytes = message.get("body", b"")
    parts, size = [body], len(body)
    while message["type"] != "http.disconnect" and message.get("more_body", False) and size <= limit:
        message = await receive()
        part: bytes = message.get("body", b"")
        parts.append(part)
        size += len(part)
    if message["type"] == "http.disconnect":
        raise ClientLeft
    if size > limit:
        raise _too_large(limit)
    return body if len(parts) == 1 else b"".join(parts)


def received(scope: Scope, body: bytes) -> HttpRequest:
    """A request of ASGI as the verifier needs it: path and query as they stood in the request line."""
    target, client = target_of(scope).decode("latin-1"), scope.get("client")
    return HttpRequest(scope["method"], target, scope["headers"], body, client[0] if client else "")


async def read_json(body: bytes, most_values: int = MOST_VALUES) -> Any:  # noqa: ANN401 - JSON of any shape
    """As `strict_json`; a long body is read in a thread, while the event loop goes on.

    Raises:
        ValidationError: as `strict_json`.
    """
    if len(body) <= _AT_ONCE:
        return strict_json(body, most_values)
    return await asyncio.to_thread(strict_json, body, most_values)


def _too_large(limit: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"more than {limit} bytes", told=Told("protocols.body_long", {"most": limit}))
