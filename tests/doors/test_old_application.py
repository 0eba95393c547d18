"""The older names of the specification are all that an application needs (row NFR-04)."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.doors import old_application
from tests.doors.house import served


@pytest.mark.requirement("NFR-04")
async def test_an_application_that_knows_only_the_older_names_runs(tmp_path: Path) -> None:
    assert old_application.registered == ("double",)
    assert [old_application.handler({place: {"city": "x", "days": 2}}) for place in ("params", "body")] == ["x 2"] * 2
    assert old_application.handler({"city": "y"}) == "y 1"
    async with served(tmp_path, old_application.agent) as node:
        did = node.host.office.did("old")
        assert await node.call("local:old.double", value=4) == 8
        headers = {"Authorization": f"Bearer {node.owner_token}"}
        async with httpx.AsyncClient(base_url=node.url, trust_env=False, headers=headers) as client:
            assert (await client.post("/old/add", json={"a": 1, "b": 2})).json()["data"] == 3
        sent = await node.call("local:messages.send", to="old", content="hi")
        assert [reply.content for reply in sent.replies] == [{"heard": "hi"}]
        await node.call("local:groups.create", group="club", members=[did])
        said = await node.call("local:groups.send", group="club", content="all")
        assert {"group": "club", "event": "message", "heard": "all"} in [reply.content for reply in said.replies]
