"""The brain that is a model: repair, time limit, breaker, places, accounting; all against a real server."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import Any

import pytest

from moothall.llm.decision import TIMED_OUT, Answered, Unanswered
from moothall.llm.model import Question, Reply
from tests.llm.small import BLUE, BRIEF, CHOOSE, GREEN, RED, Ask, Choice, ChoiceDraft, brain, decisions
from tests.support.clock import ManualClock
from tests.support.fake_llm import HANG, INPUT_TOKENS, KEY, OUTPUT_TOKENS, FakeLLM, Hang, Late, RawArguments

WRAPPED = {"result": {"colour": "blue", "amount": 2}}
READABLE: list[Any] = [
    BLUE,
    {"colour": "blue", "amount": "2"},
    WRAPPED,
    '{"colour": "blue", "amount": 2}',
    '```json\n{"colour": "blue", "amount": 2}\n```',
    'I take {one} of them:\n\n{"colour": "blue", "amount": 2}\n\nbecause I like it.',
]
UNREADABLE: list[Any] = [
    '{"colour": "blue", "amo',
    '```json\n{"colour": "blue", "inner": {"amount": 2}, "na',
    "I would take the blue one.",
    "",
    "[" * 5000,
    "{" * 5000,
    {},
    {"colour": "purple"},
    {"colour": "blue", "amount": -1},
    {"colour": "blue", "amount": "many"},
    GREEN,
]


async def decided(llm: FakeLLM, script: Any, provider: str = "anthropic") -> Any:
    llm.script["choose"] = script
    return await decisions(brain(llm, provider)).decide(CHOOSE, Ask())


@pytest.mark.requirement("NEG-PROMPT-10")
@pytest.mark.parametrize("reply", READABLE)
async def test_an_answer_in_any_usual_form_is_understood_at_once(llm: FakeLLM, reply: Any) -> None:
    found = await decided(llm, [reply])
    assert (found.source, found.value.colour, found.value.amount) == ("llm", "blue", 2)
    assert llm.counts == {"choose": 1}


@pytest.mark.requirement("NEG-PROMPT-10")
@pytest.mark.parametrize("reply", UNREADABLE)
async def test_an_answer_of_no_use_is_repaired_by_one_more_request(llm: FakeLLM, reply: Any) -> None:
    found = await decided(llm, [reply, BLUE])
    assert (found.source, found.degraded, found.value.colour) == ("llm", False, "blue")
    assert llm.counts == {"choose": 2}


@pytest.mark.requirement("NEG-PROMPT-10")
@pytest.mark.parametrize("reply", UNREADABLE)
async def test_after_one_repair_in_vain_the_rules_answer_and_say_so(llm: FakeLLM, reply: Any) -> None:
    found = await decided(llm, reply)
    assert (found.source, found.degraded, found.error) == ("fallback", True, "DECISION_REFUSED")
    assert not found.value.sure, "the prompt's own mark is set"
    assert found.usage.requests == 2
    assert llm.counts == {"choose": 2}


@pytest.mark.requirement("NEG-PROMPT-10")
@pytest.mark.parametrize("provider", ["openai", "azure", "openrouter"])
async def test_truncated_arguments_of_a_tool_call_are_repaired(llm: FakeLLM, provider: str) -> None:
    found = await decided(llm, [RawArguments('{"colour": "blue", "amount": 2, "wh'), BLUE], provider)
    assert (found.source, found.value.colour) == ("llm", "blue")
    assert llm.counts == {"choose": 2}


async def test_the_repair_tells_the_model_what_was_wrong(llm: FakeLLM) -> None:
    await decided(llm, [GREEN, BLUE])
    first, second = llm.requests
    assert second.system == first.system
    assert second.user.startswith(first.user)
    assert second.data["reason"] == "green is not among the allowed colours"


async def test_the_question_names_the_prompt_fences_the_data_and_asks_by_a_tool(llm: FakeLLM) -> None:
    await decided(llm, BLUE)
    (asked,) = llm.requests
    assert asked.system == "Prompt 4 (choose)"
    assert asked.data == {"question": "which colour?", "allowed": ["red", "blue"]}
    (tool,) = asked.body["tools"]
    assert tool["name"] == "choose"
    assert set(tool["input_schema"]["properties"]) == {"colour", "amount"}
    assert "output_config" not in asked.body, "native structured output is not for proxies and aliased models"


@pytest.mark.parametrize(("replies", "requests"), [([BLUE], 1), ([GREEN, BLUE], 2), ([GREEN, GREEN], 2)])
async def test_every_decision_says_what_it_took(llm: FakeLLM, replies: list[Any], requests: int) -> None:
    usage = (await decided(llm, replies)).usage
    assert usage.requests == requests
    assert (usage.input_tokens, usage.output_tokens) == (requests * INPUT_TOKENS, requests * OUTPUT_TOKENS)
    assert usage.cost_usd == pytest.approx(requests * 0.0102)
    assert usage.model == "claude-sonnet-4-5-20250929"
    assert usage.seconds > 0


@pytest.mark.requirement("NEG-FAIL-02")
@pytest.mark.parametrize("status", [429, 500, 502, 503, 529, 401, 403, 404])
async def test_after_three_refusals_in_a_row_the_fourth_call_is_not_sent(llm: FakeLLM, status: int) -> None:
    mind = brain(llm)
    llm.script["choose"] = status
    for _ in range(4):
        found = await decisions(mind).decide(CHOOSE, Ask())
        assert (found.source, found.degraded, found.error) == ("fallback", True, "E003")
    assert llm.counts == {"choose": 3}
    assert mind.breaker.state == "open"


async def test_no_server_at_all_opens_the_breaker_too(llm: FakeLLM) -> None:
    mind = brain(llm, anthropic_base_url="http://127.0.0.1:1")
    for _ in range(3):
        assert (await decisions(mind).decide(CHOOSE, Ask())).error == "E003"
    assert mind.breaker.state == "open"


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_a_question_that_the_provider_refuses_is_no_outage(llm: FakeLLM, status: int) -> None:
    mind = brain(llm)
    llm.script["choose"] = status
    for _ in range(5):
        assert (await decisions(mind).decide(CHOOSE, Ask())).error == "E003"
    assert (mind.breaker.state, llm.counts) == ("closed", {"choose": 5})


async def test_answers_of_no_use_are_no_outage(llm: FakeLLM) -> None:
    mind = brain(llm)
    llm.script["choose"] = GREEN
    for _ in range(5):
        assert (await decisions(mind).decide(CHOOSE, Ask())).error == "DECISION_REFUSED"
    assert (mind.breaker.state, llm.counts) == ("closed", {"choose": 10})


@pytest.mark.requirement("NEG-FAIL-03")
async def test_while_the_breaker_is_open_the_rules_answer_within_50_ms(llm: FakeLLM) -> None:
    mind = await opened(llm, ManualClock())
    loop = asyncio.get_running_loop()
    took = []
    for _ in range(20):
        began = loop.time()
        found = await decisions(mind).decide(CHOOSE, Ask())
        took.append(loop.time() - began)
        assert (found.source, found.degraded, found.error, found.usage) == ("fallback", True, "E003", None)
    assert sorted(took)[len(took) // 2] < 0.05
    assert llm.counts == {"choose": 3}


@pytest.mark.requirement("NEG-FAIL-04")
async def test_at_half_open_fifty_concurrent_callers_send_exactly_one_request(llm: FakeLLM) -> None:
    clock = ManualClock()
    mind = await opened(llm, clock)
    await clock.advance(30)
    llm.script["choose"] = Hang(BLUE)
    asking = [asyncio.create_task(decisions(mind).decide(CHOOSE, Ask())) for _ in range(50)]
    await llm.got(4)
    llm.release()
    found = await asyncio.gather(*asking)
    assert llm.counts == {"choose": 4}
    assert sorted(one.source for one in found) == ["fallback"] * 49 + ["llm"]
    assert mind.breaker.state == "closed"


@pytest.mark.requirement("NEG-FAIL-04")
async def test_a_probe_that_fails_opens_the_breaker_again(llm: FakeLLM) -> None:
    clock = ManualClock()
    mind = await opened(llm, clock)
    await clock.advance(30)
    assert (await decisions(mind).decide(CHOOSE, Ask())).error == "E003"
    assert (await decisions(mind).decide(CHOOSE, Ask())).error == "E003"
    assert (llm.counts, mind.breaker.state) == ({"choose": 4}, "open")


@pytest.mark.requirement("NEG-FAIL-05", "NEG-OPS-07")
async def test_a_server_that_hangs_is_given_up_after_the_time_limit(
    llm: FakeLLM, caplog: pytest.LogCaptureFixture
) -> None:
    mind = brain(llm, llm_timeout=0.3)
    llm.script["choose"] = HANG
    loop = asyncio.get_running_loop()
    await mind.answer(CHOOSE, Ask())  # loads the client
    began = loop.time()
    found = await decisions(mind).decide(CHOOSE, Ask())
    assert 0.25 < loop.time() - began < 3
    assert (found.source, found.degraded, found.error, found.usage.requests) == ("fallback", True, "E004", 1)
    assert TIMED_OUT == "LLM 调用超时，使用降级响应"
    assert [record.levelno for record in caplog.records if record.getMessage() == TIMED_OUT] == [logging.WARNING]


@pytest.mark.requirement("NEG-FAIL-05")
async def test_a_prompts_own_time_limit_goes_before_the_common_one(llm: FakeLLM) -> None:
    llm.script["choose"] = HANG
    short = brain(llm, llm_timeout=60.0, llm_timeout_p4=0.1)
    assert (await decisions(short).decide(CHOOSE, Ask())).error == "E004"
    long = brain(llm, llm_timeout=0.1, llm_timeout_p4=60.0)
    llm.script["choose"] = Late(0.4, BLUE)
    assert (await decisions(long).decide(CHOOSE, Ask())).source == "llm"


@pytest.mark.requirement("NEG-FAIL-05")
async def test_the_repair_has_only_the_time_that_the_first_answer_left(llm: FakeLLM) -> None:
    mind = brain(llm, llm_timeout=3.0)
    llm.script["choose"] = [Late(0.2, GREEN), HANG]
    loop = asyncio.get_running_loop()
    await mind._model.warm()
    began = loop.time()
    answer = await mind.answer(CHOOSE, Ask())
    assert 2.9 < loop.time() - began < 5.8, "less than two whole limits"
    assert isinstance(answer, Unanswered)
    assert answer.failure.code == "E004"
    assert mind.breaker.snapshot().consecutive_failures == 0, "the provider had answered a moment before"


async def test_timeouts_open_the_breaker(llm: FakeLLM) -> None:
    mind = brain(llm, llm_timeout=0.1)
    llm.script["choose"] = HANG
    for _ in range(3):
        await mind.answer(CHOOSE, Ask())
    assert mind.breaker.state == "open"


async def test_a_caller_who_goes_away_leaves_nothing_behind(llm: FakeLLM) -> None:
    mind = brain(llm, llm_concurrency=1, llm_failure_threshold=1)
    llm.script["choose"] = [HANG, HANG, HANG, BLUE]
    before = len(asyncio.all_tasks())
    for number in range(1, 4):
        asking = asyncio.create_task(mind.answer(CHOOSE, Ask()))
        await llm.got(number)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
    await llm.idle()
    assert llm.gone == 3, "the connection is closed, so that the provider can stop, too"
    assert len(asyncio.all_tasks()) == before
    assert mind.breaker.state == "closed"
    figures = mind.meter.snapshot()
    assert (figures.outcomes, figures.failures, figures.success_rate) == ({"cancelled": 3}, 0, 1.0)
    assert isinstance(await mind.answer(CHOOSE, Ask()), Answered), "the only place is free again"


async def test_a_probe_whose_caller_goes_away_leaves_its_place_to_the_next(llm: FakeLLM) -> None:
    clock = ManualClock()
    mind = await opened(llm, clock)
    await clock.advance(30)
    llm.script["choose"] = [HANG]
    probe = asyncio.create_task(mind.answer(CHOOSE, Ask()))
    await llm.got(4)
    probe.cancel()
    with pytest.raises(asyncio.CancelledError):
        await probe
    assert mind.breaker.state == "half_open"
    llm.script["choose"] = BLUE
    assert isinstance(await mind.answer(CHOOSE, Ask()), Answered)
    assert mind.breaker.state == "closed"


async def test_no_more_decisions_are_at_the_model_than_there_are_places(llm: FakeLLM) -> None:
    mind = brain(llm, llm_concurrency=3)
    llm.script["choose"] = [Hang(BLUE)] * 9
    asking = [asyncio.create_task(mind.answer(CHOOSE, Ask())) for _ in range(9)]
    await llm.got(3)
    for _ in range(50):
        await asyncio.sleep(0)
    assert llm.under_way == 3
    llm.release()
    assert all(isinstance(answer, Answered) for answer in await asyncio.gather(*asking))


async def test_who_waits_for_a_place_too_long_gets_the_rules_and_blames_nobody(llm: FakeLLM) -> None:
    mind = brain(llm, llm_concurrency=1, llm_timeout_p4=0.1, llm_timeout_p5=60.0)
    llm.script["choose"] = Hang(BLUE)
    holding = asyncio.create_task(mind.answer(replace(CHOOSE, number=5), Ask()))
    await llm.got(1)
    waited = await mind.answer(CHOOSE, Ask())
    assert isinstance(waited, Unanswered)
    assert (waited.failure.code, waited.usage) == ("E004", None)
    assert mind.breaker.snapshot().consecutive_failures == 0
    llm.release()
    assert isinstance(await holding, Answered)
    assert llm.counts == {"choose": 1}


async def test_who_waits_for_a_place_while_the_breaker_opens_is_not_sent_any_more(llm: FakeLLM) -> None:
    mind = brain(llm, llm_concurrency=3)
    llm.script["choose"] = 500
    answers = await asyncio.gather(*(mind.answer(CHOOSE, Ask()) for _ in range(30)))
    assert all(isinstance(answer, Unanswered) for answer in answers)
    assert llm.counts["choose"] < 6, "those that had a place when the third failed, and no more"


async def test_a_reply_without_any_answer_is_of_no_use_but_no_outage(llm: FakeLLM) -> None:
    mind = brain(llm, "openai")
    llm.script["choose"] = ""
    for _ in range(4):
        answer = await mind.answer(CHOOSE, Ask())
        assert isinstance(answer, Unanswered)
        assert answer.failure.code == "DECISION_REFUSED"
    assert mind.breaker.state == "closed"


async def test_a_prompt_without_a_brief_is_left_to_the_rules(llm: FakeLLM) -> None:
    mind = brain(llm)
    mind._briefs = {}
    found = await decisions(mind).decide(CHOOSE, Ask())
    assert (found.source, found.degraded, llm.counts) == ("rules", False, {})


async def test_a_brain_can_be_stopped_and_used_again(llm: FakeLLM) -> None:
    mind = brain(llm)
    llm.script["choose"] = RED
    mind.start()
    for _ in range(2):
        assert isinstance(await mind.answer(CHOOSE, Ask()), Answered)
        await mind.stop()
    assert llm.counts == {"choose": 2}


class Odd:
    """A model that fails in a way that nobody expects, at one of the places where it can."""

    provider, name = "odd", "model"

    def __init__(self, place: str, error: Exception | None) -> None:
        self.place, self.error = place, error
        self.asked = 0

    async def _at(self, place: str) -> None:
        if place != self.place:
            return
        if self.error is None:
            await asyncio.Event().wait()
        else:
            raise self.error

    async def warm(self) -> None:
        await self._at("warm")

    async def ask(self, _: Question) -> Reply:
        self.asked += 1
        await self._at("ask")
        return Reply(BLUE, "m", 1, 1, None)

    async def aclose(self) -> None:
        return None


ODDITIES = [ImportError(KEY), OSError(KEY), RuntimeError(KEY), OverflowError(KEY), RecursionError(KEY), KeyError(KEY)]


@pytest.mark.parametrize("place", ["warm", "ask"])
@pytest.mark.parametrize("error", ODDITIES, ids=lambda error: type(error).__name__)
async def test_whatever_goes_wrong_at_the_model_the_rules_stand_in_and_the_log_tells_where(
    llm: FakeLLM, place: str, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    mind = brain(llm, model=Odd(place, error), llm_failure_threshold=3)
    for _ in range(3):
        found = await decisions(mind).decide(CHOOSE, Ask())
        assert (found.source, found.degraded, found.error) == ("fallback", True, "E003")
    assert mind.breaker.state == ("open" if place == "warm" else "closed"), "without a client every call fails"
    told = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert len(told) == 3
    assert all(f"{type(error).__name__} at test_runner.py" in line for line in told)
    assert KEY not in caplog.text, "the text of an error may repeat what somebody wrote"
    if place == "ask":
        assert mind.meter.snapshot().outcomes == {"unavailable": 3}


async def test_an_answer_that_our_own_work_stumbles_over_is_left_to_the_rules(
    llm: FakeLLM, caplog: pytest.LogCaptureFixture
) -> None:
    async def stumble(_: Ask, __: ChoiceDraft) -> Choice:
        raise ZeroDivisionError(KEY)

    mind = brain(llm)
    mind._briefs = {"choose": replace(BRIEF, complete=stumble)}
    llm.script["choose"] = BLUE
    found = await decisions(mind).decide(CHOOSE, Ask())
    assert (found.source, found.error, llm.counts) == ("fallback", "E003", {"choose": 1})
    assert found.usage is not None
    assert found.usage.input_tokens == INPUT_TOKENS
    assert mind.meter.snapshot().outcomes == {"invalid": 1}
    assert "ZeroDivisionError at test_runner.py" in caplog.text
    assert KEY not in caplog.text
    assert mind.breaker.state == "closed"


async def test_a_client_that_does_not_get_loaded_is_not_waited_for_for_ever(
    llm: FakeLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("moothall.llm.failing._LOADING", 0.05)
    model = Odd("warm", None)
    mind = brain(llm, model=model)
    for _ in range(3):
        assert (await decisions(mind).decide(CHOOSE, Ask())).error == "E003"
    assert (mind.breaker.state, model.asked) == ("open", 0)


@pytest.mark.parametrize("place", ["warm", "ask"])
async def test_who_goes_away_is_let_go_wherever_the_question_is(llm: FakeLLM, place: str) -> None:
    asking = asyncio.create_task(brain(llm, model=Odd(place, None)).answer(CHOOSE, Ask()))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_the_wait_for_a_place_and_the_request_share_one_time_limit(llm: FakeLLM) -> None:
    mind = brain(llm, llm_concurrency=1, llm_timeout_p4=4.0, llm_timeout_p5=60.0)
    llm.script["choose"] = HANG
    await mind._model.warm()
    loop = asyncio.get_running_loop()
    holding = asyncio.create_task(mind.answer(replace(CHOOSE, number=5), Ask()))
    await llm.got(1)
    began = loop.time()
    waiting = asyncio.create_task(mind.answer(CHOOSE, Ask()))
    await asyncio.sleep(0.5)
    holding.cancel()
    answer = await waiting
    assert isinstance(answer, Unanswered)
    assert answer.usage is not None, "it had its turn, and what the wait left"
    assert answer.usage.seconds < 3.6
    assert 3.9 < loop.time() - began < 7.5, "not a wait and a whole limit after it, by far"


async def test_a_request_that_came_late_does_not_speak_against_the_provider(llm: FakeLLM) -> None:
    mind = brain(llm, llm_timeout=60.0)
    llm.script["choose"] = HANG
    late = await mind.answer(CHOOSE, Ask(), 0.2)
    assert isinstance(late, Unanswered)
    assert (late.failure.code, mind.breaker.snapshot().consecutive_failures) == ("E004", 0)


async def opened(llm: FakeLLM, clock: ManualClock) -> Any:
    """A brain whose breaker has just opened, at the cost of three requests."""
    mind = brain(llm, clock=clock)
    llm.script["choose"] = 500
    for _ in range(3):
        await mind.answer(CHOOSE, Ask())
    assert mind.breaker.state == "open"
    return mind
