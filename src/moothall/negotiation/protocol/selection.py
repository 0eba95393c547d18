"""The choice of a capability, of a way to it and of how it is carried out, with no model (row WIRE-NEGO-04). Pure.

What the caller requires is had or refused, with an error of its own (WIRE-NEGO-07); a weaker security profile is never
chosen in place of one that was asked for (WIRE-NEGO-08). What it only prefers decides among what is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from moothall.errors import (
    MoreInformation,
    NoMatchingInterface,
    Told,
    UnsupportedContent,
    UnsupportedMode,
    UnsupportedProfile,
    UnsupportedSecurity,
)
from moothall.messages import text
from moothall.negotiation.protocol.bodies import (
    DRAFTING,
    MODES,
    PROFILE,
    ExecutionMode,
    NegotiateBody,
    NegotiateMeta,
)
from moothall.negotiation.protocol.matching import meant, named, says_nothing
from moothall.negotiation.protocol.needs import JsonObject
from moothall.negotiation.protocol.offers import CONTENT, JSON, FrontTerms, Interface, Offer

MOST_ALTERNATIVES: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What the two sides agree on; ``human``: a person has to agree first."""

    offer: Offer
    interface: Interface
    mode: ExecutionMode
    content_type: str
    security_profile: str
    timeout_ms: int
    human: bool
    alternatives: tuple[JsonObject, ...] = ()


@dataclass(frozen=True, slots=True)
class Unclear:
    """What has to be said before there can be a choice, and what there is to choose from."""

    reason: str
    alternatives: tuple[JsonObject, ...]


@dataclass(frozen=True, slots=True)
class _Way:
    """One way to carry out a capability."""

    interface: Interface
    mode: ExecutionMode

    @property
    def content(self) -> str:
        return CONTENT[self.mode]

    @property
    def told(self) -> JsonObject:
        return {"interface": self.interface.id, "execution": {"mode": self.mode}, "url": self.interface.url}


def check_head(meta: NegotiateMeta, body: NegotiateBody, terms: FrontTerms) -> str:
    """The security profile that is agreed on; what holds for every mode is looked at first.

    Raises:
        UnsupportedMode, UnsupportedProfile, UnsupportedSecurity, UnsupportedContent: this side has none such.
    """
    if body.mode not in MODES or (body.mode == DRAFTING and not terms.drafting):
        modes = [mode for mode in MODES if terms.drafting or mode != DRAFTING]
        raise UnsupportedMode("no such mode", told=Told("agreeing.front_mode"), details={"supported": modes})
    if meta.profile != PROFILE:
        raise _profile(terms)
    if meta.content_type.partition(";")[0].strip().lower() != JSON:
        raise _content(terms)
    return _security(meta, body, terms)


def select(body: NegotiateBody, offers: Sequence[Offer], terms: FrontTerms, security: str) -> Chosen | Unclear:
    """Choose.

    Args:
        body: what is wanted.
        offers: the capabilities of the agent that this caller may call.
        terms: of the agent's front door.
        security: the profile that `check_head` found.

    Raises:
        NoMatchingInterface, UnsupportedProfile, UnsupportedContent, MoreInformation: there is nothing to choose.
    """
    if says_nothing(body.intent) and not (body.required_capabilities or body.candidate_protocols):
        missing = {"missing": ["intent.name", "intent.description", "intent.intentTags"]}
        raise MoreInformation("the intent is empty", told=Told("agreeing.front_intent"), details=missing)
    found = _wanted(body, offers)
    if not found:
        if _may_draft(body, terms):
            return Unclear(_say("agreeing.front_draft"), ({"mode": DRAFTING},))
        raise _no_match([])
    if len(found) > 1:
        return Unclear(_say("agreeing.front_several"), _shown(found))
    offer = found[0]
    ways = _ways(body, offer, terms)
    best = min(ways, key=lambda way: _rank(way, body, offer))
    limit = body.constraints.max_latency_ms
    bounded = limit is not None and best.mode != "async_task"
    return Chosen(
        offer=offer,
        interface=best.interface,
        mode=best.mode,
        content_type=best.content,
        security_profile=security,
        timeout_ms=min(offer.timeout_ms, limit or offer.timeout_ms) if bounded else offer.timeout_ms,
        human=offer.approval or body.constraints.requires_human_authorization,
        alternatives=tuple(way.told for way in ways if way != best),
    )


def _wanted(body: NegotiateBody, offers: Sequence[Offer]) -> tuple[Offer, ...]:
    """The capabilities that are meant.

    Raises:
        NoMatchingInterface: one that is required, or candidates that are named, are not here.
    """
    among = tuple(offers)
    if body.candidate_protocols:
        among = _of_candidates(body, among)
    if body.required_capabilities:
        required = {name: named(name, among) for name in body.required_capabilities}
        if missing := [name for name, found in required.items() if not found]:
            raise _no_match(["requiredCapabilities"], missing=missing)
        among = tuple({each.name: each for found in required.values() for each in found}.values())
    named_ones = body.required_capabilities or body.candidate_protocols
    return meant(body.intent, among) or (among if named_ones else ())


