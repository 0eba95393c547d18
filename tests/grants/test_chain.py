"""No chain of delegations ever allows more than its root has now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moothall.grants.chain import Refusal, chain_of
from moothall.grants.model import LONGEST, Chain, Grant

WHO = [f"did:{name}" for name in "abcdef"]
ACTIONS = ["query", "read", "write"]
CAPABILITIES = ["h.a", "h.b", "h.c"]
HERE, NOW = "https://here", 1_000_000

Right = tuple[str, str, int]
"""An action, a capability, and the class of its data."""


def some(options: Sequence[str]) -> st.SearchStrategy[frozenset[str]]:
    return st.frozensets(st.sampled_from(list(options)), min_size=1)


@st.composite
def valid_chains(draw: st.DrawFn) -> list[Grant]:
    """Chains that fit: each link gives a part of what the one before gave."""
    length, order = draw(st.integers(1, 4)), draw(st.permutations(WHO))
    actions, capabilities = frozenset(ACTIONS), frozenset(CAPABILITIES)
    begins, ends, depth, secret = NOW - 500, NOW + 500, 4, 3
    found: list[Grant] = []
    for number in range(length):
        actions, capabilities = draw(some(sorted(actions))), draw(some(sorted(capabilities)))
        begins, ends = draw(st.integers(begins, NOW)), draw(st.integers(NOW + 1, ends))
        depth, secret = draw(st.integers(length - number - 1, depth - 1)), draw(st.integers(0, secret))
        found.append(
            Grant(
                id=f"g{number}",
                parent=f"g{number - 1}" if number else "",
                delegator=order[number],
                delegate=order[number + 1],
                audience=HERE,
                actions=actions,
                capabilities=capabilities,
                issued=draw(st.integers(begins - 100, begins)),
                not_before=begins,
                expires=ends,
                depth=depth,
                classification=secret,
            )
        )
    return found


def judged(links: Sequence[Grant], **other: Any) -> Chain | Refusal:
    usual: dict[str, Any] = {"holder": links[-1].delegate if links else "", "audience": HERE, "now": NOW}
    return chain_of(links, **{**usual, **other})


@pytest.mark.requirement("DEL-04")
@settings(deadline=None)
@given(valid_chains())
def test_a_chain_that_fits_gives_what_its_last_link_gives_and_all_links_have(links: list[Grant]) -> None:
    chain = judged(links)
    assert isinstance(chain, Chain)
    assert chain.actions == frozenset.intersection(*(grant.actions for grant in links))
    assert chain.capabilities == frozenset.intersection(*(grant.capabilities for grant in links))
    assert chain.expires == min(grant.expires for grant in links)
    assert chain.not_before == max(grant.not_before for grant in links)
    assert chain.classification == min(grant.classification for grant in links)
    assert (chain.root, chain.holder) == (links[0].delegator, links[-1].delegate)
    assert len(set(chain.parties)) == len(links) + 1


def spoilt(links: list[Grant], at: int) -> dict[str, list[Grant]]:
    """Chains that differ from a valid one in one thing at one link, by why they are refused."""
    this = links[at]

    def put(**changed: Any) -> list[Grant]:
        return [*links[:at], replace(this, **changed), *links[at + 1 :]]

    found = {
        "form": put(actions=frozenset()),
        "form: capabilities": put(capabilities=frozenset()),
        "form: depth": put(depth=4),
        "form: class": put(classification=4),
        "form: negative": put(depth=-1),
        "wildcard": put(actions=frozenset({"*"})),
        "wildcard: capability": put(capabilities=this.capabilities | {"*"}),
        "audience": put(audience="https://there"),
        "time: lasts too long": put(expires=this.issued + LONGEST + 1),
        "time: before it was issued": put(not_before=this.issued - 1),
        "time: ends before it begins": put(not_before=this.expires),
        "expired": put(expires=NOW),
        "cycle: with itself": put(delegator=this.delegate),
    }
    if at == 0:
        return {**found, "root": put(parent="g9")}
    before = links[at - 1]
    return {
        **found,
        "link: another parent": put(parent="g9"),
        "link: no parent": put(parent=""),
        "link: of somebody else": put(delegator="did:eve"),
        "depth: as deep": put(depth=before.depth),
        "amplify: actions": put(actions=before.actions | {"manage"}),
        "amplify: capabilities": put(capabilities=before.capabilities | {"h.z"}),
        "amplify: end": put(expires=before.expires + 1),
        "amplify: begin": put(issued=before.not_before - 1, not_before=before.not_before - 1),
        "amplify: class": put(classification=before.classification + 1),
        "cycle: back to the root": put(delegate=links[0].delegator),
    }


@pytest.mark.requirement("DEL-03", "DEL-04")
@settings(deadline=None)
@given(valid_chains(), st.data())
def test_one_change_to_a_chain_that_fits_and_it_gives_nothing(links: list[Grant], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(links) - 1))
    for what, changed in spoilt(links, at).items():
        assert isinstance(judged(changed), Refusal), what
    assert judged(links, revoked={links[at].id}) == Refusal("revoked", links[at].id)
    assert judged(links, now=links[at].expires) != judged(links)
    assert judged(links, holder="did:eve") == Refusal("holder", links[-1].id)
    assert judged(links, audience="https://there") == Refusal("audience", links[0].id)
    if len(links) > 1:
        assert judged(links[1:]) == Refusal("root", links[1].id)
    assert judged([]) == judged([*links, *links, *links, *links, *links]) == Refusal("depth")


@pytest.mark.parametrize("clock", ["set back", "right", "ahead"])
def test_a_chain_is_of_use_from_its_begin_until_before_its_end(clock: str) -> None:
    grant = Grant(
        id="g", delegator="did:a", delegate="did:b", audience=HERE, actions=frozenset({"read"}),
        capabilities=frozenset({"h.a"}), issued=NOW, not_before=NOW + 10, expires=NOW + 20, classification=1,
    )  # fmt: skip
    chain = judged([grant])
    assert isinstance(chain, Chain)
    moments = {"set back": NOW - 1, "right": NOW + 10, "ahead": NOW + 20}
    assert chain.covers("read", "h.a", 1, moments[clock]) == (clock == "right")
    assert not chain.covers("read", "h.a", 2, NOW + 10)


@dataclass(frozen=True)
class Case:
    """Any delegations at all, what everybody has now by a right of its own, and what is forbidden to whom."""

    grants: tuple[Grant, ...]
    rights: dict[str, frozenset[Right]]
    forbidden: dict[str, frozenset[str]]
    revoked: frozenset[str]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Trees of delegations that fit mostly: each thing about each of them is now and then any other."""
    who, whole = st.sampled_from(WHO), st.sampled_from
    found: list[Grant] = []

    def mostly(usual: Any, other: st.SearchStrategy[Any]) -> Any:
        return draw(other) if draw(st.integers(0, 11)) == 11 else usual

    def one(grant_id: str) -> Grant:
        above = draw(whole([None, *found[-2:], *found[-2:]]))
        actions, capabilities = (above.actions, above.capabilities) if above else (ACTIONS, CAPABILITIES)
        free = sorted({*WHO} - {above.delegator, above.delegate} if above else {*WHO[1:]})
        depth, secret = (above.depth - 1, above.classification) if above else (3, 3)
        issued = NOW - 50 if above is None else above.issued
        return Grant(
            id=grant_id,
            parent=mostly(above.id if above else "", whole(["", "g0", "g1", "g2"])),
            delegator=mostly(above.delegate if above else WHO[0], who),
            delegate=mostly(draw(whole(free)), who),
            audience=mostly(HERE, st.just("https://there")),
            actions=mostly(draw(some(sorted(actions))), some([*ACTIONS, "*"])),
            capabilities=mostly(draw(some(sorted(capabilities))), some([*CAPABILITIES, "*"])),
            issued=issued,
            not_before=mostly(issued, whole([issued - 5, issued + 5, NOW + 20])),
            expires=mostly(NOW + 100, whole([NOW - 10, NOW, NOW + 200, issued + LONGEST, issued + LONGEST + 1])),
            depth=mostly(max(depth, 0), st.integers(0, 3)),
            classification=mostly(secret, st.integers(0, 3)),
        )

    for number in range(draw(st.integers(1, 6))):
        found.append(one(f"g{number}"))  # noqa: PERF401 - each is made out of those before it
    every = st.tuples(whole(ACTIONS), whole(CAPABILITIES), st.integers(0, 3))
    rights = {WHO[0]: draw(st.frozensets(every, min_size=12))} | draw(st.dictionaries(who, st.frozensets(every)))
    forbidden = draw(st.dictionaries(who, some(CAPABILITIES), max_size=1))
    revoked = mostly(frozenset(), some([grant.id for grant in found]))
    return Case(tuple(found), rights, forbidden, revoked)


