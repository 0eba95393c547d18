"""Which doors a command opens: beyond loopback only with keys, and the admin key of a demonstration."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from moothall.server.run import Address
from tests.cli.test_program import ENV, MOOT
from tests.support.program import ran

KEY = "alice-key-0123456789"
pytestmark = pytest.mark.timeout(120)


@contextmanager
def demonstration(*argv: str, cwd: Path, **environment: str) -> Iterator[tuple[str, list[str]]]:
    """A running `moot demo`: its URL, and what it wrote to both streams, complete after the block."""
    written: list[str] = []
    told, other = ("stderr", "stdout") if "--json" in argv else ("stdout", "stderr")
    with (cwd / f"{other}.txt").open("w+", encoding="utf-8") as file:
        command = [*MOOT, "demo", "--port", "0", "--no-browser", *argv]
        streams = {told: subprocess.PIPE, other: file}
        with subprocess.Popen(command, cwd=cwd, env={**ENV, **environment}, text=True, **streams) as process:
            stream = process.stderr if told == "stderr" else process.stdout
            assert stream is not None
            while not (url := next(iter(re.findall(r"http://[\w.:]+", "".join(written))), "")) or (
                not environment and "X-Admin-Key" not in written[-1]
            ):
                written.append(stream.readline())
                assert written[-1]
            try:
                yield url, written
            finally:
                process.send_signal(signal.SIGTERM)
                written.append(stream.read())
        file.seek(0)
        written.append(file.read())
    assert process.returncode == 0


def admin_status(url: str, key: str) -> int:
    return httpx.get(f"{url}/api/v1/admin/stats", headers={"X-Admin-Key": key}, trust_env=False).status_code


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_origins_that_are_none_are_refused_before_the_store_is_made(tmp_path: Path, command: str) -> None:
    data = tmp_path / "data"
    done = ran(command, "--port", "0", cwd=tmp_path, CORS_ORIGINS="*", MOOTHALL_DATA=str(data))
    assert done.returncode == 2
    assert "CORS_ORIGINS" in done.stderr
    assert not data.exists()


@pytest.mark.requirement("NEG-API-01")
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_a_node_is_not_opened_to_others_without_keys(tmp_path: Path, host: str) -> None:
    for command in ("serve", "demo"):
        environment = {"MOOTHALL_HOST": host} if command == "demo" else {}
        argv = ("--host", host) if command == "serve" else ()
        done = ran(command, "--port", "0", *argv, cwd=tmp_path, **environment)
        assert done.returncode == 2
        assert host in done.stderr
        assert "MOOTHALL_API_KEYS" in done.stderr
        assert done.stdout == ""


@pytest.mark.requirement("NEG-API-01")
def test_a_node_with_keys_is_opened_and_asks_for_them(tmp_path: Path) -> None:
    environment = {**ENV, "MOOTHALL_API_KEYS": f"alice:{KEY}"}
    with subprocess.Popen(
        [*MOOT, "serve", "--host", "0.0.0.0", "--port", "0", "--json"],
        cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        assert url.startswith("http://127.0.0.1:")
        demands = f"{url}/api/v1/demand"
        assert httpx.get(demands, trust_env=False).status_code == 401
        mine = {"Authorization": f"Bearer {KEY}"}
        assert httpx.get(demands, headers=mine, trust_env=False).status_code == 200
        owned = ran("agents", "list", "--json", cwd=tmp_path)
        assert owned.returncode == 0, owned.stderr
        process.send_signal(signal.SIGTERM)
    assert process.returncode == 0


def test_a_list_of_keys_that_does_not_fit_stops_a_command_without_being_repeated(tmp_path: Path) -> None:
    done = ran("serve", "--port", "0", cwd=tmp_path, MOOTHALL_API_KEYS=f"alice:{KEY},alice:{KEY}")
    assert done.returncode == 2
    assert "MOOTHALL_API_KEYS" in done.stderr
    assert KEY not in done.stderr + done.stdout


def test_a_list_of_origins_that_does_not_fit_stops_a_command(tmp_path: Path) -> None:
    done = ran("serve", "--port", "0", cwd=tmp_path, CORS_ORIGINS="*")
    assert (done.returncode, done.stdout) == (2, "")
    assert "CORS_ORIGINS" in done.stderr


@pytest.mark.requirement("NEG-OPS-08")
def test_a_demonstration_shows_a_fresh_admin_key_once(tmp_path: Path) -> None:
    keys: list[str] = []
    for argv in ((), ("--json",), ("--verbose",)):
        with demonstration(*argv, cwd=tmp_path) as (url, written):
            (key,) = re.findall(r"X-Admin-Key\): (\S+)", "".join(written))
            assert admin_status(url, key) == 200
            assert [admin_status(url, other) for other in (key[:-1], *keys)] == [403] * (1 + len(keys))
            file = (tmp_path / ".moothall" / "node.json").read_text(encoding="utf-8")
            assert key not in file
        assert "".join(written).count(key) == 1
        keys.append(key)
    assert len(set(keys)) == 3


def test_a_demonstration_with_a_key_of_its_own_shows_none(tmp_path: Path) -> None:
    with demonstration(cwd=tmp_path, ADMIN_API_KEY="chosen-by-me") as (url, written):
        assert admin_status(url, "chosen-by-me") == 200
    assert "chosen-by-me" not in "".join(written)
    assert "X-Admin-Key" not in "".join(written)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("0.0.0.0", "http://127.0.0.1:1"), ("::", "http://[::1]:1"), ("::1", "http://[::1]:1"),
        ("node.example", "http://node.example:1"),
    ],
)  # fmt: skip
def test_a_node_that_listens_everywhere_is_reached_on_loopback(host: str, url: str) -> None:
    assert Address(host, 1).url == url
