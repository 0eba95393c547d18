"""Agents elsewhere that lie, break off or say too much."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from moothall.errors import (
    CallTimeout,
    MoothallError,
    PermissionDeniedError,
    RateLimited,
    ServiceNotFoundError,
    Unauthenticated,
    UpstreamError,
    UpstreamInvalid,
    ValidationError,
)
from tests.protocols.anp import hall
from tests.protocols.anp.town import House, house

Spoil = Callable[[dict[str, Any]], Any]


class Spoiled:
    """Changes what a node answers, by the end of the path; or answers in its place."""

    def __init__(self) -> None:
        self.documents: dict[str, Spoil] = {}
        self.answers: dict[str, tuple[int, dict[str, str], Any]] = {}
        self.silent: set[str] = set()
        self.seen: list[tuple[str, dict[str, str], bytes]] = []

    def __call__(self, app: Any) -> Any:
        async def wrapped(scope: Any, receive: Any, send: Any) -> None:
            leaf = scope["path"].rpartition("/")[2]
            if leaf in self.silent:
                while (await receive())["type"] != "http.disconnect":
                    pass
            elif leaf in self.answers:
                await self._instead(leaf, scope, receive, send)
            elif leaf in self.documents:
                await app(scope, receive, self._changing(leaf, send))
            else:
                await app(scope, receive, send)

        return wrapped

    def _changing(self, leaf: str, send: Any) -> Any:
        started: list[Any] = []

        async def changed(message: Any) -> None:
            if message["type"] == "http.response.start":
                started.append(message)
                return
            body = json.dumps(self.documents[leaf](json.loads(message["body"]))).encode()
            headers = [(name, value) for name, value in started[0]["headers"] if name != b"content-length"]
            await send({**started[0], "headers": [*headers, (b"content-length", str(len(body)).encode())]})
            await send({"type": "http.response.body", "body": body})

        return changed

    async def _instead(self, leaf: str, scope: Any, receive: Any, send: Any) -> None:
        body = (await receive()).get("body", b"")
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.seen.append((leaf, headers, body))
        status, given, answer = self.answers[leaf]
        if callable(answer):
            answer = answer(json.loads(body))
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        fields = {"content-type": "application/json", **given}
        await send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [(name.encode(), value.encode()) for name, value in fields.items()],
            }
        )
        await send({"type": "http.response.body", "body": content})


@pytest.fixture
def spoiled() -> Spoiled:
    return Spoiled()


@pytest.fixture
async def there(tmp_path: Path, spoiled: Spoiled) -> AsyncIterator[House]:
    async with house(tmp_path / "there", {"bob": (hall.add, hall.count, hall.hello)}, wrap=spoiled) as found:
        yield found


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path / "here", {"alice": ()}, names=["alice"]) as found:
        yield found


@pytest.mark.requirement("WIRE-AD-03")
@pytest.mark.parametrize(
    ("spoil", "proof"),
    [
        (lambda ad: ad, "signed"),
        (lambda ad: {name: value for name, value in ad.items() if name != "proof"}, "unsigned"),
        (lambda ad: {**ad, "description": ad["description"] + "."}, "invalid"),
        (lambda ad: {**ad, "proof": {**ad["proof"], "domain": "elsewhere.example"}}, "invalid"),
        (lambda ad: {**ad, "proof": "trust me"}, "invalid"),
    ],
)
async def test_the_client_reports_what_the_proof_is_worth(
    here: House, there: House, spoiled: Spoiled, spoil: Spoil, proof: str
) -> None:
    spoiled.documents["ad.json"] = spoil
    assert (await here.call(there.did("bob")))["proof"] == proof
    met = await here.room.crawler.meet(
        (await here.room.crawler.crawl(there.base.partition("://")[2])).agents[0], "alice"
    )
    assert met.proof == proof
    if proof == "invalid":
        with pytest.raises(UpstreamInvalid):
            await here.call(f"{there.did('bob')}#add", {"a": 1, "b": 2})
    else:
        assert await here.call(f"{there.did('bob')}#add", {"a": 1, "b": 2}) == 3


@pytest.mark.parametrize(
    ("leaf", "spoil"),
    [
        ("ad.json", lambda ad: {**ad, "did": "did:wba:other.example"}),
        ("ad.json", lambda _: []),
        ("ad.json", lambda _: {"type": "Product"}),
        ("interface.json", lambda _: {"openrpc": "1.3.2"}),
        ("interface.json", lambda doc: {**doc, "servers": [{"url": "https://169.254.169.254/rpc"}]}),
        ("interface.json", lambda doc: {**doc, "servers": [{"url": "file:///etc/passwd"}]}),
        ("interface.json", lambda doc: {**doc, "servers": [{"url": "http://example.com/rpc"}]}),
        ("did.json", lambda doc: {**doc, "service": []}),
        ("did.json", lambda doc: {**doc, "id": "did:wba:other.example"}),
    ],
)
async def test_documents_that_lie_lead_nowhere(
    here: House, there: House, spoiled: Spoiled, leaf: str, spoil: Spoil
) -> None:
    spoiled.documents[leaf] = spoil
    with pytest.raises(UpstreamInvalid):
        await here.call(f"{there.did('bob')}#add", {"a": 1})


async def test_an_address_of_a_description_is_checked_like_any_other(
    here: House, there: House, spoiled: Spoiled
) -> None:
    def inward(ad: dict[str, Any]) -> dict[str, Any]:
        ad = {name: value for name, value in ad.items() if name != "proof"}
        return {**ad, "interfaces": [{**ad["interfaces"][0], "url": "https://10.0.0.1/interface.json"}]}

    spoiled.documents["ad.json"] = inward
    with pytest.raises(UpstreamInvalid):
        await here.call(f"{there.did('bob')}#add", {"a": 1})


def answered(**more: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda request: {"jsonrpc": "2.0", "id": request["id"], **more}


ANSWERS: list[tuple[int, dict[str, str], Any, type[MoothallError]]] = [
    (200, {}, b"no json", UpstreamInvalid),
    (200, {}, [], UpstreamInvalid),
    (200, {}, {"jsonrpc": "2.0", "id": "another", "result": 1}, UpstreamInvalid),
    (200, {}, {"jsonrpc": "2.0", "id": [], "result": 1}, UpstreamInvalid),
    (200, {}, answered(), UpstreamInvalid),
    (200, {}, answered(result=1, error={"code": 1}), UpstreamInvalid),
    (200, {}, answered(error="no"), UpstreamInvalid),
    (200, {}, answered(error={"code": -32601, "message": "x"}), ServiceNotFoundError),
    (200, {}, answered(error={"code": -32602, "message": "x", "data": "text"}), ValidationError),
    (200, {}, answered(error={"code": -32603, "message": "x"}), UpstreamError),
    (200, {}, answered(error={"code": -5, "data": {"code": "PERMISSION_DENIED"}}), PermissionDeniedError),
    (500, {}, answered(error={"code": -32602, "message": "x"}), ValidationError),
    (500, {}, b"<html>", UpstreamError),
    (401, {}, answered(error={"code": -32602, "message": "x"}), Unauthenticated),
    (429, {"retry-after": "9"}, b"", RateLimited),
    (200, {"content-type": "text/event-stream"}, b"data: {}\n\n", UpstreamInvalid),
    (200, {"content-type": "text/event-stream"}, b"data: no json\n\n", UpstreamInvalid),
    (200, {"content-type": "text/event-stream"}, b": nothing\n\n", UpstreamError),
    (
        200,
        {"content-type": "text/event-stream"},
        b'data: {"jsonrpc":"2.0","method":"rpc.item","params":{"value":1}}\n\n',
        UpstreamError,
    ),
]


async def test_answers_that_make_no_sense_are_errors(here: House, there: House, spoiled: Spoiled) -> None:
    for status, headers, answer, error in ANSWERS:
        here.path._remotes._remotes.clear()  # the breaker would leave such an agent alone
        spoiled.answers["rpc"] = (status, headers, answer)
        reply = await here.reply(f"{there.did('bob')}#hello")
        assert type(reply.error) is error, (status, headers, answer)
        if error is RateLimited and reply.error is not None:
            assert reply.error.details == {"retry_after": 9.0}


async def test_what_is_told_of_progress_must_have_its_form(here: House, there: House, spoiled: Spoiled) -> None:
    def events(request: dict[str, Any]) -> bytes:
        told = [
            {"method": "rpc.progress", "params": 5},
            {"method": "rpc.progress", "params": {"done": "half"}},
            {"method": "rpc.progress", "params": {"done": 1, "total": "all", "message": 7}},
            {"method": "other", "params": {}},
            {"method": "rpc.progress", "params": {"done": 10**305}},
            {"id": "another", "result": 7},
            {"id": {}, "result": 7},
            {"id": request["id"], "result": 5},
        ]
        return b"".join(b"data: " + json.dumps(each).encode() + b"\n\n" for each in told)

    seen: list[Any] = []

    async def report(progress: Any) -> None:
        seen.append((progress.done, progress.total, progress.message))

    spoiled.answers["rpc"] = (200, {"content-type": "text/event-stream"}, events)
    assert await here.call(f"{there.did('bob')}#add", {"a": 1}, report=report) == 5
    assert seen == [(1.0, None, "")]


async def test_what_travels_beside_a_call_is_what_it_needs(here: House, there: House, spoiled: Spoiled) -> None:
    spoiled.answers["rpc"] = (200, {}, answered(result=5))
    await here.call(f"{there.did('bob')}#add", {"a": 1}, hops=1, idempotency_key="key", timeout=5.0)
    (_, headers, body) = spoiled.seen[0]
    assert json.loads(body)["params"]["a"] == 1
    assert (headers["x-moothall-hops"], len(headers["idempotency-key"])) == ("2", 64)
    assert 0 < float(headers["x-moothall-timeout"]) <= 5
    assert "@target-uri" in headers["signature-input"]
    assert "authorization" not in headers


async def test_a_far_side_that_says_nothing_is_given_up(here: House, there: House, spoiled: Spoiled) -> None:
    await here.call(there.did("bob"))
    spoiled.silent.add("rpc")
    reply = await here.reply(f"{there.did('bob')}#add", {"a": 1}, timeout=0.2)
    assert type(reply.error) is CallTimeout
