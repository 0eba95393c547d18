"""From a DID to its document: every condition of row WIRE-DID-07, and what is kept for how long."""

from __future__ import annotations

import asyncio
import gc
import json
import ssl
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from moothall.errors import CallTimeout, InvalidInput, MoothallError, Overloaded, UpstreamError, UpstreamInvalid
from moothall.identity.agent import AgentIdentity, new_identity
from moothall.identity.allowed import Allowed
from moothall.identity.document import DidDocument
from moothall.identity.egress import Egress
from moothall.identity.kept_documents import Kept, KeptDocuments
from moothall.identity.lanes import Lanes
from moothall.identity.resolver import Resolver
from moothall.messages import LANGS, explain
from tests.identity.net.far_side import Answer, Asked, Authority, FarSide, Names, far_side, reply, silence
from tests.support.clock import ManualClock

NAMES = Names(
    node_example=("127.0.0.1",), other_example=("127.0.0.1",), localhost=("127.0.0.1",), lost_example=("10.0.0.1",)
)


@dataclass
class World:
    """A resolver with a clock of its own, and a host whose answers the test chooses."""

    clock: ManualClock
    resolver: Resolver
    host: FarSide
    answers: dict[str, Answer]
    own: dict[str, DidDocument] = field(default_factory=dict)

    def identity(self, agent: str = "alice", host: str = "node.example") -> AgentIdentity:
        """A new identity of an agent at the host, not published yet."""
        path = ("agents", agent)
        return new_identity(agent, f"{host}:{self.host.port}", path, created=self.clock.now()).identity

    def publish(self, identity: AgentIdentity, answer: Answer | None = None) -> str:
        """Serve its document; returns the DID."""
        path = "/" + "/".join(identity.did.path) + "/did.json"
        self.answers[path] = answer or reply(identity.body)
        return identity.did.text


@asynccontextmanager
async def world(authority: Authority, tls: ssl.SSLContext | None, allow: str = "node.example") -> AsyncIterator[World]:
    answers: dict[str, Answer] = {}
    own: dict[str, DidDocument] = {}

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        path = asked.line.split(" ")[1]
        await answers.get(path, reply(b"nothing here", "404 Not Found"))(asked, writer)

    clock = ManualClock()
    async with far_side(answer, tls) as side:
        egress = Egress(Allowed.parsed(allow), ca=authority.file, lookup=NAMES)
        resolver = Resolver(egress, own.get, clock)
        try:
            yield World(clock, resolver, side, answers, own)
        finally:
            await resolver.aclose()
            await egress.aclose()


@pytest.fixture
async def there(authority: Authority, tls: ssl.SSLContext) -> AsyncIterator[World]:
    async with world(authority, tls) as made:
        yield made


@pytest.mark.requirement("WIRE-DID-07")
async def test_a_good_document_is_checked_and_used_again_without_a_request(there: World) -> None:
    identity = there.identity()
    did = there.publish(identity)
    document = await there.resolver.resolve(did)
    assert document.did == identity.did
    assert await there.resolver.resolve(did) is document
    assert [asked.line for asked in there.host.asked] == [f"GET /{'/'.join(identity.did.path)}/did.json HTTP/1.1"]


@pytest.mark.requirement("WIRE-DID-07")
@pytest.mark.parametrize(
    ("cache_control", "seconds"),
    [
        ("", 300),
        ("max-age=60", 60),
        ("public, Max-Age=60", 60),
        ("max-age=99999", 300),
        ("max-age=0", 10),
        ("no-store", 10),
        ("no-cache, max-age=200", 10),
        ("max-age=x", 300),
        ("s-maxage=20", 300),
    ],
)
async def test_a_document_is_kept_for_a_bounded_time(there: World, cache_control: str, seconds: float) -> None:
    identity = there.identity()
    did = there.publish(identity, reply(identity.body, cache_control=cache_control))
    await there.resolver.resolve(did)
    await there.clock.advance(seconds - 1)
    await there.resolver.resolve(did)
    assert len(there.host.asked) == 1
    await there.clock.advance(1)
    await there.resolver.resolve(did)
    assert len(there.host.asked) == 2


