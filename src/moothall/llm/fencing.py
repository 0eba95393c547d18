"""Data for a model, fenced: what people and agents wrote is shown, but never speaks (row NEG-PROMPT-11)."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel

from moothall.telemetry import logger

TEXT_CAP: Final = 10_000
"""Characters of a part that is one text, as many as a demand may have."""
STRING_CAP: Final = 2_000
"""Characters of a text inside a part that are shown; profiles have 500."""
PART_CAP: Final = 120_000
"""Characters of one part that are shown: 100 profiles take about 80 000."""
DEPTH_CAP: Final = 30
"""Lists and objects inside each other that are shown."""
CUT: Final = "…"
OPENING: Final = "<≮﹤＜"
"""Every sign that is, or under a mark is, a ``<`` to whoever reads through its form (NFKD)."""

_ALIKE: Final = "\u0250-\u02af\u0370-\u058f\u13a0-\u13ff\u1d00-\u1dbf\ua4d0-\ua4ff\uab30-\uabbf"
"""Letters that look like Latin ones: phonetic, Greek, Cyrillic, Armenian, Cherokee, Lisu, small capitals."""
_FENCE: Final = re.compile(rf"<(?=[/\\\u2044\u2215\u2571\u29f5\u29f8]|data|[a-z]{{0,3}}[{_ALIKE}])")
_SMALLER: Final = ((1_000, 30), (500, 20), (250, 12), (150, 8), (100, 5), (100, 3))
"""What is tried in turn for a part that is too long: characters of each text, items of each list of texts.

No text gets shorter than an id may be."""

_log = logger("llm")


def fenced(parts: Mapping[str, object], cap: int = TEXT_CAP) -> str:
    """All parts, each between ``<data name="…">`` and ``</data>``: text as it is, anything else as JSON.

    Every text in it, keys of objects included, is freed of control and invisible characters, capped (a part that is
    one text at ``cap`` characters), and cannot open or close a fence. A part that is too long is shown with shorter
    texts and lists, but whole: every row of it stays as long as there is any room.
    """
    return "\n\n".join(f'<data name="{name}">\n{_body(name, value, cap)}\n</data>' for name, value in parts.items())


def shown_whole(value: object) -> bool:
    """Whether JSON is shown as it is, without a sign less."""
    return bool(_clean(value) == value)


def plain(text: str, cap: int = STRING_CAP) -> str:
    """One text made harmless."""
    shown = unicodedata.normalize("NFC", text)
    if not shown.isprintable():
        shown = "".join(sign for sign in shown if _visible(sign))
    if any(sign in shown for sign in OPENING):
        shown = _without_fences(shown)
    return _capped(shown, cap)


def _without_fences(text: str) -> str:
    """The text without anything that reads as a fence, or as the end of anything, in whatever signs it is written.

    It is looked for in what remains of the text without marks, blanks and forms: ``＜/ｄａｔａ＞`` and a ``<`` that is
    kept apart from its ``/`` by a variation selector read like a fence, to a model as well.
    """
    bare = [
        (sign, place)
        for place, whole in enumerate(text)
        for sign in unicodedata.normalize("NFKD", whole).casefold()
        if unicodedata.category(sign)[0] not in "MZC"
    ]
    begins = {bare[match.start()][1] for match in _FENCE.finditer("".join(sign for sign, _ in bare))}
    return "".join("‹" if place in begins else sign for place, sign in enumerate(text)) if begins else text


def _body(name: str, value: object, cap: int) -> str:
    if isinstance(value, str):
        return plain(value, cap)
    value = _clean(value)
    text = _json(value)
    if len(text) <= PART_CAP:
        return text
    return _fitting(name, value, len(text))


def _fitting(name: str, value: object, length: int) -> str:
    """The part in as many characters as it may have: shorter texts and lists first, only then fewer rows."""
    smaller = value
    for characters, items in _SMALLER:
        smaller = _smaller(value, characters, items)
        text = _json(smaller)
        if len(text) <= PART_CAP:
            _log.warning(
                "%s: %d characters are too many for a prompt, texts are cut to %d, lists of them to %d",
                *(name, length, characters, items),
            )
            return text
    rows = max(len(found) for found in [*_lists(smaller), []])
    while rows > 1:
        rows //= 2
        text = _json(_fewer(smaller, rows))
        if len(text) <= PART_CAP:
            _log.warning("%s: %d characters are too many for a prompt, %d rows are left", name, length, rows)
            return text
    _log.warning("%s: %d characters are too many for a prompt, it is left out", name, length)
    return _json(CUT)


def _smaller(value: Any, characters: int, items: int) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, str):
        return _capped(value, characters)
    if isinstance(value, dict):
        return {key: _smaller(item, characters, items) for key, item in value.items()}
    if isinstance(value, list):
        texts = all(isinstance(item, str) for item in value)
        return [_smaller(item, characters, items) for item in (value[:items] if texts else value)]
    return value


def _fewer(value: Any, rows: int) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        return {key: _fewer(item, rows) for key, item in value.items()}
    return [_fewer(item, rows) for item in value[:rows]] if isinstance(value, list) else value


def _lists(value: Any) -> list[list[Any]]:  # noqa: ANN401 - any JSON
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return ([value] if isinstance(value, list) else []) + [found for item in inner for found in _lists(item)]


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": "))


def _capped(text: str, cap: int) -> str:
    return text if len(text) <= cap else text[: cap - len(CUT)] + CUT


def _clean(value: Any, depth: int = DEPTH_CAP) -> Any:  # noqa: ANN401 - any JSON
    """The value as JSON that holds harmless texts only."""
    if isinstance(value, BaseModel):
        return _clean(value.model_dump(mode="json"), depth)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping | list | tuple | set | frozenset) and not depth:
        return CUT
    if isinstance(value, Mapping):
        return {plain(str(key), 100): _clean(item, depth - 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(item, depth - 1) for item in value]
    return plain(str(value))


def _visible(sign: str) -> bool:
    """Whether a reader would see it: no control, no format, no surrogate, no private sign; line ends may stay."""
    return sign in "\n\t" or unicodedata.category(sign) not in {"Cc", "Cf", "Cs", "Co", "Cn"}
