"""`moot policy`: files are checked and cases tried without a node; the node explains, shows and reloads."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from moothall.cli.main import run
from tests.cli.conftest import Hall

pytestmark = pytest.mark.timeout(180)
Moot = Callable[..., tuple[int, str, str]]
ANNA = f"did:wba:acme.example:anna:e1_{'a' * 43}"
CASES = f"""
[[case]]
name = "her department"
caller = {{ id = "{ANNA}", departments = ["finance"] }}
capability = {{ name = "ledger", agent = "hall", access = "department", action = "read" }}
provider = {{ departments = ["finance"] }}
expect = "allow"
policy = "access-department"

[[case]]
caller = "user:bob"
capability = {{ name = "ledger", agent = "hall", access = "department", action = "read" }}
expect = "deny"
policy = "no_policy_matched"

[[case]]
name = "a team"
caller = {{ id = "{ANNA}", teams = ["red"] }}
capability = {{ name = "board", access = "team", read_only = true }}
provider = {{ teams = ["red"] }}
expect = "allow"

[[case]]
name = "teams do not manage"
caller = {{ id = "{ANNA}", teams = ["red"] }}
capability = {{ name = "board", access = "team", read_only = true }}
provider = {{ teams = ["red"] }}
action = "manage"
expect = "deny"

[[case]]
name = "the matrix of roles"
caller = {{ id = "{ANNA}", person = "zhang", role = "personal" }}
capability = {{ name = "diary", access = "personal", action = "read" }}
provider = {{ person = "zhang", role = "work" }}
expect = "allow"

[[case]]
name = "the wall between environments"
caller = {{ id = "{ANNA}", person = "zhang", role = "personal", environment = "dev" }}
capability = {{ name = "diary", access = "personal", action = "read" }}
provider = {{ person = "zhang", role = "work", environment = "prod" }}
expect = "deny"

[[case]]
name = "an option"
caller = "{ANNA}"
capability = {{ name = "pay", access = "authenticated", approval = true }}
expect = "approve"

[[case]]
name = "a rule, small"
caller = "{ANNA}"
capability = {{ name = "wire", access = "authenticated" }}
arguments = {{ amount = 5 }}
expect = "allow"

[[case]]
name = "a rule, large"
caller = "owner"
capability = {{ name = "wire", access = "authenticated" }}
arguments = {{ amount = 5000 }}
expect = "approve"

[[case]]
name = "a permission, though suspended"
caller = {{ id = "{ANNA}", permissions = ["pay"], suspended = true }}
capability = {{ name = "pay", permissions = ["pay"] }}
expect = "deny"
policy = "suspended"

[[case]]
name = "a token where a signature is needed"
caller = {{ id = "{ANNA}", permissions = ["pay"], binding = "token" }}
capability = {{ name = "pay", permissions = ["pay"], binding = "request" }}
expect = "deny"
policy = "binding"

[[case]]
name = "nobody"
caller = "anonymous"
capability = {{ name = "pay", access = "authenticated" }}
expect = "deny"
policy = "unverified"

[[case]]
name = "in the evening"
caller = "{ANNA}"
capability = {{ name = "desk", access = "authenticated" }}
at = 2026-01-05T22:00:00Z
expect = "deny"
policy = "evening"

[[case]]
name = "in the morning"
caller = "{ANNA}"
capability = {{ name = "desk", access = "authenticated" }}
at = 2026-01-05T09:00:00Z
expect = "allow"
"""
EVENING = """
@id("evening")
@reason("nobody is there in the evening")
forbid (principal, action, resource == Moothall::Capability::"node.desk")
when { context has call && context.call.minute > 1200 };
"""
LARGE = """
[[approvals.rule]]
name = "large"
capability = "node.wire"
argument = "amount"
operator = ">"
value = 1000
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Policies of somebody's own."""
    made = tmp_path / "policy"
    made.mkdir()
    (made / "hours.cedar").write_text(EVENING, encoding="utf-8")
    (made / "policy.toml").write_text(LARGE, encoding="utf-8")
    (made / "people.toml").write_text('[[person]]\nid = "zhang"\n', encoding="utf-8")
    (made / "cases.toml").write_text(CASES, encoding="utf-8")
    return made


