"""Identifiers: which there are, which are refused, and the URL each stands for."""

from __future__ import annotations

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moothall.errors import InvalidInput
from moothall.identity.did import Did, DidUrl
from moothall.messages import LANGS, explain

PRINT = "AfMy4nQ0-_GZz0123456789abcdefghijklmnopqrst"
E1, K1 = f"e1_{PRINT}", f"k1_{PRINT}"

VALID = [
    ("did:wba:example.com", "bare", "https://example.com/.well-known/did.json"),
    ("did:wba:example.com%3A3000", "bare", "https://example.com:3000/.well-known/did.json"),
    (f"did:wba:example.com:user:alice:{E1}", "e1", f"https://example.com/user/alice/{E1}/did.json"),
    (f"did:wba:example.com%3A3000:user:alice:{E1}", "e1", f"https://example.com:3000/user/alice/{E1}/did.json"),
    (f"did:wba:example.com:user:{K1}", "k1", f"https://example.com/user/{K1}/did.json"),
    ("did:wba:example.com:user:alice", "legacy", "https://example.com/user/alice/did.json"),
    ("did:wba:example.com%3A65535:42", "legacy", "https://example.com:65535/42/did.json"),
    ("did:wba:localhost%3A8420:a.b:c_d:e-f", "legacy", "https://localhost:8420/a.b/c_d/e-f/did.json"),
    ("did:wba:Example.COM:User", "legacy", "https://example.com/User/did.json"),
    ("did:wba:xn--bcher-kva.example", "bare", "https://xn--bcher-kva.example/.well-known/did.json"),
    ("did:wba:3com.example:123456", "legacy", "https://3com.example/123456/did.json"),
]

REFUSED = [
    "", "did", "did:wba:", "did:web:example.com", "DID:wba:example.com", "did:WBA:example.com", "did:Wba:example.com",
    # addresses are no domains, however a URL may write them
    "did:wba:127.0.0.1", "did:wba:10.0.0.1%3A80:user", "did:wba:127.1", "did:wba:2130706433", "did:wba:0x7f.1", "did:wba:0x7f000001",
    "did:wba:[::1]", "did:wba:::1", "did:wba:example.1",
    # empty parts
    "did:wba:example.com:", "did:wba:example.com::alice", "did:wba:example.com:user:", "did:wba::user", "did:wba:example..com", "did:wba:.example.com", "did:wba:example.com.",
    # ports
    "did:wba:example.com:3000", "did:wba:example.com:3000:user:alice", "did:wba:example.com%3A", "did:wba:example.com%3A0", "did:wba:example.com%3A65536", "did:wba:example.com%3A080",
    "did:wba:example.com%3Ahttp", "did:wba:example.com%3A+80", "did:wba:example.com%3A٣٠", "did:wba:example.com%3A80%3A81",
    # escapes
    "did:wba:example.com%3a3000", "did:wba:example.com%2F3000", "did:wba:example.com%", "did:wba:ex%61mple.com", "did:wba:example.com:us%65r", "did:wba:example.com:user%2Falice", "did:wba:example.com%253A80",
    # what is no segment, or another place than it seems
    "did:wba:example.com:.", "did:wba:example.com:..:user", "did:wba:example.com:user/alice", "did:wba:example.com/user", "did:wba:example.com:user/", "did:wba:example.com:us er", "did:wba:example.com:user?x", "did:wba:user@example.com", "did:wba:example.com#key-1",
    "did:wba:exa_mple.com", "did:wba:-example.com", "did:wba:example-.com", f"did:wba:{'a' * 64}.com", f"did:wba:{'.'.join(['a' * 49] * 6)}",
    # NUL, line ends and foreign letters
    "did:wba:example.com\0", "did:wba:example.com:us\0er", "did:wba:example.com\n", "did:wba:example.com:user\n", " did:wba:example.com", "did:wba:bücher.example", "did:wba:example.com:üser", "did:wba:ｅxample.com", "did:wba:example.com:user\u200b",
    # fingerprints
    f"did:wba:example.com:{E1}", f"did:wba:example.com:{K1}", "did:wba:example.com:user:e1_", "did:wba:example.com:user:e1_short", f"did:wba:example.com:user:{E1}x", f"did:wba:example.com:user:{E1[:-1]}.",
    # length
    "did:wba:example.com:" + "a" * 1005,
]  # fmt: skip

LABEL = st.text(string.ascii_lowercase, min_size=1, max_size=8)
SEGMENT = st.text(string.ascii_letters + string.digits + "-_.", min_size=1, max_size=12).filter(
    lambda text: text.strip(".") and not text.startswith(("e1_", "k1_"))
)


