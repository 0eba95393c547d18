"""A sandbox of its own for each test, and the hostile modules."""

from collections.abc import AsyncIterator

import pytest

from moothall.codegen.sandbox.monty import MontySandbox


@pytest.fixture
async def sandbox() -> AsyncIterator[MontySandbox]:
    async with MontySandbox(workers=2) as sandbox:
        yield sandbox
