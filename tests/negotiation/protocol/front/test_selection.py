"""The choice at the front door, without any model."""

from __future__ import annotations

from typing import Any

import pytest

from moothall.errors import (
    MoreInformation,
    NegotiationRejected,
    NoMatchingInterface,
    UnsupportedContent,
    UnsupportedMode,
    UnsupportedProfile,
    UnsupportedSecurity,
    ValidationError,
)
from moothall.negotiation.protocol.bodies import NegotiateBody, NegotiateMeta, NegotiationReply, read
from moothall.negotiation.protocol.offers import FrontTerms, security_of
from moothall.negotiation.protocol.selection import Chosen, Unclear, check_head, select
from tests.negotiation.protocol.front.asking import A2A, OFFERS, RPC, TERMS, body, body_of, meta, meta_of


def choose(terms: FrontTerms = TERMS, **other: Any) -> Chosen | Unclear:
    wanted = body(**other)
    return select(wanted, OFFERS, terms, check_head(meta(), wanted, terms))


def chosen(terms: FrontTerms = TERMS, **other: Any) -> Chosen:
    made = choose(terms, **other)
    assert isinstance(made, Chosen)
    return made


@pytest.mark.requirement("WIRE-NEGO-03")
def test_the_whole_sample_fits_and_an_intent_is_needed() -> None:
    assert read(NegotiateBody, body_of(), "body").intent.name == "weather.forecast"
    without = {name: value for name, value in body_of().items() if name != "intent"}
    with pytest.raises(ValidationError) as refused:
        read(NegotiateBody, without, "body")
    assert refused.value.details["errors"] == [{"loc": ["body", "intent"], "type": "missing"}]


@pytest.mark.requirement("WIRE-NEGO-02")
@pytest.mark.parametrize("name", sorted(meta_of()))
def test_every_member_of_the_head_is_needed(name: str) -> None:
    said = {member: value for member, value in meta_of().items() if member != name}
    with pytest.raises(ValidationError):
        read(NegotiateMeta, said, "meta")


def test_a_refusal_repeats_nothing_of_what_stood_there() -> None:
    with pytest.raises(ValidationError) as refused:
        read(NegotiateBody, body_of(intent="a secret of the caller"), "body")
    assert "secret" not in f"{refused.value} {refused.value.told} {refused.value.details}"


@pytest.mark.requirement("WIRE-NEGO-04")
def test_a_capability_is_chosen_by_name_tags_or_words() -> None:
    assert chosen().offer.name == "weather.forecast"
    assert chosen(intent={"name": "x", "intentTags": ["forecast"]}).offer.name == "weather.forecast"
    asked = {"name": "", "description": "Please send some money", "intentTags": []}
    assert chosen(intent=asked).offer.name == "pay"


@pytest.mark.parametrize("spelt", ["Weather-Forecast", "weather_forecast", "cap.weather.forecast"])
def test_the_spelling_of_a_name_does_not_matter(spelt: str) -> None:
    assert chosen(intent={"name": spelt}).offer.name == "weather.forecast"


@pytest.mark.requirement("WIRE-NEGO-05")
def test_capabilities_that_fit_alike_are_asked_back_for() -> None:
    made = choose(intent={"name": "", "intentTags": ["weather"]})
    assert isinstance(made, Unclear)
    assert [each["capability"] for each in made.alternatives] == ["weather.forecast", "weather.alerts"]


def test_what_is_required_decides_between_them() -> None:
    made = chosen(intent={"name": "", "intentTags": ["weather"]}, requiredCapabilities=["weather.alerts"])
    assert made.offer.name == "weather.alerts"


def test_what_is_required_and_missing_is_named() -> None:
    with pytest.raises(NoMatchingInterface) as refused:
        choose(requiredCapabilities=["weather.forecast", "weather.tides"])
    assert refused.value.details["missing"] == ["weather.tides"]


@pytest.mark.requirement("WIRE-NEGO-06")
@pytest.mark.parametrize(
    ("name", "modes", "mode", "interface"),
    [
        ("weather.forecast", [], "direct_structured_call", RPC),
        ("weather.forecast", ["async_task", "direct_structured_call"], "async_task", A2A),
        ("weather.forecast", ["stream", "direct_structured_call"], "direct_structured_call", RPC),
        ("weather.alerts", [], "stream", RPC),
        ("weather.alerts", ["direct_structured_call"], "direct_structured_call", RPC),
    ],
    ids=["plain", "task", "no-stream", "stream", "whole"],
)
def test_the_mode_is_one_of_the_callers(name: str, modes: list[str], mode: str, interface: Any) -> None:
    made = chosen(intent={"name": name}, callerCapabilities={"supportedExecutionModes": modes})
    assert (made.mode, made.interface) == (mode, interface)


def test_a_mode_that_nothing_has_is_no_match() -> None:
    with pytest.raises(NoMatchingInterface):
        choose(callerCapabilities={"supportedExecutionModes": ["group_message"]})


@pytest.mark.requirement("WIRE-NEGO-03")
@pytest.mark.parametrize(
    ("constraints", "outcome"),
    [
        ({"preferredInterfaceTypes": ["A2A"]}, ("direct_structured_call", "interface.a2a", 30_000, False)),
        ({"preferredInterfaceTypes": ["MCP"]}, ("direct_structured_call", "interface.openrpc", 30_000, False)),
        ({"requiresHumanAuthorization": True}, ("direct_structured_call", "interface.openrpc", 30_000, True)),
        ({"maxLatencyMs": 2000}, ("async_task", "interface.a2a", 30_000, False)),
        (
            {"preferredContentTypes": ["application/json"]},
            ("direct_structured_call", "interface.openrpc", 30_000, False),
        ),
    ],
    ids=["preferred", "preferred-missing", "human", "latency", "content"],
)
def test_each_constraint_decides(constraints: dict[str, Any], outcome: tuple[Any, ...]) -> None:
    made = chosen(constraints=constraints)
    assert (made.mode, made.interface.id, made.timeout_ms, made.human) == outcome


