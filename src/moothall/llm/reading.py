"""From what a model wrote to a checked answer (row NEG-PROMPT-10).

A model may call the tool, or write its answer as text: bare, in a code fence, or with prose around it. What is no
JSON object, such as one cut off in the middle, is refused with a reason that the model can act on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from moothall.errors import DecisionRefused
from moothall.llm.brief import Brief, DraftT
from moothall.llm.decision import InT, OutT

_LONGEST: Final = 400_000
"""Characters of an answer that are looked at."""
_MOST_STARTS: Final = 200
"""Opening braces that are tried: prose with braces stays cheap."""
_MOST_READ: Final = 2 * _LONGEST
"""Characters that all attempts together may read: a text made of beginnings is not read from each to its end."""
_MOST_WRAPPINGS: Final = 3
_MOST_PROBLEMS: Final = 8
_DECODER: Final = json.JSONDecoder()


async def read_answer(brief: Brief[InT, OutT, DraftT], data: InT, answer: Mapping[str, Any] | str) -> OutT:
    """Read, complete and check one answer.

    Raises:
        DecisionRefused: with what is wrong, in words for the model.
    """
    draft = _draft(brief.draft, answer if isinstance(answer, Mapping) else object_in(answer))
    try:
        output = await brief.complete(data, draft)
    except ValidationError as error:
        raise DecisionRefused("the answer does not fit the demand", why=_problems(error)) from error
    return brief.prompt.check(data, output)


def object_in(text: str) -> Mapping[str, Any]:
    """The first JSON object in a text.

    Raises:
        DecisionRefused: there is none.
    """
    text = text[:_LONGEST]
    start, left = -1, _MOST_READ
    for _ in range(_MOST_STARTS):
        start = text.find("{", start + 1)
        if start < 0 or left < 0:
            break
        try:
            found, _end = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError) as error:
            # An object that is cut off: what stands inside it is whole, but is not the answer.
            if _opens_the_answer(text, start):
                break
            left -= _read_to(error, len(text)) - start
            continue
        if found:
            return dict(found)
        left -= _end - start
    raise DecisionRefused("the answer is not one whole JSON object")


def _read_to(error: Exception, end: int) -> int:
    """How far an attempt has read; as far as it could where that is not told."""
    if isinstance(error, json.JSONDecodeError) and not error.msg.startswith("Unterminated"):
        return error.pos
    return end


def _opens_the_answer(text: str, brace: int) -> bool:
    """Whether an object seems to begin here: a brace followed by a quoted key; prose rarely has that."""
    return text[brace + 1 : brace + 200].lstrip().startswith('"')


def _draft(shape: type[DraftT], answer: Mapping[str, Any], wrappings: int = _MOST_WRAPPINGS) -> DraftT:
    try:
        return shape.model_validate(answer)
    except ValidationError as error:
        inner = next(iter(answer.values())) if len(answer) == 1 else None
        if isinstance(inner, Mapping) and wrappings:  # wrapped once more, as in {"result": {…}}
            return _draft(shape, inner, wrappings - 1)
        raise DecisionRefused("the answer does not have the required form", why=_problems(error)) from error


def _problems(error: ValidationError) -> str:
    """The first problems, each with its place; nothing of the input is repeated."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    words = [f"{'.'.join(str(part) for part in item['loc']) or 'answer'}: {item['msg']}" for item in found]
    return "; ".join(words[:_MOST_PROBLEMS])