@pytest.mark.requirement("WIRE-DID-01", "WIRE-DID-02")
@pytest.mark.parametrize(("text", "kind", "url"), VALID)
def test_an_identifier_prints_back_byte_for_byte_and_stands_for_one_url(text: str, kind: str, url: str) -> None:
    did = Did.parse(text)
    assert str(did) == did.text == text
    assert did.kind == kind
    assert did.document_url() == url
    assert did.document_url(insecure=True) == url.replace("https:", "http:")
    assert did.key_bound is (kind in {"e1", "k1"})
    assert did.fingerprint == (PRINT if did.key_bound else "")


@pytest.mark.requirement("WIRE-DID-01")
@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_identifier_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        Did.parse(text)


@pytest.mark.parametrize("text", ["did:wba:hunter2_", "did:wba:example.com:hunter2%", "did:wba:hunter2.1", "did:wba:example.com%hunter2", "hunter2", "did:wba:example.com:e1_hunter2"])  # fmt: skip
def test_what_was_submitted_is_never_repeated(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Did.parse(text)
    for lang in LANGS:
        told = explain(caught.value, lang)
        assert "hunter2" not in " ".join(told)
        assert told.why != str(caught.value)


@pytest.mark.requirement("WIRE-DID-01")
@given(st.lists(LABEL, min_size=1, max_size=3), st.none() | st.integers(1, 65535), st.lists(SEGMENT, max_size=4))
@settings(deadline=None)
def test_domain_and_path_make_an_identifier_that_says_the_same(
    labels: list[str], port: int | None, path: list[str]
) -> None:
    host = ".".join(labels)
    domain = host if port is None else f"{host}:{port}"
    if port is None and path and path[0].isdecimal() and len(path[0]) <= 5 and path[0][0] != "0":
        with pytest.raises(InvalidInput):
            Did.at(domain, path)
        return
    did = Did.at(domain, path)
    assert (did.host, did.port, did.path, did.domain) == (host, port, tuple(path), domain)
    assert Did.parse(str(did)) == did
    assert did.document_url() == f"https://{domain}/{'/'.join(path) or '.well-known'}/did.json"


@given(st.text(max_size=40) | st.text("did:wba%3A.-_e1k\0/#?@[]", max_size=60).map("did:wba:".__add__))
@settings(deadline=None)
def test_any_text_is_an_identifier_that_prints_back_or_is_refused(text: str) -> None:
    try:
        did = Did.parse(text)
    except InvalidInput:
        return
    assert str(did) == text
    assert did.document_url().count("//") == 1
    assert ".." not in did.document_url().split("/")


@pytest.mark.parametrize("domain", ["127.0.0.1", "127.0.0.1:80", "::1", "[::1]:80", "[::1]", "", "a:b", "example.com:99999", "a b"])  # fmt: skip
def test_no_identifier_is_made_for_what_is_no_domain(domain: str) -> None:
    with pytest.raises(InvalidInput):
        Did.at(domain, ["user"])


def test_identifiers_are_the_same_byte_for_byte_only() -> None:
    assert Did.parse("did:wba:example.com") == Did.parse("did:wba:example.com")
    assert Did.parse("did:wba:example.com") != Did.parse("did:wba:Example.com")
    assert len({Did.parse("did:wba:example.com:a"), Did.parse("did:wba:example.com:A")}) == 2


def test_a_did_url_names_a_part_of_the_document() -> None:
    url = DidUrl.parse(f"did:wba:example.com:user:{E1}#key-1")
    assert (url.did.kind, url.fragment, str(url)) == ("e1", "key-1", f"did:wba:example.com:user:{E1}#key-1")


@pytest.mark.parametrize("text", ["did:wba:example.com", "did:wba:example.com#", "#key-1", "did:wba:example.com#a#b", "did:wba:example.com#k y", "did:wba:example.com#k\0", 'did:wba:example.com#"', "did:wba:example.com:#key-1", "did:wba:example.com#" + "k" * 1010])  # fmt: skip
def test_what_names_no_part_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        DidUrl.parse(text)


@pytest.mark.requirement("WIRE-DID-05")
def test_a_path_without_a_fingerprint_needs_permission() -> None:
    legacy = Did.parse("did:wba:example.com:user:alice")
    legacy.check_allowed(allow_legacy=True)
    with pytest.raises(InvalidInput) as caught:
        legacy.check_allowed(allow_legacy=False)
    assert "allow_legacy_did" in explain(caught.value, "en").why
    for text in ("did:wba:example.com", f"did:wba:example.com:user:{E1}", f"did:wba:example.com:user:{K1}"):
        Did.parse(text).check_allowed(allow_legacy=False)
