"""The limit of a capability, and the window that counts."""

from __future__ import annotations

import random
from collections import deque

import pytest

from moothall.calls.entrance import Entrance
from moothall.calls.limits import Window
from moothall.calls.terms import Terms
from moothall.capability.decorators import capability
from moothall.capability.options import OptionError
from moothall.errors import RateLimited, Unauthenticated
from moothall.identity.principal import ANONYMOUS, Principal
from moothall.identity.request import HttpRequest
from tests.calls.hall import ALICE, BOB, Hall, SleeplessClock, code


@pytest.mark.requirement("DEC-29", "TPL-39")
async def test_the_third_call_of_two_a_minute_is_refused_with_the_time_to_wait_and_others_are_not() -> None:
    ran = []

    @capability(rate_limit="2/minute", auth=False)
    async def scarce() -> None:
        ran.append(1)

    clock = SleeplessClock()
    hall = Hall(scarce, clock=clock)
    same = {"_address": "1.1.1.1"}
    assert [code(await hall.call("scarce", ALICE, "http", **same)) for _ in range(2)] == ["ok", "ok"]
    await clock.advance(20)
    reply = await hall.call("scarce", ALICE, "http", **same)
    assert (code(reply), reply.status_code) == ("RATE_LIMITED", 429)
    assert reply.error is not None
    assert reply.error.details == {"retry_after": 40}
    assert code(await hall.call("scarce", BOB, "http", **same)) == "ok"
    assert [code(await hall.call("scarce", ANONYMOUS, "http", **same)) for _ in range(3)] == [
        "ok",
        "ok",
        "RATE_LIMITED",
    ]
    assert code(await hall.call("scarce", ANONYMOUS, "http", _address="2.2.2.2")) == "ok"
    await clock.advance(40)
    assert code(await hall.call("scarce", ALICE, "http", **same)) == "ok"
    assert len(ran) == 7


@pytest.mark.requirement("DEC-29")
async def test_a_change_of_the_registry_forgives_nothing() -> None:
    @capability(rate_limit="1/minute", auth=False)
    async def scarce() -> None: ...

    hall = Hall(scarce)
    assert code(await hall.call("scarce", ALICE, "http")) == "ok"
    hall.registry.disable("node.scarce")
    hall.registry.enable("node.scarce")
    assert code(await hall.call("scarce", ALICE, "http")) == "RATE_LIMITED"


@pytest.mark.requirement("DEC-29")
@pytest.mark.parametrize("bad", ["2", "2/week", "0/minute", "x/minute", "-1/minute", "2 per minute"])
def test_a_rate_that_is_none_is_refused_at_decoration(bad: str) -> None:
    with pytest.raises(OptionError):
        capability(rate_limit=bad)(lambda: None)


@pytest.mark.parametrize(("calls", "seconds"), [(1, 1.0), (5, 60.0), (32, 10.0), (100, 3600.0), (6000, 60.0)])
def test_a_window_never_lets_more_through_than_it_says_and_uses_itself_up(calls: int, seconds: float) -> None:
    chance, now = random.Random(7), 0.0
    window = Window(calls, seconds, lambda: now)
    passed: deque[float] = deque()
    most = 0
    for _ in range(max(2000, 3 * calls)):
        now += chance.random() * seconds / calls
        try:
            left = window.take("k")
        except RateLimited as error:
            wait = error.details["retry_after"]
            assert isinstance(wait, int)
            assert 1 <= wait <= seconds + seconds / 32 + 1
            continue
        passed.append(now)
        while passed[0] <= now - seconds:
            passed.popleft()
        most = max(most, len(passed))
        assert len(passed) <= calls
        assert left <= calls - len(passed)
    assert most >= calls * 0.9


def test_the_next_call_passes_when_the_told_time_is_over() -> None:
    now = 0.0
    window = Window(2, 60.0, lambda: now)
    window.take("k")
    now = 12.5
    window.take("k")
    now = 13.0
    assert window.spent("k") == 47.0
    with pytest.raises(RateLimited) as caught:
        window.take("k")
    now += float(str(caught.value.details["retry_after"]))
    assert window.spent("k") == 0.0
    assert window.take("k") == 0


