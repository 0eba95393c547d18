"""Fields that a caller is not shown, at every door, one by one, and from every place where answers are kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from moothall.calls.reply import Item
from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.errors import MoothallError
from moothall.identity.principal import Principal
from moothall.policy.decision import AccessRequest, PermissionResult
from moothall.policy.engine import PolicyEngine
from moothall.storage.store import Store
from tests.calls.desk import Desk
from tests.calls.hall import ALICE, BOB, OWNER, Hall, code

FRIEND = replace(ALICE, owner=True)
"""An agent of the node's owner, whose data it is."""


class Contact(BaseModel):
    name: str
    email: str


@dataclass
class Person:
    name: str
    email: str
    contacts: list[Contact]


WHOLE = {"name": "A", "email": "a@x", "contacts": [{"name": "B", "email": "b@x"}]}
BARE = {"name": "A", "contacts": [{"name": "B"}]}


def person() -> Person:
    return Person("A", "a@x", [Contact(name="B", email="b@x")])


class Book:
    """Knows people; counts how often it looks."""

    def __init__(self) -> None:
        self.looks = 0

    def _look(self) -> Person:
        self.looks += 1
        return person()

    @capability(access="authenticated", read_only=True, private=["email"])
    async def show(self) -> Person:
        return self._look()

    @capability(access="authenticated", read_only=True, private=["contacts.email"])
    async def part(self) -> Person:
        return self._look()

    @capability(access="authenticated", read_only=True, private=["email"], cache_ttl=60)
    async def cached(self) -> Person:
        return self._look()

    @capability(access="authenticated", private=["email"])
    async def keyed(self) -> Person:
        return self._look()

    @capability(access="authenticated", read_only=True, private=["email"])
    async def each(self) -> AsyncIterator[Person]:
        yield self._look()
        yield self._look()

    @capability(access="authenticated", approval=True, private=["email"])
    async def asked(self) -> Person:
        return self._look()

    @capability(access="authenticated", read_only=True)
    async def through(self, ctx: CallContext) -> Any:
        return await ctx.call("local:show")


@pytest.mark.requirement("POL-13")
@pytest.mark.parametrize("door", ["http", "mcp", "a2a", "anp", "local"])
async def test_a_private_field_is_missing_at_every_door_and_there_for_its_owner(door: str) -> None:
    hall = Hall(Book())
    assert (await hall.call("show", BOB, door)).data == BARE
    mine = await hall.call("show", FRIEND, door)
    assert mine.data == (person() if door == "local" else WHOLE)


async def test_a_path_takes_out_what_it_leads_to_and_nothing_else() -> None:
    reply = await Hall(Book()).call("part", BOB, "http")
    assert reply.data == {"name": "A", "email": "a@x", "contacts": [{"name": "B"}]}


@pytest.mark.requirement("POL-13")
@pytest.mark.parametrize("door", ["http", "local"])
async def test_values_one_by_one_lack_the_field_each(door: str) -> None:
    hall = Hall(Book())
    chunks = [chunk async for chunk in hall.stream("each", BOB, door)]
    assert [chunk.value for chunk in chunks if isinstance(chunk, Item)] == [BARE, BARE]
    assert (await hall.call("each", BOB, door)).data == [BARE, BARE]


@pytest.mark.parametrize("door", ["http", "local"])
async def test_what_the_cache_keeps_is_whole_and_each_answer_from_it_is_not(door: str) -> None:
    book = Book()
    hall = Hall(book)
    for _ in range(2):
        assert (await hall.call("cached", BOB, door)).data == BARE
    assert book.looks == 1


@pytest.mark.parametrize("door", ["http", "local"])
async def test_what_the_ledger_keeps_is_whole_and_each_answer_from_it_is_not(
    door: str, tmp_path: Path, database_url: str
) -> None:
    store, book = await Store.open(tmp_path / "node", database_url), Book()
    try:
        for _ in range(2):
            hall = Hall(book, store=store)  # the second one reads what the first has written
            assert (await hall.call("keyed", BOB, door, _idempotency_key="k")).data == BARE
        everything = Hall(book, store=store, authorizer=Shows())
        assert (await everything.call("keyed", BOB, "http", _idempotency_key="k")).data == WHOLE
    finally:
        await store.close()
    assert book.looks == 1


async def test_a_capability_that_calls_for_its_caller_sees_what_its_caller_sees() -> None:
    hall = Hall(Book())
    assert (await hall.call("through", BOB, "http")).data == BARE
    assert (await hall.call("through", FRIEND, "http")).data == WHOLE


@pytest.mark.parametrize("door", ["http", "local"])
async def test_the_answer_of_an_approved_call_lacks_the_field_at_whatever_way_it_is_fetched(door: str) -> None:
    desk = Desk()
    hall = Hall(Book(), approvals=desk)
    assert code(await hall.call("asked", BOB, door)) == "APPROVAL_PENDING"
    approval = "ap-0000000000000001"
    await desk.approve(hall.path, approval)
    assert (await hall.call("asked", BOB, door, _approval=approval)).data == BARE
    assert (await hall.path.approved(approval, 0.0)).data == BARE


async def test_what_cannot_be_redacted_is_not_given_out() -> None:
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]

    @capability(access="authenticated", private=["email"])
    async def nested() -> list[Any]:
        return deep

    reply = await Hall(nested).call("nested", BOB, "http")
    assert isinstance(reply.error, MoothallError)
    assert reply.data is None


async def test_the_operator_sees_everything() -> None:
    assert (await Hall(Book()).call("show", OWNER, "http")).data == WHOLE


class Shows:
    """A policy that allows everything and takes out nothing."""

    def __init__(self) -> None:
        self._engine = PolicyEngine.usual()

    def known(self, principal: Principal) -> Any:
        return self._engine.known(principal)

    async def subject(self, principal: Principal) -> Any:
        return await self._engine.subject(principal)

    def decide(self, request: AccessRequest) -> PermissionResult:
        return PermissionResult.ALLOWED("everything", "everything")
