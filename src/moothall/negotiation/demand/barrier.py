"""Waiting for many answers: from the in-memory queue and from the run's durable inbox, until all are in or time is up.

Nothing is looked at before the barrier closes, so answering first wins nothing (notes on fairness; issue text).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal, TypeVar

from moothall.errors import PayloadTooLarge
from moothall.events.model import Draft, Posting
from moothall.events.run import Run
from moothall.negotiation.demand.admission import Desk, RefusedAnswerError, admit
from moothall.negotiation.demand.post import Letter, Mailbox
from moothall.negotiation.demand.wire import CHANNEL_ADMIN, Answer
from moothall.telemetry import logger

_log = logger("negotiation.demand")

CloseReason = Literal["all", "deadline"]
Accept = Callable[[Answer, Letter, tuple[Draft, ...]], Awaitable[None]]
"""Logs an admitted answer; the drafts (consumption of the inbox row) go into the same batch."""

Unknown = Callable[[str, str], Awaitable[None]]
"""Logs that the answer of an agent cannot be known, and the code of the cause."""

ResultT = TypeVar("ResultT")

NOTES = frozenset({"later", "unreachable", "unknown"})
"""What a local agent says in place of an answer."""

_ASKS = {"offer_response": "demand_offer", "proposal_feedback": "proposal_review"}
"""What is asked for each kind of answer."""

UNUSABLE = frozenset({"malformed", "too_large", "forged_sender"})
"""Refusals after which a local agent has nothing better to say in this phase."""


class CancelledByRequesterError(Exception):
    """The requester cancelled the run."""


class Barrier:
    """The channel admin's ear: one for all phases of a channel."""

    def __init__(self, run: Run, mailbox: Mailbox) -> None:
        self._run = run
        self.mailbox = mailbox
        self._posted: list[Posting] = []
        self._inbox: asyncio.Future[Posting | None] | None = None

    async def collect(self, desk: Desk, until: datetime, accept: Accept, unknown: Unknown) -> CloseReason:
        """Take answers until everybody asked has answered (or cannot), or until the deadline.

        A party that said it answers later keeps the barrier open without keeping the run in memory.

        Raises:
            CancelledByRequesterError: a cancellation came through the inbox.
        """
        try:
            reason = await self._collect(desk, until, accept, unknown)
        finally:
            await self._leave_inbox()
        await self._hear_cancellation()
        return reason

    async def _collect(self, desk: Desk, until: datetime, accept: Accept, unknown: Unknown) -> CloseReason:
        waiting, later = set(desk.asked - desk.answered - desk.unknown), set[str]()
        answered = set(desk.answered)
        while waiting:
            letter = self.mailbox.take() or self._waiting_posting(until)
            if letter is None and waiting <= later:
                letter = await self._news_or_park(until)
            letter = letter or await self._next(until)
            if letter is None:
                return "deadline"
            sender = letter.sender
            if letter.body.get("type") in NOTES and "posting" not in letter.meta:
                if _concerns(letter, desk):
                    (later.add if letter.body["type"] == "later" else waiting.discard)(sender)
                    if letter.body["type"] == "unknown":
                        await unknown(sender, letter.body["code"])
                continue
            refused = await self._hear(letter, replace(desk, answered=frozenset(answered)), accept)
            if refused is None:
                answered.add(sender)
            if refused is None or (refused in UNUSABLE and "posting" not in letter.meta):
                waiting.discard(sender)
        return "all"

    async def wait_for(self, kind: str, key: str, until: datetime) -> Posting | None:
        """Wait for one inbox row; an answer that comes meanwhile is refused, for nobody asked for it."""
        while True:
            posting = self._posted.pop(0) if self._posted else await self._run.receive(until)
            if posting is None:
                return None
            _raise_if_cancelled(posting)
            if (posting.kind, posting.key) == (kind, key):
                return posting
            await self._refuse(_as_letter(posting, until), "after_rounds", "wrong_phase")

    async def _hear(self, letter: Letter, desk: Desk, accept: Accept) -> str | None:
        """Accept an answer, or log why not; the reason of a refusal."""
        try:
            answer = admit(letter.sender, letter.body, desk)
        except RefusedAnswerError as refusal:
            await self._refuse(letter, f"{desk.kind}.r{desk.round}", refusal.reason)
            return refusal.reason
        try:
            await accept(answer, letter, consumption(letter))
        except PayloadTooLarge:
            await self._refuse(letter, f"{desk.kind}.r{desk.round}", "too_large")
            return "too_large"
        return None

    async def _refuse(self, letter: Letter, phase: str, reason: str) -> None:
        """Log a refusal; the row is keyed by sender, phase and reason, so a flood of them stays one row."""
        _log.warning("%s refuses an answer of %s in %s: %s", self._run.id, letter.sender, phase, reason)
        row = {"from": letter.sender, "to": CHANNEL_ADMIN, "reason": reason, "phase": phase}
        await self._run.emit(Draft(f"refused.{phase}.{letter.sender}.{reason}", "refused", row), *consumption(letter))

    def _waiting_posting(self, until: datetime) -> Letter | None:
        return _as_letter(self._posted.pop(0), until) if self._posted else None

    async def _hear_cancellation(self) -> None:
        """Look through everything that came: nothing that follows may go on without a word that was taken in."""
        while posting := await self._run.receive(self._run.clock.now()):
            self._posted.append(posting)
        for posting in self._posted:
            _raise_if_cancelled(posting)

    async def _news_or_park(self, until: datetime) -> Letter | None:
        """What lies in the inbox; if nothing does, the run leaves memory until news or the deadline."""
        await self._leave_inbox()
        if not self._posted and (posting := await self._run.receive(self._run.clock.now())):
            self._posted.append(posting)
        if not self._posted and self._run.clock.now() < until:
            await self._run.park(until)
        return self._waiting_posting(until)

    async def _next(self, until: datetime) -> Letter | None:
        """The next letter or posting, whichever comes first; ``None`` at the deadline. Loses neither."""
        mail = asyncio.ensure_future(self.mailbox.receive())
        if self._inbox is None:
            self._inbox = asyncio.ensure_future(self._run.receive(until))
        try:
            waiting: set[asyncio.Future[Any]] = {mail, self._inbox}
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            letter = await _settle(mail)
        if self._inbox.done():
            posting, self._inbox = self._inbox.result(), None
            self._posted += [] if posting is None else [posting]
        return letter or self._waiting_posting(until)

    async def _leave_inbox(self) -> None:
        """Stop listening to the inbox; a posting that had just come is kept."""
        if self._inbox is not None:
            posting, self._inbox = await _settle(self._inbox), None
            self._posted += [] if posting is None else [posting]


