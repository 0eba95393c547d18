"""An error that one side sees in the other's code, and its mending (row META-PROTO-15)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from moothall.errors import CallTimeout, Conflict, MoothallError, SessionEnded
from moothall.negotiation.protocol.brain import Diagnosis
from moothall.negotiation.protocol.limits import Limits
from moothall.negotiation.protocol.wire.messages import FixErrorNegotiation

_LONGEST_REASON = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixer:
    """What a side does about its own code.

    Attributes:
        diagnose: whether an error that is described is one of this side's code.
        mend: makes the code anew and reports it, good or bad.
    """

    diagnose: Callable[[str], Awaitable[Diagnosis]]
    mend: Callable[[str], Awaitable[None]]


class Fixing:
    """One side's part: tells of errors, and mends its own.

    Args:
        send: hands a message over.
        fixer: looks at and mends this side's code.
        limits: of time, and of rounds for each direction.
    """

    def __init__(self, send: Callable[[FixErrorNegotiation], Awaitable[None]], fixer: Fixer, limits: Limits) -> None:
        self._send, self._fixer, self._limits = send, fixer, limits
        self._answer: asyncio.Future[FixErrorNegotiation] | None = None
        self._report: asyncio.Future[bool] | None = None
        self._asked = self._heard = 0
        self._mending = False
        self.reason = ""
        """Why the other side did not mend its code."""

    async def ask(self, description: str) -> bool:
        """Tell the other side of an error; whether its code was made anew. On False `reason` says why not.

        Raises:
            Conflict: another error is being talked about.
            CallTimeout: no answer, or no new code, in time.
            SessionEnded, NodeUnreachable: the session is over.
        """
        if self._answer is not None:
            raise Conflict("another error is being talked about")
        self.reason = ""
        if self._asked >= self._limits.max_fix_rounds:
            self.reason = "there were too many errors"
            return False
        self._asked += 1
        loop = asyncio.get_running_loop()
        self._answer, self._report = loop.create_future(), loop.create_future()
        try:
            return await self._asked_for(description)
        except TimeoutError as error:
            raise CallTimeout("the other side did not mend its code in time") from error
        finally:
            self._answer.cancel()
            self._report.cancel()
            self._answer = self._report = None

    async def heard(self, message: FixErrorNegotiation) -> None:
        """Take a message: an error that is told, or the answer to one."""
        if message.status != "negotiating":
            if self._answer is not None and not self._answer.done():
                self._answer.set_result(message)
            return
        if self._mending:
            await self._reply(message, "rejected", "another error is being mended")
            return
        self._mending = True
        try:
            refusal = await self._refusal(message.error_description)
            await self._reply(message, "rejected" if refusal else "accepted", refusal)
            if not refusal:
                await self._fixer.mend(message.error_description)
        finally:
            self._mending = False

    def reported(self, *, generated: bool) -> None:
        """The other side reports code that it made anew."""
        if self._report is not None and not self._report.done():
            self._report.set_result(generated)

    def close(self, error: MoothallError | None = None) -> None:
        """End what waits."""
        for future in (self._answer, self._report):
            if future is not None and not future.done():
                future.set_exception(error or SessionEnded("the session is over"))
                future.exception()

    async def _asked_for(self, description: str) -> bool:
        if self._answer is None or self._report is None:
            return False
        async with asyncio.timeout(self._limits.message_timeout):
            await self._send(FixErrorNegotiation(error_description=description, status="negotiating"))
            answer = await self._answer
        if answer.status == "rejected":
            self.reason = answer.reason or "the other side does not see the error"
            return False
        async with asyncio.timeout(self._limits.code_generation_timeout):
            mended = await self._report
        self.reason = "" if mended else "the other side could not mend its code"
        return mended

    async def _refusal(self, description: str) -> str:
        if self._heard >= self._limits.max_fix_rounds:
            return "there were too many errors"
        self._heard += 1
        try:
            found = await self._fixer.diagnose(description)
        except MoothallError as error:
            return error.message
        return "" if found.confirmed else found.reason or "the error cannot be confirmed"

    async def _reply(self, message: FixErrorNegotiation, status: str, reason: str = "") -> None:
        await self._send(
            FixErrorNegotiation(
                error_description=message.error_description,
                status="accepted" if status == "accepted" else "rejected",
                reason=reason[:_LONGEST_REASON],
            )
        )
