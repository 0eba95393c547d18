"""Base58 and base64url: as others write them, and one text only for the same bytes."""

from __future__ import annotations

import base64

import base58 as oracle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moothall.errors import InvalidInput
from moothall.identity import base58, base64url


@given(st.binary(max_size=100))
@settings(deadline=None)
def test_base58_is_that_of_an_independent_reading(data: bytes) -> None:
    written = base58.encode(data)
    assert written == oracle.b58encode(data).decode()
    assert base58.decode(written) == data


@pytest.mark.parametrize("text", ["0", "O", "I", "l", "abc+", " 2", "2\n", "é", "2" * 257])
def test_what_is_not_base58_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        base58.decode(text)


@given(st.binary(max_size=100))
@settings(deadline=None)
def test_base64url_has_no_padding_and_reads_back(data: bytes) -> None:
    written = base64url.encode(data)
    assert written == base64.urlsafe_b64encode(data).decode().rstrip("=")
    assert base64url.decode(written) == data


@pytest.mark.parametrize("text", ["AA==", "A", "AB+/", "AA A", "AA\n", "AB", "AAB", "é", "AAAAA"])
def test_what_is_not_strictly_base64url_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        base64url.decode(text)
