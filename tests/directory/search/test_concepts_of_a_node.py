"""The capabilities ``concepts.*`` of a node: its owner's, and what they change is found by the node's own search."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from moothall import Agent, Node, capability
from moothall.settings import Settings

CONCEPT = {"id": "cooperage", "zh": "箍桶", "en": "cooperage", "synonyms_en": ["barrel making"]}


@capability(expose_to="both", tags=["wood"])
def casks() -> str:
    """Barrel making for small breweries. We never paint anything."""
    return "done"


async def found(node: Node, query: str, **more: Any) -> list[str]:
    return [hit.target for hit in (await node.call("local:search", query=query, kinds=["capability"], **more)).hits]


@pytest.mark.requirement("DEC-30")
async def test_the_owner_teaches_the_search_of_a_node(tmp_path: Path) -> None:
    node = Node(Settings(data=tmp_path, demo_agents=False))
    node.add(Agent("cooper", casks))
    async with node:
        assert "local:cooper.casks" not in await found(node, "箍桶")
        assert await found(node, "", tags=["WOOD"]) == ["local:cooper.casks"]
        assert (await node.call("local:concepts.import", concepts=[CONCEPT])).imported == 1
        assert await found(node, "箍桶") == ["local:cooper.casks"]
        listed = await node.call("local:concepts.list", added=True)
        assert [each.id for each in listed.concepts] == ["cooperage"]
        await node.call("local:concepts.remove", concept_id="cooperage")
        assert await found(node, "箍桶") == []
