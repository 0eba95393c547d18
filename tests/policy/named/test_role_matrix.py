"""The permission matrix of spec B §8.6, cell by cell, and the walls that stand above it."""

from __future__ import annotations

from itertools import product

import pytest

from moothall.capability.spec import Annotations
from moothall.people.facts import PartyFacts
from moothall.policy.named.role_matrix import RoleMatrix
from moothall.policy.policies import PolicySet
from tests.policy.named.hall import READS, USUAL, Hall, entry, party, policies

ROLES = ["admin", "personal", "work", "finance", "health", "basic", "audit", "default"]
ACTIONS = ["read", "query", "notify", "schedule", "write", "delete"]
MATRIX = {
    ("personal", "work"): {"read", "query"},
    ("personal", "finance"): {"read", "query"},
    ("personal", "health"): {"read"},
    ("work", "personal"): {"notify", "schedule"},
    ("finance", "personal"): {"notify"},
    **{("admin", role): set(ACTIONS) for role in ROLES},
}
CELLS = [(caller, target, action) for caller, target in product(ROLES, ROLES) for action in ACTIONS]


def agent(role: str, person: str = "ann", name: str = "", **facts: object) -> PartyFacts:
    return party(name or f"{role}-{person}", person=person, role=role, **facts)


def pair(caller: str, target: str) -> tuple[PartyFacts, PartyFacts]:
    """Two agents of one person, different ones even where the roles are the same."""
    return agent(caller), agent(target, name=f"other-{target}")


@pytest.mark.requirement("PRM-06")
@pytest.mark.requirement("UID-03")
def test_every_cell_of_the_matrix_holds_between_agents_of_one_person() -> None:
    wrong = []
    for caller, target, action in CELLS:
        mine, theirs = pair(caller, target)
        hall = Hall(USUAL, theirs)
        expected = action in MATRIX.get((caller, target), set())
        decisions = (hall.on_agent(mine, action), hall.call(mine, entry(action=action)))
        wrong += [(caller, target, action, one.policies) for one in decisions if one.allowed != expected]
    assert wrong == []


@pytest.mark.requirement("PRM-05")
@pytest.mark.requirement("PRM-06")
def test_no_cell_opens_anything_to_agents_of_another_person() -> None:
    for caller, target, action in CELLS:
        hall = Hall(USUAL, agent(target, person="ann"))
        mine = agent(caller, person="bob", cross_agent_calls=True)
        assert not hall.on_agent(mine, action).allowed
        assert not hall.call(mine, entry(action=action)).allowed


@pytest.mark.requirement("PRM-02")
def test_two_agents_of_nobody_are_never_agents_of_the_same_person() -> None:
    hall = Hall(USUAL, party("b", role="work"))
    assert not hall.on_agent(party("a", role="admin"), "read").allowed
    assert not hall.on_agent(party("a", role="personal", cross_agent_calls=True), "read").allowed


@pytest.mark.requirement("UID-02")
@pytest.mark.requirement("PRM-06")
@pytest.mark.parametrize(("mine", "theirs"), [("dev", "prod"), ("prod", "dev"), ("dev", ""), ("", "prod")])
def test_no_role_reaches_into_another_environment(mine: str, theirs: str) -> None:
    for role, action in product(ROLES, ACTIONS):
        caller = agent(role, environment=mine, cross_agent_calls=True)
        hall = Hall(USUAL, agent("work", name="other", environment=theirs))
        assert hall.on_agent(caller, action).effect == "deny"
        assert hall.call(caller, entry(action=action)).effect == "deny"


@pytest.mark.requirement("UID-02")
@pytest.mark.parametrize(("caller", "target", "action"), [("personal", "work", "read"), ("admin", "basic", "delete")])
def test_within_one_environment_the_matrix_decides(caller: str, target: str, action: str) -> None:
    hall = Hall(USUAL, agent(target, environment="dev"))
    assert hall.on_agent(agent(caller, environment="dev"), action).allowed
    assert not hall.on_agent(agent("health", environment="dev"), action).allowed


