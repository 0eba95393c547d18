"""People, teams and agreements at work: calls through the call path and the policies, before and after each change."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import pytest

from moothall.capability.decorators import capability
from moothall.capability.spec import Action
from moothall.identity.agent import AgentIdentity
from moothall.identity.principal import OWNER, Principal
from moothall.people.capabilities import PeopleCapabilities
from moothall.people.team_capabilities import TeamCapabilities
from moothall.people.team_rules import ExternalPolicies, InternalPolicies, TeamRules
from moothall.policy.engine import PolicyEngine
from moothall.policy.named.reader import usual
from moothall.policy.ports import FixedRules, Sources
from moothall.policy.store import FixedPolicies
from tests.calls.hall import Hall, code
from tests.people.house import NODE, House, agent, person

ACTIONS: tuple[Action, ...] = get_args(Action)


class Desk:
    """An agent with one capability for each action, for its team."""

    @capability(name="read", access="team", action="read")
    def read(self) -> str:
        return "42"

    @capability(name="query", access="team", action="query")
    def query(self) -> str:
        return "42"

    @capability(name="notify", access="team", action="notify")
    def notify(self) -> str:
        return "told"

    @capability(name="schedule", access="team", action="schedule")
    def schedule(self) -> str:
        return "noted"

    @capability(name="write", access="team", action="write")
    def write(self) -> str:
        return "written"

    @capability(name="delete", access="team", action="delete")
    def delete(self) -> str:
        return "gone"

    @capability(name="manage", access="team", action="manage")
    def manage(self) -> str:
        return "done"


@dataclass
class Works:
    """A node: the agent ``desk`` of anna, and people who call it with their own agents."""

    house: House
    hall: Hall
    agents: Mapping[str, AgentIdentity]

    async def call(self, who: str, action: str = "read") -> str:
        caller = agent(self.agents[who].did.text)
        return code(await self.hall.call(f"desk.{action}", caller, "http"))

    async def allowed(self, who: str) -> set[str]:
        return {name for name in ACTIONS if name != "audit" and await self.call(who, name) == "ok"}


@pytest.fixture
async def works(database_url: str, tmp_path: Path) -> AsyncIterator[Works]:
    async with AsyncExitStack() as stack:
        house = await House.open(database_url, tmp_path / "node", stack)
        desk = house.world.hosted("desk")
        await house.people.identities.register_user_agent("anna", desk, "work")
        agents = {}
        for name in ("bo", "chen"):
            agents[name] = house.world.made(f"{name}:work")
            await house.register(name, agents[name], "work")
        sources = Sources(
            settings=FixedRules(), people=house.people.store, revisions=house.revisions, agents=lambda: own
        )
        own = {"desk": desk}
        engine = PolicyEngine(FixedPolicies.of(usual()), sources, clock=house.clock)
        house.people.store.on_change(engine.people_changed)
        offers = (PeopleCapabilities(house.people), TeamCapabilities(house.people))
        hall = Hall(*offers, agents={"desk": Desk()}, authorizer=engine, clock=house.clock)
        yield Works(house, hall, agents)


@pytest.mark.requirement("TEA-01")
async def test_a_member_has_access_until_it_is_taken_out_and_not_for_one_call_longer(works: Works) -> None:
    teams = works.house.people.teams
    assert await works.call("bo") == "PERMISSION_DENIED"
    await teams.create_team("search", ["user:anna"])
    assert await works.call("bo") == "PERMISSION_DENIED"
    await teams.add_member("search", "user:bo")
    assert await works.call("bo") == "ok"
    await teams.remove_member("search", "user:bo")
    assert await works.call("bo") == "PERMISSION_DENIED"
    await teams.add_member("search", works.agents["bo"].did.text)
    assert await works.call("bo") == "ok"
    await teams.dissolve("search")
    assert await works.call("bo") == "PERMISSION_DENIED"


@pytest.mark.requirement("TEA-03")
@pytest.mark.parametrize(
    "actions", [set(), {"read"}, {"notify", "delete"}, {"read", "query", "notify", "schedule", "write"}]
)
async def test_members_may_do_exactly_what_the_internal_policies_say(works: Works, actions: set[Action]) -> None:
    rules = TeamRules(internal=InternalPolicies(actions=frozenset(actions)))
    setup = works.house.people.team_authorization.setup_team_authorization
    made = await setup("search", ["user:anna", "user:bo"], rules=rules)
    assert works.house.people.team_authorization.create_internal_policies(made.team).actions == actions
    assert await works.allowed("bo") == actions
    assert await works.allowed("chen") == set()
    await works.house.people.teams.set_rules(
        "search", TeamRules(internal=InternalPolicies(actions=frozenset({"query"})))
    )
    assert await works.allowed("bo") == {"query"}


@pytest.mark.requirement("TEA-04")
async def test_another_team_is_denied_until_both_teams_granted_the_access(works: Works) -> None:
    people = works.house.people
    await people.teams.create_team("search", ["user:anna"], owners=["user:o1"])
    await people.teams.create_team("ads", ["user:bo"], owners=["user:o2"])
    for first, second in (("o1", "o2"), ("o2", "o1")):
        proposed = await people.collaborations.propose("search", "ads", ["read"], by=person(first))
        assert await works.allowed("bo") == set()
        await people.collaborations.agree(proposed.id, by=person(second))
        assert await works.allowed("bo") == {"read"}
        assert await works.allowed("chen") == set()
        await people.collaborations.withdraw(proposed.id, by=person(second))
        assert await works.allowed("bo") == set()
    agreed = await people.collaborations.propose("search", "ads", ["read"], by=person("o1"))
    await people.collaborations.agree(agreed.id, by=person("o2"))
    await people.teams.set_rules("search", TeamRules(external=ExternalPolicies(actions=frozenset())), by=person("o1"))
    assert await works.allowed("bo") == set()


@pytest.mark.requirement("TEA-05")
async def test_a_joint_project_allows_its_actions_until_it_ends_and_then_denies(works: Works) -> None:
    people = works.house.people
    await people.teams.create_team("search", ["user:anna"], owners=["user:o1"])
    await people.teams.create_team("ads", ["user:bo"], owners=["user:o2"])
    actions = ["read", "notify", "write"]
    proposed = await people.collaborations.propose(
        "search", "ads", actions, project="fair", seconds=60, by=person("o2")
    )
    assert await works.allowed("bo") == set()
    await people.collaborations.agree(proposed.id, by=person("o1"))
    assert await works.allowed("bo") == set(actions)
    await works.house.clock.advance(59)
    assert await works.call("bo") == "ok"
    await works.house.clock.advance(1)
    assert await works.allowed("bo") == set()


async def test_an_agent_that_is_suspended_or_taken_out_calls_no_more(works: Works) -> None:
    people, did = works.house.people, works.agents["bo"].did.text
    await people.teams.create_team("search", ["user:anna", "user:bo"])
    for status, outcome in (("active", "ok"), ("suspended", "PERMISSION_DENIED"), ("active", "ok")):
        await people.identities.change_user_agent(did, status=status)  # type: ignore[arg-type]
        assert await works.call("bo") == outcome
    await people.identities.unregister_user_agent(did)
    assert await works.call("bo") == "PERMISSION_DENIED"


async def test_whom_a_person_blocks_is_refused_from_the_next_call_on(works: Works) -> None:
    people = works.house.people
    await people.teams.create_team("search", ["user:anna", "user:bo"])
    assert await works.call("bo") == "ok"
    await people.relations.relate("anna", "block", "user:bo", by=person("anna"))
    assert await works.call("bo") == "PERMISSION_DENIED"
    await people.relations.unrelate("anna", "block", "user:bo", by=person("anna"))
    assert await works.call("bo") == "ok"


class Diary:
    """An agent with one capability, for the other agents of its person."""

    @capability(name="read", access="personal", action="read")
    def read(self) -> str:
        return "42"


@pytest.mark.requirement("UID-02")
async def test_agents_of_one_person_meet_within_an_environment_only(house: House) -> None:
    dids = {name: f"did:wba:{name}.company.com:user:li_si" for name in ("dev", "staging", "prod")}
    house.world.own = {**dids, "work": "did:wba:prod.company.com:user:li_si:work"}
    for did in dids.values():
        await house.people.identities.register_user_agent("li_si", did, "personal")
    await house.people.identities.register_user_agent("li_si", house.world.own["work"], "work")
    own = {"diary": house.world.own["work"]}
    sources = Sources(settings=FixedRules(), people=house.people.store, revisions=house.revisions, agents=lambda: own)
    engine = PolicyEngine(FixedPolicies.of(usual()), sources, clock=house.clock)
    house.people.store.on_change(engine.people_changed)
    hall = Hall(agents={"diary": Diary()}, authorizer=engine, clock=house.clock)
    outcomes = {name: code(await hall.call("diary.read", agent(did), "http")) for name, did in dids.items()}
    assert outcomes == {"dev": "PERMISSION_DENIED", "staging": "PERMISSION_DENIED", "prod": "ok"}
    await house.people.identities.change_user_agent(dids["dev"], environment="prod", by=person("li_si"))
    assert code(await hall.call("diary.read", agent(dids["dev"]), "http")) == "ok"


async def value(works: Works, name: str, by: Principal, /, **given: Any) -> Any:
    reply = await works.hall.call(name, by, "http", **given)
    return reply.error.envelope_code if reply.error else reply.data


async def test_people_keep_their_own_affairs_through_capabilities(works: Works) -> None:
    bo, mallory = person("bo"), person("mallory")
    assert (await value(works, "people.update", bo, email="bo@example.com"))["email"] == "bo@example.com"
    assert (await value(works, "people.profile", bo))["user_id"] == "bo"
    for by in (mallory, agent(works.agents["bo"].did.text)):
        assert await value(works, "people.profile", by, person="bo") == "PERMISSION_DENIED"
        assert await value(works, "people.agents", by, person="bo") == "PERMISSION_DENIED"
    assert await value(works, "people.profile", OWNER, person="nobody") == "NOT_FOUND"
    assert await value(works, "people.profile", OWNER) == "VALIDATION_ERROR"
    assert (await value(works, "people.verify", bo, status="pending"))["verification_status"] == "pending"
    assert await value(works, "people.verify", bo, status="verified") == "PERMISSION_DENIED"
    assert await value(works, "people.rate", bo, person="bo", trust=9) == "PERMISSION_DENIED"
    assert (await value(works, "people.rate", OWNER, person="bo", trust=9))["trust_level"] == 9
    assert await value(works, "people.rate", OWNER, person="bo", trust=11) == "VALIDATION_ERROR"
    assert await value(works, "people.policy", bo, allow_cross_agent_calls=True) == {"allow_cross_agent_calls": True}
    assert (await value(works, "people.relate", bo, kind="trust", subject="user:anna", level=7))["level"] == 7
    assert [one["subject"] for one in await value(works, "people.relations", bo, kind="trust")] == ["user:anna"]
    assert await value(works, "people.unrelate", bo, kind="trust", subject="user:anna") is True
    assert await value(works, "people.remove", bo, person="bo") == "PERMISSION_DENIED"
    assert await value(works, "people.remove", OWNER, person="bo") is True


ASKED: Mapping[str, Mapping[str, Any]] = {
    "people.update": {"display_name": "*"},
    "people.profile": {"person": "*"},
    "people.change_agent": {"agent_did": "*", "role": "work"},
    "people.relations": {"kind": "trust", "after": "*"},
    "people.unrelate": {"kind": "trust", "subject": "*"},
    "teams.create": {"team": "ads", "members": [], "parent": "acme", "name": "*"},
    "teams.show": {"unit": "*"},
    "teams.remove": {"unit": "acme", "member": "*"},
    "teams.propose": {"host": "one", "guest": "two", "actions": ["read"], "project": "*", "seconds": 60},
    "teams.agree": {"agreement": "*"},
}


@pytest.mark.parametrize("sign", ["\x00", "\ud800"], ids=["zero", "half"])
@pytest.mark.parametrize("name", ASKED)
async def test_a_sign_that_no_database_keeps_is_the_callers_fault_not_the_stores(
    works: Works, name: str, sign: str
) -> None:
    structure = works.house.people.structure
    await structure.create("acme", "organisation")
    await structure.add("acme", "user:bo", "owner")
    for team in ("one", "two"):
        await structure.create(team, "team", parent="acme")
    given = {key: f"a{sign}" if told == "*" else told for key, told in ASKED[name].items()}
    assert await value(works, name, person("bo"), **given) == "VALIDATION_ERROR"
    assert not works.house.storage.failing


@pytest.mark.parametrize("preferences", [{"a": 10**30}, {"a": "\ud800"}, {"\ud800": 1}], ids=["large", "half", "key"])
async def test_preferences_that_are_no_json_are_refused(works: Works, preferences: dict[str, Any]) -> None:
    assert await value(works, "people.update", person("bo"), preferences=preferences) == "VALIDATION_ERROR"


async def test_an_agreement_ends_in_ten_years_at_the_latest(works: Works) -> None:
    for team in ("one", "two"):
        await works.house.people.structure.create(team, "team")
    asked = {"host": "one", "guest": "two", "actions": ["read"]}
    assert await value(works, "teams.propose", OWNER, **asked, seconds=2**63) == "VALIDATION_ERROR"
    assert (await value(works, "teams.propose", OWNER, **asked, seconds=3600))["host_agreed"]


async def test_agents_are_registered_changed_and_taken_out_through_capabilities(works: Works) -> None:
    chen, identity = person("chen"), works.house.world.made("chen:diary")
    did, proof = identity.did.text, works.house.proof(identity, "chen")
    assert await value(works, "people.register", chen, agent_did=did) == "PERMISSION_DENIED"
    made = await value(works, "people.register", chen, agent_did=did, agent_role="personal", proof=proof)
    assert (made["did"], made["role"], made["status"]) == (did, "personal", "active")
    assert did in {one["did"] for one in await value(works, "people.agents", chen)}
    assert await value(works, "people.change_agent", chen, agent_did=did, clearance=2) == "PERMISSION_DENIED"
    changed = await value(works, "people.change_agent", chen, agent_did=did, status="suspended")
    assert changed["status"] == "suspended"
    assert await value(works, "people.unregister", person("mallory"), agent_did=did) == "PERMISSION_DENIED"
    assert await value(works, "people.unregister", chen, agent_did=did) is True
    assert await value(works, "people.unregister", chen, agent_did=did) is False


async def test_an_agent_of_one_node_is_registered_at_another_by_a_proof_of_its_operator(works: Works) -> None:
    did = works.house.world.hosted("diary", domain="elsewhere.example")
    asked = {"agent": "diary", "person": "chen", "audience": f"{NODE}/"}
    assert await value(works, "people.prove", person("chen"), **asked) == "PERMISSION_DENIED"
    proof = await value(works, "people.prove", OWNER, **asked)
    assert await value(works, "people.prove", OWNER, **(asked | {"agent": "nobody"})) == "VALIDATION_ERROR"
    del works.house.world.own["diary"]
    assert (await value(works, "people.register", person("chen"), agent_did=did, proof=proof))["did"] == did


async def test_teams_are_kept_through_capabilities(works: Works) -> None:
    bo, chen, eve = person("bo"), person("chen"), person("eve")
    assert await value(works, "teams.create", bo, team="search", members=[]) == "PERMISSION_DENIED"
    made = await value(works, "teams.create", OWNER, team="search", members=["user:anna"], owners=["user:bo"])
    assert set(made) == {"team", "internal_policies", "external_policies", "collaboration_policies"}
    assert await value(works, "teams.create", OWNER, team="search", members=[]) == "CONFLICT"
    assert (await value(works, "teams.add", bo, unit="search", member="user:chen"))["joined"] is False
    assert (await value(works, "teams.join", chen, unit="search"))["joined"] is True
    assert len((await value(works, "teams.show", chen, unit="search"))["members"]) == 3
    assert await value(works, "teams.show", eve, unit="search") == "PERMISSION_DENIED"
    assert await value(works, "teams.rules", chen, team="search", rules={}) == "PERMISSION_DENIED"
    assert (await value(works, "teams.rules", bo, team="search", rules={}))["id"] == "search"
    assert await value(works, "teams.remove", bo, unit="search", member="user:chen") is True
    await value(works, "teams.create", OWNER, team="ads", members=[], owners=["user:eve"])
    asked = await value(works, "teams.propose", eve, host="search", guest="ads", actions=["read"])
    assert (asked["host_agreed"], asked["guest_agreed"]) == (False, True)
    assert (await value(works, "teams.agree", bo, agreement=asked["id"]))["host_agreed"] is True
    assert [one["id"] for one in await value(works, "teams.agreements", bo, team="search")] == [asked["id"]]
    assert await value(works, "teams.withdraw", eve, agreement=asked["id"]) is True
    await value(works, "teams.create_unit", OWNER, unit="acme", kind="organisation")
    assert (await value(works, "teams.move", OWNER, unit="search", parent="acme"))["parent"] == "acme"
    assert await value(works, "teams.dissolve", bo, unit="search") is True


class Till:
    """What is the node's own, what a person keeps to itself, what it gives by name, and what it offers to its team."""

    @capability(name="own", action="read")
    def own(self) -> str:
        return "42"

    @capability(name="paid", access="team", permissions=("till",), action="read")
    def paid(self) -> str:
        return "42"

    @capability(name="personal", access="personal", action="read")
    def personal(self) -> str:
        return "42"

    @capability(name="team", access="team", action="read")
    def team(self) -> str:
        return "42"


