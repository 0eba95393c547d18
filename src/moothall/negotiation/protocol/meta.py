"""The conversation of two agents about a protocol, as bytes that come and go (spec A, rows META-PROTO-01 to 16).

Whoever has a connection makes one `MetaProtocol` for it, hands in every frame that comes, and sends what it is given.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pydantic

from moothall.errors import (
    Conflict,
    InvalidInput,
    MoothallError,
    SessionEnded,
)
from moothall.llm.base import BaseLLM
from moothall.llm.budget import BudgetedLLM
from moothall.negotiation.protocol import document as documents
from moothall.negotiation.protocol.brain import Role
from moothall.negotiation.protocol.conversation import Conversation, Manner
from moothall.negotiation.protocol.endings import failure
from moothall.negotiation.protocol.exchange import Exchange, SendCallback
from moothall.negotiation.protocol.generating import ModuleMaker
from moothall.negotiation.protocol.half_at_work import HalfAtWork
from moothall.negotiation.protocol.memory_journal import MemoryJournal
from moothall.negotiation.protocol.meta_terms import Terms
from moothall.negotiation.protocol.needs import JsonObject, Need
from moothall.negotiation.protocol.negotiator import ProtocolNegotiator
from moothall.negotiation.protocol.results import NegotiationResult, NegotiationStatus
from moothall.negotiation.protocol.running import GeneratedRequester
from moothall.negotiation.protocol.wire.messages import (
    CodeGeneration,
    ProtocolNegotiation,
)
from moothall.negotiation.protocol.workshop import Workshop

CapabilityCallback = Callable[[str, str, str], Awaitable[str]]

_log = logging.getLogger(__name__)


class MetaProtocol(Exchange):
    """One side of a conversation about protocols over one connection; one negotiation after another.

    Args:
        send_callback: sends the bytes of a frame.
        get_capability_info_callback: what this side can do for a requirement, its input and its output; may be None.
        llm: judges and writes; None: the deterministic engine.
        protocol_code_path: the directory of the generated modules.
        workshop: makes and runs code; None: one of its own, which ends with `aclose`.
        terms: limits, names and choices.
    """

    def __init__(
        self,
        send_callback: SendCallback,
        get_capability_info_callback: CapabilityCallback | None,
        llm: BaseLLM | None,
        protocol_code_path: str | Path,
        *,
        workshop: Workshop | None = None,
        terms: Terms | None = None,
    ) -> None:
        terms = terms or Terms()
        root = Path(protocol_code_path)
        self._capability_callback, self._llm, self._root = get_capability_info_callback, llm, root
        self._workshop, self._own_workshop = workshop or Workshop(), workshop is None
        self._budgeted: BudgetedLLM | None = None
        self.reason = ""
        """Why the last negotiation failed, for people."""
        super().__init__(send_callback, self._negotiator(terms), root, terms)

    # What came of it

    @property
    def conversation(self) -> Conversation | None:
        """The negotiation that was begun last."""
        return self._talk

    @property
    def work(self) -> HalfAtWork | None:
        """This side's half of the agreed protocol."""
        return self._work

    @property
    def protocol(self) -> str:
        """The agreed text; empty where there is none."""
        return self._talk.state.agreed if self._talk else ""

    @property
    def protocol_digest(self) -> str:
        """Its ``sha256:…``."""
        return self._talk.state.digest if self._talk else ""

    @property
    def cases(self) -> tuple[JsonObject, ...]:
        """The agreed test cases."""
        return self._talk.cases if self._talk else ()

    @property
    def error(self) -> MoothallError:
        """The last failure, as an error of its kind: what either side said, before that it left."""
        outcome = self._talk.state.outcome if self._talk else None
        if self._ended is not None and (outcome is None or outcome.code == "left"):
            return self._ended
        return failure(outcome)

    # Negotiating

    async def negotiate_protocol(
        self,
        requirement: str,
        input_description: str = "",
        output_description: str = "",
        *,
        need: Need | None = None,
        used_protocol_hash: str = "",
    ) -> tuple[bool, Path | None]:
        """Negotiate as the requester, and make its half.

        Args:
            requirement: what should be done.
            input_description: what can be given.
            output_description: what is wanted.
            need: all of it, where more is known.
            used_protocol_hash: a protocol that both sides named in their hellos; nothing is negotiated then.

        Returns:
            Whether both sides agreed and this side has its code, and the module directory; else `reason` says why not,
            `error` is of its kind, and the other side was told.
        """
        self._need = need or _need(requirement, input_description, output_description)
        talk = await self._begin("requester", self._need)
        await self._settle(talk, used_protocol_hash)
        if talk.agreed and self.terms.with_cases and self.terms.may_send("testCasesNegotiation"):
            await self._settle_cases(talk, await talk.own_cases())
        return await self._generate(talk)

    async def wait_remote_negotiation(self, *, used_protocol_hash: str = "") -> tuple[bool, Path | None]:
        """Wait for the other side's proposal, negotiate as the provider, and make its half.

        Returns:
            as `negotiate_protocol`.
        """
        self._need = None
        talk = await self._begin("provider", None)
        await self._settle(talk, used_protocol_hash)
        return await self._generate(talk)

    async def _process_negotiation_messages(self) -> tuple[bool, str]:
        """Talk until both sides agree or it fails; on success the text whose digest both accepted."""
        if self._talk is None:
            raise Conflict("no negotiation was begun")
        self.negotiation_messages_event.clear()  # what came is in the carrier, whether it was noticed or not
        await self._talk.agree()
        return self._talk.agreed, self._talk.state.agreed

    async def notify_code_generation(self, *, success: bool = True, reason: str = "") -> None:
        """Tell the other side whether this side's code was made and passes the agreed test cases."""
        if self._talk is None:
            raise Conflict("nothing was negotiated")
        await self.hear_out()  # a side that has no code says so, and may have left by now
        if self._talk.state.phase != "generating" or self._talk.state.own_code is not None:
            return
        work = self._work
        generated = success and work is not None and await work.passes(self._talk.cases)
        why = reason or (work.reason if work else "") or "the code does not pass"
        await self._talk.built(generated=generated, reason="" if generated else why[:500])
        await self._look()

    async def hear_out(self) -> None:
        """Take what the other side said of its code, and nobody has waited for yet."""
        while self._talk is not None and self._carrier.waiting and self._talk.state.phase == "generating":
            await self._talk.hear_of_code()
        await self._look()

    async def wait_for_code_generation(self) -> bool:
        """Whether the other side reports code for the agreed protocol, within ``code_generation_timeout``."""
        talk = self._talk
        if talk is None:
            raise Conflict("nothing was negotiated")
        while talk.agreed and talk.state.peer_code is None:
            self.code_generation_messages_event.clear()
            await talk.hear_of_code()
        await self._look()
        return talk.agreed and bool(talk.state.peer_code)

    async def negotiate_test_cases(self, cases: Sequence[JsonObject] | None = None) -> tuple[JsonObject, ...]:
        """Propose test cases for the agreed protocol, and talk about them; what both sides agreed on, or nothing.

        Args:
            cases: ``{name, request, expected}``; None: those that this side's judgement gives.

        Raises:
            Conflict: nothing was agreed on, or the other side knows no test cases.
            InvalidInput: they do not fit the agreed schemas.
            CodeRefused: this side's code, which was reported before, does not pass them; nothing was proposed.
        """
        talk = self._agreed_talk("testCasesNegotiation")
        await self._settle_cases(talk, await talk.own_cases() if cases is None else cases)
        return talk.cases

    async def negotiate_fix_error(self, error_description: str) -> bool:
        """Tell the other side of an error in its code; whether it made its code anew. `reason` says why not.

        Raises:
            Conflict: nothing was agreed on, the other side does not mend, or another error is being talked about.
            CallTimeout: it took too long.
            SessionEnded, NodeUnreachable: the conversation is over.
        """
        self._agreed_talk("fixErrorNegotiation")
        if isinstance(self.instance, GeneratedRequester):
            self.instance.block()
        try:
            mended = await self._fixing.ask(error_description)
        finally:
            await self._look()
        self.reason = self._fixing.reason
        return mended

    async def negotiate_natural_language(self, message: str) -> str:
        """The other side's answer to a question in words.

        Raises:
            Conflict: the other side answers no questions.
            CallTimeout: no answer in time.
            SessionEnded, NodeUnreachable: the conversation is over.
        """
        if not self.terms.may_send("naturalLanguageNegotiation"):
            raise Conflict("the other side did not say that it knows this")
        if self._ended is not None:
            raise self._ended
        return await self._talking.ask(message)

    async def aclose(self, error: MoothallError | None = None) -> None:
        """End everything that waits with an error, and every task; the connection is whoever's it is."""
        if self._ended is None:
            self._end(error or SessionEnded("the session is over"))
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._own_workshop:
            await self._workshop.aclose()

    # Making messages

    def _create_protocol_negotiation_message(
        self,
        sequence_id: int,
        candidate_protocols: str,
        status: NegotiationStatus | str,
        modification_summary: str = "",
    ) -> JsonObject:
        result = NegotiationResult(NegotiationStatus(status), candidate_protocols, modification_summary)
        return ProtocolNegotiation.of(result, sequence_id).wire()

    def _create_code_generation_message(self, success: bool) -> JsonObject:  # noqa: FBT001 - as the specification calls it
        said = CodeGeneration(status="generated" if success else "error", protocol_hash=self.protocol_digest)
        return said.wire()

    def _negotiator(self, terms: Terms) -> ProtocolNegotiator:
        """A negotiator whose model has a budget of its own."""
        llm, limits = self._llm, terms.limits
        self._budgeted = None if llm is None else BudgetedLLM(llm, limits.max_llm_calls, limits.max_tokens)
        return ProtocolNegotiator(
            self._budgeted, self._capability_callback, limits=limits, now=terms.clock.now, lang=terms.lang
        )

    async def _begin(self, role: Role, need: Need | None) -> Conversation:
        """A new negotiation with a budget of its own."""
        if self._ended is not None:
            raise self._ended
        if self._talk is not None and not (self.ready or self._talk.state.over):
            raise Conflict("another negotiation is under way")
        if self._work is not None:
            self._work.close(SessionEnded("another protocol is negotiated"))
            self._work = None
        self.negotiator, self.reason = self._negotiator(self.terms), ""
        self._signatures = asyncio.Queue(1)  # what was signed before is of another negotiation
        manner = Manner(
            role=role,
            brain=self.negotiator.brain,
            need=need,
            capability=self._capability,
            limits=self.terms.limits,
            known=self.recollection.holds if role == "provider" else None,
            opening=await self.recollection.opening(need) if need else "",
            passes=self._passes,
        )
        self._talk = Conversation(manner, self._carrier, MemoryJournal(), self.terms.clock)
        return self._talk

    async def _settle(self, talk: Conversation, used: str) -> None:
        text = await self.recollection.text(talk.manner.role, used) if used else ""
        if text:
            await talk.reuse(text)
        else:
            await self._process_negotiation_messages()
        await self._release()

    async def _generate(self, talk: Conversation) -> tuple[bool, Path | None]:
        if not talk.agreed:
            outcome = talk.state.outcome
            self.reason = (outcome.reason or outcome.code) if outcome else "nothing was agreed on"
            return False, None
        maker = self._maker(talk.manner.role, self._need)
        work = self._work = HalfAtWork(maker, documents.read(talk.state.agreed), self._send_application)
        if not await work.make(talk.cases):
            self.reason = work.reason
            await talk.built(generated=False, reason=work.reason[:500])
            return False, None
        return True, work.path

    async def _settle_cases(self, talk: Conversation, cases: Sequence[JsonObject]) -> None:
        if not cases:
            return
        self._cases_settled.clear()
        await talk.offer_cases(cases)
        try:
            async with asyncio.timeout(self.terms.limits.message_timeout):
                await self._cases_settled.wait()
        except TimeoutError:
            _log.warning("the other side did not answer the test cases")

    async def _passes(self, cases: Sequence[JsonObject]) -> bool:
        return self._work is not None and await self._work.passes(cases)

    def _maker(self, role: Role, need: Need | None) -> ModuleMaker:
        return ModuleMaker(
            workshop=self._workshop,
            llm=self._budgeted,
            root=self._root,
            role=role,
            need=need,
            codegen=self.terms.codegen,
        )

    def _agreed_talk(self, action: str) -> Conversation:
        if self._ended is not None:
            raise self._ended
        if self._talk is None or not self._talk.agreed:
            raise Conflict("nothing was agreed on")
        if not self.terms.may_send(action):
            raise Conflict("the other side did not say that it knows this")
        return self._talk


def _need(requirement: str, given: str, wanted: str) -> Need:
    try:
        return Need(requirement=requirement, input_description=given, output_description=wanted)
    except pydantic.ValidationError as error:
        raise InvalidInput("what is needed is empty or too long") from error
