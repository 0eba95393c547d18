"""A remote agent takes part through an adapter, with no change to the engine (row NEG-ADR-01)."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from moothall.negotiation.demand.models import AgentResponse
from moothall.negotiation.demand.participants import OfferAnswer, ParticipantUnreachableError, ReviewAnswer
from moothall.negotiation.demand.plan_models import ProposalFeedback
from moothall.negotiation.demand.wire import DemandOffer, ProposalReview
from moothall.node import Node
from tests.support.demand import Script, negotiate, of_type, profile, running

DEMAND = "我想在北京办一场AI主题聚会，需要场地和嘉宾"
TRIO = (profile("venue", "场地提供"), profile("speaker", "演讲嘉宾"), profile("planner", "活动策划"))
REMOTE_AGENT = """
import json
from http.server import BaseHTTPRequestHandler, HTTPServer

class Agent(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert self.headers["Idempotency-Key"]
        if body["type"] == "demand_offer":
            answer = {"decision": "participate", "contribution": "来自另一个进程的场地", "reasoning": "有空"}
        else:
            answer = {"feedback_type": "accept", "reasoning": "同意第%d轮方案" % body["round"]}
        data = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass

server = HTTPServer(("127.0.0.1", 0), Agent)
print(server.server_port, flush=True)
server.serve_forever()
"""


class OverHttp:
    """The adapter: an invitation or a plan goes out as JSON, the answer comes back as JSON."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def offer(self, invitation: DemandOffer, *, key: str) -> OfferAnswer:
        return AgentResponse.model_validate(await self._ask(invitation.model_dump(mode="json"), key))

    async def review(self, request: ProposalReview, *, key: str) -> ReviewAnswer:
        return ProposalFeedback.model_validate(await self._ask(request.model_dump(mode="json"), key))

    async def _ask(self, body: dict[str, Any], key: str) -> Any:
        try:
            async with httpx.AsyncClient() as client:
                reply = await client.post(self._url, json=body, headers={"Idempotency-Key": key})
                return reply.raise_for_status().json()
        except httpx.HTTPError as error:
            raise ParticipantUnreachableError(self._url) from error


@asynccontextmanager
async def remote_agent() -> AsyncIterator[str]:
    """An agent in a second process; its URL."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", REMOTE_AGENT, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(await process.stdout.readline())}/"
    finally:
        process.kill()
        await process.wait()


@pytest.mark.requirement("NEG-ADR-01")
async def test_an_agent_in_another_process_takes_part_like_any_other(tmp_path: Path) -> None:
    async with remote_agent() as url:

        def speaker(node: Node, of: Any) -> Any:
            return OverHttp(url) if of.agent_id == "user_agent_venue" else node.persona(of)

        async with running(tmp_path, TRIO, participants=speaker) as node:
            events = await negotiate(node, DEMAND)
    offers = {item["agent_id"]: item["contribution"] for item in of_type(events, "offer.submitted")}
    assert offers["user_agent_venue"] == "来自另一个进程的场地"
    answers = {item["agent_id"]: item["reasoning"] for item in of_type(events, "proposal.feedback")}
    assert answers["user_agent_venue"] == "同意第1轮方案"
    assert of_type(events, "proposal.finalized")[0]["consensus"] == "full"


async def test_an_agent_that_cannot_be_reached_is_no_refusal(tmp_path: Path) -> None:
    def speaker(node: Node, of: Any) -> Any:
        return OverHttp("http://127.0.0.1:9/") if of.agent_id == "user_agent_planner" else node.persona(of)

    async with running(tmp_path, TRIO, participants=speaker) as node:
        events = await negotiate(node, DEMAND)
    assert len(of_type(events, "offer.submitted")) == 2
    assert of_type(events, "proposal.finalized")[0]["consensus"] == "partial"


async def test_the_words_of_an_agent_turn_no_others_around_and_hide_nothing(tmp_path: Path) -> None:
    offer = AgentResponse(
        decision="participate", contribution="场\u202e地\x07", reasoning="有\u2066空", conditions=("茶\u200f歇",)
    )
    review = ProposalFeedback(feedback_type="accept", reasoning="同\u202e意\n好")
    scripts = {"venue": Script(offer=offer, reviews=(review,))}
    async with running(tmp_path, TRIO, scripts) as node:
        events = await negotiate(node, DEMAND)
    (made,) = (item for item in of_type(events, "offer.submitted") if item["agent_id"] == "user_agent_venue")
    assert (made["contribution"], made["reasoning"], made["conditions"]) == ("场地", "有空", ["茶歇"])
    (said,) = (item for item in of_type(events, "proposal.feedback") if item["agent_id"] == "user_agent_venue")
    assert said["reasoning"] == "同意\n好"
