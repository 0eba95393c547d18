"""Protocols that are drafted over ``anp.negotiate`` by two nodes, without a model, and spoken afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from moothall.capability.decorators import capability
from moothall.errors import NegotiationRejected
from moothall.negotiation.protocol import artifact as artifacts
from moothall.negotiation.protocol import document as documents
from moothall.negotiation.protocol.needs import Need
from moothall.negotiation.protocol.requesting import transcript_in
from moothall.negotiation.protocol.transcript import Transcript, verify
from moothall.negotiation.protocol.workshop import Workshop
from tests.protocols.anp import hall
from tests.protocols.anp.front_town import EasyJudge, FrontNode, front_node

CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
WEATHER = {
    "type": "object",
    "properties": {"temperature": {"type": "integer"}, "sky": {"type": "string"}},
    "required": ["temperature", "sky"],
}
NEED = Need(requirement="Tell the weather forecast of a city", input_schema=CITY, output_schema=WEATHER)


class Weather(BaseModel):
    temperature: int
    sky: str


@capability(access="authenticated", name="forecast")
def forecast(city: str) -> Weather:
    """Tell the weather forecast of a city."""
    return Weather(temperature=len(city), sky="clear")


@pytest.fixture
async def workshop() -> AsyncIterator[Workshop]:
    async with Workshop(judge=EasyJudge()) as made:
        yield made


@pytest.fixture
async def there(tmp_path: Path, workshop: Workshop) -> AsyncIterator[FrontNode]:
    async with front_node(tmp_path / "there", {"bob": (hall.add, forecast)}, workshop) as found:
        yield found


@pytest.fixture
async def here(tmp_path: Path, workshop: Workshop) -> AsyncIterator[FrontNode]:
    async with front_node(tmp_path / "here", {"alice": (hall.hello,), "carol": ()}, workshop) as found:
        yield found


async def obtained(here: FrontNode, there: FrontNode, agent: str = "alice", need: Need = NEED) -> Any:
    until = here.log.clock.monotonic() + 50
    return await here.front.requests.obtain(here.speaker(agent), there.did("bob"), need, until)


async def test_two_nodes_draft_a_protocol_and_speak_it(here: FrontNode, there: FrontNode) -> None:
    spoken = await obtained(here, there)
    assert spoken.source == "negotiated"
    speaker = here.speaker("alice")
    assert await here.front.requests.speak(speaker, spoken, {"city": "Turin"}) == {"temperature": 5, "sky": "clear"}
