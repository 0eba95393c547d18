"""The agents of the registry as capabilities (issue 4, one door policy)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from moothall.capability.members import members_of
from moothall.directory.capabilities import AgentCapabilities
from moothall.directory.registry import AgentRegistry
from moothall.errors import AgentNotFound, Conflict, InvalidInput
from moothall.storage.store import Store

if TYPE_CHECKING:
    from tests.directory.conftest import MakeAgent


@pytest.fixture
async def agents(tmp_path: Path) -> AsyncIterator[AgentCapabilities]:
    """The capabilities of an empty registry."""
    store = await Store.open(tmp_path / "node")
    yield AgentCapabilities(AgentRegistry(store))
    await store.close()


def test_every_one_of_them_asks_for_the_permission(agents: AgentCapabilities) -> None:
    lines = {line["name"]: line for member in members_of(agents) for line in member.declaration.lines}
    wanted = {"list", "show", "new", "load", "edit", "disable", "enable", "remove"}
    assert lines.keys() == {f"agents.{name}" for name in wanted}
    assert all(line["permissions"] == ("agents",) for line in lines.values())


async def test_an_agent_is_made_read_edited_and_removed(agents: AgentCapabilities, make_agent: MakeAgent) -> None:
    made = await agents.new(make_agent("anna"))
    assert made == await agents.show(made.agent_id)
    assert (made.status, made.origin, made.revision) == ("active", "user", 1)
    edited = await agents.edit(made.agent_id, make_agent("anna", fields={"location": "上海"}), revision=1)
    assert (edited.location, edited.revision) == ("上海", 2)
    assert (await agents.disable(made.agent_id)).status == "disabled"
    assert [one.agent_id for one in (await agents.list("active")).agents] == []
    assert (await agents.enable(made.agent_id)).status == "active"
    assert [one.location for one in (await agents.list(None, "anna")).agents] == ["上海"]
    await agents.remove(made.agent_id)
    with pytest.raises(AgentNotFound):
        await agents.show(made.agent_id)


async def test_an_edit_is_about_one_agent_at_one_revision(agents: AgentCapabilities, make_agent: MakeAgent) -> None:
    made = await agents.new(make_agent("anna"))
    with pytest.raises(InvalidInput):
        await agents.edit("user_agent_bert", make_agent("anna"))
    with pytest.raises(Conflict):
        await agents.edit(made.agent_id, make_agent("anna"), revision=7)
    with pytest.raises(Conflict):
        await agents.new(make_agent("anna"))


async def test_many_are_loaded_all_or_none(agents: AgentCapabilities, make_agent: MakeAgent) -> None:
    anna, bert = make_agent("anna"), make_agent("bert")
    with pytest.raises(InvalidInput, match="row 1 has the same agent_id"):
        await agents.load((anna, bert, anna))
    assert (await agents.list()).agents == []
    assert (await agents.load((anna, bert), origin="demo")).loaded == 2
    assert {one.origin for one in (await agents.list()).agents} == {"demo"}
