"""Whole answers of the A2A door, sent over ASGI."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from starlette.types import Send

from moothall.protocols.a2a.cards import Document
from moothall.protocols.headers import Headers, date_in, unchanged


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, a body with its type, and headers; without a body for 204 and 304."""

    status: int
    body: bytes = b""
    media: str = ""
    headers: Headers = field(default_factory=list)

    async def send(self, send: Send, *, head: bool = False) -> None:
        """Send it; of an answer to HEAD, no more than its headers."""
        headers = list(self.headers)
        if self.body:
            kind = (b"content-type", self.media.encode())
            headers += [kind, (b"content-length", b"%d" % len(self.body))]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if head else self.body})


def read_answer(document: Document, media: str, asked: Sequence[tuple[bytes, bytes]], headers: Headers) -> Answer:
    """The answer to whoever reads a document, and may have it already (RFC 9110 §13.1).

    Args:
        document: what is read.
        media: its type.
        asked: the headers of the request.
        headers: of the answer, beside those that name this state of the document.
    """
    tag = document.etag.encode()
    named = [*headers, (b"etag", tag), (b"last-modified", document.last_modified.encode())]
    if unchanged(asked, tag) or _since(asked, document.modified):
        return Answer(304, headers=named)
    return Answer(200, document.body, media, named)


def _since(asked: Sequence[tuple[bytes, bytes]], modified: datetime) -> bool:
    """Whether a reader has what was there at a time, and nothing has changed after it."""
    given = dict(asked)
    if b"if-none-match" in given or b"if-modified-since" not in given:
        return False
    since = date_in(given[b"if-modified-since"].decode("latin-1"))
    return since is not None and modified.replace(microsecond=0) <= since
