"""Three ways to show the same events: lines, JSON Lines, a board that is redrawn; and the plan as a table."""

from __future__ import annotations

import io
import json
import re
from datetime import UTC, datetime
from functools import reduce

import pytest
from rich.cells import cell_len
from rich.console import Console

from moothall.cli.render.clean import clean, clean_all, clean_line, safe_json
from moothall.cli.render.live import Screen, board
from moothall.cli.render.plan import outcome
from moothall.cli.render.shows import JsonLines, Lines, Silent, print_outcome
from moothall.cli.render.understood import amount, limits_of
from moothall.cli.render.view import View
from moothall.events.types import EVENT_TYPES
from moothall.messages import LANGS, Lang, catalogue
from tests.cli.recorded import AGREED, FAILED, START, event


def lines(events: list[dict[str, object]], lang: Lang) -> list[str]:
    out = io.StringIO()
    show = Lines(out, lang)
    for each in events:
        show.event(each)
    return out.getvalue().splitlines()


def drawn(renderable: object, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    with console.capture() as captured:
        console.print(renderable)
    return captured.get()


def view_of(events: list[dict[str, object]]) -> View:
    return reduce(View.apply, events, View())


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("events", [AGREED, FAILED])
def test_every_event_is_one_line_with_the_time_since_the_first(lang: Lang, events: list[dict[str, object]]) -> None:
    told = [line for line in lines(events, lang) if line.lstrip().startswith("+")]
    assert len(told) == len(events)
    assert told[0].split()[0] == "+0.00s"
    assert told[3].split()[0] == "+3.00s"
    assert not any("{" in line for line in told)


@pytest.mark.parametrize("lang", LANGS)
def test_every_public_event_type_has_a_line(lang: Lang) -> None:
    told = catalogue("cli", lang)
    assert [kind for kind in EVENT_TYPES if f"line.{kind.removeprefix('towow.')}" not in told] == []


def test_lines_say_who_said_what_and_what_silence_counts_as() -> None:
    told = "\n".join(lines(START, "zh"))
    assert "报价 3/3：胡同 谢绝：没空" in told
    assert "青砖小馆 未答复，按同意计" in told
    assert not [line for lang in LANGS for line in lines(START, lang) if line.endswith((":", "："))]
    assert "Mei 希望调整：later" in told


UNDERSTOOD = event(
    1, "demand.understood", capability_tags=["venue"], confidence="high", uncertainties=["the end", "the hour"],
    context={"location": "Beijing", "expected_attendees": 20, "date": "2026-12-05", "budget": 3000.0},
    constraints={"date_start": "2026-12-05", "date_end": "2026-12-06", "budget": 3000.0, "currency": "USD"},
)  # fmt: skip


def test_what_the_requester_confirmed_takes_the_place_of_what_was_understood() -> None:
    changed = {**UNDERSTOOD["payload"], "capability_tags": ["photo"], "uncertainties": ["the hour"]}
    confirmed = event(2, "demand.confirmed", understanding=changed, edited=["capability_tags"], source="requester")
    told = lines([START[0], UNDERSTOOD, confirmed], "en")
    assert "confirmed by the requester: photo" in told[4]
    assert told[6].strip() == "Unclear: the hour"
    assert view_of([START[0], UNDERSTOOD, confirmed]).tags == ("photo",)


def test_what_was_understood_and_what_stayed_unclear_stand_below_the_understanding() -> None:
    told = lines([START[0], UNDERSTOOD, START[2]], "en")
    assert told[2].strip() == "place: Beijing · date: 2026-12-05 – 2026-12-06 · people: 20 · budget: 3,000 USD"
    assert told[3].strip() == "Unclear: the end, the hour"
    assert len(told) == 5
    assert "不明确：没有说明日期" in "\n".join(lines(START, "zh"))
    now = datetime(2026, 11, 21, 10, tzinfo=UTC)
    assert told[2].strip() in drawn(board(view_of([UNDERSTOOD]), "en", now, rows=9))


def test_only_what_was_stated_is_told_of_an_understanding() -> None:
    assert limits_of({}, "en") == ""
    said = {"context": {"budget": "500 each"}, "constraints": {"online": True, "budget": None}}
    assert limits_of(said, "zh") == "线上 · 预算：500 each"


def test_a_budget_is_told_with_its_currency_and_compared_within_it_only() -> None:
    assert "total 3,200 CNY of a budget of 5,000.50 CNY" in drawn(outcome(view_of(AGREED), "en"))
    apart = view_of([*AGREED[:1], UNDERSTOOD, *AGREED[2:]])
    told = " ".join(drawn(outcome(apart, "en"), width=160).split())
    assert "total 3,200 CNY; the budget is 3,000 USD" in told
    assert "cannot be compared" in told


def test_an_event_of_a_newer_node_is_shown_by_its_name() -> None:
    assert lines([event(0, "something.new")], "en")[0].endswith("something.new")


def test_json_lines_are_the_events_themselves() -> None:
    out = io.StringIO()
    show = JsonLines(out)
    for each in AGREED:
        show.event(each)
    assert [json.loads(line) for line in out.getvalue().splitlines()] == AGREED
    assert "场地提供" in out.getvalue()
    assert show.view.result == "partial"


@pytest.mark.parametrize("lang", LANGS)
def test_the_plan_is_a_table_of_role_who_price_date_conditions(lang: Lang) -> None:
    told = drawn(outcome(view_of(AGREED), lang))
    for part in ("场地提供", "青砖小馆", "3,200 CNY", "2026-12-05", "需要投影", "5,000.50"):
        assert part in told
    assert {"zh": "已满足", "en": "met"}[lang] in told
    assert {"zh": "免费", "en": "free"}[lang] in told


def test_the_columns_are_straight_although_chinese_is_wide() -> None:
    told = [line for line in drawn(outcome(view_of(AGREED), "zh")).splitlines() if line[:1] in "┏┃┡│└"]
    assert len({cell_len(line.rstrip()) for line in told}) == 1


def test_a_partial_agreement_says_who_did_not_confirm_and_what_nobody_does() -> None:
    told = drawn(outcome(view_of(AGREED), "en"))
    assert "Agreed in part." in told
    assert "Not confirmed by: 青砖小馆" in told
    assert "Nobody for: 摄影" in told
    assert "• 再找一位摄影师" in told


def test_a_failure_says_why_and_what_could_help_and_dresses_nothing_up() -> None:
    told = drawn(outcome(view_of(FAILED), "en"))
    assert "No plan: 核心角色退出" in told
    assert "Last plan (not agreed)" in told
    assert "只剩讲者" in told
    assert "• 换一天" in told
    assert "agreed." not in told.lower().replace("not agreed)", "")


def test_a_failure_without_a_plan_needs_no_table() -> None:
    told = drawn(outcome(view_of([event(0, "negotiation.failed", reason="no_candidates")]), "en"))
    assert "no_candidates" in told
    assert "┃" not in told


def test_the_outcome_is_written_without_colours_where_there_is_no_terminal() -> None:
    out = io.StringIO()
    print_outcome(view_of(AGREED), out, "zh")
    assert "\x1b" not in out.getvalue()


def test_the_board_shows_round_offers_and_the_time_left() -> None:
    now = datetime(2026, 11, 21, 10, 1, 30, tzinfo=UTC)
    told = drawn(board(view_of(START), "en", now, rows=20), width=160)
    assert "在北京办一场聚会" in told
    assert "round 1/3" in told
    assert "offers 3/3" in told
    assert "30 s left" in told
    assert "1 accept, 1 want changes, 0 withdraw" in told
    assert "Unclear: 没有说明日期" in told
    late = drawn(board(view_of(START), "en", datetime(2026, 11, 21, 11, tzinfo=UTC), rows=20), width=160)
    assert "0 s left" in late


def test_the_board_fits_the_screen() -> None:
    now = datetime(2026, 11, 21, 10, tzinfo=UTC)
    few, many = (drawn(board(view_of(START), "zh", now, rows=rows), width=60) for rows in (1, 20))
    assert len(many.splitlines()) - len(few.splitlines()) == 2
    assert all(cell_len(line) <= 60 for line in many.splitlines())


def test_the_board_of_every_moment_can_be_drawn() -> None:
    now = datetime(2026, 11, 21, 10, tzinfo=UTC)
    for events in (AGREED, FAILED):
        for count in range(len(events) + 1):
            assert drawn(board(view_of(events[:count]), "zh", now, rows=10))


def test_the_screen_ends_with_the_last_state_and_the_cursor_back() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    out = Terminal()
    with Screen(out, "en") as screen:
        for each in AGREED:
            screen.event(each)
    assert "agreed" in out.getvalue()
    assert out.getvalue().count("\x1b[?25l") == out.getvalue().count("\x1b[?25h")


ATTACKS = {
    "\x1b[31mred\x1b[0m": "red",
    "\x1b]0;title\x07name": "name",
    "\x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x1b\\": "link",
    "\x1bP+q544e\x1b\\name": "name",
    "a\x08\x08b": "ab",
    "over\rwrite": "over write",
    "two\nlines\u2028three": "two lines three",
    "\x9b31mred": "31mred",
    "a\u202egnp.exe": "agnp.exe",
    "\u2066hidden\u2069": "hidden",
    "zero\u200bwidth\ufeff": "zerowidth",
    "\x1b[": "",
    "\x1b": "",
    "[bold]rich[/bold] :smile:": "[bold]rich[/bold] :smile:",
    "青砖 小馆": "青砖 小馆",
}


@pytest.mark.parametrize(("text", "plain"), ATTACKS.items())
def test_what_would_steer_a_terminal_never_reaches_it(text: str, plain: str) -> None:
    assert clean_line(text) == plain
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", clean(text))


@pytest.mark.parametrize("text", ATTACKS)
def test_a_hostile_agent_name_is_harmless_in_every_rendering(text: str) -> None:
    hostile = [
        event(0, "demand.submitted", raw_input=text),
        event(1, "offer.submitted", agent_id="a", display_name=text, decision=text, contribution=text),
        event(2, "proposal.feedback", agent_id="a", display_name=text, feedback_type="accept", reasoning=text),
        event(3, "negotiation.failed", reason=text, suggestions=[text]),
    ]
    silent = Silent()
    for each in hostile[:1] + hostile[2:]:
        silent.event(each)
    now = datetime(2026, 11, 21, tzinfo=UTC)
    shown = [*lines(hostile, "en"), drawn(outcome(silent.view, "en")), drawn(board(silent.view, "en", now, 9))]
    assert len(lines(hostile, "en")) == len(hostile)
    for part in shown:
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", part)


def test_json_lets_no_control_character_through_and_loses_nothing() -> None:
    value = {"name": "\x1b[31m\x9b31m\x7f", "ok": "青"}
    line = safe_json(json.dumps(value, ensure_ascii=False))
    assert not re.search("[\x00-\x1f\x7f-\x9f]", line)
    assert json.loads(line) == value


def test_cleaning_keeps_the_form_of_a_value() -> None:
    assert clean_all({"a\x1b": ["x\x07", 1, None, {"b": 2.5}]}) == {"a": ["x", 1, None, {"b": 2.5}]}


@pytest.mark.parametrize(("value", "told"), [(0, "0"), (3200, "3,200"), (1.5, "1.50"), (1234567.0, "1,234,567")])
def test_money_reads_as_money(value: float, told: str) -> None:
    assert amount(value) == told
