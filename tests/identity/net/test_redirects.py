"""Redirects: each is checked like the first address, and no credential crosses an origin (row WIRE-NET-02)."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator

import pytest

from moothall.errors import UpstreamInvalid
from moothall.identity.allowed import Allowed
from moothall.identity.egress import Egress
from moothall.identity.limited_body import Caps
from tests.identity.net.far_side import Answer, Authority, Names, far_side, replies, reply

FOLLOW = Caps(redirects=3)
SECRETS = {
    "Authorization": "Bearer hunter2",
    "Cookie": "session=hunter2",
    "Signature": "sig1=:hunter2:",
    "Signature-Input": 'sig1=();keyid="hunter2"',
    "X-API-Key": "hunter2",
    "Proxy-Authorization": "Basic hunter2",
}


def to(location: str, status: str = "302 Found") -> Answer:
    return reply(b"moved", status, location=location)


@pytest.fixture
async def egress(authority: Authority) -> AsyncIterator[Egress]:
    names = Names(node_example=("127.0.0.1",), other_example=("127.0.0.1",), rebound_example=("127.0.0.1",))
    client = Egress(Allowed.parsed("node.example,other.example"), ca=authority.file, lookup=names)
    yield client
    await client.aclose()


async def test_a_redirect_is_an_answer_unless_it_is_to_be_followed(egress: Egress, tls: ssl.SSLContext) -> None:
    async with far_side(to("/there"), tls) as side:
        answer = await egress.request("GET", side.url())
    assert (answer.status, len(side.asked)) == (302, 1)


async def test_a_redirect_at_the_same_origin_is_followed_with_everything(egress: Egress, tls: ssl.SSLContext) -> None:
    async with far_side(replies(to("there?x=1"), reply(b"here")), tls) as side:
        answer = await egress.request("GET", side.url(path="/a/b"), headers=SECRETS, caps=FOLLOW)
    assert (answer.body, answer.uri) == (b"here", side.url(path="/a/there?x=1"))
    assert side.asked[1].headers["authorization"] == "Bearer hunter2"


@pytest.mark.requirement("WIRE-NET-02")
@pytest.mark.parametrize("other", ["other.example", "node.example"])
async def test_no_credential_crosses_to_another_host_or_port(egress: Egress, tls: ssl.SSLContext, other: str) -> None:
    async with far_side(reply(b"there"), tls) as there, far_side(to(there.url(other)), tls) as here:
        answer = await egress.request("GET", here.url(), headers=SECRETS | {"Accept": "text/plain"}, caps=FOLLOW)
    assert (answer.body, answer.uri) == (b"there", there.url(other))
    asked = there.asked[0]
    assert "hunter2" not in str(asked)
    assert "authorization" not in asked.headers
    assert asked.headers["accept"] == "text/plain"


@pytest.mark.requirement("WIRE-NET-02")
async def test_what_was_dropped_on_the_way_out_does_not_come_back(egress: Egress, tls: ssl.SSLContext) -> None:
    async with (
        far_side(reply(b"home"), tls) as home,
        far_side(to(home.url(path="/end")), tls) as away,
        far_side(to(away.url("other.example")), tls) as start,
    ):
        await egress.request("GET", start.url(), headers=SECRETS, caps=FOLLOW)
    assert "hunter2" not in f"{away.asked} {home.asked}"


@pytest.mark.requirement("WIRE-NET-01", "WIRE-NET-02")
@pytest.mark.parametrize(
    "location",
    [
        *[
            "https://127.0.0.1:{port}/",
            "http://127.0.0.1:{port}/",
            "http://localhost:{port}/",
            "https://rebound.example:{port}/",
        ],
        *[
            "https://169.254.169.254/latest/meta-data/",
            "https://[::ffff:127.0.0.1]:{port}/",
            "//127.0.0.1:{port}/",
            "https://2130706433:{port}/",
        ],
        *[
            "http://node.example:{port}/",
            "file:///etc/passwd",
            "gopher://127.0.0.1:{port}/",
            "https://a:b@node.example:{port}/",
        ],
    ],
)
async def test_a_redirect_to_where_nothing_may_go_is_refused(
    egress: Egress, tls: ssl.SSLContext, location: str
) -> None:
    async with far_side(reply(), tls) as victim, far_side(reply()) as plain_victim:
        for port in (victim.port, plain_victim.port):
            async with far_side(to(location.format(port=port)), tls) as side:
                with pytest.raises(UpstreamInvalid) as caught:
                    await egress.request("GET", side.url(), caps=FOLLOW)
                assert caught.value.sent is True
                assert str(port) not in str(caught.value)
    assert (victim.hits, plain_victim.hits) == (0, 0)


@pytest.mark.parametrize("location", ["https://other.example:{port}/", "https://node.example/"])
async def test_one_that_leaves_the_origin_is_refused_where_it_must_stay(
    egress: Egress, tls: ssl.SSLContext, location: str
) -> None:
    async with far_side(reply(), tls) as other, far_side(to(location.format(port=other.port)), tls) as side:
        with pytest.raises(UpstreamInvalid):
            await egress.request("GET", side.url(), caps=Caps(redirects=3, same_origin=True))
    assert other.hits == 0


@pytest.mark.parametrize(("allowed", "asked"), [(1, 2), (3, 4), (99, 4)])
async def test_no_more_redirects_are_followed_than_agreed_and_never_more_than_three(
    egress: Egress, tls: ssl.SSLContext, allowed: int, asked: int
) -> None:
    async with far_side(to("/again"), tls) as side:
        with pytest.raises(UpstreamInvalid):
            await egress.request("GET", side.url(), caps=Caps(redirects=allowed))
    assert len(side.asked) == asked


@pytest.mark.parametrize(
    "status", ["301 Moved Permanently", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"]
)
async def test_what_changes_something_is_not_sent_a_second_time(
    egress: Egress, tls: ssl.SSLContext, status: str
) -> None:
    async with far_side(to("/there", status), tls) as side:
        answer = await egress.request("POST", side.url(), content=b"pay", caps=FOLLOW)
    assert (str(answer.status), len(side.asked)) == (status[:3], 1)


async def test_a_redirect_without_a_place_leads_nowhere(egress: Egress, tls: ssl.SSLContext) -> None:
    async with far_side(reply(b"", "302 Found"), tls) as side:
        with pytest.raises(UpstreamInvalid):
            await egress.request("GET", side.url(), caps=FOLLOW)
