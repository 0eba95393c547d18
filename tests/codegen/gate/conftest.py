"""A sandbox, and the gate in front of it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from moothall.codegen.gate import Gate
from moothall.codegen.sandbox.monty import MontySandbox
from moothall.codegen.sandbox.port import Sandbox


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with MontySandbox(workers=2) as opened:
        yield opened


@pytest.fixture
def gate(sandbox: Sandbox) -> Gate:
    return Gate(sandbox)