def _concerns(note: Letter, desk: Desk) -> bool:
    """Whether a note is about what is asked now; one about an earlier question comes too late to say anything."""
    now = (_ASKS[desk.kind], desk.round)
    return note.sender in desk.asked and (note.body["about"], note.body["round"]) == now


async def _settle(task: asyncio.Future[ResultT]) -> ResultT | None:
    """The task's result if it has one, else cancel it and wait until it is gone."""
    if not task.done():
        task.cancel()
        await asyncio.wait({task})
    return None if task.cancelled() else task.result()


def _raise_if_cancelled(posting: Posting) -> None:
    if posting.kind == "cancel":
        raise CancelledByRequesterError(posting.key)


def _as_letter(posting: Posting, until: datetime) -> Letter:
    """An inbox row as a letter from its verified sender; one received after the deadline is no answer any more."""
    _raise_if_cancelled(posting)
    late = posting.received_at > until
    body = {} if late else posting.payload
    return Letter(posting.sender, CHANNEL_ADMIN, body, {"posting": posting.key})


def consumption(letter: Letter) -> tuple[Draft, ...]:
    """The row that consumes the inbox row this letter came from, if it came from one."""
    key = letter.meta.get("posting")
    return () if key is None else (Draft(f"in.{key}", "inbox", {"from": letter.sender}),)
