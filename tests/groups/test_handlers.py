"""Events of groups and messages reach the handlers they are for, and what those answer reaches who asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest
import pytest_asyncio

from moothall import ANPUser, anp_service, group_message_handler
from moothall.capability.decorators import capability
from moothall.capability.options import OptionError
from moothall.errors import PermissionDeniedError
from moothall.groups.listening import Listening
from moothall.groups.mailboxes import MailboxLimits
from moothall.groups.model import NO_ACCESS, Member, mailbox_of
from tests.groups.street import ANNA, BEN, Street, street

pytestmark = pytest.mark.asyncio(loop_scope="module")

HEARD: list[tuple[str, Any]] = []


@group_message_handler(group_id="support")
def handle_support(message: dict[str, Any]) -> dict[str, str]:
    """Handle messages of the group support."""
    HEARD.append(("support", message))
    return {"status": "received", "response": "We'll help you soon"}


@anp_service(template="group", scope="anp", name="everything")
async def handle_group_message(group_id: str, event_type: str, event_data: dict[str, Any]) -> dict[str, str] | None:
    """Handle events of every group that the agent is in."""
    HEARD.append(("everything", (group_id, event_type, event_data)))
    return {"response": f"收到消息: {event_data.get('content')}"} if event_type == "message" else None


@group_message_handler
async def bare(message: dict[str, Any]) -> None:
    """Handle messages of every group, with the decorator alone."""
    HEARD.append(("bare", message))


@anp_service(template="group", group_id="loud", broadcast_result=True)
def shout(group_id: str, event_type: str, event_data: dict[str, Any]) -> str | None:
    """Tell all others."""
    return f"{event_data['sender']} said so" if event_type == "message" else None


@group_message_handler(group_id="band")
def one_now(message: dict[str, Any]) -> str:
    """Take the whole event at once."""
    HEARD.append(("band", tuple(message.values())))
    return "one now"


@group_message_handler
async def one_later(message: dict[str, Any]) -> str:
    """The same, with the decorator alone."""
    HEARD.append(("band", tuple(message.values())))
    return "one later"


@anp_service(template="group", group_id="band")
def three_now(group_id: str, event_type: str, event_data: dict[str, Any]) -> str | None:
    """Take its three parts."""
    HEARD.append(("band", (group_id, event_type, event_data)))
    return "three now"


@anp_service(template="group", group_id="band")
async def three_later(group_id: str, event_type: str, event_data: dict[str, Any]) -> str | None:
    """Take its three parts, later."""
    HEARD.append(("band", (group_id, event_type, event_data)))
    return "three later"


desk = ANPUser("desk", handle_support, handle_group_message)
crier = ANPUser("crier", shout)
plain = ANPUser("plain", bare)
band = ANPUser("band", one_now, one_later, three_now, three_later)


@desk.expose_api("/hello", access="authenticated")
async def hello(name: str) -> str:
    """Greet."""
    HEARD.append(("api", name))
    return f"hello {name}"


@plain.register_message_handler(access="authenticated")
def said(message: dict[str, Any]) -> str:
    """Handle what is said to this agent alone."""
    HEARD.append(("said", message))
    return f"you said {message['content']}"


@desk.register_message_handler
async def private(sender: str, message: dict[str, Any]) -> str:
    """Handle what the owner says."""
    HEARD.append(("private", (sender, message)))
    return "yes"


@plain.register_group_event_handler(group_id="club")
def moved(event: dict[str, Any]) -> str:
    """Handle events of one group."""
    HEARD.append(("moved", event))
    return str(event["event_type"])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Street]:
    async with street(tmp_path_factory.mktemp("handlers"), desk, crier, plain, band) as made:
        await made.near.call("local:groups.create", group="support", members=[made.near_did("desk"), made.anna])
        await made.near.call("local:groups.create", group="other", members=[made.near_did("desk"), made.anna])
        await made.near.call("local:groups.create", group="loud", members=[made.near_did("crier"), made.anna, made.ben])
        await made.near.call("local:groups.create", group="club", members=[made.near_did("plain")])
        await made.near.call("local:groups.create", group="band", members=[made.near_did("band"), made.anna])
        for group in ("support", "other", "loud", "band"):
            await made.done(ANNA, "groups.join", group=group)
        await made.done(BEN, "groups.join", group="loud")
        yield made


@pytest.fixture(autouse=True)
def _nothing_heard() -> None:
    HEARD.clear()


def heard(name: str) -> list[Any]:
    return [what for who, what in HEARD if who == name]


@pytest.mark.requirement("DEC-45", "DEC-07", "TPL-31")
async def test_a_message_in_its_group_runs_the_handler_once_and_its_reply_reaches_the_sender(place: Street) -> None:
    sent = await place.done(ANNA, "groups.send", group="support", content="my screen is dark")
    replies = {reply["handler"]: reply["content"] for reply in sent["replies"]}
    assert replies["desk.handle_support"] == {"status": "received", "response": "We'll help you soon"}
    (message,) = heard("support")
    assert (message["group_id"], message["event_type"]) == ("support", "message")
    assert message["event_data"]["content"] == "my screen is dark"
    assert message["event_data"]["sender"] == place.anna


@pytest.mark.requirement("DEC-45")
async def test_a_message_in_another_group_does_not_run_it(place: Street) -> None:
    await place.done(ANNA, "groups.send", group="other", content="hello")
    assert heard("support") == []
    assert len(heard("everything")) == 1


@pytest.mark.requirement("TPL-32")
async def test_handlers_of_both_shapes_get_the_same_event(place: Street) -> None:
    sent = await place.done(ANNA, "groups.send", group="support", content={"deep": [1]}, message_id="both")
    (message,) = heard("support")
    (given,) = heard("everything")
    assert tuple(message.values()) == given
    assert given[2]["content"] == {"deep": [1]}
    assert [reply["content"] for reply in sent["replies"] if reply["handler"] == "desk.everything"] == [
        {"response": "收到消息: {'deep': [1]}"}
    ]


@pytest.mark.requirement("TPL-32")
async def test_handlers_of_both_shapes_get_it_at_once_or_later(place: Street) -> None:
    sent = await place.done(ANNA, "groups.send", group="band", content="play")
    answers = {reply["handler"]: reply["content"] for reply in sent["replies"]}
    assert answers == {
        "band.one_now": "one now",
        "band.one_later": "one later",
        "band.three_now": "three now",
        "band.three_later": "three later",
    }
    events = heard("band")
    assert len(events) == 4
    assert all(event == events[0] for event in events)
    assert (events[0][:2], events[0][2]["content"]) == (("band", "message"), "play")
    assert events[0][2]["sender"] == place.anna


async def test_a_message_that_is_sent_again_is_said_and_handled_once(place: Street) -> None:
    first = await place.done(ANNA, "groups.send", group="support", content="again", message_id="twice")
    again = await place.done(ANNA, "groups.send", group="support", content="again", message_id="twice")
    assert first == again
    assert len(heard("support")) == 1
    status, error = await place.post(ANNA, "groups.send", group="support", content="another", message_id="twice")
    assert (status, error["code"]) == (409, "CONFLICT")


@pytest.mark.requirement("TPL-31")
async def test_an_event_of_somebody_who_is_not_in_the_group_runs_no_handler(place: Street) -> None:
    for group in ("support", "nothing-of-this-name"):
        status, error = await place.post(BEN, "groups.send", group=group, content="let me in")
        assert (status, error["code"]) == (403, "PERMISSION_DENIED")
    event = {"group_id": "support", "event_type": "message", "event_data": {"sender": place.anna, "content": "x"}}
    direct, _ = await place.post(BEN, "desk.everything", **event)
    assert direct == 403
    assert HEARD == []


@pytest.mark.requirement("TPL-31")
async def test_in_process_the_error_has_the_text_of_the_specification(place: Street) -> None:
    stranger = place.near.caller(principal=place.near.host.authority.engine.principal(place.ben))
    with pytest.raises(PermissionError) as refused:
        await stranger.call("local:groups.send", group="support", content="let me in")
    assert str(refused.value) == NO_ACCESS == "无群组访问权限"
    event = {"group_id": "support", "event_type": "message", "event_data": {}}
    with pytest.raises(PermissionDeniedError) as direct:  # of a group that the caller is in, for one that it is not
        await place.near.call("local:crier.shout", **event)
    assert str(direct.value) == NO_ACCESS


@pytest.mark.requirement("TPL-33")
async def test_a_result_that_is_broadcast_reaches_everybody_but_the_sender_once(place: Street) -> None:
    await place.done(ANNA, "groups.send", group="loud", content="listen", message_id="news")
    ours = place.near.call("local:groups.history", group="loud", limit=200)
    bens = await place.done(BEN, "groups.history", group="loud", limit=200)
    annas = await place.done(ANNA, "groups.history", group="loud", limit=200)

    def told(messages: list[Any]) -> list[str]:
        replies = [each if isinstance(each, dict) else each.model_dump() for each in messages]
        return [one["content"] for one in replies if one["type"] == "group.reply" and one["data"]["reply_to"] == "news"]

    assert told(bens["messages"]) == told((await ours).messages) == [f"{place.anna} said so"]
    assert told(annas["messages"]) == []


@pytest.mark.requirement("TPL-34")
async def test_handlers_are_listed_under_their_group(place: Street) -> None:
    shown = await place.done(ANNA, "groups.show", group="support")
    assert {"desk.handle_support", "desk.everything"} <= set(shown["handlers"])
    assert "crier.shout" not in shown["handlers"]
    status, _ = await place.post(BEN, "groups.show", group="support")
    assert status == 403


@pytest.mark.requirement("TPL-35", "DEC-01")
async def test_joining_speaking_and_leaving_are_events_of_three_types(place: Street) -> None:
    await place.near.call("local:groups.add", group="club", member=place.ben)
    assert heard("moved") == []  # an invitation is no event
    await place.done(BEN, "groups.join", group="club")
    sent = await place.done(BEN, "groups.send", group="club", content="hi")
    await place.done(BEN, "groups.leave", group="club")
    events = heard("moved")
    assert [event["event_type"] for event in events] == ["join", "message", "leave"]
    assert {event["event_data"]["sender"] for event in events} == {place.ben}
    assert events[1]["event_data"]["content"] == "hi"
    assert [reply["content"] for reply in sent["replies"] if reply["handler"] == "plain.moved"] == ["message"]
    status, _ = await place.post(BEN, "groups.send", group="club", content="still here?")
    assert status == 403


@pytest.mark.requirement("DEC-01", "DEC-07")
async def test_each_of_the_three_names_of_an_agent_registers_what_answers(place: Street) -> None:
    answer = await place.post(ANNA, "desk.hello", name="anna")
    assert answer == (200, "hello anna")
    assert heard("api") == ["anna"]
    sent = await place.done(ANNA, "messages.send", to=place.near_did("plain"), content="hi", message_id="m")
    again = await place.done(ANNA, "messages.send", to="plain", content="hi", message_id="m")
    assert (
        sent["replies"]
        == again["replies"]
        == [
            {
                "agent": place.near_did("plain"),
                "handler": "plain.said",
                "content": "you said hi",
                "error": "",
                "message": "",
                "decision": "",
            }
        ]
    )
    assert [one["sender"] for one in heard("said")] == [place.anna]
    box = await place.near.call("local:messages.list", agent="plain")
    assert [(one.sender, one.content) for one in box.messages if one.id == "m"] == [(place.anna, "hi")]


async def test_who_may_not_call_the_handler_cannot_write_to_the_agent(place: Street) -> None:
    for to in ("desk", "crier", "nobody"):
        status, error = await place.post(ANNA, "messages.send", to=to, content="hi")
        assert (status, error["code"]) == (403, "PERMISSION_DENIED")
    status, _ = await place.post(ANNA, "messages.list", agent="plain")
    assert status == 403
    sent = await place.near.call("local:messages.send", to="desk", content="hi")
    assert [reply.content for reply in sent.replies] == ["yes"]
    assert heard("private")[0][0] == place.near_did("node")


@pytest.mark.requirement("GRP-07", "GRP-08")
async def test_who_may_write_to_whom_is_the_policy_of_the_group(place: Street) -> None:
    near = place.near
    roles = {place.anna: "finance", place.ben: "health"}
    rule = {"sender": "finance", "receiver": "health"}
    await near.call("local:groups.create", group="family", members=roles, policy={"rules": [rule]})
    for who in (ANNA, BEN):
        await place.done(who, "groups.join", group="family")
    status, error = await place.post(ANNA, "groups.send", group="family", content="pay", to=[place.ben])
    assert status == 403
    assert "Communication blocked by group policy" in error["message"]
    status, error = await place.post(ANNA, "groups.send", group="family", content="pay", to=[place.near_did("desk")])
    assert status == 403
    assert "Communication not allowed outside group" in error["message"]
    await place.done(BEN, "groups.send", group="family", content="well", to=[place.anna])
    await place.done(ANNA, "groups.send", group="family", content="to all")

    async def contents(who: str) -> list[Any]:
        page = await place.done(who, "groups.history", group="family")
        return [one["content"] for one in page["messages"] if one["type"] == "group.message"]

    assert await contents(ANNA) == ["well", "to all"]
    assert await contents(BEN) == ["well"]  # finance may not message health, not even by speaking to everybody
    ours = await near.call("local:groups.history", group="family")
    assert [one.content for one in ours.messages if one.type == "group.message"] == ["to all"]


async def test_a_message_has_a_most_of_bytes(place: Street) -> None:
    status, error = await place.post(ANNA, "groups.send", group="support", content="x" * 70_000)
    assert (status, error["code"]) == (413, "TOO_LARGE")
    assert HEARD == []


@pytest.mark.requirement("DEC-07", "TPL-32")
async def test_a_handler_that_cannot_be_given_what_it_is_for_is_refused_where_it_stands() -> None:
    async def two(group_id: str, event_type: str) -> None: ...
    async def none() -> None: ...
    async def one(message: dict[str, Any]) -> None: ...

    for template, function in (("group", two), ("group", none), ("message", none)):
        with pytest.raises(OptionError):
            capability(template=template)(function)
    with pytest.raises(OptionError):
        capability(group_id="support")(one)
    with pytest.raises(OptionError):
        capability(template="telepathy")(one)


@pytest.mark.requirement("TPL-34")
async def test_of_handlers_of_agents_that_are_not_in_a_group_its_members_learn_nothing(place: Street) -> None:
    await place.near.call("local:groups.create", group="quiet", members=[place.near_did("crier"), place.anna])
    await place.done(ANNA, "groups.join", group="quiet")
    shown = await place.done(ANNA, "groups.show", group="quiet")
    assert shown["handlers"] == []  # those of `desk` and `plain` are for every group that these are in


@pytest.mark.requirement("GRP-08", "TPL-33")
async def test_rules_about_roles_hold_for_what_handlers_answer_to_everybody(place: Street) -> None:
    near, crier = place.near, place.near_did("crier")
    await near.call("local:groups.transfer", group="loud", owner=near.host.office.did("node"))
    await near.call("local:groups.add", group="loud", member=crier, role="finance")
    await near.call("local:groups.add", group="loud", member=place.ben, role="health")
    await near.call(
        "local:groups.policy", group="loud", policy={"rules": [{"sender": "finance", "receiver": "health"}]}
    )
    await place.done(ANNA, "groups.send", group="loud", content="budget", message_id="budget")
    page = await place.done(BEN, "groups.history", group="loud", limit=200)
    assert [one["content"] for one in page["messages"] if one["id"] == "budget"] == ["budget"]
    assert not [one for one in page["messages"] if one["data"].get("reply_to") == "budget"]


async def test_a_mailbox_keeps_a_number_of_messages_whatever_places_they_have(
    place: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    near, box = place.near, mailbox_of(place.near_did("desk"))
    monkeypatch.setattr(near.host.grouping.mailboxes, "_limits", MailboxLimits(messages=4, share=0.25))
    for number in range(12):  # one sender, who has its share of what waits; what was answered does not
        sent = await near.call("local:messages.send", to="desk", content=number)
        assert [reply.error for reply in sent.replies] == [""]
    kept = await near.host.grouping.talk.topics.load(box)
    assert [event.payload["content"] for event in kept if event.public] == [9, 10, 11]
    assert len(kept) == 6  # with the answers


@pytest.mark.requirement("TPL-31", "GRP-09")
async def test_of_who_was_taken_out_before_its_message_was_handled_nobody_speaks_instead(place: Street) -> None:
    grouping = place.near.host.grouping
    channel, now = grouping.talk.channel("support"), place.near.clock.now()
    for who, said in ((place.ben, "of old"), (place.anna, "of now")):  # as another process would have taken them
        await channel.say(Member(member=who, joined_at=now), said, said)
    engine = place.near.host.authority.engine
    listening = Listening(grouping.talk, engine.principal, place.near.clock.monotonic)
    listening.start()
    try:
        async with asyncio.timeout(10), aclosing(grouping.talk.topics.follow(channel.topic)) as events:
            async for event in events:
                if event.payload.get("reply_to") == "of now":
                    break
    finally:
        await listening.rest()
    contents = [message["event_data"]["content"] for message in heard("support")]
    assert "of now" in contents
    assert "of old" not in contents
