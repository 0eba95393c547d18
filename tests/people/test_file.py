"""people.toml: read as a whole, brought into the store as a whole, followed while the node runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from moothall.errors import Conflict, SettingsError
from moothall.people.file import read
from moothall.people.file_watch import PeopleFileWatch
from moothall.people.team_rules import InternalPolicies, TeamRules
from tests.people.house import House

ALL = """
[[person]]
id = "anna"
trust = 7
verification = "verified"
email = "anna@example.com"

[[person.agent]]
agent = "diary"
role = "personal"
environment = "prod"
clearance = 2

[[person]]
id = "bo"

[[unit]]
id = "acme"
kind = "organisation"
members = ["user:bo"]
owners = ["user:anna"]
duties = { hr = ["user:bo"] }

[[unit]]
id = "search"
kind = "team"
parent = "acme"
members = ["user:anna"]
rules.internal.actions = ["read"]
"""
BROKEN = {
    "no-toml": ("[[person]", "people.toml"),
    "unknown-key": ('[[person]]\nid = "anna"\ntrusted = 3', "person.0.trusted"),
    "trust": ('[[person]]\nid = "anna"\ntrust = 11', "person.0.trust"),
    "name": ('[[person]]\nid = "a:b"', "person.0.id"),
    "twice": ('[[person]]\nid = "anna"\n[[person]]\nid = "anna"', "person anna stands there twice"),
    "no-agent": ('[[person]]\nid = "anna"\n[[person.agent]]\nrole = "work"', "person.0.agent.0"),
    "member": ('[[unit]]\nid = "a"\nkind = "team"\nmembers = ["bo"]', "unit.0.members.0"),
    "no-parent": ('[[unit]]\nid = "a"\nkind = "team"\nparent = "b"', "there is no unit b"),
    "misplaced": (
        '[[unit]]\nid = "a"\nkind = "team"\n[[unit]]\nid = "b"\nkind = "department"\nparent = "a"', "department in team",
    ),
    "circle": (
        '[[unit]]\nid = "a"\nkind = "department"\nparent = "b"\n[[unit]]\nid = "b"\nkind = "department"\nparent = "a"',
        "contains itself",
    ),
    "duty-of-a-team": ('[[unit]]\nid = "a"\nkind = "team"\nduties = { hr = ["user:bo"] }', "no role of this unit"),
    "rules-of-no-team": ('[[unit]]\nid = "a"\nkind = "department"\nrules = {}', "only teams have rules"),
    "action": ('[[unit]]\nid = "a"\nkind = "team"\nrules.internal.actions = ["fly"]', "unit.0.rules.internal.actions"),
}  # fmt: skip


@pytest.fixture
async def watch(house: House, tmp_path: Path) -> AsyncIterator[PeopleFileWatch]:
    house.world.hosted("diary")
    watch = PeopleFileWatch(tmp_path / "people.toml", house.people.store, house.world, house.records)
    yield watch
    await watch.aclose()


async def looked(house: House, watch: PeopleFileWatch) -> None:
    """Two looks, a second apart: what has changed counts then."""
    for _ in range(2):
        await house.clock.advance(1)
        watch.glance()
        await watch.settled()


def say(tmp_path: Path, text: str) -> None:
    (tmp_path / "people.toml").write_text(text, encoding="utf-8")


@pytest.mark.parametrize("fault", BROKEN)
def test_a_file_that_does_not_fit_is_refused_with_its_place(fault: str) -> None:
    text, place = BROKEN[fault]
    with pytest.raises(SettingsError) as refused:
        read(text)
    assert place in refused.value.why


async def test_the_store_says_what_the_file_says(house: House, watch: PeopleFileWatch, tmp_path: Path) -> None:
    say(tmp_path, ALL)
    await watch.open()
    diary = house.world.own["diary"]
    facts = await house.people.store.facts(["user:anna", "user:bo", diary])
    assert (facts["user:anna"].trust, facts["user:bo"].trust) == (7, 5)
    assert (facts[diary].person, facts[diary].role, facts[diary].environment, facts[diary].clearance) == (
        "anna", "personal", "prod", 2,
    )  # fmt: skip
    assert dict(facts[diary].inside) == {"search": {"read"}}
    assert dict(facts["user:bo"].duties_in) == {"acme": {"hr"}}
    profile = await house.people.profiles.get("anna")
    assert profile
    assert (profile.email, profile.verification_status) == ("anna@example.com", "verified")
    assert house.changes == [(None, 1)]


async def test_an_unchanged_file_changes_nothing(house: House, watch: PeopleFileWatch, tmp_path: Path) -> None:
    say(tmp_path, ALL)
    assert await watch.reload() is True
    assert await watch.reload() is False
    assert len(house.changes) == 1


async def test_what_is_gone_from_the_file_is_gone_and_what_the_api_made_stays(
    house: House, watch: PeopleFileWatch, tmp_path: Path
) -> None:
    say(tmp_path, ALL)
    await watch.open()
    await house.people.profiles.rate("chen", 9)
    await house.people.teams.create_team("ads", ["user:chen", "user:bo"], parent="acme")
    await house.people.structure.add("acme", "user:chen")
    say(tmp_path, ALL.replace('members = ["user:bo"]', "").replace('duties = { hr = ["user:bo"] }', ""))
    await watch.reload()
    facts = await house.people.store.facts(["user:bo", "user:chen"])
    assert facts["user:bo"].duties == frozenset()
    assert (facts["user:chen"].teams, facts["user:chen"].organisations) == ({"ads"}, {"acme"})
    say(tmp_path, "")
    await watch.reload()
    facts = await house.people.store.facts(["user:anna", "user:bo", "user:chen", house.world.own["diary"]])
    assert {id_: (one.trust, set(one.teams), set(one.organisations)) for id_, one in facts.items()} == {
        "user:anna": (1, set(), set()),
        "user:bo": (1, set(), set()),  # the person went with the file, and all memberships with it
        "user:chen": (9, {"ads"}, set()),
        house.world.own["diary"]: (1, set(), set()),
    }


async def test_an_agent_that_moves_to_another_person_leaves_the_first(
    house: House, watch: PeopleFileWatch, tmp_path: Path
) -> None:
    say(tmp_path, '[[person]]\nid = "anna"\n[[person.agent]]\nagent = "diary"\n')
    await watch.open()
    say(tmp_path, '[[person]]\nid = "bo"\n[[person.agent]]\nagent = "diary"\n')
    await watch.reload()
    assert await house.people.identities.get_agent_user(house.world.own["diary"]) == "bo"
    assert await house.people.identities.get_user_agents("anna") == []


async def test_only_agents_of_this_node_stand_in_the_file(house: House, watch: PeopleFileWatch, tmp_path: Path) -> None:
    foreign = house.world.made("work").did.text
    for named in (f'did = "{foreign}"', 'agent = "nobody"'):
        say(tmp_path, f'[[person]]\nid = "anna"\n[[person.agent]]\n{named}\n')
        with pytest.raises(SettingsError, match="no agent of this node"):
            await watch.open()
    assert await house.people.identities.get_user_agents("anna") == []


async def test_a_unit_that_the_api_made_is_not_taken_over(house: House, watch: PeopleFileWatch, tmp_path: Path) -> None:
    await house.people.teams.create_team("search", ["user:mallory"])
    say(tmp_path, ALL)
    with pytest.raises(SettingsError, match="search"):
        await watch.open()
    assert (await house.people.store.facts(["user:anna"]))["user:anna"].trust == 1


async def test_what_stands_in_the_file_is_not_changed_through_the_api(
    house: House, watch: PeopleFileWatch, tmp_path: Path
) -> None:
    say(tmp_path, ALL)
    await watch.open()
    diary = house.world.own["diary"]
    with pytest.raises(Conflict):
        await house.people.structure.drop("search", "user:anna")
    with pytest.raises(Conflict):
        await house.people.structure.remove("search")
    wider = TeamRules(internal=InternalPolicies(actions=frozenset({"read", "write"})))
    with pytest.raises(Conflict):
        await house.people.teams.set_rules("search", wider)
    with pytest.raises(Conflict):
        await house.people.identities.unregister_user_agent(diary)
    with pytest.raises(Conflict):
        await house.people.identities.change_user_agent(diary, role="admin")
    await house.people.identities.change_user_agent(diary, status="suspended")
    assert await watch.reload() is False
    assert (await house.people.store.facts([diary]))[diary].status == "suspended"


async def test_a_change_of_the_file_is_followed_at_the_second_look(
    house: House, watch: PeopleFileWatch, tmp_path: Path
) -> None:
    say(tmp_path, ALL)
    await watch.open()
    say(tmp_path, ALL.replace("trust = 7", "trust = 3 # less"))
    await looked(house, watch)
    assert (await house.people.store.facts(["user:anna"]))["user:anna"].trust == 3
    say(tmp_path, ALL)
    watch.glance()
    await watch.settled()
    assert (await house.people.store.facts(["user:anna"]))["user:anna"].trust == 3
    say(tmp_path, "")
    await house.clock.advance(1)
    watch.glance()
    await watch.settled()
    assert (await house.people.store.facts(["user:anna"]))["user:anna"].trust == 3, "an editor may have emptied it"
    await looked(house, watch)
    assert (await house.people.store.facts(["user:anna"]))["user:anna"].trust == 3, "an empty file says nothing"
    say(tmp_path, ALL)
    await looked(house, watch)
    assert (await house.people.store.facts(["user:anna"]))["user:anna"].trust == 7


@pytest.mark.parametrize("broken", ["[[person", "a = " + "[" * 5000], ids=["open", "deep"])
async def test_a_broken_file_at_run_time_keeps_what_it_said_and_says_so(
    house: House, watch: PeopleFileWatch, tmp_path: Path, broken: str, caplog: pytest.LogCaptureFixture
) -> None:
    say(tmp_path, ALL)
    await watch.open()
    say(tmp_path, broken)
    await looked(house, watch)
    assert (await house.people.store.facts(["user:anna"]))["user:anna"].trust == 7
    assert "people.toml cannot be used" in caplog.text
    assert (house.records.kept[-1].action, house.records.kept[-1].effect) == ("read_file", "deny")
    (tmp_path / "people.toml").unlink()
    await looked(house, watch)
    assert (await house.people.store.facts(["user:anna"]))["user:anna"].trust == 7
    assert "is gone" in caplog.text
    assert house.records.kept[-1].reason == "gone"


async def test_a_file_that_cannot_be_read_for_a_while_is_told_once_and_counts_when_it_can(
    house: House, watch: PeopleFileWatch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(tmp_path, ALL)
    await watch.open()

    def unread(path: Path) -> str:
        raise OSError(24, "Too many open files")

    say(tmp_path, ALL.replace("trust = 7", "trust = 3 # less"))
    with monkeypatch.context() as patched:
        patched.setattr("moothall.people.file_watch.read_plain", unread)
        for _ in range(3):
            await looked(house, watch)
    assert (await house.people.store.facts(["user:anna"]))["user:anna"].trust == 7
    assert [one.effect for one in house.records.kept] == ["allow", "deny"]
    await looked(house, watch)
    assert (await house.people.store.facts(["user:anna"]))["user:anna"].trust == 3, "nobody has touched the file since"


async def test_no_file_is_no_fault(house: House, watch: PeopleFileWatch) -> None:
    await watch.open()
    assert house.changes == []