def walked(case: Case, end: Grant) -> list[Grant]:
    """The links up to a delegation, as the store finds them; a circle is cut."""
    by_id = {grant.id: grant for grant in case.grants}
    links = [end]
    while links[0].parent in by_id and len(links) < 6:
        links.insert(0, by_id[links[0].parent])
    return links


def may(case: Case, chain: Chain, right: Right) -> bool:
    """The decision as the policy makes it: the chain covers it, its root has it now, and nobody in it is forbidden."""
    has = right in case.rights.get(chain.root, frozenset())
    return has and chain.covers(*right, NOW) and not any(right[1] in case.forbidden.get(p, ()) for p in chain.parties)


def allowed(case: Case, grant: Grant, right: Right, further: int = 0) -> bool:
    """The same by another way: may the delegate of this one pass the right on, for ``further`` more links?"""
    action, capability, secret = right
    counts = (
        grant.id not in case.revoked
        and grant.audience == HERE
        and grant.not_before <= NOW < grant.expires
        and grant.expires - grant.issued <= LONGEST
        and action in grant.actions
        and capability in grant.capabilities
        and "*" not in grant.actions | grant.capabilities
        and secret <= grant.classification
        and grant.depth >= further
        and not {capability} & (case.forbidden.get(grant.delegate, frozenset()))
    )
    if not counts or further > 3:
        return False
    if not grant.parent:
        own = right in case.rights.get(grant.delegator, frozenset())
        return own and capability not in case.forbidden.get(grant.delegator, frozenset())
    above = next((each for each in case.grants if each.id == grant.parent), None)
    return above is not None and above.delegate == grant.delegator and allowed(case, above, right, further + 1)