def _of_candidates(body: NegotiateBody, offers: tuple[Offer, ...]) -> tuple[Offer, ...]:
    """Those that speak one of the protocols that the caller names, by their digests or the capabilities' names.

    Raises:
        UnsupportedProfile: none does.
    """
    names = {str(each) for each in body.candidate_protocols if isinstance(each, str)}
    wanted = {capability_of(each) if each.startswith("sha256:") else each for each in names}
    found = tuple(offer for offer in offers if offer.name in wanted)
    if not found:
        raise UnsupportedProfile("none of the candidates is spoken", told=Told("agreeing.front_candidates"))
    return found


def capability_of(digest: str) -> str:
    """What the capability is called that speaks the protocol with a digest (``sha256:…``)."""
    return f"protocol.{digest.partition(':')[2][:16]}"


def _ways(body: NegotiateBody, offer: Offer, terms: FrontTerms) -> list[_Way]:
    """The ways that the caller can go, at least one.

    Raises:
        NoMatchingInterface, UnsupportedProfile, UnsupportedContent: there is none, for this reason.
    """
    caller = body.caller
    ways = [_Way(each, mode) for mode in offer.modes for each in terms.interfaces if mode in each.modes]
    if body.candidate_interface_refs:
        ways = [way for way in ways if any(map(way.interface.called, body.candidate_interface_refs))]
        if not ways:
            raise _no_match(["candidateInterfaceRefs"])
    if caller.supported_profiles:
        ways = [way for way in ways if way.interface.profile in caller.supported_profiles]
        if not ways:
            raise _profile(terms)
    if caller.supported_execution_modes:
        ways = [way for way in ways if way.mode in caller.supported_execution_modes]
        if not ways:
            raise _no_match(["supportedExecutionModes"], supported=list(offer.modes))
    if caller.supported_content_types:
        ways = [way for way in ways if way.content in caller.supported_content_types]
    if not ways:
        raise _content(terms)
    return ways


def _rank(way: _Way, body: NegotiateBody, offer: Offer) -> tuple[int, ...]:
    """How far a way is from what the caller would like; the smallest wins."""
    wishes, modes = body.constraints, body.caller.supported_execution_modes
    limit = wishes.max_latency_ms
    late = limit is not None and offer.timeout_ms > limit and way.mode != "async_task"
    kinds = [way.interface.is_a(kind) for kind in wishes.preferred_interface_types]
    contents = [way.content == each for each in wishes.preferred_content_types]
    order = modes.index(way.mode) if modes else offer.modes.index(way.mode)
    return (int(late), _first(kinds), _first(contents), order)


def _first(fits: Sequence[bool]) -> int:
    return fits.index(True) if True in fits else len(fits)


def _security(meta: NegotiateMeta, body: NegotiateBody, terms: FrontTerms) -> str:
    """The profile that was asked for; nothing takes its place.

    Raises:
        UnsupportedSecurity: it is not to be had here.
    """
    asked = {meta.security_profile, body.constraints.required_security_profile} - {""}
    can = body.caller.supported_security_profiles
    ours = [each for each in terms.security_profiles if not can or each in can]
    required = body.constraints.required_security_profile or meta.security_profile
    if not asked <= set(terms.security_profiles) or required not in ours:
        told = Told("agreeing.front_security")
        details = {"supported": list(terms.security_profiles)}
        raise UnsupportedSecurity("that security is not to be had", told=told, details=details)
    return required


def _may_draft(body: NegotiateBody, terms: FrontTerms) -> bool:
    modes = body.caller.supported_execution_modes
    return terms.drafting and body.constraints.allow_natural_language_fallback and (not modes or DRAFTING in modes)


def _shown(offers: Sequence[Offer]) -> tuple[JsonObject, ...]:
    return tuple({"capability": each.name, "description": each.description} for each in offers[:MOST_ALTERNATIVES])


def _no_match(constraints: list[str], **details: object) -> NoMatchingInterface:
    said = {"unsupportedConstraints": constraints, **details} if constraints else details
    return NoMatchingInterface("nothing fits", told=Told("agreeing.front_no_match"), details=said or None)


def _profile(terms: FrontTerms) -> UnsupportedProfile:
    details = {"supported": [PROFILE, *terms.profiles]}
    return UnsupportedProfile("no such profile", told=Told("agreeing.front_profile"), details=details)


def _content(terms: FrontTerms) -> UnsupportedContent:
    details = {"supported": list(terms.content_types)}
    return UnsupportedContent("no such content type", told=Told("agreeing.front_content"), details=details)


def _say(key: str) -> str:
    """A reason in words: those of the wire are English, whoever reads them."""
    return text(key, "en")
