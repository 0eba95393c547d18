"""What a participant asks for in return: which conditions a demand leaves open, and what a plan makes of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from moothall.directory.lexicon import fold
from moothall.negotiation.demand.models import Condition, Constraints, DemandUnderstanding
from moothall.negotiation.demand.plan_models import Assignment
from moothall.negotiation.demand.rules.phrasing import clean
from moothall.negotiation.demand.rules.pricing import PLANNING_ATTENDEES, within

if TYPE_CHECKING:
    from moothall.directory.profiles import CapabilityOffer, PublishedCondition
    from moothall.negotiation.demand.rules.phrasing import Voice

Settled = Literal["open", "met", "declined"]
COUNTED = frozenset({"min_attendees", "max_attendees"})
"""Kinds that set a bound to the head count."""
ESSENTIAL = frozenset({"min_attendees", "max_attendees", "weekdays", "city"})
"""Kinds without which an offer makes no sense to its owner: declined, they end its participation."""


def open_conditions(offer: CapabilityOffer, demand: DemandUnderstanding, voice: Voice) -> list[Condition]:
    """The published conditions of an offer that the demand does not settle yet.

    Notice and weekdays are settled by the dates offered, attendance and theme by a demand that states them.
    """
    limits = demand.constraints
    found = [_open(item, demand, voice) for item in offer.conditions]
    if offer.min_attendees and limits.attendees is None:
        found.append(_counted("min_attendees", offer.min_attendees, "", voice))
    return list({(item.kind, item.concept, item.value, item.text): item for item in found if item}.values())


def _open(item: PublishedCondition, demand: DemandUnderstanding, voice: Voice) -> Condition | None:
    limits = demand.constraints
    match item.kind:
        case "requires" if item.tag:
            concept = voice.lexica.vocabulary.key(item.tag)
            words = clean(item.text) or voice.say("condition.requires", tag=voice.label(concept))
            return Condition(text=words, kind="requires", concept=concept)
        case "min_attendees" | "max_attendees" if limits.attendees is None:
            return _counted(item.kind, item.value or 0, item.text, voice)
        case "min_fee" if within(limits, limits.currency) is not None:
            words = clean(item.text) or voice.say(
                "condition.min_fee", amount=voice.money(item.value or 0, limits.currency)
            )
            return Condition(text=words, kind="min_fee", value=item.value)
        case "theme" if limits.theme is None and not _about(item.texts, demand.surface_demand):
            words = clean(item.text) or voice.say(
                "condition.theme", themes=voice.join(clean(one) for one in item.texts)
            )
            return Condition(text=words, kind="theme")
        case _:
            return None


def _counted(kind: str, value: float, words: str, voice: Voice) -> Condition:
    return Condition(text=clean(words) or voice.say(f"condition.{kind}", count=int(value)), kind=kind, value=value)


def theme_fits(offer: CapabilityOffer, demand: DemandUnderstanding) -> bool:
    """Whether the demand's theme is one the offer accepts; a demand without a stated theme is not refused for it."""
    theme = demand.constraints.theme
    accepted = [item.texts for item in offer.conditions if item.kind == "theme"]
    return theme is None or all(_about(texts, f"{theme} {demand.surface_demand}") for texts in accepted)


def _about(texts: Iterable[str], words: str) -> bool:
    return any(fold(one) in fold(words) for one in texts)


@dataclass(frozen=True, slots=True)
class Setting:
    """What a plan offers to conditions: who provides what, and where; ``final``: what is not met now is declined."""

    provided: frozenset[str]
    offered: frozenset[str]
    limits: Constraints
    city: str | None = None
    final: bool = False


def settle(condition: Condition, price: float, setting: Setting, voice: Voice) -> Condition:
    """The condition with its status in a plan and the reason for it."""
    status, reason = _status(condition, price, setting, voice)
    return condition.model_copy(update={"status": status, "reason": reason})


def _status(condition: Condition, price: float, setting: Setting, voice: Voice) -> tuple[Settled, str]:
    match condition.kind:
        case "requires":
            return _required(condition.concept or "", setting, voice)
        case kind if kind in COUNTED:
            return _attended(condition, setting.limits, voice)
        case "min_fee" if price >= (condition.value or 0):
            return "met", voice.say("settle.fee")
        case "min_fee":
            return _unmet(setting), voice.say("settle.fee_short")
        case "city":
            return _located(condition, setting.city or "", voice)
        case _:
            return _unmet(setting), voice.say("settle.unknown")


def _located(condition: Condition, city: str, voice: Voice) -> tuple[Settled, str]:
    """A place outside the gazetteer is somebody's own text, and is not repeated as the node's."""
    met = condition.concept == city
    key = "city" if voice.knows_city(city) else "city_theirs" if met else "city_other"
    return "met" if met else "declined", voice.say(f"settle.{key}", city=voice.city(city))


def _required(concept: str, setting: Setting, voice: Voice) -> tuple[Settled, str]:
    if concept in setting.provided:
        return "met", voice.say("settle.provided", tag=voice.label(concept))
    key = "left_out" if concept in setting.offered else "nobody"
    return _unmet(setting), voice.say(f"settle.{key}", tag=voice.label(concept))


def attended(condition: Condition, limits: Constraints) -> bool:
    """Whether a condition on the head count holds: of the one stated, else of the one that plans prepare for."""
    people = limits.attendees if limits.attendees is not None else PLANNING_ATTENDEES
    value = condition.value or 0
    return people >= value if condition.kind == "min_attendees" else people <= value


def _attended(condition: Condition, limits: Constraints, voice: Voice) -> tuple[Settled, str]:
    status: Settled = "met" if attended(condition, limits) else "declined"
    if limits.attendees is None:
        return status, voice.say("settle.assumed", count=PLANNING_ATTENDEES)
    return status, voice.say("settle.stated", count=limits.attendees)


def _unmet(setting: Setting) -> Settled:
    return "declined" if setting.final else "open"


def notes(conditions: Iterable[Condition], voice: Voice) -> str:
    """The conditions of an assignment with what became of each, as a note for people."""
    return voice.sentences(
        voice.say(f"notes.{item.status}", condition=clean(item.text), reason=item.reason) for item in conditions
    )


def unsettled(assignments: Iterable[Assignment]) -> list[Condition]:
    """The conditions of a plan that are still open."""
    return [item for assignment in assignments for item in assignment.conditions if item.status == "open"]
