"""What a delegation opens, and what it does not (rows SEC-03, DEL-02, UID-02, POL-07, POL-15)."""

from __future__ import annotations

from typing import Literal

import pytest

from moothall.identity.principal import Principal
from moothall.people.facts import PartyFacts
from moothall.policy.decision import AccessRequest, Subject
from moothall.policy.evaluation import Question
from moothall.policy.order import MOST_CHAINS
from moothall.policy.ports import FixedRules
from moothall.policy.resources import AgentResource
from moothall.policy.sources import PolicyConfig, PolicySource, ResourceRule
from tests.policy.ground import READS, Town, chain, decided, did, entry, owned

HOST, ANN, BOB, CYD = did("host"), did("ann"), did("bob"), did("cyd")
SECRET = entry("host", permissions=("secret",))
HELD = FixedRules({BOB.id: ["secret"]})

Word = Literal["", "deny", "approve"]


def town(*parties: Principal, **facts: object) -> Town:
    """The host is hal's, at work in production; the others pass on the right to write at it."""
    made = Town(PartyFacts(id=HOST.id, person="hal", role="admin", environment="prod"))
    made.agents = {"host": HOST.id}
    names = [one.id for one in parties]
    made.chains[names[-1]] = (chain(*names, actions={"write"}, capabilities={"host.f"}, **facts),)
    return made


@pytest.mark.requirement("UID-02")
@pytest.mark.parametrize(
    ("mine", "wall"),
    [({"environment": "dev"}, "wall-environment"), ({"environment": "prod", "role": "basic"}, "wall-tier")],
)
async def test_a_stranger_opens_no_wall_between_the_agents_of_a_person(mine: dict[str, str], wall: str) -> None:
    made, open_to_all = town(BOB, CYD), entry("host", access="authenticated")
    made.know(PartyFacts(id=CYD.id, person="hal", **mine))
    engine = made.engine()
    assert (await decided(engine, BOB, open_to_all)).allowed, "who gives it has the right"
    assert (await decided(engine, CYD, open_to_all)).policy == wall


async def test_the_person_opens_it_by_any_agent_behind_it_also_through_others() -> None:
    made, second = town(HOST, BOB, CYD), did("second")
    made.know(PartyFacts(id=CYD.id, person="hal", environment="dev"))
    assert (await decided(made.engine(), CYD, entry("host"))).on_behalf_of == HOST.id
    made = town(second, CYD)
    made.know(
        PartyFacts(id=CYD.id, person="hal", environment="dev"),
        PartyFacts(id=second.id, person="hal", role="admin", environment="prod"),
    )
    assert (await decided(made.engine(), CYD, entry("host", access="personal"))).on_behalf_of == second.id


@pytest.mark.requirement("POL-07")
@pytest.mark.parametrize("lacking", [BOB, ANN, CYD], ids=["root", "link", "holder"])
async def test_who_takes_part_in_a_delegation_shows_nobody_what_it_is_not_shown(lacking: Principal) -> None:
    made = town(BOB, ANN, CYD)
    made.know(*(PartyFacts(id=one.id, clearance=0 if one is lacking else 3) for one in (BOB, ANN, CYD)))
    rules = (ResourceRule(capabilities="host.*", redact=("salary",)),)
    classified = entry("host", permissions=("secret",), classification=2)
    decision = await decided(made.engine(PolicyConfig(resources=rules), rules=HELD), CYD, classified)
    assert (decision.allowed, decision.redact) == (True, {"salary"})
    made.know(PartyFacts(id=lacking.id, clearance=3))
    assert (await decided(made.engine(PolicyConfig(resources=rules), rules=HELD), CYD, classified)).redact == set()


async def test_what_is_private_stays_so_for_whom_it_passes_through() -> None:
    made = town(HOST, BOB, CYD)
    made.know(PartyFacts(id=CYD.id, person="hal", environment="dev"))
    assert (await decided(made.engine(), CYD, entry("host", private=("phone",)))).redact == {"phone"}


class Says:
    """A policy in Python that speaks of some callers."""

    name, volatile = "says", False

    def __init__(self, word: Word, *parties: Principal) -> None:
        self.word, self.parties = word, {one.id for one in parties}
        self.seen: list[Subject] = []

    def concerns(self, capability: object) -> bool:
        return capability is SECRET

    def narrow(self, request: AccessRequest, action: str) -> Word:
        assert request.entry is SECRET, "it is asked about nothing else"
        assert (request.purpose, action) == ("billing", "write")
        self.seen.append(request.subject)
        return self.word if request.subject.principal.id in self.parties else ""


