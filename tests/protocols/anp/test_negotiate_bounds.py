"""What strangers may bring about at the front door: bounded runs, capabilities and models; and no other's business."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from moothall.capability.decorators import capability
from moothall.capability.members import members_of
from moothall.errors import MoothallError, NegotiationRejected, RateLimited, ServiceNotFoundError, UnsupportedProfile
from moothall.events.model import Draft
from moothall.identity.principal import Principal
from moothall.llm.scripted import ScriptedLLM
from moothall.negotiation.protocol import desk, drafting, serving
from moothall.negotiation.protocol.limits import Limits
from moothall.negotiation.protocol.needs import Need
from moothall.negotiation.protocol.opened import OPENED
from moothall.negotiation.protocol.workshop import Workshop
from tests.protocols.anp import hall
from tests.protocols.anp.front_town import EasyJudge, FrontNode, front_node
from tests.protocols.anp.weather import CITY, NEED, WEATHER, Weather, forecast

DRAFTING = "natural_language_protocol_drafting"
SUM = Need(
    requirement="Add two numbers",
    input_schema={
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
        "required": ["a", "b"],
    },
    output_schema={"type": "object", "properties": {"result": {"type": "integer"}}, "required": ["result"]},
)


@capability(access="authenticated", name="forecast")
def grey(city: str) -> Weather:
    """Tell the weather forecast of a city."""
    return Weather(temperature=len(city), sky="grey")


@pytest.fixture
async def workshop() -> AsyncIterator[Workshop]:
    async with Workshop(judge=EasyJudge()) as made:
        yield made


@pytest.fixture
async def there(tmp_path: Path, workshop: Workshop) -> AsyncIterator[FrontNode]:
    async with front_node(tmp_path / "there", {"bob": (hall.add, forecast), "carl": (grey,)}, workshop) as found:
        yield found


@pytest.fixture
async def here(tmp_path: Path, workshop: Workshop) -> AsyncIterator[FrontNode]:
    async with front_node(tmp_path / "here", {"alice": ()}, workshop) as found:
        yield found


async def obtained(here: FrontNode, there: FrontNode, need: Need = NEED, agent: str = "bob") -> Any:
    until = here.log.clock.monotonic() + 50
    return await here.front.requests.obtain(here.speaker("alice"), there.did(agent), need, until)


async def spoken(here: FrontNode, found: Any, **arguments: Any) -> Any:
    return await here.front.requests.speak(here.speaker("alice"), found, arguments)


async def asked(here: FrontNode, there: FrontNode, operation: str, **body: Any) -> Any:
    """One request of Alice to Bob; of drafting, if it says nothing else."""
    whole = {"negotiation_id": operation, "mode": DRAFTING, "intent": {"name": "x"}, **body}
    return await here.front.requests.party.request("alice", here.did("alice"), there.did("bob"), operation, whole)


def agreed(node: FrontNode) -> set[str]:
    """The ids of the agreed protocols that are offered."""
    return {entry.id for entry in node.house.registry.snapshot.newest if ".protocol." in entry.id}


async def test_no_listing_shows_agreed_protocols_and_who_knows_one_may_call_it(
    here: FrontNode, there: FrontNode
) -> None:
    found = await obtained(here, there)
    assert agreed(there) == {f"bob.{found.capability}"}
    for door in ("anp", "http", "mcp", "a2a", "local"):
        seen = await there.house.path.visible(Principal(id=here.did("alice"), kind="did", binding="request"), door)
        assert not [entry.id for entry in seen if ".protocol." in entry.id]
    assert (await spoken(here, found, city="Rome"))["sky"] == "clear"
    with pytest.raises(NegotiationRejected):
        await asked(here, there, "op", mode="structured_selection", intent={"intentTags": ["protocol"]})


async def test_agents_that_speak_one_protocol_answer_each_for_itself_after_a_restart(
    here: FrontNode, there: FrontNode
) -> None:
    bobs, carls = await obtained(here, there), await obtained(here, there, agent="carl")
    assert bobs.capability == carls.capability
    for agent in ("bob", "carl"):
        there.house.registry.remove(f"{agent}.{bobs.capability}")
    await there.front.start()
    assert (await spoken(here, bobs, city="Rome"))["sky"] == "clear"
    assert (await spoken(here, carls, city="Rome"))["sky"] == "grey"


async def test_the_protocol_that_was_not_spoken_the_longest_makes_room_and_comes_back(
    here: FrontNode, there: FrontNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "MOST_OF_PEER", 1)
    first, second = await obtained(here, there), await obtained(here, there, SUM)
    assert agreed(there) == {f"bob.{second.capability}"}
    with pytest.raises(ServiceNotFoundError):
        await here.calls("alice", f"{there.did('bob')}#{first.capability}", {"request": {"city": "Rome"}})
    assert (await spoken(here, first, city="Rome"))["sky"] == "clear"
    assert agreed(there) == {f"bob.{first.capability}"}
    assert (await obtained(here, there, SUM)).source == "kept"
    assert agreed(there) == {f"bob.{second.capability}"}


@pytest.mark.requirement("WIRE-NEGO-05")
async def test_who_lost_a_right_since_the_agreement_has_nothing_of_it(here: FrontNode, there: FrontNode) -> None:
    found = await obtained(here, there)
    there.house.registry.configure("bob.forecast", access="owner")
    with pytest.raises(MoothallError) as refused:
        await spoken(here, found, city="Rome")
    assert "forecast" not in f"{refused.value} {refused.value.details}"
    there.house.registry.configure("bob.forecast", access="authenticated")
    assert (await spoken(here, found, city="Rome"))["sky"] == "clear"


async def test_a_protocol_whose_name_is_taken_is_not_spoken(here: FrontNode, there: FrontNode) -> None:
    found = await obtained(here, there)
    there.house.registry.remove(f"bob.{found.capability}")

    @capability(access="authenticated", name=found.capability)
    def other(request: dict[str, Any]) -> str:
        """Do something else."""
        return str(request)

    there.house.registry.add("bob", members_of(other))
    await there.front.start()
    with pytest.raises(UnsupportedProfile):
        await asked(here, there, "op", mode="structured_selection", candidateProtocols=["sha256:" + 64 * "0"])
    entry = there.house.registry.snapshot.find(f"bob.{found.capability}")
    assert entry is not None
    assert entry.spec.description == "Do something else."
    fresh = NEED.model_copy(update={"output_schema": {**WEATHER, "title": "Weather"}})
    again = await obtained(here, there, fresh)
    assert again.capability != found.capability


async def test_one_requester_begins_so_many_negotiations_in_an_hour(
    here: FrontNode, there: FrontNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafting, "HOURLY", 2)
    monkeypatch.setattr(drafting, "MODEL_HOURLY", 1)
    await asked(here, there, "one")
    await asked(here, there, "two")
    with pytest.raises(RateLimited) as refused:
        await asked(here, there, "three")
    assert 0 < refused.value.details["retry_after"] <= 3600
    await asked(here, there, "one")
    runs = await there.log.runs(kind="protocol.provide")
    opened = [(await there.log.load(run.id))[0].payload for run in runs]
    assert {each["negotiation"]: each["model"] for each in opened} == {"one": True, "two": False}


async def test_one_caller_holds_so_many_agreements_at_once(
    here: FrontNode, there: FrontNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "MOST_HELD", 1)
    wanted = {"mode": "structured_selection", "intent": {"name": "forecast"}}
    first = await asked(here, there, "one", **wanted)
    with pytest.raises(RateLimited):
        await asked(here, there, "two", **wanted)
    assert await asked(here, there, "one", **wanted) == first


async def test_a_negotiation_takes_so_many_messages(
    here: FrontNode, there: FrontNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafting, "MOST_POSTED", 2)
    words = {"message": {"action": "naturalLanguageNegotiation", "type": "REQUEST", "messageId": "m", "message": "?"}}
    with pytest.raises(NegotiationRejected):
        await asked(here, there, "one", candidateProtocols=[words] * 3)


@pytest.mark.requirement("WIRE-NEGO-05")
async def test_an_agreement_is_told_again_to_whoever_lost_the_reply(here: FrontNode, there: FrontNode) -> None:
    found = await obtained(here, there)
    async with asyncio.timeout(20):
        while await there.log.runs(status="open"):
            pass  # each look is a turn for the drivers
    last = {"candidateProtocols": [{"message": {"action": "transcriptSignature"}}], "receivedMessages": 99}
    reply = await asked(here, there, "again", negotiation_id=found.negotiation, **last)
    assert (reply.status, reply.selected.capability) == ("accepted", found.capability)


async def test_a_budget_goes_on_after_a_restart(tmp_path: Path, workshop: Workshop, there: FrontNode) -> None:
    humidity = {"type": "object", "properties": {"code": {"type": "integer"}, "humidity": {"type": "number"}}}
    proposed = {
        "requirements": "Tell the weather forecast of a city",
        "flow": "One request, one response",
        "request_schema": CITY,
        "response_schema": {**humidity, "required": ["code", "humidity"]},
    }
    script = ScriptedLLM([("Prompt protocol_propose", json.dumps({"protocol": proposed}))])
    need = Need(requirement="Tell the forecast of a city", input_description="some place", output_description="?")
    tight = Limits(message_timeout=20.0, max_llm_calls=1)
    async with front_node(tmp_path / "tight", {"alice": ()}, workshop, llm=script, limits=tight) as here:
        run = await here.front.requests.begin(here.speaker("alice"), there.did("bob"), need)
        await here.die_after("talk.propose")
        with pytest.raises(NegotiationRejected) as refused:
            await here.front.requests.outcome(run, there.did("bob"), here.log.clock.monotonic() + 50)
        assert refused.value.details["reason"] == "budget"
        spent = [event.payload for event in await here.log.load(run) if event.key == "spent.propose"]
        assert [each["calls"] for each in spent] == [1]


async def test_a_run_of_an_agent_elsewhere_is_left_to_the_process_that_has_it(there: FrontNode) -> None:
    opened = {"agent": "zoe", "did": "did:wba:a.example:zoe", "sender": "did:wba:b.example:x", "negotiation": "n"}
    await there.log.create("pn-zoe", "protocol.provide", [Draft("opened", OPENED, {**opened, "security": "s"})])
    async with asyncio.timeout(20):
        while (record := await there.log.get("pn-zoe")) is None or record.wake_at is None:
            pass  # each look is a turn for the drivers
    assert record.status == "open"
    assert [event.key for event in await there.log.load("pn-zoe")] == ["opened"]
