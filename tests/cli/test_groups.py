"""`moot groups`: alike whether a node runs or not."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Hall

pytestmark = pytest.mark.timeout(240)


def test_a_group_is_made_filled_spoken_in_and_dissolved(hall: Hall) -> None:
    assert hall.moot("groups", "create", "club", "--title", "The club")[:2] == (0, "club is there\n")
    shown = hall.row("groups", "show", "club")
    assert (shown["title"], len(shown["members"])) == ("The club", 1)
    far = "did:wba:far.example:agents:ann"
    assert hall.row("groups", "add", "club", far, "--role", "finance")["state"] == "invited"
    assert [row["id"] for row in hall.rows("groups", "list")] == ["club"]
    assert hall.row("groups", "send", "club", "hello", "--id", "1")["replies"] == []
    assert hall.moot("groups", "send", "club", "hello", "--id", "1", lang="zh")[0] == 0
    assert [row["content"] for row in hall.rows("groups", "history", "club")] == ["hello"]
    code, out, _ = hall.moot("groups", "show", "club", lang="zh")
    assert code == 0
    assert "finance" in out
    task = json.dumps({"parts": [{"id": "a", "capability": "nothing"}]})
    code, out, _ = hall.moot("groups", "task", "club", task)
    assert code == 6
    assert "NO_MEMBER" in out
    assert hall.moot("groups", "task", "club", "{")[0] == 2
    assert hall.row("groups", "remove", "club", far) == {"removed": True}
    assert hall.row("groups", "dissolve", "club") == {"removed": True}
    assert hall.moot("groups", "send", "club", "hello")[0] == 3