@pytest.mark.requirement("POL-15")
@pytest.mark.parametrize("party", [BOB, ANN, CYD], ids=["root", "link", "holder"])
@pytest.mark.parametrize("word", ["deny", "approve"])
async def test_a_policy_in_python_is_asked_about_everybody_in_a_delegation(word: Word, party: Principal) -> None:
    made = town(BOB, ANN, CYD)
    made.know(PartyFacts(id=ANN.id, person="an"))
    made.in_groups = {ANN.id: frozenset({"g"})}
    says = Says(word, party)
    engine = made.engine(PolicyConfig(narrowing=(says,)), rules=HELD)
    decision = await decided(engine, CYD, SECRET, "billing")
    assert decision.effect == word
    assert (decision.policy == "says") is (word == "approve" or party is CYD)
    assert len({one.principal.id for one in says.seen}) == len(says.seen), "once about each"
    seen = {one.principal.id: one for one in says.seen}
    if ANN.id in seen:
        assert (seen[ANN.id].facts.person, seen[ANN.id].groups) == ("an", {"g"})
    says.parties.clear()
    assert (await decided(made.engine(PolicyConfig(narrowing=(says,)), rules=HELD), CYD, SECRET, "billing")).allowed


@pytest.mark.requirement("POL-15")
async def test_a_policy_in_python_is_not_asked_about_what_does_not_concern_it() -> None:
    engine = town(BOB, CYD).engine(PolicyConfig(narrowing=(Says("deny", CYD),)))
    assert (await decided(engine, CYD, entry("host", access="public"))).allowed


async def test_where_one_delegation_is_refused_another_one_counts() -> None:
    made = town(BOB, CYD)
    more = chain(ANN.id, CYD.id, actions={"write"}, capabilities={"host.f"})
    made.chains[CYD.id] = (*made.chains[CYD.id], more)
    rules = FixedRules({BOB.id: ["secret"], ANN.id: ["secret"]})
    engine = made.engine(PolicyConfig(narrowing=(Says("deny", BOB),)), rules=rules)
    assert (await decided(engine, CYD, SECRET, "billing")).on_behalf_of == ANN.id


@pytest.mark.requirement("POL-15")
@pytest.mark.parametrize(("word", "effect"), [("", "allow"), ("deny", "deny"), ("approve", "approve"), ("?", "deny")])
async def test_a_policy_in_python_may_speak_of_agents_as_a_whole(word: Word, effect: str) -> None:
    class Walls(Says):
        def narrow_agent(self, subject: Subject, agent: str, action: str) -> Word:
            assert (subject.principal.id, agent, action) == (HOST.id, "did:wba:home", "read")
            return self.word

    made = Town(PartyFacts(id=HOST.id, person="hal"), PartyFacts(id="did:wba:home", person="hal"))
    made.agents = {"host": HOST.id, "home": "did:wba:home"}
    permit = PolicySource("custom", "own", '@id("all") permit (principal, action, resource is Moothall::Agent);')
    engine = made.engine(PolicyConfig(sources=(permit,), narrowing=(Walls(word), Says("deny", HOST))))
    assert (await engine.check(HOST, "read", AgentResource(id="did:wba:home"))).effect == effect


@pytest.mark.parametrize("member", [BOB, ANN], ids=["root", "link"])
async def test_a_refusal_of_a_group_meets_its_members_in_a_delegation(member: Principal) -> None:
    made = town(BOB, ANN, CYD)
    bad = '@id("bad") forbid (principal in Moothall::Group::"bad", action, resource);'
    config = PolicyConfig(sources=(PolicySource("custom", "own", bad),))
    assert (await decided(made.engine(config, rules=HELD), CYD, SECRET)).allowed
    made.in_groups = {member.id: frozenset({"bad"})}
    assert not (await decided(made.engine(config, rules=HELD), CYD, SECRET)).allowed


