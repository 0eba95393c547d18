"""The description of the API, from which the page's types are made."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from moothall.events.types import EVENT_TYPES
from moothall.negotiation.demand.payloads import PAYLOADS
from moothall.server.openapi import encoded
from tests.support.demand import running

COMMITTED = Path(__file__).parents[2] / "web" / "src" / "api" / "openapi.json"


@pytest.fixture
async def described(tmp_path: Path) -> dict[str, Any]:
    async with running(tmp_path) as node:
        return node.app().describe()


async def test_the_committed_description_is_that_of_the_routes(described: dict[str, Any]) -> None:
    now = encoded(described)
    assert COMMITTED.read_text(encoding="utf-8") == now, "run scripts/write_openapi.py"


async def test_every_public_event_has_its_payload_in_the_description(described: dict[str, Any]) -> None:
    schemas = described["components"]["schemas"]
    events = schemas["EventPayloads"]
    assert set(events["required"]) == set(events["properties"]) == set(EVENT_TYPES)
    for kind, reference in events["properties"].items():
        name = PAYLOADS[kind].__name__
        assert reference == {"$ref": f"#/components/schemas/{name}"}
        assert set(EVENT_TYPES[kind]) <= set(schemas[name]["required"])


async def test_every_reference_of_the_description_leads_somewhere_and_no_name_tells_a_module(
    described: dict[str, Any],
) -> None:
    names = set(described["components"]["schemas"])
    assert set(re.findall(r'#/components/schemas/([^"]+)"', json.dumps(described))) <= names
    assert {name for name in names if "__" in name} == set()
