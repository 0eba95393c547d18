"""The one answer of the call path; doors translate it (rows ENV-01 to ENV-03). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from moothall.errors import MoothallError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Item:
    """One value of a stream: as JSON, at the door of this process the Python value itself."""

    value: object


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the work is."""

    done: float
    total: float | None = None
    message: str = ""


@dataclass(slots=True, kw_only=True)
class Metadata:  # one is made for every call, and a frozen one takes three times as long
    """What a caller may ask for beside the value (row ENV-02); times in seconds.

    ``degraded``: the value is that of a fallback, since what should have answered failed (row TPL-13).
    ``chosen``: what a request in words led to: its ``target``, and the ``provenance`` of its description (row DEC-14).
    """

    processing_time: float
    api_version: str
    rate_limit_remaining: int | None = None
    degraded: bool = False
    chosen: Mapping[str, Any] | None = None


@dataclass(slots=True, kw_only=True)
class Reply(Generic[T]):  # not frozen, as `Metadata`
    """A value, or an error.

    Attributes:
        request_id: a UUID; the log knows the call by it.
        timestamp: when it ended, in UTC.
        data: the value as JSON, integers beyond 2^53 as decimal strings; at the door of this process the Python value
            itself. None when it failed.
        error: why it failed.
        metadata: what the call took.
        replayed: whether this is the stored answer of an earlier call with the same ``Idempotency-Key``.
    """

    request_id: str
    timestamp: datetime
    data: T | None = None
    error: MoothallError | None = None
    metadata: Metadata | None = None
    replayed: bool = False

    @property
    def success(self) -> bool:
        """Whether there is a value."""
        return self.error is None

    @property
    def status_code(self) -> int:
        """The HTTP status."""
        return 200 if self.error is None else self.error.http_status


Chunk = Item | Progress | Reply[None]
"""What a stream consists of; exactly one `Reply` comes, at the end."""
