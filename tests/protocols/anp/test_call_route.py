from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.capability.registry import Snapshot
from moothall.error_table import ERRORS
from moothall.errors import Conflict, InternalError, UsageError
from moothall.identity.request import HttpRequest
from moothall.protocols.anp.asked import Asked
from moothall.protocols.intake import ClientLeft
from moothall.storage.store import Store
from tests.protocols.anp import hall
from tests.protocols.anp.desk import CALLER, REQUEST, Desk, call, notification


@pytest.fixture
def desk() -> Desk:
    functions = (hall.add, hall.old_add, hall.hello, hall.transfer, hall.count, hall.secret, hall.reserve)
    return Desk(hall.registry({"alice": functions, "bob": (hall.undescribed,)}), "alice", "bob")


@pytest.mark.requirement("WIRE-RPC-02")
async def test_named_and_positional_arguments_give_equal_results(desk: Desk) -> None:
    named = await desk.post(call("add", {"a": 2, "b": 3}))
    positional = await desk.post(call("add", [2, 3]))
    assert named.json == positional.json == {"jsonrpc": "2.0", "id": 1, "result": 5}
    assert named.status == 200
    assert named.headers["content-type"] == "application/json"


async def test_a_version_is_called_by_its_name(desk: Desk) -> None:
    assert (await desk.post(call("add@0.9.0", [1, 1]))).json["result"] == 2
    assert (await desk.post(call("add@0.9.0", [1]))).json["error"]["code"] == -32602


@pytest.mark.requirement("WIRE-RPC-02")
async def test_a_notification_has_no_response_but_is_carried_out() -> None:
    seen: list[int] = []

    @capability(access="authenticated")
    def note(x: int) -> None:
        """Take a note."""
        seen.append(x)

    desk = Desk(hall.registry({"alice": (note,)}))
    got = await desk.post(notification("note", {"x": 1}))
    assert (got.status, got.body) == (204, b"")
    got = await desk.post([notification("note", [2]), notification("note", [3])])
    assert (got.status, got.body) == (204, b"")
    got = await desk.post(notification("missing", []))
    assert (got.status, got.body) == (204, b"")
    assert sorted(seen) == [1, 2, 3]


@pytest.mark.requirement("WIRE-RPC-02")
async def test_a_batch_gives_one_response_for_each_call(desk: Desk) -> None:
    batch = [
        call("add", [1, 2], "x"),
        notification("add", [1, 1]),
        call("nothing", [], 7),
        5,
        call("add", ["no"], None),
    ]
    got = (await desk.post(batch)).json
    assert [(each["id"], each.get("result"), each.get("error", {}).get("code")) for each in got] == [
        ("x", 3, None),
        (7, None, -32601),
        (None, None, -32600),
        (None, None, -32602),
    ]


async def test_a_batch_is_bounded_and_not_empty(desk: Desk) -> None:
    for batch in ([], [call("add", [1, 1], number) for number in range(51)]):
        got = (await desk.post(batch)).json
        assert (got["id"], got["error"]["code"]) == (None, -32600)
    assert len((await desk.post([call("add", [1, 1], number) for number in range(50)])).json) == 50


@pytest.mark.parametrize("ids", [(1, 1), (1, 2, 1.0), ("a", "b", "a"), (None, None), (2**60, 2**60)])
async def test_a_batch_with_an_id_twice_runs_nothing(ids: tuple[object, ...]) -> None:
    ran: list[int] = []

    @capability(access="authenticated")
    def mark(n: int) -> int:
        ran.append(n)
        return n

    desk = Desk(hall.registry({"alice": (mark,)}))
    got = (await desk.post([notification("mark", [0]), *(call("mark", [1], one) for one in ids)])).json
    assert (got["id"], got["error"]["code"]) == (None, -32600)
    got = (await desk.post([call("mark", [1], 5), {"jsonrpc": "1.0", "id": 5, "method": "mark"}])).json
    assert (got["id"], got["error"]["code"]) == (None, -32600)
    assert ran == []


async def test_ids_of_other_types_and_calls_without_ids_are_no_repetition(desk: Desk) -> None:
    batch = [call("add", [1, 1], 1), call("add", [1, 1], "1"), notification("add", [1, 1]), notification("add", [1, 1])]
    assert [each.get("result") for each in (await desk.post([*batch, 5, 6])).json] == [2, 2, None, None]


