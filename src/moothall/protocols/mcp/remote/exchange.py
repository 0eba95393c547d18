"""What one call and the requests that are made for it know of each other.

The SDK makes requests in tasks of its own, but in the context of whoever called: so a request finds the deadline of its
call here, and the call finds here what went wrong below the protocol, in our own terms.
"""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from typing import Final

from moothall.calls.ports import Partner
from moothall.capability.spec import JsonObject
from moothall.errors import MoothallError

_GOODBYE_SECONDS: Final = 2.0
_current: Final[ContextVar[Exchange | None]] = ContextVar("moothall_mcp_exchange", default=None)


class Exchange:
    """A call, or the opening of a connection.

    Attributes:
        deadline: by the clock of the event loop.
        opening: whether a connection is opened; what it leaves open stays open beyond its deadline.
        failure: what went wrong below the protocol.
        begun: whether a request has gone out over HTTP.
        status: the HTTP status of the last answer; 0 without one.
        partner: whom the server's questions are passed on to; None: to nobody.
        asked: whether the server asked something that could not be passed on.
        questions: how often the server asked.
        session: whether the last request named a session.
        target, about: what is called, and with which arguments.
    """

    __slots__ = (
        "about",
        "asked",
        "begun",
        "deadline",
        "failure",
        "opening",
        "partner",
        "questions",
        "session",
        "status",
        "target",
    )

    def __init__(
        self,
        seconds: float,
        *,
        opening: bool = False,
        partner: Partner | None = None,
        target: str = "",
        about: JsonObject | None = None,
    ) -> None:
        self.deadline = asyncio.get_running_loop().time() + seconds
        self.opening = opening
        self.partner = partner
        self.failure: MoothallError | None = None
        self.begun = False
        self.status = 0
        self.asked = False
        self.questions = 0
        self.session = False
        self.target = target
        self.about = about or {}

    @property
    def left(self) -> float:
        """Seconds until the deadline; none when it has passed."""
        return max(0.0, self.deadline - asyncio.get_running_loop().time())

    def enter(self) -> None:
        """Let the requests of this task, and of those that it starts, belong to this exchange."""
        _current.set(self)

    def end(self) -> None:
        """Nobody waits any more: there is time to tell the server so, and for no other request."""
        self.deadline = asyncio.get_running_loop().time() + _GOODBYE_SECONDS

    def again(self) -> None:
        """Forget what went wrong, for another attempt."""
        self.failure, self.begun, self.status, self.questions = None, False, 0, 0


def current() -> Exchange | None:
    """The exchange that a request belongs to."""
    return _current.get()
