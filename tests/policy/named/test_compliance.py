"""Rules by region, purpose, retention and hours."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from moothall.errors import SettingsError
from moothall.identity.principal import OWNER
from moothall.people.facts import PartyFacts
from moothall.policy.decision import PermissionResult
from moothall.policy.named.reader import read
from tests.policy.named.hall import Hall, entry, party, policies

pytestmark = pytest.mark.requirement("POL-09")
BANK = party("bank", organisations=frozenset({"acme"}))
BERLIN = ZoneInfo("Europe/Berlin")
OPEN = {"access": "authenticated"}


def call(table: str, caller: PartyFacts | None = None, **given: Any) -> PermissionResult:
    when = given.pop("now", None)
    purpose = given.pop("purpose", "")
    extra = {} if when is None else {"now": when}
    return Hall(policies(table), BANK).call(caller or party("x"), entry(**{**OPEN, **given}), purpose=purpose, **extra)


EU = '[compliance.regions.eu]\nunits = ["acme-eu"]\nhosts = ["agents.example.eu"]\n'


@pytest.mark.parametrize(
    ("caller", "allowed"),
    [
        (party("x", organisations=frozenset({"acme-eu"})), True),
        (party("x", teams=frozenset({"t"}), above=frozenset({"acme-eu"})), True),
        (party("x", organisations=frozenset({"acme-us"})), False),
        (PartyFacts(id="did:wba:agents.example.eu:user:bo:e1_k"), True),
        (PartyFacts(id="did:wba:agents.example.eu%3A8443:user:bo:e1_k"), True),
        (PartyFacts(id="did:wba:agents.example.eu"), True),
        (PartyFacts(id="did:wba:agents.example.eu.evil.example:user:bo:e1_k"), False),
        (PartyFacts(id="did:wba:evil.example:did:wba:agents.example.eu:e1_k"), False),
        (PartyFacts(id="did:wba:example.eu:user:bo:e1_k"), False),
    ],
)
def test_data_of_a_region_goes_to_nobody_outside_of_it(caller: PartyFacts, allowed: bool) -> None:
    decision = call(EU, caller, region="eu")
    assert decision.allowed is allowed
    assert allowed or decision.policy == "compliance:region:eu"
    assert call(EU, caller).allowed


def test_a_region_that_no_table_names_is_nobodys() -> None:
    assert call(EU, PartyFacts(id="did:wba:agents.example.eu"), region="mars").policy == "compliance:region"
    assert call("[compliance]", region="eu").policy == "compliance:region"
    assert call("", region="eu").allowed


def test_a_region_without_members_lets_nobody_in() -> None:
    assert call("[compliance.regions.eu]", region="eu").policy == "compliance:region:eu"


@pytest.mark.parametrize(("purpose", "allowed"), [("billing", True), ("support", True), ("ads", False), ("", False)])
def test_a_call_says_what_it_is_for(purpose: str, allowed: bool) -> None:
    table = '[[compliance.purposes]]\ncapabilities = ["bank.*"]\nallowed = ["billing", "support"]'
    decision = call(table, purpose=purpose)
    assert decision.allowed is allowed
    assert allowed or decision.policy == "compliance:purpose:1"
    assert call(table.replace("bank", "shop"), purpose=purpose).allowed


def test_restricted_data_needs_a_purpose_where_the_table_says_so() -> None:
    cleared = party("x", clearance=3)
    table = "[compliance]\nrestricted_needs_purpose = true"
    assert call(table, cleared, classification=3).policy == "compliance:restricted"
    assert call(table, cleared, classification=3, purpose="audit").allowed
    assert call(table, cleared, classification=2).allowed
    assert call("[compliance]", cleared, classification=3).allowed


@pytest.mark.parametrize(
    ("until", "now", "allowed"),
    [
        ("2031-01-01", datetime(2030, 12, 31, 23, 59, 59, tzinfo=BERLIN), True),
        ("2031-01-01", datetime(2031, 1, 1, 0, 0, tzinfo=BERLIN), False),
        ("2031-01-01T12:00:00Z", datetime(2031, 1, 1, 12, 59, tzinfo=BERLIN), True),
        ("2031-01-01T12:00:00Z", datetime(2031, 1, 1, 13, 0, tzinfo=BERLIN), False),
        ("2031-01-01T12:00:00", datetime(2031, 1, 1, 12, 0, tzinfo=BERLIN), False),
    ],
)
def test_data_is_given_to_nobody_once_the_time_to_keep_it_is_over(until: str, now: datetime, allowed: bool) -> None:
    table = (
        f'[compliance]\nzone = "Europe/Berlin"\n[[compliance.retention]]\ncapabilities = ["bank.*"]\nuntil = {until}'
    )
    assert call(table, now=now).allowed is allowed


HOURS = """[compliance]
zone = "Europe/Berlin"
[[compliance.hours]]
capabilities = ["bank.*"]
start = 09:00:00
end = "17:00"
closed = [2026-12-25]
"""


@pytest.mark.parametrize(
    ("now", "allowed"),
    [
        (datetime(2026, 3, 4, 9, 0, tzinfo=BERLIN), True),
        (datetime(2026, 3, 4, 8, 59, tzinfo=BERLIN), False),
        (datetime(2026, 3, 4, 16, 59, tzinfo=BERLIN), True),
        (datetime(2026, 3, 4, 17, 0, tzinfo=BERLIN), False),
        (datetime(2026, 3, 7, 12, 0, tzinfo=BERLIN), False),
        (datetime(2026, 7, 1, 9, 0, tzinfo=BERLIN), True),
        (datetime(2026, 7, 1, 7, 30, tzinfo=ZoneInfo("UTC")), True),
        (datetime(2026, 1, 7, 7, 30, tzinfo=ZoneInfo("UTC")), False),
        (datetime(2026, 12, 24, 12, 0, tzinfo=BERLIN), True),
        (datetime(2026, 12, 25, 12, 0, tzinfo=BERLIN), False),
    ],
)
def test_calls_are_answered_in_business_hours_of_the_zone(now: datetime, allowed: bool) -> None:
    decision = call(HOURS, now=now)
    assert decision.allowed is allowed
    assert allowed or decision.policy == "compliance:hours:1"


@pytest.mark.parametrize(
    ("day", "hour", "allowed"),
    [(4, 23, True), (5, 5, True), (5, 6, False), (4, 21, False), (7, 5, True), (7, 23, False), (2, 5, False)],
)
def test_hours_may_end_on_the_next_day(day: int, hour: int, allowed: bool) -> None:
    table = '[[compliance.hours]]\ncapabilities = ["*"]\nstart = "22:00"\nend = "06:00"'
    assert call(table, now=datetime(2026, 3, day, hour, 0, tzinfo=ZoneInfo("UTC"))).allowed is allowed


@pytest.mark.requirement("AUT-05")
def test_only_decisions_about_what_a_rule_concerns_are_made_anew_each_time() -> None:
    hall = Hall(policies(HOURS), BANK)
    assert not hall.judge(party("x"), entry(**OPEN)).kept
    assert hall.judge(party("x"), entry("shop.list", **OPEN)).kept


def test_only_the_operator_stands_above_the_rules() -> None:
    hall = Hall(policies(HOURS + EU), BANK)
    night = datetime(2026, 3, 4, 3, 0, tzinfo=BERLIN)
    assert hall.call(PartyFacts(id="owner"), entry(region="eu"), by=OWNER, now=night).allowed
    agent = party("own")
    hosted = replace(OWNER, id=agent.id, kind="did")
    assert hall.call(agent, by=hosted, now=night).policy == "compliance:hours:1"
    assert hall.call(agent, entry(region="mars"), by=hosted, now=datetime(2026, 3, 4, 12, 0, tzinfo=BERLIN)).allowed


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ('[compliance]\nzone = "Europe/Nowhere"', "no time zone 'Europe/Nowhere'"),
        ('[[compliance.hours]]\ncapabilities=["a"]\nstart="09:00"\nend="09:00"', "two different times"),
        ('[[compliance.hours]]\ncapabilities=["a"]\nstart="09:00"\nend="17:00"\ndays=["monday"]', "hours.0.days"),
        ('[[compliance.purposes]]\ncapabilities=[]\nallowed=["x"]', "purposes.0.capabilities"),
        ('[[compliance.retention]]\ncapabilities=["a"]\nuntil="soon"', "retention.0.until"),
        ('[compliance.regions.eu]\nhosts=["*.example.eu"]', "regions.eu.hosts.0"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_with_its_place(table: str, told: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(table)
    assert told in str(caught.value.why)
