"""Text that came where a value was meant: some protocols have answers without structure."""

from __future__ import annotations

from typing import Any

from moothall.canonical import strict_json


class Unstructured(str):
    """The text of an answer: the value where the annotation takes a text, else it may hold the value as JSON."""

    __slots__ = ()

    def parsed(self) -> Any:  # noqa: ANN401 - JSON of any shape
        """The value that it holds; None where it is no JSON."""
        try:
            return strict_json(self.encode())
        except ValueError:
            return None
