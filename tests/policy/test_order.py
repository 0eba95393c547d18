"""In which order rights count (rows SEC-03, POL-03)."""

from __future__ import annotations

from itertools import product

import pytest

from moothall.identity.principal import Principal
from moothall.people.facts import Collaboration, PartyFacts
from moothall.policy.resources import AgentResource
from moothall.policy.sources import PolicyConfig, PolicySource
from tests.policy.ground import READS, Town, chain, decided, did, entry

HOST, ANN, BOB, CYD = did("host"), did("ann"), did("bob"), did("cyd")
INSIDE = {"t": frozenset({"write"})}


def house(*texts: str, **given: object) -> PolicyConfig:
    sources = tuple(PolicySource("custom", f"{place}.cedar", text) for place, text in enumerate(texts))
    return PolicyConfig(sources=sources, **given)


def forbid(who: str, name: str = "no") -> str:
    return f'@id("{name}") forbid (principal == Moothall::Agent::"{who}", action, resource);'


@pytest.mark.requirement("SEC-03")
@pytest.mark.parametrize(("hard", "direct", "delegated", "team", "asks"), list(product([False, True], repeat=5)))
async def test_the_truth_table_of_a_decision(hard: bool, direct: bool, delegated: bool, team: bool, asks: bool) -> None:
    """Hard denial, direct right, delegation, right of a team, and whether the call asks for an approval."""
    made = Town(
        PartyFacts(id=HOST.id, person="hal", teams=frozenset({"t"}), inside=INSIDE),
        PartyFacts(id=ANN.id, person="ann", teams=frozenset({"t"} if team else ())),
    )
    made.agents = {"host": HOST.id}
    if delegated:
        made.chains[ANN.id] = (chain(HOST.id, ANN.id, actions={"write"}, capabilities={"host.f"}),)
    texts = [forbid(ANN.id)] if hard else []
    if direct:
        texts.append(f'@id("mine") permit (principal == Moothall::Agent::"{ANN.id}", action, resource);')
    decision = await decided(made.engine(house(*texts)), ANN, entry("host", access="team", approval=asks))
    if hard:
        assert (decision.effect, decision.policy) == ("deny", "no")
    elif not (direct or delegated or team):
        assert (decision.effect, decision.reason) == ("deny", "No sufficient authorization")
    elif asks:
        assert (decision.effect, decision.policy) == ("approve", "approval")
    else:
        assert decision.effect == "allow"
        assert decision.policy == ("mine" if direct else "self" if delegated else "access-team")
        assert decision.on_behalf_of == (HOST.id if delegated and not direct else "")


@pytest.mark.requirement("SEC-03")
async def test_an_approval_gives_a_right_only_where_a_policy_says_so() -> None:
    made = Town(PartyFacts(id=HOST.id, person="hal"))
    made.agents = {"host": HOST.id}
    assert (await decided(made.engine(), ANN, entry("host", approval=True))).effect == "deny"
    config = house('@id("asks") permit (principal, action, resource) when { context.approved };')
    decision = await decided(made.engine(config), ANN, entry("host"))
    assert (decision.effect, decision.policy, decision.sensitive) == ("approve", "asks", True)
    assert (
        await decided(made.engine(house(*[s.text for s in config.sources], forbid(ANN.id))), ANN, entry("host"))
    ).effect == "deny"


def delegated(*parties: str, **given: object) -> Town:
    made = Town(PartyFacts(id=HOST.id, person="hal"), PartyFacts(id=ANN.id, person="hal"))
    made.agents = {"host": HOST.id}
    made.chains[parties[-1]] = (chain(*parties, actions={"write"}, capabilities={"host.f"}, **given),)
    return made


async def test_a_delegation_names_whose_right_it_is() -> None:
    made = delegated(HOST.id, BOB.id, CYD.id)
    decision = await decided(made.engine(), CYD, entry("host"))
    assert (decision.allowed, decision.reason) == (True, "delegation rule matched")
    assert (decision.on_behalf_of, decision.grants) == (HOST.id, (f"{HOST.id}>{BOB.id}", f"{BOB.id}>{CYD.id}"))
    assert not (await decided(made.engine(), BOB, entry("host"))).allowed
    assert not (await decided(made.engine(), CYD, entry("host", "g"))).allowed
    assert not (await decided(made.engine(), CYD, entry("host", annotations=READS))).allowed


