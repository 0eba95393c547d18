"""Profiles: what is accepted, what is refused and where, and what is never shown."""

from __future__ import annotations

import json
import logging
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from moothall.directory.loading import load_profiles_from_file, parse_profile
from moothall.directory.profiles import MOCK_PROFILE_SCHEMA, STORED, AgentProfile, Calendar, PublishedCondition
from moothall.errors import InvalidInput
from tests.directory.conftest import SUMMARY, MakeRow, Row

SECRET = 2611.5


def refused(row: object) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        parse_profile(row, 7)
    return caught.value


def offer(**fields: Any) -> Row:
    return {"tag": "场地提供", "title": "会议室", "price": 3000, **fields}


def test_the_samples_keys_are_the_specifications(make_row: MakeRow) -> None:
    assert set(MOCK_PROFILE_SCHEMA) == set(make_row())
    profile = parse_profile(make_row())
    assert set(profile.public()) == set(MOCK_PROFILE_SCHEMA)


@pytest.mark.requirement("NEG-DATA-07")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("agent_id", "anna"),
        ("agent_id", "user_agent_"),
        ("agent_id", "user_agent_Anna"),
        ("agent_id", "user_agent_anna-lee"),
        ("agent_id", "user_agent_anna\n"),
        ("user_name", " "),
        ("profile_summary", SUMMARY[:199]),
        ("profile_summary", (SUMMARY * 3)[:501]),
        ("profile_summary", "An English summary that is far too short."),
        ("location", ""),
        ("tags", []),
        ("tags", "场地提供"),
        ("interests", [""]),
        ("availability", 3),
        ("surname", "unknown key"),
    ],
)
def test_a_bad_field_is_refused_with_row_agent_and_field(make_row: MakeRow, field: str, value: object) -> None:
    error = refused(make_row() | {field: value})
    assert error.code == "INVALID_INPUT"
    assert error.details["row"] == 7
    assert str(error.details["field"]).split(".")[0] == field
    assert "row 7" in error.message
    if field != "agent_id":
        assert "user_agent_anna" in error.message


@pytest.mark.parametrize(
    "bad", ["An\u202ena", "An\0na", "An\nna", "An\u2067na", "\u200b\u200d", "An\u200fna", "An\u2028na"]
)
@pytest.mark.parametrize("field", ["user_name", "tags", "location"])
def test_names_that_turn_hide_or_show_nothing_are_refused_and_those_of_stored_agents_stay_readable(
    make_row: MakeRow, field: str, bad: str
) -> None:
    error = refused(make_row() | {field: [bad] if field == "tags" else bad, "capabilities": {}})
    assert str(error.details["field"]).split(".")[0] == field
    stored = {**make_row(), field: [bad] if field == "tags" else bad, "capabilities": {}}
    assert AgentProfile.model_validate(stored, context=STORED)


def test_an_emoji_of_several_parts_may_stand_in_a_name(make_row: MakeRow) -> None:
    assert parse_profile(make_row() | {"user_name": "Anna 👩‍🍳"}).user_name == "Anna 👩‍🍳"


