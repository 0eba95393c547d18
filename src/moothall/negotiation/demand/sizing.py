"""How much one answer may say: twenty of them stand in one row of the log, in the plan that is made of them. Pure.

An answer as a whole has its limit in bytes (`admission.LARGEST`). Most of that may be days and prices; what here is
limited comes back in every plan, and of a condition also what became of it, its note and the compromise on it. What an
agent of this node says keeps within it: its card fills half of the room at most (`directory.card_room`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from moothall.canonical import dumps
from moothall.negotiation.demand.models import MOST_CONDITIONS, AgentResponse, Condition, Term
from moothall.negotiation.demand.wire import Answer, OfferResponse, ProposalFeedbackMessage

MOST_WORDS = 4000
"""Characters of a text in which somebody says what is offered, wanted or meant."""
MOST_LINE = 500
"""Characters of one condition."""
MOST_NAME = 200
"""Characters of a tag, a kind or a currency."""
ROOM_OF_CONDITIONS = 4 * 1024
"""Bytes for all conditions that one agent can bring into a plan, with what the plan says to them."""
REPLY = 150
"""Bytes that are counted for what a plan says to one condition."""
ROOM_OF_CHANGES = 2 * 1024
"""Bytes of JSON of the changes that one answer to a plan asks for."""


def too_long(answer: Answer) -> str:
    """The first field of an answer that says too much; empty when it is fit to be kept."""
    checks = _in_offer(answer) if isinstance(answer, OfferResponse) else _in_feedback(answer)
    return next((field for field, fits in checks if not fits), "")


def added_by_words(terms: Iterable[Term], conditions: Iterable[str]) -> tuple[Condition, ...]:
    """The conditions that an offer names in words alone, each once."""
    known = {item.text for term in terms for item in term.conditions}
    return tuple(Condition(text=words) for words in dict.fromkeys(conditions) if words.strip() and words not in known)


def fitted(answer: AgentResponse) -> AgentResponse:
    """The answer for as many roles at once as its conditions leave room for, at least one; nothing is left unsaid."""
    most = min(answer.max_roles, len(answer.terms))
    if most < 1 or _taken(answer, most) <= ROOM_OF_CONDITIONS:
        return answer
    roles = next((few for few in range(most - 1, 1, -1) if _taken(answer, few) <= ROOM_OF_CONDITIONS), 1)
    return answer.model_copy(update={"max_roles": roles})


def has_room(answer: AgentResponse) -> bool:
    """Whether a plan has room for the conditions of an answer."""
    return _taken(answer, answer.max_roles) <= ROOM_OF_CONDITIONS


def _taken(answer: AgentResponse, roles: int) -> int:
    """The bytes that the conditions of so many roles may take, and those that are said in words alone."""
    heaviest = sorted((room(term.conditions) for term in answer.terms), reverse=True)
    return sum(heaviest[:roles]) + room(added_by_words(answer.terms, answer.conditions))


def _in_offer(answer: OfferResponse) -> Iterator[tuple[str, bool]]:
    for field in ("contribution", "reasoning", "decline_reason"):
        yield field, len(getattr(answer, field)) <= MOST_WORDS
    yield "terms", all(_fits(term) for term in answer.terms)
    added = added_by_words(answer.terms, answer.conditions)
    yield "conditions", all(len(text) <= MOST_LINE for text in answer.conditions)
    yield "conditions", len(added) + max((len(term.conditions) for term in answer.terms), default=0) <= MOST_CONDITIONS
    yield "conditions", has_room(answer)


def _in_feedback(answer: ProposalFeedbackMessage) -> Iterator[tuple[str, bool]]:
    # First, for a person's wishes stand in the other texts as well.
    yield "proposed_changes", len(dumps(answer.proposed_changes)) <= ROOM_OF_CHANGES
    for field in ("reasoning", "adjustment_request"):
        yield field, len(getattr(answer, field)) <= MOST_WORDS


def _fits(term: Term) -> bool:
    said = (item.text for item in term.conditions)
    kinds = (name for item in term.conditions for name in (item.kind, item.concept or ""))
    return _named(term.tag, term.concept, term.currency, *kinds) and all(len(text) <= MOST_LINE for text in said)


def _named(*names: str) -> bool:
    return all(len(name) <= MOST_NAME for name in names)


def room(conditions: Iterable[Condition]) -> int:
    """The bytes that conditions take, of `ROOM_OF_CONDITIONS`."""
    return sum(len(dumps(item.model_dump(mode="json"))) + REPLY for item in conditions)
