"""Links through the capabilities of a node: owners agree, members send, handlers hear and are called (IGL-01 to 05)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from moothall import ANPUser, Node
from moothall.calls.ports import CallFacts
from moothall.calls.reply import Reply
from moothall.calls.target import Target
from moothall.errors import MoothallError
from moothall.groups.model import topic_of
from moothall.identity.principal import OWNER, Principal
from tests.groups.master.quarters import caller, settings

pytestmark = pytest.mark.asyncio(loop_scope="module")

ANN, BEN, CID, EVE = caller("ann"), caller("ben"), caller("cid"), caller("eve")


class Town:
    """Ann's group alpha, Ben's group beta with a hosted agent that hears it, and Cid's group gamma."""

    def __init__(self, node: Node, heard: list[tuple[str, str, Any]]) -> None:
        self.node, self.heard = node, heard

    async def call(self, name: str, who: Principal, door: str = "http", **params: Any) -> Reply[Any]:
        target = name if ":" in name else f"local:node.groups.{name}"
        return await self.node.host.path.call(Target.parse(target), params, CallFacts(door=door, principal=who))

    async def done(self, name: str, who: Principal, **params: Any) -> Any:
        reply = await self.call(name, who, **params)
        assert reply.error is None, reply.error
        return reply.data

    async def refused(self, name: str, who: Principal, **params: Any) -> MoothallError:
        reply = await self.call(name, who, **params)
        assert reply.error is not None
        return reply.error

    async def link(self, one: str, by: Principal, other: str, agrees: Principal, kind: str, **terms: Any) -> str:
        made = await self.done("link", by, group=one, other=other, type=kind, **terms)
        await self.done("consent", agrees, link=made["id"])
        return str(made["id"])

    async def told(self, group: str) -> list[dict[str, Any]]:
        return [event.payload for event in await self.node.log.load(topic_of(group))]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    heard: list[tuple[str, str, Any]] = []
    listener = ANPUser("listener")

    @listener.register_group_event_handler(group_id="beta")
    async def hear(group_id: str, event_type: str, event_data: dict[str, Any]) -> str:
        heard.append((group_id, event_type, event_data["content"]))
        return "heard"

    node = Node(settings(tmp_path_factory.mktemp("node")))
    node.add(listener)
    async with node:
        made = Town(node, heard)
        for name, owner in (("alpha", ANN), ("beta", BEN), ("gamma", CID)):
            await made.done("create", owner, group=name)
        groups, did = node.host.grouping.groups, node.host.office.did("listener") or ""
        await groups.add("beta", did, by=OWNER)
        yield made


@pytest.fixture(autouse=True)
def _silence(town: Town) -> None:
    town.heard.clear()


@pytest.mark.requirement("IGL-03")
async def test_a_message_over_a_link_reaches_the_group_and_its_handlers(town: Town) -> None:
    refused = await town.refused("forward", ANN, group="alpha", to="beta", content="hello")
    assert (refused.http_status, str(refused)) == (404, "No connection between groups")
    link = await town.link("alpha", ANN, "beta", BEN, "message", direction="forth")
    sent = await town.done("forward", ANN, group="alpha", to="beta", content="hello", id="m1")
    assert sent == {"id": "m1", "groups": ["beta"]}
    assert town.heard == [("beta", "message", "hello")]
    await town.done("forward", ANN, group="alpha", to="beta", content="hello", id="m1")
    assert town.heard == [("beta", "message", "hello")]
    (told,) = [one for one in await town.told("beta") if one.get("from_group")]
    assert (told["sender"], told["from_group"]) == (ANN.id, "alpha")
    for who, group, to in ((BEN, "beta", "alpha"), (EVE, "alpha", "beta"), (BEN, "alpha", "beta")):
        assert (await town.refused("forward", who, group=group, to=to, content="no")).http_status == 403
    assert await town.done("unlink", BEN, link=link) is True
    assert (await town.refused("forward", ANN, group="alpha", to="beta", content="bye")).http_status == 404


