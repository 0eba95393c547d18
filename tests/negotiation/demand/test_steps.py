"""Every decision of a negotiation can be opened: who took it, what it took of a model, what came out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from moothall.negotiation.demand.prompts import PROMPTS
from moothall.negotiation.demand.steps import STEP_TYPES, Step, step_list
from moothall.node import Node
from tests.negotiation.demand.modelled import DEMAND, NO, POOL, TRIO, WITH_PHOTOS, YES, talker, wants, who
from tests.negotiation.demand.test_restart import reopen
from tests.support.demand import Script, negotiate, of_type, running, wish
from tests.support.fake_llm import INPUT_TOKENS, OUTPUT_TOKENS, Asked, FakeLLM


async def steps_of(node: Node, run: str) -> tuple[Step, ...]:
    return (await node.demands.read.steps(await node.demands.record(run))).steps


def no_photos(asked: Asked) -> Any:
    """Whoever takes photographs declines everything, so that this gap stays open to the end."""
    return NO if who(asked).startswith("photo") else None


def first_a_wish(asked: Asked) -> Any:
    """The venues want a little more in the first round, the others nothing."""
    return wants(price=1050) if who(asked).startswith("venue") and asked.data["round"]["now"] == 1 else YES


async def test_each_of_the_nine_prompts_is_a_step_with_what_its_model_took(tmp_path: Path, llm: FakeLLM) -> None:
    llm.script |= {"respond": no_photos, "review": first_a_wish}
    async with running(tmp_path, POOL, **llm.settings()) as node:
        events = await negotiate(node, WITH_PHOTOS)
        steps = await steps_of(node, events[0].run)
        seen = await node.demands.read.demand(await node.demands.record(events[0].run))
    assert {(step.prompt, step.number) for step in steps} == {(prompt.kind, prompt.number) for prompt in PROMPTS}
    for step in steps:
        assert (step.source, step.degraded, step.error, step.repaired, step.requests) == ("llm", False, None, False, 1)
        assert (step.input_tokens, step.output_tokens) == (INPUT_TOKENS, OUTPUT_TOKENS)
        assert step.model
        assert step.seconds is not None
        assert step.result
        assert (step.agent_id is None) is (step.prompt not in {"respond", "review"})
        assert bool(step.display_name) is (step.agent_id is not None)
    assert {(step.prompt, step.round) for step in steps if step.round} == {
        ("respond", 1),
        ("aggregate", 1),
        ("review", 1),
        ("adjust", 2),
        ("review", 2),
    }
    assert [step.at for step in steps] == sorted(step.at for step in steps)
    assert len({step.key for step in steps}) == len(steps)
    end = of_type(events, "proposal.finalized")[0]["usage"]
    assert end["requests"] == len(steps) == seen.usage.requests
    assert end["input_tokens"] == seen.usage.input_tokens == len(steps) * INPUT_TOKENS
    assert end["cost_usd"] == seen.usage.cost_usd


async def test_a_step_tells_the_parsed_result_as_it_was_used(tmp_path: Path) -> None:
    async with running(tmp_path, TRIO) as node:
        events = await negotiate(node, DEMAND)
        steps = await steps_of(node, events[0].run)
    by_kind = {step.prompt: step for step in steps}
    assert by_kind["understand"].result is not None
    assert by_kind["understand"].result["capability_tags"] == of_type(events, "demand.understood")[0]["capability_tags"]
    offered = {item["agent_id"]: item for item in of_type(events, "offer.submitted")}
    for step in steps:
        if step.prompt == "respond":
            assert step.agent_id is not None
            assert step.result is not None
            assert {name: step.result[name] for name in ("decision", "terms")} == {
                name: offered[step.agent_id][name] for name in ("decision", "terms")
            }
            assert step.result.keys().isdisjoint({"reservation", "doubts", "floor"})
    assert {(step.source, step.requests, step.model, step.seconds) for step in steps} == {("rules", 0, None, None)}


async def test_an_answer_that_had_to_be_repaired_says_so(tmp_path: Path, llm: FakeLLM) -> None:
    llm.script["aggregate"] = ["no plan at all, sorry"]
    async with running(tmp_path, TRIO, **llm.settings()) as node:
        events = await negotiate(node, DEMAND)
        steps = await steps_of(node, events[0].run)
    assert {step.prompt for step in steps if step.repaired} == {"aggregate"}
    assert [step.requests for step in steps if step.repaired] == [2]


async def test_a_model_that_failed_is_told_with_the_rules_that_stood_in(tmp_path: Path, llm: FakeLLM) -> None:
    llm.script |= {"aggregate": 500}
    async with running(tmp_path, TRIO, **llm.settings()) as node:
        events = await negotiate(node, DEMAND)
        steps = await steps_of(node, events[0].run)
    (plan,) = [step for step in steps if step.prompt == "aggregate"]
    assert (plan.source, plan.degraded, plan.repaired) == ("fallback", True, False)
    assert plan.error is not None
    assert plan.error.code == "E003"
    assert plan.error.message
    assert plan.result


async def test_an_answer_that_cannot_be_known_is_a_step_without_a_result(tmp_path: Path, llm: FakeLLM) -> None:
    pool = [*TRIO, talker("words", "活动策划")]
    llm.script["respond"] = lambda asked: 500 if who(asked) == "words" else None
    async with running(tmp_path, pool, **llm.settings(llm_failure_threshold=1000)) as node:
        events = await negotiate(node, DEMAND)
        steps = await steps_of(node, events[0].run)
    (unknown,) = [step for step in steps if step.agent_id == "user_agent_words"]
    assert (unknown.prompt, unknown.round, unknown.display_name) == ("respond", 1, "words")
    assert (unknown.source, unknown.degraded, unknown.result, unknown.requests) == ("fallback", True, None, 0)
    assert unknown.error is not None
    assert unknown.error.code == "E003"


async def test_an_unknown_answer_to_a_plan_is_told_in_its_round(tmp_path: Path) -> None:
    async with running(tmp_path, TRIO) as node:
        events = await negotiate(node, DEMAND)
        record = await node.demands.record(events[0].run)
        rows = await node.log.select([record.id], STEP_TYPES)
    (letter, *_) = [row for row in rows if row.key.startswith("review.r1.")]
    (closed,) = [row for row in rows if row.key == "feedback.r1.closed"]
    name = letter.payload["to"]
    closed.payload["unknown"] = {name: "E004"}
    (unknown,) = [step for step in step_list(record, rows).steps if step.key.endswith(".unknown")]
    assert (unknown.prompt, unknown.round, unknown.agent_id, unknown.result) == ("review", 1, name, None)


async def test_offers_are_sealed_in_the_steps_until_their_barrier_has_closed(tmp_path: Path) -> None:
    async with running(tmp_path, TRIO, {"planner": Script(offer="later")}, response_timeout=1) as node:
        run = (await node.demands.submit(DEMAND)).demand_id
        offered = 0
        async for event in node.log.follow(run):
            offered += event.type == "towow.offer.submitted"
            if offered == 2:
                break
        sealed = [step for step in await steps_of(node, run) if step.prompt == "respond"]
        async for _ in node.log.follow(run):
            continue
        opened = [step for step in await steps_of(node, run) if step.prompt == "respond"]
    assert [step.result for step in sealed] == [None, None]
    assert all(step.agent_id and step.source == "rules" for step in sealed)
    assert [step.key for step in opened] == [step.key for step in sealed]
    assert all(step.result for step in opened)


async def test_a_changed_plan_tells_what_became_of_every_request(tmp_path: Path) -> None:
    scripts = {"venue": Script(reviews=[wish(price=1010), None])}
    async with running(tmp_path, TRIO, scripts) as node:
        events = await negotiate(node, DEMAND)
        steps = await steps_of(node, events[0].run)
    first, second, *_ = of_type(events, "proposal.distributed")
    assert first["adjustment"] is None
    told = second["adjustment"]
    assert told.keys() == {"round", "changes_made", "requests_addressed", "requests_declined"}
    assert told["round"] == 2
    (adjusted, *_) = [step.result for step in steps if step.prompt == "adjust"]
    assert adjusted is not None
    assert told == adjusted["adjustment_summary"]
    (request,) = told["requests_addressed"]
    assert (request["agent_id"], request["field"], request["requested"]) == ("user_agent_venue", "price", 1010)
    assert {"agent_id", "field", "from", "to", "reason"} == told["changes_made"][0].keys()


async def test_a_list_tells_what_the_plan_costs_and_what_was_spent_on_it_once_it_is_over(
    tmp_path: Path, llm: FakeLLM
) -> None:
    async with running(tmp_path, TRIO, **llm.settings()) as node:
        events = await negotiate(node, DEMAND)
        (done,) = (await node.demands.read.page(None, None, 10, "")).demands
        failed = await negotiate(node, "zzzz")
        both = {item.demand_id: item for item in (await node.demands.read.page(None, None, 10, "")).demands}
    final = of_type(events, "proposal.finalized")[0]
    assert done.cost is not None
    assert done.cost.model_dump() == final["final_proposal"]["cost"]
    assert done.usage is not None
    assert done.usage.model_dump() == final["usage"]
    assert done.usage.requests == len(steps_asked(llm))
    assert both[failed[0].run].cost is None
    assert both[failed[0].run].usage is not None


def steps_asked(llm: FakeLLM) -> list[Asked]:
    """The requests of the first demand: everything but a second understanding and what follows it."""
    second = next((place for place, asked in enumerate(llm.requests) if "zzzz" in asked.user), len(llm.requests))
    return llm.requests[:second]


async def test_an_open_demand_has_no_usage_in_a_list_yet(tmp_path: Path) -> None:
    async with running(tmp_path, TRIO, {"planner": Script(offer="later")}, response_timeout=3600) as node:
        await node.demands.submit(DEMAND)
        (line,) = (await node.demands.read.page(None, None, 10, "")).demands
    assert (line.cost, line.usage) == (None, None)


async def test_what_was_spent_is_the_same_when_the_end_is_written_again_after_a_crash(
    tmp_path: Path, llm: FakeLLM
) -> None:
    async with running(tmp_path, TRIO, **llm.settings()) as node:
        events = await negotiate(node, DEMAND)
        rows = await node.log.load(events[0].run)
    end = next(row.seq for row in rows if row.key == "terminal")
    await reopen(tmp_path, events[0].run, end - 1)
    async with running(tmp_path, **llm.settings()) as node:
        again = [event async for event in node.log.follow(events[0].run)]
    assert again[-1].payload == events[-1].payload
    assert again[-1].payload["usage"]["requests"] > 0


async def test_a_row_of_an_older_log_is_a_step_with_nothing_where_it_says_nothing(tmp_path: Path) -> None:
    async with running(tmp_path, TRIO) as node:
        events = await negotiate(node, DEMAND)
        record = await node.demands.record(events[0].run)
        rows = await node.log.select([record.id], STEP_TYPES)
    for row in rows:
        if row.type == "message":
            row.payload["meta"].clear()
    steps = step_list(record, rows).steps
    assert {step.source for step in steps if step.agent_id} == {None}
