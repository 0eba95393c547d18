"""What is kept, and for how long (rows AUT-05, AUT-03)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from moothall.errors import StorageError
from moothall.identity.principal import ANONYMOUS, OWNER
from moothall.people.facts import PartyFacts
from moothall.policy.decision import AccessRequest
from moothall.policy.judgement import Judgement
from moothall.policy.ports import FixedRules
from moothall.policy.sources import PolicyConfig, PolicySource, ResourceRule
from moothall.policy.store import FixedPolicies
from moothall.policy.subjects import Subjects
from tests.policy.ground import READS, Town, Wall, chain, decided, did, entry

ANN, BOB, HOST = did("ann"), did("bob"), did("host")
PERSONAL = entry("host", access="personal", annotations=READS)


def custom(*texts: str, **given: object) -> PolicyConfig:
    return PolicyConfig(sources=tuple(PolicySource("custom", f"{n}", text) for n, text in enumerate(texts)), **given)


@pytest.fixture
def town() -> Town:
    made = Town(PartyFacts(id=HOST.id, person="ann"), PartyFacts(id=ANN.id, person="ann"))
    made.agents = {"host": HOST.id}
    return made


@pytest.fixture
def questions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Takes the caller of each decision that was made, not those that were kept."""
    made: list[str] = []
    real = Judgement.decide

    def counted(self: Judgement, *given: object, **named: object) -> object:
        made.append(self.subject.principal.id)
        return real(self, *given, **named)

    monkeypatch.setattr(Judgement, "decide", counted)
    return made


@pytest.mark.requirement("AUT-05")
async def test_a_second_call_reads_and_decides_nothing(town: Town, questions: list[str]) -> None:
    engine = town.engine()
    assert (await decided(engine, ANN, PERSONAL)).allowed
    reads = town.reads
    for _ in range(3):
        subject = engine.known(ANN)
        assert subject is not None
        assert engine.decide(AccessRequest(subject, PERSONAL, "mcp")).allowed
    assert (town.reads, len(questions)) == (reads, 1)


@pytest.mark.requirement("AUT-05")
@pytest.mark.parametrize("told", [True, False], ids=["told", "not told"])
async def test_what_was_taken_away_is_gone_at_the_next_call(town: Town, told: bool) -> None:
    engine = town.engine()
    assert (await decided(engine, ANN, PERSONAL)).allowed
    number = town.know(PartyFacts(id=ANN.id))
    if told:
        engine.people_changed(frozenset({ANN.id}), number)
    assert engine.known(ANN) is None
    assert not (await decided(engine, ANN, PERSONAL)).allowed


@pytest.mark.requirement("AUT-05")
async def test_a_revoked_delegation_is_gone_at_the_next_call(town: Town) -> None:
    engine, capability = town.engine(), entry("host")
    town.chains[BOB.id] = (chain(HOST.id, BOB.id, actions={"write"}, capabilities={"host.f"}),)
    assert (await decided(engine, BOB, capability)).allowed
    town.chains[BOB.id] = ()
    engine.grants_changed(frozenset({BOB.id}), town.count("grants"))
    assert not (await decided(engine, BOB, capability)).allowed


async def test_a_change_costs_only_those_it_speaks_of(town: Town, questions: list[str]) -> None:
    engine = town.engine()
    for caller in (ANN, BOB):
        await decided(engine, caller, PERSONAL)
    engine.people_changed(frozenset({BOB.id}), town.know(PartyFacts(id=BOB.id, person="ann")))
    assert engine.known(ANN) is not None
    assert engine.known(BOB) is None
    assert (await decided(engine, BOB, PERSONAL)).allowed
    await decided(engine, ANN, PERSONAL)
    assert questions == [ANN.id, BOB.id, BOB.id]


async def test_who_uses_the_right_of_somebody_who_changed_is_read_again(town: Town) -> None:
    engine, capability = town.engine(), entry("host")
    town.chains[BOB.id] = (chain(HOST.id, ANN.id, BOB.id, actions={"write"}, capabilities={"host.f"}),)
    assert (await decided(engine, BOB, capability)).allowed
    number = town.know(PartyFacts(id=ANN.id, person="ann", status="revoked"))
    engine.people_changed(frozenset({ANN.id}), number)
    assert not (await decided(engine, BOB, capability)).allowed


@pytest.mark.parametrize("told", [True, False], ids=["told", "not told"])
async def test_a_change_of_the_agent_that_is_called_counts_for_everybody(town: Town, told: bool) -> None:
    engine = town.engine()
    assert (await decided(engine, ANN, PERSONAL)).allowed
    number = town.know(PartyFacts(id=HOST.id, person="bob"))
    if told:
        engine.people_changed(frozenset({HOST.id}), number)
    assert not (await decided(engine, ANN, PERSONAL)).allowed


