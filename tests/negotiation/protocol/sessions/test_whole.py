"""The whole way: agree after a counter-proposal, agree on tests, generate both halves, pass the gate, talk business."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from moothall.canonical import canonical
from moothall.negotiation.protocol.module_files import read_module
from moothall.negotiation.protocol.workshop import Workshop
from tests.negotiation.protocol.sessions.joined import NEED, PLAIN_NEED, REQUEST, RESPONSE, case, protocol
from tests.negotiation.protocol.sessions.pairs import SCHOOLS, Pair, scripted

CALLS = 1_000


@pytest.fixture
async def workshop() -> AsyncIterator[Workshop]:
    async with Workshop() as made:
        yield made


async def talk_business(pair: Pair, need: Any) -> None:
    session, other = await pair.sessions(need)
    for side in (session, other):
        module = next(iter(read_module(side.module_path).halves.values()))
        assert module.manifest.provenance.writer == "template"
        assert module.policy
    users = ["u1", "u2", "nobody"]
    for start in range(0, CALLS, 20):
        asked = [users[n % 3] for n in range(start, start + 20)]
        found = await asyncio.gather(*(session.requester_instance.call({"user_id": user}) for user in asked))
        assert found == [{"schools": SCHOOLS.get(user, [])} for user in asked]


@pytest.mark.requirement("META-PROTO-01", "META-PROTO-14", "META-GEN-03", "META-BOB-10")
async def test_with_models_both_sides_agree_generate_test_and_make_a_thousand_calls_without_a_model(
    tmp_path: Path, workshop: Workshop
) -> None:
    text = protocol("Get the schools of a user, by id.")
    one, two = case("known", "u1", "Wuhan University"), case("nobody", "u9")
    alice = scripted(cases={"cases": [one]})
    bob = scripted(
        evaluate={"status": "negotiating", "candidate_protocols": text, "modification_summary": "ids only"},
        judge_cases={"status": "negotiating", "cases": [one, two], "modification_summary": "one more"},
    )
    async with Pair(tmp_path, workshop, llms=(alice, bob)) as pair:
        await talk_business(pair, NEED)
        assert pair.alice.protocol == pair.bob.protocol == text
        assert pair.alice.cases == pair.bob.cases == (one, two)
        assert alice.calls == 4  # the proposal, the counter-proposal, its cases, the other's cases
        assert bob.calls == 2


@pytest.mark.requirement("META-GEN-05", "META-PROTO-01")
async def test_without_any_model_a_need_in_schemas_goes_the_same_way(tmp_path: Path, workshop: Workshop) -> None:
    async def knows(requirement: str, input_description: str, output_description: str) -> str:
        return canonical(offered).decode()

    schools = {**RESPONSE, "properties": {"schools": RESPONSE["properties"]["schools"]}, "required": ["schools"]}
    offered = {
        "capabilities": [
            {
                "target": "schools.of_user",
                "description": "Get the schools of a user",
                "input": REQUEST,
                "output": schools,
            }
        ]
    }
    async with Pair(tmp_path, workshop, llms=(None, None), capability=knows, codegen="schema") as pair:
        await talk_business(pair, PLAIN_NEED)
