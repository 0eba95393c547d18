"""`moot serve --tls`: https with a certificate of the node's own, and two nodes that call each other over it, signed."""

from __future__ import annotations

import json
import ssl
import stat
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from moothall.clock import SystemClock
from moothall.identity.devca import development_tls
from moothall.identity.signing import sign_request
from tests.support.program import Served, ran, serving

ADD = Path(__file__).parents[2] / "examples" / "add.py"
CAPABILITY = "/api/v1/capabilities/add"

pytestmark = pytest.mark.timeout(120)


def trusting(authority: Path) -> httpx.Client:
    return httpx.Client(verify=ssl.create_default_context(cafile=authority), trust_env=False)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Served]]:
    """Two nodes with their own authorities, each of which may reach and trusts the other."""
    place = tmp_path_factory.mktemp("pair")
    now = SystemClock().now()
    authorities = [development_tls(place / name, ["127.0.0.1"], now).authority for name in ("one", "two")]
    (place / "both.pem").write_text("".join(path.read_text() for path in authorities))
    trust = {"MOOTHALL_EGRESS_CA": "both.pem", "MOOTHALL_EGRESS_ALLOW": "localhost"}
    with (
        serving(ADD, "--tls", cwd=place, data="one", **trust) as one,
        serving("--tls", cwd=place, data="two", **trust) as two,
    ):
        yield one, two


def test_it_serves_https_by_an_authority_that_its_node_file_names(pair: tuple[Served, Served]) -> None:
    one, _ = pair
    known = json.loads((one.data / "node.json").read_text(encoding="utf-8"))
    assert one.url.startswith("https://localhost:")
    assert (known["url"], Path(known["authority"])) == (one.url, one.data / "tls" / "ca.pem")
    with trusting(one.data / "tls" / "ca.pem") as client:
        assert client.post(f"{one.url}{CAPABILITY}", json={"a": 1, "b": 2}).json()["data"] == 3
        assert client.get(f"{one.url}/agents/node/ad.json").json()["did"] == one.did()
    with pytest.raises(httpx.ConnectError), httpx.Client(trust_env=False) as stranger:
        stranger.get(one.url)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (one.data / "tls").iterdir()}
    assert modes == dict.fromkeys(("ca.key", "ca.pem", "server.key", "server.pem"), 0o600)


def test_the_commands_of_its_folder_trust_it(pair: tuple[Served, Served]) -> None:
    one, _ = pair
    called = ran("call", "local:add", "a=1", "b=2", "--data", one.data, cwd=one.data.parent)
    assert (called.stdout, called.stderr) == ("3\n", "")
    checks = ran("doctor", "--data", one.data, "--json", cwd=one.data.parent)
    rows = [json.loads(line) for line in checks.stdout.splitlines()]
    assert {row["check"]: row["grade"] for row in rows if "check" in row}["node"] == "ok"


def test_another_node_calls_it_by_its_did_and_is_known_by_its_own(pair: tuple[Served, Served]) -> None:
    one, two = pair
    done = ran("call", f"{one.did()}#add", "a=3", "b=4", "--data", two.data, cwd=two.data.parent)
    assert (done.stdout, done.returncode) == ("7\n", 0), done.stderr
    assert f"node.add by {two.did()} at anp: ok" in one.log


@pytest.mark.parametrize(
    ("sent", "status", "error"),
    [(b'{"a": 3, "b": 4}', 200, ""), (b'{"a": 3, "b": 5}', 401, "invalid_content_digest")],
    ids=["as signed", "tampered with"],
)
def test_a_body_that_is_not_the_signed_one_is_refused(
    pair: tuple[Served, Served], sent: bytes, status: int, error: str
) -> None:
    one, two = pair
    signer = two.identity().signer
    url = f"{one.url}{CAPABILITY}"
    proof = sign_request(signer, "POST", url, b'{"a": 3, "b": 4}', now=int(SystemClock().now().timestamp()))
    with trusting(one.data / "tls" / "ca.pem") as client:
        answer = client.post(url, content=sent, headers={**proof, "Content-Type": "application/json"})
    assert answer.status_code == status
    assert answer.json().get("challenge", {}).get("error", "") == error
    assert answer.json().get("data") == (7 if status == 200 else None)


def test_a_node_that_is_not_listed_or_not_trusted_is_not_called(pair: tuple[Served, Served], tmp_path: Path) -> None:
    one, _ = pair
    target = f"{one.did()}#add"
    unlisted = ran("call", target, "a=3", "b=4", "--lang", "en", cwd=tmp_path)
    assert unlisted.returncode == 2
    assert "MOOTHALL_EGRESS_ALLOW" in unlisted.stderr
    untrusted = ran("call", target, "a=3", "b=4", cwd=tmp_path, MOOTHALL_EGRESS_ALLOW="localhost")
    assert untrusted.returncode == 8, untrusted.stderr


def test_the_authority_stays_over_restarts(tmp_path: Path) -> None:
    authority = tmp_path / "data" / "tls" / "ca.pem"
    seen = []
    for _ in range(2):
        with serving("--tls", cwd=tmp_path, data="data") as node, trusting(authority) as client:
            seen.append(authority.read_bytes())
            assert client.get(f"{node.url}/health").status_code == 200
    assert seen[0] == seen[1]


def test_half_a_certificate_is_refused(tmp_path: Path) -> None:
    done = ran("serve", "--port", "0", cwd=tmp_path, MOOTHALL_TLS_CERT="cert.pem")
    assert done.returncode == 2
    assert "MOOTHALL_TLS_KEY" in done.stderr
