"""`moot people` and `moot teams`: alike whether a node runs or not."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Hall

pytestmark = pytest.mark.timeout(240)


def test_a_person_is_made_has_agents_and_relations_and_is_forgotten(hall: Hall) -> None:
    words = ["--name", "Ann", "--email", "ann@example.com", "--trust", "7", "--verification", "pending"]
    made = hall.row("people", "set", "ann", *words, "--cross-agent-calls")
    assert (made["display_name"], made["trust_level"], made["verification_status"]) == ("Ann", 7, "pending")
    assert hall.row("people", "set", "ann", "--trust", "3")["display_name"] == "Ann"
    agent = hall.row("people", "register", "ann", "node", "--role", "work", "--environment", "dev")
    assert (agent["role"], agent["environment"]) == ("work", "dev")
    assert hall.row("people", "change", "node", "--clearance", "2")["clearance"] == 2
    assert hall.rows("people", "agents", "ann") == [{**agent, "clearance": 2}]
    hall.row("people", "relate", "ann", "trust", "user:bob", "--level", "8")
    hall.row("people", "relate", "ann", "block", "user:eve")
    assert [(row["subject"], row["level"]) for row in hall.rows("people", "relations", "ann", "trust")] == [
        ("user:bob", 8)
    ]
    assert hall.row("people", "unrelate", "ann", "block", "user:eve") == {"removed": True}
    assert hall.moot("people", "unrelate", "ann", "block", "user:eve", lang="zh")[1] == "原本就没有\n"
    code, out, _ = hall.moot("people", "show", "ann", lang="zh")
    assert code == 0
    assert all(words in out for words in ("Ann", "信任度", "3"))
    proof = hall.row("people", "prove", "node", "ann", "https://far.example")["proof"]
    assert proof.count(".") == 2
    assert hall.row("people", "unregister", "node") == {"removed": True}
    assert hall.moot("people", "remove", "ann") == (0, "removed\n", "")
    assert hall.moot("people", "show", "ann")[0] == 5


def test_units_are_made_filled_moved_and_dissolved(hall: Hall) -> None:
    made = hall.row("teams", "create", "acme", "--kind", "organisation", "user:ann", "--owner", "user:zoe")
    assert (made["id"], made["kind"]) == ("acme", "organisation")
    shown = hall.row("teams", "show", "acme")
    assert {(one["member"], one["role"]) for one in shown["members"]} >= {("user:ann", "member"), ("user:zoe", "owner")}
    assert hall.moot("teams", "create", "red", "user:ann", "--name", "Red")[:2] == (0, "red is there\n")
    assert hall.row("teams", "move", "red", "acme")["parent"] == "acme"
    hall.row("teams", "add", "red", "user:zoe", "--role", "owner")
    code, out, _ = hall.moot("teams", "show", "red", lang="zh")
    assert code == 0
    assert all(words in out for words in ("acme", "user:zoe", "成员"))
    assert hall.row("teams", "remove", "red", "user:ann") == {"removed": True}
    assert hall.row("teams", "dissolve", "red") == {"removed": True}
    assert hall.moot("teams", "dissolve", "acme", lang="zh")[:2] == (0, "已移除\n")


def test_teams_agree_on_what_one_may_do_at_the_other(hall: Hall) -> None:
    for team in ("host", "guest"):
        hall.row("teams", "create", team, "user:ann")
    words = ["--capability", "node.ledger", "--project", "books", "--hours", "2"]
    offered = hall.row("teams", "propose", "host", "guest", "read", *words)
    assert (offered["host"], offered["guest"], offered["actions"]) == ("host", "guest", ["read"])
    agreed = hall.row("teams", "agree", offered["id"])
    assert agreed["host_agreed"]
    assert agreed["guest_agreed"]
    assert [row["id"] for row in hall.rows("teams", "agreements", "host")] == [offered["id"]]
    assert hall.row("teams", "withdraw", offered["id"]) == {"removed": True}
    assert hall.moot("teams", "agreements", "host") == (0, "", "none\n")
    for team in ("host", "guest"):
        hall.row("teams", "dissolve", team)


@pytest.mark.parametrize(
    ("words", "status", "why"),
    [
        (["people", "show", "nobody"], 5, "profile"),
        (["people", "set", "ann", "--trust", "11"], 2, "--trust"),
        (["people", "register", "ann", "nobody"], 5, "nobody"),
        (["people", "register", "ann", f"did:wba:far.example:bot:e1_{'a' * 43}"], 3, "proof"),
        (["people", "relate", "ann", "love", "user:bob"], 2, "love"),
        (["teams", "show", "none"], 5, ""),
        (["teams", "create", "red", "nobody"], 5, "nobody"),
    ],
)
def test_what_cannot_be_is_an_error_with_its_cause_and_a_way_out(
    hall: Hall, words: list[str], status: int, why: str
) -> None:
    code, out, err = hall.moot(*words)
    assert (code, out) == (status, "")
    assert [line.partition(": ")[0] for line in err.splitlines()] == ["error", "why", "try"]
    assert why in err
