"""A whole node whose agents are negotiated with over frames (rows WIRE-NEGO-15, META-BOB-03)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from moothall.capability.agents import Agent
from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.errors import NegotiationRejected, ServiceNotFoundError, SessionEnded, UpstreamError
from moothall.node import Node
from moothall.simple_node.node import SimpleNegotiationNode
from tests.protocols.frames.town import served
from tests.simple_node.pair import REQUIREMENT, TITLES, said, simple

INPUT, OUTPUT = "user_id: string, required", '{"titles": ["A course"]}'
SEEN: list[str] = []


class Courses(BaseModel):
    titles: list[str]


class Salary(BaseModel):
    salary: int


@capability(access="authenticated", read_only=True)
def completed_courses(ctx: CallContext, user_id: str) -> Courses:
    """Look up the completed courses of a user.

    Args:
        user_id: whose
    """
    SEEN.append(ctx.principal.id)
    if user_id == "nobody":
        raise ServiceNotFoundError("there is no such user")
    if user_id == "broken":
        raise RuntimeError("secrets of the house")
    return Courses(titles=TITLES.get(user_id, []))


@capability(access="owner")
def salary(user_id: str) -> Salary:
    """Look up the salary of a user."""
    return Salary(salary=len(user_id))


@pytest.fixture
async def school(tmp_path: Path) -> AsyncIterator[Node]:
    SEEN.clear()
    async with served(tmp_path / "school", speaks=True) as node:
        node.add(Agent("registry", completed_courses, salary))
        yield node


@pytest.fixture
async def alice(tmp_path: Path) -> AsyncIterator[SimpleNegotiationNode]:
    async with simple(tmp_path / "alice") as node:
        yield node


def did(node: Node, agent: str = "registry") -> str:
    identity = node.host.office.agent(agent)
    assert identity is not None
    return identity.did.text


@pytest.mark.requirement("WIRE-NEGO-15", "META-BOB-03")
async def test_an_agreed_protocol_is_answered_by_a_capability_called_as_the_visitor(
    school: Node, alice: SimpleNegotiationNode
) -> None:
    session = await alice.connect_to_did_with_negotiation(did(school), REQUIREMENT, INPUT, OUTPUT)
    assert await session.code_generated(), session.meta.error
    users = ["u-1", "u-2", "u-3"]
    asked = [session.requester_instance.call({"user_id": user}) for user in users]
    assert await asyncio.gather(*asked) == [{"titles": TITLES.get(user, [])} for user in users]
    assert set(SEEN) == {alice.did}
    missing = await session.requester_instance.send_request({"user_id": "nobody"})
    assert missing["code"] == 404
    with pytest.raises(UpstreamError) as failure:
        await session.requester_instance.call({"user_id": "broken"})
    assert failure.value.details["code"] == 500
    assert "secrets" not in str(await session.requester_instance.send_request({"user_id": "broken"}))
    assert session.module_path.name in {each.name for each in (school.settings.data / "protocols/registry").iterdir()}
    await session.close()

    again = await alice.connect_to_did_with_negotiation(did(school), REQUIREMENT, INPUT, OUTPUT)
    assert await again.code_generated()
    assert set(said(again)) == {"codeGeneration"}
    await again.close()


@pytest.mark.requirement("WIRE-NEGO-15")
async def test_what_the_visitor_may_not_call_is_not_offered(school: Node, alice: SimpleNegotiationNode) -> None:
    with pytest.raises(NegotiationRejected):
        await alice.connect_to_did_with_negotiation(
            did(school), "Look up the salary of a user", INPUT, '{"salary": 5000}'
        )
    assert SEEN == []


@pytest.mark.requirement("WIRE-NEGO-15")
async def test_a_node_that_stops_ends_its_sessions(alice: SimpleNegotiationNode, tmp_path: Path) -> None:
    async with served(tmp_path / "short", speaks=True) as node:
        node.add(Agent("registry", completed_courses))
        session = await alice.connect_to_did_with_negotiation(did(node), REQUIREMENT, INPUT, OUTPUT)
        assert await session.code_generated()
    async with asyncio.timeout(10):
        await session.meta.over.wait()
    with pytest.raises(SessionEnded):
        await session.requester_instance.call({"user_id": "u-1"})
