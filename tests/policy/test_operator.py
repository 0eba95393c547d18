"""Who the operator of a node is: one answer for every room."""

from __future__ import annotations

from dataclasses import replace

import pytest

from moothall.calls.terms import agent_of_this_node
from moothall.identity.apikeys import ADMIN, LOCAL
from moothall.identity.principal import ANONYMOUS, OWNER, OWNER_BY_TOKEN, Principal
from moothall.people.facts import PartyFacts
from moothall.people.rights import NotAllowed, check_operator
from moothall.policy.parties import caller

OTHERS = {
    "anonymous": ANONYMOUS,
    "local": LOCAL,
    "user": Principal(id="user:admin", kind="user"),
    "hosted": Principal(id="did:wba:node.example:e1_a", kind="did", binding="request", owner=True),
    "nameless": agent_of_this_node("painter"),
    "unproved": replace(OWNER, verified=False),
    "claims": replace(OWNER, kind="did"),
}


@pytest.mark.parametrize("key", [OWNER, OWNER_BY_TOKEN, ADMIN], ids=["process", "token", "admin"])
def test_a_key_of_the_operator_is_the_operator(key: Principal) -> None:
    assert key.operator
    check_operator(key)
    assert caller(key, PartyFacts(id=key.id), frozenset(), frozenset(), suspended=False).operator


@pytest.mark.parametrize("name", OTHERS)
def test_nobody_else_is_not_even_an_agent_that_acts_for_the_owner(name: str) -> None:
    other = OTHERS[name]
    assert not other.operator
    with pytest.raises(NotAllowed):
        check_operator(other)
    assert not caller(other, PartyFacts(id=other.id), frozenset(), frozenset(), suspended=False).operator