@pytest.mark.parametrize("call_id", [0, -5, 2**60, "", "größe", 1.5, None, 10**30])
async def test_an_id_comes_back_as_it_was(desk: Desk, call_id: object) -> None:
    assert (await desk.post(call("add", [1, 1], call_id))).json == {"jsonrpc": "2.0", "id": call_id, "result": 2}


@pytest.mark.requirement("WIRE-RPC-03")
@pytest.mark.parametrize(
    ("body", "code", "call_id", "envelope"),
    [
        (b'{"jsonrpc": "2.0", "id": 1,', -32700, None, "VALIDATION_ERROR"),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "add", "params": {"a": NaN}}', -32700, None, "VALIDATION_ERROR"),
        (b"\xff\xfe", -32700, None, "VALIDATION_ERROR"),
        (b"[" * 5000, -32700, None, "VALIDATION_ERROR"),
        (b'"text"', -32600, None, "VALIDATION_ERROR"),
        (b'{"jsonrpc": "1.0", "id": 1, "method": "add"}', -32600, 1, "VALIDATION_ERROR"),
        (b'{"jsonrpc": "2.0", "id": 1, "method": 5}', -32600, 1, "VALIDATION_ERROR"),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "add", "params": 5}', -32600, 1, "VALIDATION_ERROR"),
        (b'{"jsonrpc": "2.0", "id": {}, "method": "add"}', -32600, None, "VALIDATION_ERROR"),
        (b'{"jsonrpc": "2.0", "id": true, "method": "add"}', -32600, None, "VALIDATION_ERROR"),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "nothing"}', -32601, 1, "NOT_FOUND"),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "secret"}', -32601, 1, "NOT_FOUND"),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "bob.undescribed", "params": [1]}', -32601, 1, "NOT_FOUND"),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "undescribed", "params": [1]}', -32601, 1, "NOT_FOUND"),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "../x y", "params": [1]}', -32601, 1, "NOT_FOUND"),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "add", "params": {"a": "x"}}', -32602, 1, "VALIDATION_ERROR"),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "add", "params": {"a": 1, "z": 1}}', -32602, 1, "VALIDATION_ERROR"),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "transfer", "params": ["b", 5]}', -32045, 1, "APPROVAL_PENDING"),
    ],
)
async def test_each_fault_has_its_code(desk: Desk, body: bytes, code: int, call_id: object, envelope: str) -> None:
    got = await desk.post(body)
    assert got.status == 200
    error = got.json["error"]
    assert (got.json["id"], error["code"], error["data"]["code"]) == (call_id, code, envelope)
    assert error["data"]["request_id"] == REQUEST
    assert "Traceback" not in got.body.decode()


@pytest.mark.requirement("WIRE-RPC-03")
async def test_what_went_wrong_inside_stays_inside() -> None:
    @capability(access="authenticated")
    def broken() -> int:
        """Break."""
        message = "the password is hunter2"
        raise RuntimeError(message)

    @capability(access="authenticated")
    def clash() -> int:
        """Clash."""
        raise Conflict("it is taken", details={"taken": True})

    desk = Desk(hall.registry({"alice": (broken, clash)}))
    got = await desk.post(call("broken"))
    assert got.json["error"]["code"] == -32603
    assert got.json["error"]["data"]["code"] == InternalError.code
    assert "hunter2" not in got.body.decode()
    error = (await desk.post(call("clash"))).json["error"]
    assert error["code"] == ERRORS["CONFLICT"].jsonrpc
    assert -32099 <= error["code"] <= -32000
    assert (error["data"]["code"], error["data"]["details"]) == ("CONFLICT", {"taken": True})


@pytest.mark.requirement("WIRE-RPC-04")
@pytest.mark.parametrize(
    "body", [call("add", [1, 2]), call("nothing"), [call("hello"), call("add", [1, 2], 2)], {"no": "call"}, []]
)
async def test_an_unsigned_call_gets_401_with_a_challenge(desk: Desk, body: object) -> None:
    got = await desk.post(body, caller="")
    assert got.status == 401
    assert got.headers["www-authenticate"].startswith('DIDWba realm="hall.example", error="invalid_request"')
    assert "@target-uri" in got.headers["accept-signature"]
    assert got.headers["cache-control"] == "no-store"
    assert (got.json["jsonrpc"], got.json["id"], got.json["error"]["data"]["code"]) == ("2.0", None, "UNAUTHENTICATED")
    challenge = got.json["error"]["data"]["challenge"]
    assert challenge["error"] == "invalid_request"
    assert challenge["nonce"] in got.headers["www-authenticate"]


