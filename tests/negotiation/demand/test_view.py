"""What is read of a demand is a projection of its log: the same at every moment, for everybody."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest

from moothall.directory.profiles import AgentProfile
from moothall.events.model import Event, RunRecord
from moothall.llm.decision import Decided, Usage
from moothall.negotiation.demand.channel_view import CHANNEL_TYPES, channel_view
from moothall.negotiation.demand.machine import ChannelStatus
from moothall.negotiation.demand.participants import OfferAnswer, Participant, ParticipantUnreachableError, ReviewAnswer
from moothall.negotiation.demand.plan_models import ProposalFeedback
from moothall.negotiation.demand.roster import ROSTER_TYPES, roster
from moothall.negotiation.demand.view import DEMAND_TYPES, demand_view
from moothall.negotiation.demand.wire import DemandOffer, ProposalReview
from moothall.node import Node
from tests.negotiation.demand.test_subnet import DEMAND as LARGER
from tests.negotiation.demand.test_subnet import POOL, speakers
from tests.server.door import Door, opened
from tests.support.demand import ACCEPT, DECLINE, WITHDRAW, Script, negotiate, profile, running, wish

NAMES = {"created", "broadcasting", "collecting", "aggregating", "proposal_sent", "negotiating", "finalized", "failed"}
ENDS = {"finalized": "completed", "failed": "failed"}
TAGS = ("场地提供", "演讲嘉宾", "活动策划", "摄影")
DEMANDS = (
    "我想在北京办一场AI主题聚会，需要场地和嘉宾",
    "在北京办一场30人的技术沙龙，预算4000元，需要场地、2位嘉宾和摄影",
    "想在北京找摄影和场地，预算1500元",
    "在火星上建基地",
)


class Moody:
    """A participant whose mood is drawn anew for each demand and each round."""

    def __init__(self, persona: Participant) -> None:
        self._persona = persona

    async def offer(self, invitation: DemandOffer, *, key: str) -> OfferAnswer:
        mood = random.Random(key).random()
        if mood < 0.1:
            raise ParticipantUnreachableError(key)
        return DECLINE if mood < 0.3 else await self._persona.offer(invitation, key=key)

    async def review(self, request: ProposalReview, *, key: str) -> ReviewAnswer:
        chance = random.Random(key)
        mood = chance.random()
        if mood < 0.1:
            raise ParticipantUnreachableError(key)
        answers: list[ProposalFeedback] = [ACCEPT, WITHDRAW, wish(price=chance.randrange(500, 3000))]
        return answers[chance.choice([0, 0, 1, 2, 2])] if mood < 0.6 else await self._persona.review(request, key=key)


def crowd() -> list[AgentProfile]:
    chance = random.Random(20)
    return [
        profile(
            f"agent_{number:02d}", *chance.sample(TAGS, chance.choice([1, 1, 2])), price=chance.randrange(300, 2500)
        )
        for number in range(9)
    ]


async def watched(door: Door, text: str) -> tuple[RunRecord, list[Event], list[dict[str, Any]]]:
    """Negotiate one demand, looking at its channel every ten places; its record, its log, what was seen."""
    demand_id = await door.submit(text)
    path = f"/api/v1/channels/{demand_id.replace('d-', 'collab-')}"
    log = door.node.log
    seen = [(await door.client.get(path)).json() async for event in log.follow(demand_id) if event.seq % 10 == 0]
    seen.append((await door.client.get(path)).json())
    return await door.node.demands.record(demand_id), await log.load(demand_id), seen


def check_every_moment(record: RunRecord, log: list[Event]) -> None:
    """At each commit the projection stands where the last transition left the channel, and offers stay sealed."""
    state, number, closed = "created", 0, False
    for place, row in enumerate(log, start=1):
        if row.type == "transition":
            state, number = row.payload["to_state"], row.payload["round"]
        closed |= row.key == "offers.closed"
        half_told = row.type == "transition" and state in ENDS  # its event is committed with it
        if half_told or (place % 11 and place < len(log)):
            continue
        rows = [item for item in log[:place] if item.type in CHANNEL_TYPES]
        channel = channel_view(record, rows)
        demand = demand_view(record, [item for item in log[:place] if item.type in DEMAND_TYPES])
        assert (channel.status, channel.round) == (state, number) == (demand.channel_status, demand.round)
        assert closed or not channel.offers
        assert demand.status == ENDS.get(state, "processing")
        assert len(roster(record, [item for item in log[:place] if item.type in ROSTER_TYPES])) >= channel.invited_count


@pytest.mark.timeout(240)
@pytest.mark.requirement("NEG-STATE-01", "NEG-API-17", "NEG-API-16")
async def test_over_a_hundred_random_runs_a_channel_shows_the_eight_states_and_nothing_else(tmp_path: Path) -> None:
    def speaker(node: Node, of: AgentProfile) -> Participant:
        return Moody(node.persona(of))

    assert {item.value for item in ChannelStatus} == NAMES
    ends = set()
    async with running(tmp_path, crowd(), participants=speaker) as node, opened(node) as door:
        for start in range(0, 100, 10):
            texts = [DEMANDS[number % len(DEMANDS)] for number in range(start, start + 10)]
            for record, log, seen in await asyncio.gather(*(watched(door, text) for text in texts)):
                assert {item["status"] for item in seen} <= NAMES
                assert {item["round"] for item in seen} <= {0, 1, 2, 3}
                moves = [row.payload for row in log if row.type == "transition"]
                assert (seen[-1]["status"], seen[-1]["round"]) == (moves[-1]["to_state"], moves[-1]["round"])
                check_every_moment(record, log)
                ends.add(seen[-1]["reason"] or seen[-1]["consensus"])
    assert len(ends) >= 3, ends


async def test_a_view_after_a_restart_is_the_one_before(tmp_path: Path, database_url: str) -> None:
    async with running(tmp_path, crowd(), database_url=database_url) as node:
        run = (await node.demands.submit(DEMANDS[0])).demand_id
        async for _ in node.log.follow(run):
            continue
        record = await node.demands.record(run)
        before = [await node.demands.read.demand(record), await node.demands.read.channel(record)]
    async with running(tmp_path, (), database_url=database_url) as node:
        record = await node.demands.record(run)
        after = [await node.demands.read.demand(record), await node.demands.read.channel(record)]
    assert after == before


async def test_pages_hold_on_both_databases(tmp_path: Path, database_url: str) -> None:
    async with running(tmp_path, crowd(), database_url=database_url) as node:
        mine = {(await node.demands.submit(DEMANDS[3], "user_alice")).demand_id for _ in range(5)}
        await node.demands.submit(DEMANDS[3], "user_bob")
        found, cursor, pages = list[str](), "", 0
        while True:
            page = await node.demands.read.page("user_alice", None, 2, cursor)
            found += [item.demand_id for item in page.demands]
            pages += 1
            if page.next_cursor is None:
                break
            cursor = page.next_cursor
    assert pages == 3
    assert len(found) == len(set(found))
    assert set(found) == mine


async def test_a_rare_status_makes_short_pages_that_lead_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moothall.negotiation.demand.reading.MAX_SCANNED", 2)
    async with running(tmp_path, crowd()) as node:
        for text in (DEMANDS[0], DEMANDS[3], DEMANDS[3], DEMANDS[3], DEMANDS[3]):
            run = (await node.demands.submit(text)).demand_id
            async for _ in node.log.follow(run):
                continue
        found, cursor = list[str](), ""
        while True:
            page = await node.demands.read.page(None, "completed", 1, cursor)
            found += [item.status for item in page.demands]
            if page.next_cursor is None:
                break
            cursor = page.next_cursor
    assert found == ["completed"]


async def test_what_a_model_took_and_where_it_failed_is_told(tmp_path: Path) -> None:
    spent = Usage("m", requests=2, input_tokens=100, output_tokens=50, cost_usd=0.25)

    class Modelled:
        """Answers with the marks of a model: the offer is its own, the review was left to the rules."""

        def __init__(self, persona: Participant) -> None:
            self._persona = persona

        async def offer(self, invitation: DemandOffer, *, key: str) -> OfferAnswer:
            answer = await self._persona.offer(invitation, key=key)
            assert isinstance(answer, Decided)
            return Decided(answer.value, "llm", usage=spent)

        async def review(self, request: ProposalReview, *, key: str) -> ReviewAnswer:
            answer = await self._persona.review(request, key=key)
            assert isinstance(answer, Decided)
            return Decided(answer.value, "fallback", degraded=True, error="E004", usage=spent)

    trio = [profile("venue", "场地提供"), profile("speaker", "演讲嘉宾"), profile("planner", "活动策划")]
    async with running(tmp_path, trio, participants=lambda node, of: Modelled(node.persona(of))) as node:
        run = (await node.demands.submit(DEMANDS[0])).demand_id
        async for _ in node.log.follow(run):
            continue
        seen = await node.demands.read.demand(await node.demands.record(run))
    assert seen.status == "completed"
    assert seen.degraded
    assert [(step.prompt, step.code, step.count) for step in seen.degraded_steps] == [("review", "E004", 3)]
    assert seen.error is not None
    assert (seen.error.code, seen.error.message) == ("E004", "LLM 调用超时")
    assert (seen.usage.requests, seen.usage.input_tokens, seen.usage.cost_usd) == (12, 600, 1.5)
    assert seen.usage.by_prompt.keys() == {"respond", "review"}


async def test_silent_declining_and_leaving_agents_stay_visible_with_the_reason(tmp_path: Path) -> None:
    pool = [
        profile("venue", "场地提供"),
        profile("speaker", "演讲嘉宾"),
        profile("planner", "活动策划"),
        profile("busy", "活动策划"),
        profile("mute", "场地提供"),
        profile("gone", "演讲嘉宾", price=100),
    ]
    scripts = {
        "busy": Script(offer=DECLINE),
        "mute": Script(offer="silent"),
        "gone": Script(reviews=[WITHDRAW]),
    }
    async with running(tmp_path, pool, scripts) as node:
        run = (await node.demands.submit(DEMANDS[0])).demand_id
        async for _ in node.log.follow(run):
            continue
        record = await node.demands.record(run)
        seats = {seat.agent_id.removeprefix("user_agent_"): seat for seat in await node.demands.read.roster(record)}
    assert (seats["busy"].standing, seats["busy"].why_not) == ("declined", "没有档期")
    assert (seats["mute"].standing, seats["mute"].why_not) == ("silent", "没有在期限内答复")
    assert (seats["gone"].standing, seats["gone"].why_not) == ("withdrawn", "有别的安排")
    assert all(seats[name].in_plan and not seats[name].why_not for name in ("venue", "speaker", "planner"))


async def test_a_sub_negotiation_is_linked_both_ways_and_can_be_read(tmp_path: Path) -> None:
    async with running(tmp_path, POOL, participants=speakers(always=False)) as node:
        run = (await node.demands.submit(LARGER, "user_alice")).demand_id
        async for _ in node.log.follow(run):
            continue
        parent = await node.demands.read.channel(await node.demands.record(run))
        (link,) = parent.sub_negotiations
        record = await node.demands.record(link.demand_id)
        child, demand = await node.demands.read.channel(record), await node.demands.read.demand(record)
        listed = await node.demands.read.page(None, None, 10, "")
    assert (link.outcome, link.channel_id) == ("finalized", child.channel_id)
    assert child.parent is not None
    assert (child.parent.demand_id, child.parent.channel_id) == (run, parent.channel_id)
    assert (demand.requester_id, demand.parent_demand_id, demand.max_rounds) == ("user_alice", run, 1)
    assert demand.capability_tags == ("摄影",)
    assert [item.demand_id for item in listed.demands] == [run], "a sub-negotiation is no demand of a person"


async def test_who_asked_for_more_and_was_replaced_is_told_so_by_the_price_that_was_asked_at_last(
    tmp_path: Path,
) -> None:
    pool = [
        profile("venue", "场地提供"),
        profile("planner", "活动策划"),
        profile("cheap", "演讲嘉宾", price=100),
        profile("fair", "演讲嘉宾", price=600),
    ]
    async with running(tmp_path, pool, {"cheap": Script(reviews=[wish(price=1500)])}) as node:
        events = await negotiate(node, DEMANDS[0])
        record = await node.demands.record(events[0].run)
        seats = {seat.agent_id.removeprefix("user_agent_"): seat for seat in await node.demands.read.roster(record)}
    assert seats["fair"].in_plan
    assert seats["cheap"].standing == "not_chosen"
    assert seats["cheap"].why_not == "要价高于方案为同一角色支付的费用"
