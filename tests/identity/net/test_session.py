"""Requests signed by an agent: what is signed, for whom, and what a server cannot talk it into."""

from __future__ import annotations

import asyncio
import logging
import ssl
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

import pytest

from moothall.errors import CallTimeout, InvalidInput, UpstreamInvalid, UsageError
from moothall.identity.agent import AgentIdentity, new_identity
from moothall.identity.allowed import Allowed
from moothall.identity.egress import Egress
from moothall.identity.limited_body import Caps
from moothall.identity.session import SignedSession
from moothall.identity.verification import Rules
from tests.identity.net.far_side import Answer, Asked, Authority, FarSide, Names, far_side, replies, reply, silence
from tests.identity.net.gated import FULL, covered, gated, nonce
from tests.identity.wire.gate import Gate, Registry, close_gate, open_gate
from tests.support.clock import ManualClock

NONCE = "a-nonce-of-the-server-0001"
CHALLENGE = f'DIDWba realm="node.example", error="invalid_nonce", error_description="sign, again", nonce="{NONCE}"'
TOKEN = "abc.def-ghi_jkl"
GIVEN = f'access_token="{TOKEN}", token_type="Bearer", expires_in=900'
FOLLOW = Caps(redirects=3)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def alice(clock: ManualClock) -> AgentIdentity:
    return new_identity("alice", "far.example:3000", ("agents", "alice"), created=clock.now()).identity


@pytest.fixture
async def session(authority: Authority, alice: AgentIdentity, clock: ManualClock) -> AsyncIterator[SignedSession]:
    names = Names(node_example=("127.0.0.1",), other_example=("127.0.0.1",), localhost=("127.0.0.1",))
    egress = Egress(Allowed.parsed("node.example,other.example"), ca=authority.file, lookup=names)
    yield SignedSession(egress, alice, clock)
    await egress.aclose()


def unauthorized(challenge: str = CHALLENGE, **headers: str) -> Answer:
    return reply(b"", "401 Unauthorized", www_authenticate=challenge, **headers)


def holds(asked: Asked, side: FarSide, who: AgentIdentity, host: str = "node.example") -> bool:
    """Whether a request bears a signature of somebody over all that it is, as RFC 9421 §2.5 puts it together."""
    method, target, _ = asked.line.split(" ")
    values = {
        "@method": method,
        "@target-uri": side.url(host, target),
        "@authority": asked.headers["host"],
        "content-digest": f"sha-256=:{b64encode(sha256(asked.body).digest()).decode()}:",
        "@signature-params": asked.headers["signature-input"].removeprefix("sig1="),
    }
    lines = [f'"{name}": {values[name]}' for name in (*covered(asked), "@signature-params")]
    value = b64decode(asked.headers["signature"].removeprefix("sig1=:").removesuffix(":"))
    assert asked.headers.get("content-digest", "") == (values["content-digest"] if asked.body else "")
    return who.document.authentication[who.signer.keyid].verify("\n".join(lines).encode(), value)