async def test_a_change_of_another_process_counts_for_all(town: Town) -> None:
    town.alone = False
    engine = town.engine()
    assert (await decided(engine, ANN, PERSONAL)).allowed
    assert engine.known(ANN) is None, "others may have changed something"
    town.know(PartyFacts(id=ANN.id))
    assert not (await decided(engine, ANN, PERSONAL)).allowed
    town.count("people")  # one of another process comes between
    engine.people_changed(frozenset({BOB.id}), town.know(PartyFacts(id=ANN.id, person="ann")))
    assert (await decided(engine, ANN, PERSONAL)).allowed


async def test_what_changes_while_a_caller_is_read_is_not_kept(town: Town) -> None:
    engine = town.engine()
    await engine.subject(BOB)
    real = town.chains_for

    async def meanwhile(holder: str) -> object:
        found = await real(holder)
        town.chains_for = real  # type: ignore[method-assign]
        engine.grants_changed(frozenset({ANN.id}), town.count("grants"))
        return found

    town.chains_for = meanwhile  # type: ignore[method-assign, assignment]
    town.chains[ANN.id] = ()
    await engine.subject(ANN)
    assert engine.known(ANN) is None


async def test_what_is_decided_of_a_caller_that_is_not_kept_is_not_counted(town: Town) -> None:
    subjects = Subjects(decisions=20)
    engine = town.engine(subjects=subjects)
    capabilities = [entry("host", f"f{n}", access="public") for n in range(3)]
    await decided(engine, BOB, capabilities[0])
    real = town.chains_for
    for n in range(10):

        async def meanwhile(holder: str) -> object:
            engine.grants_changed(frozenset({ANN.id}), town.count("grants"))
            return await real(holder)

        town.chains_for = meanwhile  # type: ignore[method-assign, assignment]
        caller = await engine.subject(did(f"c{n}"))
        town.chains_for = real  # type: ignore[method-assign]
        for capability in capabilities:
            assert engine.decide(AccessRequest(caller, capability, "http")).allowed
    assert engine.known(BOB) is not None, "it is kept, for nothing else is"
    for capability in capabilities:
        await decided(engine, BOB, capability)
    assert subjects._decisions == 3


