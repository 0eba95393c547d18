"""The package's own vocabulary, gazetteer and activities, and a reader bound to them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from moothall.directory.activities import load_activities
from moothall.directory.concepts import load_vocabulary
from moothall.directory.places import load_gazetteer
from moothall.negotiation.demand.extract.sentence import extract

if TYPE_CHECKING:
    from collections.abc import Callable

    from moothall.negotiation.demand.extract.model import Extraction

TODAY = date(2026, 11, 21)


@pytest.fixture(scope="session")
def read() -> Callable[..., Extraction]:
    """Extract from a sentence said on Saturday, 21 November 2026, unless another day is given."""
    vocabulary, gazetteer, activities = load_vocabulary(), load_gazetteer(), load_activities()

    def reader(text: str, today: date = TODAY) -> Extraction:
        return extract(text, today, vocabulary, gazetteer, activities)

    return reader