@pytest.mark.requirement("WIRE-RPC-04")
async def test_an_unsigned_body_is_not_read_where_no_method_is_public() -> None:
    desk = Desk(hall.registry({"alice": (hall.add,)}))
    assert (await desk.post(b"{", caller="")).status == 401
    assert (await desk.post(b"{", caller="", agent="unknown")).status == 401


async def test_a_public_method_asks_nobody(desk: Desk) -> None:
    assert (await desk.post(call("hello", {"name": "you"}), caller="")).json["result"] == "hello you"
    assert (await desk.post([call("hello"), call("hello", [], 2)], caller="")).status == 200


async def test_a_proof_that_does_not_hold_is_refused_even_for_public_methods(desk: Desk) -> None:
    got = await desk.post(call("hello"), caller="bad")
    assert (got.status, got.json["error"]["data"]["challenge"]["error"]) == (401, "invalid_signature")
    got = await desk.post(call("hello"), caller="suspended")
    assert (got.status, got.json["error"]["data"]["challenge"]["error"]) == (403, "forbidden_did")


async def test_who_may_not_call_is_told_so_in_the_response() -> None:
    @capability(access="owner")
    def own() -> int:
        """Only for the owner."""
        return 1

    desk = Desk(hall.registry({"alice": (own,)}))
    error = (await desk.post(call("own"))).json["error"]
    assert (error["code"], error["data"]["code"]) == (ERRORS["PERMISSION_DENIED"].jsonrpc, "PERMISSION_DENIED")


async def test_a_good_answer_brings_the_access_token(desk: Desk) -> None:
    assert (await desk.post(call("add", [1, 1]))).headers["authentication-info"] == 'access_token="for did"'
    assert "authentication-info" not in (await desk.post(call("hello"), caller="")).headers


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"content-type": "text/plain"}, 415, "UNSUPPORTED_MEDIA_TYPE"),
        ({"content-type": "application/json; charset=utf-16"}, 415, "UNSUPPORTED_MEDIA_TYPE"),
        ({"x-moothall-hops": "-1"}, 400, "VALIDATION_ERROR"),
        ({"x-moothall-timeout": "soon"}, 400, "VALIDATION_ERROR"),
        ({"x-moothall-timeout": "nan"}, 400, "VALIDATION_ERROR"),
        ({"idempotency-key": "a b"}, 400, "VALIDATION_ERROR"),
        ({"idempotency-key": "k" * 256}, 400, "VALIDATION_ERROR"),
    ],
)
async def test_headers_that_make_no_sense_are_refused(
    desk: Desk, headers: dict[str, str], status: int, code: str
) -> None:
    got = await desk.post(call("add", [1, 1]), headers=headers)
    assert (got.status, got.json["id"], got.json["error"]["data"]["code"]) == (status, None, code)


@pytest.mark.parametrize("name", [b"content-type", b"idempotency-key", b"x-moothall-hops", b"x-moothall-timeout"])
def test_a_header_that_stands_twice_and_could_mean_two_things_is_refused(name: bytes) -> None:
    value = b"application/json" if name == b"content-type" else b"1"
    once = [(b"content-type", b"application/json")] if name != b"content-type" else []
    with pytest.raises(UsageError):
        Asked.of(HttpRequest("POST", "/agents/alice/rpc", [*once, (name, value), (name, value)]))


async def test_a_body_that_is_too_long_is_refused(desk: Desk) -> None:
    got = await desk.post(b" " * 70_000)
    assert (got.status, got.json["error"]["data"]["code"]) == (413, "TOO_LARGE")
    assert desk.verifier.asked == 0


async def test_calls_are_posted(desk: Desk) -> None:
    got = await desk.ask("GET", "/agents/alice/rpc")
    assert (got.status, got.headers["allow"]) == (405, "POST")


async def test_a_known_caller_learns_that_there_is_no_such_agent(desk: Desk) -> None:
    assert (await desk.post(call("add", [1, 1]), agent="nobody")).json["error"]["code"] == -32601


@capability(access="authenticated", idempotent=False)
async def facts(ctx: CallContext) -> dict[str, Any]:
    """What the call knows of itself."""
    return {
        "caller": ctx.principal.id,
        "door": ctx.door,
        "hops": ctx.hops,
        "key": ctx.idempotency_key,
        "request": ctx.request_id,
    }


