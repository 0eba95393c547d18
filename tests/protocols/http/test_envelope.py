"""What a caller reads: the envelopes, their headers, the table of statuses."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from moothall import errors
from moothall.calls.ports import Outgoing
from moothall.calls.target import Target
from moothall.calls.terms import Terms
from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.capability.questions import Roots
from moothall.error_table import ENVELOPE_CODES, ERRORS
from moothall.errors import (
    ApprovalPending,
    CallTimeout,
    Conflict,
    MoothallError,
    NoCandidates,
    RateLimited,
    StorageError,
    UpstreamError,
    UpstreamInvalid,
)
from moothall.protocols.headers import status_of
from tests.protocols.http.hall import ANNA, PREFIX, Hall, hall, of

TABLE = {
    "APPROVAL_PENDING": 202, "VALIDATION_ERROR": 400, "UNAUTHENTICATED": 401, "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404, "METHOD_NOT_ALLOWED": 405, "CONFLICT": 409, "GONE": 410, "INPUT_REQUIRED": 422, "TOO_LARGE": 413,
    "UNSUPPORTED_MEDIA_TYPE": 415, "RATE_LIMITED": 429, "INTERNAL_ERROR": 500, "UPSTREAM_ERROR": 502,
    "UPSTREAM_INVALID": 502, "UNAVAILABLE": 503, "TIMEOUT": 504,
}  # fmt: skip


class Failing:
    """A connector whose far side fails as its operation says."""

    schemes: tuple[str, ...] = ("mcp",)

    async def call(self, outgoing: Outgoing) -> Any:
        raise {"invalid": UpstreamInvalid("no sense")}.get(outgoing.target.operation, UpstreamError("SECRET-FREE"))

    async def stream(self, outgoing: Outgoing) -> AsyncIterator[Any]:
        raise UpstreamError("no")
        yield

    async def describe(self, target: Target, agent: str) -> dict[str, Any]:
        raise UpstreamError("no")


@capability(access="public")
async def add(a: int, b: int = 1) -> int:
    return a + b


@capability(access="public", version="2.0.0", include_metadata=True, rate_limit="5/minute")
async def counted() -> str:
    return "here"


@capability(access="public")
async def leaky() -> str:
    raise RuntimeError("SECRET")


@capability(access="public")
async def raises(kind: str) -> str:
    raise {"conflict": Conflict("no"), "none": NoCandidates("no"), "busy": StorageError("no")}[kind]


@capability(access="public", timeout=0.05)
async def slow(ctx: CallContext) -> str:
    import asyncio

    await asyncio.Event().wait()
    return "never"


@capability(access="public")
async def asks(ctx: CallContext) -> str:
    await ctx.ask({"roots": Roots()})
    return "never"


@capability()
async def owned() -> str:
    return "mine"


@capability(access="authenticated", approval=True)
async def risky() -> str:
    return "done"


@capability(access="public", rate_limit="1/minute")
async def once() -> str:
    return "once"


@capability(source="mcp", server="s", method="broken", access="public")
async def upstream() -> str: ...


@capability(source="mcp", server="s", method="invalid", access="public")
async def nonsense() -> str: ...


@capability(source="a2a", endpoint="https://nobody.example", access="public")
async def unconnected() -> str: ...


@capability(access="public")
async def old() -> str:
    return "old"


@pytest.fixture
async def room() -> AsyncIterator[Hall]:
    functions = (add, counted, leaky, raises, slow, asks, owned, risky, once, upstream, nonsense, unconnected, old)
    async with hall(*functions, connectors=[Failing()], calls=Terms(chance=lambda: 0.0)) as opened:
        opened.registry.disable("node.old")
        yield opened


@pytest.mark.requirement("ENV-01")
async def test_a_value_comes_in_its_envelope(room: Hall, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "moothall"):
        answer = await room.post("add", {"a": 1, "b": 2})
    envelope = answer.json()
    assert answer.status_code == 200
    assert set(envelope) == {"success", "data", "request_id", "timestamp"}
    assert (envelope["success"], envelope["data"]) == (True, 3)
    assert UUID(envelope["request_id"]).version == 4
    assert answer.headers["X-Request-ID"] == envelope["request_id"]
    assert envelope["request_id"] in caplog.text
    when = datetime.fromisoformat(envelope["timestamp"])
    assert when.utcoffset() is not None
    assert abs((datetime.now(UTC) - when).total_seconds()) < 60


@pytest.mark.requirement("ENV-02", "TPL-42")
async def test_metadata_are_there_only_where_the_capability_says_so(room: Hall) -> None:
    assert "metadata" not in (await room.post("add", {"a": 1})).json()
    first = (await room.post("counted")).json()
    second = (await room.post("counted")).json()
    assert set(first) == {"success", "data", "request_id", "timestamp", "metadata"}
    assert set(first["metadata"]) == {"processing_time", "api_version", "rate_limit_remaining"}
    assert first["metadata"]["api_version"] == "2.0.0"
    assert 0 <= first["metadata"]["processing_time"] < 5
    assert first["metadata"]["rate_limit_remaining"] - second["metadata"]["rate_limit_remaining"] == 1


@pytest.mark.requirement("TPL-42")
async def test_an_answer_says_its_type_its_version_and_what_it_took(room: Hall) -> None:
    answer = await room.post("counted")
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-API-Version"] == "2.0.0"
    assert 0 <= float(answer.headers["X-Processing-Time"]) < 5


@pytest.mark.requirement("ENV-03")
async def test_an_error_comes_in_its_envelope(room: Hall) -> None:
    answer = await room.post("nobody")
    envelope = answer.json()
    assert set(envelope) == {"success", "error", "request_id", "timestamp", "status_code"}
    assert set(envelope["error"]) == {"code", "message", "type"}
    assert envelope["success"] is False
    assert envelope["status_code"] == answer.status_code == 404
    assert envelope["error"]["type"] == "ServiceNotFoundError"
    assert answer.headers["X-Request-ID"] == envelope["request_id"]


@pytest.mark.requirement("ENV-03", "TPL-37")
async def test_what_does_not_fit_is_told_by_its_place_and_never_repeated(room: Hall) -> None:
    answer = await room.post("add", {"a": 1, "evil<script>": "SECRET"})
    envelope = answer.json()
    assert answer.status_code == 400
    assert set(envelope["error"]) == {"code", "message", "type", "details"}
    assert envelope["error"]["details"]["errors"][0]["loc"] == ["evil<script>"]
    assert "SECRET" not in answer.text


@pytest.mark.requirement("TPL-37")
async def test_text_becomes_the_number_that_is_asked_for(room: Hall) -> None:
    assert (await room.post("add", {"a": "1"})).json()["data"] == 2


@pytest.mark.requirement("ENV-04", "TPL-46")
async def test_what_an_exception_says_stays_inside(room: Hall, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "moothall"):
        answer = await room.post("leaky")
        streamed = await room.post("leaky", headers={"Accept": "text/event-stream"})
    envelope = answer.json()
    assert (answer.status_code, envelope["error"]["code"]) == (500, "INTERNAL_ERROR")
    for each in (answer, streamed):
        assert "SECRET" not in each.text + str(each.headers)
    assert envelope["request_id"] in caplog.text


@pytest.mark.requirement("ENV-05")
async def test_every_code_has_its_status(room: Hall) -> None:
    many = {"content": b"x" * 300_000, "headers": {"Content-Type": "application/json"}}
    asked: Mapping[str, tuple[str, Any]] = {
        "APPROVAL_PENDING": ("risky", {"headers": of(ANNA)}),
        "VALIDATION_ERROR": ("add", {"json": {"a": "x"}}),
        "UNAUTHENTICATED": ("owned", {}),
        "PERMISSION_DENIED": ("owned", {"headers": of(ANNA)}),
        "NOT_FOUND": ("nobody", {}),
        "CONFLICT": ("raises", {"json": {"kind": "conflict"}}),
        "GONE": ("old", {}),
        "INPUT_REQUIRED": ("asks", {}),
        "TOO_LARGE": ("add", many),
        "UNSUPPORTED_MEDIA_TYPE": ("add", {"content": b"a=1", "headers": {"Content-Type": "text/plain"}}),
        "INTERNAL_ERROR": ("leaky", {}),
        "UPSTREAM_ERROR": ("upstream", {}),
        "UPSTREAM_INVALID": ("nonsense", {}),
        "UNAVAILABLE": ("unconnected", {}),
        "TIMEOUT": ("slow", {}),
    }
    answers = {code: await room.client.post(f"{PREFIX}/{name}", **more) for code, (name, more) in asked.items()}
    answers["METHOD_NOT_ALLOWED"] = await room.client.get(f"{PREFIX}/add")
    await room.post("once")
    answers["RATE_LIMITED"] = await room.post("once")
    found = {
        code: (answer.status_code, answer.json()["status_code"], answer.json()["error"]["code"])
        for code, answer in answers.items()
    }
    assert found == {code: (status, status, code) for code, status in TABLE.items()}
    assert answers["METHOD_NOT_ALLOWED"].headers["Allow"] == "POST"
    assert re.fullmatch(r"[1-9]\d*", answers["RATE_LIMITED"].headers["Retry-After"])
    assert answers["UNAVAILABLE"].headers["Retry-After"]


@pytest.mark.requirement("ENV-05")
def test_every_error_of_the_house_has_the_status_of_the_code_that_is_read() -> None:
    kinds = [MoothallError]
    for kind in kinds:
        kinds += [sub for sub in kind.__subclasses__() if sub.__module__ == errors.__name__]
    for kind in kinds:
        code = ENVELOPE_CODES.get(kind.code, kind.code)
        if code in TABLE:
            assert status_of(kind("x")) == TABLE[code], kind
        else:
            assert status_of(kind("x")) == ERRORS[kind.code].http, kind


async def test_a_person_reads_the_error_in_its_language(room: Hall) -> None:
    chinese = (await room.post("nobody", headers={"Accept-Language": "zh-CN,zh;q=0.9"})).json()
    english = (await room.post("nobody", headers={"Accept-Language": "en"})).json()
    other = await room.post("nobody", headers={"Accept-Language": "fr"})
    assert chinese["error"]["message"] != english["error"]["message"]
    assert re.search("[一-鿿]", chinese["error"]["message"])
    assert other.headers["Content-Language"] == "en"


@pytest.mark.requirement("WIRE-CHAL-03")
@pytest.mark.parametrize(("who", "status", "code", "reason"), [
    (None, 401, "UNAUTHENTICATED", "invalid_request"),
    ("bad", 401, "UNAUTHENTICATED", "invalid_signature"),
    ("suspended", 403, "PERMISSION_DENIED", "forbidden_did"),
])  # fmt: skip
async def test_who_is_turned_away_reads_the_challenge_twice(
    room: Hall, who: str | None, status: int, code: str, reason: str
) -> None:
    answer = await room.post("owned", headers=of(who) if who else {})
    envelope, header = answer.json(), answer.headers["WWW-Authenticate"]
    challenge = envelope["challenge"]
    assert set(envelope) == {"success", "error", "request_id", "timestamp", "status_code", "challenge"}
    assert (answer.status_code, envelope["error"]["code"]) == (status, code)
    assert (challenge["code"], challenge["error"]) == (status, reason)
    said = dict(re.findall(r'(\w+)="([^"]*)"', header))
    assert {name: said.get(name) for name in challenge if name != "code"} == {
        name: value for name, value in challenge.items() if name != "code"
    }
    assert header.startswith("DIDWba ")
    assert answer.headers["Cache-Control"] == "no-store"
    if status == 401:
        assert answer.headers["Accept-Signature"].startswith('sig1=("@method" "@target-uri"')
        assert challenge["nonce"]


def test_the_codes_that_are_tested_are_those_of_the_errors() -> None:
    for kind in (ApprovalPending, CallTimeout, RateLimited):
        assert TABLE[kind.code] == kind("x").http_status