def node(house: House, **agents: str) -> Hall:
    """A node whose agents are tills."""
    sources = Sources(
        settings=FixedRules(), people=house.people.store, revisions=house.revisions, agents=lambda: agents
    )
    engine = PolicyEngine(FixedPolicies.of(usual()), sources, clock=house.clock)
    house.people.store.on_change(engine.people_changed)
    offers = (PeopleCapabilities(house.people), TeamCapabilities(house.people))
    return Hall(*offers, agents={name: Till() for name in agents}, authorizer=engine, clock=house.clock)


async def test_an_agent_that_a_person_has_from_this_node_never_comes_to_act_for_the_nodes_owner(house: House) -> None:
    till, bot = house.world.hosted("till"), house.world.hosted("bot")
    hall = node(house, till=till, bot=bot)
    acting = replace(agent(bot), owner=True)  # as every agent is proved whose key this node has
    assert code(await hall.call("till.own", acting, "http")) == "ok"
    await house.people.identities.register_user_agent("alice", bot)
    for by in (acting, person("alice")):
        assert code(await hall.call("people.unregister", by, "http", agent_did=bot)) == "PERMISSION_DENIED"
        assert code(await hall.call("till.own", acting, "http")) == "PERMISSION_DENIED"
    assert await house.people.identities.unregister_user_agent(bot)
    assert code(await hall.call("till.own", acting, "http")) == "ok"


@pytest.mark.requirement("TEA-04")
@pytest.mark.parametrize("names", [[], ["till.own", "till.paid", "till.personal", "till.team"]], ids=["all", "named"])
async def test_teams_agree_on_nothing_that_a_member_does_not_offer_to_its_team(house: House, names: list[str]) -> None:
    till, guest = house.world.hosted("till"), house.world.made("guest")
    hall, people = node(house, till=till), house.people
    await people.identities.register_user_agent("alice", till, "work")
    await house.register("eve", guest, "work")
    for team, member in (("host", "user:alice"), ("guest", "user:eve")):
        await people.teams.create_team(team, [member], owners=["user:mallory"])
    proposed = await people.collaborations.propose("host", "guest", ["read"], capabilities=names, by=person("mallory"))
    await people.collaborations.agree(proposed.id, by=person("mallory"))
    caller = agent(guest.did.text)
    outcomes = {one: code(await hall.call(f"till.{one}", caller, "http")) for one in ("own", "paid", "personal")}
    assert set(outcomes.values()) == {"PERMISSION_DENIED"}
    assert code(await hall.call("till.team", caller, "http")) == "ok"
