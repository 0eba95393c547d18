"""What passes over links, where it goes and what it is told as (rows IGL-01, IGL-03, IGL-04)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from moothall.calls.ports import Gateway
from moothall.capability.snapshot import Snapshot
from moothall.errors import Conflict, InvalidInput, PermissionDeniedError, ServiceNotFoundError
from moothall.groups.channel import InternalCommunicationChannel
from moothall.groups.handlers import Handlers
from moothall.groups.links import passing
from moothall.groups.links.broker import CommunicationBroker
from moothall.groups.links.channels import LinkedChannels
from moothall.groups.links.communication import (
    GroupRegistry,
    InterGroupCommunication,
    InterGroupPolicies,
    NotConnected,
)
from moothall.groups.links.model import InterGroupConnection, InterGroupPolicy
from moothall.groups.links.passing import Parcel
from moothall.groups.links.register import Links
from moothall.groups.model import Group, topic_of
from moothall.groups.talk import Talk
from moothall.identity.principal import ANONYMOUS, OWNER, Principal
from moothall.policy.decision import PermissionResult
from moothall.policy.engine import PolicyEngine
from tests.groups.house import HOUSE, GroupHouse, agent, did

ANN, BEN, CID = did("ann"), did("ben"), did("cid")


def no_calls() -> Gateway:
    raise AssertionError("there are no handlers")


@dataclass(slots=True)
class Ring:
    """Groups alpha, beta and gamma of Ann, Ben and Cid, which can be linked."""

    house: GroupHouse
    links: Links = field(init=False)
    speech: InterGroupCommunication = field(init=False)

    def __post_init__(self) -> None:
        store, clock = self.house.groups.store, self.house.house.clock
        handlers = Handlers(Snapshot, no_calls, dict, clock.monotonic, PolicyEngine.usual())
        talk = Talk(self.house.groups, handlers, self.house.log, agent)
        channels = LinkedChannels(talk, clock.monotonic)
        self.links = Links(store)
        self.speech = InterGroupCommunication(
            group_registry=GroupRegistry(store),
            inter_group_policies=InterGroupPolicies(clock),
            communication_broker=CommunicationBroker(channels.deliver, self.links, clock),
            links=self.links,
            received=channels.received,
            identity=self.house.groups.identity,
        )

    async def link(self, one: str, other: str, kind: str = "message", **terms: Any) -> InterGroupConnection:
        made = await self.speech.establish_group_connection(one, other, kind, **terms)
        return await self.links.consent(made.id)

    async def told(self, group: str) -> list[dict[str, Any]]:
        return [event.payload for event in await self.house.topics.load(topic_of(group))]

    async def send(self, sender: str, one: str, other: str, content: object, **more: Any) -> tuple[str, ...]:
        message = {"content": content, **more}
        return (await self.speech.route_inter_group_message(one, other, message, by=agent(sender))).groups


@pytest.fixture
async def ring(tmp_path: Path) -> AsyncIterator[Ring]:
    async with AsyncExitStack() as stack:
        yield await made(await GroupHouse.open(f"sqlite:///{tmp_path / 'moothall.db'}", tmp_path / "node", stack))


async def made(house: GroupHouse) -> Ring:
    for name, owner in (("alpha", ANN), ("beta", BEN), ("gamma", CID)):
        await house.groups.create(name, by=agent(owner))
        await InternalCommunicationChannel(name, house.log, house.topics).post()
    return Ring(house)


@pytest.mark.requirement("IGL-03")
async def test_a_message_of_a_member_comes_into_the_linked_group(ring: Ring) -> None:
    await ring.link("alpha", "beta")
    assert await ring.send(ANN, "alpha", "beta", {"text": "hello", "sender": CID}, id="m1") == ("beta",)
    (told,) = await ring.told("beta")
    assert {name: told[name] for name in ("id", "sender", "group", "from_group", "origin", "content")} == {
        "id": "m1",
        "sender": ANN,
        "group": "beta",
        "from_group": "alpha",
        "origin": "alpha",
        "content": {"text": "hello", "sender": CID},
    }
    assert await ring.told("alpha") == []


@pytest.mark.requirement("IGL-02")
async def test_a_connection_is_made_of_groups_that_there_are_and_of_a_known_type(ring: Ring) -> None:
    for one, other in (("alpha", "nothing"), ("nothing", "alpha")):
        with pytest.raises(ServiceNotFoundError) as missing:
            await ring.speech.establish_group_connection(one, other, "message")
        assert missing.value.envelope_code == "NOT_FOUND"
    with pytest.raises(InvalidInput):
        await ring.speech.establish_group_connection("alpha", "beta", "telepathy")
    made = await ring.speech.establish_group_connection("alpha", "beta", "call")
    assert (made.group1, made.group2, made.connection_type, made.state) == ("alpha", "beta", "call", "proposed")
    assert made.established_at == ring.house.house.clock.now()


@pytest.mark.requirement("IGL-03")
async def test_without_a_link_there_is_no_way(ring: Ring) -> None:
    for kind in ("event", "call"):
        await ring.link("alpha", "beta", kind)
    with pytest.raises(ConnectionError) as refused:
        await ring.send(ANN, "alpha", "beta", "hello")
    assert str(refused.value) == "No connection between groups"
    assert isinstance(refused.value, NotConnected)
    assert refused.value.http_status == 404
    proposed = await ring.speech.establish_group_connection("alpha", "beta", "message")
    with pytest.raises(ConnectionError, match="No connection between groups"):
        await ring.send(ANN, "alpha", "beta", "hello")
    assert (await ring.links.consent(proposed.id)).state == "active"
    assert await ring.send(ANN, "alpha", "beta", "hello") == ("beta",)


@pytest.mark.requirement("IGL-03")
async def test_the_sender_is_a_proved_member_of_the_sending_group(ring: Ring) -> None:
    await ring.link("alpha", "beta")
    message = {"content": "hello", "sender": ANN}
    for who in (agent(BEN), agent(did("eve")), ANONYMOUS, OWNER, Principal(id=ANN, kind="did", verified=False)):
        with pytest.raises(PermissionError) as refused:
            await ring.speech.route_inter_group_message("alpha", "beta", message, by=who)
        assert str(refused.value) == "Communication not allowed outside group"
    await ring.house.groups.add("alpha", HOUSE, by=OWNER)
    await ring.house.groups.join("alpha", by=OWNER)
    await ring.speech.route_inter_group_message("alpha", "beta", message)  # the operator is the node's own agent
    assert [told["sender"] for told in await ring.told("beta")] == [HOUSE]


@pytest.mark.requirement("IGL-03")
async def test_the_direction_of_a_link_is_respected(ring: Ring) -> None:
    await ring.link("beta", "alpha", direction="forth")
    assert await ring.send(BEN, "beta", "alpha", "down") == ("alpha",)
    with pytest.raises(PermissionError) as refused:
        await ring.send(ANN, "alpha", "beta", "up")
    assert isinstance(refused.value, PermissionDeniedError)
    assert refused.value.details["reason"] == passing.WRONG_WAY
    assert await ring.told("beta") == []


@pytest.mark.requirement("IGL-03")
async def test_what_the_policy_of_a_link_denies_is_refused_with_the_reason(ring: Ring) -> None:
    await ring.link("alpha", "beta", policy=InterGroupPolicy(most_bytes=20))
    await ring.link("alpha", "beta", "event", policy=InterGroupPolicy(events=("alarm",)))
    assert await ring.send(ANN, "alpha", "beta", 1, event_type="alarm") == ("beta",)
    for content, more, why in (("x" * 30, {}, passing.TOO_LONG), (1, {"event_type": "party"}, passing.NOT_THIS)):
        with pytest.raises(PermissionError, match=why):
            await ring.send(ANN, "alpha", "beta", content, **more)


@pytest.mark.requirement("IGL-04")
async def test_a_closed_link_refuses_the_next_message(ring: Ring) -> None:
    link = await ring.link("alpha", "beta")
    await ring.send(ANN, "alpha", "beta", "one")
    await ring.links.close(link.id, by=agent(BEN))
    with pytest.raises(ConnectionError):
        await ring.send(ANN, "alpha", "beta", "two")
    assert [told["content"] for told in await ring.told("beta")] == ["one"]


@pytest.mark.requirement("IGL-04")
@pytest.mark.parametrize("hops", [3, 8])
async def test_a_ring_of_three_groups_that_relay_does_not_loop_a_message(ring: Ring, hops: int) -> None:
    relay = InterGroupPolicy(relay=True)
    for one, other in (("alpha", "beta"), ("beta", "gamma"), ("gamma", "alpha")):
        await ring.link(one, other, direction="forth", hops=hops, policy=relay)
    for _ in range(2):
        assert await ring.send(ANN, "alpha", "beta", "round", id="m1") == ("beta", "gamma")
    assert [len(await ring.told(name)) for name in ("alpha", "beta", "gamma")] == [0, 1, 1]
    assert (await ring.told("gamma"))[0]["path"] == ["alpha", "beta", "gamma"]


@pytest.mark.requirement("IGL-04")
async def test_members_who_pass_a_message_on_do_not_loop_it_either(ring: Ring) -> None:
    for one, other in (("alpha", "beta"), ("beta", "gamma"), ("gamma", "alpha")):
        await ring.link(one, other)
    await ring.send(ANN, "alpha", "beta", "round", id="m1")
    on = {"received": 0}
    assert (await ring.speech.route_inter_group_message("beta", "gamma", on, by=agent(BEN))).groups == ("gamma",)
    for sender, one, other in ((CID, "gamma", "alpha"), (CID, "gamma", "beta")):
        with pytest.raises(PermissionError, match=passing.BEEN_THERE):
            await ring.speech.route_inter_group_message(one, other, on, by=agent(sender))
    (told,) = await ring.told("gamma")
    assert (told["sender"], told["id"], told["path"]) == (ANN, "m1", ["alpha", "beta", "gamma"])
    assert await ring.send(ANN, "alpha", "gamma", "round", id="m1") == ("gamma",)
    assert len(await ring.told("gamma")) == 1
    for nothing in ({"received": 7}, {"received": -1}, {"received": True}):
        with pytest.raises(ServiceNotFoundError):
            await ring.speech.route_inter_group_message("beta", "gamma", nothing, by=agent(BEN))


@pytest.mark.requirement("IGL-04")
async def test_nothing_passes_more_links_than_each_of_them_allows(ring: Ring) -> None:
    relay = InterGroupPolicy(relay=True)
    await ring.link("alpha", "beta", hops=1, policy=relay)
    await ring.link("beta", "gamma", hops=1, policy=relay)
    assert await ring.send(ANN, "alpha", "beta", "far") == ("beta",)
    with pytest.raises(PermissionError, match=passing.TOO_FAR):
        await ring.speech.route_inter_group_message("beta", "gamma", {"received": 0}, by=agent(BEN))


async def test_an_id_stands_for_one_message_of_its_sender(ring: Ring) -> None:
    await ring.link("alpha", "beta")
    await ring.house.groups.create("alpha2", by=agent(ANN))
    await ring.send(ANN, "alpha", "beta", "one", id="m1")
    await ring.send(ANN, "alpha", "beta", "one", id="m1")
    with pytest.raises(Conflict):
        await ring.send(ANN, "alpha", "beta", "two", id="m1")
    await ring.house.groups.add("alpha", did("dan"), by=agent(ANN))
    await ring.house.groups.join("alpha", by=agent(did("dan")))
    await ring.send(did("dan"), "alpha", "beta", "two", id="m1")  # nobody takes an id from somebody else
    assert [told["content"] for told in await ring.told("beta")] == ["one", "two"]


@pytest.mark.parametrize("message", [{}, {"content": None}, {"content": 1, "id": ""}, {"content": 1, "id": "x" * 200},
                                     {"content": 1, "id": 7}, {"content": 1, "event_type": 5}])  # fmt: skip
async def test_what_is_no_message_is_refused(ring: Ring, message: dict[str, Any]) -> None:
    await ring.link("alpha", "beta")
    with pytest.raises(InvalidInput):
        await ring.speech.route_inter_group_message("alpha", "beta", message, by=agent(ANN))


@pytest.mark.requirement("IGL-01")
async def test_the_three_parts_can_be_injected_and_are_used(ring: Ring) -> None:
    asked: list[tuple[Any, ...]] = []

    class Two:
        async def get_group(self, group_id: str) -> Group:
            asked.append(("registry", group_id))
            return await GroupRegistry(ring.house.groups.store).get_group(group_id)

        async def is_member(self, group_id: str, who: str) -> bool:
            asked.append(("member", group_id, who))
            return True

        def connection(self, group1: Group, group2: Group, kind: str, by: Principal) -> PermissionResult:
            asked.append(("connection", group1.id, group2.id, kind, by.id))
            return PermissionResult.ALLOWED()

        def create(self, connection: InterGroupConnection) -> InterGroupPolicy:
            asked.append(("create", connection.id))
            return connection.policy

        def communication(self, connection: InterGroupConnection, parcel: Parcel, receiver: str) -> PermissionResult:
            asked.append(("communication", connection.id, parcel.sender, receiver))
            return PermissionResult.DENIED("not today") if parcel.content == "no" else PermissionResult.ALLOWED()

        async def route_message(self, sender_group: str, receiver_group: str, message: Parcel) -> tuple[str, ...]:
            asked.append(("broker", sender_group, receiver_group, message.content))
            return (receiver_group,)

    double = Two()
    speech = InterGroupCommunication(
        group_registry=double, inter_group_policies=double, communication_broker=double, links=ring.links
    )
    made = await speech.establish_group_connection("alpha", "beta", "message")
    await ring.links.consent(made.id)
    await speech.route_inter_group_message("alpha", "beta", {"content": "hi"}, by=agent(BEN))
    with pytest.raises(PermissionError, match="not today"):
        await speech.route_inter_group_message("alpha", "beta", {"content": "no"}, by=agent(BEN))
    assert asked[:6] == [
        ("registry", "alpha"), ("registry", "beta"), ("connection", "alpha", "beta", "message", "owner"),
        ("create", made.id), ("member", "alpha", BEN), ("communication", made.id, BEN, "beta"),
    ]  # fmt: skip
    assert asked[6] == ("broker", "alpha", "beta", "hi")


def test_a_message_goes_on_to_so_many_groups_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passing, "MOST_GROUPS", 5)
    now = datetime.fromisoformat("2026-01-01T00:00:00+00:00")

    def links(group: str) -> list[InterGroupConnection]:
        return [
            InterGroupConnection(
                id=other, group1=min(group, other), group2=max(group, other), connection_type="message", hops=8,
                state="active", policy=InterGroupPolicy(relay=True), established_at=now,
            )
            for other in (f"{group}0", f"{group}1", f"{group}2")
        ]  # fmt: skip

    parcel = passing.read({"content": 1}, ANN, "g", "id").at("h")
    assert [leg.group for leg in passing.onward(passing.Leg("h", parcel), links, now)] == [
        "h0",
        "h1",
        "h2",
        "h00",
        "h01",
    ]