EVERY_RIGHT = [(action, capability, secret) for action in ACTIONS for capability in CAPABILITIES for secret in range(4)]


@pytest.mark.requirement("DEL-03", "DEL-04")
@settings(max_examples=400, deadline=None)
@given(cases())
def test_no_delegations_whatever_allow_more_than_their_root_has_now(case: Case) -> None:
    for end in case.grants:
        chain = judged(walked(case, end), holder=end.delegate, revoked=case.revoked)
        if isinstance(chain, Chain):
            for right in EVERY_RIGHT:
                if may(case, chain, right):
                    assert right in case.rights[chain.root]
                    assert allowed(case, end, right)


@settings(max_examples=200, deadline=None)
@given(valid_chains(), st.data())
def test_a_valid_chain_allows_just_what_its_root_has_and_it_covers(links: list[Grant], data: st.DataObject) -> None:
    has = data.draw(st.frozensets(st.sampled_from(EVERY_RIGHT), min_size=8))
    case = Case(tuple(links), {links[0].delegator: has}, {}, frozenset())
    chain = judged(links)
    assert isinstance(chain, Chain)
    covered = {right for right in EVERY_RIGHT if chain.covers(*right, NOW)}
    assert {right for right in EVERY_RIGHT if may(case, chain, right)} == covered & has
    assert {right for right in EVERY_RIGHT if allowed(case, links[-1], right)} == covered & has