@pytest.mark.requirement("UID-03")
def test_a_basic_agent_reaches_no_admin_even_where_the_matrix_and_the_person_say_so() -> None:
    generous = policies('[matrix.basic]\n"*" = ["*"]')
    basic = agent("basic", cross_agent_calls=True)
    refused = Hall(generous, agent("admin")).on_agent(basic, "read")
    assert (refused.allowed, refused.policy) == (False, "wall-tier")
    assert Hall(generous, agent("default", name="other")).on_agent(agent("basic"), "read").policy == "wall-tier"
    assert Hall(generous, agent("basic", name="other")).on_agent(agent("basic"), "write").allowed


@pytest.mark.requirement("UID-03")
def test_an_audit_agent_reads_the_audit_log_and_does_nothing_else() -> None:
    generous: PolicySet = policies('[matrix.audit]\n"*" = ["*"]')
    auditor = agent("audit", cross_agent_calls=True)
    for set_, role, action in product((USUAL, generous), ROLES, [*ACTIONS, "manage", "audit"]):
        hall = Hall(set_, agent(role, name="other"))
        assert not hall.on_agent(auditor, action).allowed
        assert not hall.call(auditor, entry(action=action, access="authenticated")).allowed
        assert hall.on_log(auditor, action).allowed == (action == "read")
    assert not Hall(USUAL, agent("work")).on_log(agent("admin"), "read").allowed


@pytest.mark.requirement("PRM-04")
def test_the_switch_of_a_person_opens_only_what_reads_and_no_wall() -> None:
    health = agent("health", cross_agent_calls=True)
    hall = Hall(USUAL, agent("work"))
    assert hall.call(health, entry(annotations=READS)).reason == "user allows cross-agent calls"
    assert not hall.call(health, entry(action="read", annotations=Annotations())).allowed
    assert not hall.call(agent("health"), entry(annotations=READS)).allowed
    assert not Hall(USUAL, agent("admin")).call(agent("basic", cross_agent_calls=True), entry()).allowed
    dev = agent("health", cross_agent_calls=True, environment="dev")
    assert not Hall(USUAL, agent("work", environment="prod")).call(dev, entry()).allowed


@pytest.mark.requirement("PRM-07")
def test_wildcards_stand_for_every_action_and_every_role() -> None:
    matrix = RoleMatrix(rows={"a": {"*": {"read"}, "b": {"*"}}})
    assert [matrix.permits("a", role, action) for role, action in product("bc", ["read", "delete"])] == [
        True, True, True, False,
    ]  # fmt: skip
    hall = Hall(matrix.config(), agent("b"))
    assert hall.on_agent(agent("a"), "read").allowed
    assert hall.on_agent(agent("a"), "delete").allowed
    assert Hall(matrix.config(), agent("c")).on_agent(agent("a"), "read").allowed
    assert not Hall(matrix.config(), agent("c")).on_agent(agent("a"), "delete").allowed


@pytest.mark.requirement("PRM-07")
def test_rows_of_the_file_take_the_place_of_the_usual_ones_and_leave_the_others() -> None:
    told = policies('[matrix.work]\ncalendar = ["schedule"]\n[matrix.finance]\n')
    assert Hall(told, agent("calendar")).on_agent(agent("work"), "schedule").allowed
    assert not Hall(told, agent("personal")).on_agent(agent("work"), "notify").allowed
    assert not Hall(told, agent("personal")).on_agent(agent("finance"), "notify").allowed
    assert Hall(told, agent("work")).on_agent(agent("personal"), "read").allowed


def test_a_role_gives_nothing_at_what_asks_for_permissions_by_name() -> None:
    hall = Hall(USUAL, agent("work"))
    assert not hall.call(agent("admin"), entry(permissions=("pay",))).allowed
