"""Capabilities of real nodes: who may call them, proved by real signatures, and one import that is enough."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from moothall import Agent, Node, capability
from moothall.identity.agent import AgentIdentity
from tests.doors.house import served


def identity(node: Node, agent: str) -> AgentIdentity:
    found = node.host.office.agent(agent)
    assert found is not None
    return found


async def status(caller: Node, agent: str, node: Node, name: str) -> int:
    """What one agent of a node is answered by another node."""
    url = f"{node.url}/api/v1/capabilities/shop.{name}"
    answer = await caller.host.office.session(agent).request("POST", url, json={})
    return answer.status


def shop() -> Agent:
    @capability
    def private() -> str:
        return "in"

    @capability
    def admin_private_panel() -> str:
        return "in"

    @capability(permissions=["read", "write"])
    def guarded() -> str:
        return "in"

    @capability(auth=False)
    def free() -> str:
        return "in"

    @capability(access="authenticated")
    def known() -> str:
        return "in"

    return Agent("shop", private, admin_private_panel, guarded, free, known)


@pytest.mark.requirement("DEC-25", "DEC-08", "DEC-09")
async def test_a_capability_is_for_its_owner_and_for_those_who_were_granted_what_it_asks_for(tmp_path: Path) -> None:
    async with served(tmp_path / "far", Agent("granted"), Agent("half"), Agent("stranger")) as far:
        permissions: dict[str, Any] = {
            identity(far, "granted").did.text: ("read", "write"),
            identity(far, "half").did.text: ("read",),
        }
        async with (
            served(tmp_path / "near", shop(), Agent("sister"), permissions=permissions) as near,
            httpx.AsyncClient(base_url=near.url, trust_env=False) as client,
        ):
            for name, answers in {
                "private": (401, 403, 403, 200),
                "admin_private_panel": (401, 403, 403, 200),
                "guarded": (401, 403, 200, 200),
                "known": (401, 200, 200, 200),
                "free": (200, 200, 200, 200),
            }.items():
                unsigned = await client.post(f"/api/v1/capabilities/shop.{name}", json={})
                found = (
                    unsigned.status_code,
                    await status(far, "stranger", near, name),
                    await status(far, "granted", near, name),
                    await status(near, "sister", near, name),
                )
                assert found == answers, name
            assert await status(far, "half", near, "guarded") == 403


@pytest.mark.requirement("DEC-04")
def test_one_import_line_gives_every_decorator() -> None:
    names: dict[str, Any] = {}
    line = "from moothall import ANPServiceDecorator, CapabilityDecorator, anp_service, api_service, capability, local_method"
    exec(line, names)  # noqa: S102
    for name in ("ANPServiceDecorator", "CapabilityDecorator", "anp_service", "capability", "local_method"):

        def service() -> int:
            return 1

        assert names[name](scope="both", permissions=["p"], timeout=3, tags=["t"])(service)() == 1
    assert names["api_service"](path="/x", scope="both", permissions=["p"], timeout=3)(shop)
