"""A gate for each test: a verifier over a store of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.identity.wire.gate import Decisions, Gate, Party, Registry, close_gate, open_gate, party


@pytest.fixture
def registry() -> Registry:
    return Registry()


@pytest.fixture
def decisions() -> Decisions:
    return Decisions()


@pytest.fixture
def alice(registry: Registry) -> Party:
    found = party()
    registry.add(found)
    return found


@pytest.fixture
async def gate(tmp_path: Path, registry: Registry, decisions: Decisions) -> AsyncIterator[Gate]:
    opened = await open_gate(tmp_path / "node", registry, decisions=decisions)
    yield opened
    await close_gate(opened)


@pytest.fixture
async def older_gate(tmp_path: Path, registry: Registry, decisions: Decisions) -> AsyncIterator[Gate]:
    """A gate that accepts the older header."""
    opened = await open_gate(tmp_path / "older", registry, decisions=decisions, older=True)
    yield opened
    await close_gate(opened)