class TestSigning:
    @pytest.mark.parametrize("method", ["GET", "post", "PUT", "DELETE"])
    async def test_every_request_is_signed_in_full(
        self, session: SignedSession, tls: ssl.SSLContext, alice: AgentIdentity, method: str
    ) -> None:
        async with far_side(reply(), tls) as side:
            await session.request(method, side.url(path="/a%7E/b?c=d%20e#f"), json={"x": 1})
        asked = side.asked[0]
        assert covered(asked) == FULL
        assert holds(asked, side, alice)
        assert (asked.headers["content-type"], asked.body) == ("application/json", b'{"x":1}')

    async def test_a_request_without_a_body_is_signed_without_a_digest(
        self, session: SignedSession, tls: ssl.SSLContext, alice: AgentIdentity
    ) -> None:
        async with far_side(reply(), tls) as side:
            await session.request("GET", side.url(path=""))
        assert covered(side.asked[0]) == FULL[:3]
        assert holds(side.asked[0], side, alice)

    async def test_two_requests_have_two_nonces(self, session: SignedSession, tls: ssl.SSLContext) -> None:
        async with far_side(reply(), tls) as side:
            for _ in range(2):
                await session.request("POST", side.url(), content=b"x")
        assert len({nonce(asked) for asked in side.asked}) == 2

    @pytest.mark.parametrize("name", ["Authorization", "Signature", "Signature-Input", "content-digest"])
    async def test_a_proof_of_the_callers_own_is_refused(
        self, session: SignedSession, tls: ssl.SSLContext, name: str
    ) -> None:
        async with far_side(reply(), tls) as side:
            with pytest.raises(UsageError):
                await session.request("GET", side.url(), headers={name: "x"})
        assert side.hits == 0

    async def test_an_answer_can_be_read_as_it_comes(self, session: SignedSession, tls: ssl.SSLContext) -> None:
        async with (
            far_side(reply(b"data: 1\n\n"), tls) as side,
            session.stream("POST", side.url(), content=b"x", headers={"accept": "text/event-stream"}) as answer,
        ):
            assert [chunk async for chunk in answer.chunks()] == [b"data: 1\n\n"]

    async def test_the_time_for_the_whole_ends_it(self, session: SignedSession, tls: ssl.SSLContext) -> None:
        async with far_side(silence, tls) as side:
            with pytest.raises(CallTimeout):
                await session.request("GET", side.url(), seconds=0.1)

    @pytest.mark.requirement("WIRE-NET-01")
    async def test_nothing_is_signed_for_an_address_that_is_refused(self, session: SignedSession) -> None:
        async with far_side(reply()) as side:
            with pytest.raises(InvalidInput):
                await session.request("POST", side.url("localhost"), content=b"x")
        assert side.hits == 0


class TestChallenges:
    @pytest.mark.requirement("WIRE-NONCE-02")
    async def test_a_nonce_of_the_server_is_signed_once(
        self, session: SignedSession, tls: ssl.SSLContext, alice: AgentIdentity
    ) -> None:
        async with far_side(replies(unauthorized(), reply(b"in")), tls) as side:
            answer = await session.request("POST", side.url(), content=b"x")
        assert (answer.status, answer.body) == (200, b"in")
        assert [nonce(asked) == NONCE for asked in side.asked] == [False, True]
        assert all(holds(asked, side, alice) for asked in side.asked)

    @pytest.mark.requirement("WIRE-NONCE-02")
    async def test_a_server_that_is_never_content_is_answered_once(
        self, session: SignedSession, tls: ssl.SSLContext
    ) -> None:
        async with far_side(unauthorized(), tls) as side:
            assert (await session.request("POST", side.url(), content=b"x")).status == 401
        assert len(side.asked) == 2

    @pytest.mark.parametrize(
        "challenge",
        [
            'DIDWba realm="x", error="invalid_did"',
            f'Bearer realm="x", nonce="{NONCE}"',
            'DIDWba realm="x", nonce="a\\"b\\r\\nX: y"',
            f'DIDWba realm="x", nonce="{"n" * 300}"',
            'DIDWba realm="x", nonce="é"',
            'DIDWba realm="x", nonce=""',
            "DIDWba",
            "",
            "," * 5000,
        ],
    )
    async def test_without_a_nonce_that_can_be_signed_the_answer_stands(
        self, session: SignedSession, tls: ssl.SSLContext, challenge: str
    ) -> None:
        async with far_side(unauthorized(challenge), tls) as side:
            assert (await session.request("POST", side.url(), content=b"x")).status == 401
        assert len(side.asked) == 1

    @pytest.mark.parametrize(
        "challenge",
        [f"didwba nonce={NONCE}", f'Basic realm="a, b", DIDWba realm="c", nonce="{NONCE}", Bearer realm="d"'],
    )
    async def test_a_challenge_is_found_among_others(
        self, session: SignedSession, tls: ssl.SSLContext, challenge: str
    ) -> None:
        async with far_side(replies(unauthorized(challenge), reply()), tls) as side:
            assert (await session.request("GET", side.url())).status == 200
        assert nonce(side.asked[1]) == NONCE

    @pytest.mark.requirement("WIRE-SIG-10")
    @pytest.mark.parametrize(
        "wish",
        [
            'sig1=("@method");created;expires;nonce;keyid',
            'sig1=();created;keyid="somebody"',
            'sig1=("@method" "@authority");created;nonce;keyid',
            'sig1=("@method";req "content-type");alg="none"',
            "nonsense",
        ],
    )
    async def test_a_server_that_asks_for_less_gets_the_full_set(
        self, session: SignedSession, tls: ssl.SSLContext, alice: AgentIdentity, wish: str
    ) -> None:
        async with far_side(replies(unauthorized(accept_signature=wish), reply()), tls) as side:
            assert (await session.request("POST", side.url(), content=b"pay")).status == 200
        assert [covered(asked) for asked in side.asked] == [FULL, FULL]
        assert all(holds(asked, side, alice) for asked in side.asked)

    @pytest.mark.requirement("WIRE-NONCE-02")
    async def test_a_node_that_counts_only_its_own_nonces_lets_us_in(
        self, session: SignedSession, tls: ssl.SSLContext, alice: AgentIdentity, clock: ManualClock, tmp_path: Path
    ) -> None:
        registry = Registry({alice.did.text: alice.document})
        async with far_side(reply(), tls) as side:
            port = side.port
        gate: Gate = await open_gate(
            tmp_path, registry, clock=clock, urls=(f"https://node.example:{port}",), rules=Rules(demand_nonce=True)
        )
        async with far_side(gated(gate.house.verifier), tls, port=port) as side:
            answer = await session.request("POST", side.url(path="/rpc?x=%7E"), json={"a": 1})
            again = await session.request("POST", side.url(path="/rpc?x=%7E"), json={"a": 1})
            replayed = await _replay(side, side.asked[1])
        await close_gate(gate)
        assert (answer.status, again.status, replayed) == (200, 200, 401)
        assert len(side.asked) == 5


