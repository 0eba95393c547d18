"""Whether a single value of one schema can become one of another, as it is or as text in decimal digits. Pure."""

from __future__ import annotations

from typing import Final

from moothall.codegen.schemas.patterns import pattern
from moothall.codegen.schemas.plan import Convert, Copy, Way
from moothall.codegen.schemas.samples import samples_of
from moothall.codegen.schemas.shapes import Root, Shape, branches, kinds, shape
from moothall.codegen.schemas.validation import Schema

_SAMPLES: Final = 12
_WORK: Final = 2_000
"""Steps of looking at one of them."""
_NUMBERS: Final = frozenset({"number", "integer"})
_WHOLE: Final = ("0", "7", "12", "-3", "123")
_FRACTIONS: Final = ("0.5", "12.25")
_NO_NUMBERS: Final = ("", "a", "x1", "1a", "-", ".")
_MARK: Final = "x-moothall-int"


def converted(given: object, source: Root, wanted: object, target: Root) -> Way | None:
    """The way of a value that is looked at as a whole.

    Numbers become text, and text numbers, only where the schema of the text says that it is a decimal number.
    """
    one, other = shape(given, source), shape(wanted, target)
    found, sought = kinds(one), kinds(other)
    if found <= _NUMBERS and "string" in sought and not found & sought and _decimal(other, whole="number" not in found):
        return Way(Convert("number_to_text"), total=False)
    if found == {"string"} and sought <= _NUMBERS and _decimal(one, whole="number" not in sought):
        return Way(Convert("text_to_number" if "number" in sought else "text_to_integer"), total=False)
    if not found <= sought:
        return None
    fitting = Schema(target, "", wanted)
    fits = [fitting.accepts(value, _WORK) for value in samples_of(source, given, _SAMPLES)]
    complex_ = bool(branches(one) or branches(other)) or bool(found & {"object", "array"})
    return Way(Copy(), total=False) if fits and (all(fits) if complex_ else any(fits)) else None


def _decimal(text: Shape, *, whole: bool) -> bool:
    """Whether a schema of texts speaks of decimal numbers."""
    if _MARK in text or text.get("format") in {"decimal", "number"}:
        return True
    if "pattern" not in text:
        return False
    regex = pattern(text["pattern"])
    positive = _WHOLE[:3] if whole else (*_WHOLE[:3], *_FRACTIONS)
    return all(map(regex.matches, positive)) and not any(map(regex.matches, _NO_NUMBERS))
