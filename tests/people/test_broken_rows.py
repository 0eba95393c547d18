"""What a row costs that somebody broke in the database: the rights of whose it is, and nobody else's."""

from __future__ import annotations

import logging
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa

from moothall.people.facts import LEAST_TRUST
from moothall.people.profile import PersonPolicy
from moothall.people.team_rules import TeamRules
from moothall.storage import authority
from tests.people.house import House, person

DEEP = "[" * 100_000


async def write(house: House, table: sa.Table, **columns: object) -> None:
    await house.storage.write(lambda connection: connection.execute(sa.update(table).values(**columns)))


async def status(house: House, *parties: str) -> list[str]:
    return [facts.status for facts in (await house.people.store.facts(parties)).values()]


@pytest.mark.parametrize("policy", ["{", "[]", '{"allow_cross_agent_calls": 7}', "", DEEP], ids=range(5))
async def test_a_person_whose_row_is_broken_is_suspended_with_its_agents_and_nobody_else_is(
    house: House, policy: str, caplog: pytest.LogCaptureFixture
) -> None:
    identity = house.world.made("work")
    await house.register("anna", identity)
    await write(house, authority.person, policy=policy)
    await house.people.profiles.rate("bo", 7)
    with caplog.at_level(logging.ERROR, "moothall.people"):
        assert await status(house, "user:anna", identity.did.text, "user:bo") == ["suspended", "suspended", "active"]
    assert "anna" in caplog.text
    await house.people.profiles.set_policy("anna", PersonPolicy(), by=person("anna"))
    assert await status(house, "user:anna", identity.did.text) == ["active", "active"]


@pytest.mark.parametrize("config", ["{", '{"internal": 1}', DEEP], ids=range(3))
async def test_a_team_whose_row_is_broken_allows_nothing_and_its_members_keep_the_rest(
    house: House, config: str
) -> None:
    teams, both = house.people.teams, house.people.collaborations
    await teams.create_team("search", ["user:anna"])
    await teams.create_team("ads", ["user:anna"])
    for host, guest in (("search", "ads"), ("ads", "search")):
        await both.agree((await both.propose(host, guest, ["read"])).id)
    broken = sa.update(authority.unit).where(authority.unit.c.id == "search").values(config=config)
    await house.storage.write(lambda connection: connection.execute(broken))
    facts = (await house.people.store.facts(["user:anna"]))["user:anna"]
    assert facts.status == "active"
    assert facts.teams == {"search", "ads"}
    assert facts.inside == {"search": frozenset(), "ads": TeamRules().internal.actions}
    assert [one.host for one in await house.people.store.collaborations(["search", "ads"])] == ["ads"]
    await teams.set_rules("search", TeamRules())
    assert len(await house.people.store.collaborations(["search", "ads"])) == 2


@pytest.mark.parametrize("columns", [{"actions": "{"}, {"capabilities": DEEP}, {"actions": "[1]"}], ids=range(3))
async def test_an_agreement_whose_row_is_broken_counts_no_longer_and_can_be_taken_back(
    house: House, columns: dict[str, object]
) -> None:
    teams, both = house.people.teams, house.people.collaborations
    await teams.create_team("search", ["user:anna"])
    await teams.create_team("ads", ["user:bo"])
    asked = await both.propose("search", "ads", ["read"])
    await both.agree(asked.id)
    await write(house, authority.collaboration, **columns)
    assert await house.people.store.collaborations(["ads"]) == ()
    assert [one.actions for one in await both.of("search")] == [frozenset()]
    assert await both.withdraw(asked.id)


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("person", "trust", "high"),
        ("person", "trust", 11),
        ("person_agent", "clearance", "all"),
        ("person_agent", "clearance", 4),
        ("person_agent", "status", "free"),
        ("person_agent", "role", b"admin"),
    ],
    ids=lambda value: str(value) if not isinstance(value, bytes) else "bytes",
)
async def test_a_value_of_another_kind_suspends_whose_it_is(
    tmp_path: Path, table: str, column: str, value: object
) -> None:
    async with AsyncExitStack() as stack:
        house = await House.open("", tmp_path / "node", stack)  # SQLite keeps what PostgreSQL would refuse
        identity = house.world.made("work")
        await house.register("anna", identity, "work")
        broken = sa.text(f"UPDATE {table} SET {column} = :value").bindparams(value=value)  # noqa: S608 - names above
        await house.storage.write(lambda connection: connection.execute(broken))
        facts = (await house.people.store.facts([identity.did.text]))[identity.did.text]
        assert (facts.status, facts.person) == ("suspended", "anna")
        assert facts.clearance == 0
        assert facts.trust == LEAST_TRUST or table == "person_agent"
