"""The tables `[mcp.NAME]` of the operator's file."""

from __future__ import annotations

from typing import Any

import pytest

from moothall.errors import SettingsError
from moothall.protocols.mcp.remote.servers import HttpServer, StdioServer, servers_of

URL = "https://far.example/mcp"


def test_a_table_is_a_server_at_an_address_or_a_program() -> None:
    servers = servers_of(
        {
            "weather": {"url": URL, "auth": "did", "timeout": 5},
            "files": {"command": "files", "args": ["-v"], "env": {"ROOT": "/srv"}, "cwd": "/srv"},
        }
    )
    assert servers["weather"] == HttpServer(name="weather", url=URL, auth="did", timeout=5.0)
    assert servers["files"] == StdioServer(
        name="files", command="files", args=("-v",), env={"ROOT": "/srv"}, cwd="/srv"
    )


@pytest.mark.parametrize(
    ("name", "table", "key"),
    [
        ("a.b", {"url": URL}, "mcp.'a.b'"),
        ("far", {}, "mcp.far"),
        ("far", {"url": URL, "command": "x"}, "mcp.far"),
        ("far", {"url": "ftp://far.example"}, "mcp.far.url"),
        ("far", {"url": "https://me:pass@far.example/"}, "mcp.far.url"),
        ("far", {"url": URL, "auth": "basic"}, "mcp.far.auth"),
        ("far", {"url": URL, "auth": "bearer"}, "mcp.far.token_env"),
        ("far", {"url": URL, "auth": "bearer", "token_env": "eyJ.abc"}, "mcp.far.token_env"),
        ("far", {"url": URL, "timeout": -1}, "mcp.far.timeout"),
        ("far", {"url": URL, "timeout": True}, "mcp.far.timeout"),
        ("far", {"url": URL, "args": []}, "mcp.far.args"),
        ("far", {"url": 1}, "mcp.far.url"),
        ("far", {"command": ""}, "mcp.far.command"),
        ("far", {"command": "x", "args": "-v"}, "mcp.far.args"),
        ("far", {"command": "x", "args": ["a\0b"]}, "mcp.far.command"),
        ("far", {"command": "x", "env": {"A": 1}}, "mcp.far.env"),
        ("far", {"command": "x", "auth": "did"}, "mcp.far.auth"),
        ("far", {"url": URL, "auth": "oauth", "client_secret_env": "SECRET"}, "mcp.far.issuer"),
        ("far", {"url": URL, "auth": "oauth", "issuer": "auth.far.example"}, "mcp.far.issuer"),
        ("far", {"url": URL, "auth": "oauth", "issuer": "http://[far"}, "mcp.far.issuer"),
        ("far", {"url": URL, "auth": "oauth", "metadata_url": "https://me.example"}, "mcp.far.metadata_url"),
    ],
    ids=str,
)
def test_a_table_that_does_not_fit_names_its_key(name: str, table: dict[str, Any], key: str) -> None:
    with pytest.raises(SettingsError) as raised:
        servers_of({name: table})
    assert raised.value.details == {"setting": key}
    assert "eyJ" not in f"{raised.value} {raised.value.hint}"
    assert "pass@" not in f"{raised.value} {raised.value.hint}"
