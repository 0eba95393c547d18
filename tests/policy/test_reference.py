"""The engine and a plain function of sixty lines say the same of whatever is asked."""

from __future__ import annotations

import random
from typing import get_args

import pytest

from moothall.capability.entry import Entry
from moothall.capability.spec import Access, Annotations
from moothall.identity.principal import Binding, Kind, Principal
from moothall.people.facts import Collaboration, PartyFacts
from moothall.policy.decision import ACTIONS
from moothall.policy.sources import PolicyConfig
from moothall.policy.store import FixedPolicies
from tests.policy.ground import Town, decided, entry
from tests.policy.reference import decide

BUILT_IN = FixedPolicies.of(PolicyConfig.usual())
UNITS = {"teams": ["t1", "t2"], "departments": ["d1", "d2"], "organisations": ["e1"]}


def some(chosen: random.Random, names: list[str]) -> frozenset[str]:
    return frozenset(name for name in names if chosen.random() < 0.4)


def facts(chosen: random.Random, name: str) -> PartyFacts:
    units = {kind: some(chosen, names) for kind, names in UNITS.items()}
    return PartyFacts(
        id=name,
        person=chosen.choice(["", "ann", "ann", "bob"]),
        role=chosen.choice(["", "work", "basic", "admin", "audit", "personal", "personal"]),
        environment=chosen.choice(["", "", "dev", "prod"]),
        status=chosen.choice(["active"] * 9 + ["suspended"]),
        above=some(chosen, ["d1", "d2", "e1"]),
        inside={team: some(chosen, list(ACTIONS)) for team in units["teams"]},
        blocked=some(chosen, ["user:ann", "caller"]) if chosen.random() < 0.2 else frozenset(),
        **units,
    )


def caller(chosen: random.Random) -> Principal:
    kind = chosen.choice([*get_args(Kind), "did", "did", "did", "user"])
    return Principal(
        id=chosen.choice(["caller"] * 9 + ["host"] + ([kind] * 20 if kind in {"owner", "admin"} else [])),
        kind=kind,
        verified=chosen.random() < 0.8,
        binding=chosen.choice([*get_args(Binding), "request", "request"]),
        permissions=some(chosen, ["pay", "read"]) | (frozenset("*") if chosen.random() < 0.05 else frozenset()),
        owner=chosen.random() < 0.3,
    )


def capability(chosen: random.Random) -> Entry:
    return entry(
        "host",
        access=chosen.choice(get_args(Access)),
        auth=chosen.random() < 0.95,
        action=chosen.choice(["", *ACTIONS]),
        annotations=Annotations(read_only=chosen.random() < 0.5),
        permissions=tuple(some(chosen, ["pay", "read"])) if chosen.random() < 0.3 else (),
        binding=chosen.choice(["any", "any", "request"]),
        approval=chosen.random() < 0.2,
    )


@pytest.mark.requirement("POL-02", "POL-03")
@pytest.mark.parametrize("seed", range(20))
async def test_the_engine_decides_as_the_reference_does(seed: int) -> None:
    chosen = random.Random(seed)
    effects = set()
    for _ in range(150):
        principal, theirs = caller(chosen), facts(chosen, "host")
        known = principal.verified and principal.kind in {"did", "user"}
        mine = theirs if principal.id == "host" else facts(chosen, principal.id)
        town = Town(mine, theirs)
        town.agents = {"host": "host"}
        agreed = Collaboration(id="c", host="t1", guest="t2", actions=some(chosen, list(ACTIONS)))
        town.agreed = (agreed,)
        called = capability(chosen)
        seen = mine if known else PartyFacts(id=principal.id)
        covers = town.agreed if known and "t2" in mine.teams else ()
        decision = await decided(town.engine(policies=BUILT_IN), principal, called)
        assert decision.effect == decide(principal, seen, theirs, called, covers), (
            principal,
            mine,
            theirs,
            called.spec,
        )
        assert decision.policies, "every decision names what made it"
        assert decision.reason
        effects.add(decision.effect)
    assert effects == {"allow", "deny", "approve"}