@pytest.mark.requirement("IGL-02")
async def test_an_event_passes_over_a_link_for_events(town: Town) -> None:
    await town.link("alpha", ANN, "beta", BEN, "event", policy={"events": ["alarm"]})
    await town.done("forward", ANN, group="alpha", to="beta", content={"level": 3}, event_type="alarm")
    assert town.heard == [("beta", "alarm", {"level": 3})]
    assert (
        await town.refused("forward", ANN, group="alpha", to="beta", content=1, event_type="party")
    ).http_status == 403


@pytest.mark.requirement("IGL-02")
async def test_over_a_link_for_calls_members_call_the_handlers_of_the_other_group(town: Town) -> None:
    asked: dict[str, Any] = {"group_id": "beta", "event_type": "message", "event_data": {"content": "direct"}}
    target = "local:listener.hear"
    assert (await town.refused(target, ANN, **asked)).http_status == 403
    first = await town.link("alpha", ANN, "beta", BEN, "call", direction="forth")
    second = await town.link("gamma", CID, "alpha", ANN, "call")
    assert await town.done(target, ANN, **asked) == "heard"
    assert town.heard == [("beta", "message", "direct")]
    for who in (CID, EVE):  # a link of a link leads nowhere
        assert (await town.refused(target, who, **asked)).http_status == 403
    for link in (first, second):
        await town.done("unlink", ANN, link=link)
    assert (await town.refused(target, ANN, **asked)).http_status == 403


async def test_what_is_sent_outside_of_a_call_reaches_the_handlers_as_well(town: Town) -> None:
    await town.link("alpha", ANN, "beta", BEN, "message")
    communication = town.node.host.grouping.linking.communication
    await communication.route_inter_group_message("alpha", "beta", {"content": "by object", "id": "o1"}, by=ANN)
    await communication.route_inter_group_message("alpha", "beta", {"content": "by object", "id": "o1"}, by=ANN)
    assert town.heard == [("beta", "message", "by object")]


@pytest.mark.requirement("IGL-04")
async def test_a_group_that_is_dissolved_lets_nobody_in_by_its_links_from_the_next_decision_on(town: Town) -> None:
    engine = town.node.host.authority.engine
    await town.done("create", EVE, group="delta")
    await town.link("delta", EVE, "alpha", ANN, "call")
    assert {"alpha", "delta"} <= (await engine.subject(ANN)).groups
    await town.done("dissolve", EVE, group="delta")
    assert "delta" not in (await engine.subject(ANN)).groups


@pytest.mark.requirement("IGL-05")
async def test_owners_alone_see_and_change_the_links_of_their_groups(town: Town) -> None:
    made = await town.done("link", CID, group="gamma", other="beta", type="message")
    for who, group in ((CID, "gamma"), (BEN, "beta")):
        assert made["id"] in [one["id"] for one in await town.done("links", who, group=group)]
    for who in (ANN, EVE):
        for name, params in (
            ("links", {"group": "gamma"}),
            ("consent", {"link": made["id"]}),
            ("unlink", {"link": made["id"]}),
        ):
            assert (await town.refused(name, who, **params)).http_status == 403
    assert (await town.refused("consent", CID, link=made["id"])).http_status == 403
    for group in ("gamma", "nothing"):  # whether there is such a group, strangers do not learn
        refused = await town.refused("link", EVE, group=group, other="beta", type="message")
        assert (refused.http_status, str(refused)) == (403, "only who rules a group proposes its links")
    assert (await town.refused("link", CID, group="gamma", other="nothing", type="message")).http_status == 404
    assert (await town.refused("link", CID, group="gamma", other="beta", type="telepathy")).http_status == 400
    await town.done("dissolve", CID, group="gamma")
    assert [one["state"] for one in await town.done("links", BEN, group="beta") if one["id"] == made["id"]] == [
        "closed"
    ]
