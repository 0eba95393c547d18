"""What every body that is taken in must be, before its fields are looked at."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from pydantic import BeforeValidator

from moothall.canonical import dumps
from moothall.errors import Told, Unfit
from moothall.server.replies import ErrorBody

MOST_DEEP = 100
"""Lists and objects inside one another; what writes JSON here gives up beyond 254."""
_WHY = {
    HTTPStatus.BAD_REQUEST: "A value does not have the required form",
    HTTPStatus.UNAUTHORIZED: "No valid key or token",
    HTTPStatus.FORBIDDEN: "Not with this key",
    HTTPStatus.NOT_FOUND: "There is none of that id, or it is another user's",
    HTTPStatus.CONFLICT: "Not at this moment, or not again",
    HTTPStatus.TOO_MANY_REQUESTS: "Too many demands in a minute",
    HTTPStatus.SERVICE_UNAVAILABLE: "Too much work, or the model is not available",
}


def _writable(value: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    """Refuse what other readers of JSON cannot hold: half a character, an integer beyond 2^53, endless depth."""
    if _deeper(value, MOST_DEEP):
        raise Unfit("lists and objects are nested too deep", Told("why.too_deep", {"most": MOST_DEEP}))
    try:
        dumps(value)
    except TypeError as error:
        raise Unfit("half a character, or a number too large for JSON", Told("why.half_character")) from error
    return value


def _deeper(value: object, most: int) -> bool:
    """Whether lists and objects stand in one another more than so many times."""
    level = [value]
    for _ in range(most + 1):
        level = [
            inside
            for one in level
            if isinstance(one, dict | list)
            for inside in (one.values() if isinstance(one, dict) else one)
        ]
    return bool(level)


WRITABLE = BeforeValidator(_writable)
"""Goes before the type of a body."""


def refusals(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """The error answers of a route, for its description."""
    return {status.value: {"model": ErrorBody, "description": _WHY[status]} for status in statuses}