@pytest.mark.requirement("WIRE-DID-07")
async def test_a_failure_is_kept_for_a_short_time_and_told_each_time_anew(there: World) -> None:
    identity = there.identity()
    errors = []
    for _ in range(2):
        with pytest.raises(UpstreamError) as caught:
            await there.resolver.resolve(identity.did.text)
        errors.append(caught.value)
    assert errors[0] is not errors[1]
    assert len(there.host.asked) == 1
    there.publish(identity)
    await there.clock.advance(10)
    assert (await there.resolver.resolve(identity.did.text)).did == identity.did


@pytest.mark.requirement("WIRE-DID-07")
@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("another id", UpstreamInvalid),
        ("no json", UpstreamInvalid),
        ("a list", UpstreamInvalid),
        ("deep", UpstreamInvalid),
        ("deeper than a parser goes", UpstreamInvalid),
        ("a forged key", UpstreamInvalid),
        ("html", UpstreamInvalid),
        ("no content type", UpstreamInvalid),
        ("too long", UpstreamInvalid),
        ("missing", UpstreamError),
        ("an error", UpstreamError),
        ("a redirect elsewhere", UpstreamInvalid),
        ("a redirect to another port", UpstreamInvalid),
        ("a redirect for ever", UpstreamInvalid),
    ],
)
async def test_each_violated_condition_is_a_typed_error(
    there: World, case: str, expected: type[MoothallError], authority: Authority, tls: ssl.SSLContext
) -> None:
    identity, other = there.identity(), there.identity("mallory")
    document = json.loads(identity.body)
    async with far_side(reply(identity.body), tls) as elsewhere:
        answers = {
            "another id": reply(other.body),
            "no json": reply(b"{"),
            "a list": reply(b"[]"),
            "deep": reply(json.dumps(document | {"x": nested(40)}).encode()),
            "deeper than a parser goes": reply(b'{"x":' + b"[" * 20_000 + b"]" * 20_000 + b"}"),
            "a forged key": reply(json.dumps(json.loads(other.body) | {"id": document["id"]}).encode()),
            "html": reply(identity.body, content_type="text/html"),
            "no content type": reply(identity.body, content_type=""),
            "too long": reply(json.dumps(document | {"x": "y" * 256 * 1024}).encode()),
            "missing": reply(b"{}", "404 Not Found"),
            "an error": reply(identity.body, "500 Internal Server Error"),
            "a redirect elsewhere": reply(b"", "302 Found", location=elsewhere.url("other.example")),
            "a redirect to another port": reply(b"", "302 Found", location=elsewhere.url()),
            "a redirect for ever": reply(b"", "302 Found", location="?again"),
        }
        did = there.publish(identity, answers[case])
        if case == "a redirect for ever":
            there.answers |= {f"{path}?again": answers[case] for path in tuple(there.answers)}
        with pytest.raises(MoothallError) as caught:
            await there.resolver.resolve(did)
    assert type(caught.value) is expected
    assert elsewhere.hits == 0
    assert all(explain(caught.value, lang).why for lang in LANGS)


async def test_a_redirect_at_the_same_host_is_followed(there: World) -> None:
    identity = there.identity()
    did = there.publish(identity, reply(b"", "302 Found", location="/moved.json"))
    there.answers["/moved.json"] = reply(identity.body, content_type="application/did+ld+json; charset=utf-8")
    assert (await there.resolver.resolve(did)).did == identity.did


@pytest.mark.requirement("WIRE-DID-07")
async def test_a_host_without_a_certificate_for_its_name_is_not_believed(authority: Authority) -> None:
    async with world(authority, authority.server("other.example")) as here:
        with pytest.raises(UpstreamError):
            await here.resolver.resolve(here.publish(here.identity()))
        assert here.host.asked == []