@pytest.fixture
def moot(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Moot:
    def call(*words: str, lang: str = "en") -> tuple[int, str, str]:
        code = run(["policy", *words, "--data", str(tmp_path), "--lang", lang])
        told = capsys.readouterr()
        return code, told.out, told.err

    return call


def test_files_that_hold_are_counted_and_no_node_is_made(folder: Path, moot: Moot) -> None:
    code, out, err = moot("check", "--json")
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert (told["valid"], told["files"]) == (True, 3)
    without = json.loads(moot("check", str(folder / "people.toml"), "--json")[1])
    assert told["policies"] == without["policies"] + 1
    assert told["revision"] != without["revision"]
    assert f"共 {told['policies']} 条" in moot("check", str(folder), lang="zh")[1]
    assert {path.name for path in folder.parent.iterdir()} == {"policy"}


def test_every_fault_is_told_with_its_file(folder: Path, moot: Moot) -> None:
    (folder / "hours.cedar").write_text("permit (principal", encoding="utf-8")
    (folder / "odd.cedar").write_text(
        '@id("odd") permit (principal, action, resource) when { principal.nam == "" };', "utf-8"
    )
    (folder / "policy.toml").write_text("[isolaton]\nx = 1\n[[approvals.rule]]\nnam = 1\n", encoding="utf-8")
    (folder / "people.toml").write_text("[[person]]\nid = 3\n", encoding="utf-8")
    code, out, err = moot("check", str(folder))
    assert code == 2
    lines = out.splitlines()
    for name, fault in [
        ("hours.cedar", "unexpected end"),
        ("odd.cedar", "nam"),
        ("policy.toml", "did you mean 'isolation'?"),
        ("policy.toml", "approvals.rule"),
        ("people.toml", "person.0.id"),
    ]:
        assert any(line.startswith(f"{folder / name}: ") and fault in line for line in lines), (name, fault)
    assert [line.partition(": ")[0] for line in err.splitlines()] == ["error", "why", "try"]
    code, out, err = moot("check", str(folder), "--json", lang="zh")
    told = json.loads(out)
    assert (code, told["valid"], len(told["faults"])) == (2, False, len(lines))
    assert f"中有 {len(lines)} 处错误" in err


def test_two_files_with_the_same_id_are_a_fault_of_both_together(folder: Path, moot: Moot) -> None:
    (folder / "again.cedar").write_text(EVENING, encoding="utf-8")
    code, out, _ = moot("check")
    assert code == 2
    assert "evening" in out


@pytest.mark.parametrize("name", ["none", "notes.txt"])
def test_what_is_no_file_of_policies_is_refused(folder: Path, moot: Moot, name: str) -> None:
    (folder / "notes.txt").write_text("", encoding="utf-8")
    code, out, err = moot("check", str(folder / name))
    assert (code, out) == (2, "")
    assert name in err


def test_cases_are_tried_by_the_engine_of_the_node(folder: Path, moot: Moot) -> None:
    code, out, err = moot("test", "--json")
    rows = [json.loads(line) for line in out.splitlines()]
    assert [row for row in rows if not row["passed"]] == []
    assert code == 0
    assert err == f"{len(rows)} cases, 0 failed\n"
    assert CASES.count("[[case]]") == len(rows)
    assert {path.name for path in folder.parent.iterdir()} == {"policy"}


def test_a_case_that_comes_out_otherwise_ends_with_1(folder: Path, moot: Moot, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[[case]]\ncaller = "user:bob"\ncapability = { name = "x" }\nexpect = "allow"\n', "utf-8")
    code, out, err = moot("test", str(file), "--policies", str(folder), lang="zh")
    assert code == 1
    assert all(words in out for words in ("user:bob → node.x", "允许", "拒绝", "no_policy_matched"))
    assert "1 个不符" in err


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "case"),
        ("[[case]]\ncaller = 3\n", "case.0"),
        ("[[case]]\nexpct = 1\n", "case.0"),
        ("= 1", "mine.toml"),
        ("a = " + "[" * 5000, "mine.toml"),
    ],
    ids=["nothing", "a number", "a misspelt key", "no TOML", "nested without end"],
)
def test_a_file_that_holds_no_cases_is_told_with_its_place(moot: Moot, tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text, encoding="utf-8")
    code, out, err = moot("test", str(file))
    assert (code, out) == (2, "")
    assert str(file) in err
    assert why in err


def test_a_denial_that_nobody_made_names_ways_in_and_they_lead_in(hall: Hall, moot: Moot, tmp_path: Path) -> None:
    asked = ["policy", "explain", "--caller", ANNA, "--capability", "node.policy.show"]
    code, out, _ = hall.moot(*asked)
    assert code == 0
    assert "no_policy_matched" in out
    assert "access=" in out
    assert f"moot teams create TEAM {ANNA} node" in out
    assert f"moot people register PERSON {ANNA} --role ROLE" in out
    assert f"moot grant create --from AGENT --to {ANNA} --actions '*' --capabilities node.policy.show" in out
    (policy,) = [line for line in out.splitlines() if "custom.cedar" in line]
    own = tmp_path / "custom.cedar"
    own.write_text(policy[policy.index("@id") :], encoding="utf-8")
    assert moot("check", str(own))[0] == 0
    zh = hall.moot(*asked, lang="zh")[1]
    assert "怎样才能通过：" in zh
    assert zh.count("moot ") == out.count("moot ")
    assert hall.row(*asked)["effect"] == "deny"


def test_an_explanation_says_what_the_caller_is_lacking(hall: Hall) -> None:
    code = [] if hall.runs else ["--node", str(hall.code)]
    pay = ["policy", "explain", "--capability", "node.pay", *code]
    assert "an approval: make the call" in hall.moot(*pay, "--caller", "user:bob")[1]
    assert "that the caller proves who it is" in hall.moot(*pay, "--caller", "anonymous")[1]
    assert "operator-key" in hall.moot(*pay, "--caller", "owner")[1]
    assert hall.row(*pay, "--caller", "user:bob", "--purpose", "x")["lacking"] == ["needs_approval"]
    assert hall.row("policy", "explain", "--caller", "node", "--capability", "log:audit")["effect"] in {"allow", "deny"}
    code, _, err = hall.moot("policy", "explain", "--caller", "user:bob", "--capability", "node.nothing")
    assert code == 5
    assert [line.partition(": ")[0] for line in err.splitlines()] == ["error", "why", "try"]


def test_a_reload_takes_what_has_changed_and_refuses_what_is_wrong(hall: Hall) -> None:
    before = hall.row("policy", "reload")
    file = hall.data / "policy" / "hours.cedar"
    file.write_text(EVENING, encoding="utf-8")
    try:
        after = hall.row("policy", "reload")
        assert after["policies"] == before["policies"] + 1
        rows = hall.rows("policy", "show")
        assert [Path(row["source"]).name for row in rows if row["id"] == "evening"] == [file.name]
        out = hall.moot("policy", "show", lang="zh")[1]
        assert "evening" in out
        file.write_text("permit (", encoding="utf-8")
        code, out, err = hall.moot("policy", "reload")
        assert (code, out) == (2, "")
        assert file.name in err
    finally:
        file.unlink()
    assert hall.row("policy", "reload") == before