class TestTokens:
    @pytest.mark.requirement("WIRE-TOKEN-05")
    async def test_a_token_is_used_to_read_and_a_signature_to_change(
        self, session: SignedSession, tls: ssl.SSLContext, alice: AgentIdentity
    ) -> None:
        async with far_side(reply(authentication_info=GIVEN), tls) as side:
            await session.request("GET", side.url())
            await session.request("GET", side.url())
            await session.request("POST", side.url(), content=b"x")
            await session.request("GET", side.url(), content=b"x")
        assert [asked.headers.get("authorization") for asked in side.asked] == [None, f"Bearer {TOKEN}", None, None]
        assert [bool(covered(asked)) for asked in side.asked] == [True, False, True, True]

    @pytest.mark.requirement("WIRE-TOKEN-05")
    async def test_servers_on_one_host_with_different_ports_have_tokens_of_their_own(
        self, session: SignedSession, tls: ssl.SSLContext
    ) -> None:
        first = reply(authentication_info=GIVEN.replace(TOKEN, "first"))
        second = reply(authentication_info=GIVEN.replace(TOKEN, "second"))
        async with far_side(first, tls) as one, far_side(second, tls) as two:
            for _ in range(2):
                for side in (one, two):
                    await session.request("GET", side.url())
            await session.request("GET", one.url("other.example"))
        assert [asked.headers.get("authorization") for asked in one.asked] == [None, "Bearer first", None]
        assert [asked.headers.get("authorization") for asked in two.asked] == [None, "Bearer second"]

    async def test_a_token_ends_before_its_time(
        self, session: SignedSession, tls: ssl.SSLContext, clock: ManualClock
    ) -> None:
        async with far_side(reply(authentication_info=GIVEN), tls) as side:
            await session.request("GET", side.url())
            await clock.advance(871)
            await session.request("GET", side.url())
        assert "authorization" not in side.asked[1].headers

    @pytest.mark.parametrize("refusal", ["401 Unauthorized", "403 Forbidden"])
    async def test_a_token_that_is_not_accepted_is_forgotten_and_a_signature_sent(
        self, session: SignedSession, tls: ssl.SSLContext, refusal: str
    ) -> None:
        given, no, yes = reply(authentication_info=GIVEN), reply(b"", refusal, www_authenticate=CHALLENGE), reply(b"in")
        async with far_side(replies(given, no, yes), tls) as side:
            await session.request("GET", side.url())
            assert (await session.request("GET", side.url())).body == b"in"
        assert [bool(covered(asked)) for asked in side.asked] == [True, False, True]
        assert nonce(side.asked[2]) == NONCE

    @pytest.mark.parametrize(
        "info",
        [
            'access_token="a b"',
            'access_token="a\\r\\nX: y"',
            f'access_token="{TOKEN}", token_type="DPoP"',
            f'access_token="{TOKEN}", expires_in=10',
            "access_token=",
            "",
        ],
    )
    async def test_what_is_no_bearer_token_that_counts_is_not_kept(
        self, session: SignedSession, tls: ssl.SSLContext, info: str
    ) -> None:
        async with far_side(reply(authentication_info=info), tls) as side:
            await session.request("GET", side.url())
            await session.request("GET", side.url())
        assert "authorization" not in side.asked[1].headers

    async def test_an_answer_that_is_an_error_gives_no_token(self, session: SignedSession, tls: ssl.SSLContext) -> None:
        async with far_side(reply(b"", "500 Oops", authentication_info=GIVEN), tls) as side:
            await session.request("GET", side.url())
            await session.request("GET", side.url())
        assert "authorization" not in side.asked[1].headers


