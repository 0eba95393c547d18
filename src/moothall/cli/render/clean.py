"""Text of strangers is data: what would steer a terminal or reverse a line never reaches one. Pure."""

from __future__ import annotations

import re
from typing import Any

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_].*?(?:\x1b\\|\x07|\x9c|$)|[ -/]*[0-~])", re.DOTALL)
"""Escape sequences as a whole, so that their visible rest goes with them."""

_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]")
_SPACES = re.compile(r"[\s\u2028\u2029]+")
_C1 = re.compile("[\x7f-\x9f]")


def clean(value: str) -> str:
    """The text without control characters and direction marks; line breaks stay."""
    return _CONTROLS.sub("", _ESCAPES.sub("", value))


def clean_line(value: str) -> str:
    """The text as one line."""
    return _SPACES.sub(" ", _CONTROLS.sub("", _ESCAPES.sub("", value).replace("\r", "\n"))).strip()


def clean_all(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Any JSON value with every text in it, keys included, as one clean line."""
    if isinstance(value, str):
        return clean_line(value)
    if isinstance(value, dict):
        return {clean_line(str(key)): clean_all(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [clean_all(item) for item in value]
    return value


def safe_json(line: str) -> str:
    """JSON whose controls of the C1 range are escaped, which JSON itself would let through to a terminal."""
    return _C1.sub(lambda match: f"\\u{ord(match[0]):04x}", line)
