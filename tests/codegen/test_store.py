"""What is kept of agreed protocols, on both databases: the same when read again, and refused when somebody changed it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from moothall.codegen import rows
from moothall.codegen.kept import Agreement, document_digest
from moothall.codegen.module import Case, Function, Kind, Manifest, Module, Provenance
from moothall.codegen.rows import MOST_FOUND
from moothall.codegen.signing import sign_module
from moothall.codegen.store import RoutineStore
from moothall.errors import IntegrityError, InvalidInput, ServiceNotFoundError
from moothall.identity.agent import AgentIdentity, new_identity
from moothall.storage import agreed
from moothall.storage.store import Store
from tests.support.clock import ManualClock

DOCUMENT = "# Requirements\n天气 by city\r\n"
PEER = "did:wba:far.example:agents:bob"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def store(database_url: str, tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(tmp_path / "node", database_url)
    yield opened
    await opened.close()


@pytest.fixture
def routines(store: Store, clock: ManualClock) -> RoutineStore:
    return RoutineStore(store, clock)


@pytest.fixture
def ann(clock: ManualClock) -> AgentIdentity:
    return new_identity("ann", "hall.example", ("agents", "ann"), created=clock.now()).identity


def module(kind: Kind = "requester", name: str = "weather", *, protocol: str = "", number: float = 1.0) -> Module:
    parameters = {"type": "object", "properties": {"arguments": {"type": "object"}}, "required": ["arguments"]}
    return Module(
        manifest=Manifest(
            kind=kind,
            name=name,
            functions=(Function(name="build", parameters=parameters),),
            protocol=protocol or document_digest(DOCUMENT),
            provenance=Provenance(writer="template"),
        ),
        source="def build(arguments: dict) -> dict:\n    return arguments\n",
        cases=(Case(name="one", function="build", arguments={"arguments": {"n": number}}, expected={"n": number}),),
        policy="gate-1",
    )


def token(of: Module, by: AgentIdentity, clock: ManualClock) -> str:
    return sign_module(of.hash, by.signer, clock.now())


@pytest.mark.requirement("GEN-09")
async def test_code_is_found_by_its_hash_and_by_its_protocol_tested_code_first(
    routines: RoutineStore, ann: AgentIdentity, clock: ManualClock
) -> None:
    old, new, other = module(name="old"), module(name="new"), module("provider", "other")
    for each in (old, new, other):
        put = await routines.put(each, token(each, ann, clock), origin=PEER)
        assert (put.hash, put.module, put.tested_at) == (each.hash, each, None)
        await clock.advance(1)
    found = await routines.get(old.hash)
    assert found is not None
    assert (found.hash, found.module, found.origin) == (old.hash, old, PEER)
    assert [each.module.manifest.name for each in await routines.find(document_digest(DOCUMENT))] == [
        "other",
        "new",
        "old",
    ]
    await routines.mark_tested(old.hash)
    tested = await routines.find(document_digest(DOCUMENT), "requester")
    assert [(each.module.manifest.name, each.tested_at) for each in tested] == [("old", clock.now()), ("new", None)]
    assert await routines.get(document_digest("nothing")) is None
    assert await routines.find(document_digest("nothing")) == []
    with pytest.raises(ServiceNotFoundError):
        await routines.mark_tested(document_digest("nothing"))


async def test_the_same_code_again_stays_as_old_and_as_tested_as_it_is(
    routines: RoutineStore, ann: AgentIdentity, clock: ManualClock
) -> None:
    made = module(number=2.5)
    first = await routines.put(made, token(made, ann, clock), tested=True)
    await clock.advance(60)
    again = await routines.put(made, token(made, ann, clock))
    assert (again.tested_at, again.created_at) == (first.tested_at, first.created_at)


async def test_a_token_for_other_code_is_not_kept(
    routines: RoutineStore, ann: AgentIdentity, clock: ManualClock
) -> None:
    made, other = module(), module(name="other")
    for wrong in (token(other, ann, clock), "", "a.b.c"):
        with pytest.raises(IntegrityError):
            await routines.put(made, wrong)
    assert await routines.get(made.hash) is None


@pytest.mark.requirement("GEN-09")
@pytest.mark.parametrize("column", ["bundle", "token", "protocol", "kind", "name", "hash"])
async def test_a_row_that_somebody_changed_is_refused(
    column: str, routines: RoutineStore, store: Store, ann: AgentIdentity, clock: ManualClock
) -> None:
    made, other = module(), module("provider", "other", protocol=document_digest("other"))
    await routines.put(made, token(made, ann, clock), tested=True)
    wrong: dict[str, Any] = {
        "bundle": other.model_dump_json(),
        "token": token(other, ann, clock),
        "protocol": document_digest("other"),
        "kind": "provider",
        "name": "another",
        "hash": other.hash,
    }
    change = sa.update(agreed.routine).values({column: wrong[column]})
    await store.write(lambda connection: connection.execute(change))
    with pytest.raises(IntegrityError):
        await routines.get(wrong["hash"] if column == "hash" else made.hash)
    assert made not in [each.module for each in await routines.find(document_digest(DOCUMENT))]
    assert await routines.find(document_digest("other")) == []


async def test_a_row_that_somebody_changed_takes_no_other_code_away(
    routines: RoutineStore, store: Store, ann: AgentIdentity, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    whole, spoiled = module(name="whole"), module(name="spoiled")
    for each in (whole, spoiled):
        await routines.put(each, token(each, ann, clock), tested=True)
    change = sa.update(agreed.routine).where(agreed.routine.c.name == "spoiled").values(bundle="{}")
    await store.write(lambda connection: connection.execute(change))
    assert [each.module for each in await routines.find(document_digest(DOCUMENT))] == [whole]
    assert "left out" in caplog.text


async def test_one_half_is_found_whatever_there_is_of_the_other(
    routines: RoutineStore, ann: AgentIdentity, clock: ManualClock
) -> None:
    provider = module("provider", "half")
    await routines.put(provider, token(provider, ann, clock), tested=True)
    await clock.advance(1)
    for number in range(MOST_FOUND):
        each = module(number=number)
        await routines.put(each, token(each, ann, clock), tested=True)
    assert [each.module for each in await routines.find(document_digest(DOCUMENT), "provider")] == [provider]


async def test_a_changed_row_is_as_it_was_once_the_code_is_put_again(
    routines: RoutineStore, store: Store, ann: AgentIdentity, clock: ManualClock
) -> None:
    made = module()
    await routines.put(made, token(made, ann, clock))
    await store.write(lambda connection: connection.execute(sa.update(agreed.routine).values(bundle="{}")))
    assert (await routines.put(made, token(made, ann, clock))).module == made


async def test_documents_are_kept_byte_for_byte(routines: RoutineStore, store: Store) -> None:
    digest = await routines.put_protocol(DOCUMENT, {"version": "1"})
    assert await routines.put_protocol(DOCUMENT, {"version": "2"}) == digest
    kept = await routines.protocol(digest)
    assert kept is not None
    assert (kept.digest, kept.document, kept.artifact) == (document_digest(DOCUMENT), DOCUMENT, {"version": "2"})
    assert await routines.protocol(document_digest("nothing")) is None
    for changed in ({"document": DOCUMENT + " "}, {"document": DOCUMENT, "artifact": "[]"}, {"artifact": "{"}):
        change = sa.update(agreed.protocol).values(changed)
        await store.write(lambda connection, change=change: connection.execute(change))
        with pytest.raises(IntegrityError):
            await routines.protocol(digest)


async def test_texts_that_no_database_can_hold_are_refused(
    routines: RoutineStore, ann: AgentIdentity, clock: ManualClock
) -> None:
    made = module(name="a\0b")
    with pytest.raises(InvalidInput):
        await routines.put(made, token(made, ann, clock))
    for text in ("a\0b", "a\ud800b"):
        with pytest.raises(InvalidInput):
            await routines.put_protocol(text, {})
    assert await routines.get(made.hash) is None


async def test_what_answers_a_need_with_a_peer_is_found_until_it_is_forgotten(
    routines: RoutineStore, clock: ManualClock
) -> None:
    need, one, two = (document_digest(text) for text in ("need", "one", "two"))
    me = "did:wba:hall.example:agents:ann"
    await routines.put_agreement(Agreement(need, PEER, "requester", me, one, "first"))
    await clock.advance(5)
    await routines.put_agreement(Agreement(need, PEER, "requester", me, two, "second"))
    await routines.put_agreement(Agreement(need, PEER, "provider", me, one))
    found = await routines.agreement(need, PEER, "requester", me)
    assert found == Agreement(need, PEER, "requester", me, two, "second", clock.now())
    assert await routines.agreement(need, me, "requester", me) is None
    assert {each.role for each in await routines.agreements(need=need)} == {"requester", "provider"}
    assert [each.role for each in await routines.agreements(role="provider", protocol=one)] == ["provider"]
    assert await routines.agreements(need=one) == []
    assert [each.protocol for each in await routines.agreements(role="requester")] == [two]
    assert await routines.forget_agreement(need, PEER, "requester", me)
    assert not await routines.forget_agreement(need, PEER, "requester", me)
    assert await routines.agreement(need, PEER, "requester", me) is None


async def test_all_agreements_are_given_the_newest_first(
    routines: RoutineStore, store: Store, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "PAGE", 3)
    me, protocol = "did:wba:hall.example:agents:ann", document_digest(DOCUMENT)
    peers = [f"{PEER}{(number * 7) % 10}" for number in range(10)]
    for peer in peers:
        await routines.put_agreement(Agreement(document_digest("need"), peer, "provider", me, protocol))
        await clock.advance(1)
    assert [each.peer for each in await routines.agreements(role="provider")] == peers[::-1]
    change = sa.update(agreed.agreement).where(agreed.agreement.c.peer == peers[4]).values(role="judge")
    await store.write(lambda connection: connection.execute(change))
    assert [each.peer for each in await routines.agreements()] == [*peers[:4], *peers[5:]][::-1]


async def test_two_nodes_on_one_database_keep_the_same_code_at_once(
    postgres_url: str, tmp_path: Path, ann: AgentIdentity, clock: ManualClock
) -> None:
    one, two = [await Store.open(tmp_path / name, postgres_url) for name in ("one", "two")]
    try:
        made = module()
        for store in (one, two):
            await RoutineStore(store, clock).put(made, token(made, ann, clock), tested=store is two)
        found = await RoutineStore(one, clock).get(made.hash)
        assert found is not None
        assert found.tested_at == clock.now()
    finally:
        await one.close()
        await two.close()
