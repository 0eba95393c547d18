"""Media types of requests and answers (A2A 1.0 §9.1, §11.1; RFC 9110 §12.5.1). Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from moothall.errors import Told, UnsupportedMediaType
from moothall.protocols.a2a.failures import ContentTypeNotSupported, Form

JSON: Final = "application/json"
A2A_JSON: Final = "application/a2a+json"
EVENTS: Final = "text/event-stream"

_UTF8: Final = re.compile(r'charset="?utf-?8"?', re.IGNORECASE)
_ZERO: Final = re.compile(r"(?:^|;)\s*q\s*=\s*0(?:\.0{0,3})?\s*(?:;|$)", re.IGNORECASE)
_RPC: Final = frozenset({JSON, "application/json-rpc", "application/jsonrequest"})
_REST: Final = frozenset({JSON, A2A_JSON})


class NotAcceptable(ContentTypeNotSupported):
    """The client wants no answer of the type that it would get."""

    form = Form(-32005, 406, "INVALID_ARGUMENT", "CONTENT_TYPE_NOT_SUPPORTED")


def check_body(headers: Sequence[tuple[bytes, bytes]], *, rest: bool) -> None:
    """Let a body pass that is declared as JSON.

    Raises:
        UnsupportedMediaType: it is not, or is declared twice.
    """
    declared = [value.decode("latin-1") for name, value in headers if name == b"content-type"]
    media, _, parameters = declared[0].partition(";") if len(declared) == 1 else ("", "", "")
    known = _REST if rest else _RPC
    if media.strip().lower() not in known or ("charset" in parameters.lower() and not _UTF8.search(parameters)):
        raise UnsupportedMediaType("the body is not JSON", told=Told("a2a.wire.content_type"))


def answer_type(headers: Sequence[tuple[bytes, bytes]], *offered: str) -> str:
    """The first of the types offered that the client takes.

    Raises:
        NotAcceptable: it takes none of them.
    """
    accept = b",".join(value for name, value in headers if name == b"accept").decode("latin-1")
    if accept.strip() in {"", "*/*"}:
        return offered[0]
    wanted: dict[str, bool] = {}
    for part in accept.split(","):
        named, _, parameters = part.partition(";")
        name = named.strip().lower()
        wanted[name] = wanted.get(name, False) or not _ZERO.search(parameters)
    for media in offered:  # the most precise range counts
        ranges = (media, f"{media.partition('/')[0]}/*", "*/*")
        if next((wanted[each] for each in ranges if each in wanted), False):
            return media
    raise NotAcceptable("wire.accept", {"type": offered[0]})
