"""``moot backup`` and ``moot restore``, beside a node that negotiates."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from moothall.cli.main import run
from moothall.directory.profiles import AgentProfile
from moothall.negotiation.demand.participants import OfferAnswer, Participant, ReviewAnswer
from moothall.negotiation.demand.wire import DemandOffer, ProposalReview
from moothall.node import Node
from tests.support.demand import kinds, profile, running
from tests.support.environment import bare_environment

TEAM = [profile("hall", "场地提供"), profile("speaker", "演讲嘉宾")]
TEXT = "我想在北京办一场AI主题聚会，需要场地和嘉宾"


class Held:
    """A participant that does not review before the test lets it."""

    def __init__(self, persona: Participant, asked: asyncio.Event, free: asyncio.Event) -> None:
        self._persona, self._asked, self._free = persona, asked, free

    async def offer(self, invitation: DemandOffer, *, key: str) -> OfferAnswer:
        return await self._persona.offer(invitation, key=key)

    async def review(self, request: ProposalReview, *, key: str) -> ReviewAnswer:
        self._asked.set()
        await self._free.wait()
        return await self._persona.review(request, key=key)


def listed(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def moot(*argv: str) -> tuple[int, str, str]:
    """Run a command in another process."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from moothall.cli.main import main; main()",
        *argv,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**bare_environment(), "LANG": "en_GB.UTF-8", "PYTHONIOENCODING": "utf-8"},
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


@pytest.mark.requirement("NEG-OPS-13")
async def test_a_backup_taken_during_a_negotiation_restores_to_a_node_that_brings_it_to_its_end(
    tmp_path: Path,
) -> None:
    asked, free = asyncio.Event(), asyncio.Event()

    def speaker(node: Node, of: AgentProfile) -> Participant:
        return Held(node.persona(of), asked, free)

    copy = str(tmp_path / "copy")
    async with running(tmp_path / "one", TEAM, participants=speaker) as node:
        submitted = await node.demands.submit(TEXT)
        await asked.wait()
        code, out, err = await moot("backup", copy, "--data", str(tmp_path / "one"), "--json")
        assert (code, err) == (0, "")
        made = json.loads(out)
        assert (made["path"], made["runs"], made["replaced"]) == (copy, 1, None)
        held = [event.event_id for event in await node.log.load(submitted.demand_id)]
        code, _, err = await moot("restore", copy, "--data", str(tmp_path / "one"), "--force")
        assert code == 1
        assert "another process is using" in err
        free.set()
        ended = [event async for event in node.log.follow(submitted.demand_id)]
    code, out, err = await moot("restore", copy, "--data", str(tmp_path / "two"))
    assert (code, err) == (0, "")
    assert out.startswith("1 negotiations with ")
    async with running(tmp_path / "two") as node:
        again = [event async for event in node.log.follow(submitted.demand_id)]
        everything = [event.event_id for event in await node.log.load(submitted.demand_id)]
    assert everything[: made["events"]] == held[: made["events"]]
    assert kinds(ended)[-1] == kinds(again)[-1] == "proposal.finalized"


async def test_a_store_is_replaced_only_when_told_to_and_the_old_one_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running(tmp_path / "node", TEAM):
        pass
    data, copy = ["--lang", "en", "--data", str(tmp_path / "node")], str(tmp_path / "copy")
    assert run([*data[:2], "backup", copy, *data[2:]]) == 0
    async with running(tmp_path / "node", [profile("later", "摄影")]):
        pass
    capsys.readouterr()
    assert run(["restore", copy, *data]) == 2
    assert "--force" in capsys.readouterr().err
    assert run(["restore", copy, *data, "--force"]) == 0
    told = capsys.readouterr()
    (kept,) = (tmp_path / "node").glob("moothall.db.*Z")
    assert str(kept) in told.err
    async with running(tmp_path / "node") as node:
        names = {record.public()["agent_id"] for record in await node.registry.list(None, "")}
    assert names == {"user_agent_hall", "user_agent_speaker"}


async def test_backup_refuses_to_replace_a_file_until_told_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running(tmp_path / "node"):
        pass
    copy = tmp_path / "copy"
    copy.write_text("precious")
    argv = ["backup", str(copy), "--data", str(tmp_path / "node"), "--lang", "en"]
    assert run(argv) == 2
    assert copy.read_text() == "precious"
    assert run([*argv, "--force"]) == 0
    assert copy.read_bytes().startswith(b"SQLite format 3")
    assert "0 negotiations" in capsys.readouterr().out


@pytest.mark.parametrize(("command", "tool"), [("backup", "pg_dump"), ("restore", "pg_restore")])
@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.requirement("NEG-OPS-13")
def test_on_postgresql_both_refuse_and_name_its_own_tool(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
    tool: str,
    lang: str,
) -> None:
    monkeypatch.setenv("MOOTHALL_DATABASE_URL", "postgresql://somebody:secret-word@localhost/town")
    assert run([command, str(tmp_path / "copy"), "--data", str(tmp_path / "node"), "--lang", lang]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert tool in told.err.splitlines()[-1]
    assert "secret-word" not in told.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize(
    ("argv", "code", "word"),
    [
        (["backup", "copy", "--data", "missing"], 2, "missing"),
        (["backup", "nowhere/copy", "--data", "node"], 2, "nowhere"),
        (["backup", "folder", "--data", "node", "--force"], 2, "folder"),
        (["backup", "node/moothall.db", "--data", "node", "--force"], 2, "moothall.db"),
        (["restore", "missing", "--data", "node"], 2, "missing"),
        (["restore", "node/moothall.db", "--data", "node", "--force"], 2, "moothall.db"),
        (["restore", "text", "--data", "fresh"], 1, "text"),
        (["restore", "newer", "--data", "fresh"], 1, "9999"),
    ],
)
async def test_what_cannot_be_done_is_refused_with_advice_and_changes_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    argv: list[str],
    code: int,
    word: str,
    lang: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    async with running(tmp_path / "node") as node:
        await node.log.store.write(
            lambda connection: connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        )
    (tmp_path / "newer").write_bytes((tmp_path / "node" / "moothall.db").read_bytes())
    (tmp_path / "text").write_text("some words " * 900)
    (tmp_path / "folder").mkdir()
    before, names = (tmp_path / "node" / "moothall.db").read_bytes(), set(listed(tmp_path))
    assert run([*argv, "--lang", lang]) == code
    error, cause, hint = capsys.readouterr().err.splitlines()
    assert word in cause
    assert all(line for line in (error, hint))
    assert (tmp_path / "node" / "moothall.db").read_bytes() == before
    assert not (tmp_path / "fresh" / "moothall.db").exists()
    assert set(listed(tmp_path)) - names <= {"fresh", "newer-wal", "newer-shm"}
