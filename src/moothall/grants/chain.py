"""Whether delegations fit together, link by link, and what is left at the end (rows DEL-03, DEL-04). Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

from moothall.grants.model import LONGEST, MOST_LINKS, Chain, Grant

EVERY: Final = "*"
"""What no delegation says: what its delegator holds is written out when it is made."""

MOST_SECRET: Final = 3
"""The highest class of data."""

Why = Literal[
    "amplify", "audience", "cycle", "depth", "expired", "form", "holder", "link", "revoked", "root", "time", "wildcard"
]
"""What is wrong with a chain:

- ``depth``: no link, more than `MOST_LINKS`, or a link that the one before does not allow;
- ``form``: a link gives nothing, or a number in it is out of range;
- ``time``: it begins before it was issued, ends before it begins, or lasts longer than `LONGEST`;
- ``root``: the first link stands on another delegation; ``link``: another does not stand on the one before it;
- ``cycle``: somebody appears twice; ``holder``: it ends at somebody else; ``audience``: it is for another node;
- ``amplify``: a link gives more, or for longer, than the one before it.
"""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why delegations are no chain, and at which of them; ``grant`` is empty where it is the chain as a whole."""

    why: Why
    grant: str = ""


def chain_of(
    links: Sequence[Grant], holder: str, *, audience: str, now: float, revoked: Collection[str] = ()
) -> Chain | Refusal:
    """What the last delegate may do with the right of the first delegator, or why it may do nothing.

    A link that does not count yet is no reason to refuse: `Chain.covers` looks at the time of its use.

    Args:
        links: from the root on.
        holder: who wants to use it, as authentication found; never a field of a request.
        audience: this node.
        now: Unix seconds.
        revoked: ids of links that were taken back; one of them ends what stands on it.
    """
    if (refusal := next(_faults(links, holder, audience, now, revoked), None)) is not None:
        return refusal
    last = links[-1]
    return Chain(
        links=tuple(links),
        actions=last.actions,
        capabilities=last.capabilities,
        not_before=last.not_before,
        expires=last.expires,
        classification=last.classification,
        parties=_parties(links),
    )


def _parties(links: Sequence[Grant]) -> tuple[str, ...]:
    return (links[0].delegator, *(grant.delegate for grant in links))


def _faults(
    links: Sequence[Grant], holder: str, audience: str, now: float, revoked: Collection[str]
) -> Iterator[Refusal]:
    """Whatever is wrong with a chain."""
    if not 0 < len(links) <= MOST_LINKS:
        yield Refusal("depth")
        return
    yield from (Refusal("revoked", grant.id) for grant in links if grant.id in revoked)
    for grant in links:
        if why := _alone(grant, audience, now):
            yield Refusal(why, grant.id)
    if links[0].parent:
        yield Refusal("root", links[0].id)
    for before, grant in pairwise(links):
        if why := _together(before, grant):
            yield Refusal(why, grant.id)
    parties = _parties(links)
    if len(set(parties)) < len(parties):
        yield Refusal("cycle")
    if parties[-1] != holder:
        yield Refusal("holder", links[-1].id)


def _alone(grant: Grant, audience: str, now: float) -> Why | None:
    """What is wrong with a link whatever it stands on."""
    if not (grant.actions and grant.capabilities and grant.id and grant.delegator and grant.delegate):
        return "form"
    if EVERY in grant.actions or EVERY in grant.capabilities:
        return "wildcard"
    if not (0 <= grant.depth < MOST_LINKS and 0 <= grant.classification <= MOST_SECRET):
        return "form"
    if grant.audience != audience:
        return "audience"
    if not (grant.issued <= grant.not_before < grant.expires <= grant.issued + LONGEST):
        return "time"
    return None if now < grant.expires else "expired"


def _together(before: Grant, grant: Grant) -> Why | None:
    """What is wrong with a link that stands on another."""
    if grant.parent != before.id or grant.delegator != before.delegate:
        return "link"
    if grant.depth >= before.depth:  # also where the one before allows no further link at all
        return "depth"
    fits = (
        grant.actions <= before.actions
        and grant.capabilities <= before.capabilities
        and grant.not_before >= before.not_before
        and grant.expires <= before.expires
        and grant.classification <= before.classification
    )
    return None if fits else "amplify"
