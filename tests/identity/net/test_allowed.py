"""`MOOTHALL_EGRESS_ALLOW`: what may be listed, and what a list lets through."""

from __future__ import annotations

import pytest

from moothall.errors import SettingsError
from moothall.identity.allowed import Allowed


@pytest.mark.parametrize(
    ("text", "host", "port", "private", "plain"),
    [
        ("node.lan", "node.lan", 8420, True, False),
        ("node.lan", "other.lan", 8420, False, False),
        ("node.lan", "a.node.lan", 8420, False, False),
        ("node.lan:8420", "node.lan", 8420, True, False),
        ("node.lan:8420", "node.lan", 443, False, False),
        (" Node.LAN , other.lan:1 ,", "node.lan", 443, True, False),
        ("10.0.0.5", "10.0.0.5", 443, True, False),
        ("[::1]:8420", "::1", 8420, True, False),
        ("[0:0::1]", "::1", 1, True, False),
        ("http://localhost:8420", "localhost", 8420, True, True),
        ("http://localhost:8420", "localhost", 8421, False, False),
        ("http://localhost", "localhost", 8421, True, True),
        ("http://alice.localhost:1", "alice.localhost", 1, True, True),
        ("http://[::1]:8420", "::1", 8420, True, True),
        ("http://node.lan", "node.lan", 80, True, True),
        ("", "localhost", 8420, False, False),
    ],
)
def test_what_a_list_lets_through(text: str, host: str, port: int, private: bool, plain: bool) -> None:
    allowed = Allowed.parsed(text)
    assert (allowed.may_be_private(host, port), allowed.speaks_http(host, port)) == (private, plain)


@pytest.mark.parametrize(
    "entry",
    [
        *"https://localhost http://10.0.0.1:80 http://192.0.2.1 localhost:0 localhost:65536 localhost:x localhost: :80 *".split(),
        *"10.0.0.0/8 ::1 [::1 ::1] [node.lan] user:hunter2@node.lan http://user:hunter2@localhost 127.1 2130706433".split(),
        *[
            "localhost:" + "9" * 5000,
            "localhost:８０",
            "localhost/path",
            "http://localhost/",
            "a b",
            "http://",
            "fe80::1%eth0",
        ],
    ],
)
def test_a_bad_entry_is_named_by_its_position_and_never_repeated(entry: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Allowed.parsed(f"node.lan,{entry}")
    assert caught.value.details["entry"] == 2
    said = f"{caught.value} {caught.value.hint} {dict(caught.value.details)}"
    assert "hunter2" not in said
    assert "entry 2" in said