async def test_hops_and_keys_travel_in_headers_and_nowhere_else() -> None:
    desk = Desk(hall.registry({"alice": (facts,)}))
    headers = {"x-moothall-hops": "3", "idempotency-key": "k1"}
    assert (await desk.post(call("facts"), headers=headers)).json["result"] == {
        "caller": CALLER,
        "door": "anp",
        "hops": 3,
        "key": "k1",
        "request": REQUEST,
    }
    batch = (await desk.post([call("facts", [], 1), call("facts", [], 2)], headers=headers)).json
    keys = [each["result"]["key"] for each in batch]
    again = (await desk.post([call("facts", [], 1), call("facts", [], 2)], headers=headers)).json
    assert len({*keys, "k1"}) == 3
    assert [each["result"]["key"] for each in again] == keys
    assert len({each["result"]["request"] for each in batch}) == 2
    assert (await desk.post(call("facts", {"idempotency_key": "x"}))).json["error"]["code"] == -32602


async def test_a_repeated_key_does_not_repeat_the_work(tmp_path: Path) -> None:
    seen: list[int] = []

    @capability(access="authenticated")
    def once(x: int) -> int:
        """Count the calls."""
        seen.append(x)
        return len(seen)

    store = await Store.open(tmp_path / "node")
    try:
        desk = Desk(hall.registry({"alice": (once,)}), store=store)
        answers = [(await desk.post(call("once", [7]), headers={"idempotency-key": "k"})).json for _ in range(2)]
        other = (await desk.post(call("once", [8]), headers={"idempotency-key": "k"})).json
        longest = {"idempotency-key": "k" * 255}
        pair = [call("once", [1], 1), call("once", [2], 2)]
        batches = [(await desk.post(pair, headers=longest)).json for _ in range(2)]
    finally:
        await store.close()
    assert [answer["result"] for answer in answers] == [1, 1]
    assert other["error"]["data"]["code"] == "CONFLICT"
    assert sorted(seen) == [1, 2, 7]
    assert sorted(each["result"] for each in batches[0]) == [2, 3]
    assert [each["result"] for each in batches[1]] == [each["result"] for each in batches[0]]


async def test_big_integers_travel_as_text_and_unicode_as_it_is() -> None:
    @capability(access="authenticated")
    def double(n: int, word: str) -> dict[str, int | str]:
        """Double."""
        return {"n": n * 2, "word": word}

    desk = Desk(hall.registry({"alice": (double,)}))
    got = await desk.post(call("double", {"n": str(2**62), "word": "会议厅 🏛"}))
    assert got.json["result"] == {"n": str(2**63), "word": "会议厅 🏛"}
    exact = b'{"jsonrpc":"2.0","id":1,"method":"double","params":{"n":9007199254740993,"word":""}}'
    assert (await desk.post(exact)).json["result"]["n"] == str(2 * 9007199254740993)


async def test_a_deadline_of_the_caller_counts() -> None:
    @capability(access="authenticated")
    async def forever() -> None:
        """Wait."""
        await asyncio.Event().wait()

    desk = Desk(hall.registry({"alice": (forever,)}))
    error = (await desk.post(call("forever"), headers={"x-moothall-timeout": "0.01"})).json["error"]
    assert error["data"]["code"] == "TIMEOUT"


async def test_the_work_ends_when_the_client_leaves() -> None:
    started, ended, left = asyncio.Event(), asyncio.Event(), asyncio.Event()

    @capability(access="authenticated")
    async def long() -> None:
        """Work for long."""
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    desk = Desk(hall.registry({"alice": (long,)}))
    for headers in ({}, {"accept": "text/event-stream"}):
        for event in (started, ended, left):
            event.clear()
        asking = asyncio.ensure_future(desk.post(call("long"), headers=headers, left=left))
        await started.wait()
        left.set()
        if headers:
            assert (await asking).messages == []
        else:
            with pytest.raises(ClientLeft):
                await asking
        assert ended.is_set()


async def test_values_and_progress_come_as_they_are_made(desk: Desk) -> None:
    got = await desk.post(call("count", {"to": 2}, "c"), headers={"accept": "text/event-stream"})
    assert got.headers["content-type"] == "text/event-stream"
    assert got.messages == [
        {
            "jsonrpc": "2.0",
            "method": "rpc.progress",
            "params": {"id": "c", "done": 1, "total": 2, "message": "counting"},
        },
        {"jsonrpc": "2.0", "method": "rpc.item", "params": {"id": "c", "value": 1}},
        {
            "jsonrpc": "2.0",
            "method": "rpc.progress",
            "params": {"id": "c", "done": 2, "total": 2, "message": "counting"},
        },
        {"jsonrpc": "2.0", "method": "rpc.item", "params": {"id": "c", "value": 2}},
        {"jsonrpc": "2.0", "id": "c", "result": None},
    ]