@pytest.fixture
def questions(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """Takes every question that is put to Cedar."""
    made: list[tuple[object, ...]] = []
    real = Question.ask

    def counted(self: Question, *given: object, **named: object) -> object:
        made.append((self.party.uid[1], *given[:2], *sorted(named.items())))
        return real(self, *given, **named)

    monkeypatch.setattr(Question, "ask", counted)
    return made


async def test_a_caller_with_hundreds_of_delegations_costs_a_few_questions(
    questions: list[tuple[object, ...]],
) -> None:
    made = town(BOB, CYD)
    roots = [did(f"r{n}").id for n in range(100)]
    made.chains[CYD.id] = tuple(
        chain(root, *between, CYD.id, actions={"write"}, capabilities={"host.f"})
        for between in ((ANN.id,), (), ())
        for root in roots
    )
    asks = PolicySource("custom", "own", '@id("asks") permit (principal, action, resource) when { context.approved };')
    assert (await decided(made.engine(PolicyConfig(sources=(asks,))), CYD, entry("host"))).effect == "approve"
    assert len(questions) == 1 + MOST_CHAINS + 1
    questions.clear()
    refused = PolicySource("custom", "own", f'{asks.text} @id("no") forbid (principal, action, resource);')
    assert not (await decided(made.engine(PolicyConfig(sources=(refused,))), CYD, entry("host"))).allowed
    assert len(questions) == 2 * (1 + MOST_CHAINS)
    questions.clear()
    other = entry("host", "g")
    assert not (await decided(made.engine(), CYD, other)).allowed
    assert len(questions) == 1, "those that do not cover the call are not asked about"


async def test_no_question_is_put_twice_for_one_decision(questions: list[tuple[object, ...]]) -> None:
    made = town(BOB, ANN, CYD)
    made.chains[CYD.id] += (
        chain(BOB.id, did("x").id, CYD.id, actions={"write"}, capabilities={"host.f"}),
        chain(BOB.id, did("y").id, CYD.id, actions={"write"}, capabilities={"host.f"}),
    )
    assert not (await decided(made.engine(), CYD, entry("host", approval=True))).allowed
    assert len(questions) == len(set(questions)) == 4


async def test_delegations_of_strangers_do_not_crowd_out_those_of_the_called_side() -> None:
    strangers = [chain(did(f"r{n}").id, CYD.id, actions={"write"}, capabilities={"host.f"}) for n in range(100)]
    made = town(HOST, BOB, ANN, CYD)
    made.chains[CYD.id] = (*strangers, *made.chains[CYD.id])
    assert (await decided(made.engine(), CYD, entry("host"))).on_behalf_of == HOST.id
    house = did("house")  # what is the node's own, by another agent of the node
    made = Town()
    made.agents = {"node": did("node").id, "house": house.id}
    given = chain(house.id, CYD.id, actions={"write"}, capabilities={"node.f"})
    others = [chain(did(f"r{n}").id, CYD.id, actions={"write"}, capabilities={"node.f"}) for n in range(100)]
    made.chains[CYD.id] = (*others, given)
    assert (await decided(made.engine(), CYD, entry("node"))).on_behalf_of == house.id
    assert (await decided(made.engine(), owned(house), entry("node"))).on_behalf_of == ""


BOOK = entry("node", "audit.list", annotations=READS)


@pytest.mark.requirement("UID-03")
async def test_reading_the_audit_log_needs_the_right_to_it_and_what_its_capability_asks_for() -> None:
    auditor, reader, house = did("auditor"), did("reader"), did("house")
    made = Town(PartyFacts(id=auditor.id, person="hal", role="audit"))
    made.agents = {"node": did("node").id, "house": house.id}
    rules = FixedRules({reader.id: ["audit"]})
    engine = made.engine(rules=rules)
    for caller in (auditor, reader):
        assert (await decided(engine, caller, BOOK)).policy == "audit-log"
    assert not (await decided(engine, owned(house), BOOK)).allowed, "to act for the owner is no right to the log"
    assert (await decided(engine, auditor, entry("node", access="public"))).policy == "audit-only"
    made.chains[BOB.id] = (chain(reader.id, BOB.id, actions={"read"}, capabilities={BOOK.id}),)
    assert not (await decided(made.engine(rules=rules), BOB, BOOK)).allowed, "the right cannot be passed on"


@pytest.mark.parametrize(
    ("own", "stated", "effect", "policy"),
    [
        ({}, {"approval": True}, "approve", "approval"),
        ({"approval": True}, {}, "approve", "approval"),
        ({"binding": "request"}, {}, "deny", "binding"),
    ],
    ids=["approval by rule", "approval", "binding"],
)
async def test_options_and_rules_count_for_what_gives_to_read_a_log(
    own: dict[str, object], stated: dict[str, object], effect: str, policy: str
) -> None:
    reader = Principal(id="did:wba:reader", kind="did", binding="token", permissions=frozenset({"audit"}))
    config = PolicyConfig(resources=(ResourceRule(capabilities="node.audit.*", set={"quota": 3, **stated}),))
    engine = Town().engine(config)
    decision = await decided(engine, reader, entry("node", "audit.list", annotations=READS, **own))
    assert (decision.effect, decision.policy) == (effect, policy)
    plain = await decided(engine, reader, entry("node", "audit.list", annotations=READS, private=("ip",)))
    if not stated:
        assert (plain.effect, plain.quota, plain.redact) == ("allow", 3, {"ip"})
