"""Whole answers of the ANP door, sent over ASGI."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from math import ceil
from typing import Final

from starlette.types import Send

from moothall.canonical import dumps
from moothall.errors import ERRORS, MoothallError
from moothall.messages import Lang, explain
from moothall.protocols.anp import jsonrpc
from moothall.protocols.house import Challenged

Headers = list[tuple[bytes, bytes]]

_RETRY: Final = 2
"""Seconds after which a client may come again, where nothing more precise is known."""

_NOT_KEPT: Final = (b"cache-control", b"no-store")


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, headers and a body of JSON; without a body for 204 and 304."""

    status: int
    body: bytes = b""
    headers: Headers = field(default_factory=list)

    async def send(self, send: Send, *, head: bool = False) -> None:
        """Send it; of an answer to HEAD, no more than its headers."""
        headers = list(self.headers)
        if self.body:
            headers += [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(self.body))]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if head else self.body})


def latin(pairs: Sequence[tuple[str, str]]) -> Headers:
    """Headers as ASGI has them."""
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in pairs]


def refusal(error: MoothallError, request_id: str, lang: Lang, challenged: Challenged | None, *, rpc: bool) -> Answer:
    """The answer to a request that was refused as a whole.

    Args:
        error: why.
        request_id: under which the log has it.
        lang: the caller's.
        challenged: what an error of authentication brings along.
        rpc: whether a client of the call route reads it, which expects a response without an id.
    """
    row = ERRORS.get(error.envelope_code, error.appearance)
    headers: Headers = [_NOT_KEPT, (b"content-language", lang.encode())]
    if row.http in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        wait = error.details.get("retry_after", _RETRY)
        headers.append((b"retry-after", b"%d" % max(1, ceil(wait) if isinstance(wait, int | float) else _RETRY)))
    if error.code == "METHOD_NOT_ALLOWED" and isinstance(allowed := error.details.get("allowed"), list | tuple):
        headers.append((b"allow", ", ".join(map(str, allowed)).encode()))
    mirror = None if challenged is None else challenged.mirror
    if challenged is not None:
        headers += latin(challenged.headers)
    if rpc:
        return Answer(row.http, jsonrpc.failure(None, error, request_id, lang, challenge=mirror), headers)
    told = explain(error, lang)
    shown = {"code": error.envelope_code, "message": told.message, "why": told.why, "hint": told.hint}
    body = {"error": shown, "request_id": request_id} | ({} if mirror is None else {"challenge": dict(mirror)})
    return Answer(row.http, dumps(body), headers)
