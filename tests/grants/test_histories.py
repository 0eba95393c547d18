"""Whatever happens in whatever order: what delegations open is what a plain book of them says, and never more."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moothall.errors import MoothallError
from moothall.grants.views import Delegation
from moothall.identity.agent import AgentIdentity
from moothall.storage.authority import delegation
from tests.grants.lending import Lender, proved

NAMES = ["ann", "bob", "cid", "dot", "eve"]
RIGHTS = [("read", "h.a"), ("read", "h.b"), ("write", "h.c"), ("query", "h.d")]

person = st.sampled_from(NAMES)
steps = st.one_of(
    st.fixed_dictionaries(
        {
            "do": st.just("give"),
            "giver": person,
            "taker": person,
            "what": st.frozensets(st.sampled_from(RIGHTS), max_size=2),
            "parent": st.none() | st.integers(0, 9),
            "depth": st.integers(0, 3),
            "hours": st.none() | st.integers(1, 60),
        }
    ),
    st.fixed_dictionaries({"do": st.just("revoke"), "who": person, "which": st.integers(0, 9)}),
    st.fixed_dictionaries(
        {"do": st.just("rights"), "who": person, "what": st.frozensets(st.sampled_from(RIGHTS), max_size=4)}
    ),
    st.fixed_dictionaries({"do": st.just("wait"), "hours": st.integers(1, 20)}),
)


@dataclass
class Book:
    """What was lent, as one would write it down by hand."""

    lent: list[Delegation] = field(default_factory=list)
    back: set[str] = field(default_factory=set)
    rights: dict[str, frozenset[tuple[str, str]]] = field(default_factory=dict)

    def line(self, end: Delegation) -> list[Delegation]:
        """A delegation and those that it stands on."""
        line = [end]
        while line[-1].parent:
            line.append(next(each for each in self.lent if each.id == line[-1].parent))
        return line

    def opens(self, end: Delegation, right: tuple[str, str], now: datetime) -> bool:
        line = self.line(end)
        alive = all(each.id not in self.back and now < each.expires_at for each in line)
        given_on = all(right[0] in each.actions and right[1] in each.capabilities for each in line)
        return alive and given_on and right in self.rights.get(line[-1].delegator, frozenset())


async def has(lender: Lender, holder: AgentIdentity) -> set[tuple[str, str]]:
    """What somebody may do by delegations: a chain covers it, and its root has it now."""
    found = set()
    for chain in await lender.grants.chains_for(holder.did.text):
        for action, capability in RIGHTS:
            held = await lender.world.held(chain.root, frozenset({action}))
            if capability in held.get(action, ()) and chain.covers(action, capability, 0, lender.grants.now()):
                found.add((action, capability))
    return found


async def take(lender: Lender, people: dict[str, AgentIdentity], book: Book, step: dict[str, Any]) -> None:
    match step:
        case {"do": "wait", "hours": hours}:
            await lender.clock.advance(timedelta(hours=hours))
        case {"do": "rights", "who": who, "what": what}:
            book.rights[people[who].did.text] = what
            sides = {action: " ".join(each for a, each in what if a == action) for action, _ in what}
            lender.world.may(people[who], **sides)
        case {"do": "revoke", "who": who, "which": which} if which < len(book.lent):
            line = book.line(book.lent[which])
            concerned = {line[0].delegate, *(each.delegator for each in line)}
            try:
                await lender.grants.revoke(proved(people[who]), line[0].id)
            except MoothallError:
                assert people[who].did.text not in concerned
            else:
                assert people[who].did.text in concerned
                book.back.add(line[0].id)
        case {"do": "give", "parent": parent} if parent is None or parent < len(book.lent):
            giver, taker, what = people[step["giver"]], people[step["taker"]], step["what"]
            more: dict[str, Any] = {"parent": book.lent[parent].id} if parent is not None else {}
            if step["hours"]:
                more["expires_at"] = lender.clock.now() + timedelta(hours=step["hours"])
            actions, capabilities = ({each[side] for each in what} or {"*"} for side in (0, 1))
            had = set(book.rights.get(giver.did.text, frozenset())) | await has(lender, giver)
            try:
                made = await lender.give(
                    giver, taker, " ".join(actions), " ".join(capabilities), depth=step["depth"], **more
                )
            except MoothallError:
                return
            book.lent.append(made)
            assert {each for each in RIGHTS if each[0] in made.actions and each[1] in made.capabilities} <= had
            assert len(book.line(made)) <= 4


@pytest.mark.requirement("DEL-04", "DEL-05")
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    start=st.dictionaries(person, st.frozensets(st.sampled_from(RIGHTS), min_size=2), min_size=2),
    story=st.lists(steps, min_size=4, max_size=25),
)
async def test_no_history_opens_more_or_less_than_the_book_says(
    lender: Lender, start: dict[str, frozenset[tuple[str, str]]], story: list[dict[str, Any]]
) -> None:
    await lender.store.write(lambda connection: connection.execute(sa.delete(delegation)))
    lender.world.rights.clear()
    people = {name: lender.world.agent(name) for name in NAMES}
    book = Book()
    for who, what in start.items():
        await take(lender, people, book, {"do": "rights", "who": who, "what": what})
    for step in story:
        await take(lender, people, book, step)
        now = lender.clock.now()
        for who in people.values():
            ends = [each for each in book.lent if each.delegate == who.did.text]
            said = {right for right in RIGHTS for end in ends if book.opens(end, right, now)}
            assert await has(lender, who) == said
