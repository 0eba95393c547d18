"""What a call of an HTTP endpoint is as a request."""

from __future__ import annotations

from typing import Any

import pytest

from moothall.calls.ports import Outgoing
from moothall.calls.target import Target
from moothall.errors import ValidationError
from moothall.protocols.http.requests import request_of


def outgoing(address: str = "https://api.example/v1", method: str = "POST", **params: Any) -> Outgoing:
    return Outgoing(
        target=Target.parse(address), params=params, agent="node", timeout=2.5, hops=3, idempotency_key="k1",
        remote={"http_method": method},
    )  # fmt: skip


def test_arguments_of_a_post_are_its_json() -> None:
    sent = request_of(outgoing(a=1, b="ü"), "application/json")
    assert (sent.method, sent.url, sent.content) == ("POST", "https://api.example/v1", '{"a":1,"b":"ü"}'.encode())
    assert sent.headers["Content-Type"] == "application/json"


def test_hops_time_and_key_go_along() -> None:
    headers = request_of(outgoing(), "application/json").headers
    assert headers["X-Moothall-Hops"] == "3"
    assert headers["X-Moothall-Timeout"] == "2.500"
    assert headers["Idempotency-Key"] == "k1"


@pytest.mark.parametrize("method", ["GET", "get", "DELETE"])
def test_arguments_of_a_get_are_its_query(method: str) -> None:
    sent = request_of(outgoing("https://api.example/v1?x=0", method, a=1, flag=True, many=[1, "ü"], none=None), "*/*")
    assert sent.url == "https://api.example/v1?x=0&a=1&flag=true&many=1&many=%C3%BC"
    assert sent.content == b""


def test_arguments_named_in_the_path_go_there() -> None:
    sent = request_of(outgoing("https://api.example/{city}/w", "GET", city="a/b c", days=2), "*/*")
    assert sent.url == "https://api.example/a%2Fb%20c/w?days=2"


@pytest.mark.parametrize("value", ["", ".", "..", None, [1], {"a": 1}])
def test_what_leads_elsewhere_has_no_place_in_the_path(value: object) -> None:
    with pytest.raises(ValidationError):
        request_of(outgoing("https://api.example/{city}/w", "GET", city=value), "*/*")
