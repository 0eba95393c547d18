"""`moot grant make`: a delegation for another node, signed without it; here the other node is the same one."""

from __future__ import annotations

import pytest

from moothall.grants.signing import take_apart
from tests.cli.conftest import Hall

pytestmark = pytest.mark.timeout(180)
BOT = f"did:wba:far.example:bot:e1_{'c' * 43}"
WHAT = ["--actions", "read", "--capabilities", "node.policy.show"]


def address(hall: Hall) -> str:
    """The node's, as its identity has it."""
    hall.rows("grant", "list")  # a first start makes the node's own identity
    (row,) = [row for row in hall.rows("identity", "show") if row["agent"] == "node"]
    return f"http://{row['did'].split(':')[2].replace('%3A', ':')}"


@pytest.mark.requirement("DEL-02")
def test_what_an_agent_signed_itself_counts_once_it_is_handed_in(hall: Hall) -> None:
    at, asked = address(hall), ["policy", "explain", "--caller", BOT, "--capability", "node.policy.show"]
    made = hall.row("grant", "make", "--from", "node", "--to", BOT, "--at", f"{at}/", *WHAT, "--hours", "2")
    said = take_apart(made["token"]).grant
    assert (said.id, said.audience, said.delegate, said.depth) == (made["id"], at, BOT, 0)
    assert said.expires - said.issued == 2 * 3600
    assert hall.row(*asked)["effect"] == "deny"
    assert hall.row("grant", "add", made["token"])["id"] == made["id"]
    assert hall.row(*asked)["grants"] == [made["id"]]
    assert hall.row("grant", "revoke", made["id"]) == {"revoked": made["id"]}
    code, out, err = hall.moot("grant", "make", "--from", "node", "--to", BOT, "--at", at, *WHAT)
    assert (code, out.count("."), err) == (0, 2, f"hand it in at {at}: moot grant add TOKEN, or grants.add\n")


def test_one_for_another_node_is_not_taken(hall: Hall) -> None:
    address(hall)
    made = hall.row("grant", "make", "--from", "node", "--to", BOT, "--at", "https://far.example", *WHAT)
    code, _, err = hall.moot("grant", "add", made["token"])
    assert code == 2
    assert "another node" in err


@pytest.mark.parametrize(
    ("changed", "status", "why"),
    [
        ({"--actions": "fly"}, 2, "fly"),
        ({"--actions": "read,*"}, 2, "*"),
        ({"--capabilities": "*"}, 2, "*"),
        ({"--capabilities": "diary.*"}, 2, "*"),
        ({"--capabilities": " , "}, 2, "*"),
        ({"--at": "far.example"}, 2, "far.example"),
        ({"--at": "http://[x"}, 2, "http://[x"),
        ({"--at": "https://:443"}, 2, "https://:443"),
        ({"--to": "nobody"}, 2, "DID"),
        ({"--from": "nobody"}, 5, "nobody"),
        ({"--from": BOT}, 5, BOT),
    ],
    ids=[
        "action",
        "every-action",
        "every-capability",
        "many-capabilities",
        "nothing",
        "address",
        "broken",
        "no-host",
        "delegate",
        "agent",
        "key",
    ],
)
def test_what_cannot_be_signed_is_an_error_with_its_cause(
    hall: Hall, changed: dict[str, str], status: int, why: str
) -> None:
    address(hall)
    words = {"--from": "node", "--to": BOT, "--at": "https://far.example", **dict([WHAT[:2], WHAT[2:]]), **changed}
    code, out, err = hall.moot("grant", "make", *(word for pair in words.items() for word in pair))
    assert (code, out) == (status, "")
    assert [line.partition(": ")[0] for line in err.splitlines()] == ["error", "why", "try"]
    assert why in err
