"""What `moot doctor` finds, and that it changes nothing."""

from __future__ import annotations

import json
import re
import socket
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from moothall.cli import nodefile
from moothall.cli.checks import Finding, examine, examine_package
from moothall.cli.effective import effective
from moothall.cli.invocation import Invocation
from moothall.cli.main import run
from moothall.cli.nodefile import NodeFile
from moothall.messages import LANGS
from moothall.settings import Settings
from moothall.storage.store import Store
from tests.cli.conftest import Hall
from tests.server.door import served

CALL = Invocation("en", as_json=False, data=None)


async def found(data: Path, **settings: Any) -> dict[str, Finding]:
    values = {"data": data, "port": 0, **settings}
    return {finding.check: finding for finding in await examine(CALL, Settings(**values))}


@pytest.mark.parametrize("as_json", [True, False])
@pytest.mark.parametrize("content", ["port = = 1", "port = true", "prot = 1"])
def test_wrong_settings_are_a_finding_and_not_the_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, as_json: bool
) -> None:
    (tmp_path / "moothall.toml").write_text(content, encoding="utf-8")
    assert run(["doctor", "--lang", "en", "--data", str(tmp_path), *["--json"] * as_json]) == 1
    told = capsys.readouterr()
    assert any(named in told.out for named in ("moothall.toml", "port", "prot"))
    assert "wrong" in told.out
    assert ("package" if as_json else "Moothall") in told.out
    assert told.err == ""


def test_a_variable_that_sets_nothing_is_worth_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOOTHALL_PROT", "1")
    finding = {finding.check: finding for finding in examine_package(CALL)}["variables"]
    assert finding.grade == "note"
    assert "MOOTHALL_PROT" in finding.found


async def test_a_place_where_no_node_ever_was_is_fine(tmp_path: Path) -> None:
    findings = await found(tmp_path / "none")
    assert {finding.grade for finding in findings.values()} == {"ok", "note"}
    assert findings["data"].grade == findings["store"].grade == "note"
    assert not (tmp_path / "none").exists()


async def test_a_running_node_is_found_ready_and_holding_its_lock(tmp_path: Path) -> None:
    async with served(tmp_path) as door:
        nodefile.write(tmp_path, NodeFile(door.address.url, 4711, door.node.owner_token))
        findings = await found(tmp_path, port=door.address.port)
        assert {finding.grade for finding in findings.values()} == {"ok"}
        assert "4711" in findings["node"].found
        assert "held" in findings["lock"].found
        assert "running node" in findings["port"].found
    async with served(tmp_path, agents=False, ready=lambda: False) as door:
        nodefile.write(tmp_path, NodeFile(door.address.url, 4711, door.node.owner_token))
        assert (await found(tmp_path))["node"].grade == "wrong"
    left_over = await found(tmp_path)
    assert (left_over["node"].grade, left_over["lock"].found) == ("note", "free")


async def test_a_lock_that_a_silent_process_holds_is_worth_a_note(tmp_path: Path) -> None:
    async with served(tmp_path):
        assert (await found(tmp_path))["lock"].grade == "note"


@pytest.mark.requirement("WIRE-NET-01")
async def test_hosts_that_may_be_private_are_worth_a_note(tmp_path: Path) -> None:
    assert (await found(tmp_path))["egress"].grade == "ok"
    listed = (await found(tmp_path, egress_allow="http://localhost:8420"))["egress"]
    assert (listed.grade, "localhost:8420" in listed.found) == ("note", True)
    assert (await found(tmp_path, egress_allow="http://192.0.2.1"))["egress"].grade == "wrong"


async def test_a_taken_port_is_worth_a_note(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        findings = await found(tmp_path, port=taken.getsockname()[1])
    assert findings["port"].grade == "note"
    assert (await found(tmp_path, host="192.0.2.1"))["port"].grade == "wrong"


@pytest.mark.parametrize(("revision", "grade"), [("0000", "note"), ("9999", "wrong"), (None, "note")])
async def test_tables_of_another_version_are_told(tmp_path: Path, revision: str | None, grade: str) -> None:
    with closing(sqlite3.connect(tmp_path / "moothall.db")) as database:
        database.execute("CREATE TABLE alembic_version (version_num TEXT)")
        if revision:
            database.execute("INSERT INTO alembic_version VALUES (?)", (revision,))
        database.commit()
    assert (await found(tmp_path))["store"].grade == grade


async def test_a_file_that_is_no_database_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "moothall.db").write_text("not a database, but long enough to be read as one" * 20, encoding="utf-8")
    assert (await found(tmp_path))["store"].grade == "wrong"


async def test_every_kind_of_database_is_reached(tmp_path: Path, database_url: str) -> None:
    store = await Store.open(tmp_path, database_url)
    await store.close()
    assert (await found(tmp_path, database_url=database_url))["store"].grade == "ok"


