"""The addresses of a node, as signatures name them."""

from __future__ import annotations

from typing import Any

import pytest

from moothall.errors import SettingsError
from moothall.identity.office import Place
from moothall.identity.site import Origin, Site
from moothall.settings import Settings


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Node.Example:443/", ("https://node.example", "https", "node.example", "node.example", False)),
        ("http://node.example:80", ("http://node.example", "http", "node.example", "node.example", False)),
        ("http://node.example:443", ("http://node.example:443", "http", "node.example:443", "node.example", False)),
        ("https://node.example/a/b//", ("https://node.example/a/b", "https", "node.example", "node.example", False)),
        ("http://[::1]:8420", ("http://[::1]:8420", "http", "[::1]:8420", "::1", True)),
    ],
)
def test_an_address_is_read_as_a_signature_names_it(url: str, origin: tuple[Any, ...]) -> None:
    assert Origin.of(url) == Origin(*origin)


@pytest.mark.parametrize(
    "url", ["", "node.example", "ftp://node.example", "https://", "https://a:b", "https://a?x", "https://a:99999"]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(SettingsError):
        Site(url)


def test_a_node_has_an_address() -> None:
    with pytest.raises(SettingsError):
        Site()


@pytest.mark.parametrize(
    ("host", "sender", "chosen"),
    [
        ("node.example", "203.0.113.7", "https://node.example"),
        ("second.example", "203.0.113.7", "https://second.example"),
        ("localhost:8420", "127.0.0.1", "http://localhost:8420"),
        ("localhost:8420", "::1", "http://localhost:8420"),
        ("localhost:8420", "::ffff:127.0.0.1", "http://localhost:8420"),
        ("localhost:8420", "203.0.113.7", "https://node.example"),
        ("localhost:8420", "", "https://node.example"),
        ("127.0.0.1:8420", "203.0.113.7", "https://node.example"),
        ("127.0.0.1:8420", "127.0.0.1", "http://127.0.0.1:8420"),
        ("evil.example", "127.0.0.1", "https://node.example"),
    ],
)
def test_what_was_signed_for_another_machines_loopback_is_not_for_this_node(
    host: str, sender: str, chosen: str
) -> None:
    site = Site("https://node.example", "https://second.example", "http://localhost:8420", "http://127.0.0.1:8420")
    assert site.addressed(host, sender).url == chosen


def test_a_node_behind_a_proxy_of_its_machine_has_no_address_but_its_public_one() -> None:
    behind = Place.of(Settings(public_url="https://node.example/"), 8420, secure=False)
    site = Site(behind.url, *behind.others)
    for host in ("localhost:8420", "127.0.0.1:8420", "[::1]:8420"):
        assert site.addressed(host, "127.0.0.1").url == "https://node.example"
    alone = Place.of(Settings(), 8420, secure=False)
    assert Site(alone.url, *alone.others).addressed("127.0.0.1:8420", "127.0.0.1").url == "http://127.0.0.1:8420"


def test_a_node_whose_public_address_is_loopback_is_reached_there() -> None:
    assert Site("http://localhost:8420").addressed("localhost:8420", "172.17.0.2").url == "http://localhost:8420"