@pytest.mark.requirement("NEG-DATA-07")
@pytest.mark.parametrize("length", [200, 500])
@pytest.mark.parametrize("text", [SUMMARY * 3, "We hold talks and dinners in an old kiln. " * 20])
def test_a_summary_counts_characters_in_both_languages(make_row: MakeRow, text: str, length: int) -> None:
    summary = text[: length - 1] + "x"
    assert parse_profile(make_row(profile_summary=summary)).profile_summary == summary


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"price": -1}, "capabilities.offers.0.price"),
        ({"price": float("inf")}, "capabilities.offers.0.price"),
        ({"currency": "yuan"}, "capabilities.offers.0.currency"),
        ({"unit": "week"}, "capabilities.offers.0.unit"),
        ({"capacity": 0}, "capabilities.offers.0.capacity"),
        ({"prize": 3}, "capabilities.offers.0.prize"),
        ({"price": 1.1e9}, "capabilities.offers.0.price"),
        ({"travel_fee": 1.1e9}, "capabilities.offers.0.travel_fee"),
        ({"capacity": 10_000_001}, "capabilities.offers.0.capacity"),
        ({"quantity": 10_001}, "capabilities.offers.0.quantity"),
        ({"min_attendees": 10_000_001}, "capabilities.offers.0.min_attendees"),
        ({"conditions": [{"kind": "lead_days", "value": 1e12}]}, "capabilities.offers.0.conditions.0.value"),
        ({"conditions": [{"kind": "lead_days", "value": 731}]}, "capabilities.offers.0.conditions.0"),
        ({"conditions": [{"kind": "min_attendees", "value": 2e7}]}, "capabilities.offers.0.conditions.0"),
        ({"conditions": [{"kind": "min_fee", "value": 1}] * 21}, "capabilities.offers.0.conditions"),
        ({"conditions": [{"kind": "mood"}]}, "capabilities.offers.0.conditions.0.kind"),
        ({"conditions": [{"kind": "min_fee", "tag": "摄影"}]}, "capabilities.offers.0.conditions.0"),
        ({"conditions": [{"kind": "weekdays", "values": [7]}]}, "capabilities.offers.0.conditions.0.values.0"),
    ],
)
def test_a_bad_offer_is_refused_at_its_field(make_row: MakeRow, changes: Row, field: str) -> None:
    assert refused(make_row(offers=[offer(**changes)])).details["field"] == field


def test_offers_must_be_among_the_tags(make_row: MakeRow) -> None:
    error = refused(make_row(offers=[offer()], tags=["摄影"]))
    assert error.details["field"] == "capabilities.offers"
    assert "场地提供" in error.message


@pytest.mark.parametrize(
    "calendar", [{"blackout": ["soon"]}, {"blackout": ["2027-02-12/2027-02-05"]}, {"lead_days": -1}]
)
def test_a_bad_calendar_is_refused(make_row: MakeRow, calendar: Row) -> None:
    assert str(refused(make_row(calendar=calendar)).details["field"]).startswith("capabilities.calendar.")


def test_lists_of_a_profile_are_bounded(make_row: MakeRow) -> None:
    tags = [f"场地{number}" for number in range(31)]
    assert refused(make_row(tags=tags, offers=[])).details["field"] == "tags"
    assert refused(make_row(interests=tags)).details["field"] == "interests"
    assert refused(make_row(offers=[offer()] * 51)).details["field"] == "capabilities.offers"
    assert parse_profile(make_row(tags=tags[:30], offers=[], interests=tags[:30]))


def test_a_profile_too_large_is_refused_with_its_id_and_size(make_row: MakeRow) -> None:
    error = refused(make_row(tags=["场地提供"], capabilities={"portfolio": "图" * 12_000}))
    assert error.details["field"] == "profile"
    assert "user_agent_anna" in error.message
    assert "bytes" in error.message
    assert "at most 32768" in error.message
    assert parse_profile(make_row(tags=["场地提供"], capabilities={"portfolio": "图" * 9_000}))


def test_a_calendar_ends_with_the_calendar() -> None:
    assert Calendar(weekdays=()).first_available(date(9999, 12, 1), date.max) is None
    assert Calendar(lead_days=730).first_available(date(9999, 12, 1), date.max, date(9999, 1, 1)) == date.max
    assert not Calendar(lead_days=730).available(date(9999, 12, 30), today=date(9999, 12, 1))


@pytest.mark.parametrize("row", [None, [], "text", 3, {}])
def test_what_is_no_profile_is_refused(row: object) -> None:
    assert refused(row).details["agent_id"] == "?"


def test_a_floor_above_the_price_is_refused_without_naming_it(make_row: MakeRow) -> None:
    error = refused(make_row(reservation={"floors": {"场地提供": 3000 + SECRET}}))
    assert error.details["field"] == "reservation.floors"
    assert "5611" not in f"{error} {error.why} {error.hint} {error.details}"


def test_a_floor_needs_an_offer(make_row: MakeRow) -> None:
    assert refused(make_row(reservation={"floors": {"摄影": 1}})).details["field"] == "reservation.floors"


