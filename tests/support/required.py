"""Services that tests need: where one is missing its tests are skipped, unless `MOOTHALL_TEST_REQUIRE` demands it."""

from __future__ import annotations

import os

import pytest

REQUIRED = frozenset(filter(None, os.environ.get("MOOTHALL_TEST_REQUIRE", "").split(",")))
"""A comma list: ``postgres``, ``chromium`` (a browser), ``page`` (the built page), ``suite`` (what judges MCP)."""


def absence(service: str, reason: str) -> BaseException:
    """What a test raises that cannot have the service."""
    if service in REQUIRED:
        return pytest.fail.Exception(f"{reason}, and MOOTHALL_TEST_REQUIRE demands it", pytrace=False)
    return pytest.skip.Exception(reason)
