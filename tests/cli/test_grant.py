"""`moot grant`: alike whether a node runs or not."""

from __future__ import annotations

import io
import sys

import pytest

from tests.cli.conftest import Hall

pytestmark = pytest.mark.timeout(180)
BOT = f"did:wba:far.example:bot:e1_{'a' * 43}"


def test_a_right_is_lent_shown_used_and_taken_back(hall: Hall) -> None:
    asked = ["policy", "explain", "--caller", BOT, "--capability", "node.policy.show"]
    assert hall.row(*asked)["effect"] == "deny"
    words = ["--actions", "read,query", "--capabilities", "node.policy.show", "--hours", "2", "--depth", "1"]
    made = hall.row("grant", "create", "--from", "node", "--to", BOT, *words)
    assert (made["delegate"], made["actions"], made["depth"]) == (BOT, ["query", "read"], 1)
    assert made["capabilities"] == ["node.policy.show"]
    assert hall.row(*asked)["grants"] == [made["id"]]
    code, out, _ = hall.moot(*asked, lang="zh")
    assert code == 0
    assert "没有被禁止：是" in out
    code, out, _ = hall.moot("grant", "show", made["id"], lang="zh")
    assert code == 0
    assert all(words in out for words in (BOT, "受托者", "node.policy.show"))
    assert made["id"] in {row["id"] for row in hall.rows("grant", "list", "--from", "node", "--to", BOT)}
    assert hall.moot("grant", "revoke", made["id"]) == (0, f"{made['id']} is revoked\n", "")
    assert hall.row("grant", "revoke", made["id"]) == {"revoked": made["id"]}
    assert made["id"] not in {row["id"] for row in hall.rows("grant", "list", "--status", "active")}
    code, out, _ = hall.moot("grant", "list", "--status", "revoked", "--to", BOT, lang="zh")
    assert code == 0
    assert "已撤销" in out
    assert hall.row(*asked)["effect"] == "deny"


def test_nothing_to_list_is_said_and_is_no_result(hall: Hall) -> None:
    other = f"did:wba:far.example:other:e1_{'b' * 43}"
    assert hall.moot("grant", "list", "--to", other) == (0, "", "none\n")
    assert hall.rows("grant", "list", "--to", other) == []


def test_a_delegation_of_somebody_else_is_read_from_standard_input(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    for words in (["bogus"], ["-"]):
        monkeypatch.setattr(sys, "stdin", io.StringIO("bogus\n"))
        code, out, err = hall.moot("grant", "add", *words)
        assert (code, out) == (2, "")
        assert "signed statement" in err


@pytest.mark.parametrize(
    ("words", "status", "why"),
    [
        (["create", "--from", "nobody", "--to", BOT, "--actions", "read"], 5, "nobody"),
        (["create", "--from", "node", "--to", BOT, "--actions", "read", "--hours", "999"], 2, "--hours"),
        (["create", "--from", "node", "--to", "did:wba:x", "--actions", "fly"], 3, "fly"),
        (["show", "nothing"], 3, ""),
        (["revoke", "nothing"], 3, ""),
    ],
)
def test_what_cannot_be_is_an_error_with_its_cause_and_a_way_out(
    hall: Hall, words: list[str], status: int, why: str
) -> None:
    hall.rows("grant", "list")  # a first start makes the node's own identity
    code, out, err = hall.moot("grant", *words)
    assert (code, out) == (status, "")
    assert [line.partition(": ")[0] for line in err.splitlines()] == ["error", "why", "try"]
    assert why in err
