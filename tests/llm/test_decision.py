"""Who decides: the requester's own agent, the model, the rules; and how an answer says so."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from moothall.errors import DecisionRefused, ModelTimeout, ModelUnavailable, MoothallError
from moothall.llm.decision import TIMED_OUT, Answered, Decisions, Unanswered, Usage
from tests.llm.small import CHOOSE, RULES, Ask, Choice

USAGE = Usage("model", requests=2, input_tokens=5)
FAILURES = [ModelUnavailable("gone"), ModelTimeout("late"), DecisionRefused("nonsense")]


class Says:
    """An adviser with one answer, which notes how often it was asked."""

    def __init__(self, answer: Any, *, takes: bool = True) -> None:
        self._answer = answer
        self._takes = takes
        self.asked = 0
        self.seconds: list[float] = []

    def limit(self, _: Any) -> float:
        return 10.0

    def takes(self, *_: Any) -> bool:
        return self._takes

    async def answer(self, _: Any, __: Any, seconds: float) -> Any:
        self.asked += 1
        self.seconds.append(seconds)
        return self._answer

    async def stop(self) -> None:
        self.asked = -1


def blue() -> Says:
    return Says(Answered(Choice(colour="blue"), USAGE))


def failing(failure: MoothallError) -> Says:
    return Says(Unanswered(failure, USAGE))  # type: ignore[arg-type]


async def test_without_a_model_the_rules_decide_and_nothing_is_degraded() -> None:
    found = await Decisions(RULES).decide(CHOOSE, Ask())
    assert (found.source, found.degraded, found.error, found.usage) == ("rules", False, "", None)
    assert found.value.sure


async def test_the_models_answer_is_marked_as_its_own_with_what_it_took() -> None:
    found = await Decisions(RULES, blue()).decide(CHOOSE, Ask())
    assert (found.source, found.degraded, found.error, found.usage) == ("llm", False, "", USAGE)


@pytest.mark.requirement("NEG-FAIL-06")
@pytest.mark.parametrize("failure", FAILURES)
async def test_a_failing_model_is_replaced_by_the_rules_marked_with_the_reason(failure: MoothallError) -> None:
    found = await Decisions(RULES, failing(failure)).decide(CHOOSE, Ask())
    assert (found.source, found.degraded, found.error) == ("fallback", True, failure.code)
    assert found.usage == USAGE, "what was spent in vain is not lost"
    assert not found.value.sure


@pytest.mark.requirement("NEG-OPS-07")
async def test_a_timeout_is_logged_in_the_words_of_the_specification(caplog: pytest.LogCaptureFixture) -> None:
    await Decisions(RULES, failing(ModelTimeout("late"))).decide(CHOOSE, Ask())
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [(logging.WARNING, TIMED_OUT)]


async def test_a_queue_of_our_own_that_was_full_is_not_told_as_a_slow_model(caplog: pytest.LogCaptureFixture) -> None:
    await Decisions(RULES, Says(Unanswered(ModelTimeout("late")))).decide(CHOOSE, Ask())
    (record,) = caplog.records
    assert (record.levelno, "no place at the model" in record.getMessage()) == (logging.WARNING, True)
    assert TIMED_OUT not in caplog.text


@pytest.mark.requirement("NEG-API-05")
async def test_all_who_are_asked_share_one_time_limit() -> None:
    personal, model = failing(ModelTimeout("late")), blue()
    await Decisions(RULES, model, personal=personal).decide(CHOOSE, Ask())
    await Decisions(RULES, alone := blue()).decide(CHOOSE, Ask())
    assert personal.seconds == [pytest.approx(5.0, abs=0.5)], "half of it, so that there is time for the model"
    assert 5.0 < model.seconds[0] <= 10.0, "what the first one left"
    assert 9.0 < alone.seconds[0] <= 10.0


async def test_stopping_reaches_everybody_who_is_asked() -> None:
    personal, model = blue(), blue()
    await Decisions(RULES, model, personal=personal).stop()
    assert (personal.asked, model.asked) == (-1, -1)


async def test_the_requesters_own_agent_is_asked_before_the_model() -> None:
    personal, model = blue(), blue()
    found = await Decisions(RULES, model, personal=personal).decide(CHOOSE, Ask())
    assert (found.source, personal.asked, model.asked) == ("personal_agent", 1, 0)


@pytest.mark.parametrize("failure", FAILURES)
async def test_when_the_own_agent_fails_the_model_answers_and_nothing_is_degraded(failure: MoothallError) -> None:
    found = await Decisions(RULES, blue(), personal=failing(failure)).decide(CHOOSE, Ask())
    assert (found.source, found.degraded, found.error) == ("llm", False, "")


async def test_when_both_fail_the_rules_answer_with_the_models_reason() -> None:
    decisions = Decisions(RULES, failing(ModelTimeout("late")), personal=failing(ModelUnavailable("gone")))
    found = await decisions.decide(CHOOSE, Ask())
    assert (found.source, found.degraded, found.error) == ("fallback", True, "E004")


async def test_an_own_agent_without_a_model_leaves_it_to_the_rules_marked_as_degraded() -> None:
    found = await Decisions(RULES, personal=failing(ModelUnavailable("gone"))).decide(CHOOSE, Ask())
    assert (found.source, found.degraded, found.error) == ("fallback", True, "E003")


async def test_who_does_not_take_a_question_is_not_asked() -> None:
    personal = Says(None, takes=False)
    assert (await Decisions(RULES, blue(), personal=personal).decide(CHOOSE, Ask())).source == "llm"
    assert personal.asked == 0


@pytest.mark.parametrize(
    ("failure", "code"),
    [(ModelUnavailable("gone"), "E003"), (ModelTimeout("late"), "E004"), (DecisionRefused("nonsense"), "E003")],
)
async def test_a_strict_prompt_is_refused_instead_of_left_to_the_rules(failure: MoothallError, code: str) -> None:
    decisions = Decisions(RULES, failing(failure), strict=frozenset({"choose"}))
    with pytest.raises(MoothallError) as refused:
        await decisions.decide(CHOOSE, Ask())
    assert refused.value.code == code
    assert refused.value.http_status in {503, 504}


async def test_strict_concerns_only_the_named_prompts_and_only_failures() -> None:
    others = Decisions(RULES, failing(FAILURES[0]), strict=frozenset({"understand"}))
    assert (await others.decide(CHOOSE, Ask())).source == "fallback"
    assert (await Decisions(RULES, strict=frozenset({"choose"})).decide(CHOOSE, Ask())).source == "rules"


async def test_what_is_not_worth_a_call_is_decided_by_the_rules_alone() -> None:
    model = blue()
    assert (await Decisions(RULES, model).by_rules(CHOOSE, Ask())).source == "rules"
    assert model.asked == 0


async def test_even_the_rules_answer_is_checked() -> None:
    with pytest.raises(DecisionRefused):
        await Decisions(RULES).decide(CHOOSE, Ask(allowed=("blue",)))
