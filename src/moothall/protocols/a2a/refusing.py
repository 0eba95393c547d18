"""Errors as whole answers, with the headers that belong to them."""

from __future__ import annotations

from starlette.types import Send

from moothall.errors import MoothallError
from moothall.messages import Lang
from moothall.protocols.a2a.answers import Answer
from moothall.protocols.a2a.bindings import Binding
from moothall.protocols.a2a.terms import Terms
from moothall.protocols.headers import NOT_KEPT, failure_headers, latin
from moothall.protocols.house import Scope


async def refuse(
    error: MoothallError, binding: Binding, terms: Terms, scope: Scope, lang: Lang, send: Send, *, whole: bool = True
) -> None:
    """Answer a request with an error; ``whole``: it is the HTTP request that was refused, not what it asked."""
    challenged = terms.challenge(error)
    headers = [NOT_KEPT, *failure_headers(error, lang)]
    if challenged is not None:
        headers += latin(challenged.headers)
    status, body = binding.failure(error, None if challenged is None else challenged.mirror, whole=whole)
    await Answer(status, body, binding.media, headers).send(send, head=scope["method"] == "HEAD")