def test_a_direct_call_takes_no_longer_than_the_caller_waits() -> None:
    only = {"supportedExecutionModes": ["direct_structured_call"]}
    assert chosen(constraints={"maxLatencyMs": 2000}, callerCapabilities=only).timeout_ms == 2000


def test_a_stream_is_taken_whole_by_who_prefers_json() -> None:
    wished = {"preferredContentTypes": ["application/json"], "preferredInterfaceTypes": ["openrpc"]}
    assert chosen(intent={"name": "weather.alerts"}, constraints=wished).mode == "direct_structured_call"


def test_only_what_is_reached_through_the_candidates_is_looked_at() -> None:
    assert chosen(candidateInterfaceRefs=[A2A.url]).interface == A2A
    with pytest.raises(NoMatchingInterface):
        choose(candidateInterfaceRefs=["interface.elsewhere"])


def test_drafting_is_proposed_only_to_who_allows_it() -> None:
    nothing = {"name": "tides"}
    with pytest.raises(NoMatchingInterface):
        choose(intent=nothing)
    made = choose(intent=nothing, constraints={"allowNaturalLanguageFallback": True})
    assert isinstance(made, Unclear)
    assert made.alternatives == ({"mode": "natural_language_protocol_drafting"},)


@pytest.mark.requirement("WIRE-NEGO-04", "WIRE-NEGO-07")
@pytest.mark.parametrize(
    ("head", "wanted", "kind", "anp_code"),
    [
        ({}, {"intent": {"name": "tides"}}, NoMatchingInterface, "meta.no_matching_interface"),
        ({}, {"mode": "telepathy"}, UnsupportedMode, "meta.unsupported_negotiation_mode"),
        ({"profile": "anp.group.v9"}, {}, UnsupportedProfile, "meta.unsupported_candidate_profile"),
        (
            {},
            {"callerCapabilities": {"supportedProfiles": ["anp.group.v9"]}},
            UnsupportedProfile,
            "meta.unsupported_candidate_profile",
        ),
        ({}, {"candidateProtocols": ["sha256:00"]}, UnsupportedProfile, "meta.unsupported_candidate_profile"),
        ({"security_profile": "direct-e2ee"}, {}, UnsupportedSecurity, "meta.unsupported_security_profile"),
        ({"content_type": "text/plain"}, {}, UnsupportedContent, "meta.unsupported_content_type"),
        (
            {},
            {"callerCapabilities": {"supportedContentTypes": ["text/plain"]}},
            UnsupportedContent,
            "meta.unsupported_content_type",
        ),
        ({}, {"intent": {"name": "", "description": "the"}}, MoreInformation, "meta.more_information_required"),
    ],
    ids=["match", "mode", "profile", "profiles", "candidates", "security", "content", "contents", "nothing"],
)
def test_each_thing_that_cannot_be_had_has_an_error_of_its_own(
    head: dict[str, Any], wanted: dict[str, Any], kind: type[NegotiationRejected], anp_code: str
) -> None:
    asked = body(**wanted)
    with pytest.raises(kind) as refused:
        select(asked, OFFERS, TERMS, check_head(meta(**head), asked, TERMS))
    assert refused.value.anp_code == anp_code


@pytest.mark.requirement("WIRE-NEGO-08")
@pytest.mark.parametrize("required", ["direct-e2ee", "transport-protected"])
def test_no_weaker_security_takes_the_place_of_what_is_required(required: str) -> None:
    weak = FrontTerms(interfaces=(RPC,), security_profiles=("unprotected",))
    asked = body(constraints={"requiredSecurityProfile": required})
    with pytest.raises(UnsupportedSecurity):
        check_head(meta(security_profile="unprotected"), asked, weak)


@pytest.mark.requirement("WIRE-NEGO-08")
def test_of_two_profiles_the_required_one_is_agreed_on() -> None:
    strong = FrontTerms(interfaces=(RPC,), security_profiles=("transport-protected", "direct-e2ee"))
    asked = body(constraints={"requiredSecurityProfile": "direct-e2ee"})
    assert check_head(meta(), asked, strong) == "direct-e2ee"


def test_without_drafting_that_mode_is_unsupported() -> None:
    asked = body(mode="natural_language_protocol_drafting")
    with pytest.raises(UnsupportedMode) as refused:
        check_head(meta(), asked, FrontTerms(interfaces=(RPC,), drafting=False))
    assert refused.value.details["supported"] == ["structured_selection"]


def test_a_reply_says_only_what_it_has_to_say() -> None:
    reply = NegotiationReply(negotiation_id="n", status="rejected", reason="no")
    assert reply.wire() == {"negotiationId": "n", "status": "rejected", "reason": "no"}


@pytest.mark.requirement("WIRE-NEGO-08")
@pytest.mark.parametrize(
    ("base", "profiles"),
    [
        ("https://there.example", ("transport-protected",)),
        ("http://localhost:8420", ("transport-protected",)),
        ("http://there.example", ()),
    ],
)
def test_nothing_is_protected_over_plain_http_elsewhere(base: str, profiles: tuple[str, ...]) -> None:
    assert security_of(base) == profiles
