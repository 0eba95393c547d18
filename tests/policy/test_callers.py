"""The first look at a caller: one reading, which finds what one reading after the other would."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import Connection

from moothall.people import slices
from moothall.people.collaborations import CollaborationPolicies
from moothall.people.facts import PartyFacts
from moothall.people.store import PeopleStore
from moothall.people.structure import OrganizationStructure
from moothall.people.teams import TeamRegistry
from moothall.policy.callers import Apart, OneStore
from moothall.policy.ports import Caller
from moothall.storage.prepared import FEW
from tests.grants.lending import Lender, Street, proved


@dataclass
class Place:
    """`ways`: how the store was asked, `glance` and `read`."""

    lender: Lender
    people: PeopleStore
    ways: list[str] = field(default_factory=list)

    async def look(self, identity: str) -> Caller:
        """What is found in one reading, which is what is found in several."""
        self.ways.clear()
        found = await OneStore(self.people, self.lender.grants).look(identity)
        ways = list(self.ways)
        apart = await Apart(self.people, self.lender.grants).look(identity)
        self.ways[:] = ways
        assert (found.chains, found.collaborations) == (apart.chains, apart.collaborations)
        assert {name: found.facts[name] for name in apart.facts} == apart.facts
        return found


@pytest.fixture
async def place(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Place]:
    async with AsyncExitStack() as stack:
        lender = await Street(database_url, tmp_path, stack).lender()
        place = Place(lender, PeopleStore(lender.store, lender.revisions, lender.clock))

        def counted(name: str) -> None:
            real = getattr(lender.store, name)

            async def way(work: Callable[[Connection], Any]) -> Any:
                place.ways.append(name)
                return await real(work)

            monkeypatch.setattr(lender.store, name, way)

        for name in ("glance", "read"):
            counted(name)
        yield place


def in_one(lender: Lender) -> list[str]:
    """On PostgreSQL a glance is a reading."""
    return ["glance"] if lender.store.writer is not None else ["glance", "read"]


async def test_of_a_stranger_only_its_name_is_known(place: Place) -> None:
    found = await place.look("did:wba:far.example:user:x")
    assert found == Caller({"did:wba:far.example:user:x": PartyFacts(id="did:wba:far.example:user:x")}, (), ())


async def test_what_its_teams_may_do_elsewhere_is_found_with_it(place: Place) -> None:
    teams = TeamRegistry(place.people, OrganizationStructure(place.people))
    await teams.create_team("ads", ["user:bo"])
    await teams.create_team("search", ["user:anna"])
    both = CollaborationPolicies(place.people)
    await both.agree((await both.propose("search", "ads", ["read"])).id)
    found = await place.look("user:bo")
    assert found.facts["user:bo"].teams == {"ads"}
    assert [one.host for one in found.collaborations] == ["search"]
    assert (await place.look("user:anna")).collaborations == ()


async def test_whose_right_it_may_use_is_found_with_it(place: Place) -> None:
    lender, world = place.lender, place.lender.world
    ann, bob, cid = world.agent("ann", read="hall.a"), world.agent("bob"), world.far("cid")
    first = await lender.give(ann, bob, depth=1)
    await lender.give(bob, cid, parent=first.id)
    found = await place.look(cid.did.text)
    assert place.ways == in_one(lender)
    assert [chain.parties for chain in found.chains] == [(ann.did.text, bob.did.text, cid.did.text)]
    assert set(found.facts) == {ann.did.text, bob.did.text, cid.did.text}
    await lender.grants.revoke(proved(ann), first.id)
    assert (await place.look(cid.did.text)).chains == ()


async def test_of_many_whose_right_it_may_use_a_thread_reads(place: Place) -> None:
    lender, bob = place.lender, place.lender.world.far("bob")
    givers = [lender.world.agent(f"ann{number}", read="hall.a") for number in range(FEW)]
    for number, giver in enumerate(givers, 1):
        await lender.give(giver, bob)
        found = await place.look(bob.did.text)
        assert len(found.chains) == number
        assert place.ways == (in_one(lender) if number < FEW else [*in_one(lender), "read"])


async def test_whose_rows_make_no_sense_holds_nobody_else_up(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    lender, world = place.lender, place.lender.world
    ann, bob = world.agent("ann", read="hall.a"), world.far("bob")
    await lender.give(ann, bob)
    real = slices.facts

    def broken(connection: Connection, ids: Iterable[str]) -> Mapping[str, PartyFacts]:
        if ann.did.text in (wanted := tuple(ids)):
            raise ValueError("no such colour")
        return real(connection, wanted)

    monkeypatch.setattr(slices, "facts", broken)
    found = await place.look(bob.did.text)
    assert {name: facts.status for name, facts in found.facts.items()} == {
        ann.did.text: "suspended", bob.did.text: "active"
    }  # fmt: skip
