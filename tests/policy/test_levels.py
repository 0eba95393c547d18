"""The five levels of access, and the walls between the agents of one person."""

from __future__ import annotations

from dataclasses import replace

import pytest

from moothall.identity.principal import OWNER, Principal
from moothall.people.facts import Collaboration, PartyFacts
from moothall.policy.named.reader import usual
from moothall.policy.resources import AUDIT_LOG, AgentResource
from tests.policy.ground import READS, Town, decided, did, entry

HOST = did("host")
INSIDE = frozenset({"read", "query", "notify", "schedule", "write"})
MEMBER = {
    "team": {"teams": frozenset({"t"}), "inside": {"t": INSIDE}},
    "department": {"departments": frozenset({"d"})},
    "enterprise": {"organisations": frozenset({"e"})},
}
ABOVE = {
    "team": {"departments": frozenset({"d"}), "organisations": frozenset({"e"}), "above": frozenset({"d", "e"})},
    "department": {"organisations": frozenset({"e"}), "above": frozenset({"e"})},
    "enterprise": {},
}
LEVELS = ["personal", "team", "department", "enterprise", "public"]
REACHES = {"own": 5, "team": 4, "department": 3, "enterprise": 2, "stranger": 1}
"""For each caller how many of the levels, the widest first, let it in."""


def facts(who: Principal, **known: object) -> PartyFacts:
    return PartyFacts(id=who.id, **known)


def member(who: Principal, level: str, person: str) -> PartyFacts:
    return facts(who, person=person, role="work", **(MEMBER[level] | ABOVE[level]))


def town() -> Town:
    """A person in team t of department d of organisation e, and somebody at each distance from it."""
    made = Town(
        member(HOST, "team", "ann"),
        facts(did("own"), person="ann", role="personal"),
        *(member(did(level), level, level) for level in MEMBER),
    )
    made.agents = {"host": HOST.id}
    return made


@pytest.mark.requirement("POL-01")
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("caller", list(REACHES))
async def test_each_level_lets_in_whom_the_table_says(level: str, caller: str) -> None:
    engine = town().engine()
    decision = await decided(engine, did(caller), entry("host", access=level, annotations=READS))
    assert decision.allowed is (level in LEVELS[-REACHES[caller] :])


@pytest.mark.parametrize("level", ["department", "enterprise"])
@pytest.mark.parametrize("action", ["notify", "write", "delete", "manage", "audit"])
async def test_a_wide_level_opens_only_what_reads(level: str, action: str) -> None:
    decision = await decided(town().engine(), did(level), entry("host", access=level, action=action))
    assert decision.policy == "no_policy_matched"


@pytest.mark.parametrize("action", ["read", "notify", "write", "delete", "manage"])
async def test_members_of_a_team_may_do_exactly_what_it_allows_inside(action: str) -> None:
    decision = await decided(town().engine(), did("team"), entry("host", access="team", action=action))
    assert decision.allowed is (action in INSIDE)


async def test_a_department_is_no_way_into_those_below_it() -> None:
    below = Town(
        facts(HOST, person="ann", departments=frozenset({"sub"}), above=frozenset({"d"})),
        facts(did("above"), person="bob", departments=frozenset({"d"})),
        facts(did("below"), person="cyd", departments=frozenset({"sub"}), above=frozenset({"d"})),
    )
    below.agents = {"host": HOST.id, "top": did("above").id}
    engine = below.engine()
    assert not (await decided(engine, did("above"), entry("host", access="department", annotations=READS))).allowed
    assert (await decided(engine, did("below"), entry("top", access="department", annotations=READS))).allowed


async def test_two_callers_that_nobody_knows_are_not_the_same_person() -> None:
    strangers = Town()
    strangers.agents = {"host": HOST.id}
    engine = strangers.engine()
    for level in LEVELS[:-1]:
        assert not (await decided(engine, did("stranger"), entry("host", access=level, annotations=READS))).allowed
    assert not (await engine.check(did("a"), "read", AgentResource(id=did("b").id))).allowed


def pair(caller: dict[str, object], called: dict[str, object]) -> Town:
    """Two agents of one person."""
    made = Town(facts(did("from"), person="ann", **caller), facts(HOST, person="ann", **called))
    made.agents = {"host": HOST.id, "from": did("from").id}
    return made


@pytest.mark.requirement("UID-02")
@pytest.mark.parametrize(
    ("mine", "theirs", "allowed"), [("dev", "prod", False), ("prod", "prod", True), ("", "prod", False)]
)
async def test_environments_of_one_person_are_apart_and_follow_the_matrix_inside(
    mine: str, theirs: str, allowed: bool
) -> None:
    engine = pair({"role": "admin", "environment": mine}, {"role": "work", "environment": theirs}).engine(usual())
    for resource in (
        entry("host", access="personal"),
        entry("host"),
        entry("host", access="public"),
        AgentResource(id=HOST.id),
    ):
        decision = await engine.check(did("from"), "write", resource)
        assert decision.allowed is allowed
        assert allowed or decision.policy == "wall-environment"