def test_a_bad_floor_is_refused_without_naming_it(make_row: MakeRow) -> None:
    error = refused(make_row(reservation={"floors": {"场地提供": -SECRET}}))
    assert "2611" not in f"{error} {error.why} {error.hint} {error.details}"


def test_the_reservation_is_private(make_row: MakeRow, caplog: pytest.LogCaptureFixture) -> None:
    profile = parse_profile(make_row(reservation={"floors": {"场地提供": SECRET}}))
    caplog.set_level(logging.DEBUG)
    logging.getLogger("moothall.test").info("%r %s", profile, profile)
    shown = [repr(profile), str(profile), repr(profile.reservation), json.dumps(profile.public(), ensure_ascii=False)]
    shown += [profile.model_dump_json(), str(profile.model_dump()), caplog.text]
    assert all("2611" not in text and "floors" not in text for text in shown[:2] + shown[3:])
    assert "2611" not in shown[2]
    assert profile.private()["reservation"] == {"floors": {"场地提供": SECRET}}


def test_a_profile_survives_the_store_format(make_row: MakeRow) -> None:
    row = make_row(
        offers=[offer(conditions=[{"kind": "theme", "texts": ["AI"]}, {"kind": "requires", "tag": "音响设备"}])],
        calendar={"weekdays": [5, 6], "lead_days": 3, "blackout": ["2027-02-05/2027-02-12"]},
        reservation={"floors": {"场地提供": SECRET}},
    )
    profile = parse_profile(row)
    assert AgentProfile.model_validate_json(json.dumps(profile.private())) == profile


def test_free_keys_of_capabilities_are_kept(make_row: MakeRow) -> None:
    row = make_row(tags=["场地提供"], capabilities={"skills": ["tea"], "years": 8})
    assert parse_profile(row).public()["capabilities"]["years"] == 8


def test_a_calendar_knows_weekdays_notice_and_holidays() -> None:
    calendar = Calendar(weekdays=(5, 6), lead_days=3, blackout=("2027-02-06/2027-02-07", "2027-02-14"))
    assert calendar.available(date(2027, 1, 30))
    assert not calendar.available(date(2027, 1, 29))
    assert not calendar.available(date(2027, 2, 7))
    assert not calendar.available(date(2027, 1, 30), today=date(2027, 1, 28))
    assert calendar.available(date(2027, 1, 30), today=date(2027, 1, 27))
    assert calendar.first_available(date(2027, 2, 1), date(2027, 2, 28)) == date(2027, 2, 13)
    assert calendar.first_available(date(2027, 2, 14), date(2027, 2, 19)) is None


def test_a_condition_carries_one_field() -> None:
    assert PublishedCondition.model_validate({"kind": "min_attendees", "value": 20, "text": "at least 20"}).value == 20
    assert PublishedCondition.model_validate({"kind": "weekdays", "values": [0, 6]}).values == (0, 6)


def test_a_file_is_read_whole(tmp_path: Path, make_row: MakeRow) -> None:
    path = tmp_path / "profiles.json"
    path.write_text(json.dumps([make_row("anna"), make_row("bao")], ensure_ascii=False), encoding="utf-8")
    assert [profile.agent_id for profile in load_profiles_from_file(path)] == ["user_agent_anna", "user_agent_bao"]
    assert load_profiles_from_file(str(path)) == load_profiles_from_file(path)


def test_an_id_that_occurs_twice_is_refused(tmp_path: Path, make_row: MakeRow) -> None:
    path = tmp_path / "profiles.json"
    path.write_text(json.dumps([make_row("anna"), make_row("bao"), make_row("anna")]), encoding="utf-8")
    with pytest.raises(InvalidInput, match=r"row 3 .*row 1"):
        load_profiles_from_file(path)


@pytest.mark.parametrize("content", [b"{}", b"[", b'"text"', b"\xff\xfe"])
def test_a_file_that_is_no_list_of_profiles_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "profiles.json"
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match=r"profiles\.json"):
        load_profiles_from_file(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot read"):
        load_profiles_from_file(tmp_path / "nothing.json")
