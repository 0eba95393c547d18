"""Notices to approvers outside: what is told, when, and how it is delivered."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, field

import pytest
import trustme

from moothall.approvals.kept import ESCALATED, OPENED
from moothall.approvals.notices import by_scheme, deliver_notices
from moothall.approvals.rules import ApprovalConfig
from moothall.approvals.webhook import NotTakenError, SignedPost
from moothall.errors import InternalError, InvalidInput
from moothall.events.model import OutboxRow
from moothall.events.outbox import Outbox
from moothall.identity.allowed import Allowed
from moothall.identity.egress import Egress
from moothall.identity.keys import PrivateKey, Signer
from tests.approvals.hall import ANNA, BEN, Hall, Site, ask, config, meanwhile
from tests.identity.net.far_side import Authority, Names, far_side, replies, reply
from tests.support.clock import ManualClock

HOOK = "https://chat.example.com/hooks/secret-token"
STEPS = (
    {"approvers": ["user:anna"]},
    {"approvers": [BEN.id], "escalation": {"after": 600, "approver": "user:cara"}},
)


@dataclass
class Posted:
    """Takes what is posted; fails first where it is told to."""

    bodies: list[tuple[str, dict[str, object], Mapping[str, str]]] = field(default_factory=list)
    failing: list[Exception] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        self.bodies.append((url, json.loads(body), headers))
        self.news.set()
        if self.failing:
            raise self.failing.pop(0)

    async def count(self, number: int) -> None:
        while len(self.bodies) < number:
            self.news.clear()
            await self.news.wait()


async def outbox(hall: Hall, site: Site, post: Posted) -> Outbox:
    started = Outbox(site.log, by_scheme({"approval:": deliver_notices(site.rules, post)}), chance=lambda: 0.0)
    await started.start()
    hall.house.stack.push_async_callback(started.stop)
    return started


@pytest.mark.requirement("SEC-09")
async def test_each_approver_is_told_at_the_webhook_when_its_turn_comes_and_not_before(hall: Hall) -> None:
    post = Posted()
    site = await hall.site(config(*STEPS, webhook=HOOK))
    await outbox(hall, site, post)
    begun = await site.desk.ask(ask(workflow="two-eyes", amount=7, note="<b>private</b>"))
    await post.count(1)
    await site.until(begun.id, OPENED)
    assert [body["approvers"] for _, body, _ in post.bodies] == [["user:anna"]]
    await site.desk.decide(ANNA, begun.id, "approved")
    await post.count(2)
    await site.until(begun.id, OPENED, times=2)
    await hall.clock.advance(600)
    await site.until(begun.id, ESCALATED)
    await post.count(3)
    assert [(body["step"], body["asked"], body["approvers"]) for _, body, _ in post.bodies] == [
        (0, "opened", ["user:anna"]),
        (1, "opened", [BEN.id]),
        (1, "escalated", ["user:cara"]),
    ]
    url, body, headers = post.bodies[0]
    assert url == HOOK
    assert (body["approval_id"], body["location"]) == (begun.id, f"/api/v1/approvals/{begun.id}")
    assert headers["idempotency-key"] == f"{begun.id}/notice.0.opened"
    assert "private" not in json.dumps([body for _, body, _ in post.bodies])


async def test_a_notice_that_was_not_taken_is_sent_again_with_the_same_key(hall: Hall) -> None:
    post = Posted(failing=[NotTakenError("503"), NotTakenError("503")])
    site = await hall.site(config(STEPS[0], webhook=HOOK, webhook_arguments=True))
    await outbox(hall, site, post)
    await site.desk.ask(ask(workflow="two-eyes", amount=7))
    await meanwhile(hall.clock, post.count(3), 60)
    assert len({headers["idempotency-key"] for _, _, headers in post.bodies}) == 1
    assert post.bodies[0][1]["arguments"] == {"amount": 7}


async def test_without_a_webhook_nothing_is_sent_and_one_that_was_taken_away_gets_nothing_more(hall: Hall) -> None:
    post = Posted()
    site = await hall.site(config(*STEPS))
    deliver = deliver_notices(site.rules, post)
    await deliver(OutboxRow("ap-1", "notice.0.opened", "approval:two-eyes", {}, 1))
    site.rules.use(ApprovalConfig())
    await deliver(OutboxRow("ap-1", "notice.0.opened", "approval:two-eyes", {}, 1))
    assert post.bodies == []


async def test_deliveries_are_chosen_by_the_scheme_of_their_target() -> None:
    taken: list[str] = []

    async def keep(row: OutboxRow) -> None:
        taken.append(row.target)

    deliver = by_scheme({"run:": keep})
    await deliver(OutboxRow("r", "k", "run:d-1", {}, 1))
    with pytest.raises(InternalError):
        await deliver(OutboxRow("r", "k", "approval:x", {}, 1))
    assert taken == ["run:d-1"]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    ca = trustme.CA()
    file = tmp_path_factory.mktemp("authority") / "ca.pem"
    ca.cert_pem.write_to_path(str(file))
    return Authority(ca, file)


@pytest.fixture
def tls(authority: Authority) -> ssl.SSLContext:
    return authority.server("node.example")


def signed_post(egress: Egress) -> SignedPost:
    return SignedPost(egress, Signer("did:wba:node.example:agents:node#key-1", PrivateKey.generate()), ManualClock())


async def test_a_webhook_gets_signed_requests_through_the_guarded_client(
    authority: Authority, tls: ssl.SSLContext
) -> None:
    answers = replies(reply(b"no", "503 Busy", retry_after="7"), reply(b"", "302 Found", location="/x"), reply())
    names = Names(node_example=("127.0.0.1",))
    egress = Egress(Allowed.parsed("node.example"), ca=authority.file, lookup=names)
    async with aclosing(egress), far_side(answers, tls) as side:
        post = signed_post(egress)
        with pytest.raises(NotTakenError) as busy:
            await post(side.url(), b"{}", {"idempotency-key": "ap-1/notice.0.opened"})
        assert busy.value.retry_after == 7
        with pytest.raises(NotTakenError) as astray:
            await post(side.url(), b"{}", {})
        assert astray.value.retry_after is None
        await post(side.url(), b'{"a":1}', {"idempotency-key": "k"})
    last = side.asked[-1]
    assert (last.line, last.body, last.headers["idempotency-key"]) == ("POST / HTTP/1.1", b'{"a":1}', "k")
    assert 'keyid="did:wba:node.example:agents:node#key-1"' in last.headers["signature-input"]
    assert '"content-digest"' in last.headers["signature-input"]
    assert last.headers["signature"].startswith("sig1=:")


async def test_a_webhook_inside_the_own_network_is_refused(authority: Authority) -> None:
    egress = Egress(Allowed(), ca=authority.file, lookup=Names(node_example=("127.0.0.1",)))
    async with aclosing(egress), far_side(reply()) as side:
        with pytest.raises(InvalidInput):
            await signed_post(egress)(side.url(), b"{}", {})
        assert side.hits == 0
