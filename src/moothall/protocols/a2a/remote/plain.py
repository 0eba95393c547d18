"""The plain profile: one JSON object there, one JSON answer back (rows TPL-16 to TPL-24).

With GET and DELETE the members stand in the query, those that are no text as JSON; other verbs send them as the body.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from moothall.calls.ports import Outgoing
from moothall.calls.request_ids import fresh
from moothall.canonical import dumps
from moothall.clock import Clock
from moothall.errors import Told, UpstreamError, UpstreamInvalid, ValidationError
from moothall.identity.limited_body import Caps
from moothall.protocols.a2a.remote.way import Said, Way
from moothall.protocols.approving import headers_of
from moothall.protocols.intake import MOST_ANSWERED, read_json

MOST_BYTES: Final = 4 * 1024 * 1024
"""Bytes of an answer."""

SHOWN: Final = 200
"""Characters of what a far side says of its failure that go to the log."""

_JSON: Final = "application/json"
_EXECUTE: Final = "execute"
_IN_QUERY: Final = frozenset({"GET", "DELETE"})
_UTF8: Final = frozenset({"utf-8", "utf8", "us-ascii", ""})


async def call(way: Way, outgoing: Outgoing, caller: str, clock: Clock) -> Any:  # noqa: ANN401 - JSON of any shape
    """Make a call; ``caller`` is the DID that signs it, told where the capability wants that.

    Raises:
        UpstreamError: it answers with a status of 400 or more, or with an error; `status` and `sent` say more.
        UpstreamInvalid: its answer is no JSON in UTF-8, is too long, or a redirect.
        MoothallError: as `Way.open`.
    """
    verb, url = way.peer.verb, way.peer.url
    sent = request_of(outgoing, caller, clock, named=not way.peer.inferred)
    headers = {
        "Accept": _JSON,
        "X-Moothall-Hops": str(outgoing.hops),
        "X-Moothall-Timeout": f"{outgoing.timeout:.3f}",
    }
    if outgoing.idempotency_key is not None:
        headers["Idempotency-Key"] = outgoing.idempotency_key
    headers |= headers_of(outgoing.approval, outgoing.purpose)
    try:
        content = b"" if verb in _IN_QUERY else dumps(sent)
        url = _with_query(url, sent) if verb in _IN_QUERY else url
    except TypeError as error:
        raise ValidationError("the arguments are no JSON", told=Told("protocols.no_wire")) from error
    if content:
        headers["Content-Type"] = _JSON
    caps = Caps(most_bytes=MOST_BYTES, head_seconds=outgoing.timeout, idle_seconds=outgoing.timeout)
    async with way.open(verb, url, headers=headers, content=content, caps=caps) as answer:
        fetched = await answer.read()
    if fetched.status >= HTTPStatus.BAD_REQUEST:
        raise refused(fetched.status, fetched.body)
    return converted(await _value(fetched.status, fetched.headers, fetched.body))


def request_of(outgoing: Outgoing, caller: str, clock: Clock, *, named: bool) -> dict[str, Any]:
    """The body of a call; ``named``: whether its operation is one of the far side's, and not only ours."""
    body: dict[str, Any] = {
        "method": (outgoing.target.operation if named else "") or _EXECUTE,
        "params": dict(outgoing.params),
        "timestamp": clock.now().isoformat(),
        "request_id": outgoing.call_id or fresh(),
    }
    if outgoing.version:
        body["metadata"] = {"caller": caller, "version": outgoing.version, "timeout": round(outgoing.timeout, 3)}
    return body


def converted(answer: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    """The value in an answer: an error is looked for first, then ``result``, then ``data``; else the answer itself.

    Raises:
        UpstreamError: there is an error in it.
    """
    if not isinstance(answer, dict):
        return answer
    if answer.get("error") is not None:
        said = repr(answer["error"])[:SHOWN]
        raise UpstreamError("the service answered with an error", told=Told("remote.failed")) from Said(said)
    return next((answer[key] for key in ("result", "data") if key in answer), answer)


def refused(status: int, body: bytes) -> UpstreamError:
    """The error of a status of 400 or more; what came with it is for the log alone."""
    error = UpstreamError(f"HTTP {status}", told=Told("remote.status", {"status": status}), details={"status": status})
    error.status = status
    error.__cause__ = Said(ascii(body[:SHOWN].decode("utf-8", "replace")))
    return error


async def _value(status: int, headers: Mapping[str, str], body: bytes) -> Any:  # noqa: ANN401 - JSON of any shape
    if not body and status in {HTTPStatus.NO_CONTENT, HTTPStatus.RESET_CONTENT}:
        return None
    if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        raise UpstreamInvalid("an unexpected status", told=Told("remote.status", {"status": status}))
    declared = headers.get("content-type", "").lower()
    charset = declared.partition("charset=")[2].partition(";")[0].strip(" \"'")
    if charset not in _UTF8:
        raise _unfit(f"{charset!a} in place of UTF-8", body)
    try:
        return await read_json(body, MOST_ANSWERED)
    except ValidationError as error:
        unfit = _unfit(str(error), body)
    raise unfit


def _unfit(why: str, body: bytes) -> UpstreamInvalid:
    error = UpstreamInvalid("the answer is no JSON", told=Told("protocols.no_answer"))
    error.__cause__ = Said(f"{why}: {body[:SHOWN].decode('utf-8', 'replace')!a}")
    return error


def _with_query(url: str, sent: Mapping[str, Any]) -> str:
    pairs = {name: value if isinstance(value, str) else dumps(value).decode() for name, value in sent.items()}
    return f"{url}{'&' if '?' in url else '?'}{urlencode(pairs)}"
