"""Facts: what decisions are told of parties, in a bounded number of indexed look-ups, and told anew after each change."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from moothall.audit.changing import Change, recorded
from moothall.errors import PermissionDeniedError
from moothall.people import agreements, slices
from moothall.people.facts import LEAST_TRUST, PartyFacts
from moothall.people.rights import NotAllowed
from moothall.people.roles import ENVIRONMENTS, ROLES, environment_of, tier
from moothall.storage import authority
from moothall.storage.sqlite import driver
from tests.people.house import OWNER, House, person

WHERE = {"did:wba:dev.company.com:user:li_si": "dev", "did:wba:prod.company.com%3A8443:x": "prod"}
NOWHERE = ["did:wba:company.com:dev", "did:wba:development.company.com:x", "user:dev", "owner", "did:web:dev.x", "did:"]


@pytest.mark.parametrize(
    "party", ["did:wba:agents.example:user:x", "user:nobody", "owner", "admin", "anonymous", "", "x"]
)
async def test_of_whom_nothing_is_known_the_facts_are_those_of_a_stranger(house: House, party: str) -> None:
    facts = (await house.people.store.facts([party]))[party]
    assert facts == PartyFacts(id=party, person="nobody" if party == "user:nobody" else "", trust=LEAST_TRUST)


@pytest.mark.parametrize("did", WHERE)
def test_the_first_label_of_a_host_names_an_environment(did: str) -> None:
    assert environment_of(did) == WHERE[did]
    assert environment_of(did) in ENVIRONMENTS


@pytest.mark.parametrize("party", NOWHERE)
def test_nothing_else_does(party: str) -> None:
    assert environment_of(party) == ""


async def test_what_was_said_of_an_environment_goes_before_the_host(house: House) -> None:
    first, second = (house.world.made(name, domain="dev.agents.example") for name in ("a", "b"))
    await house.register("anna", first, environment="prod")
    await house.register("anna", second)
    facts = await house.people.store.facts([first.did.text, second.did.text])
    assert facts[first.did.text].environment == "prod"
    assert facts[second.did.text].environment == "dev"


def test_basic_stands_below_all_and_admin_above() -> None:
    others = {tier(role) for role in ROLES if role not in {"basic", "admin"}} | {tier("anything"), tier("")}
    assert (tier("basic"), others, tier("admin")) == (0, {1}, 2)


async def test_a_suspended_agent_is_shown_as_such_at_once(house: House) -> None:
    identity = house.world.made("work")
    await house.register("anna", identity)
    await house.people.identities.change_user_agent(identity.did.text, status="suspended", by=person("anna"))
    assert (await house.people.store.facts([identity.did.text]))[identity.did.text].status == "suspended"
    assert house.changes[-1][0] == {identity.did.text}


async def test_facts_of_many_are_had_at_once(house: House) -> None:
    await house.people.structure.create("acme", "organisation")
    await house.people.structure.add("acme", "user:p0007")
    ids = [f"user:p{number:04}" for number in range(1200)]
    facts = await house.people.store.facts(ids)
    assert list(facts) == ids
    assert [id_ for id_ in ids if facts[id_].organisations] == ["user:p0007"]


async def test_the_number_of_statements_does_not_depend_on_how_much_is_known(house: House) -> None:
    counts = []
    for number in range(3):
        for one in range(number * 20):
            await house.people.profiles.rate(f"p{number}-{one}", 3)
            await house.people.teams.create_team(f"t{number}-{one}", [f"user:p{number}-{one}", "user:anna"])
        counts.append(await house.storage.read(statements))
    assert 0 < counts[1] == counts[2] <= 6


def statements(connection: Connection) -> int:
    seen: list[str] = []

    def count(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    if connection.dialect.name == "sqlite":
        driver(connection).set_trace_callback(seen.append)
    else:
        sa.event.listen(connection, "before_cursor_execute", count)
    slices.facts(connection, ["user:anna", "did:wba:agents.example:user:x"])
    if connection.dialect.name == "sqlite":
        driver(connection).set_trace_callback(None)
    return len(seen)


async def test_every_look_up_uses_an_index(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        house = await House.open("", tmp_path / "node", stack)
        plans = await house.storage.read(planned)
    assert len(plans) >= 6
    full = {
        step for steps in plans.values() for step in steps if step.startswith("SCAN") and TABLES & set(step.split())
    }
    assert full == set()


TABLES = {"person", "person_agent", "person_relation", "membership", "unit", "collaboration"}


def planned(connection: Connection) -> dict[str, list[str]]:
    raw, seen = driver(connection), list[str]()
    raw.set_trace_callback(seen.append)
    slices.facts(connection, ["user:anna", "did:wba:agents.example:user:x"])
    agreements.of_guests(connection, ["a", "b"], 1)
    slices.ABOVE.rows(connection, ["a"])
    raw.set_trace_callback(None)
    return {each: [row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {each}")] for each in seen}


async def test_a_change_is_counted_and_told_before_it_is_answered(house: House) -> None:
    before = (await house.revisions.current()).get("people", 0)
    await house.people.profiles.rate("anna", 3)
    assert house.changes == [({"user:anna"}, before + 1)]
    assert (await house.revisions.current())["people"] == before + 1


async def test_what_changes_nothing_counts_and_writes_nothing(house: House) -> None:
    await house.people.profiles.rate("anna", 3)
    before = dict(await house.revisions.current())
    await house.people.profiles.rate("anna", 3)
    assert dict(await house.revisions.current()) == before
    assert len(house.records.kept) == 1


async def test_a_change_that_nobody_waits_for_any_more_is_told_all_the_same(house: House) -> None:
    doing = asyncio.create_task(house.people.profiles.rate("anna", 3))
    told = asyncio.Event()
    house.people.store.on_change(lambda _ids, _number: told.set())
    await asyncio.sleep(0)
    doing.cancel()
    await told.wait()
    assert (await house.people.store.facts(["user:anna"]))["user:anna"].trust == 3


async def test_a_change_that_fails_leaves_nothing(house: House) -> None:
    def work(connection: Connection) -> Change[None]:
        connection.execute(sa.insert(authority.person).values(id="anna", created_at=house.clock.now()))
        raise NotAllowed

    with pytest.raises(PermissionDeniedError):
        await house.people.store.change(work)
    assert await house.people.identities.user_profiles.get("anna") is None
    assert house.changes == []


async def test_another_process_sees_the_next_number(postgres_url: str, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        one = await House.open(postgres_url, tmp_path / "one", stack)
        two = await House.open(postgres_url, tmp_path / "two", stack)
        before = (await two.revisions.current()).get("people", 0)
        await one.people.teams.create_team("search", ["user:anna"])
        assert (await two.revisions.current())["people"] == before + 1
        assert (await two.people.store.facts(["user:anna"]))["user:anna"].teams == {"search"}
        await two.people.teams.remove_member("search", "user:anna")
        assert (await one.people.store.facts(["user:anna"]))["user:anna"].teams == frozenset()


async def test_two_processes_never_make_a_circle_of_units(postgres_url: str, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        houses = [await House.open(postgres_url, tmp_path / name, stack) for name in ("one", "two")]
        for unit in ("a", "b"):
            await houses[0].people.structure.create(unit, "department")
        moves = (houses[0].people.structure.move("a", "b"), houses[1].people.structure.move("b", "a"))
        outcomes = await asyncio.gather(*moves, return_exceptions=True)
        assert len([outcome for outcome in outcomes if isinstance(outcome, Exception)]) == 1


def test_a_record_names_who_did_it() -> None:
    assert recorded(OWNER, "rate", "user:anna", trust=3).actor == OWNER.id