def test_a_flood_of_keys_is_forgotten_oldest_first() -> None:
    now = 0.0
    window = Window(1, 60.0, lambda: now, keys=10)
    for number in range(100):
        window.take(f"k{number}")
    assert len(window._keys) == 10
    assert window.spent("k99") == 60.0
    assert window.spent("k0") == 0.0
    now = 61.0
    window.take("new")
    assert len(window._keys) == 1


class Judge:
    def __init__(self) -> None:
        self.asked = 0

    async def verify(self, request: HttpRequest) -> Principal:
        self.asked += 1
        if request.body == b"bad":
            raise Unauthenticated("no")
        return ALICE if request.headers else ANONYMOUS


def signed(keyid: str) -> list[tuple[bytes, bytes]]:
    inputs = f'sig1=("@method");created=1;keyid="{keyid}";alg="ed25519"'
    return [(b"signature-input", inputs.encode()), (b"signature", b"sig1=:AAAA:")]


def shown(token: str) -> list[tuple[bytes, bytes]]:
    return [(b"authorization", f"Bearer {token}".encode())]


class Gate:
    """An entrance that lets three false proofs pass."""

    def __init__(self) -> None:
        self.judge, self.clock = Judge(), SleeplessClock()
        self.entrance = Entrance(self.judge, Terms(address_limit=3), self.clock.monotonic)

    async def send(self, headers: list[tuple[bytes, bytes]], body: bytes = b"", address: str = "1.1.1.1") -> str:
        try:
            principal = await self.entrance.authenticate(HttpRequest("POST", "/", headers, body, address))
        except (Unauthenticated, RateLimited) as error:
            return error.code
        return principal.kind


BADLY = ["UNAUTHENTICATED"] * 3 + ["RATE_LIMITED"]
LEGACY = [(b"authorization", b'DIDWba did="did:wba:x", nonce="n", signature="s"')]


@pytest.mark.parametrize("headers", [signed("did:wba:x#k"), shown("t"), [(b"x-admin-key", b"a")], LEGACY])
async def test_a_claim_with_too_many_false_proofs_is_refused_before_anything_is_verified(
    headers: list[tuple[bytes, bytes]],
) -> None:
    gate = Gate()
    assert [await gate.send(headers, b"bad") for _ in range(4)] == BADLY
    assert gate.judge.asked == 3
    assert await gate.send(headers, address="2.2.2.2") == "did"
    await gate.clock.advance(61)
    assert await gate.send(headers) == "did"


async def test_false_proofs_lock_out_nobody_else_at_their_address() -> None:
    gate = Gate()
    for attack in (signed("did:wba:evil#k"), shown("wrong"), [(b"signature", b"?")]):
        assert "UNAUTHENTICATED" in {await gate.send(attack, b"bad") for _ in range(5)}
    assert await gate.send([]) == "anonymous"
    assert await gate.send(signed("did:wba:new#k")) == "did"
    assert await gate.send(shown("right")) == "did"


async def test_who_proved_itself_before_is_not_locked_out_by_others_who_claim_its_key() -> None:
    gate = Gate()
    assert await gate.send(signed("did:wba:x#k")) == "did"
    assert [await gate.send(signed("did:wba:x#k"), b"bad") for _ in range(5)] == ["UNAUTHENTICATED"] * 5
    assert await gate.send(signed("did:wba:x#k")) == "did"
    assert [await gate.send(signed("did:wba:x#other"), b"bad") for _ in range(4)] == BADLY
    both = signed('did:wba:x#k", sig2=();keyid="did:wba:y#k')
    assert [await gate.send(both, b"bad") for _ in range(4)] == BADLY


async def test_what_is_remembered_of_claims_is_bounded() -> None:
    gate = Gate()
    for number in range(5000):
        await gate.send(signed(f"did:wba:x{number}#k"))
    assert len(gate.entrance._proved) == 4096


async def test_without_a_verifier_everybody_is_anonymous() -> None:
    entrance = Entrance(None, Terms(), SleeplessClock().monotonic)
    assert await entrance.authenticate(HttpRequest("GET", "/", ())) is ANONYMOUS
