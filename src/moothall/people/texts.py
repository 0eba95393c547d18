"""Texts that callers send and that go into the store, if only to be looked for."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator


def _storable(text: str) -> str:
    """A text without U+0000 and halves of pairs: PostgreSQL takes neither, and would seem to have failed."""
    if "\x00" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        message = "a sign in it cannot be stored"
        raise ValueError(message)
    return text


Text = Annotated[str, AfterValidator(_storable)]
"""A text that every database keeps."""