@pytest.mark.parametrize("refused", [HOST, BOB, CYD])
async def test_a_refusal_of_anybody_in_a_delegation_closes_it(refused: Principal) -> None:
    made = delegated(HOST.id, BOB.id, CYD.id)
    assert not (await decided(made.engine(house(forbid(refused.id))), CYD, entry("host"))).allowed
    made.know(PartyFacts(id=refused.id, person="hal" if refused is HOST else "", status="suspended"))
    assert not (await decided(made.engine(), CYD, entry("host"))).allowed


async def test_a_root_that_has_the_right_no_longer_gives_nothing() -> None:
    made = delegated(BOB.id, CYD.id)
    assert not (await decided(made.engine(), CYD, entry("host"))).allowed
    bobs = house(f'@id("bobs") permit (principal == Moothall::Agent::"{BOB.id}", action, resource);')
    assert (await decided(made.engine(bobs), CYD, entry("host"))).policy == "bobs"


async def test_a_root_that_needs_an_approval_passes_on_no_more() -> None:
    made = delegated(HOST.id, BOB.id)
    decision = await decided(made.engine(), BOB, entry("host", approval=True))
    assert (decision.effect, decision.on_behalf_of) == ("approve", HOST.id)


@pytest.mark.requirement("UID-02")
@pytest.mark.parametrize(
    ("mine", "wall"),
    [({"environment": "dev"}, "wall-environment"), ({"environment": "prod", "role": "basic"}, "wall-tier")],
)
async def test_a_wall_opens_to_a_delegation_that_names_the_capability(mine: dict[str, str], wall: str) -> None:
    made = delegated(HOST.id, BOB.id)
    made.know(
        PartyFacts(id=HOST.id, person="hal", environment="prod", role="admin"),
        PartyFacts(id=BOB.id, person="hal", **mine),
    )
    engine = made.engine()
    assert (await decided(engine, BOB, entry("host"))).allowed
    assert (await decided(engine, BOB, entry("host", "g", access="personal"))).policy == wall
    assert (await engine.check(BOB, "read", AgentResource(id=HOST.id))).policy == wall


async def test_a_delegation_opens_no_class_above_its_own() -> None:
    made = delegated(HOST.id, BOB.id, classification=1)
    made.know(PartyFacts(id=HOST.id, person="hal", clearance=3), PartyFacts(id=BOB.id, clearance=3))
    assert (await decided(made.engine(), BOB, entry("host", classification=1))).allowed
    assert not (await decided(made.engine(), BOB, entry("host", classification=2))).allowed


async def test_a_delegation_begins_and_ends_although_decisions_are_kept() -> None:
    made = delegated(HOST.id, BOB.id)
    made.at = 1_799_996_399
    engine, capability = made.engine(), entry("host")
    found = []
    for at in (1_799_996_399, 1_799_996_400, 1_800_003_599, 1_800_003_600, 1_800_000_000, 1_799_996_000):
        made.at = at
        found += [(await decided(engine, BOB, capability)).allowed for _ in range(2)]
    assert found == [False] * 2 + [True] * 4 + [False] * 2 + [True] * 2 + [False] * 2


async def test_who_is_let_in_by_its_team_and_by_a_delegation_uses_the_delegation() -> None:
    made = delegated(HOST.id, BOB.id)
    made.know(
        PartyFacts(id=HOST.id, person="hal", teams=frozenset({"t"}), inside=INSIDE),
        PartyFacts(id=BOB.id, person="bo", teams=frozenset({"t"})),
    )
    made.agreed = (Collaboration(id="c", host="t", guest="t", actions=frozenset({"write"})),)
    assert (await decided(made.engine(), BOB, entry("host", access="team"))).on_behalf_of == HOST.id
