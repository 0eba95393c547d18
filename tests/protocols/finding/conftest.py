"""A certificate authority of the test's own."""

from __future__ import annotations

import ssl

import pytest
import trustme

from tests.identity.net.far_side import NAMES, Authority


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    ca = trustme.CA()
    file = tmp_path_factory.mktemp("authority") / "ca.pem"
    ca.cert_pem.write_to_path(str(file))
    return Authority(ca, file)


@pytest.fixture(scope="session")
def tls(authority: Authority) -> ssl.SSLContext:
    """The TLS of a server that may be called by every name of the tests."""
    return authority.server(*NAMES)
