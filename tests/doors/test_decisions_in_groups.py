"""One decision in groups as at every door: what is said in a group asks the policy what a call by name asks it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from moothall import capability, group_message_handler
from moothall.errors import MoothallError, PermissionDeniedError, ServiceNotFoundError
from moothall.groups.model import NO_ACCESS
from tests.doors.house import ANNA, BEN, Door, House, Http, house
from tests.doors.refusals import denied, text_of
from tests.doors.socket_door import EVERY

pytestmark = pytest.mark.asyncio(loop_scope="module")

MUTED = """
@id("muted")
forbid (principal, action, resource is Moothall::Capability)
when { resource.id == "node.groups.send" && !principal.permissions.contains("write") };
"""
RAN: list[str] = []


@group_message_handler(group_id="support", permissions=["read"])
def vault(message: dict[str, Any]) -> str:
    """For those who may."""
    RAN.append("vault")
    return "opened"


@group_message_handler(group_id="support")
def counter(message: dict[str, Any]) -> str:
    """For everybody in the group."""
    return "served"


@group_message_handler(group_id="club")
def bar(message: dict[str, Any]) -> str:
    """For a group that ben is not in."""
    RAN.append("bar")
    return "cheers"


@capability(template="message", permissions=["read"])
def letters(message: dict[str, Any]) -> str:
    """Take what is said to this agent alone, by those who may."""
    RAN.append("letters")
    return "read"


async def furnished(place: House) -> None:
    """Two groups: anna and ben are in one of them, anna alone in the other; the hall is in both."""
    for group, members in (("support", (ANNA, BEN)), ("club", (ANNA,))):
        dids = [place.did(each) for each in ("hall", *members)]
        await place.near.call("local:groups.create", group=group, members=dids)
        for each in members:
            await of_node(place, Http(), "groups.join", each, group=group)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with house(tmp_path_factory.mktemp("groups"), vault, counter, bar, letters) as opened:
        await furnished(opened)
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hidden(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """The same at a node that conceals what its callers may not call."""
    async with house(tmp_path_factory.mktemp("hidden"), vault, counter, bar, letters, conceal=True) as opened:
        await furnished(opened)
        yield opened


@pytest.fixture(params=EVERY, ids=lambda door: door.name)
def door(request: pytest.FixtureRequest) -> Door:
    found: Door = request.param
    return found


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    RAN.clear()


async def of_node(place: House, door: Door, name: str, who: str, **params: Any) -> Any:
    """The value of one of the node's own capabilities, as JSON."""
    return json.loads(text_of(await door.caller(place, who).call(door.target(place, name, "node"), params)))


async def refused(place: House, door: Door, name: str, who: str, **params: Any) -> tuple[object, ...]:
    """All that a refusal of one of the node's own capabilities says."""
    with pytest.raises(MoothallError) as raised:
        await door.caller(place, who).call(door.target(place, name, "node"), params)
    error = raised.value
    return error.code, error.message, error.details, error.told and error.told.why


async def replies(place: House, door: Door, who: str) -> dict[str, Any]:
    """What the handlers answer to a message, by their ids."""
    sent = await of_node(place, door, "groups.send", who, group="support", content="open, please")
    return {reply["handler"]: reply for reply in sent["replies"]}


async def test_a_handler_refuses_a_message_by_the_decision_that_a_call_by_name_meets(place: House, door: Door) -> None:
    by_name = await denied(place, door, "vault")
    assert isinstance(by_name, PermissionDeniedError)
    said = await replies(place, door, BEN)
    assert said["hall.vault"]["error"] == "PERMISSION_DENIED"
    assert said["hall.vault"]["decision"] == by_name.details["decision"] == (await key(place))
    assert (said["hall.counter"]["content"], said["hall.counter"]["decision"]) == ("served", "")
    assert RAN == []
    assert (await replies(place, door, ANNA))["hall.vault"]["content"] == "opened"


async def key(place: House) -> object:
    """The key of ben's refusal at the handler, whatever the door."""
    keys = {(await denied(place, each, "vault")).details["decision"] for each in EVERY}
    assert len(keys) == 1
    return keys.pop()


async def test_another_handler_is_another_decision(place: House, door: Door) -> None:
    assert (await denied(place, door, "letters")).details["decision"] != await key(place)


async def test_a_refusal_is_told_to_who_asked_alone(place: House) -> None:
    await replies(place, Http(), BEN)
    mine = await of_node(place, Http(), "groups.history", BEN, group="support", limit=200)
    others = await of_node(place, Http(), "groups.history", ANNA, group="support", limit=200)
    assert str(await key(place)) in text_of(mine)
    assert "sha-256:" not in text_of(others)
    assert "PERMISSION_DENIED" not in text_of(others)


