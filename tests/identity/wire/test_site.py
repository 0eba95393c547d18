"""The addresses of a node, as signatures name them."""

from __future__ import annotations

import pytest

from moothall.errors import SettingsError
from moothall.identity.site import Origin, Site
from moothall.identity.standing import of_tables


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Node.Example:443/", ("https://node.example", "https", "node.example", "node.example")),
        ("http://node.example:80", ("http://node.example", "http", "node.example", "node.example")),
        ("http://node.example:443", ("http://node.example:443", "http", "node.example:443", "node.example")),
        ("https://node.example/a/b//", ("https://node.example/a/b", "https", "node.example", "node.example")),
        ("http://[::1]:8420", ("http://[::1]:8420", "http", "[::1]:8420", "::1")),
    ],
)
def test_an_address_is_read_as_a_signature_names_it(url: str, origin: tuple[str, ...]) -> None:
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


def test_tables_of_the_settings_are_a_standing() -> None:
    standing = of_tables({"did:wba:a.example": ("pay", "read")}, ("did:wba:b.example",))
    assert standing.granted("did:wba:a.example") == {"pay", "read"}
    assert standing.granted("did:wba:b.example") == frozenset()
    assert standing.suspended("did:wba:b.example")
    assert not standing.suspended("did:wba:a.example")
    assert not standing.own("did:wba:a.example")
