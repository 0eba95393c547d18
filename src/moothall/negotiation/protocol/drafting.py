"""The provider's front desk of drafting: messages go into a durable run, and its answers come out of the log."""

from __future__ import annotations

import asyncio
import re
from functools import partial
from typing import Final

from moothall.approvals.news import Bells, Watch
from moothall.canonical import dumps, sha256
from moothall.errors import (
    DemandNotFound,
    NegotiationExpired,
    NegotiationRejected,
    Overloaded,
    PayloadTooLarge,
    Told,
    ValidationError,
)
from moothall.events.log import EventLog
from moothall.events.model import Draft, Event
from moothall.events.reading import postings
from moothall.messages import text
from moothall.negotiation.protocol.agreed_terms import AGREED, PROVIDE_KIND, Agreed
from moothall.negotiation.protocol.asked import Asked
from moothall.negotiation.protocol.bodies import NegotiationReply
from moothall.negotiation.protocol.frequency import HOUR, too_often, within
from moothall.negotiation.protocol.limits import MAX_MESSAGE_BYTES
from moothall.negotiation.protocol.needs import JsonObject
from moothall.negotiation.protocol.opened import OPENED
from moothall.negotiation.protocol.run_carrier import MESSAGE, SAID

REFUSED: Final = "protocol.refused"
"""The type of the last event of a run where nothing was agreed."""

PATIENCE: Final = 20.0
"""Seconds that a request without a message of its own waits for the next one of this side."""

QUICK: Final = 1.0
"""The same for one with a message, to which there need not be an answer."""

MOST_OPEN: Final = 8
"""Negotiations that one requester may have open, and that all may have."""

MOST_IN_ALL: Final = 200

HOURLY: Final = 30
"""Negotiations that one requester may begin in an hour; each leaves a run, a protocol and perhaps a capability."""

MODEL_HOURLY: Final = 5
"""Of them, those in which this side asks its language model; schemas alone settle the others."""

MODEL_HOURLY_IN_ALL: Final = 60
"""The same of all requesters together: what strangers may cost."""

MOST_POSTED: Final = 100
"""Messages that a requester may send in one negotiation."""

_DIGEST: Final = re.compile("sha256:[0-9a-f]{64}")


