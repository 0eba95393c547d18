"""What a call of an HTTP endpoint is as a request: its verb, address, headers and body. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode

from moothall.calls.ports import Outgoing
from moothall.canonical import dumps
from moothall.capability.spec import JsonObject
from moothall.errors import Told, ValidationError
from moothall.protocols.approving import headers_of

_PLACE: Final = re.compile(r"\{(\w+)\}")
_IN_QUERY: Final = frozenset({"GET", "HEAD", "DELETE"})
_NO_SEGMENT: Final = frozenset({"", ".", ".."})


@dataclass(frozen=True, slots=True)
class Sent:
    """A request to be made."""

    method: str
    url: str
    headers: dict[str, str]
    content: bytes = b""


def request_of(outgoing: Outgoing, accept: str) -> Sent:
    """The request of a call: ``{name}`` in the path takes an argument; the others go into the query or the JSON body.

    Raises:
        ValidationError: an argument has no place in the path, or is no JSON.
    """
    method = outgoing.remote.get("http_method", "POST").upper()
    arguments = dict(outgoing.params)
    url = _PLACE.sub(lambda match: _segment(arguments, match[1]), outgoing.target.address)
    headers = {
        "Accept": accept,
        "X-Moothall-Hops": str(outgoing.hops),
        "X-Moothall-Timeout": f"{outgoing.timeout:.3f}",
    }
    if outgoing.idempotency_key is not None:
        headers["Idempotency-Key"] = outgoing.idempotency_key
    headers |= headers_of(outgoing.approval, outgoing.purpose)
    if method in _IN_QUERY:
        query = urlencode(list(_pairs(arguments)))
        return Sent(method, _with_query(url, query), headers)
    try:
        content = dumps(arguments)
    except TypeError as error:
        raise ValidationError("the arguments are no JSON", told=Told("protocols.no_wire")) from error
    return Sent(method, url, {**headers, "Content-Type": "application/json"}, content)


def _with_query(url: str, query: str) -> str:
    if not query:
        return url
    return f"{url}{'&' if '?' in url else '?'}{query}"


def _segment(arguments: JsonObject, name: str) -> str:
    """An argument as one segment of a path; nothing that leads elsewhere is one."""
    value = arguments.pop(name, None)
    text = "" if value is None or isinstance(value, list | dict) else _text(value)
    if text in _NO_SEGMENT:
        raise ValidationError(f"{name} has no place in the address", told=Told("protocols.segment", {"name": name}))
    return quote(text, safe="")


def _pairs(arguments: JsonObject) -> Iterator[tuple[str, str]]:
    for name, value in arguments.items():
        for each in value if isinstance(value, list) else (value,):
            if each is not None:
                yield name, _text(each)


def _text(value: Any) -> str:  # noqa: ANN401 - JSON of any shape
    return value if isinstance(value, str) else dumps(value).decode()
