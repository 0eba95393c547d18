"""Data for a model, fenced: what people and agents wrote is shown, but never speaks (row NEG-PROMPT-11)."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel

TEXT_CAP: Final = 10_000
"""Characters of a part that is one text, as many as a demand may have."""
STRING_CAP: Final = 2_000
"""Characters of a text inside a part that are shown; profiles have 500."""
PART_CAP: Final = 120_000
"""Characters of one part that are shown: 100 profiles take about 80 000."""
CUT: Final = "…"

_FENCE: Final = re.compile(r"<(?=\s*/?\s*data\b)", re.IGNORECASE)


def fenced(parts: Mapping[str, object]) -> str:
    """All parts, each between ``<data name="…">`` and ``</data>``: text as it is, anything else as JSON.

    Every text in it, keys of objects included, is freed of control and invisible characters, capped, and cannot
    open or close a fence.
    """
    return "\n\n".join(f'<data name="{name}">\n{_body(value)}\n</data>' for name, value in parts.items())


def plain(text: str, cap: int = STRING_CAP) -> str:
    """One text made harmless."""
    shown = unicodedata.normalize("NFC", text)
    if not shown.isprintable():
        shown = "".join(sign for sign in shown if _visible(sign))
    shown = _FENCE.sub("‹", shown)
    return shown if len(shown) <= cap else shown[: cap - len(CUT)] + CUT


def _body(value: object) -> str:
    if isinstance(value, str):
        return plain(value, TEXT_CAP)
    return _cut(json.dumps(_clean(value), ensure_ascii=False, separators=(", ", ": ")))


def _cut(text: str) -> str:
    return text if len(text) <= PART_CAP else text[: PART_CAP - len(CUT)] + CUT


def _clean(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """The value as JSON that holds harmless texts only."""
    if isinstance(value, BaseModel):
        return _clean(value.model_dump(mode="json"))
    if isinstance(value, Mapping):
        return {plain(str(key), 100): _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(item) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return plain(str(value))


def _visible(sign: str) -> bool:
    """Whether a reader would see it: no control, no format, no surrogate, no private sign; line ends may stay."""
    return sign in "\n\t" or unicodedata.category(sign) not in {"Cc", "Cf", "Cs", "Co", "Cn"}
