"""One side of a connection over which protocols are talked about: what is sent, what comes, and who gets it.

What cannot be used is answered with an error and logged; nothing is swallowed, and nothing that a peer sends raises.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, Final

from moothall.errors import (
    Conflict,
    MoothallError,
    NodeUnreachable,
    PayloadTooLarge,
    ProtocolViolation,
    SessionEnded,
)
from moothall.negotiation.protocol.brain import Diagnosis
from moothall.negotiation.protocol.conversation import Conversation
from moothall.negotiation.protocol.endings import failure
from moothall.negotiation.protocol.fixing import Fixer, Fixing
from moothall.negotiation.protocol.frame_carrier import FrameCarrier
from moothall.negotiation.protocol.half_at_work import HalfAtWork
from moothall.negotiation.protocol.limits import MAX_MESSAGE_BYTES
from moothall.negotiation.protocol.meta_terms import Terms
from moothall.negotiation.protocol.needs import JsonObject, Need
from moothall.negotiation.protocol.negotiator import ProtocolNegotiator
from moothall.negotiation.protocol.recalling import Recollection
from moothall.negotiation.protocol.running import GeneratedProvider, GeneratedRequester
from moothall.negotiation.protocol.talking import Talking
from moothall.negotiation.protocol.wire import frames, messages
from moothall.negotiation.protocol.wire.frames import Kind
from moothall.negotiation.protocol.wire.messages import (
    CodeGeneration,
    ErrorReply,
    FixErrorNegotiation,
    NaturalLanguageNegotiation,
    TestCasesNegotiation,
    TranscriptSignature,
)

SendCallback = Callable[[bytes], Awaitable[None]]

MOST_HELD: Final = 8
"""Messages about an agreement that are kept until this side has looked at its last word."""

MOST_TASKS: Final = 128
"""Messages that are dealt with at once; nothing more is read before one of them is done."""

MOST_TASK_BYTES: Final = 16 * MAX_MESSAGE_BYTES
"""Bytes of those messages."""

MOST_ERRORS: Final = 32
"""Frames that are answered with an error before the conversation ends: two sides that do not understand each other,
or the errors of each other, do not go on for ever."""

_UNANSWERED: Final = ("error", "transcriptSignature")
_log = logging.getLogger(__name__)


class Exchange:
    """What comes and goes over one connection.

    Args:
        send_callback: sends the bytes of a frame.
        negotiator: judges.
        root: the directory of the generated modules.
        terms: limits, names and choices.
    """

    def __init__(self, send_callback: SendCallback, negotiator: ProtocolNegotiator, root: Path, terms: Terms) -> None:
        self.send_callback, self.terms, self.negotiator = send_callback, terms, negotiator
        self.negotiation_messages_event = asyncio.Event()
        self.code_generation_messages_event = asyncio.Event()
        self.recollection = Recollection(root, terms.peer)
        self._carrier = FrameCarrier(terms.peer, self._send_message)
        self._talk: Conversation | None = None
        self._work: HalfAtWork | None = None
        self._need: Need | None = None
        self._held: list[JsonObject] = []
        self._signatures: asyncio.Queue[TranscriptSignature] = asyncio.Queue(1)
        self._cases_settled = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._task_bytes = 0
        self._errors = self._errors_heard = 0
        self._ended: MoothallError | None = None
        self.over = asyncio.Event()
        """Set when the conversation has ended; its connection is of no more use."""
        self._talking = Talking(self.send_message, self._words, terms.limits.message_timeout)
        self._fixing = Fixing(self._say, Fixer(diagnose=self._diagnose, mend=self._mend), terms.limits)
        self._handlers: Mapping[str, Callable[[JsonObject], Awaitable[None]]] = {
            "protocolNegotiation": self._handle_protocol_negotiation,
            "codeGeneration": self._handle_code_generation,
            "testCasesNegotiation": self._handle_test_cases_negotiation,
            "fixErrorNegotiation": self._handle_fix_error_negotiation,
            "naturalLanguageNegotiation": self._handle_natural_language_negotiation,
            "error": self._handle_error,
            "transcriptSignature": self._handle_signature,
        }

    # Sending

    async def send_data(self, data: bytes) -> None:
        """Send bytes as they are.

        Raises:
            SessionEnded: this conversation is over.
            NodeUnreachable: the callback failed.
        """
        if self._ended is not None:
            raise self._ended
        try:
            await self.send_callback(data)
        except MoothallError:
            raise
        except Exception as error:
            raise NodeUnreachable("nothing can be sent to the other side") from error

    async def _send_message(self, message: JsonObject) -> None:
        """Send a message as one frame."""
        await self.send_data(frames.meta(message))

    async def send_message(self, message: messages.Message) -> None:
        """Send a message as one frame, apart from the record of the negotiation.

        Raises:
            as `send_data`.
        """
        await self._send_message(message.wire())

    async def _send_application(self, payload: bytes) -> None:
        await self.send_data(frames.encode(Kind.APPLICATION, payload))

    async def _say(self, message: messages.Message) -> None:
        """Send what belongs to the record of the negotiation."""
        if self._talk is None:
            raise Conflict("nothing was negotiated")
        await self._talk.say(message)

    # What came

    async def handle_meta_data(self, data: bytes) -> None:
        """Take one frame. What cannot be used is answered with an error and logged; nothing raises.

        It returns before long work is done: that goes on by itself, unless there is too much of it.
        """
        while len(self._tasks) >= MOST_TASKS or self._task_bytes >= MOST_TASK_BYTES:
            await asyncio.wait(tuple(self._tasks), return_when=asyncio.FIRST_COMPLETED)
        if self._ended is not None:
            return
        try:
            frame = frames.decode(data, self.terms.limits.max_message_bytes)
            if frame.kind is Kind.APPLICATION:
                self._take_application(frame.payload)
                return
            body = _message(frame)
        except PayloadTooLarge as error:
            await self._refuse(error, "too_long", "")
        except ProtocolViolation as error:
            await self._refuse(error, str(error.details.get("code", "bad_json")), str(error.details.get("action", "")))
        else:
            handler = self._handlers.get(str(body["action"]))
            if handler is not None:
                await handler(body)

    async def _handle_protocol_negotiation(self, data: JsonObject) -> None:
        """Keep a message about a proposal for whoever waits for it."""
        if await self._kept(data):
            self.negotiation_messages_event.set()

    async def _handle_code_generation(self, data: JsonObject) -> None:
        """Keep a report about code, before and while it is waited for; later, it is about code that was made anew."""
        talk = self._talk
        if talk is None or talk.state.phase != "ready":
            if await self._kept(data):
                self.code_generation_messages_event.set()
            return
        passed = await talk.take(data)
        self._fixing.reported(generated=isinstance(passed, CodeGeneration))
        await self._look()

    async def _handle_test_cases_negotiation(self, data: JsonObject) -> None:
        """Answer test cases, or take the answer to ours."""
        passed = await self._passed(data)
        if isinstance(passed, TestCasesNegotiation):
            self._spawn(self._answer_cases(passed), len(passed.test_cases))

    async def _handle_fix_error_negotiation(self, data: JsonObject) -> None:
        """Look for an error that the other side describes, or take its answer."""
        passed = await self._passed(data)
        if isinstance(passed, FixErrorNegotiation):
            self._spawn(self._fixing.heard(passed), len(passed.error_description))

    async def _handle_natural_language_negotiation(self, data: JsonObject) -> None:
        """Answer a question in words, or take the answer to ours."""
        message = messages.read(data)
        if not isinstance(message, NaturalLanguageNegotiation):
            return
        if message.type == "RESPONSE":
            self._talking.answered(message)
        else:
            self._spawn(self._talking.asked(message), len(message.message))

    async def _handle_error(self, data: JsonObject) -> None:
        """An error of the other side ends a negotiation that is under way; else it is logged."""
        self._errors_heard += 1
        if self._errors_heard <= MOST_ERRORS:  # so that it fills no log
            _log.warning("the other side could not use a message: %s", _word(data.get("code")))
        talk = self._talk
        if talk is not None and talk.state.phase not in {"ready", "failed"}:
            self._carrier.put(data)  # where there is no room: an error is not answered by one
        elif data.get("fatal"):
            self._end(SessionEnded("the other side ended the session with an error"))

    async def _handle_signature(self, data: JsonObject) -> None:
        """Keep the other side's signature over the transcript; a second one counts for nothing."""
        message = messages.read(data)
        if isinstance(message, TranscriptSignature) and not self._signatures.full():
            self._signatures.put_nowait(message)

    async def peer_signature(self) -> TranscriptSignature:
        """The other side's signature over the transcript, as soon as it comes.

        Raises:
            MoothallError: why the conversation ended before.
        """
        getting = asyncio.ensure_future(self._signatures.get())
        ending = asyncio.ensure_future(self.over.wait())
        try:
            await asyncio.wait({getting, ending}, return_when=asyncio.FIRST_COMPLETED)
            if getting.done():
                return getting.result()
        finally:
            getting.cancel()
            ending.cancel()
        raise self._ended or SessionEnded("the session is over")

    async def _answer_cases(self, message: TestCasesNegotiation) -> None:
        if self._talk is not None and await self._talk.heard_cases(message):
            self._cases_settled.set()

    async def _diagnose(self, description: str) -> Diagnosis:
        if self._work is None:
            return Diagnosis(confirmed=False, reason="there is no code")
        return await self._work.diagnose(self.negotiator.brain, description, self._talk.cases if self._talk else ())

    async def _mend(self, description: str) -> None:
        work, talk = self._work, self._talk
        if work is None or talk is None:
            return
        mended = await work.mend(description, talk.cases)
        said = CodeGeneration(
            status="generated" if mended else "error",
            protocol_hash=talk.state.digest,
            reason="" if mended else work.reason[:500],
        )
        await talk.say(said)

    async def _words(self, question: str) -> str:
        said = await self._capability(self._need)
        return await self.negotiator.brain.answer(self._talk.state.agreed if self._talk else "", question, said)

    async def _capability(self, need: Need | None) -> str:
        if need is None:
            return ""
        return await self.negotiator.get_capability_info(need.requirement, need.given, need.wanted)

    async def _kept(self, body: JsonObject | MoothallError) -> bool:
        """Keep something for whoever waits, in order of arrival; too much of it is answered with an error."""
        if self._carrier.put(body):
            return True
        await self._reply("too_many")
        return False

    async def _passed(self, data: JsonObject) -> messages.Message | None:
        """What the machine passes on of a message about an agreed protocol.

        One that comes before this side has looked at the last word of the agreement waits until it has.
        """
        talk = self._talk
        if talk is None:
            await self._reply("too_early")
            return None
        if talk.state.phase in {"proposing", "accepted"} and len(self._held) < MOST_HELD:
            self._held.append(data)
            return None
        passed = await talk.take(data)
        if talk.state.over:
            self._end(failure(talk.state.outcome))
        return passed

    async def _release(self) -> None:
        """Take what came before the agreement was looked at."""
        held, self._held = self._held, []
        for data in held:
            await self._handlers[str(data["action"])](data)

    async def _refuse(self, error: MoothallError, code: str, action: str) -> None:
        """Answer what cannot be used: by the negotiation that it disturbs, else at once."""
        _log.warning("a frame could not be used: %s", code)
        talk = self._talk
        proposing = talk is not None and not talk.state.agreed and not talk.state.over
        if proposing or (talk is not None and action == "codeGeneration" and talk.state.phase == "generating"):
            await self._kept(error if code != "too_long" else PayloadTooLarge("the frame is too long"))
            return
        if action in _UNANSWERED:
            return
        await self._reply(code, fatal=code == "too_long")
        if code == "too_long":
            self._end(SessionEnded("the other side sent more than is allowed"))

    async def _reply(self, code: str, *, fatal: bool = False) -> None:
        self._errors += 1
        last = self._errors >= MOST_ERRORS
        if self._ended is not None:
            return
        try:
            await self.send_message(ErrorReply(code=code, fatal=fatal or last))
        except MoothallError:
            _log.warning("an error could not be answered", exc_info=True)
        if last:
            self._end(ProtocolViolation("too much of what the other side sent could not be used"))

    def _take_application(self, payload: bytes) -> None:
        instance = self.instance
        if isinstance(instance, GeneratedRequester):
            instance.handle_message(payload)
        elif instance is None or not self.ready:
            self._spawn(self._reply("not_ready"))
        else:
            self._spawn(instance.handle_message(payload), len(payload))

    async def _look(self) -> None:
        """Let requests through, or end them, as the negotiation stands."""
        talk, work = self._talk, self._work
        if talk is None or work is None:
            return
        if talk.state.over:
            work.close(failure(talk.state.outcome))
            return
        if self.ready and isinstance(work.instance, GeneratedRequester):
            work.instance.unblock()
            if self._need is not None:
                await self.recollection.remember(self._need, talk.state.digest)

    def _end(self, error: MoothallError) -> None:
        self._ended = error
        self._carrier.close(error)
        self._talking.close(error)
        self._fixing.close(error)
        self._cases_settled.set()
        if self._work is not None:
            self._work.close(error)
        self.over.set()

    def _spawn(self, work: Coroutine[Any, Any, None], size: int = 0) -> None:
        """Deal with a message of that size beside what comes next."""
        task = asyncio.get_running_loop().create_task(_logged(work))
        self._tasks.add(task)
        self._task_bytes += size

        def done(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            self._task_bytes -= size
            work.close()  # where it ended before it began

        task.add_done_callback(done)

    @property
    def instance(self) -> GeneratedRequester | GeneratedProvider | None:
        """This side's end of the agreed protocol."""
        return self._work.instance if self._work else None

    @property
    def ready(self) -> bool:
        """Whether both sides reported code for the same protocol."""
        return self._talk is not None and self._talk.state.phase == "ready"


def _message(frame: frames.Frame) -> JsonObject:
    if frame.kind is not Kind.META:
        raise ProtocolViolation("this kind of frame is not spoken here", details={"code": "unsupported_kind"})
    body = frames.json_object(frame.payload)
    messages.read(body)
    return body


async def _logged(work: Coroutine[Any, Any, None]) -> None:
    """Work that nobody waits for."""
    try:
        await work
    except MoothallError:
        _log.warning("a message could not be dealt with", exc_info=True)


def _word(code: object) -> str:
    return code if isinstance(code, str) and code.isascii() and len(code) <= 64 else "unknown"  # noqa: PLR2004
