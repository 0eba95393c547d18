"""Liveness, readiness, and what an operator sees when the node cannot work."""

from __future__ import annotations

from pathlib import Path

import pytest

from moothall.server.instance import instance_of
from tests.server.door import DEMAND, SUBMIT, Door, opened, read_only, served
from tests.support.demand import running


@pytest.mark.requirement("NEG-API-25")
async def test_a_default_installation_is_alive_and_ready(tmp_path: Path) -> None:
    async with running(tmp_path, demo_agents=True) as node, opened(node) as door:
        for path in ("/health", "/health/ready"):
            assert (await door.client.get(path)).status_code == 200, path


async def test_a_node_without_a_worker_is_alive_and_not_ready(tmp_path: Path) -> None:
    async with served(tmp_path, ready=lambda: False) as door:
        assert (await door.client.get("/health")).status_code == 200
        answer = await door.client.get("/health/ready")
        assert answer.status_code == 503
        assert answer.json() == {
            "status": "unavailable", "store": True, "worker": False, "why": ["no worker takes negotiations"]
        }  # fmt: skip
        told = await door.client.get("/health/ready", headers={"Accept-Language": "zh"})
        assert told.json()["why"] == ["没有工作进程接手协商"]


async def test_a_node_whose_store_only_reads_is_not_ready(tmp_path: Path) -> None:
    async with served(tmp_path, agents=False) as door:
        async with read_only(door.node):
            assert (await door.client.post(SUBMIT, json={"raw_input": DEMAND})).status_code == 500
            answer = await door.client.get("/health/ready")
            assert (answer.status_code, answer.json()["store"]) == (503, False)
            assert answer.json()["why"] == ["the store cannot be written"]
        assert (await door.client.get("/health/ready")).status_code == 200


async def test_a_node_whose_store_is_gone_is_not_ready(tmp_path: Path) -> None:
    async with served(tmp_path) as door:
        log = door.node.log

        class Gone:
            async def runs(self, **_: object) -> None:
                from moothall.errors import StorageError

                raise StorageError("gone")

        async with opened(door.node, log=Gone()) as broken:
            answer = await broken.client.get("/health/ready")
        assert answer.status_code == 503
        assert answer.json()["store"] is False
        assert log is door.node.log


@pytest.mark.parametrize("replaced", [True, False])
async def test_a_node_whose_database_file_was_taken_away_is_not_ready(tmp_path: Path, replaced: bool) -> None:
    async with served(tmp_path, agents=False) as door:
        assert (await door.client.get("/health/ready")).status_code == 200
        file = tmp_path / "moothall.db"
        if replaced:
            other = tmp_path / "other.db"
            other.write_bytes(file.read_bytes())
            other.replace(file)
        else:
            file.unlink()
        answer = await door.client.get("/health/ready")
        assert (answer.status_code, answer.json()["store"]) == (503, False)


async def test_the_owner_recognises_this_start_of_the_node(door: Door) -> None:
    answer = (await door.client.get("/health")).json()
    assert answer["instance"] == instance_of(door.node.owner_token)
    assert door.node.owner_token not in str(answer)