async def test_a_handler_that_one_may_not_call_stands_in_no_list_of_its_group(place: House, door: Door) -> None:
    shown = await of_node(place, door, "groups.show", ANNA, group="support")
    assert set(shown["handlers"]) == {"hall.vault", "hall.counter"}
    shown = await of_node(place, door, "groups.show", BEN, group="support")
    assert shown["handlers"] == ["hall.counter"]


@pytest.mark.requirement("TPL-31")
async def test_of_a_group_that_one_is_not_in_one_hears_what_one_hears_of_none(place: House, door: Door) -> None:
    for name, more in (("groups.send", {"content": "let me in"}), ("groups.show", {}), ("groups.history", {})):
        there = await refused(place, door, name, BEN, group="club", **more)
        assert there[0] == "PERMISSION_DENIED"
        assert there == await refused(place, door, name, BEN, group="nowhere", **more)
    event = {"group_id": "club", "event_type": "message", "event_data": {}}
    asked = [denied_event(place, door, {**event, "group_id": group}) for group in ("club", "nowhere")]
    assert (await asked[0]) == (await asked[1])
    assert RAN == []


async def denied_event(place: House, door: Door, event: dict[str, Any]) -> tuple[object, ...]:
    """The refusal of an event that somebody gives to a handler by its name."""
    with pytest.raises(PermissionDeniedError) as raised:
        await door.caller(place, BEN).call(door.target(place, "bar"), {"message": event})
    if door.name == "local":
        assert str(raised.value) == NO_ACCESS
    return raised.value.code, raised.value.message, raised.value.details


async def test_an_agent_that_takes_no_message_of_somebody_is_as_if_there_were_none(place: House, door: Door) -> None:
    there = await refused(place, door, "messages.send", BEN, to="hall", content="hi")
    assert there[0] == "PERMISSION_DENIED"
    assert there == await refused(place, door, "messages.send", BEN, to="nobody", content="hi")
    assert RAN == []
    sent = await of_node(place, door, "messages.send", ANNA, to="hall", content="hi")
    assert [(reply["handler"], reply["content"]) for reply in sent["replies"]] == [("hall.letters", "read")]


async def test_where_denials_are_concealed_a_message_meets_no_handler_that_one_may_not_call(
    hidden: House, door: Door
) -> None:
    before = await of_node(hidden, door, "groups.send", BEN, group="support", content="one")
    after = await of_node(hidden, door, "groups.send", BEN, group="support", content="two")
    assert [reply["handler"] for reply in before["replies"]] == ["hall.counter"]
    assert after["seq"] == before["seq"] + 2  # the message and the one answer: nothing else took a place
    assert "vault" not in text_of([before, after])
    assert "sha-256:" not in text_of([before, after])
    shown = await of_node(hidden, door, "groups.show", BEN, group="support")
    assert shown["handlers"] == ["hall.counter"]
    assert RAN == []
    assert (await replies(hidden, door, ANNA))["hall.vault"]["content"] == "opened"


async def test_where_denials_are_concealed_a_handler_is_like_a_name_that_nobody_has(hidden: House, door: Door) -> None:
    there, nobody = await denied(hidden, door, "vault"), await denied(hidden, door, "nothing")
    assert isinstance(there, ServiceNotFoundError)
    assert (there.code, there.message) == (nobody.code, nobody.message)
    assert "vault" not in f"{there} {there.details} {there.told}"


async def test_who_may_not_speak_in_groups_has_one_decision_for_that_at_every_door(tmp_path: Path) -> None:
    rules = tmp_path / "near" / "policy"
    rules.mkdir(parents=True)
    (rules / "muted.cedar").write_text(MUTED, encoding="utf-8")
    async with house(tmp_path, vault, counter, bar, letters) as place:
        await furnished(place)
        said = {
            each.name: await refused(place, each, "groups.send", BEN, group="support", content="x") for each in EVERY
        }
        keys = {str(details["decision"]) for _, _, details, _ in said.values() if isinstance(details, dict)}
        assert len(keys) == 1
        assert keys.pop().startswith("sha-256:")
        history = await of_node(place, Http(), "groups.history", ANNA, group="support", limit=200)
        assert not [one for one in history["messages"] if one["type"] == "group.message"]
        assert (await replies(place, Http(), ANNA))["hall.vault"]["content"] == "opened"