class TestRedirects:
    async def test_one_at_the_same_origin_is_signed_anew_for_its_address(
        self, session: SignedSession, tls: ssl.SSLContext, alice: AgentIdentity
    ) -> None:
        moved = reply(b"", "307 Temporary Redirect", location="/there?x=1")
        async with far_side(replies(moved, reply()), tls) as side:
            assert (await session.request("GET", side.url(), caps=FOLLOW)).uri == side.url(path="/there?x=1")
        assert holds(side.asked[1], side, alice)

    @pytest.mark.requirement("WIRE-NET-02")
    async def test_nothing_is_signed_for_another_origin_whatever_it_answers(
        self, session: SignedSession, tls: ssl.SSLContext
    ) -> None:
        given = {"authentication_info": GIVEN}
        elsewhere = reply(b"", "401 Unauthorized", www_authenticate=CHALLENGE, **given)
        async with far_side(elsewhere, tls) as there:
            moved = reply(b"", "302 Found", location=there.url("other.example"), **given)
            async with far_side(replies(reply(**given), moved), tls) as here:
                await session.request("GET", here.url())
                answer = await session.request("GET", here.url(), caps=FOLLOW)
            direct = await session.request("GET", there.url("other.example"))
        assert (answer.status, direct.status) == (401, 401)
        assert not {"authorization", "signature", "signature-input"} & there.asked[0].headers.keys()
        assert "authorization" not in there.asked[1].headers

    async def test_a_change_is_not_sent_on(self, session: SignedSession, tls: ssl.SSLContext) -> None:
        async with (
            far_side(reply(), tls) as there,
            far_side(reply(b"", "307 Temporary Redirect", location=there.url()), tls) as here,
        ):
            assert (await session.request("POST", here.url(), content=b"pay", caps=FOLLOW)).status == 307
        assert there.hits == 0

    async def test_one_to_a_private_address_is_refused(self, session: SignedSession, tls: ssl.SSLContext) -> None:
        async with far_side(reply()) as victim:
            moved = reply(b"", "302 Found", location=f"http://127.0.0.1:{victim.port}/")
            async with far_side(moved, tls) as here:
                with pytest.raises(UpstreamInvalid):
                    await session.request("GET", here.url(), caps=FOLLOW)
        assert victim.hits == 0


async def test_nothing_secret_is_logged_or_shown(
    session: SignedSession, tls: ssl.SSLContext, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="moothall")
    async with far_side(reply(authentication_info=GIVEN), tls) as side:
        await session.request("GET", side.url())
        await session.request("GET", side.url())
    assert TOKEN not in f"{caplog.text} {session!r} {vars(session)!r}"


async def _replay(side: FarSide, asked: Asked) -> int:
    """Send a request once more, byte for byte."""
    client = ssl.create_default_context()
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    reader, writer = await asyncio.open_connection("127.0.0.1", side.port, ssl=client)
    fields = "".join(f"{name}: {value}\r\n" for name, value in asked.headers.items())
    writer.write(f"{asked.line}\r\n{fields}\r\n".encode("latin-1") + asked.body)
    status = int((await reader.readuntil(b"\r\n")).split(b" ")[1])
    writer.close()
    return status
