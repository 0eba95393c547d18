"""Which of many values fit a schema, for little work in all. Pure."""

from __future__ import annotations

from typing import Final

from moothall.codegen.schemas.running import TOO_MUCH, JsonValue, Stopped
from moothall.codegen.schemas.validation import Schema

_EACH: Final = 20_000
"""Steps for one value."""

_MOST_COSTLY: Final = 3
"""Values that take more than that, after which it is given up."""


class Sieve:
    """Looks at values one after another."""

    def __init__(self, schema: Schema, work: int = _EACH) -> None:
        self._schema = schema
        self._work = work
        self._costly = 0

    def problems(self, value: JsonValue, most: int = 1) -> list[str] | None:
        """What is wrong with a value; None where that would take too much. Raises Stopped after several of those."""
        found = self._schema.problems(value, most, self._work)
        if found and found[-1] == TOO_MUCH:
            self._costly += 1
            if self._costly >= _MOST_COSTLY:
                raise Stopped
            return None
        return found
