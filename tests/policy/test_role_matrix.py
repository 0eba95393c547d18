"""The role matrix of spec B §8.6, whole, on the engine; its own rules are tested with the named policies."""

from __future__ import annotations

from itertools import product

import pytest

from moothall.people.facts import PartyFacts
from moothall.policy.named.reader import usual
from moothall.policy.resources import AgentResource
from moothall.policy.sources import PolicyConfig
from tests.policy.ground import READS, Town, chain, decided, did, entry

ROLES = ["admin", "personal", "work", "finance", "health"]
OTHERS = ["basic", "audit", "default"]
ACTIONS = ["read", "query", "notify", "schedule", "write", "delete"]
MATRIX = {
    ("personal", "work"): {"read", "query"},
    ("personal", "finance"): {"read", "query"},
    ("personal", "health"): {"read"},
    ("work", "personal"): {"notify", "schedule"},
    ("finance", "personal"): {"notify"},
}
FROM, TO = did("from"), did("to")


def town(mine: str, theirs: str, person: str = "ann", **known: object) -> Town:
    made = Town(
        PartyFacts(id=FROM.id, person="ann", role=mine, **known), PartyFacts(id=TO.id, person=person, role=theirs)
    )
    made.agents = {"to": TO.id}
    return made


@pytest.fixture(scope="module")
def config() -> PolicyConfig:
    return usual()


@pytest.mark.requirement("PRM-06")
@pytest.mark.parametrize(("mine", "theirs"), list(product(ROLES + OTHERS, ROLES)))
async def test_every_cell_of_the_matrix(mine: str, theirs: str, config: PolicyConfig) -> None:
    engine = town(mine, theirs).engine(config)
    for action in ACTIONS:
        wanted = mine == "admin" or action in MATRIX.get((mine, theirs), set())
        for resource in (AgentResource(id=TO.id), entry("to", action=action)):
            decision = await engine.check(FROM, action, resource)
            assert decision.allowed is wanted, (action, decision)
            assert not wanted or decision.reason == "same user, role permission granted"


@pytest.mark.parametrize("mine", ROLES + OTHERS)
async def test_the_matrix_says_nothing_of_agents_of_somebody_else(mine: str, config: PolicyConfig) -> None:
    for theirs in ROLES:
        engine = town(mine, theirs, person="bob").engine(config)
        for action in ACTIONS:
            assert not (await engine.check(FROM, action, AgentResource(id=TO.id))).allowed
            assert not (await engine.check(FROM, action, entry("to", action=action))).allowed


@pytest.mark.requirement("PRM-04")
async def test_a_person_may_let_its_agents_call_each_other_where_nothing_is_changed(config: PolicyConfig) -> None:
    reads, writes = entry("to", annotations=READS), entry("to", "g")
    off = town("work", "finance").engine(config)
    assert not (await decided(off, FROM, reads)).allowed
    on = town("work", "finance", cross_agent_calls=True).engine(config)
    decision = await decided(on, FROM, reads)
    assert (decision.allowed, decision.reason) == (True, "user allows cross-agent calls")
    assert not (await decided(on, FROM, writes)).allowed
    higher = town("work", "admin", cross_agent_calls=True).engine(config)
    assert (await decided(higher, FROM, reads)).policy == "wall-tier"
    elsewhere = town("work", "finance", cross_agent_calls=True, environment="dev").engine(config)
    assert (await decided(elsewhere, FROM, reads)).policy == "wall-environment"
    another = town("work", "finance", person="bob", cross_agent_calls=True).engine(config)
    assert not (await decided(another, FROM, reads)).allowed


async def test_a_refusal_wins_over_the_matrix(config: PolicyConfig) -> None:
    made = town("admin", "work", status="suspended")
    assert (await made.engine(config).check(FROM, "read", AgentResource(id=TO.id))).policy == "suspended"


@pytest.mark.requirement("PRM-03")
async def test_the_four_reasons_between_agents_of_one_person(config: PolicyConfig) -> None:
    made = town("work", "finance")
    made.chains[FROM.id] = (chain(TO.id, FROM.id, actions={"notify"}, capabilities={"to.f"}),)
    engine = made.engine(config)
    target = AgentResource(id=TO.id)
    assert (await engine.check(FROM, "notify", target)).reason == "delegation rule matched"
    assert (await engine.check(FROM, "write", target)).reason == "No sufficient authorization"
