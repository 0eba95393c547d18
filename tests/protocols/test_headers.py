"""Headers that the doors read and write alike."""

from __future__ import annotations

import pytest

from moothall.errors import MethodNotAllowed, ModelUnavailable, MoothallError, Overloaded, RateLimited, UsageError
from moothall.protocols.headers import failure_headers, repeated, unchanged


@pytest.mark.parametrize(
    ("known", "same"),
    [
        ([], False),
        ([b'"abc"'], True),
        ([b'W/"abc"'], True),
        ([b'"x", W/"abc" ,"y"'], True),
        ([b'"x"', b'"abc"'], True),
        ([b"*"], True),
        ([b'"abcd"'], False),
        ([b'"xabc"'], False),
        ([b"abc"], False),
        ([b'"x,"abc"'], False),
        ([b'"x" *'], False),
    ],
)
def test_a_reader_names_whole_tags(known: list[bytes], *, same: bool) -> None:
    headers = [(b"host", b"h"), *((b"if-none-match", value) for value in known)]
    assert unchanged(headers, b'"abc"') == same
    assert unchanged(headers, b'W/"abc"') == same


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ([b"accept", b"accept", b"content-type"], ""),
        ([b"accept", b"content-type", b"content-type"], "content-type"),
        ([b"idempotency-key", b"host", b"idempotency-key"], "idempotency-key"),
        ([b"x-moothall-hops", b"x-moothall-hops"], "x-moothall-hops"),
        ([b"x-moothall-timeout", b"x-moothall-timeout"], "x-moothall-timeout"),
    ],
)
def test_what_must_stand_once_is_named_where_it_stands_twice(names: list[bytes], found: str) -> None:
    headers = [(name, b"1") for name in names]
    assert repeated(headers, dict(headers)) == found


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (RateLimited("x", details={"retry_after": 1.2}), {"retry-after": "2"}),
        (RateLimited("x", details={"retry_after": 0}), {"retry-after": "1"}),
        (Overloaded("x"), {"retry-after": "2"}),
        (ModelUnavailable("x", details={"retry_after": "soon"}), {"retry-after": "2"}),
        (MethodNotAllowed("x", details={"allowed": ["GET", "HEAD"]}), {"allow": "GET, HEAD"}),
        (UsageError("x", details={"retry_after": 5, "allowed": ["GET"]}), {}),
    ],
)
def test_an_error_says_when_to_come_again_and_what_is_allowed(error: MoothallError, told: dict[str, str]) -> None:
    found = {name.decode(): value.decode() for name, value in failure_headers(error, "en")}
    assert found == {"content-language": "en", **told}
