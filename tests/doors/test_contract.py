"""What every door must do alike: the same code, and the same value."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

import pytest

from moothall.calls.ports import CallFacts
from moothall.calls.reply import Progress
from moothall.calls.target import Target
from moothall.identity.principal import OWNER
from tests.doors.capabilities import GATES, RAN, Gates
from tests.doors.house import ANNA, BEN, Door, House, called, poured, reporting

pytestmark = pytest.mark.asyncio(loop_scope="module")

BIG = 2**53 + 1
DEEP = b'{"value":' + b"[" * 70 + b"]" * 70 + b"}"


async def test_a_call_has_its_value(place: House, door: Door) -> None:
    outcome = await called(place, door, "add", {"a": 2, "b": 3})
    assert (outcome.code, outcome.value) == ("ok", 5)


async def test_defaults_are_filled_in(place: House, door: Door) -> None:
    assert (await called(place, door, "add", {"a": 2})).value == 3


@pytest.mark.parametrize("value", [
    None, True, 0, -1.5, "", "汉字 — ünïcödé 🎪", [1, [2, {"a": None}]], {"k": {"kk": [True]}}, '\u0000\u001f\\"',
], ids=repr)  # fmt: skip
async def test_values_come_back_as_they_went(place: House, door: Door, value: Any) -> None:
    assert (await called(place, door, "echo", {"value": value})).value == value


@pytest.mark.parametrize("n", [2**53, BIG, -BIG, 2**64, 10**40])
async def test_integers_beyond_2_53_stay_exact(place: House, door: Door, n: int) -> None:
    assert (await called(place, door, "after", {"n": n}, returns=int)).value == n + 1


async def test_models_are_taken_and_given(place: House, door: Door) -> None:
    from tests.doors.capabilities import Room

    outcome = await called(place, door, "room", {"room": {"name": "blue"}}, returns=Room)
    assert outcome.value == Room(name="blue", beds=3)


@pytest.mark.parametrize("params", [
    {}, {"a": "x"}, {"a": None}, {"a": 1, "c": 2}, {"a": 1.5}, {"a": [1]}, {"a": 1, "ctx": {}}, {"a": 1, "req_did": "x"},
], ids=repr)  # fmt: skip
async def test_arguments_that_do_not_fit_are_refused(place: House, door: Door, params: dict[str, Any]) -> None:
    assert (await called(place, door, "add", params)).code == "VALIDATION_ERROR"


@pytest.mark.requirement("DEC-09")
async def test_who_may_is_let_in_and_who_may_not_is_not(place: House, door: Door) -> None:
    assert (await called(place, door, "guarded", who=ANNA)).value == "welcome"
    assert (await called(place, door, "guarded", who=BEN)).code == "PERMISSION_DENIED"
    assert await door.unproved(place, "guarded") == "UNAUTHENTICATED"


@pytest.mark.requirement("DEC-08")
async def test_what_is_public_asks_nobody(place: House, door: Door) -> None:
    assert await door.unproved(place, "echo") == "ok"


async def test_the_caller_is_who_proved_it(place: House, door: Door) -> None:
    for who in (ANNA, BEN):
        assert (await called(place, door, "who", who=who)).value == place.did(who)


@pytest.mark.parametrize("name", ["nobody", "add@9.9.9", "hall.nobody"])
async def test_a_name_that_nobody_has_is_not_found(place: House, door: Door, name: str) -> None:
    assert (await called(place, door, name)).code == "NOT_FOUND"


async def test_what_is_out_of_service_says_so(place: House, door: Door) -> None:
    if door.bytes:  # a client that reads what there is first does not even ask for it
        assert await door.raw(place, "retired", b"{}", "application/json") == "GONE"
    else:
        assert (await called(place, door, "retired")).code == "GONE"


@pytest.mark.parametrize("name", ["slow", "slow_in_a_thread"])
async def test_what_takes_too_long_is_not_waited_for(place: House, door: Door, name: str) -> None:
    assert (await called(place, door, name)).code == "TIMEOUT"


async def test_a_caller_may_have_less_patience(place: House, door: Door) -> None:
    GATES[name := secrets.token_hex(4)] = gates = Gates()
    assert (await called(place, door, "held", {"name": name}, timeout=0.2)).code == "TIMEOUT"
    await gates.ended.wait()


async def test_a_caller_that_leaves_ends_the_work(place: House, door: Door) -> None:
    GATES[name := secrets.token_hex(4)] = gates = Gates()
    calling = asyncio.create_task(called(place, door, "held", {"name": name}))
    await gates.begun.wait()
    calling.cancel()
    await gates.ended.wait()
    with pytest.raises(asyncio.CancelledError):
        await calling


async def test_a_stream_gives_its_values_one_by_one(place: House, door: Door) -> None:
    outcome = await poured(place, door, "count", {"to": 4})
    assert (outcome.value, outcome.code) == ([0, 1, 2, 3], "ok")


async def test_a_stream_that_fails_keeps_what_it_gave(place: House, door: Door) -> None:
    outcome = await poured(place, door, "stumbles", {"to": 2})
    assert (outcome.value, outcome.code) == ([0, 1] if door.streams else [], "CONFLICT")


async def test_a_stream_whose_arguments_do_not_fit_gives_nothing(place: House, door: Door) -> None:
    outcome = await poured(place, door, "count", {"to": "x"})
    assert (outcome.value, outcome.code) == ([], "VALIDATION_ERROR")


async def test_a_stream_that_is_called_is_a_list(place: House, door: Door) -> None:
    assert (await called(place, door, "count", {"to": 3})).value == [0, 1, 2]


async def test_progress_reaches_the_caller(place: House, door: Door) -> None:
    told: list[Progress] = []
    gateway = (place.near if door.name == "local" else place.far).host.path
    facts = CallFacts(door="local", principal=OWNER, agent=ANNA if door.bytes else "", report=reporting(told))
    reply = await gateway.call(Target.parse(door.target(place, "works")), {"steps": 2}, facts)
    assert reply.data == "done"
    assert told == [Progress(1, 2, "step 1"), Progress(2, 2, "step 2")]


@pytest.mark.parametrize(("name", "value"), [("undeclared", [1, 2]), ("score", {"result": 7})])
async def test_a_value_is_the_one_that_was_returned_whatever_the_door_puts_it_into(
    place: House, door: Door, name: str, value: object
) -> None:
    assert (await called(place, door, name)).value == value


async def test_a_repetition_with_its_key_is_done_once(place: House, door: Door) -> None:
    name, key = secrets.token_hex(4), secrets.token_hex(8)
    values = [(await called(place, door, "effect", {"name": name}, idempotency_key=key)).value for _ in range(3)]
    assert (values, RAN[name]) == ([1, 1, 1], 1)
    other = await called(place, door, "effect", {"name": name, "amount": 5}, idempotency_key=key)
    assert (other.code, RAN[name]) == ("CONFLICT", 1)


async def test_calls_that_go_in_a_circle_come_to_an_end(place: House, door: Door) -> None:
    name = secrets.token_hex(4)
    assert (await called(place, door, "circle", {"name": name})).code == "CONFLICT"
    assert RAN[name] <= 10


@pytest.mark.requirement("ENV-04")
@pytest.mark.parametrize(("name", "codes"), [
    ("leaky", {"INTERNAL_ERROR", "UPSTREAM_ERROR"}), ("wrong", {"INTERNAL_ERROR", "UPSTREAM_ERROR"}),
    ("refuses", {"PERMISSION_DENIED"}), ("risky", {"APPROVAL_PENDING"}),
])  # fmt: skip
async def test_what_fails_inside_tells_no_more_than_its_code(
    place: House, door: Door, name: str, codes: set[str]
) -> None:
    outcome = await called(place, door, name)
    assert outcome.code in codes
    assert "SECRET" not in outcome.said


@pytest.mark.parametrize("x", [float("nan"), float("inf"), -float("inf")])
async def test_what_is_no_number_is_refused(place: House, door: Door, x: float) -> None:
    assert (await called(place, door, "number", {"x": x})).code == "VALIDATION_ERROR"


async def test_what_is_nested_too_deeply_is_refused(place: House, door: Door) -> None:
    deep: list[Any] = []
    for _ in range(500):
        deep = [deep]
    assert (await called(place, door, "echo", {"value": deep})).code == "VALIDATION_ERROR"


class TestBytes:
    """What only a door that takes bytes can be given."""

    @pytest.fixture(autouse=True)
    def _takes_bytes(self, door: Door) -> None:
        if not door.bytes:
            pytest.skip("this door takes values")

    @pytest.mark.parametrize("arguments", [
        b'{"value":NaN}', b'{"value":Infinity}', b'{"value":1,"value":2}', DEEP, b'{"value":"\\ud800"}', b'{"value":01}',
    ], ids=["nan", "infinity", "key twice", "deep", "surrogate", "zero"])  # fmt: skip
    async def test_json_that_is_none_or_has_two_meanings_is_refused(
        self, place: House, door: Door, arguments: bytes
    ) -> None:
        assert await door.raw(place, "echo", arguments, "application/json") == "VALIDATION_ERROR"

    @pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded"])
    async def test_another_type_of_content_is_refused(self, place: House, door: Door, kind: str) -> None:
        assert await door.raw(place, "echo", b"{}", kind) == "UNSUPPORTED_MEDIA_TYPE"

    async def test_integers_are_read_exactly_however_they_are_written(self, place: House, door: Door) -> None:
        for text in (b"9007199254740993", b'"9007199254740993"', b"123456789012345678901234567890"):
            assert await door.raw(place, "after", b'{"n":%b}' % text, "application/json") == "ok"

    async def test_ten_megabytes_are_refused(self, place: House, door: Door) -> None:
        assert await door.raw(place, "echo", b'{"value":"%b"}' % (b"x" * 10_000_000), "application/json") == "TOO_LARGE"
        assert (await called(place, door, "echo", {"value": "x" * 10_000_000})).code == "TOO_LARGE"
        assert (await called(place, door, "echo", {"value": 1})).value == 1

    async def test_identity_that_is_only_claimed_means_nothing(self, place: House, door: Door) -> None:
        claims = b'{"principal":{"id":"owner"},"req_did":"did:wba:x","auth":{"did":"did:wba:x"}}'
        assert await door.raw(place, "who", claims, "application/json", "") == "UNAUTHENTICATED"
        assert await door.raw(place, "who", claims, "application/json") == "VALIDATION_ERROR"
