"""What the HTTP door takes, and in which order it looks at it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from moothall.calls.caller import UnifiedCaller
from moothall.capability.context import CallContext
from moothall.capability.decorators import anp_service, api_service, capability
from moothall.errors import Conflict
from moothall.identity.principal import Principal
from moothall.people.facts import PartyFacts
from moothall.policy.decision import AccessRequest, PermissionResult, Subject
from tests.protocols.http.hall import ANNA, BEN, PREFIX, Hall, hall, members, of

RAN: list[object] = []


@capability(access="public")
async def echo(value: object = None) -> object:
    return value


@capability(access="public", ai_optimized=False)
async def strict(a: int) -> int:
    return a


@capability(access="public")
def add(a: int, b: int = 1) -> int:
    return a + b


@capability(access="authenticated")
async def who(ctx: CallContext) -> str:
    return ctx.principal.id


@capability(permissions=["read", "write"])
async def guarded(value: Any = None) -> str:
    RAN.append(value)
    return "ran"


@capability(access="public", rate_limit="2/minute")
async def limited() -> str:
    return "ok"


@capability(access="authenticated", permissions=["read"], cache_ttl=300)
async def cached(n: int) -> int:
    RAN.append(n)
    return n


@capability(access="public", name="add", version="0.9.0")
async def old_add(a: int, b: int = 1) -> int:
    return a - b


@capability(expose_to="local")
async def inside() -> str:
    return "inside"


@capability(expose_to="net", access="public")
async def net_only() -> str:
    return "net"


@capability(access="public")
async def elsewhere() -> str:
    return "of another agent"


@api_service(path="/calculate", methods=["POST"], access="public")
async def calculate(a: int, b: int = 2) -> int:
    return a * b


@api_service(path="/look", methods=["GET", "DELETE"], access="public")
async def look(names: list[str], flag: bool = False, n: int = 0) -> list[Any]:
    return [names, flag, n]


@pytest.fixture
async def room() -> AsyncIterator[Hall]:
    RAN.clear()
    functions = (echo, strict, add, old_add, who, guarded, limited, cached, inside, net_only, calculate, look)
    async with hall(*functions, agents={"other": [elsewhere]}) as opened:
        yield opened


async def raw(room: Hall, body: bytes, kind: str | None = "application/json", name: str = "echo") -> Any:
    headers = {} if kind is None else {"Content-Type": kind}
    return await room.client.post(f"{PREFIX}/{name}", content=body, headers=headers)


@pytest.mark.parametrize("name", ["add", "node.add", "add@1.0.0", "node.add@1.0.0"])
async def test_a_capability_is_called_by_name_with_agent_and_version_where_wanted(room: Hall, name: str) -> None:
    assert (await room.post(name, {"a": 3})).json()["data"] == 4


@pytest.mark.requirement("DEC-31")
async def test_an_older_version_is_called_by_its_number(room: Hall) -> None:
    assert (await room.post("add@0.9.0", {"a": 3})).json()["data"] == 2


async def test_what_only_one_agent_has_needs_no_agents_name(room: Hall) -> None:
    for name in ("elsewhere", "other.elsewhere"):
        assert (await room.post(name)).json()["data"] == "of another agent"


@pytest.mark.requirement("DEC-06")
async def test_what_is_not_for_the_network_is_not_there(room: Hall) -> None:
    for name in ("inside", "node.inside"):
        answer = await room.post(name, headers=of("owner"))
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")
    assert (await room.post("net_only")).json()["data"] == "net"


@pytest.mark.parametrize("name", ["nobody", "a b", "%00", "node.", "x@1@2", "中文", "", "a" * 3000])
async def test_a_name_that_nobody_has_is_not_found(room: Hall, name: str) -> None:
    answer = await room.post(name)
    assert answer.json()["error"]["code"] in {"NOT_FOUND", "VALIDATION_ERROR"}
    assert answer.status_code in {404, 400}


@pytest.mark.requirement("DEC-08", "DEC-25")
async def test_who_proves_nothing_is_asked_to_and_who_may_not_is_refused(room: Hall) -> None:
    assert (await room.post("echo")).status_code == 200
    assert (await room.post("guarded")).status_code == 401
    assert (await room.post("guarded", headers=of(ANNA, "read"))).status_code == 403
    assert (await room.post("guarded", headers=of(ANNA, "read", "write"))).status_code == 200
    assert (await room.post("guarded", headers=of("owner"))).status_code == 200


@pytest.mark.requirement("AUT-01")
async def test_what_a_request_says_of_its_caller_without_proof_means_nothing(room: Hall) -> None:
    claims = {"X-Agent-DID": BEN, "X-Caller-DID": BEN, "X-Forwarded-For": "10.0.0.1", "X-User": "owner"}
    answer = await room.client.post(f"{PREFIX}/who?req_did={BEN}&caller={BEN}", json={}, headers={**of(ANNA), **claims})
    assert answer.json()["data"] == ANNA
    assert (await room.client.post(f"{PREFIX}/who?req_did={BEN}", json={}, headers=claims)).status_code == 401
    for name in ("ctx", "_auth_context", "principal", "req_did"):
        assert (await room.post("who", {name: {"principal": {"id": BEN}}}, headers=of(ANNA))).status_code == 400


class Anything:
    """A policy that allows everything."""

    def known(self, principal: Principal) -> Subject:
        return Subject(principal=principal, facts=PartyFacts(id=principal.id))

    async def subject(self, principal: Principal) -> Subject:
        return self.known(principal)

    def decide(self, request: AccessRequest) -> PermissionResult:
        return PermissionResult.ALLOWED()


@pytest.mark.requirement("AUT-01")
async def test_who_calls_is_settled_apart_from_what_they_may() -> None:
    async with hall(echo, guarded, who, cached, authorizer=Anything()) as room:
        for headers, statuses in (({}, {200}), (of(ANNA), {200}), (of("owner"), {200}), (of("bad"), {401})):
            asked = [await room.post(name, params, headers=headers) for name, params in EVERY.items()]
            assert {answer.status_code for answer in asked} == statuses
        refused = await room.post("echo", headers=of("suspended"))
        assert (refused.status_code, refused.json()["challenge"]["error"]) == (403, "forbidden_did")


EVERY: dict[str, dict[str, Any]] = {"echo": {}, "guarded": {}, "who": {}, "cached": {"n": 1}}


@pytest.mark.requirement("DEC-06", "DEC-08")
async def test_the_decorator_of_the_specification_says_where_and_for_whom() -> None:
    made = []
    for scope in ("local", "anp", "both"):

        @anp_service(scope=scope, name=f"at_{scope}", auth_required=False)
        async def service() -> str:
            return "served"

        made.append(service)

    @anp_service(auth_required=True)
    async def asks() -> str:
        return "asked"

    async with hall(*made, asks) as room:
        inside = UnifiedCaller(room.path)
        for scope, near, far in (("local", "ok", 404), ("anp", "NOT_FOUND", 200), ("both", "ok", 200)):
            reply = await inside.try_call(f"local:at_{scope}")
            assert ("ok" if reply.error is None else reply.error.envelope_code) == near
            assert (await room.post(f"at_{scope}")).status_code == far
        assert (await room.post("asks")).status_code == 401
    with pytest.raises(ValueError, match="scope"):
        anp_service(scope="everywhere")(lambda: None)


@pytest.mark.requirement("TPL-38")
async def test_who_may_not_call_is_told_so_before_anything_is_read(room: Hall) -> None:
    for body in (b"{not json", b"[" * 1000, b'{"a":1,"a":2}'):
        answer = await room.client.post(
            f"{PREFIX}/guarded", content=body, headers={**of(ANNA), "Content-Type": "application/json"}
        )
        assert answer.status_code == 403
    assert RAN == []


@pytest.mark.requirement("TPL-38", "TPL-44")
async def test_a_cached_result_is_only_for_who_may_have_it(room: Hall) -> None:
    first = await room.post("cached", {"n": 5}, headers=of(ANNA, "read"))
    again = await room.post("cached", {"n": 5}, headers=of(ANNA, "read"))
    refused = await room.post("cached", {"n": 5}, headers=of(BEN))
    assert [first.json()["data"], again.json()["data"], refused.status_code] == [5, 5, 403]
    assert RAN == [5]


@pytest.mark.requirement("TPL-38")
async def test_a_function_gets_its_context_only_where_it_asks_for_it(room: Hall) -> None:
    assert (await room.post("who", {}, headers=of(ANNA))).json()["data"] == ANNA
    assert (await room.post("add", {"a": 1}, headers=of(ANNA))).json()["data"] == 2


@pytest.mark.requirement("TPL-36")
@pytest.mark.parametrize("body", [b"{", b"[1]", b"1", b'"x"', b"null", b'{"value":NaN}', b'{"value":1,"value":2}', b"\xff", b'{"value":' + b"[" * 80 + b"]" * 80 + b"}"],
    ids=["cut", "list", "number", "text", "null", "nan", "twice", "latin", "deep"])  # fmt: skip
async def test_a_body_that_is_no_plain_object_is_refused(room: Hall, body: bytes) -> None:
    answer = await raw(room, body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VALIDATION_ERROR")


@pytest.mark.requirement("TPL-36")
@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", None, "application/jsonx"]
)
async def test_a_body_of_another_type_is_refused(room: Hall, kind: str | None) -> None:
    answer = await raw(room, b"{}", kind)
    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "Application/JSON", "application/vnd.x+json"])
async def test_json_has_several_names(room: Hall, kind: str) -> None:
    assert (await raw(room, b'{"value":1}', kind)).json()["data"] == 1


async def test_no_body_is_no_arguments(room: Hall) -> None:
    assert (await room.client.post(f"{PREFIX}/echo")).json()["data"] is None


@pytest.mark.requirement("TPL-36")
async def test_a_body_that_is_too_long_is_refused_without_being_read(room: Hall) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", room.address.port)
    writer.write(
        f"POST {PREFIX}/echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: 10000000\r\n\r\n".encode()
    )
    head = await reader.readuntil(b"\r\n\r\n")  # nothing of the body was sent, and the answer is there
    writer.close()
    assert head.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in head.lower()


@pytest.mark.requirement("TPL-36")
@pytest.mark.parametrize("chunked", [False, True])
async def test_ten_megabytes_are_refused_in_an_answer_that_arrives(room: Hall, *, chunked: bool) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield b"x" * 10_000

    body: Any = parts() if chunked else b"x" * 10_000_000
    answer = await raw(room, body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "TOO_LARGE")
    assert (await room.post("echo", {"value": 1})).json()["data"] == 1


@pytest.mark.parametrize("suffix", ["", "?", "?a=%41&&b", "?x?"])
@pytest.mark.parametrize("form", ["", "http://localhost"])
async def test_the_verifier_reads_the_address_as_it_was_received(room: Hall, form: str, suffix: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", room.address.port)
    address = f"{PREFIX}/%65cho{suffix}"
    head = "Host: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    writer.write(f"POST {form}{address} HTTP/1.1\r\n{head}".encode())
    assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
    writer.close()
    assert room.verifier.seen[-1].target == address


@pytest.mark.requirement("TPL-36")
async def test_a_body_of_very_many_values_is_refused() -> None:
    async with hall(echo, max_body=1_000_000) as room:
        answer = await raw(room, b'{"value":[' + b"0," * 300_000 + b"0]}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VALIDATION_ERROR")
    assert "200000" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("Content-Type", ("application/json", "text/plain")),
        ("Idempotency-Key", ("k1", "k2")),
        ("X-Moothall-Hops", ("99", "0")),
        ("X-Moothall-Timeout", ("1", "2")),
    ],
)
async def test_a_header_that_stands_twice_and_could_mean_two_things_is_refused(
    room: Hall, name: str, values: tuple[str, str]
) -> None:
    base = [] if name == "Content-Type" else [("Content-Type", "application/json")]
    headers = [*base, *((name, value) for value in values)]
    for path in ("echo", "guarded"):
        answer = await room.client.post(f"{PREFIX}/{path}", content=b'{"value":1}', headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VALIDATION_ERROR")
        assert name.lower() in answer.json()["error"]["message"]


async def test_a_refused_body_that_came_in_one_piece_lets_the_connection_go(room: Hall) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", room.address.port)
    writer.write(
        f"POST {PREFIX}/echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Transfer-Encoding: chunked\r\n\r\n{300_000:x}\r\n".encode()
        + b"x" * 300_000
        + b"\r\n0\r\n\r\n"
    )
    async with asyncio.timeout(5):
        assert (await reader.read()).startswith(b"HTTP/1.1 413 ")
    writer.close()


@pytest.mark.requirement("DEC-46")
async def test_an_address_of_its_own_takes_its_verbs_only(room: Hall) -> None:
    assert (await room.client.post("/calculate", json={"a": 4})).json()["data"] == 8
    refused = await room.client.get("/calculate")
    assert (refused.status_code, refused.json()["error"]["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert refused.headers["Allow"] == "POST"


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_arguments_of_a_get_stand_in_its_query(room: Hall, method: str) -> None:
    answer = await room.client.request(method, "/look?names=%C3%BC&flag=true&n=3")
    assert answer.json()["data"] == [["ü"], True, 3]
    assert (await room.client.request(method, "/look?names=a&names=b")).json()["data"] == [["a", "b"], False, 0]
    assert (await room.client.request(method, "/look?names=a&other=1")).status_code == 400
    assert (await room.client.request(method, "/look?names=%ff")).status_code == 400


async def test_the_head_of_a_get_is_that_of_its_answer(room: Hall) -> None:
    answer = await room.client.head("/look?names=a")
    assert (answer.status_code, answer.content) == (200, b"")


async def test_options_says_which_verbs_there_are(room: Hall) -> None:
    for path, verbs in (
        ("/calculate", {"POST"}),
        ("/look", {"GET", "HEAD", "DELETE"}),
        (f"{PREFIX}/add", {"POST"}),
        (PREFIX, {"GET", "HEAD"}),
    ):
        answer = await room.client.options(path)
        assert answer.status_code == 204
        assert set(answer.headers["Allow"].split(", ")) == verbs | {"OPTIONS"}


@pytest.mark.requirement("TPL-47")
def test_two_capabilities_do_not_share_an_address() -> None:
    @api_service(path="/calculate", methods=["GET", "POST"], access="public")
    async def rival() -> int:
        return 0

    from moothall.capability.registry import Registry

    registry = Registry()
    registry.add("node", members([calculate]))
    with pytest.raises(Conflict):
        registry.add("other", members([rival]))


async def test_addresses_come_and_go_with_their_capabilities(room: Hall) -> None:
    @api_service(path="/late", methods=["POST"], access="public")
    async def late() -> str:
        return "late"

    assert (await room.client.post("/late")).text == "elsewhere"
    room.registry.add("node", members([late]))
    assert (await room.client.post("/late")).json()["data"] == "late"
    room.registry.disable("node.late")
    assert (await room.client.post("/late")).status_code == 410
    room.registry.remove("node.late")
    assert (await room.client.post("/late")).text == "elsewhere"


@pytest.mark.requirement("TPL-47")
async def test_an_address_that_is_taken_cannot_be_had_at_any_time(room: Hall, caplog: pytest.LogCaptureFixture) -> None:
    @api_service(path="/taken/by-the-node", methods=["POST"], access="public")
    async def grab() -> str:
        return "grabbed"

    with pytest.raises(Conflict):
        async with hall(grab):
            pass
    room.registry.add("node", members([grab]))
    assert (await room.client.post("/taken/by-the-node")).text == "elsewhere"
    assert "/taken/by-the-node" in caplog.text


@pytest.mark.requirement("DEC-17")
async def test_the_names_of_the_network_all_mean_the_same(room: Hall) -> None:
    seen = []
    for word in ("net", "network", "anp"):

        @capability(expose_to=word, access="public", name="same")
        async def same() -> str:
            return "same"

        room.registry.add("node", members([same]))
        listing = (await room.client.get(PREFIX)).json()["capabilities"]
        answer = await room.post("same")
        seen.append(([row for row in listing if row["name"] == "same"], answer.status_code, answer.json()["data"]))
        room.registry.remove("node.same")
    assert seen[0] == seen[1] == seen[2]
    assert (len(seen[0][0]), seen[0][1:]) == (1, (200, "same"))


@pytest.mark.requirement("TPL-40", "DEC-10")
async def test_arguments_are_found_where_a_model_puts_them_and_strictly_only_at_the_top(room: Hall) -> None:
    for body in ({"a": 2}, {"params": {"a": 2}}, {"body": {"a": 2}}):
        assert (await room.post("add", body)).json()["data"] == 3
    assert (await room.post("strict", {"a": 2})).json()["data"] == 2
    assert (await room.post("strict", {"params": {"a": 2}})).status_code == 400
    tolerant, narrow = await room.post("add", {"a": "x"}), await room.post("strict", {"a": "x"})
    assert tolerant.json()["error"]["details"] == narrow.json()["error"]["details"]


@pytest.mark.parametrize(("name", "value"), [
    ("X-Moothall-Timeout", "soon"), ("X-Moothall-Timeout", "-1"), ("X-Moothall-Timeout", "nan"), ("X-Moothall-Timeout", "inf"),
    ("X-Moothall-Hops", "-1"), ("X-Moothall-Hops", "many"), ("X-Moothall-Hops", "1e3"), ("Idempotency-Key", "x" * 256), ("Idempotency-Key", ""),
])  # fmt: skip
async def test_a_header_that_makes_no_sense_is_refused(room: Hall, name: str, value: str) -> None:
    answer = await room.post("echo", {}, headers={name: value})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VALIDATION_ERROR")


async def test_a_call_that_has_come_too_far_is_stopped(room: Hall) -> None:
    assert (await room.post("echo", {}, headers={"X-Moothall-Hops": "8"})).status_code == 200
    assert (await room.post("echo", {}, headers={"X-Moothall-Hops": "9"})).json()["error"]["code"] == "CONFLICT"


@pytest.mark.requirement("TPL-39")
async def test_callers_behind_one_address_are_counted_apart(room: Hall) -> None:
    seen = [[(await room.post("limited", headers=of(name))).status_code for _ in range(3)] for name in (ANNA, BEN)]
    assert seen == [[200, 200, 429]] * 2
    refused = await room.post("limited", headers=of(ANNA))
    assert int(refused.headers["Retry-After"]) > 0


async def test_a_request_for_another_name_is_refused(room: Hall) -> None:
    answer = await room.post("echo", {}, headers={"Host": "rebound.example"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (421, "HOST_REFUSED")


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
async def test_a_page_of_another_origin_cannot_call(room: Hall, headers: dict[str, str]) -> None:
    answer = await room.post("echo", {}, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "ORIGIN_REFUSED")


async def test_two_hosts_are_none(room: Hall) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", room.address.port)
    for hosts in (b"Host: localhost\r\nHost: evil.example\r\n", b""):
        writer.write(b"GET " + PREFIX.encode() + b" HTTP/1.1\r\n" + hosts + b"\r\n")
        line = await reader.readline()
        assert line.split()[1] in {b"400", b"421"}
        length = 0
        while (header := await reader.readline()) != b"\r\n":
            if header.lower().startswith(b"content-length:"):
                length = int(header.split(b":")[1])
        await reader.readexactly(length)
    writer.close()


async def test_every_answer_bears_the_headers_that_keep_browsers_at_bay(room: Hall) -> None:
    for answer in (await room.client.get(PREFIX), await room.client.get("/look?names=a")):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"


async def test_an_answer_to_who_proved_itself_may_bring_a_token(room: Hall) -> None:
    assert (await room.post("who", {}, headers=of(ANNA))).headers["Authentication-Info"] == f'access_token="for {ANNA}"'
    assert "Authentication-Info" not in (await room.post("echo")).headers


async def test_a_repetition_with_its_key_has_the_same_answer(tmp_path: Path) -> None:
    asked = {**of(ANNA), "Idempotency-Key": "k"}
    async with hall(echo, data=tmp_path) as room:
        first, second = [await room.post("echo", {"value": 1}, headers=asked) for _ in range(2)]
        assert first.json()["data"] == second.json()["data"] == 1
        assert "Idempotency-Replayed" not in first.headers
        assert second.headers["Idempotency-Replayed"] == "true"
        assert second.json()["request_id"] == second.headers["X-Request-ID"]
        other = await room.post("echo", {"value": 2}, headers=asked)
        assert other.json()["error"]["code"] == "CONFLICT"


async def test_a_client_that_leaves_ends_its_call() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    @capability(access="public")
    async def long() -> str:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return "never"

    async with hall(long) as room:
        _, writer = await asyncio.open_connection("127.0.0.1", room.address.port)
        writer.write(f"POST {PREFIX}/long HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        await begun.wait()
        writer.transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00"
        )
        writer.transport.abort()
        await ended.wait()


async def test_a_call_under_way_is_finished_when_the_server_stops() -> None:
    begun, go = asyncio.Event(), asyncio.Event()

    @capability(access="public")
    async def long() -> str:
        begun.set()
        await go.wait()
        return "finished"

    async with hall(long) as room:
        calling = asyncio.create_task(room.post("long"))
        await begun.wait()
        room.stop.set()
        go.set()
        assert (await calling).json()["data"] == "finished"
