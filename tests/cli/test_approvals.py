"""`moot approvals`, and `moot call` of what has to be approved: alike whether a node runs or not."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Hall

pytestmark = pytest.mark.timeout(180)


def test_an_approved_call_is_made_by_the_node_and_its_requester_gets_the_answer(hall: Hall) -> None:
    approval = hall.bob(7)["approval_id"]
    waiting = hall.rows("approvals", "list", "--waiting")
    assert approval in {row["approval_id"] for row in waiting}
    assert all("owner" in row["waiting_for"] for row in waiting)
    shown = hall.row("approvals", "show", approval)
    assert (shown["requester"], shown["target"]) == ("user:bob", "node.pay@1.0.0")
    assert shown["arguments"] == {"to": "ann", "cents": 7}
    assert shown["status"] == "pending"
    code, out, err = hall.moot("approvals", "decide", approval, "approve", "--reason", "as agreed")
    assert (code, err) == (0, "")
    assert out.startswith(f"{approval} is approved")
    assert ("moot serve" in out) is not hall.runs
    assert hall.bob(7, approval) == {"value": "7 to ann"}
    shown = hall.row("approvals", "show", approval)
    assert (shown["status"], shown["executed"]) == ("approved", True)
    assert shown["steps"][0]["votes"][0]["reason"] == "as agreed"


def test_a_rejected_call_is_not_made_and_is_told_in_words(hall: Hall) -> None:
    approval = hall.bob(8)["approval_id"]
    said = hall.row("approvals", "decide", approval, "reject", "--reason", "太贵")
    assert (said["approval_id"], said["status"], said["executed"]) == (approval, "rejected", False)
    assert "value" not in hall.bob(8, approval)
    code, out, _ = hall.moot("approvals", "show", approval, lang="zh")
    assert code == 0
    assert all(words in out for words in (approval, "已拒绝", "太贵", "：owner"))
    code, out, _ = hall.moot("approvals", "list", "--status", "rejected", lang="zh")
    assert code == 0
    assert "已拒绝" in out
    code, out, err = hall.moot("approvals", "decide", approval, "approve")
    assert (code, out) == (2, "")
    assert [line.partition(": ")[0] for line in err.splitlines()] == ["error", "why", "try"]


def test_a_call_that_waits_ends_with_4_and_says_how_to_go_on(hall: Hall) -> None:
    words = ["call", "local:ledger", "--purpose", "yearly audit", *([] if hall.runs else ["--node", str(hall.code)])]
    code, out, err = hall.moot(*words)
    assert (code, out) == (4, "")
    lines = err.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["error", "why", "try", "see", "then"]
    approval = lines[3].rpartition(" ")[2]
    assert f"--approval {approval}" in lines[4]
    shown = hall.row("approvals", "show", approval)
    assert (shown["requester"], shown["purpose"]) == ("owner", "yearly audit")
    assert approval in {row["approval_id"] for row in hall.rows("approvals", "list", "--mine")}
    assert approval not in {row["approval_id"] for row in hall.rows("approvals", "list", "--waiting")}
    code, _, err = hall.moot("approvals", "decide", approval, "approve")
    assert code == 3
    assert "Invalid approver" in err
    code, _, err = hall.moot(*words, "--approval", approval, lang="zh")
    assert code == 4
    assert err.splitlines()[3] == f"查看： moot approvals show {approval}"
    assert hall.moot("approvals", "cancel", approval, lang="zh")[:2] == (0, f"{approval} 已撤回；调用不会执行\n")
    assert hall.row("approvals", "cancel", approval)["status"] == "cancelled"
    assert hall.moot(*words, "--approval", approval)[0] == 3


@pytest.mark.parametrize(
    ("words", "status", "why"),
    [
        (["approvals", "show", "ap-0000000000000000"], 5, "no approval"),
        (["approvals", "decide", "ap-0000000000000000", "maybe"], 2, "maybe"),
        (["approvals", "list", "--mine", "--waiting"], 2, "--mine, --waiting"),
        (["call", "local:pay", "--approval", "no id"], 2, "no id"),
        (["call", "local:pay", "--purpose", "诊断"], 2, "ASCII"),
    ],
)
def test_what_cannot_be_is_an_error_with_its_cause_and_a_way_out(
    hall: Hall, words: list[str], status: int, why: str
) -> None:
    code, out, err = hall.moot(*words)
    assert (code, out) == (status, "")
    assert [line.partition(": ")[0] for line in err.splitlines()] == ["error", "why", "try"]
    assert why in err
