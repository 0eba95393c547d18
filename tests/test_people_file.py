"""The file of people with a node whose agents are not all there, as when a command opens the store of a stopped node."""

from __future__ import annotations

from pathlib import Path

import pytest

from moothall import Agent, Node
from moothall.errors import SettingsError
from moothall.settings import Settings

FILE = '[[person]]\nid = "zhang_san"\nagent = [{ agent = "diary", role = "work" }]\n'


def node_of(data: Path) -> Node:
    return Node(Settings(data=data, demo_agents=False))


async def test_an_agent_that_is_away_is_known_by_its_keys(tmp_path: Path) -> None:
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy" / "people.toml").write_text(FILE, encoding="utf-8")
    node = node_of(tmp_path)
    node.add(Agent("diary"))
    async with node:
        there = await node.call("local:people.agents", person="zhang_san")
    async with node_of(tmp_path) as without:
        assert await without.call("local:people.agents", person="zhang_san") == there != []


async def test_an_agent_that_never_was_is_a_fault_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy" / "people.toml").write_text(FILE, encoding="utf-8")
    with pytest.raises(SettingsError, match=r"people\.toml"):
        await node_of(tmp_path).start()
