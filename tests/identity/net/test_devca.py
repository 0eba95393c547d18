"""Certificates for development: made once, kept, renewed in time, and of no use for other names."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from moothall.errors import InvalidInput, StorageError, UpstreamError
from moothall.identity.allowed import Allowed
from moothall.identity.certificates import Credential, new_server
from moothall.identity.devca import TlsFiles, development_tls
from moothall.identity.egress import Egress
from tests.identity.net.far_side import Names, far_side, reply

NOW = datetime.now(UTC).replace(microsecond=0)


def context(files: TlsFiles) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(files.chain, files.key)
    return made


def contents(files: TlsFiles) -> tuple[bytes, bytes]:
    return files.authority.read_bytes(), files.chain.read_bytes()


async def reached(files: TlsFiles, tls: ssl.SSLContext, host: str) -> int:
    """The status that a client sees which trusts the authority alone for names of this test."""
    names = Names(
        localhost=("127.0.0.1",), node_lan=("127.0.0.1",), bank_example=("127.0.0.1",), alice_localhost=("127.0.0.1",)
    )
    client = Egress(
        Allowed.parsed("localhost,node.lan,bank.example,alice.localhost,127.0.0.1"), ca=files.authority, lookup=names
    )
    try:
        async with far_side(reply(), tls) as side:
            return (await client.request("GET", side.url(host))).status
    finally:
        await client.aclose()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "node.lan"])
async def test_who_trusts_the_authority_reaches_the_node_by_each_of_its_names(tmp_path: Path, host: str) -> None:
    files = development_tls(tmp_path, ["Node.LAN", "0.0.0.0", "::"], NOW)
    assert await reached(files, context(files), host) == 200


async def test_the_authority_counts_for_no_other_name(tmp_path: Path) -> None:
    files = development_tls(tmp_path, ["node.lan"], NOW)
    authority = Credential.read(files.authority.read_bytes(), (tmp_path / "tls" / "ca.key").read_bytes())
    assert authority is not None
    forged = new_server({"bank.example"}, authority, NOW)
    (tmp_path / "forged.pem").write_bytes(forged.certificate_pem() + authority.certificate_pem())
    (tmp_path / "forged.key").write_bytes(forged.key_pem())
    with pytest.raises(UpstreamError) as caught:
        await reached(
            files, context(TlsFiles(tmp_path / "forged.pem", tmp_path / "forged.key", files.authority)), "bank.example"
        )
    assert "permitted subtree" in str(caught.value.__cause__)


async def test_a_name_below_localhost_may_be_asked_for(tmp_path: Path) -> None:
    files = development_tls(tmp_path, ["alice.localhost"], NOW)
    assert await reached(files, context(files), "alice.localhost") == 200


def test_nobody_else_can_read_the_keys(tmp_path: Path) -> None:
    files = development_tls(tmp_path, [], NOW)
    folder = tmp_path / "tls"
    assert sorted(path.name for path in folder.iterdir()) == ["ca.key", "ca.pem", "server.key", "server.pem"]
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert files.key == folder / "server.key"


def test_a_second_start_changes_nothing(tmp_path: Path) -> None:
    before = contents(development_tls(tmp_path, ["node.lan"], NOW))
    assert contents(development_tls(tmp_path, ["node.lan"], NOW + timedelta(days=274))) == before


def test_the_server_gets_a_new_certificate_before_the_old_one_ends_and_the_authority_stays(tmp_path: Path) -> None:
    authority, chain = contents(development_tls(tmp_path, [], NOW))
    later = NOW + timedelta(days=276)
    files = development_tls(tmp_path, [], later)
    assert files.authority.read_bytes() == authority
    assert files.chain.read_bytes() != chain
    assert x509.load_pem_x509_certificate(files.chain.read_bytes()).not_valid_after_utc > later + timedelta(days=300)


def test_the_authority_ends_no_earlier_than_what_it_vouches_for(tmp_path: Path) -> None:
    authority, _ = contents(development_tls(tmp_path, [], NOW))
    files = development_tls(tmp_path, [], NOW + timedelta(days=3300))
    assert files.authority.read_bytes() != authority
    chain = x509.load_pem_x509_certificates(files.chain.read_bytes())
    assert chain[0].not_valid_after_utc <= chain[1].not_valid_after_utc


def test_a_further_name_makes_a_further_authority_and_fewer_names_do_not(tmp_path: Path) -> None:
    first = contents(development_tls(tmp_path, [], NOW))
    second = contents(development_tls(tmp_path, ["node.lan", "10.0.0.7"], NOW))
    third = contents(development_tls(tmp_path, ["10.0.0.7"], NOW))
    assert first[0] != second[0] == third[0]
    assert second[1] != third[1]


@pytest.mark.parametrize("name", ["ca.pem", "ca.key", "server.pem", "server.key"])
@pytest.mark.parametrize("damage", ["gone", "garbage", "of another node"])
def test_what_is_damaged_is_made_anew(tmp_path: Path, name: str, damage: str) -> None:
    development_tls(tmp_path / "here", [], NOW)
    other = development_tls(tmp_path / "there", [], NOW).key.parent / name
    path = tmp_path / "here" / "tls" / name
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(b"garbage" if damage == "garbage" else other.read_bytes())
    files = development_tls(tmp_path / "here", [], NOW)
    chain = x509.load_pem_x509_certificates(files.chain.read_bytes())
    chain[0].verify_directly_issued_by(x509.load_pem_x509_certificate(files.authority.read_bytes()))
    context(files)


def test_a_key_that_others_could_read_is_not_used_any_more(tmp_path: Path) -> None:
    authority, _ = contents(development_tls(tmp_path, [], NOW))
    (tmp_path / "tls" / "ca.key").chmod(0o644)
    assert development_tls(tmp_path, [], NOW).authority.read_bytes() != authority
    assert (tmp_path / "tls" / "ca.key").stat().st_mode & 0o777 == 0o600


def test_a_link_in_place_of_a_key_is_refused(tmp_path: Path) -> None:
    development_tls(tmp_path, [], NOW)
    key = tmp_path / "tls" / "server.key"
    key.rename(tmp_path / "elsewhere")
    key.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StorageError):
        development_tls(tmp_path, [], NOW)


@pytest.mark.parametrize("name", ["", "a b", "http://node.lan", "127.1", "bücher.example"])
def test_what_is_no_host_gets_no_certificate(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput):
        development_tls(tmp_path, [name], NOW)


def test_no_key_is_shown(tmp_path: Path) -> None:
    files = development_tls(tmp_path, [], NOW)
    pair = Credential.read(files.chain.read_bytes(), files.key.read_bytes())
    assert "key=" not in repr(pair)
