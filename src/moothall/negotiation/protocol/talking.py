"""Questions and answers in words between two sides of a protocol (row META-PROTO-16)."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

from moothall.errors import CallTimeout, MoothallError, SessionEnded
from moothall.negotiation.protocol.wire.messages import NaturalLanguageNegotiation, new_message_id

MOST_QUESTIONS: Final = 8
"""Questions of the other side that are answered at once."""

_REMEMBERED: Final = 1_000
_MOST_LOGGED: Final = 20
"""Strange messages of one other side that are logged, so that it fills no log."""
_NO_ANSWER: Final = "This cannot be answered."

_log = logging.getLogger(__name__)


class Talking:
    """One side's part: asks, and answers each question once.

    Args:
        send: hands a message over.
        answer: what this side says to a question.
        timeout: seconds that an answer may take, either side's.
    """

    def __init__(
        self,
        send: Callable[[NaturalLanguageNegotiation], Awaitable[None]],
        answer: Callable[[str], Awaitable[str]],
        timeout: float,
    ) -> None:
        self._send, self._answer, self._timeout = send, answer, timeout
        self._waiting: dict[str, asyncio.Future[str]] = {}
        self._seen: deque[str] = deque(maxlen=_REMEMBERED)
        self._under_way = self._strange = 0

    async def ask(self, text: str) -> str:
        """The other side's answer to a question.

        Raises:
            CallTimeout: none came in time.
            SessionEnded, NodeUnreachable: the question cannot be sent, or the session ends.
        """
        question = NaturalLanguageNegotiation(type="REQUEST", message_id=new_message_id(), message=text)
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting[question.message_id] = future
        try:
            async with asyncio.timeout(self._timeout):
                await self._send(question)
                return await future
        except TimeoutError as error:
            raise CallTimeout("the question was not answered in time") from error
        finally:
            self._waiting.pop(question.message_id, None)
            future.cancel()

    def answered(self, message: NaturalLanguageNegotiation) -> None:
        """Take an answer; one that nobody waits for is dropped and logged."""
        future = self._waiting.get(message.message_id)
        if future is None or future.done():
            self._dropped("an answer to no question that waits was dropped")
            return
        future.set_result(message.message)

    async def asked(self, message: NaturalLanguageNegotiation) -> None:
        """Answer a question, once: a repeated one is dropped and logged."""
        if message.message_id in self._seen:
            self._dropped("a question that came before was dropped")
            return
        self._seen.append(message.message_id)
        text = await self._said(message.message) if self._under_way < MOST_QUESTIONS else _NO_ANSWER
        await self._send(NaturalLanguageNegotiation(type="RESPONSE", message_id=message.message_id, message=text))

    def close(self, error: MoothallError | None = None) -> None:
        """End every question that waits."""
        waiting, self._waiting = self._waiting, {}
        for future in waiting.values():
            if not future.done():
                future.set_exception(error or SessionEnded("the session is over"))

    def _dropped(self, what: str) -> None:
        self._strange += 1
        if self._strange <= _MOST_LOGGED:
            _log.warning(what)

    async def _said(self, question: str) -> str:
        self._under_way += 1
        try:
            async with asyncio.timeout(self._timeout):
                return await self._answer(question)
        except TimeoutError:
            _log.warning("a question in words was not answered in time")
        except MoothallError:
            _log.warning("a question in words could not be answered", exc_info=True)
        finally:
            self._under_way -= 1
        return _NO_ANSWER