@pytest.mark.parametrize("broken", ["facts", "groups"])
async def test_a_row_that_makes_no_sense_suspends_those_it_speaks_of_and_nobody_else(
    town: Town, broken: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    whole_facts, whole_groups = town.facts, town.groups

    async def facts(ids: Iterable[str]) -> Mapping[str, PartyFacts]:
        if broken == "facts" and HOST.id in ids:
            raise ValueError("no JSON")
        return await whole_facts(ids)

    async def groups(identity: str) -> frozenset[str]:
        if broken == "groups" and identity == HOST.id:
            raise ValueError("no group")
        return await whole_groups(identity)

    monkeypatch.setattr(town, "facts", facts)
    monkeypatch.setattr(town, "groups", groups)
    town.know(PartyFacts(id=BOB.id, person="bo"))
    town.agents = {**town.agents, **{name: did(name).id for name in ("x", "y", "bob")}}
    engine = town.engine()
    public = entry("host", access="public")
    for caller in (OWNER, ANN, BOB, did("stranger")):
        assert (await decided(engine, caller, entry("x", access="public"))).allowed
        assert (await decided(engine, caller, public)).allowed is (caller is OWNER), "nobody knows whose agent it is"
    assert (await decided(engine, ANN, PERSONAL)).policy == "suspended-agent"
    assert (await decided(engine, HOST, public)).policy == "suspended"
    assert HOST.id in caplog.text
    bobs = replace(BOB, owner=True)
    assert not (await decided(engine, bobs, entry("x"))).allowed, "what is known of it is still known"
    broken = ""
    town.count("people")
    assert (await decided(engine, ANN, PERSONAL)).allowed


@pytest.mark.parametrize("caller", [ANN, BOB])
async def test_a_store_that_cannot_be_read_lets_nobody_in(town: Town, caller: object) -> None:
    engine = town.engine()
    town.locked = True
    for _ in range(2):
        with pytest.raises(StorageError):
            await engine.subject(caller)  # type: ignore[arg-type]
    town.locked = False
    assert (await decided(engine, ANN, PERSONAL)).allowed
    town.alone, town.locked = False, True
    assert engine.known(ANN) is None
    with pytest.raises(StorageError):
        await engine.subject(ANN)


async def test_who_proved_nothing_is_looked_up_nowhere(town: Town) -> None:
    engine = town.engine()
    await engine.subject(ANN)
    reads = town.reads
    for caller in (ANONYMOUS, OWNER, replace(ANN, verified=False)):
        assert not (await decided(engine, caller, PERSONAL)).allowed or caller is OWNER
    assert town.reads == reads


async def test_settings_count_at_the_next_call(town: Town) -> None:
    rules = FixedRules()
    engine, capability = town.engine(rules=rules), entry("host", permissions=("pay",))
    assert not (await decided(engine, BOB, capability)).allowed
    rules.rules = FixedRules({BOB.id: ["pay"]}).rules
    assert (await decided(engine, BOB, capability)).allowed
    rules.rules = FixedRules({BOB.id: ["pay"]}, [BOB.id]).rules
    assert (await decided(engine, BOB, capability)).policy == "suspended"


async def test_a_suspended_person_is_suspended_with_all_its_agents(town: Town) -> None:
    town.chains[BOB.id] = (chain(ANN.id, BOB.id, actions={"read"}, capabilities={"host.f"}),)
    for suspended, policy in (("user:ann", "suspended"), ("user:an", "access-personal")):
        engine = town.engine(rules=FixedRules({}, [suspended]))
        assert (await decided(engine, ANN, PERSONAL)).policy == policy
        assert (await decided(engine, BOB, PERSONAL)).allowed is (policy != "suspended"), "nor what it gave away"


@pytest.mark.requirement("AUT-03")
async def test_another_policy_counts_at_the_next_call(town: Town) -> None:
    policies = FixedPolicies.of()
    engine = town.engine(policies=policies)
    before = await decided(engine, ANN, PERSONAL)
    policies.policies = FixedPolicies.of(custom('@id("no") forbid (principal, action, resource);')).policies
    after = await decided(engine, ANN, PERSONAL)
    assert (before.effect, after.effect, after.policy) == ("allow", "deny", "no")
    assert before.revision != after.revision


async def test_an_agent_that_comes_is_known_before_anything_of_it_is_called(town: Town) -> None:
    engine = town.engine()
    await decided(engine, ANN, PERSONAL)
    town.people[BOB.id] = PartyFacts(id=BOB.id, person="bob")
    town.agents = {**town.agents, "new": BOB.id}
    assert engine.known(ANN) is None
    house = replace(did("house"), owner=True)
    assert not (await decided(engine, house, entry("new"))).allowed, "it is a person's, not the node's"


TIMED = (
    '@id("by-day") forbid (principal, action, resource in Moothall::Trait::"day") when { context.call.minute > 720 };'
)
PURPOSE = (
    '@id("why") forbid (principal, action, resource in Moothall::Trait::"why") when { context.call.purpose == "" };'
)


@pytest.mark.requirement("AUT-05")
async def test_a_decision_is_kept_only_where_no_policy_that_applies_reads_the_time(
    town: Town, questions: list[str]
) -> None:
    clock = Wall(datetime(2026, 1, 5, 8, tzinfo=UTC))
    rules = (ResourceRule(capabilities="host.day*", traits=frozenset({"day"})),)
    engine = town.engine(custom(TIMED, resources=rules), clock=clock)
    by_day, always = entry("host", "day", access="public"), entry("host", "g", access="public")
    for _ in range(3):
        assert (await decided(engine, BOB, by_day)).allowed
        assert (await decided(engine, BOB, always)).allowed
    assert len(questions) == 3 + 1
    clock.at += timedelta(hours=8)
    assert (await decided(engine, BOB, by_day)).policy == "by-day"
    assert (await decided(engine, BOB, always)).allowed
    clock.at -= timedelta(hours=8)
    assert (await decided(engine, BOB, by_day)).allowed


async def test_the_purpose_of_one_call_is_not_that_of_the_next(town: Town) -> None:
    rules = (ResourceRule(capabilities="host.*", traits=frozenset({"why"})),)
    engine, capability = town.engine(custom(PURPOSE, resources=rules)), entry("host", access="public")
    assert (await decided(engine, BOB, capability, "billing")).allowed
    assert (await decided(engine, BOB, capability)).policy == "why"


@pytest.mark.requirement("POL-15")
async def test_a_policy_of_somebody_else_takes_part_and_only_narrows(town: Town, questions: list[str]) -> None:
    class Moody:
        name, volatile, says = "moody", True, "deny"

        def concerns(self, capability: object) -> bool:
            return capability is PERSONAL

        def narrow(self, request: AccessRequest, action: str) -> str:
            return self.says if request.entry is PERSONAL else ""

    moody = Moody()
    engine = town.engine(custom(narrowing=(moody,)))
    for said, effect in (("deny", "deny"), ("approve", "approve"), ("", "allow"), ("allow!", "deny")):
        moody.says = said
        assert (await decided(engine, ANN, PERSONAL)).effect == effect
        assert (await decided(engine, BOB, PERSONAL)).policy == "no_policy_matched"
    before = len(questions)
    other = entry("host", "g", access="public")
    for _ in range(3):
        assert (await decided(engine, ANN, other)).allowed
    assert len(questions) == before + 1


async def test_what_is_kept_is_bounded_and_the_oldest_goes_first(town: Town, questions: list[str]) -> None:
    subjects = Subjects(most=3, decisions=4, judgements=2)
    engine = town.engine(subjects=subjects)
    capabilities = [entry("host", f"f{n}", access="public") for n in range(3)]
    for caller in (did("a"), did("b"), did("c"), did("d")):
        for capability in capabilities:
            assert (await decided(engine, caller, capability)).allowed
    assert (len(subjects._known), len(subjects._judgements)) == (1, 2)
    assert subjects._decisions == 3
    assert engine.known(did("a")) is None
    before = len(questions)
    await decided(engine, did("d"), capabilities[0])
    assert len(questions) == before
