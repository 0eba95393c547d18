"""Drives negotiations over the front door: each is a run that goes on wherever its log ends, on either side."""

from __future__ import annotations

from datetime import timedelta
from typing import Final, Protocol

from moothall.approvals.news import Bells
from moothall.clock import rfc3339
from moothall.errors import (
    IntegrityError,
    InvalidInput,
    MoothallError,
    NegotiationRejected,
    SessionEnded,
    StorageError,
)
from moothall.events.model import CONSUMED, Draft, JsonValue
from moothall.events.run import Run
from moothall.messages import tell
from moothall.negotiation.protocol.agreed_terms import AGREED, AGREED_KEY
from moothall.negotiation.protocol.bodies import NegotiationReply
from moothall.negotiation.protocol.conduct import Conducted, Side, conduct
from moothall.negotiation.protocol.drafting import REFUSED
from moothall.negotiation.protocol.needs import JsonObject
from moothall.negotiation.protocol.opened import Opened
from moothall.negotiation.protocol.run_carrier import HEARD, Ask, ProvidingCarrier, RequestingCarrier, RunJournal
from moothall.negotiation.protocol.spending import Spending
from moothall.negotiation.protocol.transcript import Transcript
from moothall.telemetry import logger

SIGNATURE: Final = "transcriptSignature"
"""The action of the requester's last message."""

_SIGNATURE: Final = 10.0
"""Seconds that the provider waits for the requester's signature; an agreement holds without it."""

_CONCLUDING: Final = 60.0
"""Seconds that the requester waits for the provider's result after both have their code."""

_ASIDE: Final = timedelta(seconds=2)
"""After which a run is looked at again whose agent another process has."""

_AWAY: Final = timedelta(hours=1)
"""After which that process is not waited for any more; the other side has given up long before."""

_log = logger("negotiation")


class Providing(Protocol):
    """What this node is as a provider."""

    def hosts(self, opened: Opened) -> bool:
        """Whether the agent is one of this very process; several may work on one database."""
        ...

    async def side(self, opened: Opened, spending: Spending) -> Side:
        """How the agent negotiates."""
        ...

    async def concluded(
        self, opened: Opened, found: Conducted, transcript: Transcript, parting: JsonObject
    ) -> NegotiationReply:
        """Keep and offer what was agreed on; the accepted result. ``parting``: the requester's last message, or empty.

        Done again after a crash.

        Raises:
            MoothallError: it cannot be kept, or the signature is another one's.
        """
        ...

    async def share(self, opened: Opened, found: Conducted, parting: JsonObject) -> None:
        """Keep the requester's code for others with the same need, if it passes the gate; done again after a crash."""
        ...


class Requesting(Protocol):
    """What this node is as a requester."""

    def hosts(self, opened: Opened) -> bool:
        """Whether the agent is one of this very process; several may work on one database."""
        ...

    async def side(self, opened: Opened, spending: Spending) -> Side:
        """How the agent negotiates."""
        ...

    def ask(self, opened: Opened) -> Ask:
        """How it asks the provider."""
        ...

    async def parting(self, opened: Opened, found: Conducted, transcript: Transcript) -> JsonObject:
        """The last message: the agent's signature over the conversation, and its code, for others with that need."""
        ...

    async def concluded(
        self, opened: Opened, found: Conducted, transcript: Transcript, reply: NegotiationReply
    ) -> JsonObject:
        """Keep what was agreed on; what is told of it.

        Raises:
            IntegrityError: the provider's result is not about what was agreed on.
        """
        ...


class SelectedDriver:
    """Closes the runs of selections, which hold their outcome from the first."""

    async def drive(self, run: Run) -> None:
        """Nothing is left to be done."""
        await run.emit(close=True)

    async def abandon(self, run: Run, error: BaseException) -> None:
        """The same; ``error`` is in the log."""
        _log.error("the selection %s could not be closed: %s", run.id, type(error).__name__)
        await run.emit(close=True)


