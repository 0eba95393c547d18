"""What a request is addressed to."""

from __future__ import annotations

from typing import Any

import pytest

from moothall.errors import InvalidInput
from moothall.protocols.addressed import TARGET, check_target, target_of


def scope(target: bytes | None, *hosts: bytes, **more: Any) -> dict[str, Any]:
    told = {} if target is None else {TARGET: target}
    return {"path": "/x", "raw_path": b"/x", "query_string": b"", "headers": [(b"host", host) for host in hosts],
            **told, **more}  # fmt: skip


@pytest.mark.parametrize(
    ("target", "kept"),
    [
        (b"/x", b"/x"), (b"/x?", b"/x?"), (b"/%41?b=%63&", b"/%41?b=%63&"), (b"//x//y?/", b"//x//y?/"), (b"*", b"*"),
        (b"http://a.example/x?", b"/x?"), (b"HTTPS://a.example/%41", b"/%41"), (b"http://a.example?x", b"?x"),
    ],
)  # fmt: skip
def test_path_and_query_stay_as_they_were_received(target: bytes, kept: bytes) -> None:
    assert target_of(scope(target)) == kept


def test_another_server_tells_path_and_query_apart() -> None:
    assert target_of(scope(None, query_string=b"a=1")) == b"/x?a=1"
    assert target_of(scope(None)) == b"/x"
    check_target(scope(None))


@pytest.mark.parametrize(
    ("target", "host"),
    [
        (b"/x", b"a.example"), (b"*", b"a.example"), (b"http://a.example/x", b"a.example"),
        (b"http://A.example:80/x", b"a.Example"), (b"https://a.example", b"a.example:443"),
        (b"http://[::1]:8420/x", b"[::1]:8420"),
    ],
)  # fmt: skip
def test_an_address_of_the_host_that_was_asked_passes(target: bytes, host: bytes) -> None:
    check_target(scope(target, host))


@pytest.mark.parametrize(
    "target",
    [
        b"/x#y", b"/x?y#", b"http://b.example/x", b"http://a.example:81/x", b"http://a.example@b.example/x",
        b"http://b.example@a.example/x", b"http:///x", b"http://a.example.b.example/", b"ftp://a.example/x", b"x",
        b"a.example:80", b"http://a.example/x#y", b"https://a.example:80/x", b"http://a.example\\@b.example/",
    ],
)  # fmt: skip
def test_an_address_with_two_meanings_is_refused(target: bytes) -> None:
    with pytest.raises(InvalidInput):
        check_target(scope(target, b"a.example"))


def test_an_absolute_address_without_a_host_is_refused() -> None:
    with pytest.raises(InvalidInput):
        check_target(scope(b"http://a.example/x"))