class DraftingDesk:
    """Fills `desk.Drafts`.

    Args:
        log: where negotiations are runs.
        bells: rung by the driver after every commit.
        patience: seconds.
    """

    def __init__(self, log: EventLog, bells: Bells, *, patience: float = PATIENCE) -> None:
        self._log = log
        self._bells = bells
        self._patience = patience

    async def exchange(self, asked: Asked) -> NegotiationReply:
        """Take the messages of a request in, once for its operation, and give what the other side does not have yet.

        Raises:
            NegotiationRejected: the negotiation has ended without an agreement, is of another mode, or has had too
                many messages.
            RateLimited: the requester has begun too many of late.
            NegotiationExpired: what was agreed does not hold any more.
            Overloaded: too many are open.
            ValidationError: a message has another form; PayloadTooLarge: it is too long.
        """
        messages = [_message(each) for each in asked.body.candidate_protocols]
        await self._opened(asked)
        with self._bells.watch(asked.run) as watch:
            over = False
            for index, message in enumerate(messages):
                over = not await self._posted(asked, index, message) or over
            said, end = await self._news(asked, watch, min(QUICK, self._patience) if messages else self._patience)
        if (
            over and end is not None and end.type == REFUSED and not said
        ):  # an agreement is told as often as it is asked
            raise NegotiationRejected("it has ended", told=Told("agreeing.front_over"))
        return self._reply(asked, said, end)

    async def _opened(self, asked: Asked) -> None:
        """Find the run of the negotiation, or begin it."""
        record = await self._log.get(asked.run)
        if record is not None:
            if record.kind != PROVIDE_KIND:
                raise NegotiationRejected("of another mode", told=Told("agreeing.front_kind"))
            return
        sender = asked.sender.id
        each = await self._log.count_open(PROVIDE_KIND, subject=sender, most=MOST_OPEN)
        if each >= MOST_OPEN or await self._log.count_open(PROVIDE_KIND, most=MOST_IN_ALL) >= MOST_IN_ALL:
            raise Overloaded("too many are open", told=Told("agreeing.front_full"))
        model = True
        if not asked.sender.owner:
            if wait := await within(self._log, PROVIDE_KIND, HOUR, HOURLY, sender):
                raise too_often(wait)
            model = not (
                await within(self._log, PROVIDE_KIND, HOUR, MODEL_HOURLY, sender)
                or await within(self._log, PROVIDE_KIND, HOUR, MODEL_HOURLY_IN_ALL)
            )
        opened = {
            "agent": asked.place.name,
            "did": asked.place.did,
            "sender": sender,
            "negotiation": asked.negotiation,
            "security": asked.security,
            "need_digest": _need_in(asked),
            "model": model,
        }
        meta = {"agent": asked.place.did, "sender": sender}
        drafts = [Draft("opened", OPENED, opened)]
        await self._log.create(asked.run, PROVIDE_KIND, drafts, meta=meta, subject=sender)

    async def _posted(self, asked: Asked, index: int, message: JsonObject) -> bool:
        """Put a message into the inbox; False where nobody reads it any more.

        Raises:
            NegotiationRejected: the negotiation has had more messages than any needs.
        """
        had, _ = await self._log.store.read(partial(postings, run=asked.run, after=MOST_POSTED))
        if had >= MOST_POSTED:
            raise NegotiationRejected("too many messages", told=Told("agreeing.front_many", {"most": MOST_POSTED}))
        key = f"m.{sha256(asked.meta.operation_id.encode())[7:31]}.{index}"
        try:
            await self._log.post(asked.run, key, MESSAGE, asked.sender.id, {"message": message})
        except DemandNotFound:
            return False
        return True

    async def _news(self, asked: Asked, watch: Watch, seconds: float) -> tuple[list[Event], Event | None]:
        """What was said since, and how it ended, as soon as there is anything of it, or when patience is over."""
        received = asked.body.received
        said: list[Event] = []
        end: Event | None = None
        try:
            async with asyncio.timeout(seconds):
                while True:
                    events = await self._log.select([asked.run], {SAID, AGREED, REFUSED})
                    said = [event for event in events if event.type == SAID and event.payload["n"] > received]
                    end = next((event for event in events if event.type != SAID), None)
                    if said or end is not None:
                        return said, end
                    await watch.news()
        except TimeoutError:
            return said, end

    def _reply(self, asked: Asked, said: list[Event], end: Event | None) -> NegotiationReply:
        new = tuple({"n": event.payload["n"], "message": event.payload["message"]} for event in said)
        if end is None:
            reason = text("agreeing.front_waiting", "en")
            return NegotiationReply(
                negotiation_id=asked.negotiation,
                status="needs_more_information",
                reason=reason,
                candidate_protocols=new,
            )
        if end.type == REFUSED:
            reason = str(end.payload["reason"])
            return NegotiationReply(
                negotiation_id=asked.negotiation, status="rejected", reason=reason, candidate_protocols=new
            )
        agreed = Agreed.of(end)
        if not agreed.holds(self._log.clock.now()):
            raise NegotiationExpired("it does not hold any more", told=Told("agreeing.front_expired"))
        return NegotiationReply.model_validate(agreed.reply).model_copy(update={"candidate_protocols": new})


def _need_in(asked: Asked) -> str:
    """The digest of the need, where the requester says it."""
    said = asked.body.intent.input_summary
    digest = said.get("need") if isinstance(said, dict) else None
    return digest if isinstance(digest, str) and _DIGEST.fullmatch(digest) else ""


def _message(candidate: object) -> JsonObject:
    message = candidate.get("message") if isinstance(candidate, dict) else None
    told = Told("agreeing.front_body", {"where": "body.candidateProtocols"})
    if not isinstance(message, dict):
        raise ValidationError("a candidate has another form", told=told)
    try:
        size = len(dumps(message))
    except TypeError as error:  # an integer that nobody could read back
        raise ValidationError("a candidate has another form", told=told) from error
    if size > MAX_MESSAGE_BYTES:
        raise PayloadTooLarge("a message is too long", told=Told("agreeing.front_long", {"most": MAX_MESSAGE_BYTES}))
    return message
