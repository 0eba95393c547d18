"""The three maps agree, whatever was registered and taken out before."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moothall.errors import Conflict
from moothall.people.maps import PAGE
from tests.people.house import House

NAMES = ("anna", "bo", "chen")
DIDS = tuple(f"did:wba:agents.example:user:{number}" for number in range(5))
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("register"), st.sampled_from(NAMES), st.sampled_from(DIDS)),
        st.tuples(st.just("unregister"), st.just(""), st.sampled_from(DIDS)),
        st.tuples(st.just("remove"), st.sampled_from(NAMES), st.just("")),
    ),
    max_size=12,
)


async def play(steps: list[tuple[str, str, str]], folder: Path) -> None:
    async with AsyncExitStack() as stack:
        house = await House.open("", folder, stack)
        house.world.own = {did: did for did in DIDS}
        identities, expected = house.people.identities, dict[str, str]()
        for step, name, did in steps:
            if step == "register" and expected.get(did, name) != name:
                with pytest.raises(Conflict):
                    await identities.register_user_agent(name, did)
            elif step == "register":
                await identities.register_user_agent(name, did)
                expected[did] = name
            elif step == "unregister":
                assert await identities.unregister_user_agent(did) is (expected.pop(did, None) is not None)
            else:
                await house.people.profiles.remove(name)
                expected = {one: whose for one, whose in expected.items() if whose != name}
        await agree(house, expected)


async def agree(house: House, expected: dict[str, str]) -> None:
    identities = house.people.identities
    by_agent = {did: name async for did, name in identities.agent_user_mapping}
    by_user = {name: {found.did for found in agents} async for name, agents in identities.user_agent_mapping}
    profiles = {name async for name, _ in identities.user_profiles}
    assert by_agent == expected
    assert {did: name for name, dids in by_user.items() for did in dids} == expected
    assert by_user.keys() <= profiles
    for name in NAMES:
        assert {found.did for found in await identities.get_user_agents(name)} == by_user.get(name, set())


@pytest.mark.requirement("UID-04")
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS)
def test_the_three_maps_agree_after_any_sequence(steps: list[tuple[str, str, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(play(steps, Path(folder) / "node"))


@pytest.mark.requirement("UID-04")
async def test_the_maps_agree_on_each_database(house: House) -> None:
    house.world.own = {did: did for did in DIDS}
    for number, did in enumerate(DIDS):
        await house.people.identities.register_user_agent(NAMES[number % 3], did)
    await house.people.identities.unregister_user_agent(DIDS[0])
    await agree(house, {did: NAMES[number % 3] for number, did in enumerate(DIDS) if number})


async def test_a_map_is_read_page_by_page(house: House) -> None:
    for number in range(PAGE + 3):
        await house.people.profiles.update(f"p{number:04}", display_name="x")
    profiles = house.people.identities.user_profiles
    assert len(await profiles.keys()) == PAGE
    assert await profiles.keys(f"p{PAGE - 1:04}") == [f"p{PAGE + more:04}" for more in range(3)]
    assert len([name async for name, _ in profiles]) == PAGE + 3
    assert await profiles.get("nobody") is None


async def test_the_same_registration_twice_at_a_time_is_one(house: House) -> None:
    identity = house.world.made("work")
    await asyncio.gather(*(house.register("anna", identity, "work") for _ in range(5)))
    assert len(await house.people.identities.get_user_agents("anna")) == 1
    assert len(house.changes) == 1


async def test_two_people_who_want_one_agent_at_a_time_get_one_answer(house: House) -> None:
    identity = house.world.made("work")
    tried = [house.register(name, identity) for name in NAMES]
    outcomes = await asyncio.gather(*tried, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes if outcome] == [Conflict, Conflict]
    assert await house.people.identities.get_agent_user(identity.did.text) in NAMES