@pytest.mark.parametrize("url", ["postgresql://me:opensesame@127.0.0.1:1/none", "mysql://me:opensesame@host/x"])
async def test_a_database_that_cannot_be_used_is_wrong_and_its_password_stays_unsaid(tmp_path: Path, url: str) -> None:
    finding = (await found(tmp_path, database_url=url))["store"]
    assert finding.grade == "wrong"
    assert "opensesame" not in finding.found


async def test_a_data_folder_that_is_a_file_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    assert (await found(path, database_url=f"sqlite:///{tmp_path / 'x.db'}"))["data"].grade == "wrong"


def test_every_setting_is_shown_with_where_it_comes_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "moothall.toml").write_text("lease_seconds = 3.0\nport = 1\n", encoding="utf-8")
    monkeypatch.setenv("MOOTHALL_PORT", "2")
    monkeypatch.setenv("RESPONSE_TIMEOUT", "9")
    monkeypatch.setenv("MOOTHALL_DATABASE_URL", "postgresql://me:opensesame@host/x")
    rows = {row.setting: row for row in effective(Settings(data=tmp_path), {"data"})}
    assert rows.keys() == Settings.model_fields.keys()
    assert (rows["data"].origin, rows["data"].source) == ("option", "--data")
    assert (rows["port"].origin, rows["port"].value) == ("environment", "2")
    assert (rows["response_timeout"].source, rows["response_timeout"].value) == ("RESPONSE_TIMEOUT", "9.0")
    assert (rows["lease_seconds"].origin, rows["lease_seconds"].value) == ("file", "3.0")
    assert rows["host"].origin == "default"
    assert "opensesame" not in rows["database_url"].value


@pytest.mark.parametrize("lang", LANGS)
def test_it_is_told_in_both_languages(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, lang: str
) -> None:
    monkeypatch.setenv("MOOTHALL_PORT", "0")
    assert run(["doctor", "--data", str(tmp_path / "none"), "--lang", lang]) == 0
    assert {"zh": "数据目录", "en": "Data folder"}[lang] in capsys.readouterr().out


@pytest.mark.parametrize(
    ("settings", "grade", "words"),
    [
        ({}, "ok", "rules"),
        (
            {"anthropic_api_key": "0123456789abcdef"},
            "ok",
            "claude-sonnet-4-5-20250929 at anthropic (api.anthropic.com)",
        ),
        ({"openai_api_key": "0123456789abcdef"}, "note", "LLM_MODEL"),
        ({"openai_api_key": "0123456789abcdef", "llm_model": "gpt-4o"}, "ok", "gpt-4o at openai (api.openai.com)"),
        ({"llm_provider": "azure"}, "wrong", "AZURE_OPENAI_API_KEY"),
    ],
)
async def test_the_model_that_decides_is_named_without_its_key(
    tmp_path: Path, settings: dict[str, str], grade: str, words: str
) -> None:
    finding = (await found(tmp_path, **settings))["model"]
    assert finding.grade == grade
    assert words in finding.found
    assert "0123456789abcdef" not in finding.found


def test_of_a_secret_only_whether_it_is_set_is_shown() -> None:
    secret = {name for name, field in Settings.model_fields.items() if not field.repr} - {"database_url"}
    rows = {row.setting: row.value for row in effective(Settings(**dict.fromkeys(secret, "0123456789abcdef")), set())}
    assert len(secret) >= 7
    assert {rows[name] for name in secret} == {"***"}
    assert {row.value for row in effective(Settings(), set()) if row.setting in secret} == {""}


async def test_files_of_policies_are_named_and_what_is_wrong_in_them(tmp_path: Path) -> None:
    findings = await found(tmp_path)
    assert findings["policy"].grade == "ok"
    folder = tmp_path / "policy"
    folder.mkdir()
    (folder / "policy.toml").write_text("", encoding="utf-8")
    finding = (await found(tmp_path))["policy"]
    assert finding.grade == "ok"
    assert "policy.toml" in finding.found
    (folder / "custom.cedar").write_text("permit (", encoding="utf-8")
    (folder / "people.toml").write_text("[[person]]\nid = 3\n", encoding="utf-8")
    finding = (await found(tmp_path))["policy"]
    assert finding.grade == "wrong"
    assert all(name in finding.found for name in ("custom.cedar", "people.toml"))


@pytest.mark.timeout(120)
def test_the_end_of_the_audit_trail_is_told_whether_a_node_runs_or_not(hall: Hall) -> None:
    hall.row("people", "set", "ann")
    told = {
        row["check"]: row for row in map(json.loads, hall.moot("doctor", "--json")[1].splitlines()) if "check" in row
    }
    assert told["audit"]["grade"] == "ok"
    assert re.search(r"record \d+ is the last of node-", told["audit"]["found"])
    assert "最后一条记录" in hall.moot("doctor", lang="zh")[1]
