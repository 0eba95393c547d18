"""Whole answers of the ANP door, sent over ASGI."""

from __future__ import annotations

from dataclasses import dataclass, field

from starlette.types import Send

from moothall.canonical import dumps
from moothall.errors import MoothallError
from moothall.messages import Lang, explain
from moothall.protocols.anp import jsonrpc
from moothall.protocols.headers import NOT_KEPT, Headers, failure_headers, latin, status_of
from moothall.protocols.house import Challenged


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


def refusal(error: MoothallError, request_id: str, lang: Lang, challenged: Challenged | None, *, rpc: bool) -> Answer:
    """The answer to a request that was refused as a whole.

    Args:
        error: why.
        request_id: under which the log has it.
        lang: the caller's.
        challenged: what an error of authentication brings along.
        rpc: whether a client of the call route reads it, which expects a response without an id.
    """
    status, headers = status_of(error), [NOT_KEPT, *failure_headers(error, lang)]
    mirror = None if challenged is None else challenged.mirror
    if challenged is not None:
        headers += latin(challenged.headers)
    if rpc:
        return Answer(status, jsonrpc.failure(None, error, request_id, lang, challenge=mirror), headers)
    told = explain(error, lang)
    shown = {"code": error.envelope_code, "message": told.message, "why": told.why, "hint": told.hint}
    body = {"error": shown, "request_id": request_id} | ({} if mirror is None else {"challenge": dict(mirror)})
    return Answer(status, dumps(body), headers)
