"""Lists of tasks: what a request wants, and how a page looks (A2A 1.0 §3.1.4). Pure."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

from moothall.capability.spec import JsonObject
from moothall.clock import parse_rfc3339
from moothall.protocols.a2a.failures import InvalidParams
from moothall.protocols.a2a.store import Found, Query
from moothall.protocols.a2a.tasks import Whose, milliseconds

_PAGE: Final = 50
_MOST: Final = 2**63 - 1
"""The largest number that the database knows."""


def query_of(whose: Whose, request: JsonObject) -> Query:
    """What a ``ListTasksRequest`` wants.

    Raises:
        InvalidParams: the token or the time is none.
    """
    since = request.get("statusTimestampAfter")
    token = request.get("pageToken", "")
    return Query(
        whose=whose,
        context=request.get("contextId", ""),
        state=request.get("status", ""),
        since=_moment(since) if since else None,
        after=_place(token) if token else None,
        most=request.get("pageSize", _PAGE),
        artifacts=request.get("includeArtifacts", False),
    )


def listed(found: Found, query: Query, history: int | None) -> JsonObject:
    """``ListTasksResponse``."""
    last = found.tasks[-1] if found.more and found.tasks else None
    return {
        "tasks": [_task(task.shown(history, artifacts=query.artifacts), query) for task in found.tasks],
        "nextPageToken": "" if last is None else _token(last.updated, last.id),
        "pageSize": query.most,
        "totalSize": found.total,
    }


def _task(shown: JsonObject, query: Query) -> JsonObject:
    """A task of a list; with artifacts it has the member even where it has none."""
    if query.artifacts:
        shown.setdefault("artifacts", [])
    return shown


def _moment(text: str) -> int:
    try:
        return milliseconds(parse_rfc3339(text))
    except (ValueError, OverflowError) as error:  # no moment; or one whose year in UTC is none
        raise InvalidParams("field", {"field": "statusTimestampAfter"}) from error


def _token(updated: int, task: str) -> str:
    return urlsafe_b64encode(json.dumps([updated, task]).encode()).decode()


def _place(token: str) -> tuple[int, str]:
    try:
        place = json.loads(urlsafe_b64decode(token))
    except (ValueError, RecursionError) as error:
        raise InvalidParams("page_token") from error
    match place:
        case [int(updated), str(task)] if not isinstance(updated, bool):
            if 0 <= updated <= _MOST and task.isascii() and task.isprintable():
                return updated, task
    raise InvalidParams("page_token")