@pytest.mark.requirement("WIRE-DID-07")
async def test_a_silent_host_is_given_up(
    authority: Authority, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("moothall.identity.resolver._SECONDS", 0.1)
    async with world(authority, tls) as here:
        with pytest.raises(CallTimeout):
            await here.resolver.resolve(here.publish(here.identity(), silence))


@pytest.mark.requirement("WIRE-NET-01", "WIRE-DID-07")
@pytest.mark.parametrize("host", ["localhost", "lost.example"])
async def test_a_did_of_a_host_that_is_not_public_is_refused_without_a_connection(there: World, host: str) -> None:
    identity = there.identity(host=host)
    there.publish(identity)
    with pytest.raises(InvalidInput):
        await there.resolver.resolve(identity.did.text)
    assert there.host.hits == 0


@pytest.mark.requirement("WIRE-NET-01")
async def test_a_did_of_a_host_that_is_listed_with_http_is_resolved_over_http(authority: Authority) -> None:
    async with world(authority, None, "http://localhost") as here:
        identity = here.identity(host="localhost")
        assert (await here.resolver.resolve(here.publish(identity))).did == identity.did


@pytest.mark.parametrize(
    "did", ["", "did:web:a", "did:wba:127.0.0.1", "did:wba:localhost", "did:wba:node.example:a:b", "x" * 2000]
)
async def test_what_is_no_did_that_may_be_used_costs_no_request(there: World, did: str) -> None:
    with pytest.raises(InvalidInput):
        await there.resolver.resolve(did)
    assert there.host.hits == 0


async def test_own_dids_are_answered_without_a_request(there: World) -> None:
    identity = there.identity()
    there.own[identity.did.text] = identity.document
    assert await there.resolver.resolve(identity.did.text, refresh=True) is identity.document
    assert there.host.hits == 0


async def test_many_who_ask_at_a_time_cause_one_request(there: World) -> None:
    identity = there.identity()
    did = there.publish(identity)
    found = await asyncio.gather(*(there.resolver.resolve(did) for _ in range(20)))
    assert len(set(map(id, found))) == 1
    assert len(there.host.asked) == 1


async def test_one_who_gives_up_does_not_take_it_from_the_others(there: World) -> None:
    identity, gate = there.identity(), asyncio.Event()

    async def late(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await gate.wait()
        await reply(identity.body)(asked, writer)

    did = there.publish(identity, late)
    first = asyncio.create_task(there.resolver.resolve(did))
    second = asyncio.create_task(there.resolver.resolve(did))
    await there.host.arrived.wait()
    first.cancel()
    gate.set()
    assert (await second).did == identity.did
    assert first.cancelled()


async def test_a_refresh_asks_again_but_not_more_often_than_allowed(there: World) -> None:
    identity = there.identity()
    did = there.publish(identity)
    await there.resolver.resolve(did)
    for _ in range(5):
        await there.resolver.resolve(did, refresh=True)
    assert len(there.host.asked) == 1
    await there.clock.advance(30)
    for _ in range(5):
        await there.resolver.resolve(did, refresh=True)
    assert len(there.host.asked) == 2


async def test_a_known_document_outlives_a_refresh_that_fails(there: World) -> None:
    identity = there.identity()
    did = there.publish(identity)
    await there.resolver.resolve(did)
    there.answers.clear()
    await there.clock.advance(30)
    assert (await there.resolver.resolve(did, refresh=True)).did == identity.did
    assert len(there.host.asked) == 2
    assert (await there.resolver.resolve(did, refresh=True)).did == identity.did
    assert len(there.host.asked) == 2


async def test_a_rotated_document_is_seen_after_a_refresh(there: World) -> None:
    old = there.identity()
    did = there.publish(old)
    first = await there.resolver.resolve(did)
    there.publish(old, reply(json.dumps({**json.loads(old.body)}).encode()))
    await there.clock.advance(30)
    assert await there.resolver.resolve(did, refresh=True) is not first


async def test_a_slow_host_costs_those_who_ask_for_another_nothing(authority: Authority, tls: ssl.SSLContext) -> None:
    async with world(authority, tls, "node.example,other.example") as here:
        slow = [here.publish(here.identity(f"a{number}", "other.example"), silence) for number in range(150)]
        asking = [asyncio.create_task(here.resolver.resolve(did)) for did in slow]
        await here.host.arrived.wait()
        good = here.identity()
        assert (await here.resolver.resolve(here.publish(good))).did == good.did
        done, pending = await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
        assert {type(task.exception()) for task in done} == {Overloaded}
        assert len(pending) == 4 + 16
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)


async def test_the_wait_for_a_turn_and_the_request_have_one_deadline(
    authority: Authority, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("moothall.identity.resolver._SECONDS", 0.3)
    async with world(authority, tls) as here:
        slow = [here.publish(here.identity(f"a{number}"), silence) for number in range(20)]
        found = await asyncio.gather(*map(here.resolver.resolve, slow), return_exceptions=True)
        assert {type(error) for error in found} == {CallTimeout}
        assert len(here.host.asked) <= 4  # those who waited had no time left for a request of their own


async def test_nothing_of_an_answer_is_kept_with_its_failure(there: World) -> None:
    did = there.publish(there.identity(), reply(b"[]"))
    with pytest.raises(UpstreamInvalid):
        await there.resolver.resolve(did)
    kept = there.resolver._kept.failure(did, there.clock.monotonic())
    assert kept is not None
    assert (kept.__traceback__, kept.__cause__, kept.__context__) == (None, None, None)


@pytest.mark.parametrize("place", ["at the top", "deep within"])
async def test_a_document_that_two_readers_could_understand_differently_is_refused(there: World, place: str) -> None:
    identity = there.identity()
    did = there.publish(identity)
    body = identity.body
    twice = {
        "at the top": b'{"id":"did:wba:evil.example",' + body[1:],
        "deep within": body.replace(b'"type":', b'"type":"Other","type":', 1),
    }[place]
    assert json.loads(twice) == json.loads(body)  # the last one wins, where nobody looks
    there.publish(identity, reply(twice))
    with pytest.raises(UpstreamInvalid):
        await there.resolver.resolve(did)


async def test_one_host_is_not_asked_without_end(there: World) -> None:
    for number in range(601):
        with pytest.raises(Overloaded if number == 600 else UpstreamError):
            await there.resolver.resolve(f"did:wba:node.example%3A{there.host.port}:a{number}:e1_{'A' * 43}")
    assert len(there.host.asked) == 600


async def test_a_large_document_is_checked_all_the_same(there: World) -> None:
    identity = there.identity()
    big = json.dumps(json.loads(identity.body) | {"x": "y" * 20_000}).encode()
    with pytest.raises(UpstreamInvalid):
        await there.resolver.resolve(there.publish(identity, reply(big)))


async def test_what_is_under_way_ends_with_the_resolver(there: World) -> None:
    did = there.publish(there.identity(), silence)
    waiting = asyncio.create_task(there.resolver.resolve(did))
    await there.host.arrived.wait()
    await there.resolver.aclose()
    with pytest.raises(asyncio.CancelledError):
        await waiting


def nested(depth: int) -> object:
    value: object = 0
    for _ in range(depth):
        value = [value]
    return value


class TestKeeping:
    def test_the_least_recently_used_document_goes_first(self) -> None:
        kept = KeptDocuments(most=2)
        documents = [
            new_identity(name, "a.example", ("x",), created=ManualClock().now()).identity.document for name in "abc"
        ]
        for name, document in zip("ab", documents, strict=False):
            kept.keep(name, Kept(document, 10, 100, 0))
        assert kept.document("a", 1)
        kept.keep("c", Kept(documents[2], 10, 100, 0))
        assert [name for name in "abc" if kept.document(name, 1)] == ["a", "c"]

    def test_documents_take_a_bounded_number_of_bytes(self) -> None:
        kept = KeptDocuments(most_bytes=100)
        document = new_identity("a", "a.example", ("x",), created=ManualClock().now()).identity.document
        for number in range(50):
            kept.keep(f"did{number}", Kept(document, 30, 100, 0))
        assert len(kept) == 3
        kept.keep("did49", Kept(document, 90, 100, 0))
        assert len(kept) == 1
        assert kept.document("did49", 100) is None

    def test_failures_are_bounded_and_push_no_document_out(self) -> None:
        kept = KeptDocuments(most=2)
        document = new_identity("a", "a.example", ("x",), created=ManualClock().now()).identity.document
        kept.keep("good", Kept(document, 10, 100, 0))
        for number in range(5):
            kept.keep_failure(f"bad{number}", UpstreamError("no"), 10, 0)
        assert [number for number in range(5) if kept.failure(f"bad{number}", 1)] == [3, 4]
        assert kept.failure("bad4", 10) is None
        assert kept.document("good", 1)

    def test_failures_take_a_bounded_number_of_bytes(self) -> None:
        kept = KeptDocuments(most_failed=10_000)
        for number in range(50):
            kept.keep_failure(f"bad{number}", UpstreamError("x" * 3000), 10, 0)
        assert [number for number in range(50) if kept.failure(f"bad{number}", 1)] == [48, 49]

    def test_failures_that_count_no_more_go_with_the_next_one(self) -> None:
        kept = KeptDocuments()
        gone = [UpstreamError(str(number)) for number in range(20)]
        references = [weakref.ref(error) for error in gone]
        for number, error in enumerate(gone):
            kept.keep_failure(f"old{number}", error, 10, 0)
        del gone, error
        kept.keep_failure("new", UpstreamError("no"), 21, 11)
        gc.collect()
        assert not any(reference() for reference in references)
        assert kept.failure("new", 20)


class TestLanes:
    async def test_one_host_takes_no_more_than_its_turns_and_leaves_the_others_theirs(self) -> None:
        lanes, gate, most, now = Lanes(per_host=2), asyncio.Event(), 0, 0

        async def ask(host: str) -> None:
            nonlocal most, now
            async with lanes.turn(host):
                now += 1
                most = max(most, now)
                if host == "slow":
                    await gate.wait()
                now -= 1

        slow = [asyncio.create_task(ask("slow")) for _ in range(10)]
        await ask("fast")
        gate.set()
        await asyncio.gather(*slow)
        assert most <= 3

    async def test_those_who_wait_for_a_slow_host_take_nothing_from_the_others(self) -> None:
        lanes, gate = Lanes(per_host=2, waiting=3, together=4), asyncio.Event()

        async def ask(host: str) -> str:
            async with lanes.turn(host):
                if host == "slow":
                    await gate.wait()
                return host

        slow = [asyncio.create_task(ask("slow")) for _ in range(5)]
        await asyncio.sleep(0)
        assert await ask("fast") == "fast"
        with pytest.raises(Overloaded):
            await ask("slow")
        gate.set()
        assert await asyncio.gather(*slow) == ["slow"] * 5

    async def test_one_who_gives_up_waiting_gives_its_place_back(self) -> None:
        lanes, gate = Lanes(per_host=1, waiting=1), asyncio.Event()

        async def ask() -> None:
            async with lanes.turn("slow"):
                await gate.wait()

        first, second = (asyncio.create_task(ask()) for _ in range(2))
        await asyncio.sleep(0)
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
        third = asyncio.create_task(ask())
        gate.set()
        await asyncio.gather(first, third)

    async def test_all_together_are_bounded_and_turns_come_back(self) -> None:
        lanes = Lanes(together=2)
        async with lanes.turn("a"), lanes.turn("b"):
            with pytest.raises(Overloaded):
                async with lanes.turn("c"):
                    pass
        async with lanes.turn("c"):
            pass
