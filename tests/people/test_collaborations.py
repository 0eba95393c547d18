"""What teams let each other do: nothing before both agreed, nothing after the end, nothing beyond the host's rules."""

from __future__ import annotations

import pytest

from moothall.errors import Conflict, InvalidInput, PermissionDeniedError, ServiceNotFoundError
from moothall.people.collaborations import MOST, Agreement
from moothall.people.team_rules import ExternalPolicies, TeamRules
from tests.people.house import House, person

HOST, GUEST = "search", "ads"
BO, DORA = person("bo"), person("dora")
"""The owners of the host and of the guest."""


@pytest.fixture
async def two(house: House) -> House:
    await house.people.teams.create_team(HOST, ["user:chen"], owners=["user:bo"])
    await house.people.teams.create_team(GUEST, ["user:emil"], owners=["user:dora"])
    return house


async def counts(house: House, team: str = GUEST) -> list[tuple[str, set[str]]]:
    return [(one.host, set(one.actions)) for one in await house.people.store.collaborations([team])]


@pytest.mark.requirement("TEA-04")
@pytest.mark.parametrize("order", [(BO, DORA), (DORA, BO)], ids=["host-first", "guest-first"])
async def test_another_team_has_no_access_until_both_have_granted_it(two: House, order: tuple[object, object]) -> None:
    agreements = two.people.collaborations
    proposed = await agreements.propose(HOST, GUEST, ["read"], by=order[0])  # type: ignore[arg-type]
    assert await counts(two) == []
    await agreements.agree(proposed.id, by=order[1])  # type: ignore[arg-type]
    assert await counts(two) == [(HOST, {"read"})]
    assert await counts(two, HOST) == []


@pytest.mark.requirement("TEA-04")
async def test_nobody_agrees_for_the_other_team(two: House) -> None:
    agreements = two.people.collaborations
    proposed = await agreements.propose(HOST, GUEST, ["read"], by=DORA)
    for by in (DORA, person("emil"), person("chen"), person("mallory")):
        with pytest.raises(PermissionDeniedError):
            await agreements.agree(proposed.id, by=by)
    for by in (person("emil"), person("mallory")):
        with pytest.raises(PermissionDeniedError):
            await agreements.propose(HOST, GUEST, ["read"], by=by)
    assert await counts(two) == []


@pytest.mark.requirement("TEA-04")
async def test_either_team_takes_it_back_at_once(two: House) -> None:
    agreements = two.people.collaborations
    for by in (BO, DORA):
        await agreed(two)
        (known,) = await two.people.store.collaborations([GUEST])
        with pytest.raises(PermissionDeniedError):
            await agreements.withdraw(known.id, by=person("emil"))
        await agreements.withdraw(known.id, by=by)
        assert await counts(two) == []


async def agreed(house: House, *actions: str, project: str = "", seconds: int | None = None) -> Agreement:
    collaborations = house.people.collaborations
    proposed = await collaborations.propose(
        HOST, GUEST, actions or ("read",), project=project, seconds=seconds, capabilities=["a.x"], by=BO
    )
    return await collaborations.agree(proposed.id, by=DORA)


@pytest.mark.requirement("TEA-05")
async def test_a_joint_project_allows_its_actions_until_it_ends(two: House) -> None:
    made = await agreed(two, "read", "write", project="fair", seconds=60)
    (found,) = await two.people.store.collaborations([GUEST])
    assert (found.actions, found.capabilities, found.project) == ({"read", "write"}, {"a.x"}, "fair")
    assert found.expires == made.expires == int(two.clock.now().timestamp()) + 60
    await two.clock.advance(59)
    assert len(await counts(two)) == 1
    await two.clock.advance(1)
    assert await counts(two) == []


@pytest.mark.requirement("TEA-05")
@pytest.mark.parametrize("seconds", [None, 10**9])
async def test_a_joint_project_has_an_end_that_the_host_allows(two: House, seconds: int | None) -> None:
    with pytest.raises(InvalidInput):
        await agreed(two, project="fair", seconds=seconds)


@pytest.mark.requirement("TEA-05")
@pytest.mark.parametrize("project", ["", "fair"])
async def test_actions_are_limited_by_the_rules_of_the_host(two: House, project: str) -> None:
    with pytest.raises(InvalidInput):
        await agreed(two, "read", "manage", project=project, seconds=60)
    with pytest.raises(InvalidInput):
        await two.people.collaborations.propose(HOST, GUEST, [], by=BO)


@pytest.mark.requirement("TEA-04")
async def test_narrower_rules_of_the_host_count_for_what_was_agreed_before(two: House) -> None:
    await agreed(two, "read", "query")
    await two.people.teams.set_rules(HOST, TeamRules(external=ExternalPolicies(actions=frozenset({"read"}))), by=BO)
    assert await counts(two) == [(HOST, {"read"})]
    await two.people.teams.set_rules(HOST, TeamRules(external=ExternalPolicies(actions=frozenset())), by=BO)
    assert await counts(two) == []


async def test_a_dissolved_team_has_no_agreements(two: House) -> None:
    await agreed(two)
    await two.people.teams.dissolve(HOST, by=BO)
    assert await counts(two) == []
    assert await two.people.collaborations.of(GUEST, by=person("emil")) == []


async def test_members_see_what_their_team_agreed_on_and_nobody_else_does(two: House) -> None:
    made = await agreed(two)
    assert await two.people.collaborations.of(HOST, by=person("chen")) == [made]
    with pytest.raises(PermissionDeniedError):
        await two.people.collaborations.of(HOST, by=person("emil"))


async def test_agreements_of_two_teams_have_a_limit_and_those_that_are_over_do_not_count(two: House) -> None:
    propose = two.people.collaborations.propose
    for number in range(MOST):
        await propose(HOST, GUEST, ["read"], project=f"p{number}", seconds=60, by=DORA)
    with pytest.raises(Conflict):
        await propose(HOST, GUEST, ["read"], by=DORA)
    await two.clock.advance(60)
    made = await propose(HOST, GUEST, ["read"], by=DORA)
    assert await two.people.collaborations.of(HOST, by=BO) == [made]


async def test_agreeing_twice_is_agreeing_once(two: House) -> None:
    made = await agreed(two)
    told = len(two.changes)
    assert await two.people.collaborations.agree(made.id, by=DORA) == made
    assert len(two.changes) == told
    with pytest.raises(PermissionDeniedError):
        await two.people.collaborations.agree(made.id, by=person("emil"))


async def test_only_teams_agree_with_each_other(two: House) -> None:
    await two.people.structure.create("acme", "organisation")
    for host, guest in ((HOST, HOST), (HOST, "acme"), ("acme", GUEST)):
        with pytest.raises(InvalidInput):
            await two.people.collaborations.propose(host, guest, ["read"])
    with pytest.raises(ServiceNotFoundError):
        await two.people.collaborations.propose(HOST, "nothing", ["read"])


async def test_an_agreement_that_is_not_there_is_told_to_the_operator_only(two: House) -> None:
    for ask in (two.people.collaborations.agree, two.people.collaborations.withdraw):
        with pytest.raises(ServiceNotFoundError):
            await ask("co-0")
        with pytest.raises(PermissionDeniedError):
            await ask("co-0", by=BO)
