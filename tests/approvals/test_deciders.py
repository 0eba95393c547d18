"""Separation of duties: who may decide, and who never may, whatever the operator wrote."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from moothall.approvals.kept import OPENED
from moothall.approvals.parties import StoredParties
from moothall.calls.terms import agent_of_this_node
from moothall.errors import Conflict, Forbidden, InternalError, PermissionDeniedError, ServiceNotFoundError
from moothall.identity.principal import OWNER, Principal
from moothall.people.store import PeopleStore
from moothall.people.structure import OrganizationStructure
from moothall.storage.revisions import Revisions
from moothall.storage.store import Store
from tests.approvals.hall import ANNA, ASKER, BEN, CARA, OPERATOR, Hall, ask, config
from tests.support.clock import ManualClock

ADMIN = Principal(id="admin", kind="admin", binding="token")
ANNAS = Principal(id="did:wba:example.com:agents:annas", kind="did", binding="request")


@pytest.mark.requirement("SEC-07")
async def test_neither_the_requester_nor_another_agent_of_its_person_can_approve(hall: Hall) -> None:
    hall.people.agents.update({ASKER.id: "anna", ANNAS.id: "anna"})
    everybody = ["user:anna", ASKER.id, ANNAS.id, BEN.id]
    site = await hall.site(config({"approvers": everybody}))
    begun = await site.desk.ask(ask(workflow="two-eyes"))
    await site.until(begun.id, OPENED)
    shown = await site.desk.show(ASKER, begun.id)
    assert shown.steps[0].approvers == [BEN.id]
    for who in (ANNA, ANNAS):
        with pytest.raises(ServiceNotFoundError):
            await site.desk.decide(who, begun.id, "approved")
    with pytest.raises(PermissionDeniedError, match=r"^Invalid approver$"):
        await site.desk.decide(ASKER, begun.id, "approved")
    assert (await site.desk.decide(BEN, begun.id, "approved")).status == "approved"


async def test_who_became_an_agent_of_the_requesters_person_meanwhile_cannot_approve_any_more(hall: Hall) -> None:
    hall.people.agents[ASKER.id] = "anna"
    site = await hall.site(config({"approvers": [BEN.id, "user:cara"]}))
    begun = await site.desk.ask(ask(workflow="two-eyes"))
    await site.until(begun.id, OPENED)
    hall.people.agents[BEN.id] = "anna"
    with pytest.raises(PermissionDeniedError):
        await site.desk.decide(BEN, begun.id, "approved")
    assert (await site.desk.decide(CARA, begun.id, "approved")).status == "approved"


async def test_a_workflow_that_only_the_requesters_person_could_pass_does_not_begin(hall: Hall) -> None:
    hall.people.agents.update({ASKER.id: "anna", ANNAS.id: "anna", BEN.id: "ben"})
    for step in (
        {"approvers": ["user:anna", ANNAS.id]},
        {"type": "quorum", "quorum": 2, "approvers": ["user:anna", BEN.id]},
        {"type": "quorum", "quorum": 2, "approvers": [BEN.id, "user:ben"]},
        {"approvers": ["unit:nobody"]},
    ):
        site = await hall.site(config(step), name="node")
        with pytest.raises(Forbidden, match="nobody is left"):
            await site.desk.ask(ask(workflow="two-eyes"))
        await hall.house.stack.aclose()


async def test_agents_of_one_person_are_one_voice_of_a_quorum(hall: Hall) -> None:
    hall.people.agents[ANNAS.id] = "anna"
    site = await hall.site(config({"type": "quorum", "quorum": 2, "approvers": ["user:anna", ANNAS.id, BEN.id]}))
    begun = await site.desk.ask(ask(workflow="two-eyes"))
    await site.until(begun.id, OPENED)
    await site.desk.decide(ANNA, begun.id, "approved")
    with pytest.raises(Conflict):
        await site.desk.decide(ANNAS, begun.id, "approved")
    assert (await site.desk.decide(BEN, begun.id, "approved")).status == "approved"


async def test_a_person_that_lets_go_of_an_agent_has_one_voice_all_the_same(hall: Hall) -> None:
    hall.people.agents[ANNAS.id] = "anna"
    site = await hall.site(config({"type": "quorum", "quorum": 2, "approvers": ["user:anna", ANNAS.id, BEN.id]}))
    begun = await site.desk.ask(ask(workflow="two-eyes"))
    await site.until(begun.id, OPENED)
    await site.desk.decide(ANNA, begun.id, "approved")
    del hall.people.agents[ANNAS.id]
    with pytest.raises(Conflict):
        await site.desk.decide(ANNAS, begun.id, "approved")
    assert (await site.desk.decide(BEN, begun.id, "approved")).status == "approved"


async def test_who_lent_the_right_and_whoever_is_of_its_person_cannot_approve_the_call(hall: Hall) -> None:
    hall.people.agents[ANNAS.id] = "anna"
    site = await hall.site(config({"approvers": ["user:anna", "user:cara", ANNAS.id, BEN.id]}))
    lent = replace(ask(workflow="two-eyes"), on_behalf_of=CARA.id, lenders=(CARA.id, ANNAS.id))
    begun = await site.desk.ask(lent)
    await site.until(begun.id, OPENED)
    assert (await site.desk.show(ASKER, begun.id)).steps[0].approvers == [BEN.id]
    for who in (ANNA, ANNAS, CARA):
        with pytest.raises(ServiceNotFoundError):
            await site.desk.decide(who, begun.id, "approved")
    hall.people.agents[BEN.id] = "cara"
    with pytest.raises(PermissionDeniedError):
        await site.desk.decide(BEN, begun.id, "approved")


async def test_a_call_by_another_right_does_not_join_what_waits(hall: Hall) -> None:
    site = await hall.site()
    lent = replace(ask(), on_behalf_of=CARA.id, lenders=(CARA.id, ANNAS.id))
    begun = [
        await site.desk.ask(one)
        for one in (ask(), lent, replace(lent, lenders=(CARA.id, BEN.id)), replace(ask(), inside=True))
    ]
    assert len({one.id for one in begun}) == 4
    assert (await site.desk.ask(replace(ask(), inside=True))).id == begun[-1].id


async def test_a_quorum_that_the_persons_left_cannot_make_any_more_is_rejected_at_once(hall: Hall) -> None:
    hall.people.agents[ANNAS.id] = "anna"
    site = await hall.site(config({"type": "quorum", "quorum": 2, "approvers": ["user:anna", ANNAS.id, BEN.id]}))
    begun = await site.desk.ask(ask(workflow="two-eyes"))
    assert (await site.desk.decide(BEN, begun.id, "rejected")).status == "rejected"


async def test_all_keys_of_the_operator_are_one_approver_who_cannot_approve_its_own_calls(hall: Hall) -> None:
    site = await hall.site(config({"type": "quorum", "quorum": 2, "approvers": ["owner", "user:anna", BEN.id]}))
    begun = await site.desk.ask(ask(workflow="two-eyes"))
    await site.until(begun.id, OPENED)
    await site.desk.decide(OPERATOR, begun.id, "approved")
    for same in (ADMIN, OWNER):
        with pytest.raises(Conflict):
            await site.desk.decide(same, begun.id, "approved")
    own = await site.desk.ask(ask(ADMIN, workflow="two-eyes"))
    await site.until(own.id, OPENED)
    assert (await site.desk.show(ADMIN, own.id)).steps[0].approvers == ["user:anna", BEN.id]
    with pytest.raises(PermissionDeniedError):
        await site.desk.decide(OPERATOR, own.id, "approved")


async def test_an_agent_of_the_nodes_owner_cannot_approve_what_another_one_asks_but_the_operator_can(
    hall: Hall,
) -> None:
    asker, other = replace(ASKER, owner=True), replace(BEN, owner=True)
    site = await hall.site(config({"approvers": [BEN.id, "owner"]}))
    begun = await site.desk.ask(ask(asker, workflow="two-eyes"))
    await site.until(begun.id, OPENED)
    with pytest.raises(PermissionDeniedError):
        await site.desk.decide(other, begun.id, "approved")
    assert (await site.desk.decide(OPERATOR, begun.id, "approved")).status == "approved"


async def test_an_agent_that_acts_for_the_operator_in_the_process_is_not_the_operator(hall: Hall) -> None:
    inner = agent_of_this_node("clerk")
    site = await hall.site()
    begun = await site.desk.ask(ask(inner))
    with pytest.raises(PermissionDeniedError):
        await site.desk.decide(inner, begun.id, "approved")
    other = await site.desk.ask(ask())
    with pytest.raises(ServiceNotFoundError):
        await site.desk.decide(inner, other.id, "approved")
    assert (await site.desk.decide(OPERATOR, begun.id, "approved")).status == "approved"


async def test_who_proves_nothing_decides_nothing(hall: Hall) -> None:
    site = await hall.site(config({"approvers": ["user:anna"]}))
    begun = await site.desk.ask(ask(workflow="two-eyes"))
    await site.until(begun.id, OPENED)
    for nobody in (replace(ANNA, verified=False), replace(OPERATOR, verified=False)):
        with pytest.raises(ServiceNotFoundError):
            await site.desk.decide(nobody, begun.id, "approved")


async def test_members_of_a_group_approve_as_long_as_they_belong_to_it(hall: Hall) -> None:
    hall.people.groups["unit:acme#treasurer"] = {"user:anna", BEN.id, ASKER.id}
    site = await hall.site(config({"approvers": ["unit:acme#treasurer", "user:cara"]}))
    begun = await site.desk.ask(ask(workflow="two-eyes"))
    await site.until(begun.id, OPENED)
    hall.people.groups["unit:acme#treasurer"] = {BEN.id}
    with pytest.raises(ServiceNotFoundError):
        await site.desk.decide(ANNA, begun.id, "approved")
    assert (await site.desk.decide(BEN, begun.id, "approved")).status == "approved"


async def test_who_left_the_group_does_not_see_the_call_any_more(hall: Hall) -> None:
    hall.people.groups["unit:acme"] = {"user:anna", BEN.id}
    site = await hall.site(config({"approvers": ["unit:acme", "user:cara"]}))
    begun = await site.desk.ask(ask(workflow="two-eyes"))
    await site.until(begun.id, OPENED)
    assert (await site.desk.show(ANNA, begun.id)).steps[0].approvers == [BEN.id, "user:anna", "user:cara"]
    hall.people.groups["unit:acme"] = {BEN.id}
    with pytest.raises(ServiceNotFoundError):
        await site.desk.show(ANNA, begun.id)
    assert (await site.desk.page(ANNA)).approvals == []
    for who in (BEN, CARA):
        assert [one.approval_id for one in (await site.desk.page(who, whose="waiting")).approvals] == [begun.id]


async def test_people_and_units_of_the_store(database_url: str, tmp_path: Path) -> None:
    store = await Store.open(tmp_path / "node", database_url)
    people = PeopleStore(store, Revisions(store), ManualClock())
    structure = OrganizationStructure(people)
    await structure.create("acme", "organisation")
    await structure.add("acme", "user:anna", "treasurer")
    await structure.add("acme", BEN.id)
    parties = StoredParties(people)
    assert await parties.members("unit:acme") >= {"user:anna", BEN.id}
    assert await parties.members("unit:acme#treasurer") == {"user:anna"}
    assert await parties.members("unit:other#treasurer") == frozenset()
    asked = ["unit:acme", "unit:acme#treasurer", "unit:acme#owner", "unit:other"]
    assert await parties.belongs("user:anna", asked) == {"unit:acme", "unit:acme#treasurer"}
    assert await parties.belongs(BEN.id, asked) == {"unit:acme"}
    found = await parties.persons(["user:anna", BEN.id, "owner"])
    assert {name: person for name, person in found.items() if person} == {"user:anna": "anna"}
    await store.close()


async def test_a_unit_too_large_to_be_approvers_is_refused(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("moothall.approvals.parties.MOST_MEMBERS", 1)
    store = await Store.open(tmp_path / "node", database_url)
    people = PeopleStore(store, Revisions(store), ManualClock())
    structure = OrganizationStructure(people)
    await structure.create("acme", "organisation")
    await structure.add("acme", "user:anna")
    await structure.add("acme", BEN.id)
    with pytest.raises(InternalError):
        await StoredParties(people).members("unit:acme")
    await store.close()
