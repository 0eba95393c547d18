"""Calling what is elsewhere over HTTP: plain endpoints, and other nodes."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from moothall.calls.ports import Outgoing
from moothall.calls.reply import Progress
from moothall.calls.target import Target
from moothall.calls.terms import Terms
from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.errors import (
    CallTimeout,
    Conflict,
    Gone,
    MoothallError,
    PayloadTooLarge,
    PermissionDeniedError,
    RateLimited,
    ServiceNotFoundError,
    Unauthenticated,
    Unavailable,
    UpstreamError,
    UpstreamInvalid,
    ValidationError,
)
from moothall.identity.allowed import Allowed
from moothall.identity.egress import Egress
from moothall.identity.principal import ANONYMOUS, OWNER, Principal
from moothall.protocols.http.client import HttpConnector
from tests.protocols.http.backend import Answer, Backend, backend
from tests.protocols.http.hall import ANNA, PREFIX, Hall, hall, of

BIG = 2**53 + 1
STRANGER = Principal(id="did:wba:far.example:agents:bob:e1_x", kind="did", binding="request")


@pytest.fixture
async def egress() -> AsyncIterator[Egress]:
    made = Egress(Allowed.parsed("http://127.0.0.1"))
    yield made
    await made.aclose()


@pytest.fixture
def connector(egress: Egress) -> HttpConnector:
    return HttpConnector(lambda agent: egress)


@pytest.fixture
async def far() -> AsyncIterator[Backend]:
    async with backend() as made:
        yield made


def outgoing(url: str, method: str = "POST", **more: Any) -> Outgoing:
    given = {"params": {}, "agent": "node", "timeout": 10.0, **more}
    return Outgoing(target=Target.parse(url), remote={"http_method": method}, **given)


@pytest.mark.parametrize(
    ("caller", "code"), [(STRANGER, "PERMISSION_DENIED"), (ANONYMOUS, "PERMISSION_DENIED"), (OWNER, ""), (None, "")]
)
async def test_only_the_owner_sends_signed_requests_to_the_node_itself(
    egress: Egress, far: Backend, caller: Principal | None, code: str
) -> None:
    far.answer({"n": 1})
    connector = HttpConnector(lambda _agent: egress, {far.url.partition("://")[2]})
    for url in (far.url, far.url.upper().replace("HTTP", "http")):
        call = outgoing(f"{url}/w", principal=caller)
        if code:
            with pytest.raises(PermissionDeniedError):
                await connector.call(call)
            with pytest.raises(PermissionDeniedError):
                assert [value async for value in connector.stream(call)]
        else:
            assert await connector.call(call) == {"n": 1}
    assert bool(far.asked) is not bool(code)


class TestPlainEndpoints:
    async def test_json_is_the_value(self, connector: HttpConnector, far: Backend) -> None:
        far.answer({"temperature": 21, "success": 1})
        value = await connector.call(outgoing(f"{far.url}/w", params={"city": "oslo"}, hops=2, idempotency_key="k"))
        asked = far.asked[0]
        assert value == {"temperature": 21, "success": 1}
        assert (asked.method, asked.target, asked.json) == ("POST", "/w", {"city": "oslo"})
        assert (asked.headers["x-moothall-hops"], asked.headers["idempotency-key"]) == ("2", "k")

    async def test_a_get_takes_path_and_query(self, connector: HttpConnector, far: Backend) -> None:
        await connector.call(outgoing(f"{far.url}/w/{{city}}", "GET", params={"city": "o slo", "days": 2}))
        assert (far.asked[0].method, far.asked[0].target) == ("GET", "/w/o%20slo?days=2")

    async def test_an_empty_answer_is_nothing(self, connector: HttpConnector, far: Backend) -> None:
        far.answers = [Answer(204, b"")]
        assert await connector.call(outgoing(far.url + "/")) is None

    async def test_integers_of_any_length_stay_exact(self, connector: HttpConnector, far: Backend) -> None:
        far.answers = [Answer(body=b"[9007199254740993, 123456789012345678901234567890]")]
        assert await connector.call(outgoing(far.url + "/")) == [9007199254740993, 123456789012345678901234567890]

    @pytest.mark.parametrize(("status", "kind"), [
        (400, ValidationError), (422, ValidationError), (401, Unauthenticated), (403, PermissionDeniedError),
        (404, ServiceNotFoundError), (409, Conflict), (410, Gone), (413, PayloadTooLarge), (429, RateLimited),
        (500, UpstreamError), (502, UpstreamError), (503, Unavailable), (504, CallTimeout), (302, UpstreamError),
        (418, UpstreamInvalid),
    ])  # fmt: skip
    async def test_a_status_becomes_an_error(
        self, connector: HttpConnector, far: Backend, status: int, kind: type[MoothallError]
    ) -> None:
        for body, declared in (
            (b'{"detail": "SECRET"}', "application/json"),
            (b"<html>", "text/html"),
            (b"", "text/plain"),
        ):
            far.answers = [Answer(status, body, declared, {"Retry-After": "7"})]
            with pytest.raises(kind) as raised:
                await connector.call(outgoing(far.url + "/"))
            assert "SECRET" not in str(raised.value)
            if kind in {RateLimited, Unavailable}:
                assert raised.value.details["retry_after"] == 7

    @pytest.mark.parametrize(("body", "kind"), [
        (b"<html>", "text/html"), (b"{", "application/json"), (b'{"a":NaN}', "application/json"),
        (b"[" * 100 + b"]" * 100, "application/json"),
    ])  # fmt: skip
    async def test_an_answer_that_makes_no_sense_is_said_to_be_so(
        self, connector: HttpConnector, far: Backend, body: bytes, kind: str
    ) -> None:
        far.answers = [Answer(body=body, kind=kind)]
        with pytest.raises(UpstreamInvalid):
            await connector.call(outgoing(far.url + "/"))

    async def test_nobody_there_means_that_nothing_was_sent(self, connector: HttpConnector) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        with pytest.raises(UpstreamError) as refused:
            await connector.call(outgoing(f"http://127.0.0.1:{port}/"))
        assert refused.value.sent is False

    async def test_a_far_side_that_says_nothing_is_not_waited_for(self, connector: HttpConnector) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(CallTimeout):
            await connector.call(outgoing(f"http://127.0.0.1:{silent.getsockname()[1]}/", timeout=0.05))

    async def test_a_stream_of_others_is_read_as_its_events(self, connector: HttpConnector, far: Backend) -> None:
        far.answers = [Answer(body=b'data: {"n": 1}\n\ndata: {"n": 2}\n\n', kind="text/event-stream")]
        assert [value async for value in connector.stream(outgoing(far.url + "/"))] == [{"n": 1}, {"n": 2}]

    async def test_a_list_is_a_stream_of_its_values(self, connector: HttpConnector, far: Backend) -> None:
        far.answer([1, 2])
        assert [value async for value in connector.stream(outgoing(far.url + "/"))] == [1, 2]

    async def test_an_address_is_described_by_its_object(self, connector: HttpConnector, far: Backend) -> None:
        far.answer({"openapi": "3.1.0"})
        assert await connector.describe(Target.parse(far.url + "/openapi.json"), "node") == {"openapi": "3.1.0"}
        far.answer([1])
        with pytest.raises(UpstreamInvalid):
            await connector.describe(Target.parse(far.url + "/openapi.json"), "node")


@capability(access="public")
async def big(n: int) -> int:
    return n + 1


@capability(access="public")
async def count(to: int) -> AsyncIterator[int]:
    for number in range(to):
        yield number


@capability(access="public")
async def breaks(to: int) -> AsyncIterator[int]:
    for number in range(to):
        yield number
    raise Conflict("broke")


@capability(access="public")
async def works(ctx: CallContext) -> str:
    await ctx.progress(1, 2, "half")
    return "done"


@capability(access="public")
async def raises(code: str) -> str:
    raise {"conflict": Conflict("no"), "internal": RuntimeError("SECRET")}[code]


@capability()
async def owned() -> str:
    return "mine"


@capability(access="public")
async def late(ctx: CallContext) -> list[Any]:
    import time

    return [ctx.hops, ctx.idempotency_key, ctx.deadline - time.monotonic() < 3]


@pytest.fixture
async def node() -> AsyncIterator[Hall]:
    async with hall(big, count, breaks, works, raises, owned, late) as opened:
        yield opened


class TestOtherNodes:
    def at(self, node: Hall, name: str, **more: Any) -> Outgoing:
        return outgoing(f"{node.address.url}{PREFIX}/{name}", **more)

    async def test_the_envelope_is_taken_off(self, connector: HttpConnector, node: Hall) -> None:
        assert await connector.call(self.at(node, "big", params={"n": 1})) == 2

    async def test_large_integers_travel_as_text(self, connector: HttpConnector, node: Hall) -> None:
        assert await connector.call(self.at(node, "big", params={"n": str(BIG)})) == str(BIG + 1)

    async def test_an_error_is_the_same_error_here(self, connector: HttpConnector, node: Hall) -> None:
        for name, params, kind in (
            ("raises", {"code": "conflict"}, Conflict),
            ("big", {"n": "x"}, ValidationError),
            ("nobody", {}, ServiceNotFoundError),
            ("owned", {}, Unauthenticated),
        ):
            with pytest.raises(kind):
                await connector.call(self.at(node, name, params=params))

    async def test_a_fault_over_there_is_an_upstream_error_here(self, connector: HttpConnector, node: Hall) -> None:
        with pytest.raises(UpstreamError) as raised:
            await connector.call(self.at(node, "raises", params={"code": "internal"}))
        assert raised.value.sent is True

    async def test_values_come_one_by_one(self, connector: HttpConnector, node: Hall) -> None:
        assert [value async for value in connector.stream(self.at(node, "count", params={"to": 3}))] == [0, 1, 2]

    async def test_a_stream_that_fails_midway_raises_its_error(self, connector: HttpConnector, node: Hall) -> None:
        values = aiter(connector.stream(self.at(node, "breaks", params={"to": 2})))
        assert [await anext(values), await anext(values)] == [0, 1]
        with pytest.raises(Conflict):
            await anext(values)

    async def test_progress_is_handed_on(self, connector: HttpConnector, node: Hall) -> None:
        told: list[Progress] = []

        async def report(progress: Progress) -> None:
            told.append(progress)

        assert await connector.call(self.at(node, "works", report=report)) == "done"
        assert told == [Progress(1, 2, "half")]

    async def test_hops_and_deadline_arrive(self, connector: HttpConnector, node: Hall) -> None:
        assert await connector.call(self.at(node, "late", hops=3, timeout=2.0)) == [3, None, True]
        assert await connector.call(self.at(node, "late")) == [0, None, False]

    async def test_a_key_arrives_and_is_refused_where_nobody_proves_whose_it_is(
        self, connector: HttpConnector, node: Hall
    ) -> None:
        with pytest.raises(ValidationError):
            await connector.call(self.at(node, "late", idempotency_key="k"))

    async def test_a_stream_that_is_cut_off_is_an_error(self, connector: HttpConnector, far: Backend) -> None:
        far.answers = [Answer(body=b"event: item\ndata: 1\n\n", kind="text/event-stream")]
        values = aiter(connector.stream(outgoing(far.url + "/")))
        assert await anext(values) == 1
        with pytest.raises(UpstreamError):
            await anext(values)


@pytest.mark.requirement("DEC-27")
class TestRepetition:
    """Backends that fail at first, called as the source of a capability."""

    async def attempts(self, connector: HttpConnector, far: Backend, **options: Any) -> tuple[int, int]:
        @capability(source="http", endpoint=f"{far.url}/w", access="public", name="remote", **options)
        async def remote() -> str: ...

        far.asked.clear()
        far.answers = [Answer(503, b""), Answer(503, b""), Answer(body=b'"ok"')]
        async with hall(remote, connectors=[connector], calls=Terms(chance=lambda: 0.0)) as room:
            answer = await room.post("remote", headers=of(ANNA))
        return answer.status_code, len(far.asked)

    async def test_what_may_be_repeated_is(self, connector: HttpConnector, far: Backend) -> None:
        assert await self.attempts(connector, far, retry=3, http_method="GET") == (200, 3)
        assert await self.attempts(connector, far, retry=3, idempotent=True) == (200, 3)

    async def test_what_may_not_be_repeated_is_not(self, connector: HttpConnector, far: Backend) -> None:
        assert await self.attempts(connector, far, retry=0, http_method="GET") == (503, 1)
        assert await self.attempts(connector, far, retry=3) == (503, 1)

    async def test_a_connection_that_was_refused_is_tried_again(self, egress: Egress, far: Backend) -> None:
        tries: list[str] = []

        class Refusing:
            """The way out, which two connections refuse."""

            def stream(self, method: str, url: str, **more: Any) -> Any:
                tries.append(url)
                if len(tries) <= 2:
                    with socket.create_server(("127.0.0.1", 0)) as taken:
                        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
                return egress.stream(method, url, **more)

        @capability(source="http", endpoint=f"{far.url}/w", access="public", retry=3)
        async def remote() -> str: ...

        far.answer("ok")
        connector = HttpConnector(lambda agent: Refusing())
        async with hall(remote, connectors=[connector], calls=Terms(chance=lambda: 0.0)) as room:
            answer = await room.post("remote")
        assert (answer.json()["data"], len(tries), len(far.asked)) == ("ok", 3, 1)
