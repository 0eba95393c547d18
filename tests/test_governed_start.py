"""A node that cannot decide who may do what does not start, and so offers nothing at any door (row NFR-03)."""

from __future__ import annotations

from pathlib import Path

import pytest

from moothall import Node, capability
from moothall.errors import SettingsError
from moothall.identity.principal import OWNER, Principal
from moothall.settings import Settings

pytestmark = pytest.mark.requirement("NFR-03")

BROKEN = {
    "policy.toml": "[matrix\n",
    "people.toml": "[[people]]\nid = 3\n",
    "custom.cedar": "permit (principal, action, resource) when { principal.colour == 1 };",
}


@capability(expose_to="llm")
async def tool() -> str:
    """A tool for models."""
    return "done"


def node_of(data: Path) -> Node:
    node = Node(Settings(data=data, demo_agents=False))
    node.include(tool)
    return node


@pytest.mark.parametrize("name", sorted(BROKEN))
async def test_with_policies_that_cannot_be_read_nothing_starts_and_no_tool_is_offered(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy" / name).write_text(BROKEN[name], encoding="utf-8")
    node = node_of(tmp_path)
    with pytest.raises(SettingsError) as refused:
        await node.start()
    assert name in f"{refused.value} {refused.value.why}"
    assert not node.ready


async def test_once_they_are_mended_the_same_node_starts_and_decides(tmp_path: Path) -> None:
    (tmp_path / "policy").mkdir()
    broken = tmp_path / "policy" / "policy.toml"
    broken.write_text(BROKEN["policy.toml"], encoding="utf-8")
    with pytest.raises(SettingsError):
        await node_of(tmp_path).start()
    broken.unlink()
    async with node_of(tmp_path) as node:
        assert node.host.authority.engine.policies.policies


async def test_every_tool_of_a_started_node_is_decided_about_by_its_policies(tmp_path: Path) -> None:
    async with node_of(tmp_path) as node:
        stranger = node.host.authority.engine.principal("did:wba:far.example.com:e1_x")
        assert [await offered(node, OWNER), await offered(node, stranger)] == [True, False]


async def offered(node: Node, principal: Principal) -> bool:
    """Whether somebody finds the tool at the door of models."""
    return "node.tool" in {entry.id for entry in await node.host.path.visible(principal, "mcp")}
