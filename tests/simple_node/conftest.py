"""A gate that takes no time."""

from __future__ import annotations

import pytest

from moothall.codegen.sandbox.port import Sandbox
from moothall.hosting import agreeing
from tests.protocols.anp.front_town import EasyJudge


@pytest.fixture(autouse=True)
def _easy_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the gate refuses is the business of its own tests, and takes its time."""

    def easy(_sandbox: Sandbox) -> EasyJudge:
        return EasyJudge()

    monkeypatch.setattr(agreeing, "Gate", easy)
