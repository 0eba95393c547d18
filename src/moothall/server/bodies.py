"""What every body that is taken in must be, before its fields are looked at."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from pydantic import BeforeValidator

from moothall.canonical import dumps
from moothall.server.replies import ErrorBody

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
    """Refuse what UTF-8 or other readers of JSON cannot hold: half a character, an integer beyond 2^53."""
    try:
        dumps(value)
    except TypeError as error:
        raise ValueError("half a character, or a number too large for JSON") from error
    return value


WRITABLE = BeforeValidator(_writable)
"""Goes before the type of a body."""


def refusals(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """The error answers of a route, for its description."""
    return {status.value: {"model": ErrorBody, "description": _WHY[status]} for status in statuses}
