"""Which version answers, which comes next, and which is gone back to."""

from __future__ import annotations

import pytest

from moothall.codegen.services.health import Health, HealthLimits
from moothall.codegen.services.records import ServiceRecord, VersionRecord, granted, next_version, one_before


def version(number: str, approval: str = "granted ap-1") -> VersionRecord:
    return VersionRecord(service="forge.trend", version=number, hash=f"sha256:{number}", approval=approval)


@pytest.mark.requirement("GEN-11")
@pytest.mark.parametrize(("share", "expected"), [(0.1, 10), (0.25, 25), (0.5, 50), (1.0, 100), (0.0, 0)])
def test_a_canary_gets_its_share_of_the_calls_evenly(share: float, expected: int) -> None:
    record = ServiceRecord(name="forge.trend", live="1.0.0", canary="2.0.0", share=share)
    answers = [record.version_for(count) for count in range(1, 101)]
    assert answers.count("2.0.0") == expected
    if 0 < share < 1:
        assert "1.0.0" in answers[:10]


def test_without_a_canary_the_live_version_answers_everything() -> None:
    record = ServiceRecord(name="forge.trend", live="1.0.0", share=0.5)
    assert {record.version_for(count) for count in range(1, 20)} == {"1.0.0"}


@pytest.mark.requirement("GEN-12")
def test_what_is_gone_back_to_is_the_newest_approved_version_before() -> None:
    versions = [version("1.0.0"), version("1.9.0"), version("1.10.0"), version("1.11.0", "ap-2"), version("2.0.0")]
    assert [
        found.version if (found := one_before(versions, each)) else None for each in ("2.0.0", "1.10.0", "1.0.0")
    ] == [
        "1.10.0",
        "1.9.0",
        None,
    ]


@pytest.mark.parametrize(
    ("known", "compatible", "expected"),
    [
        ([], True, "1.0.0"),
        (["1.0.0"], True, "1.1.0"),
        (["1.9.0", "1.10.0"], True, "1.11.0"),
        (["1.2.0"], False, "2.0.0"),
    ],
    ids=["first", "minor", "not-by-letters", "major"],
)
def test_the_next_version_says_whether_callers_can_stay_as_they_are(
    known: list[str], compatible: bool, expected: str
) -> None:
    assert next_version([version(each) for each in known], compatible=compatible) == expected


def test_an_approval_that_was_granted_keeps_its_id() -> None:
    assert granted("ap-7") == "granted ap-7"
    assert granted(granted("ap-7")) == "granted ap-7"
    assert version("1.0.0", granted("")).approved
    assert not version("1.0.0", "ap-7").approved


LIMITS = HealthLimits(error_rate=0.5, latency=2.0, least=4, most=8)


@pytest.mark.requirement("GEN-12")
def test_nothing_is_said_of_too_few_calls() -> None:
    health = Health(LIMITS)
    for _ in range(3):
        health.add(9.0, failed=True)
    assert health.ill == ""
    health.add(9.0, failed=True)
    assert health.ill == "error_rate"


@pytest.mark.requirement("GEN-12")
def test_the_share_of_failures_counts_among_the_last_calls() -> None:
    health = Health(LIMITS)
    for failed in (True, True, True, False, False, False, False):
        health.add(0.1, failed=failed)
    assert health.ill == ""
    for _ in range(4):
        health.add(0.1, failed=True)
    assert health.ill == "error_rate"


@pytest.mark.requirement("GEN-12")
def test_slow_answers_are_ill_when_more_than_one_in_twenty_is() -> None:
    health = Health(HealthLimits(latency=2.0, least=4, most=100))
    for _ in range(95):
        health.add(0.1, failed=False)
    for _ in range(4):
        health.add(5.0, failed=False)
    assert health.ill == ""
    health.add(5.0, failed=False)
    health.add(5.0, failed=False)
    assert health.ill == "latency"


@pytest.mark.requirement("GEN-12")
def test_no_caller_from_elsewhere_alone_makes_ill_what_others_call_too() -> None:
    health = Health(HealthLimits(error_rate=0.5, latency=2.0, least=4, most=100))
    health.add(0.1, failed=False, caller="did:wba:far.example:agents:bob")
    for _ in range(200):
        health.add(9.0, failed=True, caller="did:wba:far.example:agents:eve")
    assert health.ill == ""
    health.add(0.1, failed=True, caller="did:wba:far.example:agents:bob")
    assert health.ill == "error_rate"


@pytest.mark.requirement("GEN-12")
def test_calls_of_this_node_are_believed_alone() -> None:
    health = Health(LIMITS)
    health.add(0.1, failed=False, caller="did:wba:far.example:agents:bob")
    for _ in range(4):
        health.add(0.1, failed=True)
    assert health.ill == "error_rate"


def test_the_callers_that_are_remembered_are_bounded() -> None:
    health = Health(LIMITS)
    for number in range(100):
        health.add(0.1, failed=False, caller=f"did:wba:far.example:agents:a{number}")
    assert len(health._voices) <= 20