@pytest.mark.requirement("UID-03")
@pytest.mark.parametrize(
    ("mine", "theirs", "wall"),
    [("basic", "admin", True), ("basic", "work", True), ("work", "admin", True), ("admin", "basic", False)],
)
async def test_nobody_calls_an_agent_with_more_privileges(mine: str, theirs: str, wall: bool) -> None:
    engine = pair({"role": mine}, {"role": theirs}).engine(usual())
    for resource in (entry("host", access="personal"), entry("host", access="public"), AgentResource(id=HOST.id)):
        decision = await engine.check(did("from"), "read", resource)
        assert decision.allowed is not wall
        assert not wall or decision.policy == "wall-tier"


@pytest.mark.requirement("UID-03")
async def test_an_agent_for_audits_reads_the_log_and_nothing_else() -> None:
    audits = pair({"role": "audit"}, {"role": "basic"})
    audits.agents = {**audits.agents, "node": did("node").id}
    engine = audits.engine(usual())
    auditor = replace(did("from"), owner=True, permissions=frozenset({"*"}))
    assert (await engine.check(auditor, "read", AUDIT_LOG)).allowed
    assert (await decided(engine, auditor, entry("node", "audit.list", action="read", permissions=("audit",)))).allowed
    for action in ("query", "write", "delete", "audit"):
        assert (await engine.check(auditor, action, AUDIT_LOG)).policy == "audit-only"
    for resource in (
        entry("host", access="public"),
        entry("host", access="personal"),
        AgentResource(id=HOST.id),
        entry("from"),
    ):
        for action in ("read", "query", "notify", "write"):
            assert (await engine.check(auditor, action, resource)).effect == "deny"
    for other in ("basic", "work", "admin"):
        assert not (await pair({"role": other}, {}).engine(usual()).check(did("from"), "read", AUDIT_LOG)).allowed


async def test_a_person_stands_before_no_wall_and_its_keys_open_what_is_its_own() -> None:
    made = pair({}, {"role": "admin", "environment": "prod"})
    user = Principal(id="user:ann", kind="user", binding="token")
    other = Principal(id="user:bob", kind="user", binding="token")
    made.know(PartyFacts(id=user.id, person="ann"), PartyFacts(id=other.id, person="bob"))
    engine = made.engine(usual())
    assert (await decided(engine, user, entry("host"))).policy == "person-itself"
    assert not (await decided(engine, user, entry("host", permissions=("pay",)))).allowed
    assert not (await decided(engine, other, entry("host"))).allowed


async def test_an_agent_of_a_person_acts_no_more_for_the_node_and_the_node_not_for_it() -> None:
    made = pair({"role": "work"}, {"role": "work"})
    made.agents = {**made.agents, "house": did("house").id}
    engine = made.engine(usual())
    registered, house = replace(did("from"), owner=True), replace(did("house"), owner=True)
    assert (await decided(engine, house, entry("house"))).policy == "access-owner"
    assert not (await decided(engine, registered, entry("house"))).allowed
    assert not (await decided(engine, house, entry("host"))).allowed
    assert (await decided(engine, OWNER, entry("host"))).policy == "operator-key"


async def test_whom_a_person_refuses_gets_nothing_of_its_agents() -> None:
    made = town()
    made.know(replace(made.people[HOST.id], blocked=frozenset({did("team").id, "user:department"})))
    engine = made.engine()
    for caller in ("team", "department"):
        for level in LEVELS:
            assert (
                await decided(engine, did(caller), entry("host", access=level, annotations=READS))
            ).policy == "blocked"
    assert (await decided(engine, did("enterprise"), entry("host", access="public"))).allowed


async def test_teams_work_together_on_what_both_agreed_and_until_it_ends() -> None:
    made = town()
    made.know(facts(did("guest"), person="gus", teams=frozenset({"g"})))
    made.agreed = (
        Collaboration(id="c1", host="t", guest="g", actions=frozenset({"read"}), expires=int(made.at) + 60),
        Collaboration(id="c2", host="t", guest="g", actions=frozenset({"write"}), capabilities=frozenset({"host.pay"})),
    )
    engine = made.engine()
    reads = entry("host", access="team", annotations=READS)
    assert (await decided(engine, did("guest"), reads)).policy == "collaboration"
    assert not (await decided(engine, did("guest"), entry("host", "own", access="owner", annotations=READS))).allowed
    pays = entry("host", "pay", access="team")
    assert (await decided(engine, did("guest"), pays)).allowed
    for kept in (entry("host", "pay"), entry("host", "pay", access="team", permissions=("pay",))):
        assert not (await decided(engine, did("guest"), kept)).allowed, "a team gives no more than is offered to it"
    assert not (await decided(engine, did("guest"), entry("host", "other", access="team"))).allowed
    made.at += 60
    assert not (await decided(engine, did("guest"), reads)).allowed
    made.at -= 3600
    assert (await decided(engine, did("guest"), reads)).allowed, (
        "the port's time never goes back; the engine believes it"
    )
    assert (await decided(engine, did("guest"), pays)).allowed


async def test_members_of_a_group_use_its_handlers() -> None:
    made = town()
    made.in_groups = {
        did("stranger").id: frozenset({"g1"}),
        HOST.id: frozenset({"g1"}),
        did("own2").id: frozenset({"g2"}),
    }
    engine = made.engine()
    handler = entry("host", template="group", action="notify")
    assert (await decided(engine, did("stranger"), handler)).policy == "group-member"
    assert not (await decided(engine, did("own2"), handler)).allowed
    assert not (await decided(engine, did("stranger"), entry("host", action="notify"))).allowed