async def test_a_stream_without_events_is_a_list(desk: Desk) -> None:
    assert (await desk.post(call("count", [3]))).json["result"] == [1, 2, 3]


async def test_one_value_comes_as_an_event_too(desk: Desk) -> None:
    got = await desk.post([call("add", [1, 1], 1), 7, call("nothing", [], 2)], headers={"accept": "text/event-stream"})
    by_id = {message["id"]: message for message in got.messages}
    assert by_id[1]["result"] == 2
    assert by_id[2]["error"]["code"] == -32601
    assert by_id[None]["error"]["code"] == -32600


async def test_a_notification_has_no_events(desk: Desk) -> None:
    assert (await desk.post(notification("count", [3]), headers={"accept": "text/event-stream"})).status == 204
    mixed = [notification("count", [3]), call("add", [1, 1], 9)]
    got = await desk.post(mixed, headers={"accept": "text/event-stream"})
    assert [message.get("id") for message in got.messages] == [9]


async def test_too_many_streams_are_refused(desk: Desk) -> None:
    desk.streams.full = True
    got = await desk.post(call("count", [3]), headers={"accept": "text/event-stream"})
    assert (got.status, got.json["error"]["data"]["code"]) == (503, "UNAVAILABLE")


async def test_a_stream_says_when_the_server_stops() -> None:
    running = asyncio.Event()

    @capability(access="authenticated")
    async def endless() -> Any:
        """Never end."""
        while True:
            yield 1
            await asyncio.Event().wait()

    desk = Desk(hall.registry({"alice": (endless,)}))
    asking = asyncio.ensure_future(
        desk.post(call("endless"), headers={"accept": "text/event-stream"}, on_body=lambda _: running.set())
    )
    await running.wait()
    desk.streams.tasks[0].cancel()
    got = await asking
    assert got.messages[-1]["error"]["data"]["code"] == "UNAVAILABLE"


async def test_errors_are_told_in_the_language_of_the_client(desk: Desk) -> None:
    got = await desk.post(call("nothing"), headers={"accept-language": "zh-CN"})
    assert "没有" in got.json["error"]["message"]


async def test_calls_of_a_batch_run_side_by_side() -> None:
    met = asyncio.Barrier(2)

    @capability(access="authenticated")
    async def meet(who: int) -> int:
        """Wait for the other one."""
        await met.wait()
        return who

    desk = Desk(hall.registry({"alice": (meet,)}))
    got = (await desk.post([call("meet", [1], 1), call("meet", [2], 2)])).json
    assert sorted(each["result"] for each in got) == [1, 2]


async def test_a_value_that_is_no_json_is_a_fault_of_ours() -> None:
    registry = hall.registry({"alice": (hall.add, hall.count)})
    entries = [replace(entry, encode=lambda _: {1, 2}) for entry in registry.snapshot.newest]
    broken: Any = SimpleNamespace(snapshot=Snapshot.of(entries, {}, 1, "node"))
    desk = Desk(broken)
    assert (await desk.post(call("add", [1, 1]))).json["error"]["code"] == -32603
    got = await desk.post(call("count", [1]), headers={"accept": "text/event-stream"})
    assert got.messages[-1]["error"]["code"] == -32603


async def test_a_batch_with_events_asks_for_no_more_than_its_callers_may(desk: Desk) -> None:
    got = await desk.post(call("x y"), headers={"accept": "text/event-stream"})
    assert got.messages[0]["error"]["code"] == -32601
    got = await desk.post(call("hello"), caller="", headers={"accept": "text/event-stream"})
    assert got.messages == [{"jsonrpc": "2.0", "id": 1, "result": "hello world"}]


async def test_an_idle_stream_shows_signs_of_life() -> None:
    beats = 0
    seen = asyncio.Event()

    @capability(access="authenticated")
    async def slow() -> int:
        """Wait until somebody saw a sign of life."""
        await seen.wait()
        return 1

    def on_body(part: bytes) -> None:
        nonlocal beats
        if part == b":\n\n":
            beats += 1
            seen.set()

    desk = Desk(hall.registry({"alice": (slow,)}), heartbeat=0.001)
    got = await desk.post(call("slow"), headers={"accept": "text/event-stream"}, on_body=on_body)
    assert got.messages == [{"jsonrpc": "2.0", "id": 1, "result": 1}]
    assert beats >= 1
