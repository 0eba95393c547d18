"""The base of what a model fills in: strict in what comes out, lenient in what comes in (row NEG-PROMPT-10).

A draft holds the specification's output and nothing else. Models write ``"Accept"`` for ``accept``, ``"85%"`` for 85,
``null`` for an empty list, and one text where a list belongs; none of that is worth a second call. Annotate the fields
of a draft with the types of this module, and give every field a default that may be missing.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from moothall.directory.profiles import MOST_MONEY
from moothall.negotiation.demand.rules.phrasing import clean

WORD_CAP, LINE_CAP, TEXT_CAP = 60, 200, 800
"""Characters kept of a tag or name, of a sentence, and of a paragraph."""
MOST_ITEMS = 100
"""Entries of a list that are looked at."""
_NUMBER = re.compile(r"[¥$€£]?\s*([+-]?\d[\d,]*(?:\.\d+)?)\s*(%|元|CNY)?", re.IGNORECASE)
_WORDED = {"high": 0.9, "medium": 0.6, "low": 0.3}


class Draft(BaseModel):
    """What a model fills in: immutable, keys in any case, unknown keys ignored, ``null`` as good as left out."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _forgiven(cls, value: Any) -> Any:  # noqa: ANN401 - whatever a model wrote
        """Bring the keys to their spelling and drop the ones without a value."""
        if not isinstance(value, Mapping):
            return value
        fields = cls.model_fields
        spelled = {(name if name in fields else _word(name)): given for name, given in value.items()}
        return {
            name: given
            for name, given in spelled.items()
            if not (given is None and name in fields and not fields[name].is_required())
        }


def _word(value: Any) -> Any:  # noqa: ANN401 - whatever a model wrote
    """A word of a closed list in any case, with spaces for underscores, in quotation marks."""
    if not isinstance(value, str):
        return value
    return re.sub(r"[\s\-]+", "_", value.strip(" \t\r\n\"'“”‘’`.。").casefold())


def _text(value: Any, cap: int) -> Any:  # noqa: ANN401 - whatever a model wrote
    """Text on one line and capped; several texts become one."""
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        value = "; ".join(value)
    if isinstance(value, int | float):
        value = str(value)
    return clean(value, cap) if isinstance(value, str) else value


def _many(value: Any) -> Any:  # noqa: ANN401 - whatever a model wrote
    """One thing where several belong is a list of one; no text is no entry."""
    if isinstance(value, str | Mapping):
        value = [value] if value else []
    if not isinstance(value, list | tuple):
        return value
    kept = [item for item in value if item is not None and not (isinstance(item, str) and not item.strip())]
    return kept[:MOST_ITEMS]


def finite(value: Any) -> float:  # noqa: ANN401 - whatever a model wrote
    """A figure, also as text; ``"85%"`` is 0.85.

    Raises:
        ValueError: that is no finite number.
    """
    scale = 1.0
    if isinstance(value, str):
        found = _NUMBER.fullmatch(unicodedata.normalize("NFKC", value).strip())
        if found is None:
            message = "is not a number"
            raise ValueError(message)
        value, scale = found[1].replace(",", ""), 0.01 if found[2] == "%" else 1.0
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        message = "is not a number"
        raise ValueError(message)  # noqa: TRY004 - pydantic reports a ValueError to the model, and lets a TypeError pass
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        message = "is not a finite number"
        raise ValueError(message)
    return number * scale


def _share(value: Any) -> float:  # noqa: ANN401 - whatever a model wrote
    """Certainty from 0 to 1: ``0.9``, ``"90%"``, ``90`` and ``"high"`` are all understood."""
    if isinstance(value, str) and (worded := _WORDED.get(_word(value))) is not None:
        return worded
    number = finite(value)
    return min(1.0, max(0.0, number / 100 if number > 1 else number))


def _percent(value: Any) -> int:  # noqa: ANN401 - whatever a model wrote
    """From 0 to 100: ``85``, ``"85%"``, ``0.85`` and ``"high"`` are all understood; 1 is one percent."""
    if isinstance(value, str) and (worded := _WORDED.get(_word(value))) is not None:
        return round(100 * worded)
    number = finite(value)
    written_as_share = 0 < number < 1 or (isinstance(value, str) and value.strip().endswith(("%", "％")))
    return round(min(100.0, max(0.0, 100 * number if written_as_share else number)))


LOOSE = BeforeValidator(_word)
"""Beside a ``Literal`` of lower-case words: any case, spaces for underscores, quotation marks around it."""
MANY = BeforeValidator(_many)
"""Beside a tuple: one item stands for a list of one, ``null`` and empty texts for nothing."""

Word = Annotated[str, BeforeValidator(partial(_text, cap=WORD_CAP)), StringConstraints(max_length=WORD_CAP)]
Line = Annotated[str, BeforeValidator(partial(_text, cap=LINE_CAP)), StringConstraints(max_length=LINE_CAP)]
Text = Annotated[str, BeforeValidator(partial(_text, cap=TEXT_CAP)), StringConstraints(max_length=TEXT_CAP)]
Words = Annotated[tuple[Word, ...], MANY]
Lines = Annotated[tuple[Line, ...], MANY]
Share = Annotated[float, BeforeValidator(_share), Field(ge=0, le=1)]
Percent = Annotated[int, BeforeValidator(_percent), Field(ge=0, le=100)]
Amount = Annotated[float, BeforeValidator(finite), Field(ge=0, le=MOST_MONEY)]
"""Money or another figure that is not negative."""