class ProvideDriver:
    """Drives runs of the kind `PROVIDE_KIND`."""

    def __init__(self, providing: Providing, bells: Bells) -> None:
        self._providing = providing
        self._bells = bells

    async def drive(self, run: Run) -> None:
        """Negotiate until both sides have tested code, or it failed."""
        try:
            opened, spending = Opened.of(run), Spending.of(run)
            if not self._providing.hosts(opened):
                await _leave(run)
                return
            journal = RunJournal(run, lambda: self._bells.ring(run.id), spending)
            carrier = ProvidingCarrier(run, opened.peer, journal)
            found = await conduct(await self._providing.side(opened, spending), carrier, journal, run.clock)
            await self._end(run, opened, found)
        finally:
            self._bells.ring(run.id)

    async def abandon(self, run: Run, error: BaseException) -> None:
        """End a run whose driver fails again and again."""
        _log.error("the negotiation %s is given up: %s", run.id, type(error).__name__)
        await _refuse(run, "the provider failed")
        self._bells.ring(run.id)

    async def _end(self, run: Run, opened: Opened, found: Conducted) -> None:
        if not found.ready:
            await _refuse(run, found.reason or "nothing was agreed on")
            return
        transcript = transcript_of(found, requester=opened.peer, provider=opened.did)
        parting = await self._parting(run)

        async def conclude() -> JsonValue:
            try:
                reply = await self._providing.concluded(opened, found, transcript, parting)
            except StorageError:
                raise
            except MoothallError as error:
                return {"failed": error.message}
            return {"reply": reply.wire()}

        ended = await run.step("concluded", conclude)
        if "reply" not in ended:
            await _refuse(run, ended["failed"])
            return
        await run.emit(Draft(AGREED_KEY, AGREED, {"request": "", "reply": ended["reply"]}))
        self._bells.ring(run.id)
        await self._providing.share(opened, found, parting)
        await run.emit(close=True)

    async def _parting(self, run: Run) -> JsonObject:
        """The requester's last message, where it comes in time; what comes before it is passed over."""
        if (known := run.recorded("parting")) is not None:
            return known.payload
        until = run.clock.now() + timedelta(seconds=_SIGNATURE)
        while (posting := await run.receive(until)) is not None:
            message: JsonObject = posting.payload["message"]
            taken = Draft(f"{CONSUMED}{posting.key}", HEARD, {})
            if message.get("action") == SIGNATURE:
                await run.emit(taken, Draft("parting", HEARD, message))
                return message
            await run.emit(taken)
        await run.emit(Draft("parting", HEARD, {}))
        return {}


class RequestDriver:
    """Drives runs of the kind `REQUEST_KIND`."""

    def __init__(self, requesting: Requesting, bells: Bells) -> None:
        self._requesting = requesting
        self._bells = bells

    async def drive(self, run: Run) -> None:
        """Negotiate until both sides have tested code, or it failed."""
        try:
            opened, spending = Opened.of(run), Spending.of(run)
            if not self._requesting.hosts(opened):
                await _leave(run)
                return
            journal = RunJournal(run, lambda: self._bells.ring(run.id), spending)
            side = await self._requesting.side(opened, spending)
            patience = side.limits.message_timeout
            carrier = RequestingCarrier(run, opened.peer, journal, self._requesting.ask(opened), patience)
            found = await conduct(side, carrier, journal, run.clock)
            await self._end(run, opened, found, carrier, journal)
        finally:
            self._bells.ring(run.id)

    async def abandon(self, run: Run, error: BaseException) -> None:
        """End a run whose driver fails again and again."""
        _log.error("the negotiation %s is given up: %s", run.id, type(error).__name__)
        await _refuse(run, "the requester failed")
        self._bells.ring(run.id)

    async def _end(
        self, run: Run, opened: Opened, found: Conducted, carrier: RequestingCarrier, journal: RunJournal
    ) -> None:
        if not found.ready:
            await _refuse(run, _reason(found, carrier), _code(carrier))
            return
        transcript = transcript_of(found, requester=opened.did, provider=opened.peer)

        async def conclude() -> JsonValue:
            try:
                said = await self._requesting.parting(opened, found, transcript)
                reply = await carrier.conclude(said, _CONCLUDING)
                if reply.status != "accepted":
                    return {"failed": reply.reason or "the provider did not accept"}
                return {"kept": await self._requesting.concluded(opened, found, transcript, reply)}
            except (IntegrityError, InvalidInput, SessionEnded) as error:
                return {"failed": error.message}
            except MoothallError as error:
                return {"failed": f"{error.code}: {error.message}"}

        ended = await journal.step("concluded", conclude)
        kept = ended.get("kept") if isinstance(ended, dict) else None
        if not isinstance(kept, dict):
            await _refuse(run, str(ended.get("failed", "")) if isinstance(ended, dict) else "")
            return
        await run.emit(Draft(AGREED_KEY, AGREED, kept), close=True)


def transcript_of(found: Conducted, *, requester: str, provider: str) -> Transcript:
    """The conversation, alike on both sides."""
    transcript = Transcript(requester=requester, provider=provider)
    for sender, message in found.messages:
        transcript = transcript.with_message(sender, message)
    return transcript


async def _leave(run: Run) -> None:
    """Leave a run to the process that has the agent; nobody waits for one that does not come back.

    Raises:
        Parked: it is left.
    """
    now = run.clock.now()
    if now - run.record.created_at > _AWAY:
        await _refuse(run, "the agent is gone")
        return
    await run.park(now + _ASIDE, aside=True)


def _reason(found: Conducted, carrier: RequestingCarrier) -> str:
    if (refusal := carrier.refusal) is not None:
        return tell(refusal.told, "en") if refusal.told else refusal.message
    ended = carrier.ended
    return ended.reason if ended is not None and ended.status == "rejected" and ended.reason else found.reason


def _code(carrier: RequestingCarrier) -> str:
    return NegotiationRejected.code if carrier.refusal is None else carrier.refusal.code


async def _refuse(run: Run, reason: str, code: str = NegotiationRejected.code) -> None:
    at = rfc3339(run.clock.now())
    await run.emit(Draft("refused", REFUSED, {"reason": reason[:2_000], "code": code, "at": at}), close=True)
